/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of an effect: what came out is looked at, settled and recorded. */
#include "admission-private.h"
#include "admission-records.h"
#include "base/error-detail.h"
#include "base/log-task.h"
#include "ledger-record.h"
#include "money.h"

/* SHA-256 of no bytes: nothing came, and that is known */
#define REEVE_ADMISSION_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Any thread: the outcome is recorded, or is not. (transfer full) (nullable) data: the task */
static void
reeve_admission_end_outcome (guint64 seq, GError *error, gpointer data)
{
  g_autoptr (GTask) task = data;
  ReeveAdmission *self = task != NULL ? g_task_get_source_object (task) : NULL;
  ReeveReservation *reservation = task != NULL ? g_task_get_task_data (task) : NULL;

  if (task == NULL)
    {
      g_clear_error (&error);
      return;
    }
  if (reservation != NULL)
    reeve_budgets_finish (self->budgets, reservation, seq != 0);
  if (seq != 0)
    g_task_return_int (task, (gssize) seq);
  else
    g_task_return_error (task, error);
}

static void
reeve_admission_on_outcome (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  guint64 seq = reeve_ledger_append_finish (REEVE_LEDGER (source), result, &error);

  reeve_admission_end_outcome (seq, error, data);
}

/* (transfer full) (nullable) task. What came out is kept where it can be: it has happened. */
static void
reeve_admission_append_outcome (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                const ReeveSettlement *settlement, ReeveLedgerRecord *record,
                                GTask *task)
{
  ReeveAdmissionKept kept;
  g_autofree char *digest = NULL;
  g_autoptr (JsonNode) body = settlement->body != NULL ? json_node_ref (settlement->body) : NULL;

  if (record->output_digest == NULL && settlement->error != NULL)
    {
      const char *code = reeve_admission_records_code (settlement->error);
      const char *detail = request->secret ? NULL : reeve_error_detail_get (settlement->error);

      record->output_digest = digest = reeve_admission_records_error_digest (code, detail);
      if (body == NULL && reeve_admission_keep_has_bodies (&self->keep))
        body = reeve_admission_records_error (code, detail);
    }
  reeve_admission_keep_describe (&self->keep, request, body, settlement->state, record, &kept);
  /* there is nothing to guess in nothing, nor in that nobody knows */
  if (record->output_digest == NULL && kept.text == NULL
      && record->outcome == REEVE_OUTCOME_UNKNOWN)
    record->output_digest = digest = reeve_admission_records_error_digest (
        reeve_error_get_name (REEVE_ERROR_UNKNOWN_OUTCOME), NULL);
  else if (record->output_digest == NULL && kept.text == NULL)
    record->output_digest = REEVE_ADMISSION_NOTHING;
  if (reeve_admission_keep_waits (&kept)
      && reeve_admission_keep_push (&self->keep, record, &kept, FALSE, reeve_admission_end_outcome,
                                    task, NULL))
    return;
  reeve_admission_keep_apply (&kept, record);
  reeve_ledger_append_async (self->ledger, record, task != NULL ? reeve_admission_on_outcome : NULL,
                             task);
  reeve_admission_keep_clear (&kept);
}

/* Of who made something, what it was is known only now. */
static void
reeve_admission_name_made (const ReeveAdmitted *admitted, const ReeveSettlement *settlement,
                           ReeveLedgerRecord *record)
{
  if (settlement->resource_id == NULL || record->resource_id != NULL)
    return;
  record->resource_type = admitted->request.resource_type;
  record->resource_id = settlement->resource_id;
  if (record->agent_id == NULL && g_strcmp0 (record->resource_type, "agent") == 0)
    record->agent_id = settlement->resource_id;
}

