/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a batch, in the writer's thread: each record is numbered and chained, each log
 * written and synced once, everybody answered.
 *
 * A record that may wait is written at once, so that it outlives this process, and synced with the
 * next of its log that may not; a delay bounds how long. Until then it is in no published state and
 * not answered: nobody reads, signs or counts it.
 *
 * Outcomes that cannot be written are kept: their effects have happened. They come first when their
 * log can be written again. */
#include "ledger-writer-private.h"

/* files kept open; an idle log's is closed and opened again when it is needed */
#define REEVE_LEDGER_WRITER_FILES 256
/* outcomes that are kept while they cannot be written; each had an intent that could */
#define REEVE_LEDGER_WRITER_KEPT 65536
/* so many records are written and not synced, of so many logs, and no more */
#define REEVE_LEDGER_WRITER_WRITTEN 256
#define REEVE_LEDGER_WRITER_OPEN    (REEVE_LEDGER_WRITER_FILES / 2)

static ReeveLedgerLog *
reeve_ledger_writer_find (ReeveLedgerWriter *self, ReeveLedgerWriterJob *job)
{
  ReeveLedgerLog *log = self->resolve (job->scope, self->user_data, &job->error);

  if (log != NULL || !g_error_matches (job->error, REEVE_ERROR, REEVE_ERROR_READ_ONLY)
      || !self->trouble (job->error, TRUE, self->user_data))
    return log;
  g_clear_error (&job->error);
  return self->resolve (job->scope, self->user_data, &job->error);
}

/* The record of what came home is the next of its log. */
static void
reeve_ledger_writer_insert_back (ReeveLedgerWriterJob *job, ReeveLedgerLog *log)
{
  g_autoptr (ReeveLedgerBack) back = reeve_ledger_log_take_back (log);
  ReeveLedgerRecord record = { 0 };
  ReeveLedgerWriterJob *event = NULL;

  if (back == NULL)
    return;
  reeve_ledger_log_describe_back (back, &record);
  event = reeve_ledger_writer_job_new (&record, NULL);
  g_return_if_fail (event != NULL);
  event->next = job->next;
  job->next = event;
}

/* Numbers and chains one job. */
static void
reeve_ledger_writer_add (ReeveLedgerWriter *self, ReeveLedgerWriterJob *job)
{
  ReeveLedgerLog *log = reeve_ledger_writer_find (self, job);
  gboolean first = log != NULL && !reeve_ledger_log_has_batch (log);

  if (job->trial && log != NULL)
    (void) reeve_ledger_log_cure (log);
  if (job->home && log != NULL)
    reeve_ledger_log_come_home (log);
  if ((job->trial || job->home) && log != NULL)
    reeve_ledger_writer_insert_back (job, log);
  if (job->home)
    return;

  job->log = log;
  if (log == NULL || !reeve_ledger_log_add (log, &job->line, &job->seq, &job->error))
    return;
  if (first)
    g_ptr_array_add (self->touched, log);
  if (!job->may_wait)
    reeve_ledger_log_hurry (log);
}

/* Closes files of logs that were not written lately. */
static void
reeve_ledger_writer_trim_files (ReeveLedgerWriter *self)
{
  for (guint i = 0; i < self->touched->len; i++)
    {
      ReeveLedgerLog *log = g_ptr_array_index (self->touched, i);

      g_ptr_array_remove (self->with_file, log);
      g_ptr_array_add (self->with_file, log);
    }
  while (self->with_file->len > REEVE_LEDGER_WRITER_FILES)
    {
      reeve_ledger_log_rest (g_ptr_array_index (self->with_file, 0));
      g_ptr_array_remove_index (self->with_file, 0);
    }
}

/* Behind a trial come the outcomes that were kept for its log. */
static void
reeve_ledger_writer_insert_kept (ReeveLedgerWriter *self, ReeveLedgerWriterJob *trial)
{
  ReeveLedgerWriterJob *last = trial;
  GList *next = NULL;

  for (GList *link = self->kept.head; link != NULL; link = next)
    {
      ReeveLedgerWriterJob *job = link->data;

      next = link->next;
      if (g_strcmp0 (job->scope, trial->scope) != 0)
        continue;
      g_queue_delete_link (&self->kept, link);
      job->next = last->next;
      last->next = job;
      last = job;
    }
}

