/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* First the value is durable in the store, then the record that names it: a crash in between leaves
 * a value that nobody finds, never a record that promises one. The host itself is nobody, and
 * nothing is kept of it. */
#include "admission-keep.h"

#include <string.h>

#include "admission-records.h"
#include "ledger-record.h"

typedef struct
{
  const ReeveAdmissionKeep *keep;
  ReeveLedgerRecord record;
  GStringChunk *strings;
  ReeveAdmissionKept kept;
  gboolean must;
  ReeveAdmissionKeepDone done;
  gpointer data;
} ReeveAdmissionKeepJob;

gboolean
reeve_admission_keep_has_bodies (const ReeveAdmissionKeep *self)
{
  return self->values != NULL && reeve_kept_values_has_bodies (self->values);
}

/* The address of who calls; that of an outcome stands in its intent. */
static void
reeve_admission_keep_describe_address (const ReeveAdmissionKeep *self, ReeveCaller *caller,
                                       const ReeveLedgerRecord *record, ReeveAdmissionKept *kept)
{
  const char *address = reeve_caller_get_peer_address (caller);

  if (address == NULL || *address == '\0' || record->kind == REEVE_LEDGER_OUTCOME
      || !reeve_kept_values_has_addresses (self->values))
    return;
  kept->address_digest
      = reeve_kept_values_find_address (self->values, kept->scope, kept->caller, address);
  if (kept->address_digest == NULL)
    kept->address = g_strdup (address);
}

/* What a change changes, or what was read, beside the arguments or the result. */
static void
reeve_admission_keep_describe_beside (const ReeveAdmissionKeep *self, JsonNode *state,
                                      const ReeveLedgerRecord *record, ReeveAdmissionKept *kept)
{
  g_autofree char *plain = state != NULL ? reeve_admission_records_digest_node (state) : NULL;

  if (kept->scope == NULL || !reeve_kept_values_takes (self->values, record))
    kept->beside_digest = g_steal_pointer (&plain);
  else if (state != NULL)
    kept->beside = reeve_kept_values_describe (state, plain);
  else if (record->kind == REEVE_LEDGER_READ && record->output_digest != NULL)
    kept->beside = reeve_kept_values_describe (NULL, record->output_digest);
}

/**
 * reeve_admission_keep_describe:
 * @self: what keeps
 * @request: what was asked for; outlives @kept
 * @body: (nullable): its arguments, or its result
 * @state: (nullable): what is changed, as it is
 * @record: what is to be written of it
 * @kept: (out caller-allocates): what is to be kept for it
 *
 * Whoever acts on behalf of another keeps the other's data.
 */
void
reeve_admission_keep_describe (const ReeveAdmissionKeep *self, const ReeveAdmissionRequest *request,
                               JsonNode *body, JsonNode *state, const ReeveLedgerRecord *record,
                               ReeveAdmissionKept *kept)
{
  const char *digest
      = record->kind == REEVE_LEDGER_OUTCOME ? record->output_digest : record->input_digest;

  *kept = (ReeveAdmissionKept){ 0 };
  /* the host itself has no actor */
  if (self->values != NULL && request->caller != NULL && record->actor_id != NULL)
    kept->scope = reeve_caller_get_tenant_id (request->caller);
  reeve_admission_keep_describe_beside (self, state, record, kept);
  if (kept->scope == NULL)
    return;
  kept->caller = reeve_caller_get_user_id (request->caller);
  kept->subject = request->delegated_user_id != NULL ? request->delegated_user_id : kept->caller;
  reeve_admission_keep_describe_address (self, request->caller, record, kept);
  /* a read without arguments says what its record says anyway, but is salted with its answer */
  if (reeve_kept_values_takes (self->values, record)
      && (body != NULL
          || (digest != NULL && (record->kind != REEVE_LEDGER_READ || kept->beside != NULL))))
    kept->text = reeve_kept_values_describe (body, digest);
}

gboolean
reeve_admission_keep_waits (const ReeveAdmissionKept *kept)
{
  return kept->address != NULL || (kept->text != NULL && kept->digest == NULL)
         || (kept->beside != NULL && kept->beside_digest == NULL);
}

/* A digest that can be guessed is not written in the place of one that was to be salted. */
void
reeve_admission_keep_apply (const ReeveAdmissionKept *kept, ReeveLedgerRecord *record)
{
  record->address = kept->address_digest;
  if (record->kind != REEVE_LEDGER_READ)
    record->state_digest = kept->beside_digest;
  else if (kept->beside != NULL)
    record->output_digest = kept->beside_digest;
  /* the end of one that was sent while it was made: its question is in the record before */
  if (kept->text == NULL && kept->beside != NULL && record->kind == REEVE_LEDGER_READ)
    record->kept = kept->beside_digest != NULL;
  if (kept->text == NULL)
    return;
  if (record->kind == REEVE_LEDGER_OUTCOME)
    record->output_digest = kept->digest;
  else
    record->input_digest = kept->digest;
  record->kept = kept->digest != NULL;
}

