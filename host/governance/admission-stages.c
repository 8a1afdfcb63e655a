/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stages of the gate, one after the other, and what is asked in each. */
#include "admission-private.h"
#include "admission-records.h"

static gboolean reeve_admission_authorise (ReeveAdmission *self,
                                           const ReeveAdmissionRequest *request, GError **error);

/* The order of the house plan. The intent, the effect and the outcome are not checks: they are
 * written out in begin, in the caller and in settle. */
const ReeveAdmissionRow reeve_admission_rows[] = {
  { REEVE_STAGE_AUTHORISE, "authorise", "authorising", reeve_admission_authorise },
  { REEVE_STAGE_RESERVE, "reserve", "reserving budget", NULL },
  { REEVE_STAGE_GUARD_INPUT, "guard_input", "guarding the input", NULL },
  { REEVE_STAGE_APPROVE, "approve", "asking for approval", NULL },
  { REEVE_STAGE_INTENT, "intent", "recording the intent", NULL },
  { REEVE_STAGE_EFFECT, "effect", "the effect", NULL },
  { REEVE_STAGE_GUARD_OUTPUT, "guard_output", "guarding the output", NULL },
  { REEVE_STAGE_SETTLE, "settle", "settling", NULL },
  { REEVE_STAGE_OUTCOME, "outcome", "recording the outcome", NULL },
};

static gboolean
reeve_admission_authorise (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                           GError **error)
{
  if (request->caller == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                           "nobody is known to ask");
      return FALSE;
    }
  if (request->permission != NULL
      && !reeve_caller_has_permission_in (request->caller, request->permission,
                                          request->workspace_id)
      && (!request->narrowed
          || !reeve_caller_has_permission_somewhere (request->caller, request->permission))
      && (self->grant == NULL || !self->grant (request, self->grant_data)))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "permission %s is missing",
                   request->permission);
      return FALSE;
    }
  if (self->tool_check != NULL)
    return self->tool_check (request, NULL, self->tool_check_data, error);
  if (request->tool_name == NULL)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "the tool policy does not allow %s (policy_unset)", request->tool_name);
  return FALSE;
}

/* @refused: filled in where it refuses. */
gboolean
reeve_admission_run_row (ReeveAdmission *self, const ReeveAdmissionRow *row,
                         const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                         ReeveAdmissionRefused *refused, GError **error)
{
  gboolean ok = row->check == NULL || row->check (self, request, error);

  for (guint i = 0; ok && i < self->added->len; i++)
    {
      const ReeveAdmissionAdded *added = &g_array_index (self->added, ReeveAdmissionAdded, i);

      if (added->stage != row->stage)
        continue;
      ok = added->check (request, settlement, added->user_data, error);
      if (!ok)
        refused->reason = added->reason;
    }
  if (ok)
    return TRUE;
  refused->stage = row->stage;
  reeve_span_set_string (request->span, "reeve.admission.stage", row->name);
  g_prefix_error (error, "%s: ", row->name);
  return FALSE;
}

/* Goes through the stages @from to before @to. */
gboolean
reeve_admission_run_stages (ReeveAdmission *self, ReeveAdmissionStage from, ReeveAdmissionStage to,
                            const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                            ReeveAdmissionRefused *refused, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_admission_rows); i++)
    {
      const ReeveAdmissionRow *row = &reeve_admission_rows[i];

      if (row->stage >= from && row->stage < to
          && !reeve_admission_run_row (self, row, request, settlement, refused, error))
        return FALSE;
    }
  return TRUE;
}

/* The word of the record. */
const char *
reeve_admission_get_reason (const ReeveAdmissionRefused *refused, const GError *error)
{
  return refused->reason != NULL ? refused->reason : reeve_admission_records_reason (error);
}

/**
 * reeve_admission_allows_again:
 * @self: the gate
 * @request: what was asked for and answered before
 * @error: return location
 *
 * The stage of authorisation alone, by what holds now. What is refused by it is recorded by whoever
 * records the refusals of that door.
 *
 * Returns: %FALSE with what the stage refuses with
 */
gboolean
reeve_admission_allows_again (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                              GError **error)
{
  ReeveAdmissionRequest again = *request;
  ReeveAdmissionRefused refused = { 0 };

  again.confirming = TRUE;
  return reeve_admission_run_row (self, &reeve_admission_rows[REEVE_STAGE_AUTHORISE], &again, NULL,
                                  &refused, error);
}
