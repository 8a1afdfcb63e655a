/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A log that goes on at the second place while its folder cannot be written, and comes home.
 *
 * It goes on as itself: the same numbers, the same chain, in segments that lie elsewhere. Whoever
 * reads does not see a difference, and intents and what they reserve are what they always were.
 * Nothing is signed meanwhile, so that a checkpoint covers only what is at home (ledger-second.c).
 */
#include "ledger-log-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "ledger-file.h"

/**
 * reeve_ledger_log_set_second:
 * @self: a log that nobody uses yet
 * @second: (transfer full) (nullable): its folder at the second place
 */
void
reeve_ledger_log_set_second (ReeveLedgerLog *self, char *second)
{
  self->second = second;
}

const char *
reeve_ledger_log_get_place (ReeveLedgerLog *self)
{
  return self->away != 0 ? self->second : self->folder;
}

/* The folder there, empty and durable. */
static gboolean
reeve_ledger_log_make_second (ReeveLedgerLog *self, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (self->second);

  /* what came home before and could not be removed would be taken for what comes now */
  if (g_file_test (self->second, G_FILE_TEST_EXISTS)
      && !reeve_ledger_second_remove (self->second, error))
    return FALSE;
  if (g_mkdir (self->second, 0700) == 0 || errno == EEXIST)
    return reeve_ledger_file_sync_folder (parent, error);
  reeve_ledger_file_set_error (error, errno, "making", self->second);
  return FALSE;
}

void
reeve_ledger_log_tell (ReeveLedgerLog *self, const GError *why)
{
  if (!self->told)
    g_warning ("ledger: the second place of %s: %s", self->scope, why->message);
  self->told = TRUE;
}

gboolean
reeve_ledger_log_leave (ReeveLedgerLog *self, ReeveLedgerLogTrouble trouble, const GError *why)
{
  g_autoptr (GError) error = NULL;

  if (self->second == NULL || self->away != 0)
    return FALSE;
  if (!reeve_ledger_log_make_second (self, &error))
    {
      reeve_ledger_log_tell (self, error);
      return FALSE;
    }
  if (!reeve_ledger_log_close_file (self, NULL))
    trouble = REEVE_LEDGER_LOG_UNSYNCED;
  g_clear_pointer (&self->fresh, reeve_ledger_segment_free);
  /* all of the batch goes there */
  self->written = 0;
  g_clear_error (&self->left);
  self->left = g_error_copy (why);
  g_mutex_lock (&self->mutex);
  self->away = self->state->frontier.size + 1;
  self->home = trouble;
  self->leftover = FALSE;
  g_mutex_unlock (&self->mutex);
  return TRUE;
}

void
reeve_ledger_log_stay (ReeveLedgerLog *self, ReeveLedgerLogTrouble *trouble)
{
  (void) reeve_ledger_log_close_file (self, NULL); /* nothing there is owed */
  *trouble = MAX (*trouble, self->home);
  g_clear_pointer (&self->fresh, reeve_ledger_segment_free);
  self->written = 0;
  g_clear_error (&self->left);
  g_mutex_lock (&self->mutex);
  self->away = 0;
  g_mutex_unlock (&self->mutex);
}

/* Cuts off what a failed write may have left at home. */
static gboolean
reeve_ledger_log_clean_home (ReeveLedgerLog *self, ReeveLedgerSegment *last, GError **error)
{
  g_autofree char *leftover = g_build_filename (self->folder, REEVE_LEDGER_LOG_NEW_SEGMENT, NULL);
  int fd = -1;
  gboolean ok = FALSE;

  (void) g_unlink (leftover);
  if (last == NULL || last->packed)
    return TRUE;
  fd = reeve_ledger_file_open (last->path, O_WRONLY, 0, error);
  if (fd < 0)
    return FALSE;
  if (ftruncate (fd, (off_t) last->end) != 0)
    reeve_ledger_file_set_error (error, errno, "cutting", last->path);
  else if (fdatasync (fd) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "syncing", last->path);
      g_mutex_lock (&self->mutex);
      self->home = REEVE_LEDGER_LOG_UNSYNCED;
      g_mutex_unlock (&self->mutex);
    }
  else
    ok = TRUE;
  close (fd);
  return ok;
}

/* (transfer full): copies of the segments that lie there; @last: (nullable): of the last at home */
static GPtrArray *
reeve_ledger_log_list_away (ReeveLedgerLog *self, ReeveLedgerSegment **last)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_ledger_segment_free);

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->segments->len; i++)
    {
      const ReeveLedgerSegment *segment = g_ptr_array_index (self->segments, i);

      if (segment->first >= self->away)
        g_ptr_array_add (list, reeve_ledger_segment_copy (segment));
      else if (i + 1 == self->segments->len
               || ((ReeveLedgerSegment *) g_ptr_array_index (self->segments, i + 1))->first
                      >= self->away)
        *last = reeve_ledger_segment_copy (segment);
    }
  g_mutex_unlock (&self->mutex);
  return list;
}

static gboolean
reeve_ledger_log_copy_home (ReeveLedgerLog *self, GPtrArray *away, ReeveLedgerSegment *last,
                            GChecksum *digest, GError **error)
{
  if (!reeve_ledger_log_clean_home (self, last, error))
    return FALSE;
  for (guint i = 0; i < away->len; i++)
    {
      const ReeveLedgerSegment *segment = g_ptr_array_index (away, i);

      if (!reeve_ledger_second_copy (segment->path, self->folder, segment->first, segment->end,
                                     digest, error))
        return FALSE;
    }
  return reeve_ledger_second_mark_home (self->folder, self->state->frontier.size, error);
}

