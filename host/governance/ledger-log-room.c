/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room behind the last record of a log that is written often.
 *
 * A record at the end of a file makes the file longer, and a file system that keeps a journal
 * writes that down at each sync: one more write to wait for, behind whatever else of the system the
 * journal holds at the time. So the end of the file is set ahead, a piece at a time, and the
 * records go where zeros stood. The piece takes no space on the disk before it is written, so a
 * full disk shows where it always did.
 *
 * Only the last file of a log has room, and only while the log is busy: when it has rested for a
 * moment, when another file begins and when the ledger closes, the file ends with its last record
 * again. A host that is killed leaves the zeros to the next start, and to verifiers, who take them
 * for what they are (ledger-scanner.c). */
#include "ledger-log-private.h"

#include <errno.h>
#include <unistd.h>

#include "ledger-file.h"

/* some hundred records: a journal's commit for so many is nothing */
#define REEVE_LEDGER_LOG_ROOM (256 * 1024)
/* a log that is written so often without a rest is busy */
#define REEVE_LEDGER_LOG_ROOM_STREAK 16
#define REEVE_LEDGER_LOG_ROOM_REST   G_TIME_SPAN_SECOND

void
reeve_ledger_log_make_room (ReeveLedgerLog *self, guint64 end)
{
  self->busy_at = g_get_monotonic_time ();
  /* what has no name yet, or lies at the second place, is copied or lost as it is */
  if (self->fresh != NULL || self->away != 0 || ++self->streak < REEVE_LEDGER_LOG_ROOM_STREAK
      || end <= self->room)
    return;
  /* where it cannot be had, the file grows with its records */
  if (ftruncate (self->fd, (off_t) (end + REEVE_LEDGER_LOG_ROOM)) == 0)
    self->room = end + REEVE_LEDGER_LOG_ROOM;
}

gboolean
reeve_ledger_log_cut_room (ReeveLedgerLog *self, gboolean durable, GError **error)
{
  ReeveLedgerSegment *last = reeve_ledger_log_last (self);

  if (self->room == 0 || self->fd < 0 || last == NULL)
    return TRUE;
  if (ftruncate (self->fd, (off_t) last->end) != 0 || (durable && fsync (self->fd) != 0))
    {
      reeve_ledger_file_set_error (error, errno, "cutting", last->path);
      return FALSE;
    }
  self->room = self->streak = 0;
  return TRUE;
}

/**
 * reeve_ledger_log_settle:
 * @self: a log
 * @now: monotonic time
 *
 * Gives its room back, when it has rested for a second. The writer thread's.
 *
 * Returns: whether it has room that it may have to give back later
 */
gboolean
reeve_ledger_log_settle (ReeveLedgerLog *self, gint64 now)
{
  if (self->room == 0)
    return FALSE;
  if (reeve_ledger_log_has_batch (self) || now - self->busy_at < REEVE_LEDGER_LOG_ROOM_REST)
    return TRUE;
  (void) reeve_ledger_log_cut_room (self, FALSE, NULL);
  return FALSE;
}
