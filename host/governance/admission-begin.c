/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way to a right: through the stages, then the intent on the disk. Here alone one is made:
 * whoever holds one has been through every stage, or takes up what had been through them. */
#include "admission-private.h"
#include "admission-records.h"
#include "admission-span.h"
#include "base/log-task.h"
#include "usage-event.h"

#include <string.h>

/* where a question's task keeps its span */
#define REEVE_ADMISSION_SPAN "reeve-span"

static const char *
reeve_admission_keep (GStringChunk *strings, const char *text)
{
  return text != NULL ? g_string_chunk_insert (strings, text) : NULL;
}

/* Copies @request to @kept, all strings of which lie in @strings. */
static void
reeve_admission_copy (const ReeveAdmissionRequest *request, GStringChunk *strings,
                      ReeveAdmissionRequest *kept)
{
  *kept = *request;
  kept->caller = reeve_caller_ref (request->caller);
  kept->operation = reeve_admission_keep (strings, request->operation);
  kept->permission = reeve_admission_keep (strings, request->permission);
  kept->resource_type = reeve_admission_keep (strings, request->resource_type);
  kept->resource_id = reeve_admission_keep (strings, request->resource_id);
  kept->resource_told = reeve_admission_keep (strings, request->resource_told);
  kept->agent_id = reeve_admission_keep (strings, request->agent_id);
  kept->delegated_user_id = reeve_admission_keep (strings, request->delegated_user_id);
  kept->delegated_told = reeve_admission_keep (strings, request->delegated_told);
  kept->run_id = reeve_admission_keep (strings, request->run_id);
  kept->tool_name = reeve_admission_keep (strings, request->tool_name);
  kept->tool_told = reeve_admission_keep (strings, request->tool_told);
  kept->output_digest = NULL;
  kept->state = NULL;
  kept->reason = NULL;
  kept->agent_tools = NULL;
  kept->tool_arguments = NULL;
  kept->body = NULL;
  kept->sandbox_level = reeve_admission_keep (strings, request->sandbox_level);
  kept->workspace_id = reeve_admission_keep (strings, request->workspace_id);
  kept->model = reeve_admission_keep (strings, request->model);
  kept->model_told = reeve_admission_keep (strings, request->model_told);
  kept->report_model = reeve_admission_keep (strings, request->report_model);
  kept->report_session = reeve_admission_keep (strings, request->report_session);
  kept->report_department = reeve_admission_keep (strings, request->report_department);
  kept->report_cost_center = reeve_admission_keep (strings, request->report_cost_center);
  kept->report_project = reeve_admission_keep (strings, request->report_project);
  kept->plugin_id = reeve_admission_keep (strings, request->plugin_id);
  kept->input_digest = reeve_admission_keep (strings, request->input_digest);
  kept->trace_id = reeve_admission_keep (strings, request->trace_id);
  kept->trace = NULL;
  kept->advice = NULL;
  kept->door = NULL; /* the caller's */
  kept->peer_address = NULL;
}

static ReeveAdmitted *
reeve_admission_make (ReeveAdmission *self, const ReeveAdmissionRequest *request)
{
  ReeveAdmitted *admitted = g_new0 (ReeveAdmitted, 1);

  admitted->gate = self;
  admitted->strings = g_string_chunk_new (256);
  admitted->started = g_get_monotonic_time ();
  reeve_admission_copy (request, admitted->strings, &admitted->request);
  admitted->request.span = NULL;
  admitted->request.meanwhile = NULL;
  return admitted;
}

/* ---- begin ---- */

