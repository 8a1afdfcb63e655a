/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a log: any thread, only what is durable. */
#include "ledger-log-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ledger-file.h"

/* Copies of the segment of @seq, and of the end of the one before it; %NULL when there is no such
 * record. */
static ReeveLedgerSegment *
reeve_ledger_log_find (ReeveLedgerLog *self, guint64 seq, ReeveLedgerSegment **before)
{
  ReeveLedgerSegment *copy = NULL;

  g_mutex_lock (&self->mutex);
  for (guint i = self->segments->len; i > 0 && copy == NULL; i--)
    {
      ReeveLedgerSegment *segment = g_ptr_array_index (self->segments, i - 1);

      if (seq < segment->first || seq >= segment->first + segment->count)
        continue;
      copy = reeve_ledger_segment_copy (segment);
      if (i > 1)
        *before = reeve_ledger_segment_copy (g_ptr_array_index (self->segments, i - 2));
    }
  g_mutex_unlock (&self->mutex);
  return copy;
}

/* Keeps an index that a reader has loaded, for the next one. */
static void
reeve_ledger_log_keep_index (ReeveLedgerLog *self, ReeveLedgerSegment *loaded)
{
  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->segments->len; i++)
    {
      ReeveLedgerSegment *segment = g_ptr_array_index (self->segments, i);

      if (segment->first == loaded->first && segment->offsets == NULL)
        segment->offsets = g_array_copy (loaded->offsets);
    }
  g_mutex_unlock (&self->mutex);
}

/* The chain hash before the first file there is: in the base, or nothing but zeros. */
static gboolean
reeve_ledger_log_read_first_chain (ReeveLedgerLog *self, const ReeveLedgerSegment *segment,
                                   guint8 *chain, GError **error)
{
  gboolean ok = segment->first == 1;

  memset (chain, 0, REEVE_LEDGER_HASH_SIZE);
  g_mutex_lock (&self->mutex);
  if (self->base != NULL && self->base->frontier.size + 1 == segment->first)
    {
      memcpy (chain, self->base->chain, REEVE_LEDGER_HASH_SIZE);
      ok = TRUE;
    }
  g_mutex_unlock (&self->mutex);
  /* it was dropped meanwhile */
  if (!ok)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such record");
  return ok;
}

/* The first block of a file has the chain hash before it at the end of the file before. */
gboolean
reeve_ledger_log_read_chain (ReeveLedgerLog *self, const ReeveLedgerSegment *segment,
                             const ReeveLedgerSegment *before, guint8 *chain, GError **error)
{
  gssize n = -1;
  int fd = -1;

  if (before == NULL)
    return reeve_ledger_log_read_first_chain (self, segment, chain, error);
  fd = open (before->path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    {
      reeve_ledger_file_set_error (error, errno, "opening", before->path);
      return FALSE;
    }
  n = reeve_ledger_file_read_at (fd, chain, REEVE_LEDGER_HASH_SIZE,
                                 before->end - REEVE_LEDGER_HASH_SIZE, error);
  close (fd);
  if (n >= 0 && n != REEVE_LEDGER_HASH_SIZE)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s is shorter than it was",
                 before->path);
  return n == REEVE_LEDGER_HASH_SIZE;
}

ReeveLedgerSegment *
reeve_ledger_log_find_loaded (ReeveLedgerLog *self, guint64 seq, ReeveLedgerSegment **before,
                              GError **error)
{
  g_autoptr (ReeveLedgerSegment) segment = reeve_ledger_log_find (self, seq, before);

  if (segment == NULL)
    {
      guint64 base = reeve_ledger_log_get_base (self);

      if (seq > 0 && seq <= base)
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                     "the record is older than what is kept: those from %" G_GUINT64_FORMAT
                     " on are there",
                     base + 1);
      else
        g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such record");
      return NULL;
    }
  if (segment->offsets == NULL)
    {
      if (!reeve_ledger_segment_load_index (segment, error))
        return NULL;
      reeve_ledger_log_keep_index (self, segment);
    }
  return g_steal_pointer (&segment);
}

/**
 * reeve_ledger_log_read_block:
 * @self: a log
 * @seq: a sequence number
 * @first: (out): sequence number of the first record in the answer
 * @error: return location
 *
 * Reads the records around @seq: the chain hash before the first, then records as they stand in the
 * file. Blocks.
 *
 * Returns: (transfer full): the bytes, or %NULL with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CORRUPT
 * or a file error
 */
GByteArray *
reeve_ledger_log_read_block (ReeveLedgerLog *self, guint64 seq, guint64 *first, GError **error)
{
  g_autoptr (ReeveLedgerSegment) before = NULL;
  g_autoptr (ReeveLedgerSegment) segment = reeve_ledger_log_find_loaded (self, seq, &before, error);
  g_autoptr (GByteArray) block = NULL;

  if (segment == NULL)
    return NULL;
  block = reeve_ledger_segment_read_block (segment, seq, first, error);
  if (block == NULL)
    return NULL;
  if (*first == segment->first
      && !reeve_ledger_log_read_chain (self, segment, before, block->data, error))
    return NULL;
  return g_steal_pointer (&block);
}
