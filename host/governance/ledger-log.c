/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One log: <root>/<scope>/ with its segments, its checkpoint and its caches.
 *
 * Two states are kept. What the writer thread has put together but not yet synced, written or not,
 * is its own; what is durable is published under the mutex, and nobody else ever sees more than
 * that: no checkpoint is ahead of the disk. The mutex is
 * never held across I/O. After an error of the disk the log refuses everything until it is cured,
 * which a failed sync never is before the next start (ledger-log-cure.c), unless there is a second
 * place where it goes on (ledger-log-second.c). */
#include "ledger-log-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "ledger-file.h"
#include "ledger-record.h"
#include "ledger-recovery.h"

void
reeve_ledger_log_reset_batch (ReeveLedgerLog *self)
{
  reeve_ledger_batch_reset (self->batch, self->state);
  self->written = 0;
  self->hurried = FALSE;
  self->sent = FALSE;
  g_clear_pointer (&self->fresh, reeve_ledger_segment_free);
}

/**
 * reeve_ledger_log_open:
 * @root: folder of all logs
 * @scope: the scope
 * @key: signing key; must outlive the log
 * @segment_size: size at which a new file is begun
 * @cut: (out): bytes of an incomplete last record that were cut off
 *
 * Opens a log that is there. A damaged log opens too, but refuses all but being asked: see
 * reeve_ledger_log_check().
 *
 * Returns: (transfer full): the log
 */
ReeveLedgerLog *
reeve_ledger_log_open (const char *root, const char *scope, ReeveLedgerKey *key,
                       guint64 segment_size, guint64 *cut)
{
  ReeveLedgerLog *self = g_new0 (ReeveLedgerLog, 1);
  g_autoptr (ReeveLedgerRecovery) found = NULL;
  g_autofree char *leftover = NULL;
  g_autoptr (GError) local = NULL;

  g_mutex_init (&self->mutex);
  g_cond_init (&self->turn);
  self->scope = g_strdup (scope);
  self->folder = g_build_filename (root, scope, NULL);
  self->key = key;
  self->segment_size = segment_size;
  self->fd = -1;
  self->batch = reeve_ledger_batch_new ();
  self->leaves = reeve_ledger_leaves_new ();
  *cut = 0;
  found = reeve_ledger_recovery_run (self->folder, scope, key, &self->failure);
  if (found == NULL)
    {
      g_prefix_error (&self->failure, "the ledger of %s is damaged: ", scope);
      self->trouble = REEVE_LEDGER_LOG_DAMAGED;
      self->segments = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_ledger_segment_free);
      self->state = reeve_ledger_state_new ();
    }
  else
    {
      leftover = g_build_filename (self->folder, REEVE_LEDGER_LOG_NEW_SEGMENT, NULL);
      (void) g_unlink (leftover);
      g_free (leftover);
      leftover = g_build_filename (self->folder, REEVE_LEDGER_LOG_NEW_PACK, NULL);
      (void) g_unlink (leftover);
      self->segments = g_steal_pointer (&found->segments);
      self->state = g_steal_pointer (&found->state);
      self->signed_size = found->checkpoint_size;
      self->signed_by = found->key_id;
      self->tiles = reeve_ledger_tiles_find_end (self->folder, found->checkpoint_size);
      *cut = found->cut;
      self->opening_size = self->state->frontier.size;
      self->base = g_steal_pointer (&found->base);
      if (!reeve_ledger_log_remove_files (self, found->dropped, &local))
        g_warning ("ledger: %s", local->message);
    }
  reeve_ledger_log_reset_batch (self);
  return self;
}

/**
 * reeve_ledger_log_free:
 * @self: a log
 *
 * Closes the file. Signs nothing.
 */