/* The stages before the intent. What is reserved is given back when a later one refuses. */
static gboolean
reeve_admission_run_before (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                            ReeveReservation **reservation, ReeveAdmissionRefused *refused,
                            GError **error)
{
  if (!reeve_admission_run_stages (self, REEVE_STAGE_AUTHORISE, REEVE_STAGE_GUARD_INPUT, request,
                                   NULL, refused, error))
    return FALSE;
  if (self->budgets != NULL && !reeve_budgets_reserve (self->budgets, request, reservation, error))
    {
      refused->stage = REEVE_STAGE_RESERVE;
      reeve_span_set_string (request->span, "reeve.admission.stage",
                             reeve_admission_rows[REEVE_STAGE_RESERVE].name);
      g_prefix_error (error, "%s: ", reeve_admission_rows[REEVE_STAGE_RESERVE].name);
      return FALSE;
    }
  if (reeve_admission_run_stages (self, REEVE_STAGE_GUARD_INPUT, REEVE_STAGE_INTENT, request, NULL,
                                  refused, error))
    return TRUE;
  g_clear_pointer (reservation, reeve_reservation_release);
  return FALSE;
}

/* Is more of the platform's budget to be waited for? Nothing is recorded of it. */
static gboolean
reeve_admission_is_short (const ReeveAdmissionRequest *request, const GError *error)
{
  return error->domain == REEVE_BUDGET_SHORT && request->refills < REEVE_BUDGETS_REFILLS;
}

