/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The record of a read is durable before its answer goes out, so one that is made while it goes out
 * has another behind it, with the digest of what went. */
#include "admission-sent.h"

#include "admission-records.h"
#include "base/digests.h"
#include "ledger-record.h"

struct _ReeveAdmissionSent
{
  ReeveAdmission *gate; /* so that @keep lives */
  const ReeveAdmissionKeep *keep;
  ReeveCaller *caller; /* (nullable) */
  ReeveDigests *digests;
  ReeveLedgerRecord record;
  GStringChunk *strings; /* of the record */
  guint64 length;
};

/**
 * reeve_admission_sent_new:
 * @gate: the gate
 * @keep: what keeps; a part of @gate
 * @request: what is read; copied
 * @read: number of the record that says so
 *
 * Returns: (transfer full): nothing was sent so far
 */
ReeveAdmissionSent *
reeve_admission_sent_new (ReeveAdmission *gate, const ReeveAdmissionKeep *keep,
                          const ReeveAdmissionRequest *request, guint64 read)
{
  ReeveAdmissionSent *self = g_new0 (ReeveAdmissionSent, 1);

  self->gate = g_object_ref (gate);
  self->keep = keep;
  self->caller = request->caller != NULL ? reeve_caller_ref (request->caller) : NULL;
  self->digests = reeve_digests_begin ();
  self->strings = g_string_chunk_new (256);
  reeve_admission_records_fill (request, REEVE_LEDGER_READ, &self->record);
  /* the first has them */
  self->record.input_digest = NULL;
  self->record.trace_id = NULL;
  self->record.parent = read;
  reeve_ledger_record_keep (&self->record, self->strings);
  return self;
}

/**
 * reeve_admission_sent_add:
 * @self: what is sent
 * @data: (array length=length): the next piece
 * @length: its bytes
 */
void
reeve_admission_sent_add (ReeveAdmissionSent *self, gconstpointer data, gsize length)
{
  reeve_digests_update (self->digests, data, length);
  self->length += length;
}

static void
reeve_admission_sent_on_recorded (guint64 seq, GError *error, gpointer data)
{
  g_clear_error (&error);
}

/* Where bodies are kept, its digest is, and the log has it salted. */
static void
reeve_admission_sent_record (ReeveAdmissionSent *self)
{
  const ReeveAdmissionRequest request = { .caller = self->caller };
  ReeveAdmissionKept kept;

  reeve_admission_keep_describe (self->keep, &request, NULL, NULL, &self->record, &kept);
  if (reeve_admission_keep_waits (&kept)
      && reeve_admission_keep_push (self->keep, &self->record, &kept, FALSE,
                                    reeve_admission_sent_on_recorded, NULL, NULL))
    return;
  reeve_admission_keep_apply (&kept, &self->record);
  reeve_ledger_append_async (self->keep->ledger, &self->record, NULL, NULL);
  reeve_admission_keep_clear (&kept);
}

/**
 * reeve_admission_sent_end:
 * @self: (transfer full): what was sent
 * @error: (nullable): why that is not all of it
 *
 * Records it; nobody waits. Any thread.
 */
void
reeve_admission_sent_end (ReeveAdmissionSent *self, const GError *error)
{
  guint8 digest[REEVE_DIGESTS_LENGTH] = { 0 };
  char hex[2 * REEVE_DIGESTS_LENGTH + 1] = { 0 };

  reeve_digests_finish (self->digests, digest);
  reeve_digests_write_hex (digest, sizeof digest, hex);
  self->record.output_digest = hex;
  self->record.bytes_sent = (gint64) MIN (self->length, REEVE_LEDGER_RECORD_MAX_NUMBER);
  self->record.outcome = error == NULL ? REEVE_OUTCOME_SUCCEEDED : REEVE_OUTCOME_FAILED;
  self->record.reason = error == NULL ? "sent" : reeve_admission_records_reason (error);
  reeve_admission_sent_record (self);
  reeve_digests_free (self->digests);
  g_string_chunk_free (self->strings);
  g_clear_pointer (&self->caller, reeve_caller_unref);
  g_object_unref (self->gate);
  g_free (self);
}