void
reeve_admission_keep_clear (ReeveAdmissionKept *kept)
{
  g_free (kept->text);
  g_free (kept->digest);
  g_free (kept->beside);
  g_free (kept->beside_digest);
  g_free (kept->address);
  g_free (kept->address_digest);
  *kept = (ReeveAdmissionKept){ 0 };
}

/* What is not kept yet, if it is anything. */
static gboolean
reeve_admission_keep_put (const ReeveAdmissionKeep *self, const ReeveAdmissionKept *kept,
                          const char *text, char **digest, GError **error)
{
  if (text == NULL || *digest != NULL)
    return TRUE;
  *digest = reeve_kept_values_put (self->values, kept->scope, kept->subject, text, error);
  return *digest != NULL;
}

/**
 * reeve_admission_keep_store:
 * @self: what keeps
 * @kept: what is to be kept
 * @error: return location
 *
 * Blocks.
 *
 * Returns: %FALSE with an error; what could be kept is
 */
gboolean
reeve_admission_keep_store (const ReeveAdmissionKeep *self, ReeveAdmissionKept *kept,
                            GError **error)
{
  if (kept->address != NULL)
    {
      kept->address_digest = reeve_kept_values_put_address (self->values, kept->scope, kept->caller,
                                                            kept->address, error);
      if (kept->address_digest == NULL)
        return FALSE;
      g_clear_pointer (&kept->address, g_free);
    }
  return reeve_admission_keep_put (self, kept, kept->text, &kept->digest, error)
         && reeve_admission_keep_put (self, kept, kept->beside, &kept->beside_digest, error);
}

/* ---- on a worker ---- */

static void
reeve_admission_keep_free_job (ReeveAdmissionKeepJob *job)
{
  reeve_admission_keep_clear (&job->kept);
  g_string_chunk_free (job->strings);
  g_free (job);
}

static void
reeve_admission_keep_work (gpointer data)
{
  ReeveAdmissionKeepJob *job = data;
  GError *error = NULL;
  guint64 seq = 0;
  gboolean ok = reeve_admission_keep_store (job->keep, &job->kept, &error);

  if (!ok && !job->must)
    {
      g_warning ("%s: %s: the record says nothing of it", job->record.action, error->message);
      g_clear_error (&error);
      ok = TRUE;
    }
  if (ok)
    {
      reeve_admission_keep_apply (&job->kept, &job->record);
      seq = reeve_ledger_append (job->keep->ledger, &job->record, &error);
    }
  job->done (seq, error, job->data);
  reeve_admission_keep_free_job (job);
}

static const char *
reeve_admission_keep_insert (GStringChunk *strings, const char *text)
{
  return text != NULL ? g_string_chunk_insert (strings, text) : NULL;
}

/**
 * reeve_admission_keep_push:
 * @self: what keeps; outlives the job
 * @record: to be written behind it; copied
 * @kept: what is to be kept; taken, unless this fails
 * @must: whether there is to be no record without it
 * @done: called on the worker
 * @data: for @done
 * @error: return location
 *
 * Any thread; does not block.
 *
 * Returns: %FALSE with an error of the workers; then @done is not called
 */
gboolean
reeve_admission_keep_push (const ReeveAdmissionKeep *self, const ReeveLedgerRecord *record,
                           ReeveAdmissionKept *kept, gboolean must, ReeveAdmissionKeepDone done,
                           gpointer data, GError **error)
{
  ReeveAdmissionKeepJob *job = g_new0 (ReeveAdmissionKeepJob, 1);

  job->keep = self;
  job->strings = g_string_chunk_new (256);
  job->record = *record;
  reeve_ledger_record_keep (&job->record, job->strings);
  job->kept = *kept;
  job->kept.scope = reeve_admission_keep_insert (job->strings, kept->scope);
  job->kept.caller = reeve_admission_keep_insert (job->strings, kept->caller);
  job->kept.subject = reeve_admission_keep_insert (job->strings, kept->subject);
  job->must = must;
  job->done = done;
  job->data = data;
  if (!reeve_workers_push (self->workers, reeve_admission_keep_work, job, error))
    {
      job->kept = (ReeveAdmissionKept){ 0 };
      reeve_admission_keep_free_job (job);
      return FALSE;
    }
  *kept = (ReeveAdmissionKept){ 0 };
  return TRUE;
}
