/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The right to one effect, as its holder sees it: what it is for, and that it is used once. It is
 * made in admission-begin.c. */
#include "admission-private.h"
#include "admission-records.h"

#include <string.h>

/* What is reserved still goes back: there is no intent. */
void
reeve_admitted_free (ReeveAdmitted *admitted)
{
  if (admitted->reservation != NULL)
    reeve_reservation_release (admitted->reservation);
  reeve_caller_unref (admitted->request.caller);
  g_string_chunk_free (admitted->strings);
  g_free (admitted);
}

/**
 * reeve_admitted_expect:
 * @self: the right to one effect
 * @operation: which effect this is
 * @name: (nullable): of the tool, the model or the resource that it is about
 * @arguments: (nullable): what it is done with
 *
 * Ends the process unless this is what was admitted. What the intent does not name is not compared.
 */
void
reeve_admitted_expect (ReeveAdmitted *self, const char *operation, const char *name,
                       JsonObject *arguments)
{
  const ReeveAdmissionRequest *admitted = &self->request;
  const char *named = admitted->tool_name != NULL ? admitted->tool_name
                      : admitted->model != NULL   ? admitted->model
                                                  : admitted->resource_id;

  if (strcmp (admitted->operation, operation) != 0)
    g_error ("admission: %s was admitted, %s is being done", admitted->operation, operation);
  if (name != NULL && named != NULL && strcmp (named, name) != 0)
    g_error ("admission: %s of %s was admitted, it is being done to %s", operation, named, name);
  if (arguments != NULL && admitted->input_digest != NULL)
    {
      g_autofree char *digest = reeve_admission_records_digest (arguments);

      if (strcmp (admitted->input_digest, digest) != 0)
        g_error ("admission: %s was admitted with other arguments", operation);
    }
}

/**
 * reeve_admitted_consume:
 * @self: the right to one effect
 * @operation: which effect this is
 *
 * To be called at the point of effect. A second effect under one intent, or another one than was
 * admitted, would be an effect that nobody allowed and nothing records: the process ends instead.
 */
void
reeve_admitted_consume (ReeveAdmitted *self, const char *operation)
{
  reeve_admitted_expect (self, operation, NULL, NULL);
  if (!g_atomic_int_compare_and_exchange (&self->consumed, 0, 1))
    g_error ("admission: intent %" G_GUINT64_FORMAT " (%s) is used a second time", self->intent,
             operation);
}

/**
 * reeve_admitted_consume_exactly:
 * @self: the right to one effect
 * @operation: which effect this is
 * @name: (nullable): as of reeve_admitted_expect()
 * @arguments: (nullable): as of reeve_admitted_expect()
 *
 * As reeve_admitted_consume(), for a function that knows more of its effect.
 */
void
reeve_admitted_consume_exactly (ReeveAdmitted *self, const char *operation, const char *name,
                                JsonObject *arguments)
{
  reeve_admitted_expect (self, operation, name, arguments);
  reeve_admitted_consume (self, operation);
}

/**
 * reeve_admitted_confirm:
 * @self: the right to one effect
 * @tool_arguments: (nullable): of a tool call, as they were admitted
 * @error: return location
 *
 * Between the admission and the effect lies the disk, and often a queue. What was taken away in
 * that time is taken away here; rates are not counted again. Nothing is recorded now: the outcome
 * is `blocked`, whatever it is settled as.
 *
 * Returns: %FALSE with what the stage of authorisation refuses with
 */
gboolean
reeve_admitted_confirm (ReeveAdmitted *self, JsonObject *tool_arguments, GError **error)
{
  ReeveAdmissionRequest request = self->request;
  g_autoptr (GError) local = NULL;
  ReeveAdmissionRefused refused = { 0 };

  request.tool_arguments = tool_arguments;
  request.confirming = TRUE;
  if (reeve_admission_run_row (self->gate, &reeve_admission_rows[REEVE_STAGE_AUTHORISE], &request,
                               NULL, &refused, &local))
    return TRUE;
  self->refused = reeve_admission_get_reason (&refused, local);
  reeve_admission_count_refusal (self->gate, &self->request, "confirm", self->refused, local);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/**
 * reeve_admitted_is_consumed:
 * @self: the right to one effect
 *
 * Returns: whether the effect was begun
 */
gboolean
reeve_admitted_is_consumed (ReeveAdmitted *self)
{
  return g_atomic_int_get (&self->consumed) != 0;
}

/**
 * reeve_admitted_judge:
 * @self: the right to one effect
 * @error: (nullable): why it ended
 *
 * Returns: %REEVE_OUTCOME_UNKNOWN of an effect that was begun and then cut off, by its caller or by
 * the time it had: it may have happened
 */
ReeveOutcome
reeve_admitted_judge (ReeveAdmitted *self, const GError *error)
{
  if (error == NULL)
    return REEVE_OUTCOME_SUCCEEDED;
  if (reeve_admitted_is_consumed (self)
      && (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME)
          || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED)
          || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT)
          || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)))
    return REEVE_OUTCOME_UNKNOWN;
  return REEVE_OUTCOME_FAILED;
}

/**
 * reeve_admitted_get_intent:
 * @self: the right to one effect
 *
 * Returns: sequence number of its intent
 */
guint64
reeve_admitted_get_intent (ReeveAdmitted *self)
{
  return self->intent;
}

/**
 * reeve_admitted_get_granted:
 * @self: the right to a model call
 *
 * Returns: how many tokens its answer may have; 0 when no budget bounds it
 */
gint64
reeve_admitted_get_granted (ReeveAdmitted *self)
{
  return self->reservation != NULL ? reeve_reservation_get_output (self->reservation) : 0;
}

/**
 * reeve_admitted_get_caller:
 * @self: the right to one effect
 *
 * Returns: (transfer none): who asked
 */
ReeveCaller *
reeve_admitted_get_caller (ReeveAdmitted *self)
{
  return self->request.caller;
}

/**
 * reeve_admitted_leave:
 * @self: (transfer full): the right to one effect
 *
 * Lets go of it without an outcome, as the end of the process would.
 */
void
reeve_admitted_leave (ReeveAdmitted *self)
{
  if (self->reservation != NULL)
    reeve_budgets_finish (self->gate->budgets, g_steal_pointer (&self->reservation), FALSE);
  reeve_admitted_free (self);
}
