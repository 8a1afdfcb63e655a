/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers, chains and collects the records of a batch; the writer thread alone has it. */
#include "ledger-batch.h"

#include <string.h>

struct _ReeveLedgerBatch
{
  ReeveLedgerFrontier frontier;
  GByteArray *bytes;  /* chain hash before, then records as they stand in a file */
  GArray *ends;       /* guint32: where in bytes each record ends */
  GByteArray *leaves; /* leaf hash of each */
  GArray *opened;     /* guint64: intents */
  GHashTable *closed; /* intents whose outcome is in the batch */
};

/**
 * reeve_ledger_batch_new:
 *
 * Returns: (transfer full): a batch; to be reset before use
 */
ReeveLedgerBatch *
reeve_ledger_batch_new (void)
{
  ReeveLedgerBatch *self = g_new0 (ReeveLedgerBatch, 1);

  self->bytes = g_byte_array_new ();
  self->ends = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->leaves = g_byte_array_new ();
  self->opened = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->closed = g_hash_table_new (NULL, NULL);
  return self;
}

/**
 * reeve_ledger_batch_free:
 * @self: a batch
 */
void
reeve_ledger_batch_free (ReeveLedgerBatch *self)
{
  g_byte_array_unref (self->bytes);
  g_array_unref (self->ends);
  g_byte_array_unref (self->leaves);
  g_array_unref (self->opened);
  g_hash_table_unref (self->closed);
  g_free (self);
}

/**
 * reeve_ledger_batch_reset:
 * @self: a batch
 * @state: where the log stands
 *
 * Makes it empty, to go on behind @state.
 */
void
reeve_ledger_batch_reset (ReeveLedgerBatch *self, const ReeveLedgerState *state)
{
  self->frontier = state->frontier;
  g_byte_array_set_size (self->bytes, REEVE_LEDGER_HASH_SIZE);
  memcpy (self->bytes->data, state->chain, REEVE_LEDGER_HASH_SIZE);
  g_array_set_size (self->ends, 0);
  g_byte_array_set_size (self->leaves, 0);
  g_array_set_size (self->opened, 0);
  g_hash_table_remove_all (self->closed);
}

/* Was the intent added to this batch? Its numbers ascend and are few behind the state's. */
static gboolean
reeve_ledger_batch_opened (ReeveLedgerBatch *self, guint64 intent)
{
  for (guint i = self->opened->len; i > 0; i--)
    {
      guint64 seq = g_array_index (self->opened, guint64, i - 1);

      if (seq <= intent)
        return seq == intent;
    }
  return FALSE;
}

/* Notes what the line does to the set of open intents; an outcome that has no open intent is
 * refused, for it would be a second truth about one effect. */
static gboolean
reeve_ledger_batch_add_kind (ReeveLedgerBatch *self, const ReeveLedgerState *state,
                             const ReeveLedgerLine *line, guint64 seq, GError **error)
{
  if (line->kind == REEVE_LEDGER_INTENT)
    g_array_append_val (self->opened, seq);
  if (line->kind != REEVE_LEDGER_OUTCOME)
    return TRUE;
  if ((reeve_ledger_state_is_open (state, line->intent)
       || reeve_ledger_batch_opened (self, line->intent))
      && g_hash_table_add (self->closed, GSIZE_TO_POINTER (line->intent)))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "record %" G_GUINT64_FORMAT " is no intent that waits for an outcome", line->intent);
  return FALSE;
}

/**
 * reeve_ledger_batch_add:
 * @self: a batch
 * @state: the state it was reset to
 * @line: a record
 * @seq: (out): the number it gets
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT for an outcome without an open intent
 */
gboolean
reeve_ledger_batch_add (ReeveLedgerBatch *self, const ReeveLedgerState *state,
                        const ReeveLedgerLine *line, guint64 *seq, GError **error)
{
  char digits[24];
  guint8 chain[REEVE_LEDGER_HASH_SIZE];
  guint8 leaf[REEVE_LEDGER_HASH_SIZE];
  guint start = self->bytes->len;
  guint n_digits = 0;
  guint32 length = 0;
  guint32 swapped = 0;

  *seq = self->frontier.size + 1;
  if (!reeve_ledger_batch_add_kind (self, state, line, *seq, error))
    return FALSE;
  n_digits = (guint) g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, *seq);
  length = (guint32) line->text->len + n_digits;
  swapped = GUINT32_TO_BE (length);
  g_byte_array_append (self->bytes, (const guint8 *) &swapped, sizeof swapped);
  g_byte_array_append (self->bytes, (const guint8 *) line->text->str, (guint) line->seq_at);
  g_byte_array_append (self->bytes, (const guint8 *) digits, n_digits);
  g_byte_array_append (self->bytes, (const guint8 *) line->text->str + line->seq_at,
                       (guint) (line->text->len - line->seq_at));
  reeve_ledger_scanner_seal (self->bytes->data + start, length, chain, leaf);
  g_byte_array_append (self->bytes, chain, sizeof chain);
  reeve_ledger_frontier_add (&self->frontier, leaf);
  g_byte_array_append (self->leaves, leaf, sizeof leaf);
  g_array_append_val (self->ends, self->bytes->len);
  return TRUE;
}

/**
 * reeve_ledger_batch_is_empty:
 * @self: a batch
 *
 * Returns: whether there is no record in it
 */
gboolean
reeve_ledger_batch_is_empty (ReeveLedgerBatch *self)
{
  return self->ends->len == 0;
}

/**
 * reeve_ledger_batch_get_bytes:
 * @self: a batch
 * @length: (out): number of bytes
 *
 * Returns: (transfer none): what is to be written to the file
 */
const guint8 *
reeve_ledger_batch_get_bytes (ReeveLedgerBatch *self, gsize *length)
{
  *length = self->bytes->len - REEVE_LEDGER_HASH_SIZE;
  return self->bytes->data + REEVE_LEDGER_HASH_SIZE;
}

/**
 * reeve_ledger_batch_get_leaves:
 * @self: a batch
 * @count: (out): number of records
 *
 * Returns: (transfer none): their leaf hashes, one behind the other
 */
const guint8 *
reeve_ledger_batch_get_leaves (ReeveLedgerBatch *self, guint *count)
{
  *count = self->ends->len;
  return self->leaves->data;
}

/**
 * reeve_ledger_batch_apply:
 * @self: a batch that is durable
 * @state: the state it was reset to
 * @segment: segment it was written to
 *
 * Brings @state and @segment up to the end of the batch.
 */
void
reeve_ledger_batch_apply (ReeveLedgerBatch *self, ReeveLedgerState *state,
                          ReeveLedgerSegment *segment)
{
  guint at = REEVE_LEDGER_HASH_SIZE;
  guint64 start = segment->end;
  GHashTableIter iter;
  gpointer key = NULL;

  for (guint i = 0; i < self->ends->len; i++)
    {
      reeve_ledger_segment_note (segment, start + at - REEVE_LEDGER_HASH_SIZE);
      at = g_array_index (self->ends, guint32, i);
    }
  segment->end = start + at - REEVE_LEDGER_HASH_SIZE;
  state->segment = segment->first;
  state->end = segment->end;
  state->frontier = self->frontier;
  memcpy (state->chain, self->bytes->data + at - REEVE_LEDGER_HASH_SIZE, REEVE_LEDGER_HASH_SIZE);
  for (guint i = 0; i < self->opened->len; i++)
    reeve_ledger_state_open_intent (state, g_array_index (self->opened, guint64, i));
  g_hash_table_iter_init (&iter, self->closed);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    reeve_ledger_state_close_intent (state, GPOINTER_TO_SIZE (key));
}
