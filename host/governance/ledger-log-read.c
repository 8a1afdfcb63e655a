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

      /* a file is packed once, and by then it does not grow */
      if (segment->first != loaded->first
          || (segment->offsets != NULL && segment->packed >= loaded->packed))
        continue;
      g_clear_pointer (&segment->offsets, g_array_unref);
      segment->offsets = g_array_copy (loaded->offsets);
      if (loaded->packed)
        {
          g_clear_pointer (&segment->starts, g_array_unref);
          segment->starts = g_array_copy (loaded->starts);
          segment->packed = TRUE;
          segment->end = loaded->end;
        }
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
  if (before == NULL)
    return reeve_ledger_log_read_first_chain (self, segment, chain, error);
  return reeve_ledger_segment_read_last (before, chain, error);
}

/* No such record, or not any more. */
static void
reeve_ledger_log_set_missing (ReeveLedgerLog *self, guint64 seq, GError **error)
{
  guint64 base = reeve_ledger_log_get_base (self);

  if (seq > 0 && seq <= base)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                 "the record is older than what is kept: those from %" G_GUINT64_FORMAT
                 " on are there",
                 base + 1);
  else
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such record");
}

ReeveLedgerSegment *
reeve_ledger_log_open_block (ReeveLedgerLog *self, guint64 seq, ReeveLedgerSegmentBlock *block,
                             guint8 *chain, int *fd, GError **error)
{
  g_autoptr (ReeveLedgerSegment) before = NULL;
  g_autoptr (ReeveLedgerSegment) segment = reeve_ledger_log_find (self, seq, &before);
  gboolean known = FALSE;
  gboolean packed = FALSE;
  gssize n = REEVE_LEDGER_HASH_SIZE;

  if (segment == NULL)
    {
      reeve_ledger_log_set_missing (self, seq, error);
      return NULL;
    }
  known = segment->offsets != NULL;
  packed = segment->packed;
  *fd = reeve_ledger_segment_open (segment, error);
  if (*fd < 0)
    return NULL;
  if (!known || segment->packed != packed)
    reeve_ledger_log_keep_index (self, segment);
  *block = reeve_ledger_segment_locate (segment, seq, FALSE);
  if (block->offset < REEVE_LEDGER_HASH_SIZE)
    n = reeve_ledger_log_read_chain (self, segment, before, chain, error) ? n : -1;
  else
    n = reeve_ledger_file_read_at (*fd, chain, REEVE_LEDGER_HASH_SIZE,
                                   block->offset - REEVE_LEDGER_HASH_SIZE, error);
  if (n == REEVE_LEDGER_HASH_SIZE)
    return g_steal_pointer (&segment);
  if (n >= 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s is shorter than it was",
                 segment->path);
  close (*fd);
  return NULL;
}

/**
 * reeve_ledger_log_read_block:
 * @self: a log
 * @seq: a sequence number
 * @on: are those behind it wanted next?
 * @first: (out): sequence number of the first record in the answer
 * @error: return location
 *
 * Reads the records around @seq: the chain hash before the first, then records as they stand in a
 * file that is not packed. Blocks.
 *
 * Returns: (transfer full): the bytes, or %NULL with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CORRUPT
 * or a file error
 */
GByteArray *
reeve_ledger_log_read_block (ReeveLedgerLog *self, guint64 seq, gboolean on, guint64 *first,
                             GError **error)
{
  ReeveLedgerSegmentBlock where = { 0 };
  guint8 chain[REEVE_LEDGER_HASH_SIZE];
  int fd = -1;
  g_autoptr (ReeveLedgerSegment) segment
      = reeve_ledger_log_open_block (self, seq, &where, chain, &fd, error);
  GByteArray *block = NULL;

  if (segment == NULL)
    return NULL;
  if (on)
    where = reeve_ledger_segment_locate (segment, seq, TRUE);
  block = reeve_ledger_segment_read_block (segment, fd, &where, chain, error);
  close (fd);
  *first = where.first;
  return block;
}
