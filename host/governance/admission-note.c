/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the gate records where nothing has an effect: refusals and reads, and the trace in the own
 * log of who acts elsewhere. */
#include "admission-private.h"
#include "admission-records.h"
#include "admission-sent.h"
#include "base/digests.h"
#include "base/error-detail.h"
#include "base/log-task.h"

/* What is done with: given as such, or as the arguments of a tool. */
static JsonNode *
reeve_admission_get_body (const ReeveAdmissionRequest *request)
{
  if (request->body != NULL)
    return json_node_ref (request->body);
  return request->tool_arguments != NULL
             ? json_node_init_object (json_node_alloc (), request->tool_arguments)
             : NULL;
}

/* What the record of @request leaves to be kept; TRUE: there is something that is not kept yet. */
gboolean
reeve_admission_describe_kept (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                               const ReeveLedgerRecord *record, ReeveAdmissionKept *kept)
{
  g_autoptr (JsonNode) body
      = reeve_admission_keep_has_bodies (&self->keep) ? reeve_admission_get_body (request) : NULL;

  reeve_admission_keep_describe (&self->keep, request, body,
                                 record->kind == REEVE_LEDGER_INTENT ? request->state : NULL,
                                 record, kept);
  return reeve_admission_keep_waits (kept);
}

/* The event in the own log of who acts elsewhere; what it is done with is told there alone. */
void
reeve_admission_note_home (ReeveAdmission *self, const ReeveAdmissionRequest *request)
{
  ReeveAdmissionRequest home = *request;

  if (reeve_admission_keep_has_bodies (&self->keep))
    home.input_digest = NULL;
  reeve_admission_records_note_home (self->ledger, &home);
}

/* ---- refusals ---- */

void
reeve_admission_count_refusal (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                               const char *stage, const char *reason, const GError *error)
{
  reeve_instruments_note_refusal (
      self->instruments, stage, reason,
      request->caller != NULL ? reeve_caller_get_tenant_id (request->caller) : NULL, error);
}

/* Nobody waits for a refusal. */
static void
reeve_admission_on_refusal (guint64 seq, GError *error, gpointer data)
{
  g_clear_error (&error);
}

/* (transfer full) kept */
static void
reeve_admission_append_refusal (ReeveAdmission *self, ReeveLedgerRecord *record,
                                ReeveAdmissionKept *kept)
{
  if (reeve_admission_keep_waits (kept)
      && reeve_admission_keep_push (&self->keep, record, kept, FALSE, reeve_admission_on_refusal,
                                    NULL, NULL))
    return;
  reeve_admission_keep_apply (kept, record);
  reeve_ledger_append_async (self->ledger, record, NULL, NULL);
  reeve_admission_keep_clear (kept);
}

static void
reeve_admission_record_refusal (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                const char *reason, const GError *error)
{
  ReeveLedgerRecord record;
  ReeveAdmissionKept kept;
  /* where bodies are kept, one of the arguments is kept for the record, and nothing to be guessed
   * stands beside it; of who is not known many are told together */
  gboolean bare
      = request->secret || request->caller == NULL || reeve_admission_keep_has_bodies (&self->keep);
  g_autofree char *digest = reeve_admission_records_error_digest (
      reeve_admission_records_code (error), bare ? NULL : reeve_error_detail_get (error));

  reeve_admission_note_home (self, request);
  reeve_admission_records_fill (request, REEVE_LEDGER_REFUSAL, &record);
  record.outcome = REEVE_OUTCOME_BLOCKED;
  record.reason = reason;
  record.output_digest = digest;
  if (request->begins_run)
    record.run_id = record.delegated_user_id = NULL;
  reeve_span_set_string (request->span, "reeve.admission.reason", reason);
  if (request->caller == NULL)
    {
      reeve_admission_refusals_add (self->refusals, &record, request->peer_address);
      return;
    }
  reeve_admission_describe_kept (self, request, &record, &kept);
  reeve_admission_append_refusal (self, &record, &kept);
}

/**
 * reeve_admission_refuse:
 * @self: the gate
 * @request: what was asked for; its caller may be %NULL
 * @reason: why it was refused
 *
 * Records a refusal; nobody waits for it.
 */
void
reeve_admission_refuse (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                        const GError *reason)
{
  const char *word = reeve_admission_records_reason (reason);

  reeve_admission_count_refusal (self, request, "door", word, reason);
  reeve_admission_record_refusal (self, request, word, reason);
}