/* From here on it is read and written at home. */
static void
reeve_ledger_log_arrive (ReeveLedgerLog *self)
{
  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->segments->len; i++)
    {
      ReeveLedgerSegment *segment = g_ptr_array_index (self->segments, i);
      g_autoptr (ReeveLedgerSegment) there = NULL;
      char *path = NULL;

      if (segment->first < self->away)
        continue;
      there = reeve_ledger_segment_new (self->folder, segment->first);
      path = segment->path;
      segment->path = there->path;
      there->path = path;
    }
  self->away = 0;
  /* not at once: somebody may be about to read there */
  self->leftover = TRUE;
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_ledger_log_come_home:
 * @self: a log without a batch
 *
 * Brings home what lies at the second place, if its folder can be written again; once it is there,
 * removes it from the other. The writer thread's.
 */
void
reeve_ledger_log_come_home (ReeveLedgerLog *self)
{
  g_autoptr (GChecksum) digest = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GPtrArray) away = NULL;
  g_autoptr (ReeveLedgerSegment) last = NULL;
  g_autoptr (GError) error = NULL;

  if (self->away == 0 && self->leftover)
    {
      if (!reeve_ledger_second_remove (self->second, &error))
        g_debug ("%s", error->message);
      g_mutex_lock (&self->mutex);
      self->leftover = FALSE;
      g_mutex_unlock (&self->mutex);
    }
  if (self->away == 0 || self->home != REEVE_LEDGER_LOG_UNWRITTEN
      || reeve_ledger_log_has_batch (self))
    return;
  away = reeve_ledger_log_list_away (self, &last);
  if (!reeve_ledger_log_copy_home (self, away, last, digest, &error))
    {
      g_debug ("ledger: %s stays at the second place: %s", self->scope, error->message);
      return;
    }
  (void) reeve_ledger_log_close_file (self, NULL); /* nothing there is owed */
  g_clear_pointer (&self->back, reeve_ledger_back_free);
  if (away->len > 0)
    {
      self->back = g_new0 (ReeveLedgerBack, 1);
      self->back->scope = g_strdup (self->scope);
      self->back->first = self->away;
      self->back->last = self->state->frontier.size;
      g_strlcpy (self->back->digest, g_checksum_get_string (digest), sizeof self->back->digest);
    }
  reeve_ledger_log_arrive (self);
}

/**
 * reeve_ledger_log_take_left:
 * @self: a log
 *
 * Returns: (transfer full) (nullable): once, why it has gone to the second place. The writer
 * thread's.
 */
GError *
reeve_ledger_log_take_left (ReeveLedgerLog *self)
{
  return g_steal_pointer (&self->left);
}

/**
 * reeve_ledger_log_take_back:
 * @self: a log
 *
 * Returns: (transfer full) (nullable): once, what came home. The writer thread's.
 */
ReeveLedgerBack *
reeve_ledger_log_take_back (ReeveLedgerLog *self)
{
  return g_steal_pointer (&self->back);
}

/**
 * reeve_ledger_back_free:
 * @self: what came home
 */
void
reeve_ledger_back_free (ReeveLedgerBack *self)
{
  g_free (self->scope);
  g_free (self);
}

/**
 * reeve_ledger_log_describe_back:
 * @back: what came home
 * @record: (out caller-allocates): the event that says so; valid as long as @back
 */
void
reeve_ledger_log_describe_back (ReeveLedgerBack *back, ReeveLedgerRecord *record)
{
  g_snprintf (back->reason, sizeof back->reason,
              "records_%" G_GUINT64_FORMAT "_to_%" G_GUINT64_FORMAT, back->first, back->last);
  *record = (ReeveLedgerRecord){ .kind = REEVE_LEDGER_EVENT,
                                 .scope = back->scope,
                                 .action = REEVE_LEDGER_ACTION_RETURNED,
                                 .actor_type = "system",
                                 .resource_type = "ledger",
                                 .resource_id = back->scope,
                                 .output_digest = back->digest,
                                 .reason = back->reason,
                                 .outcome = REEVE_OUTCOME_SUCCEEDED,
                                 .door = "internal" };
}

/**
 * reeve_ledger_log_get_away:
 * @self: a log
 *
 * Returns: number of its first record at the second place; 0: it is at home. Any thread.
 */
guint64
reeve_ledger_log_get_away (ReeveLedgerLog *self)
{
  guint64 away = 0;

  g_mutex_lock (&self->mutex);
  away = self->away;
  g_mutex_unlock (&self->mutex);
  return away;
}

/**
 * reeve_ledger_log_wants_home:
 * @self: a log
 *
 * Returns: whether reeve_ledger_log_come_home() may have something to do. Any thread.
 */
gboolean
reeve_ledger_log_wants_home (ReeveLedgerLog *self)
{
  gboolean wants = FALSE;

  g_mutex_lock (&self->mutex);
  wants = self->leftover || (self->away != 0 && self->home == REEVE_LEDGER_LOG_UNWRITTEN);
  g_mutex_unlock (&self->mutex);
  return wants;
}