/* The same; a refusal is recorded. */
static gboolean
reeve_admission_enter (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                       ReeveReservation **reservation, GError **error)
{
  g_autoptr (GError) local = NULL;
  ReeveAdmissionRefused refused = { 0 };

  if (reeve_admission_run_before (self, request, reservation, &refused, &local))
    {
      reeve_admission_note_home (self, request);
      return TRUE;
    }
  if (!reeve_admission_is_short (request, local))
    reeve_admission_note_refused (self, request, &refused, local);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static void
reeve_admission_describe_intent (ReeveAdmission *self, ReeveAdmitted *admitted,
                                 const ReeveAdmissionRequest *request, ReeveLedgerRecord *record)
{
  reeve_admission_records_fill (request, REEVE_LEDGER_INTENT, record);
  if (self->budgets != NULL && strcmp (request->operation, REEVE_USAGE_ACTION_REPORT) == 0)
    reeve_budgets_describe_report (self->budgets, request, record);
  if (admitted->reservation == NULL)
    return;
  record->reserved_tokens = reeve_reservation_get_input (admitted->reservation)
                            + reeve_reservation_get_output (admitted->reservation);
  record->reserved_cost = reeve_reservation_get_cost (admitted->reservation);
  if (record->reserved_cost > 0)
    record->currency = reeve_reservation_get_currency (admitted->reservation);
  record->time = reeve_reservation_get_time (admitted->reservation);
}

static void
reeve_admission_number (ReeveAdmitted *admitted, guint64 intent)
{
  admitted->intent = intent;
  if (intent != 0 && admitted->reservation != NULL)
    reeve_reservation_number (admitted->reservation, intent);
}

/* Blocks: keeps what the intent names, then records it. */
static gboolean
reeve_admission_record_intent (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                               ReeveAdmitted *admitted, GError **error)
{
  ReeveLedgerRecord record;
  ReeveAdmissionKept kept;
  gboolean ok = TRUE;

  reeve_admission_describe_intent (self, admitted, request, &record);
  if (reeve_admission_describe_kept (self, request, &record, &kept))
    ok = reeve_admission_keep_store (&self->keep, &kept, error);
  reeve_admission_keep_apply (&kept, &record);
  if (ok)
    reeve_admission_number (admitted, reeve_ledger_append (self->ledger, &record, error));
  reeve_admission_keep_clear (&kept);
  return ok && admitted->intent != 0;
}

static ReeveAdmitted *
reeve_admission_begin_asked (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                             GError **error)
{
  ReeveAdmitted *admitted = NULL;
  ReeveReservation *reservation = NULL;
  ReeveAdmissionRequest last = *request;

  last.refills = REEVE_BUDGETS_REFILLS;
  if (!reeve_admission_enter (self, &last, &reservation, error))
    return NULL;
  admitted = reeve_admission_make (self, request);
  admitted->reservation = reservation;
  if (reeve_admission_record_intent (self, request, admitted, error))
    return admitted;
  g_prefix_error (error, "recording the intent: ");
  reeve_admitted_free (admitted);
  return NULL;
}

/**
 * reeve_admission_begin:
 * @self: the gate
 * @request: what is to be done
 * @error: return location
 *
 * As reeve_admission_begin_async(), blocking; for worker threads.
 *
 * Returns: (transfer full): the right to it, or %NULL with an error
 */
ReeveAdmitted *
reeve_admission_begin (ReeveAdmission *self, const ReeveAdmissionRequest *request, GError **error)
{
  ReeveAdmissionRequest asked = *request;
  g_autoptr (GError) local = NULL;
  ReeveAdmitted *admitted = NULL;

  asked.span = reeve_admission_span_begin (self->tracer, request);
  admitted = reeve_admission_begin_asked (self, &asked, &local);
  reeve_admission_span_end (asked.span, local);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return admitted;
}

/* Any thread: the intent is recorded, or is not. */
static void
reeve_admission_end_intent (guint64 seq, GError *error, gpointer data)
{
  g_autoptr (GTask) task = data;
  ReeveAdmitted *admitted = g_task_get_task_data (task);

  reeve_admission_number (admitted, seq);
  if (admitted->intent != 0)
    {
      g_task_set_task_data (task, NULL, NULL);
      g_task_return_pointer (task, admitted, (GDestroyNotify) reeve_admitted_free);
      return;
    }
  reeve_admitted_free (admitted);
  g_prefix_error (&error, "recording the intent: ");
  g_task_return_error (task, error);
}

static void
reeve_admission_on_intent (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  guint64 seq = reeve_ledger_append_finish (REEVE_LEDGER (source), result, &error);

  reeve_admission_end_intent (seq, error, data);
}

/* (transfer full) task, kept. Returns: whether it waits for the disk */
static gboolean
reeve_admission_append_intent (ReeveAdmission *self, ReeveLedgerRecord *record,
                               ReeveAdmissionKept *kept, GTask *task)
{
  GError *error = NULL;

  if (!reeve_admission_keep_waits (kept))
    {
      reeve_admission_keep_apply (kept, record);
      reeve_ledger_append_async (self->ledger, record, reeve_admission_on_intent, task);
      reeve_admission_keep_clear (kept);
      return TRUE;
    }
  if (reeve_admission_keep_push (&self->keep, record, kept, TRUE, reeve_admission_end_intent, task,
                                 &error))
    return TRUE;
  reeve_admission_keep_clear (kept);
  reeve_admission_end_intent (0, error, task);
  return FALSE;
}

/* ---- a request that waits ---- */

/* While its adviser thinks, or its tenant is given more of the platform's budget. */
typedef struct
{
  GTask *task;
  ReeveAdmissionRequest request;
  GStringChunk *strings;
  char **agent_tools;
  ReeveSpan *span; /* (nullable): of who is asked */
} ReeveAdmissionWaiting;

/* (transfer full) task */
static ReeveAdmissionWaiting *
reeve_admission_wait (const ReeveAdmissionRequest *request, GTask *task)
{
  ReeveAdmissionWaiting *waiting = g_new0 (ReeveAdmissionWaiting, 1);

  waiting->task = task;
  waiting->strings = g_string_chunk_new (256);
  reeve_admission_copy (request, waiting->strings, &waiting->request);
  waiting->agent_tools = g_strdupv ((char **) request->agent_tools);
  waiting->request.agent_tools = (const char *const *) waiting->agent_tools;
  if (request->tool_arguments != NULL)
    waiting->request.tool_arguments = json_object_ref (request->tool_arguments);
  if (request->body != NULL)
    waiting->request.body = json_node_ref (request->body);
  return waiting;
}

static void reeve_admission_proceed (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                     GTask *task);

/* (transfer full) waiting */
static void
reeve_admission_go_on (ReeveAdmission *self, ReeveAdmissionWaiting *waiting)
{
  reeve_admission_proceed (self, &waiting->request, g_steal_pointer (&waiting->task));
  reeve_caller_unref (waiting->request.caller);
  g_clear_pointer (&waiting->request.tool_arguments, json_object_unref);
  g_clear_pointer (&waiting->request.body, json_node_unref);
  g_strfreev (waiting->agent_tools);
  g_string_chunk_free (waiting->strings);
  g_free (waiting);
}

/* Others may have been quicker with what was given: then it waits again. */
static void
reeve_admission_on_refilled (GObject *source, GAsyncResult *result, gpointer data)
{
  ReeveAdmissionWaiting *waiting = data;
  ReeveAdmission *self = g_task_get_source_object (waiting->task);

  if (reeve_budgets_refill_finish (self->budgets, result))
    waiting->request.refills++;
  else
    waiting->request.refills = REEVE_BUDGETS_REFILLS;
  reeve_admission_go_on (self, waiting);
}

/* (transfer full) task: takes the request through the stages. */
static void
reeve_admission_proceed (ReeveAdmission *self, const ReeveAdmissionRequest *request, GTask *task)
{
  ReeveAdmitted *admitted = NULL;
  ReeveReservation *reservation = NULL;
  ReeveLedgerRecord record;
  ReeveAdmissionKept kept;
  gint64 granted = 0;
  GError *error = NULL;

  if (!reeve_admission_enter (self, request, &reservation, &error))
    {
      if (reeve_admission_is_short (request, error))
        {
          g_error_free (error);
          reeve_budgets_refill_async (self->budgets, request, reeve_admission_on_refilled,
                                      reeve_admission_wait (request, task));
          return;
        }
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  admitted = reeve_admission_make (self, request);
  admitted->reservation = reservation;
  g_task_set_task_data (task, admitted, NULL);
  reeve_admission_describe_intent (self, admitted, request, &record);
  /* what the adviser said, or that he was not reached */
  if (request->advice != NULL)
    record.reason = reeve_policy_advice_get_word (request->advice);
  reeve_admission_describe_kept (self, request, &record, &kept);
  /* from here on another thread may end it */
  granted = reeve_admitted_get_granted (admitted);
  if (reeve_admission_append_intent (self, &record, &kept, task) && request->meanwhile != NULL
      && !reeve_ledger_holds_back (self->ledger))
    request->meanwhile (granted, request->meanwhile_data);
}

/* ---- somebody is asked ---- */

static void
reeve_admission_on_advice (GObject *source, GAsyncResult *result, gpointer data)
{
  ReeveAdmissionWaiting *waiting = data;
  g_autoptr (ReevePolicyAdvice) advice
      = reeve_policy_adviser_ask_finish (REEVE_POLICY_ADVISER (source), result);

  reeve_admission_span_advised (waiting->span, advice);
  waiting->request.advice = advice;
  reeve_admission_go_on (g_task_get_source_object (waiting->task), waiting);
}

/* (transfer full) task. Nobody is asked about what is refused here anyway, and nothing is counted
 * for what the adviser may refuse. When he has answered everything is decided anew, by what holds
 * then. */
static void
reeve_admission_consult (ReeveAdmission *self, const ReeveAdmissionRequest *request, GTask *task)
{
  ReeveAdmissionRequest early = *request;
  ReeveAdmissionWaiting *waiting = NULL;
  g_autoptr (GBytes) question = NULL;
  ReeveAdmissionRefused refused = { 0 };
  g_autoptr (GError) error = NULL;

  early.confirming = TRUE;
  if (!reeve_admission_run_row (self, &reeve_admission_rows[REEVE_STAGE_AUTHORISE], &early, NULL,
                                &refused, &error))
    {
      reeve_admission_note_refused (self, request, &refused, error);
      g_task_return_error (task, g_steal_pointer (&error));
      g_object_unref (task);
      return;
    }
  question = self->question (request, self->question_data);
  if (question == NULL)
    {
      reeve_admission_proceed (self, request, task);
      return;
    }
  waiting = reeve_admission_wait (request, task);
  waiting->span = reeve_admission_span_consult (self->tracer, request);
  reeve_policy_adviser_ask_async (self->adviser, reeve_caller_get_tenant_id (request->caller),
                                  question, reeve_admission_on_advice, waiting);
}

/**
 * reeve_admission_begin_async:
 * @self: the gate
 * @request: what is to be done; copied
 * @callback: called in the caller's thread-default context when the intent is durable
 * @user_data: for @callback
 *
 * Takes a request through the stages. Any thread; does not block.
 */
void
reeve_admission_begin_async (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = reeve_log_task_new (self, NULL, callback, user_data);
  ReeveAdmissionRequest asked = *request;

  g_task_set_source_tag (task, reeve_admission_begin_async);
  asked.span = reeve_admission_span_begin (self->tracer, request);
  if (asked.span != NULL)
    g_object_set_data_full (G_OBJECT (task), REEVE_ADMISSION_SPAN, asked.span,
                            (GDestroyNotify) reeve_span_free);
  if (request->tool_name != NULL && self->adviser != NULL)
    reeve_admission_consult (self, &asked, task);
  else
    reeve_admission_proceed (self, &asked, task);
}

/**
 * reeve_admission_begin_finish:
 * @self: the gate
 * @result: what the callback got
 * @error: return location
 *
 * Returns: (transfer full): the right to the effect; %NULL with %REEVE_ERROR_PERMISSION_DENIED or
 * what else a stage refused with, or an error of the ledger
 */
ReeveAdmitted *
reeve_admission_begin_finish (ReeveAdmission *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_admission_begin_async), NULL);
  g_autoptr (GError) local = NULL;
  ReeveAdmitted *admitted = g_task_propagate_pointer (G_TASK (result), &local);
  ReeveSpan *span
      = self->tracer != NULL ? g_object_steal_data (G_OBJECT (result), REEVE_ADMISSION_SPAN) : NULL;

  reeve_admission_span_end (span, local);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return admitted;
}

