/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A log and an error of the disk. What was not synced may be cut off again, and the log goes on,
 * when the disk lets it. After a sync that failed nothing is certain: the system may have forgotten
 * what it could not write and call the next sync good. Such a log stays closed until a new start
 * has read it again. */
#include "ledger-log-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "ledger-file.h"

/**
 * reeve_ledger_log_fail:
 * @self: a log
 * @trouble: what has happened
 * @error: how it showed
 *
 * Nothing of the batch stands, and no more of this log until it is cured. The writer thread's.
 */
void
reeve_ledger_log_fail (ReeveLedgerLog *self, ReeveLedgerLogTrouble trouble, const GError *error)
{
  /* records before the batch are not certain in their segment either */
  if (!reeve_ledger_log_close_file (self, NULL))
    trouble = MAX (trouble, REEVE_LEDGER_LOG_UNSYNCED);
  g_mutex_lock (&self->mutex);
  if (self->failure == NULL)
    g_set_error (&self->failure, REEVE_ERROR, REEVE_ERROR_READ_ONLY,
                 "the ledger of %s cannot be written: %s", self->scope, error->message);
  self->trouble = MAX (self->trouble, trouble);
  g_mutex_unlock (&self->mutex);
  reeve_ledger_log_reset_batch (self);
}

/**
 * reeve_ledger_log_close_damaged:
 * @self: a log
 * @why: what was found in its files
 *
 * As when damage is found at the start: nothing more of this log, no checkpoint either. A batch
 * under way comes to its end; what is there may be read.
 *
 * Returns: whether it is closed by this
 */
gboolean
reeve_ledger_log_close_damaged (ReeveLedgerLog *self, const GError *why)
{
  gboolean closed = FALSE;

  g_mutex_lock (&self->mutex);
  closed = self->failure == NULL;
  if (closed)
    {
      g_set_error (&self->failure, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "the ledger of %s is damaged: %s", self->scope, why->message);
      self->trouble = REEVE_LEDGER_LOG_DAMAGED;
    }
  g_mutex_unlock (&self->mutex);
  return closed;
}

/**
 * reeve_ledger_log_get_trouble:
 * @self: a log
 *
 * Returns: what keeps it from being written. Any thread.
 */
ReeveLedgerLogTrouble
reeve_ledger_log_get_trouble (ReeveLedgerLog *self)
{
  ReeveLedgerLogTrouble trouble = REEVE_LEDGER_LOG_WELL;

  g_mutex_lock (&self->mutex);
  trouble = self->trouble;
  g_mutex_unlock (&self->mutex);
  return trouble;
}

/* Cuts off what a failed write may have left behind the last durable record. */
static gboolean
reeve_ledger_log_cut (ReeveLedgerLog *self, ReeveLedgerLogTrouble *trouble, GError **error)
{
  ReeveLedgerSegment *last = reeve_ledger_log_last (self);
  gboolean ok = TRUE;
  int fd = -1;

  /* what is packed is whole */
  if (last == NULL || last->packed)
    return TRUE;
  fd = reeve_ledger_file_open (last->path, O_WRONLY, 0, error);
  if (fd < 0)
    return FALSE;
  if (ftruncate (fd, (off_t) last->end) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "cutting", last->path);
      ok = FALSE;
    }
  else if (fdatasync (fd) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "syncing", last->path);
      *trouble = REEVE_LEDGER_LOG_UNSYNCED;
      ok = FALSE;
    }
  close (fd);
  return ok;
}

/**
 * reeve_ledger_log_cure:
 * @self: a log
 *
 * Opens a log again whose last write did not succeed, if the disk allows it. The writer thread's;
 * the log has no batch.
 *
 * Returns: whether the log may be used now
 */
gboolean
reeve_ledger_log_cure (ReeveLedgerLog *self)
{
  ReeveLedgerLogTrouble trouble = reeve_ledger_log_get_trouble (self);
  g_autofree char *leftover
      = g_build_filename (reeve_ledger_log_get_place (self), REEVE_LEDGER_LOG_NEW_SEGMENT, NULL);
  g_autoptr (GError) error = NULL;

  if (trouble != REEVE_LEDGER_LOG_UNWRITTEN)
    return trouble == REEVE_LEDGER_LOG_WELL;
  (void) g_unlink (leftover);
  /* both places have failed: whichever can be used first is */
  reeve_ledger_log_come_home (self);
  if (!reeve_ledger_log_cut (self, &trouble, &error))
    {
      reeve_ledger_log_fail (self, trouble, error);
      return FALSE;
    }
  g_mutex_lock (&self->mutex);
  g_clear_error (&self->failure);
  self->trouble = REEVE_LEDGER_LOG_WELL;
  g_mutex_unlock (&self->mutex);
  return TRUE;
}
