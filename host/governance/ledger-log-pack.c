/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packing the files of a log that are complete: it takes a third of the room, and nobody who reads
 * sees a difference. The packed file is written aside, read back, and then takes the name of the
 * other at once: whatever happens, one of them is there and whole.
 *
 * What is packed was looked at before: each record against its chain hash and, where its tile is
 * full, against that, and the file against the one behind it. Where something does not fit, the
 * file stays as it is and the log is closed, as a start does it. */
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
  guint64 tiles; /* full ones of level 0 that are on the disk */
  guint8 tile[REEVE_LEDGER_TILES_SIZE];
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

/* Does the tile say the same of the record? Whoever changes a file can make its chain hashes anew;
 * the tiles are what was signed. */
static gboolean
reeve_ledger_log_pack_compare (ReeveLedgerLogPack *pack, const char *folder, guint64 seq,
                               const ReeveLedgerEntry *entry, GError **error)
{
  guint64 index = (seq - 1) / REEVE_LEDGER_TILES_WIDTH;
  guint n = (guint) ((seq - 1) % REEVE_LEDGER_TILES_WIDTH);
  g_autofree char *name = NULL;
  g_autoptr (GError) local = NULL;

  if (index >= pack->tiles)
    return TRUE;
  if ((n == 0 || seq == pack->segment->first)
      && !reeve_ledger_tiles_read (folder, 0, index, pack->tile, &local))
    {
      /* the log has it, so one that is gone is damage */
      if (local->code == REEVE_ERROR_NOT_FOUND)
        local->code = REEVE_ERROR_CORRUPT;
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (memcmp (pack->tile + (gsize) n * REEVE_LEDGER_HASH_SIZE, entry->leaf, REEVE_LEDGER_HASH_SIZE)
      == 0)
    return TRUE;
  name = reeve_ledger_tiles_name (0, index);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s is of another record", name);
  return FALSE;
}

/* Does the next file go on from the last record of this one? */
static gboolean
reeve_ledger_log_pack_check_next (const ReeveLedgerLogPack *pack, const ReeveLedgerSegment *next,
                                  GError **error)
{
  ReeveLedgerScan scan = REEVE_LEDGER_SCAN_ENTRY;
  ReeveLedgerEntry entry;
  struct stat status = { 0 };
  gboolean ok = FALSE;
  int fd = reeve_ledger_file_open (next->path, O_RDONLY, 0, error);

  if (fd < 0)
    return FALSE;
  if (fstat (fd, &status) == 0)
    {
      g_autoptr (ReeveLedgerScanner) scanner
          = reeve_ledger_scanner_new (fd, 0, (guint64) status.st_size, pack->last);
      gboolean packed = reeve_ledger_pack_sniff (fd, 0);

      scan = reeve_ledger_scanner_next (scanner, &entry, error);
      ok = scan == REEVE_LEDGER_SCAN_ENTRY;
      /* of a packed one the block as a whole */
      while (packed && scan == REEVE_LEDGER_SCAN_ENTRY && entry.offset == 0)
        scan = reeve_ledger_scanner_next (scanner, &entry, error);
      ok = ok && (scan == REEVE_LEDGER_SCAN_ENTRY || scan == REEVE_LEDGER_SCAN_END);
    }
  else
    reeve_ledger_file_set_error (error, errno, "reading", next->path);
  close (fd);
  if (!ok && error != NULL && *error == NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the file ends");
  if (!ok)
    g_prefix_error (error, "record %" G_GUINT64_FORMAT " does not go on from it: ", next->first);
  return ok;
}

/* All records of the file, looked at. %REEVE_ERROR_CANCELLED when it is to stop. */
static gboolean
reeve_ledger_log_pack_write (ReeveLedgerLogPack *pack, const char *folder, guint64 end, gint *stop,
                             GError **error)
{
  g_autoptr (ReeveLedgerScanner) scanner
      = reeve_ledger_scanner_new (pack->from, 0, end, pack->before);
  guint64 seq = pack->segment->first;
  ReeveLedgerEntry entry;

  for (guint64 i = 0; i < pack->segment->count; i++, seq++)
    {
      if (reeve_ledger_scanner_next (scanner, &entry, error) != REEVE_LEDGER_SCAN_ENTRY
          || !reeve_ledger_log_pack_compare (pack, folder, seq, &entry, error))
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
  g_autoptr (GError) local = NULL;
  ReeveLedgerScan scan = REEVE_LEDGER_SCAN_ENTRY;
  ReeveLedgerEntry entry;
  guint64 count = 0;

  reeve_ledger_scanner_leave_leaves (scanner);
  while ((scan = reeve_ledger_scanner_next (scanner, &entry, &local)) == REEVE_LEDGER_SCAN_ENTRY)
    count++;
  if (scan == REEVE_LEDGER_SCAN_END && count == pack->segment->count
      && memcmp (reeve_ledger_scanner_get_chain (scanner), pack->last, sizeof pack->last) == 0)
    return TRUE;
  /* that is no damage of the log: what is packed is still there as it was */
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "reading it back: %s",
               local != NULL ? local->message : "other records came out");
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

/* A new file for what is packed, in place of whatever has its name; -1 with an error. */
static int
reeve_ledger_log_pack_open (ReeveLedgerLog *self, const char *path, GError **error)
{
  int code = g_remove (path) == 0 ? 0 : errno;

  if (code != 0 && code != ENOENT && g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED,
                   "the folder %s is in the way and cannot be removed (%s): remove it by hand",
                   path, g_strerror (code));
      if (!self->blocked)
        g_warning ("ledger: nothing of %s is packed: %s", self->scope,
                   error != NULL ? (*error)->message : path);
      self->blocked = TRUE;
      return -1;
    }
  self->blocked = FALSE;
  return reeve_ledger_file_open (path, O_RDWR | O_CREAT | O_EXCL, 0600, error);
}

static gboolean
reeve_ledger_log_pack_make (ReeveLedgerLog *self, ReeveLedgerLogPack *pack,
                            const ReeveLedgerSegment *next, gint *stop, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, REEVE_LEDGER_LOG_NEW_PACK, NULL);
  guint64 end = pack->segment->end;
  gboolean ok = FALSE;

  pack->to = reeve_ledger_log_pack_open (self, path, error);
  if (pack->to < 0)
    return FALSE;
  reeve_ledger_log_take_turn (self);
  pack->tiles = self->tiles;
  reeve_ledger_log_give_turn (self);
  g_clear_pointer (&pack->segment->offsets, g_array_unref);
  pack->segment->end = 0;
  ok = reeve_ledger_log_pack_write (pack, self->folder, end, stop, error)
       && reeve_ledger_log_pack_check_next (pack, next, error);
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
                           const ReeveLedgerSegment *before, const ReeveLedgerSegment *next,
                           gint *stop, GError **error)
{
  ReeveLedgerLogPack pack = { .from = -1, .to = -1 };
  gboolean ok = FALSE;

  pack.segment = reeve_ledger_segment_copy (segment);
  pack.entries = g_byte_array_new ();
  pack.block = g_byte_array_new ();
  pack.from = reeve_ledger_file_open (segment->path, O_RDONLY, 0, error);
  if (pack.from >= 0 && reeve_ledger_pack_sniff (pack.from, 0))
    ok = reeve_ledger_log_pack_find_done (self, pack.segment, error);
  else if (pack.from >= 0)
    ok = reeve_ledger_log_read_chain (self, segment, before, pack.before, error)
         && reeve_ledger_log_pack_make (self, &pack, next, stop, error);
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

/* (transfer full) (nullable): copies of the first file that may be packed, of the one before it and
 * of the next: a checkpoint covers it, so nothing of it will be cut off */
static ReeveLedgerSegment *
reeve_ledger_log_pack_choose (ReeveLedgerLog *self, ReeveLedgerSegment **before,
                              ReeveLedgerSegment **next)
{
  ReeveLedgerSegment *copy = NULL;

  g_mutex_lock (&self->mutex);
  for (guint i = 0; copy == NULL && i + 1 < self->segments->len; i++)
    {
      const ReeveLedgerSegment *segment = g_ptr_array_index (self->segments, i);

      if (self->failure != NULL || self->away != 0
          || segment->first + segment->count - 1 > self->signed_size)
        break;
      if (segment->packed || segment->end < REEVE_LEDGER_LOG_PACK_LEAST)
        continue;
      copy = reeve_ledger_segment_copy (segment);
      *next = reeve_ledger_segment_copy (g_ptr_array_index (self->segments, i + 1));
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
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT where one is damaged: it stays as it is, and the log is
 * closed; with %REEVE_ERROR_CANCELLED or an error of the disk, and it may be tried again
 */
gboolean
reeve_ledger_log_pack (ReeveLedgerLog *self, gint *stop, GError **error)
{
  for (;;)
    {
      g_autoptr (ReeveLedgerSegment) before = NULL;
      g_autoptr (ReeveLedgerSegment) next = NULL;
      g_autoptr (ReeveLedgerSegment) segment = reeve_ledger_log_pack_choose (self, &before, &next);
      g_autoptr (GError) local = NULL;

      if (segment == NULL)
        return TRUE;
      if (reeve_ledger_log_pack_one (self, segment, before, next, stop, &local))
        continue;
      /* by something else meanwhile: then nothing is known of it */
      if (local->code == REEVE_ERROR_CORRUPT && !reeve_ledger_log_close_damaged (self, local))
        return TRUE;
      if (local->code == REEVE_ERROR_CORRUPT)
        g_prefix_error (&local, "the ledger of %s is damaged: ", self->scope);
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
}
