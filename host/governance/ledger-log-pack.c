/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packing the files of a log that are complete: it takes a third of the room, and nobody who reads
 * sees a difference. The packed file is written aside, read back, and then takes the name of the
 * other at once: whatever happens, one of them is there and whole. What is not whole before is left
 * as it is, for verification to say so. */
#include "ledger-log-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger-file.h"
#include "ledger-pack.h"

/* a smaller file would hardly take less room */
#define REEVE_LEDGER_LOG_PACK_LEAST 4096

/* a file in the making */
typedef struct
{
  ReeveLedgerSegment *segment; /* a copy; becomes that of the packed file */
  guint8 before[REEVE_LEDGER_HASH_SIZE];
  guint8 last[REEVE_LEDGER_HASH_SIZE];
  GByteArray *entries; /* of the block in the making */
  GByteArray *block;
  guint count;
  guint64 packed; /* records in blocks that are written */
  int from;
  int to;
} ReeveLedgerLogPack;

/* ---- writing ---- */

static gboolean
reeve_ledger_log_pack_flush (ReeveLedgerLogPack *pack, ReeveLedgerScanner *scanner, GError **error)
{
  guint64 offset = pack->segment->end;

  g_byte_array_set_size (pack->block, 0);
  if (!reeve_ledger_pack_close (pack->entries, pack->count,
                                reeve_ledger_scanner_get_chain (scanner), pack->block, error)
      || !reeve_ledger_file_write_at (pack->to, pack->block->data, pack->block->len, offset, error))
    return FALSE;
  reeve_ledger_segment_note_block (pack->segment, (guint32) pack->packed, (guint32) offset);
  pack->segment->end += pack->block->len;
  pack->packed += pack->count;
  pack->count = 0;
  g_byte_array_set_size (pack->entries, 0);
  return TRUE;
}

/* All records of the file, looked at. %REEVE_ERROR_CANCELLED when it is to stop. */
static gboolean
reeve_ledger_log_pack_write (ReeveLedgerLogPack *pack, guint64 end, gint *stop, GError **error)
{
  g_autoptr (ReeveLedgerScanner) scanner
      = reeve_ledger_scanner_new (pack->from, 0, end, pack->before);
  guint64 seq = pack->segment->first;
  ReeveLedgerEntry entry;

  for (guint64 i = 0; i < pack->segment->count; i++, seq++)
    {
      if (reeve_ledger_scanner_next (scanner, &entry, error) != REEVE_LEDGER_SCAN_ENTRY)
        {
          if (error != NULL && *error == NULL)
            g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the file ends");
          g_prefix_error (error, "record %" G_GUINT64_FORMAT ": ", seq);
          return FALSE;
        }
      /* the length stands in front of the text */
      g_byte_array_append (pack->entries, (const guint8 *) entry.json - REEVE_LEDGER_SCANNER_PREFIX,
                           (guint) entry.length + REEVE_LEDGER_SCANNER_PREFIX);
      pack->count++;
      if ((seq % REEVE_LEDGER_PACK_WIDTH == 0 || i + 1 == pack->segment->count)
          && !reeve_ledger_log_pack_flush (pack, scanner, error))
        return FALSE;
      if (g_atomic_int_get (stop) != 0)
        {
          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the host stops");
          return FALSE;
        }
    }
  memcpy (pack->last, reeve_ledger_scanner_get_chain (scanner), sizeof pack->last);
  return TRUE;
}