void
reeve_ledger_log_free (ReeveLedgerLog *self)
{
  (void) reeve_ledger_log_close_file (self, NULL);
  g_clear_pointer (&self->fresh, reeve_ledger_segment_free);
  g_ptr_array_unref (self->segments);
  g_free (self->base);
  reeve_ledger_state_free (self->state);
  reeve_ledger_leaves_free (self->leaves);
  g_clear_error (&self->failure);
  reeve_ledger_batch_free (self->batch);
  g_clear_error (&self->left);
  g_clear_pointer (&self->back, reeve_ledger_back_free);
  g_free (self->second);
  g_cond_clear (&self->turn);
  g_mutex_clear (&self->mutex);
  g_free (self->scope);
  g_free (self->folder);
  g_free (self);
}

/**
 * reeve_ledger_log_get_scope:
 * @self: a log
 *
 * Returns: (transfer none): its scope
 */
const char *
reeve_ledger_log_get_scope (ReeveLedgerLog *self)
{
  return self->scope;
}

/**
 * reeve_ledger_log_check:
 * @self: a log
 * @error: return location
 *
 * Returns: %FALSE with the error that keeps the log from being used
 */
gboolean
reeve_ledger_log_check (ReeveLedgerLog *self, GError **error)
{
  gboolean ok = FALSE;

  g_mutex_lock (&self->mutex);
  ok = self->failure == NULL;
  if (!ok && error != NULL)
    *error = g_error_copy (self->failure);
  g_mutex_unlock (&self->mutex);
  return ok;
}

/* ---- the writer thread ---- */

/**
 * reeve_ledger_log_add:
 * @self: a log
 * @line: a record
 * @seq: (out): the number it gets
 * @error: return location
 *
 * Puts a record into the batch that is being made. Nothing is written yet.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT for an outcome without an open intent, or with what
 * keeps the log from being used
 */
gboolean
reeve_ledger_log_add (ReeveLedgerLog *self, const ReeveLedgerLine *line, guint64 *seq,
                      GError **error)
{
  if (!reeve_ledger_log_check (self, error))
    return FALSE;
  if (reeve_ledger_batch_add (self->batch, self->state, line, seq, error))
    return TRUE;
  g_prefix_error (error, "the ledger of %s: ", self->scope);
  return FALSE;
}

ReeveLedgerSegment *
reeve_ledger_log_last (ReeveLedgerLog *self)
{
  return self->segments->len > 0 ? g_ptr_array_index (self->segments, self->segments->len - 1)
                                 : NULL;
}

static void
reeve_ledger_log_set_month (ReeveLedgerLog *self, gint64 time)
{
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_utc (time / G_TIME_SPAN_SECOND);
  g_autoptr (GDateTime) from = NULL;
  g_autoptr (GDateTime) to = NULL;

  self->month_from = 0;
  self->month_to = G_MAXINT64;
  if (now == NULL)
    return;
  from = g_date_time_new_utc (g_date_time_get_year (now), g_date_time_get_month (now), 1, 0, 0, 0);
  to = g_date_time_add_months (from, 1);
  self->month_from = g_date_time_to_unix (from) * G_TIME_SPAN_SECOND;
  if (to != NULL)
    self->month_to = g_date_time_to_unix (to) * G_TIME_SPAN_SECOND;
}

/* Is the last segment large enough, or of another month? Retention drops whole files: one that is
 * never full would never go. */
static gboolean
reeve_ledger_log_is_over (ReeveLedgerLog *self, const ReeveLedgerSegment *last)
{
  gint64 now = g_get_real_time ();
  gint64 begun = 0;

  if (last->packed || last->end >= self->segment_size)
    return TRUE;
  if (self->month_to == 0)
    {
      begun = reeve_ledger_log_read_time (self, last->first, NULL);
      reeve_ledger_log_set_month (self, begun != 0 ? begun : now);
    }
  return now < self->month_from || now >= self->month_to;
}

/* Opens the file this batch goes to: the last segment, or a new one under a name that does not
 * count yet. None is begun behind one that could not be synced. */
