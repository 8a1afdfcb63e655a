/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host that did not stop cleanly has left in the write-ahead file goes into its segments,
 * before any log is opened.
 *
 * Nothing is believed that does not go on where a segment stands: the chain hash before the records
 * must be the one that the file has there, and of the bytes behind it each must be the same, zero
 * or missing, as a power cut leaves what was not synced. Whatever else stands there is left for
 * recovery to judge. Bytes that are there already are written once more: after a disk that failed
 * the system may hold for clean what never reached it. */
#include "ledger-ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#include "ledger-file.h"
#include "ledger-pack.h"
#include "ledger-root.h"
#include "ledger-segment.h"

/* Does the file @fd stand where @frame goes on? -1 with an error of the disk */
static gint
reeve_ledger_ahead_replay_fits (int fd, const ReeveLedgerAheadFrame *frame, GError **error)
{
  g_autofree guint8 *there = g_malloc (REEVE_LEDGER_HASH_SIZE + frame->length);
  gsize before = REEVE_LEDGER_HASH_SIZE;
  gssize n = 0;

  /* the beginning of a file is never ahead of it */
  if (frame->offset < before || frame->offset > G_MAXUINT32 || reeve_ledger_pack_sniff (fd, 0))
    return 0;
  n = reeve_ledger_file_read_at (fd, there, before + frame->length, frame->offset - before, error);
  if (n < 0)
    return -1;
  if ((gsize) n < before || memcmp (there, frame->chain, before) != 0)
    return 0;
  for (gsize i = before; i < (gsize) n; i++)
    if (there[i] != 0 && there[i] != frame->bytes[i - before])
      return 0;
  return 1;
}

/* @applied: (inout): whether anything was written */
static gboolean
reeve_ledger_ahead_replay_frame (const char *folder, const ReeveLedgerAheadFrame *frame,
                                 gboolean *applied, GError **error)
{
  g_autofree char *scope = g_strndup (frame->scope, frame->scope_length);
  g_autofree char *log = g_build_filename (folder, scope, NULL);
  g_autoptr (ReeveLedgerSegment) segment = reeve_ledger_segment_new (log, frame->first);
  g_autoptr (GError) local = NULL;
  gboolean ok = TRUE;
  gint fits = 0;
  int fd = -1;

  /* a log that has ended is not there, and what is no file is recovery's to say */
  if (reeve_ledger_root_check_scope (scope, NULL))
    fd = reeve_ledger_file_open (segment->path, O_RDWR, 0, &local);
  if (fd < 0 && local != NULL && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_FAILED))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (fd < 0)
    return TRUE;
  fits = reeve_ledger_ahead_replay_fits (fd, frame, error);
  if (fits > 0)
    ok = reeve_ledger_file_write_at (fd, frame->bytes, frame->length, frame->offset, error);
  else
    ok = fits == 0;
  *applied = *applied || fits > 0;
  close (fd);
  return ok;
}

static gboolean
reeve_ledger_ahead_replay_frames (const char *folder, GBytes *bytes, gboolean *applied,
                                  GError **error)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  ReeveLedgerAheadFrame frame = { 0 };
  guint64 round = 0;
  gsize at = 0;
  gsize size = 0;

  /* nothing stands in an empty file, not even a place */
  if (data == NULL)
    return TRUE;
  for (guint64 number = 0; (size = reeve_ledger_ahead_parse (data + at, length - at, &frame)) > 0;
       number++)
    {
      if (number == 0)
        round = frame.round;
      /* what an earlier round has left */
      if (frame.round != round || frame.number != number)
        break;
      if (!reeve_ledger_ahead_replay_frame (folder, &frame, applied, error))
        return FALSE;
      at = reeve_ledger_ahead_go_on (data, length, at + size);
    }
  return TRUE;
}

/* One wait for all segments. */
static gboolean
reeve_ledger_ahead_replay_sync (const char *folder, GError **error)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok = fd >= 0 && syncfs (fd) == 0;

  if (!ok)
    reeve_ledger_file_set_error (error, errno, "syncing", folder);
  if (fd >= 0)
    close (fd);
  return ok;
}

/**
 * reeve_ledger_ahead_replay:
 * @folder: of all logs, locked, none of them open
 * @error: return location
 *
 * Puts into the segments what is in the write-ahead file and not there, durably; then the file is
 * gone. Blocks.
 *
 * Returns: %FALSE with an error of the disk: acknowledged records may be missing, and the file is
 * still there
 */
gboolean
reeve_ledger_ahead_replay (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_AHEAD_FILE, NULL);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) local = NULL;
  gboolean applied = FALSE;

  bytes = reeve_ledger_file_read (path, REEVE_LEDGER_AHEAD_SIZE, &local);
  if (bytes == NULL)
    {
      if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (!reeve_ledger_ahead_replay_frames (folder, bytes, &applied, error)
      || (applied && !reeve_ledger_ahead_replay_sync (folder, error)))
    return FALSE;
  if (g_unlink (path) == 0)
    return reeve_ledger_file_sync_folder (folder, error);
  reeve_ledger_file_set_error (error, errno, "removing", path);
  return FALSE;
}