/* Before the only other copy goes: are they all there, and the same? The chain says so. */
static gboolean
reeve_ledger_log_pack_check (ReeveLedgerLogPack *pack, GError **error)
{
  g_autoptr (ReeveLedgerScanner) scanner
      = reeve_ledger_scanner_new (pack->to, 0, pack->segment->end, pack->before);
  ReeveLedgerScan scan = REEVE_LEDGER_SCAN_ENTRY;
  ReeveLedgerEntry entry;
  guint64 count = 0;

  while ((scan = reeve_ledger_scanner_next (scanner, &entry, error)) == REEVE_LEDGER_SCAN_ENTRY)
    count++;
  if (scan == REEVE_LEDGER_SCAN_END && count == pack->segment->count
      && memcmp (reeve_ledger_scanner_get_chain (scanner), pack->last, sizeof pack->last) == 0)
    return TRUE;
  if (error != NULL && *error == NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED, "other records came out");
  g_prefix_error (error, "reading it back: ");
  return FALSE;
}

/* ---- taking the name ---- */

/* (nullable): the file that is packed, as long as it may be; under the mutex */
static ReeveLedgerSegment *
reeve_ledger_log_pack_find (ReeveLedgerLog *self, guint64 first)
{
  if (self->failure != NULL || self->away != 0)
    return NULL;
  for (guint i = 0; i + 1 < self->segments->len; i++)
    {
      ReeveLedgerSegment *segment = g_ptr_array_index (self->segments, i);

      if (segment->first == first)
        return segment->packed ? NULL : segment;
    }
  return NULL;
}

/* From here on it is read packed. */
static void
reeve_ledger_log_pack_adopt (ReeveLedgerLog *self, ReeveLedgerSegment *packed)
{
  ReeveLedgerSegment *segment = NULL;

  g_mutex_lock (&self->mutex);
  segment = reeve_ledger_log_pack_find (self, packed->first);
  if (segment != NULL)
    {
      g_clear_pointer (&segment->offsets, g_array_unref);
      segment->offsets = g_steal_pointer (&packed->offsets);
      segment->starts = g_steal_pointer (&packed->starts);
      segment->end = packed->end;
      segment->packed = TRUE;
    }
  g_mutex_unlock (&self->mutex);
}

/* In its turn to sign: retention drops no file meanwhile, so none that is gone comes back. */
static gboolean
reeve_ledger_log_pack_rename (ReeveLedgerLog *self, ReeveLedgerLogPack *pack, const char *path,
                              GError **error)
{
  gboolean wanted = FALSE;
  gboolean ok = FALSE;

  reeve_ledger_log_take_turn (self);
  g_mutex_lock (&self->mutex);
  wanted = reeve_ledger_log_pack_find (self, pack->segment->first) != NULL;
  g_mutex_unlock (&self->mutex);
  ok = wanted && rename (path, pack->segment->path) == 0;
  if (wanted && !ok)
    reeve_ledger_file_set_error (error, errno, "naming", pack->segment->path);
  if (!wanted)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the file is gone meanwhile");
  if (ok)
    {
      reeve_ledger_segment_remove_index (pack->segment);
      reeve_ledger_log_pack_adopt (self, pack->segment);
      ok = reeve_ledger_file_sync_folder (self->folder, error);
    }
  reeve_ledger_log_give_turn (self);
  return ok;
}

/* ---- one file ---- */

static gboolean
reeve_ledger_log_pack_make (ReeveLedgerLog *self, ReeveLedgerLogPack *pack, gint *stop,
                            GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, REEVE_LEDGER_LOG_NEW_PACK, NULL);
  guint64 end = pack->segment->end;
  gboolean ok = FALSE;

  pack->to = open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (pack->to < 0)
    {
      reeve_ledger_file_set_error (error, errno, "opening", path);
      return FALSE;
    }
  g_clear_pointer (&pack->segment->offsets, g_array_unref);
  pack->segment->end = 0;
  ok = reeve_ledger_log_pack_write (pack, end, stop, error);
  if (ok && fsync (pack->to) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "syncing", path);
      ok = FALSE;
    }
  ok = ok && reeve_ledger_log_pack_check (pack, error)
       && reeve_ledger_log_pack_rename (self, pack, path, error);
  if (!ok)
    (void) g_unlink (path);
  close (pack->to);
  return ok;
}