/* A stage of the gate refused. */
void
reeve_admission_note_refused (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                              const ReeveAdmissionRefused *refused, const GError *error)
{
  const char *reason = reeve_admission_get_reason (refused, error);

  reeve_admission_count_refusal (self, request, reeve_admission_rows[refused->stage].word, reason,
                                 error);
  reeve_admission_record_refusal (self, request, reason, error);
}

/**
 * reeve_admission_flush_refusals:
 * @self: the gate
 *
 * Records the refusals that were counted since the last time; nobody waits for them.
 */
void
reeve_admission_flush_refusals (ReeveAdmission *self)
{
  reeve_admission_refusals_flush (self->refusals);
}

/* ---- reads ---- */

/* Any thread: the read is recorded, or is not. */
static void
reeve_admission_end_read (guint64 seq, GError *error, gpointer data)
{
  g_autoptr (GTask) task = data;

  if (seq != 0)
    g_task_return_int (task, (gssize) seq);
  else
    {
      g_prefix_error (&error, "recording the read: ");
      g_task_return_error (task, error);
    }
}

static void
reeve_admission_on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  guint64 seq = reeve_ledger_append_finish (REEVE_LEDGER (source), result, &error);

  reeve_admission_end_read (seq, error, data);
}

/* (transfer full) task. Where something cannot be kept, the read is recorded without. Of an answer
 * its digest alone is kept: where bodies are, the one in the log is salted. */
static void
reeve_admission_append_read (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                             ReeveLedgerRecord *record, GTask *task)
{
  gboolean bodies = reeve_admission_keep_has_bodies (&self->keep);
  ReeveAdmissionKept kept;

  record->output_digest = request->output_digest;
  reeve_admission_keep_describe (&self->keep, request, bodies ? request->body : NULL, NULL, record,
                                 &kept);
  if (reeve_admission_keep_waits (&kept)
      && reeve_admission_keep_push (&self->keep, record, &kept, FALSE, reeve_admission_end_read,
                                    task, NULL))
    return;
  reeve_admission_keep_apply (&kept, record);
  reeve_ledger_append_async (self->ledger, record, reeve_admission_on_read, task);
  reeve_admission_keep_clear (&kept);
}

/**
 * reeve_admission_read_async:
 * @self: the gate
 * @request: what is to be read
 * @callback: called in the caller's thread-default context when the record is durable
 * @user_data: for @callback
 *
 * Authorises a read and records it. Any thread; does not block.
 */
void
reeve_admission_read_async (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = reeve_log_task_new (self, NULL, callback, user_data);
  ReeveLedgerRecord record;
  ReeveAdmissionRefused refused = { 0 };
  GError *error = NULL;

  g_task_set_source_tag (task, reeve_admission_read_async);
  if (!reeve_admission_run_row (self, &reeve_admission_rows[REEVE_STAGE_AUTHORISE], request, NULL,
                                &refused, &error))
    {
      reeve_admission_note_refused (self, request, &refused, error);
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  reeve_admission_note_home (self, request);
  reeve_admission_records_fill (request, REEVE_LEDGER_READ, &record);
  record.outcome = REEVE_OUTCOME_SUCCEEDED;
  record.reason = request->reason;
  reeve_admission_append_read (self, request, &record, task);
}

/**
 * reeve_admission_read_finish:
 * @self: the gate
 * @result: what the callback got
 * @error: return location
 *
 * Returns: sequence number of its record: the answer may go out; 0 with an error
 */
guint64
reeve_admission_read_finish (ReeveAdmission *self, GAsyncResult *result, GError **error)
{
  gssize seq = 0;

  g_return_val_if_fail (g_task_is_valid (result, self), 0);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_admission_read_async), 0);
  seq = g_task_propagate_int (G_TASK (result), error);
  return seq > 0 ? (guint64) seq : 0;
}

/**
 * reeve_admission_begin_sent:
 * @gate: the gate
 * @request: what is read
 * @read: number of the record that says so
 *
 * Returns: (transfer full): what is told of the answer while it is sent
 */
ReeveAdmissionSent *
reeve_admission_begin_sent (ReeveAdmission *gate, const ReeveAdmissionRequest *request,
                            guint64 read)
{
  return reeve_admission_sent_new (gate, &gate->keep, request, read);
}
