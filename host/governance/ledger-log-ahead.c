/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A log whose batches are durable in the write-ahead file before they are in its segment. */
#include "ledger-log-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ledger-file.h"

/* A file without its name is synced itself, and what lies at the second place goes home alone. */
static gboolean
reeve_ledger_log_add_ahead (ReeveLedgerLog *self, ReeveLedgerAhead *ahead)
{
  ReeveLedgerSegment *last = reeve_ledger_log_last (self);
  ReeveLedgerAheadFrame frame = { .scope = self->scope, .scope_length = strlen (self->scope) };

  if (self->fresh != NULL || self->away != 0 || self->fd < 0 || last == NULL
      || reeve_ledger_batch_is_empty (self->batch))
    return TRUE;
  frame.first = last->first;
  frame.offset = last->end;
  frame.chain = self->state->chain;
  frame.bytes = reeve_ledger_batch_get_bytes (self->batch, &frame.length);
  if (!reeve_ledger_ahead_add (ahead, &frame))
    return FALSE;
  self->ahead = ahead;
  self->sent = TRUE;
  return TRUE;
}

/* Will all of them keep their files? One that is closed is synced then: what it has here would be
 * synced twice. */
static gboolean
reeve_ledger_log_all_stay (GPtrArray *logs, GPtrArray *all, guint most)
{
  guint count = all->len;

  for (guint i = 0; i < logs->len && count <= most; i++)
    count += !g_ptr_array_find (all, g_ptr_array_index (logs, i), NULL);
  return count <= most;
}

/**
 * reeve_ledger_log_send_ahead:
 * @logs: (element-type ReeveLedgerLog): whose batches are written and are to be durable
 * @all: (element-type ReeveLedgerLog): all that have had a file open before
 * @most: so many may have one
 * @ahead: where they may be durable
 *
 * Makes the batches durable at once, where that can be: reeve_ledger_log_finish() then has nothing
 * to wait for. The writer thread's.
 */
void
reeve_ledger_log_send_ahead (GPtrArray *logs, GPtrArray *all, guint most, ReeveLedgerAhead *ahead)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = TRUE;

  if (logs->len == 0 || !reeve_ledger_log_all_stay (logs, all, most)
      || !reeve_ledger_ahead_begin (ahead))
    return;
  for (guint i = 0; ok && i < logs->len; i++)
    ok = reeve_ledger_log_add_ahead (g_ptr_array_index (logs, i), ahead);
  if (ok && !reeve_ledger_ahead_commit (ahead, &error))
    {
      ok = FALSE;
      g_warning ("ledger: %s; logs are synced themselves", error->message);
      /* what stood there is not certain any more; those of the batch are synced next */
      for (guint i = 0; i < all->len; i++)
        if (!g_ptr_array_find (logs, g_ptr_array_index (all, i), NULL))
          reeve_ledger_log_settle (g_ptr_array_index (all, i));
    }
  for (guint i = 0; i < logs->len; i++)
    {
      ReeveLedgerLog *log = g_ptr_array_index (logs, i);

      log->sent = log->sent && ok;
      if (log->sent)
        g_atomic_int_set (&log->owed, TRUE);
    }
}

/* Makes durable in its segment what so far is in the write-ahead file; where that fails, the file
 * is kept for the next start. */
static gboolean
reeve_ledger_log_pay (ReeveLedgerLog *self, GError **error)
{
  gboolean ok = !g_atomic_int_get (&self->owed) || fdatasync (self->fd) == 0;

  if (!ok)
    {
      reeve_ledger_file_set_error (error, errno, "syncing", self->folder);
      reeve_ledger_ahead_keep (self->ahead);
    }
  g_atomic_int_set (&self->owed, FALSE);
  return ok;
}

/**
 * reeve_ledger_log_close_file:
 * @self: a log without a batch under way
 * @error: return location
 *
 * Closes the file; the next batch opens it again. What is durable in the write-ahead file alone is
 * so in this one before, else that is kept for the next start. The writer thread's.
 *
 * Returns: %FALSE with an error where it could not be synced: it is closed, and nothing may be
 * written behind what was in it before the next start has read it
 */
gboolean
reeve_ledger_log_close_file (ReeveLedgerLog *self, GError **error)
{
  gboolean ok = TRUE;

  if (self->fd < 0)
    return TRUE;
  ok = reeve_ledger_log_pay (self, error);
  close (self->fd);
  self->fd = -1;
  return ok;
}

/**
 * reeve_ledger_log_settle:
 * @self: a log
 *
 * Makes durable in its segment what so far is in the write-ahead file. Where that fails the file is
 * kept for the next start, and the log goes on at the second place or not at all. The writer
 * thread's.
 */
void
reeve_ledger_log_settle (ReeveLedgerLog *self)
{
  g_autoptr (GError) error = NULL;

  if (reeve_ledger_log_pay (self, &error))
    return;
  if (reeve_ledger_log_leave (self, REEVE_LEDGER_LOG_UNSYNCED, error))
    return;
  g_warning ("ledger: %s takes nothing more before the next start: %s", self->scope,
             error->message);
  reeve_ledger_log_fail (self, REEVE_LEDGER_LOG_UNSYNCED, error);
}

/**
 * reeve_ledger_log_rest:
 * @self: a log without a batch under way
 *
 * Lets go of the file, and of memory: it was not written lately. The writer thread's.
 */
void
reeve_ledger_log_rest (ReeveLedgerLog *self)
{
  reeve_ledger_log_settle (self);
  (void) reeve_ledger_log_close_file (self, NULL); /* nothing is owed any more */
  g_mutex_lock (&self->mutex);
  reeve_ledger_leaves_drop (self->leaves, G_MAXUINT64);
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_ledger_log_settle_all:
 * @all: (element-type ReeveLedgerLog): all that have a file open
 * @ahead: a write-ahead file
 *
 * Makes all segments durable, so that the file may be used from its beginning, or go. The writer
 * thread's.
 */
void
reeve_ledger_log_settle_all (GPtrArray *all, ReeveLedgerAhead *ahead)
{
  for (guint i = 0; i < all->len; i++)
    if (g_atomic_int_get (&((ReeveLedgerLog *) g_ptr_array_index (all, i))->owed))
      reeve_ledger_log_start_writeback (g_ptr_array_index (all, i));
  for (guint i = 0; i < all->len; i++)
    reeve_ledger_log_settle (g_ptr_array_index (all, i));
  reeve_ledger_ahead_restart (ahead);
}