/* Writes a log's part of the batch, with the room that is kept for that if need be. */
static void
reeve_ledger_writer_write (ReeveLedgerWriter *self, ReeveLedgerLog *log)
{
  g_autoptr (GError) error = NULL;
  ReeveLedgerLogTrouble trouble = REEVE_LEDGER_LOG_WELL;
  gboolean written = reeve_ledger_log_write (log, &trouble, &error);

  if (!written && self->trouble (error, FALSE, self->user_data)
      && trouble == REEVE_LEDGER_LOG_UNWRITTEN)
    {
      g_clear_error (&error);
      written = reeve_ledger_log_write (log, &trouble, &error);
    }
  if (!written)
    reeve_ledger_log_fail (log, trouble, error);
}

/* Puts the batch on the disk. A log that fails says so to every job of its own by
 * reeve_ledger_log_check(). */
static void
reeve_ledger_writer_flush (ReeveLedgerWriter *self)
{
  gboolean hurry = self->hurry || self->n_written >= REEVE_LEDGER_WRITER_WRITTEN
                   || self->touched->len >= REEVE_LEDGER_WRITER_OPEN;

  g_ptr_array_set_size (self->syncing, 0);
  if (reeve_ledger_ahead_is_full (self->ahead))
    reeve_ledger_log_settle_all (self->with_file, self->ahead);
  for (guint i = 0; i < self->touched->len; i++)
    {
      ReeveLedgerLog *log = g_ptr_array_index (self->touched, i);

      reeve_ledger_writer_write (self, log);
      if (hurry || !reeve_ledger_log_may_wait (log))
        g_ptr_array_add (self->syncing, log);
    }
  reeve_ledger_log_send_ahead (self->syncing, self->with_file, REEVE_LEDGER_WRITER_FILES,
                               self->ahead);
  for (guint i = 0; self->syncing->len > 1 && i < self->syncing->len; i++)
    reeve_ledger_log_start_writeback (g_ptr_array_index (self->syncing, i));
  for (guint i = 0; i < self->syncing->len; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!reeve_ledger_log_finish (g_ptr_array_index (self->syncing, i), &error))
        (void) self->trouble (error, FALSE, self->user_data);
    }
  for (guint i = 0; i < self->syncing->len; i++)
    {
      ReeveLedgerLog *log = g_ptr_array_index (self->syncing, i);
      g_autoptr (GError) why = reeve_ledger_log_take_left (log);

      if (why != NULL && reeve_ledger_log_get_trouble (log) == REEVE_LEDGER_LOG_WELL)
        self->left (reeve_ledger_log_get_scope (log), reeve_ledger_log_get_away (log), why,
                    self->user_data);
    }
}

static void
reeve_ledger_writer_answer_waiter (ReeveLedgerWriterWaiter *waiter, guint64 seq, GError *error)
{
  g_mutex_lock (&waiter->mutex);
  waiter->seq = seq;
  waiter->error = error;
  waiter->done = TRUE;
  g_cond_signal (&waiter->cond);
  g_mutex_unlock (&waiter->mutex);
}

/* Answers one job; the context it goes to, if any, is noted to be woken. */
static void
reeve_ledger_writer_answer (ReeveLedgerWriterJob *job, GPtrArray *ports)
{
  g_autoptr (GError) error = g_steal_pointer (&job->error);
  guint64 seq = error == NULL ? job->seq : 0;

  if (job->task != NULL)
    {
      reeve_ledger_port_push (job->port, g_steal_pointer (&job->task), seq,
                              g_steal_pointer (&error));
      if (!g_ptr_array_find (ports, job->port, NULL))
        g_ptr_array_add (ports, reeve_ledger_port_ref (job->port));
    }
  else if (job->waiter != NULL)
    reeve_ledger_writer_answer_waiter (g_steal_pointer (&job->waiter), seq,
                                       g_steal_pointer (&error));
  else if (error != NULL && !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY))
    g_warning ("ledger: a record nobody waits for is lost: %s", error->message);
}

