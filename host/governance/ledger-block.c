/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lengths alone say where records stand; whoever uses one looks at its text. */
#include "ledger-block.h"

#include <string.h>

#include "base/digests.h"

#include "ledger-record.h"
#include "ledger-scanner.h"

gboolean
reeve_ledger_block_set_corrupt (guint64 seq, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "record %" G_GUINT64_FORMAT " of the ledger is damaged", seq);
  return FALSE;
}

void
reeve_ledger_block_free (ReeveLedgerBlock *self)
{
  g_clear_pointer (&self->entries, g_array_unref);
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  g_free (self);
}

static gboolean
reeve_ledger_block_cut (ReeveLedgerBlock *self, GError **error)
{
  gsize at = REEVE_LEDGER_HASH_SIZE;

  while (at < self->bytes->len)
    {
      const guint8 *data = self->bytes->data + at;
      ReeveLedgerBlockEntry entry = { 0 };
      guint32 length = 0;

      if (self->bytes->len - at < REEVE_LEDGER_SCANNER_OVERHEAD)
        return reeve_ledger_block_set_corrupt (self->first + self->entries->len, error);
      memcpy (&length, data, sizeof length);
      length = GUINT32_FROM_BE (length);
      if (length > REEVE_LEDGER_RECORD_MAX_JSON
          || length > self->bytes->len - at - REEVE_LEDGER_SCANNER_OVERHEAD)
        return reeve_ledger_block_set_corrupt (self->first + self->entries->len, error);
      entry.chain_before = data - REEVE_LEDGER_HASH_SIZE;
      entry.json = (const char *) data + REEVE_LEDGER_SCANNER_PREFIX;
      entry.length = length;
      entry.chain = data + REEVE_LEDGER_SCANNER_PREFIX + length;
      g_array_append_val (self->entries, entry);
      at += length + REEVE_LEDGER_SCANNER_OVERHEAD;
    }
  return TRUE;
}

/**
 * reeve_ledger_block_read:
 * @log: a log
 * @seq: a sequence number
 * @on: are those behind it wanted next? Then there are more of them
 * @error: return location
 *
 * Reads the records around @seq, which is one of them. Blocks.
 *
 * Returns: (transfer full): the records; %NULL as reeve_ledger_log_read_block()
 */
ReeveLedgerBlock *
reeve_ledger_block_read (ReeveLedgerLog *log, guint64 seq, gboolean on, GError **error)
{
  g_autoptr (ReeveLedgerBlock) self = g_new0 (ReeveLedgerBlock, 1);

  self->entries = g_array_new (FALSE, FALSE, sizeof (ReeveLedgerBlockEntry));
  self->bytes = reeve_ledger_log_read_block (log, seq, on, &self->first, error);
  if (self->bytes == NULL || !reeve_ledger_block_cut (self, error))
    return NULL;
  if (seq - self->first >= self->entries->len)
    {
      reeve_ledger_block_set_corrupt (seq, error);
      return NULL;
    }
  return g_steal_pointer (&self);
}

/**
 * reeve_ledger_block_get:
 * @self: a block
 * @seq: sequence number of one of its records
 *
 * Returns: (transfer none): where it stands
 */
const ReeveLedgerBlockEntry *
reeve_ledger_block_get (ReeveLedgerBlock *self, guint64 seq)
{
  return &g_array_index (self->entries, ReeveLedgerBlockEntry, (guint) (seq - self->first));
}

/**
 * reeve_ledger_block_hash:
 * @entry: a record
 * @leaf: (out caller-allocates): its leaf hash in the Merkle tree
 */
void
reeve_ledger_block_hash (const ReeveLedgerBlockEntry *entry, guint8 leaf[REEVE_LEDGER_HASH_SIZE])
{
  g_autoptr (ReeveDigests) digest = reeve_digests_begin ();

  reeve_digests_update (digest, "\0", 1);
  reeve_digests_update (digest, entry->json - REEVE_LEDGER_SCANNER_PREFIX,
                        REEVE_LEDGER_SCANNER_PREFIX + entry->length);
  reeve_digests_finish (digest, leaf);
}

/**
 * reeve_ledger_block_fits:
 * @entry: a record
 *
 * Returns: whether its chain hash is that of what stands there, behind the chain hash before
 */
gboolean
reeve_ledger_block_fits (const ReeveLedgerBlockEntry *entry)
{
  guint8 chain[REEVE_LEDGER_HASH_SIZE];

  /* the chain hash before stands right in front of the length */
  reeve_digests_sha256 (entry->chain_before,
                        REEVE_LEDGER_HASH_SIZE + REEVE_LEDGER_SCANNER_PREFIX + entry->length,
                        chain);
  return memcmp (chain, entry->chain, sizeof chain) == 0;
}