static gboolean
reeve_ledger_log_open_file (ReeveLedgerLog *self, ReeveLedgerLogTrouble *trouble, GError **error)
{
  ReeveLedgerSegment *last = reeve_ledger_log_last (self);
  g_autofree char *path = NULL;

  /* away it goes on with files of its own; a batch is in one file */
  if (last != NULL && last->first >= self->away
      && (self->written > 0 || !reeve_ledger_log_is_over (self, last)))
    {
      if (self->fd >= 0)
        return TRUE;
      path = g_strdup (last->path);
      self->fd = reeve_ledger_file_open (path, O_WRONLY, 0, error);
    }
  else
    {
      *trouble = REEVE_LEDGER_LOG_UNSYNCED;
      if (!reeve_ledger_log_close_file (self, error))
        return FALSE;
      *trouble = REEVE_LEDGER_LOG_UNWRITTEN;
      g_clear_pointer (&self->fresh, reeve_ledger_segment_free);
      self->fresh = reeve_ledger_segment_new (reeve_ledger_log_get_place (self),
                                              self->state->frontier.size + 1);
      reeve_ledger_log_set_month (self, g_get_real_time ());
      path = g_build_filename (reeve_ledger_log_get_place (self), REEVE_LEDGER_LOG_NEW_SEGMENT,
                               NULL);
      self->fd = reeve_ledger_file_open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600, error);
    }
  return self->fd >= 0;
}

/* @trouble: what a failure means */
static gboolean
reeve_ledger_log_write_batch (ReeveLedgerLog *self, ReeveLedgerLogTrouble *trouble, GError **error)
{
  ReeveLedgerSegment *last = NULL;
  const guint8 *bytes = NULL;
  gsize length = 0;

  *trouble = REEVE_LEDGER_LOG_UNWRITTEN;
  bytes = reeve_ledger_batch_get_bytes (self->batch, &length);
  if (self->written == length)
    return TRUE;
  if (!reeve_ledger_log_open_file (self, trouble, error))
    return FALSE;
  last = self->fresh != NULL ? self->fresh : reeve_ledger_log_last (self);
  g_assert (last != NULL); /* an open file belongs to a segment */
  if (!reeve_ledger_file_write_at (self->fd, bytes + self->written, length - self->written,
                                   last->end + self->written, error))
    return FALSE;
  self->written = length;
  return TRUE;
}

/**
 * reeve_ledger_log_write:
 * @self: a log with a batch
 * @trouble: (out): what a failure means
 * @error: return location
 *
 * Writes the batch, at the second place where it cannot be written at home; it is not durable yet.
 *
 * Returns: %FALSE with an error; with %REEVE_LEDGER_LOG_UNWRITTEN it may be tried again once there
 * is room, else reeve_ledger_log_fail() must follow
 */