/* ---- after a restart ---- */

/**
 * reeve_admission_resume:
 * @self: the gate
 * @caller: who had asked
 * @operation: what had been admitted
 * @intent: its sequence number in the caller's tenant
 * @error: return location
 *
 * Takes up an intent of a host that ended before its outcome, for an effect that goes on. It counts
 * as consumed. Blocks.
 *
 * Returns: (transfer full): the right to settle it; %NULL with %REEVE_ERROR_CONFLICT when it is not
 * open, or is another operation's
 */
ReeveAdmitted *
reeve_admission_resume (ReeveAdmission *self, ReeveCaller *caller, const char *operation,
                        guint64 intent, GError **error)
{
  const char *scope = reeve_caller_get_tenant_id (caller);
  g_autoptr (JsonObject) found
      = reeve_admission_orphans_take (self->orphans, scope, operation, intent, error);
  ReeveAdmissionRequest request = { .caller = caller, .operation = operation };
  ReeveAdmitted *admitted = NULL;
  JsonObject *resource = NULL;

  if (found == NULL)
    return NULL;
  resource = reeve_json_get_object (found, "resource");
  request.agent_id = reeve_json_get_string (found, "agent_id", NULL);
  request.delegated_user_id = reeve_json_get_string (found, "delegated_user_id", NULL);
  request.run_id = reeve_json_get_string (found, "run_id", NULL);
  request.model = reeve_json_get_string (found, "model", NULL);
  request.tool_name = reeve_json_get_string (found, "tool_name", NULL);
  request.trace_id = reeve_json_get_string (found, "trace_id", NULL);
  /* one that is salted is that of no arguments */
  if (reeve_json_get_int (found, "kept", 0) == 0)
    request.input_digest = reeve_json_get_string (found, "input_digest", NULL);
  request.parent = (guint64) reeve_json_get_int (found, "parent", 0);
  request.plugin_id = reeve_json_get_string (found, "plugin_id", NULL);
  if (resource != NULL)
    {
      request.resource_type = reeve_json_get_string (resource, "type", NULL);
      request.resource_id = reeve_json_get_string (resource, "id", NULL);
    }
  admitted = reeve_admission_make (self, &request);
  admitted->intent = intent;
  admitted->consumed = 1;
  return admitted;
}