/* What it was of, now that it has answered, and how much. */
static void
reeve_admission_settle_fill (ReeveLedgerRecord *record, ReeveAdmitted *admitted,
                             const ReeveSettlement *settlement)
{
  /* its service has answered to the name: it is one */
  if (settlement->outcome == REEVE_OUTCOME_SUCCEEDED
      && reeve_admission_is_model (admitted->request.model))
    record->model = admitted->request.model;
  /* and its server to that of a place */
  if (settlement->outcome == REEVE_OUTCOME_SUCCEEDED
      && g_strcmp0 (admitted->request.resource_type, "place") == 0)
    record->resource_id = admitted->request.resource_id;
  record->bytes_sent = CLAMP (settlement->bytes_sent, 0, REEVE_LEDGER_RECORD_MAX_NUMBER);
  record->bytes_received = CLAMP (settlement->bytes_received, 0, REEVE_LEDGER_RECORD_MAX_NUMBER);
  record->input_tokens = CLAMP (settlement->input_tokens, 0, REEVE_LEDGER_RECORD_MAX_NUMBER);
  record->output_tokens = CLAMP (settlement->output_tokens, 0, REEVE_LEDGER_RECORD_MAX_NUMBER);
  record->estimated = settlement->estimated;
}

/**
 * reeve_admission_settle_async:
 * @self: the gate
 * @admitted: (transfer full): the right to an effect
 * @settlement: how it ended
 * @callback: (nullable): called when the outcome is durable; %NULL when nobody waits
 * @user_data: for @callback
 *
 * Ends an effect. When a check of what came out refuses, the outcome is `blocked` with its reason.
 * Any thread; does not block.
 */
void
reeve_admission_settle_async (ReeveAdmission *self, ReeveAdmitted *admitted,
                              const ReeveSettlement *settlement, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  ReeveAdmissionRefused refused = { 0 };
  ReeveLedgerRecord record;
  GTask *task = NULL;

  if (settlement->outcome == REEVE_OUTCOME_SUCCEEDED && !reeve_admitted_is_consumed (admitted))
    g_warning ("admission: %s succeeded, but intent %" G_GUINT64_FORMAT " was not consumed",
               admitted->request.operation, admitted->intent);
  reeve_admission_records_fill (&admitted->request, REEVE_LEDGER_OUTCOME, &record);
  /* long, and the intent has them */
  record.input_digest = NULL;
  record.trace_id = NULL;
  record.intent = admitted->intent;
  record.outcome = settlement->outcome;
  record.reason = settlement->reason;
  record.output_digest = settlement->output_digest;
  reeve_admission_name_made (admitted, settlement, &record);
  reeve_admission_settle_fill (&record, admitted, settlement);
  record.may_wait = settlement->may_wait && callback == NULL;
  record.latency_us = MAX (g_get_monotonic_time () - admitted->started - settlement->waited_us, 0);
  if (settlement->delegated_user_id != NULL)
    reeve_admission_records_delegate (&record, settlement->delegated_user_id);
  if (!reeve_admission_run_stages (self, REEVE_STAGE_GUARD_OUTPUT, REEVE_STAGE_OUTCOME,
                                   &admitted->request, settlement, &refused, &error)
      || admitted->refused != NULL)
    {
      record.outcome = REEVE_OUTCOME_BLOCKED;
      record.reason = admitted->refused;
      if (error != NULL)
        {
          record.reason = reeve_admission_get_reason (&refused, error);
          reeve_admission_count_refusal (self, &admitted->request,
                                         reeve_admission_rows[refused.stage].word, record.reason,
                                         error);
        }
    }
  if (self->budgets != NULL)
    reeve_budgets_settle (self->budgets, admitted->reservation, &admitted->request, settlement,
                          reeve_admitted_is_consumed (admitted), &record);
  reeve_instruments_note_outcome (self->instruments, &record, settlement->steps);
  if (callback != NULL || admitted->reservation != NULL)
    {
      task = reeve_log_task_new (self, NULL, callback, user_data);
      g_task_set_source_tag (task, reeve_admission_settle_async);
      g_task_set_task_data (task, g_steal_pointer (&admitted->reservation), NULL);
    }
  reeve_admission_append_outcome (self, &admitted->request, settlement, &record, task);
  reeve_admitted_free (admitted);
}

/**
 * reeve_admission_settle_finish:
 * @self: the gate
 * @result: what the callback got
 * @error: return location
 *
 * Returns: sequence number of the outcome, 0 with an error
 */
guint64
reeve_admission_settle_finish (ReeveAdmission *self, GAsyncResult *result, GError **error)
{
  gssize seq = 0;

  g_return_val_if_fail (g_task_is_valid (result, self), 0);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_admission_settle_async), 0);
  seq = g_task_propagate_int (G_TASK (result), error);
  return seq > 0 ? (guint64) seq : 0;
}