/* Keeps an outcome that only the disk refuses. */
static gboolean
reeve_ledger_writer_keep (ReeveLedgerWriter *self, ReeveLedgerWriterJob *job)
{
  if (job->line.kind != REEVE_LEDGER_OUTCOME || job->log == NULL
      || reeve_ledger_log_get_trouble (job->log) != REEVE_LEDGER_LOG_UNWRITTEN
      || self->kept.length >= REEVE_LEDGER_WRITER_KEPT)
    return FALSE;
  job->next = NULL;
  g_queue_push_tail (&self->kept, job);
  return TRUE;
}

/* A job's batch is through: it is answered, and gone unless it is kept. */
static void
reeve_ledger_writer_end (ReeveLedgerWriter *self, ReeveLedgerWriterJob *job, GPtrArray *ports)
{
  gboolean refused = FALSE;

  if (job->error == NULL && !job->home)
    (void) reeve_ledger_log_check (job->log, &job->error);
  refused = !job->home && g_error_matches (job->error, REEVE_ERROR, REEVE_ERROR_READ_ONLY);
  if (job->error == NULL)
    reeve_instruments_note_record (self->instruments, job->line.kind, job->scope,
                                   job->line.text->len);
  reeve_ledger_writer_answer (job, ports);
  if (!refused || !reeve_ledger_writer_keep (self, job))
    reeve_ledger_writer_job_free (job);
}

/* Ends what is through; what waits for a sync, goes on doing so. Returns how many have ended. */
static guint
reeve_ledger_writer_sort (ReeveLedgerWriter *self, ReeveLedgerWriterJob *jobs, GPtrArray *ports)
{
  ReeveLedgerWriterJob *lists[] = { g_steal_pointer (&self->written), jobs };
  ReeveLedgerWriterJob **end = &self->written;
  guint ended = 0;

  self->n_written = 0;
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    while (lists[i] != NULL)
      {
        ReeveLedgerWriterJob *job = lists[i];

        lists[i] = g_steal_pointer (&job->next);
        if (job->log == NULL || job->error != NULL || !reeve_ledger_log_has_batch (job->log))
          {
            reeve_ledger_writer_end (self, job, ports);
            ended++;
            continue;
          }
        *end = job;
        end = &job->next;
        self->n_written++;
      }
  return ended;
}

/* Of the logs that were touched, those stay that wait for their sync. */
static void
reeve_ledger_writer_let_go (ReeveLedgerWriter *self)
{
  for (guint i = self->touched->len; i > 0; i--)
    if (!reeve_ledger_log_has_batch (g_ptr_array_index (self->touched, i - 1)))
      g_ptr_array_remove_index (self->touched, i - 1);
  if (self->touched->len == 0)
    self->sync_at = 0;
  else if (self->sync_at == 0)
    self->sync_at = g_get_monotonic_time () + self->delay;
}

void
reeve_ledger_writer_run_batch (ReeveLedgerWriter *self, ReeveLedgerWriterJob *jobs)
{
  g_autoptr (GPtrArray) ports
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_ledger_port_unref);
  gint64 began = g_get_monotonic_time ();
  guint ended = 0;

  for (ReeveLedgerWriterJob *job = jobs; job != NULL; job = job->next, self->n_written++)
    {
      if (job->trial)
        reeve_ledger_writer_insert_kept (self, job);
      reeve_ledger_writer_add (self, job);
    }
  reeve_ledger_writer_flush (self);
  began = g_get_monotonic_time () - began;
  reeve_ledger_writer_trim_files (self);
  ended = reeve_ledger_writer_sort (self, jobs, ports);
  if (ended > 0)
    reeve_instruments_note_sync (self->instruments, began, ended);
  reeve_ledger_writer_let_go (self);
  for (guint i = 0; i < ports->len; i++)
    reeve_ledger_port_wake (g_ptr_array_index (ports, i));
}