/* An earlier host has packed it. */
static gboolean
reeve_ledger_log_pack_find_done (ReeveLedgerLog *self, ReeveLedgerSegment *segment, GError **error)
{
  int fd = reeve_ledger_segment_open (segment, error);

  if (fd < 0)
    return FALSE;
  close (fd);
  reeve_ledger_log_pack_adopt (self, segment);
  return TRUE;
}

static gboolean
reeve_ledger_log_pack_one (ReeveLedgerLog *self, const ReeveLedgerSegment *segment,
                           const ReeveLedgerSegment *before, gint *stop, GError **error)
{
  ReeveLedgerLogPack pack = { .from = -1, .to = -1 };
  gboolean ok = FALSE;

  pack.segment = reeve_ledger_segment_copy (segment);
  pack.entries = g_byte_array_new ();
  pack.block = g_byte_array_new ();
  pack.from = open (segment->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (pack.from < 0)
    reeve_ledger_file_set_error (error, errno, "opening", segment->path);
  else if (reeve_ledger_pack_sniff (pack.from, 0))
    ok = reeve_ledger_log_pack_find_done (self, pack.segment, error);
  else
    ok = reeve_ledger_log_read_chain (self, segment, before, pack.before, error)
         && reeve_ledger_log_pack_make (self, &pack, stop, error);
  if (pack.from >= 0)
    close (pack.from);
  g_byte_array_unref (pack.entries);
  g_byte_array_unref (pack.block);
  reeve_ledger_segment_free (pack.segment);
  if (!ok)
    g_prefix_error (error, "packing %s: ", segment->path);
  return ok;
}

/* ---- all of them ---- */

/* (transfer full) (nullable): copies of the first file that may be packed, and of the one before
 * it: a checkpoint covers it, so nothing of it will be cut off */
static ReeveLedgerSegment *
reeve_ledger_log_pack_choose (ReeveLedgerLog *self, ReeveLedgerSegment **before)
{
  ReeveLedgerSegment *copy = NULL;

  g_mutex_lock (&self->mutex);
  for (guint i = 0; copy == NULL && i + 1 < self->segments->len; i++)
    {
      const ReeveLedgerSegment *segment = g_ptr_array_index (self->segments, i);

      if (self->failure != NULL || self->away != 0
          || segment->first + segment->count - 1 > self->signed_size)
        break;
      if (segment->first <= self->unpackable || segment->packed
          || segment->end < REEVE_LEDGER_LOG_PACK_LEAST)
        continue;
      copy = reeve_ledger_segment_copy (segment);
      if (i > 0)
        *before = reeve_ledger_segment_copy (g_ptr_array_index (self->segments, i - 1));
    }
  g_mutex_unlock (&self->mutex);
  return copy;
}

/**
 * reeve_ledger_log_pack:
 * @self: a log
 * @stop: (atomic): not 0: enough
 * @error: return location
 *
 * Packs all files that are complete and covered by a checkpoint, the oldest first. Blocks; no lock
 * is held, and nobody who appends waits.
 *
 * Returns: %FALSE with %REEVE_ERROR_CANCELLED or an error of the disk, and it may be tried again. A
 * file that is damaged is left as it is
 */
gboolean
reeve_ledger_log_pack (ReeveLedgerLog *self, gint *stop, GError **error)
{
  for (;;)
    {
      g_autoptr (ReeveLedgerSegment) before = NULL;
      g_autoptr (ReeveLedgerSegment) segment = reeve_ledger_log_pack_choose (self, &before);
      g_autoptr (GError) local = NULL;

      if (segment == NULL)
        return TRUE;
      if (reeve_ledger_log_pack_one (self, segment, before, stop, &local))
        continue;
      if (local->code != REEVE_ERROR_CORRUPT)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      g_warning ("ledger: %s: verify the ledger", local->message);
      self->unpackable = segment->first;
    }
}