gboolean
reeve_ledger_log_write (ReeveLedgerLog *self, ReeveLedgerLogTrouble *trouble, GError **error)
{
  g_autoptr (GError) local = NULL;

  *trouble = REEVE_LEDGER_LOG_WELL;
  if (reeve_ledger_batch_is_empty (self->batch)
      || reeve_ledger_log_write_batch (self, trouble, &local))
    return TRUE;
  if (reeve_ledger_log_leave (self, *trouble, local))
    {
      ReeveLedgerLogTrouble there = REEVE_LEDGER_LOG_WELL;
      g_autoptr (GError) second = NULL;

      if (reeve_ledger_log_write_batch (self, &there, &second))
        return TRUE;
      reeve_ledger_log_tell (self, second);
      reeve_ledger_log_stay (self, trouble);
    }
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/**
 * reeve_ledger_log_start_writeback:
 * @self: a log whose batch is written
 *
 * Lets the disk begin. With several logs in one batch the syncs that follow then wait for one
 * another's writes at once instead of one after the other.
 */
void
reeve_ledger_log_start_writeback (ReeveLedgerLog *self)
{
  if (self->fd >= 0)
    (void) sync_file_range (self->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* @trouble: what a failure would mean */
static gboolean
reeve_ledger_log_sync (ReeveLedgerLog *self, ReeveLedgerLogTrouble *trouble, GError **error)
{
  g_autofree char *path = NULL;

  if (self->sent)
    return TRUE;
  *trouble = REEVE_LEDGER_LOG_UNSYNCED;
  if (fdatasync (self->fd) != 0)
    {
      if (g_atomic_int_get (&self->owed))
        reeve_ledger_ahead_keep (self->ahead);
      reeve_ledger_file_set_error (error, errno, "syncing", reeve_ledger_log_get_place (self));
      return FALSE;
    }
  g_atomic_int_set (&self->owed, FALSE);
  if (self->fresh == NULL)
    return TRUE;
  path = g_build_filename (reeve_ledger_log_get_place (self), REEVE_LEDGER_LOG_NEW_SEGMENT, NULL);
  if (rename (path, self->fresh->path) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "naming", self->fresh->path);
      *trouble = REEVE_LEDGER_LOG_UNWRITTEN;
      return FALSE;
    }
  return reeve_ledger_file_sync_folder (reeve_ledger_log_get_place (self), error);
}

/* A batch that cannot be made durable at home is written once more, at the second place: nothing of
 * it was acknowledged. Once it may have got a name there it is not taken back: where that sync
 * fails, only a new start knows what there is. */
static gboolean
reeve_ledger_log_sync_somewhere (ReeveLedgerLog *self, ReeveLedgerLogTrouble *trouble,
                                 GError **error)
{
  ReeveLedgerLogTrouble there = REEVE_LEDGER_LOG_WELL;
  g_autoptr (GError) local = NULL;
  g_autoptr (GError) second = NULL;

  if (reeve_ledger_log_sync (self, trouble, &local))
    return TRUE;
  if (!reeve_ledger_log_leave (self, *trouble, local))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (!reeve_ledger_log_write_batch (self, &there, &second))
    {
      reeve_ledger_log_tell (self, second);
      reeve_ledger_log_stay (self, trouble);
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (reeve_ledger_log_sync (self, trouble, error))
    return TRUE;
  *trouble = REEVE_LEDGER_LOG_UNSYNCED;
  return FALSE;
}

/* Makes the batch visible to everybody. */
static void
reeve_ledger_log_publish (ReeveLedgerLog *self)
{
  guint count = 0;
  const guint8 *leaves = reeve_ledger_batch_get_leaves (self->batch, &count);

  g_mutex_lock (&self->mutex);
  if (self->fresh != NULL)
    g_ptr_array_add (self->segments, g_steal_pointer (&self->fresh));
  reeve_ledger_leaves_add (self->leaves, self->state->frontier.size, leaves, count);
  reeve_ledger_batch_apply (self->batch, self->state, reeve_ledger_log_last (self));
  self->told = FALSE;
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_ledger_log_finish:
 * @self: a log whose batch is written
 * @error: return location
 *
 * Makes the batch durable, then visible.
 *
 * Returns: %FALSE with an error; none of the batch may be acknowledged, and the log refuses
 * everything
 */
gboolean
reeve_ledger_log_finish (ReeveLedgerLog *self, GError **error)
{
  ReeveLedgerLogTrouble trouble = REEVE_LEDGER_LOG_WELL;
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveLedgerSegment) sealed = NULL;

  if (reeve_ledger_batch_is_empty (self->batch))
    return TRUE;
  if (!reeve_ledger_log_sync_somewhere (self, &trouble, &local))
    {
      reeve_ledger_log_fail (self, trouble, local);
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  /* a copy: once another is the last, it may be packed */
  if (self->fresh != NULL && self->away == 0 && reeve_ledger_log_last (self) != NULL)
    sealed = reeve_ledger_segment_copy (reeve_ledger_log_last (self));
  reeve_ledger_log_publish (self);
  reeve_ledger_log_reset_batch (self);
  /* a cache: without it the next reader makes the index anew */
  if (sealed != NULL && !reeve_ledger_segment_save_index (sealed, &local))
    g_debug ("%s", local->message);
  return TRUE;
}

/**
 * reeve_ledger_log_has_batch:
 * @self: a log
 *
 * Returns: whether records were added that are not written yet
 */
gboolean
reeve_ledger_log_has_batch (ReeveLedgerLog *self)
{
  return !reeve_ledger_batch_is_empty (self->batch);
}

/**
 * reeve_ledger_log_hurry:
 * @self: a log with a batch
 *
 * Somebody waits for the batch.
 */
void
reeve_ledger_log_hurry (ReeveLedgerLog *self)
{
  self->hurried = TRUE;
}

/**
 * reeve_ledger_log_may_wait:
 * @self: a log whose batch is written
 *
 * Returns: whether the batch may stay as it is, written and not synced: it outlives the process,
 * and more may be added to it. A file without its name would be lost, and what lies at the second
 * place comes home between two batches
 */
gboolean
reeve_ledger_log_may_wait (ReeveLedgerLog *self)
{
  return !self->hurried && self->fresh == NULL && self->away == 0 && self->fd >= 0;
}

/* ---- any thread ---- */

/**
 * reeve_ledger_log_get_size:
 * @self: a log
 *
 * Returns: number of durable records
 */
guint64
reeve_ledger_log_get_size (ReeveLedgerLog *self)
{
  guint64 size = 0;

  g_mutex_lock (&self->mutex);
  size = self->state->frontier.size;
  g_mutex_unlock (&self->mutex);
  return size;
}

/**
 * reeve_ledger_log_get_base:
 * @self: a log
 *
 * Returns: number of the last record that was dropped, 0 where none was
 */
guint64
reeve_ledger_log_get_base (ReeveLedgerLog *self)
{
  guint64 size = 0;

  g_mutex_lock (&self->mutex);
  if (self->base != NULL)
    size = self->base->frontier.size;
  g_mutex_unlock (&self->mutex);
  return size;
}

/**
 * reeve_ledger_log_dup_base:
 * @self: a log
 *
 * Returns: (transfer full) (nullable): what stands before its first record, to be freed with
 * g_free(); %NULL where nothing was dropped
 */
ReeveLedgerBase *
reeve_ledger_log_dup_base (ReeveLedgerLog *self)
{
  ReeveLedgerBase *base = NULL;

  g_mutex_lock (&self->mutex);
  if (self->base != NULL)
    base = g_memdup2 (self->base, sizeof *self->base);
  g_mutex_unlock (&self->mutex);
  return base;
}

/**
 * reeve_ledger_log_get_checkpoint:
 * @self: a log
 * @checkpoint: (out caller-allocates): size and root of what is durable now
 */
void
reeve_ledger_log_get_checkpoint (ReeveLedgerLog *self, ReeveCheckpoint *checkpoint)
{
  g_mutex_lock (&self->mutex);
  checkpoint->size = self->state->frontier.size;
  reeve_ledger_frontier_root (&self->state->frontier, checkpoint->root);
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_ledger_log_get_opening_size:
 * @self: a log
 *
 * Returns: number of records there were when it was opened
 */
guint64
reeve_ledger_log_get_opening_size (ReeveLedgerLog *self)
{
  return self->opening_size;
}

/**
 * reeve_ledger_log_list_open:
 * @self: a log
 *
 * Returns: (transfer full) (element-type guint64): intents without an outcome, ascending
 */
GArray *
reeve_ledger_log_list_open (ReeveLedgerLog *self)
{
  GArray *list = NULL;

  g_mutex_lock (&self->mutex);
  list = reeve_ledger_state_list_open (self->state);
  g_mutex_unlock (&self->mutex);
  return list;
}
