/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes whatever waits, of all scopes, as one batch: ledger-writer-batch.c.
 *
 * While the disk syncs one batch the next one gathers, so the more wait, the fewer syncs each
 * costs. The caller's thread writes the JSON, the writer's only puts the number in and hashes. */
#include "ledger-writer-private.h"

#include "ledger-record.h"

/* longest batch; bounds how long the first of it waits for the last */
#define REEVE_LEDGER_WRITER_BATCH 8192
/* room for nearly every record; GString makes 512 bytes of it. One of 1 KiB is a large one for
 * malloc(), which tidies up first each time. */
#define REEVE_LEDGER_WRITER_TEXT 480
/* a batch of so many says that they come in numbers: then it pays to wait for a turn's end */
#define REEVE_LEDGER_WRITER_CROWD 4

void
reeve_ledger_writer_job_free (ReeveLedgerWriterJob *job)
{
  g_free (job->scope);
  g_string_free (job->line.text, TRUE);
  g_clear_pointer (&job->port, reeve_ledger_port_unref);
  g_clear_error (&job->error);
  g_free (job);
}

/* ---- the thread ---- */

/* Under the mutex, which it lets go for a moment: nobody waited for the next record soon enough. */
static void
reeve_ledger_writer_doze (ReeveLedgerWriter *self)
{
  self->awake_until = 0;
  g_mutex_unlock (&self->mutex);
  reeve_cpu_latency_release (self->latency);
  g_mutex_lock (&self->mutex);
}

/* Does somebody wait for one of these? Where they are many, the processors are busy anyway. */
static gboolean
reeve_ledger_writer_is_urgent (ReeveLedgerWriter *self, const ReeveLedgerWriterJob *jobs)
{
  while (jobs != NULL && ((jobs->task == NULL && jobs->waiter == NULL) || jobs->may_wait))
    jobs = jobs->next;
  return jobs != NULL && !self->crowded;
}

static void
reeve_ledger_writer_run (ReeveLedgerWriter *self, ReeveLedgerWriterJob *jobs)
{
  gint64 began = g_get_monotonic_time ();
  gboolean urgent = self->latency != NULL && reeve_ledger_writer_is_urgent (self, jobs);

  if (urgent)
    reeve_cpu_latency_enter (self->latency, began);
  else if (self->awake_until != 0 && self->awake_until < began)
    {
      self->awake_until = 0;
      reeve_cpu_latency_release (self->latency);
    }
  reeve_ledger_writer_run_batch (self, jobs);
  if (urgent)
    self->awake_until = reeve_cpu_latency_leave (self->latency, g_get_monotonic_time ());
}

/* Under the mutex: waits until there is something to be written, or to be synced. */
static void
reeve_ledger_writer_await (ReeveLedgerWriter *self)
{
  gboolean early = TRUE;

  while (early && (self->first == NULL || !self->due) && !self->stopping
         && (self->written == NULL || self->waiters == 0))
    {
      self->idle = TRUE;
      if (self->awake_until != 0 && (self->sync_at == 0 || self->awake_until < self->sync_at))
        {
          if (!g_cond_wait_until (&self->cond, &self->mutex, self->awake_until))
            reeve_ledger_writer_doze (self);
        }
      else if (self->sync_at != 0)
        early = g_cond_wait_until (&self->cond, &self->mutex, self->sync_at);
      else
        g_cond_wait (&self->cond, &self->mutex);
    }
  self->idle = FALSE;
  /* whoever waits for an answer waits for the sync */
  self->hurry = self->stopping || self->waiters > 0
                || (self->sync_at != 0 && g_get_monotonic_time () >= self->sync_at);
}

/* Takes up to a batch off the queue; waits for work. Returns %FALSE at the end.
 * @taken: (out): %NULL: what is written is to be synced */
static gboolean
reeve_ledger_writer_take (ReeveLedgerWriter *self, ReeveLedgerWriterJob **taken)
{
  ReeveLedgerWriterJob *jobs = NULL;
  ReeveLedgerWriterJob *last = NULL;

  g_mutex_lock (&self->mutex);
  if (self->written == NULL)
    {
      if (self->through != self->taken && self->waiters > 0)
        g_cond_broadcast (&self->answered);
      self->through = self->taken;
    }
  reeve_ledger_writer_await (self);
  jobs = self->first;
  self->taken += MIN (self->depth, REEVE_LEDGER_WRITER_BATCH);
  self->crowded = self->depth >= REEVE_LEDGER_WRITER_CROWD;
  self->due = self->depth > REEVE_LEDGER_WRITER_BATCH;
  if (self->depth <= REEVE_LEDGER_WRITER_BATCH)
    {
      self->first = self->last = NULL;
      self->depth = 0;
    }
  else
    {
      last = jobs;
      for (guint i = 1; i < REEVE_LEDGER_WRITER_BATCH; i++)
        last = last->next;
      self->first = g_steal_pointer (&last->next);
      self->depth -= REEVE_LEDGER_WRITER_BATCH;
    }
  g_mutex_unlock (&self->mutex);
  *taken = jobs;
  return jobs != NULL || self->written != NULL;
}

static gpointer
reeve_ledger_writer_main (gpointer data)
{
  ReeveLedgerWriter *self = data;
  ReeveLedgerWriterJob *jobs = NULL;

  while (reeve_ledger_writer_take (self, &jobs))
    reeve_ledger_writer_run (self, jobs);
  if (self->latency != NULL)
    reeve_cpu_latency_release (self->latency);
  reeve_ledger_log_settle_all (self->with_file, self->ahead);
  reeve_ledger_ahead_end (self->ahead);
  return NULL;
}

/* ---- callers ---- */

/**
 * reeve_ledger_writer_get_depth:
 * @self: a writer
 *
 * Returns: how many records wait for its thread
 */
guint
reeve_ledger_writer_get_depth (ReeveLedgerWriter *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->depth;
}

/**
 * reeve_ledger_writer_new:
 * @resolve: finds or makes the log of a scope
 * @trouble: told of every write that does not succeed
 * @left: told when a log goes on at the second place
 * @user_data: for all of them
 * @delay: µs: how long a record that may wait is written and not synced
 * @instruments: (nullable): what counts; outlives @self
 * @ahead: (transfer full): write-ahead file of all logs
 * @latency: (nullable): told when somebody waits; nobody else's while @self lives
 *
 * Returns: (transfer full): a writer, whose thread runs
 */
ReeveLedgerWriter *
reeve_ledger_writer_new (ReeveLedgerWriterResolve resolve, ReeveLedgerWriterTrouble trouble,
                         ReeveLedgerWriterLeft left, gpointer user_data, gint64 delay,
                         ReeveInstruments *instruments, ReeveLedgerAhead *ahead,
                         ReeveCpuLatency *latency)
{
  ReeveLedgerWriter *self = g_new0 (ReeveLedgerWriter, 1);

  self->delay = delay;
  self->resolve = resolve;
  self->trouble = trouble;
  self->left = left;
  self->instruments = instruments;
  self->ahead = ahead;
  self->latency = latency;
  self->user_data = user_data;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  g_cond_init (&self->answered);
  self->touched = g_ptr_array_new ();
  self->syncing = g_ptr_array_new ();
  self->with_file = g_ptr_array_new ();
  self->thread = g_thread_new ("reeve-ledger", reeve_ledger_writer_main, self);
  return self;
}

/**
 * reeve_ledger_writer_stop:
 * @self: a writer
 *
 * Writes what is queued, then ends the thread; from now on everything is refused. Blocks.
 * Idempotent.
 */
void
reeve_ledger_writer_stop (ReeveLedgerWriter *self)
{
  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
  if (self->thread != NULL)
    g_thread_join (g_steal_pointer (&self->thread));
}

/**
 * reeve_ledger_writer_free:
 * @self: a writer that nobody uses any more
 */
void
reeve_ledger_writer_free (ReeveLedgerWriter *self)
{
  reeve_ledger_writer_stop (self);
  if (self->kept.length > 0)
    g_warning ("ledger: %u outcomes could not be recorded; the next start says `unknown` of them",
               self->kept.length);
  g_queue_clear_full (&self->kept, (GDestroyNotify) reeve_ledger_writer_job_free);
  g_ptr_array_unref (self->touched);
  g_ptr_array_unref (self->syncing);
  g_ptr_array_unref (self->with_file);
  reeve_ledger_ahead_free (self->ahead);
  g_cond_clear (&self->cond);
  g_cond_clear (&self->answered);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* What waits is to be taken; under the mutex. Returns whether the thread is to be told, which is
 * done without it: it would wake up on the same processor, and wait for the mutex at once. */
static gboolean
reeve_ledger_writer_call (ReeveLedgerWriter *self)
{
  gboolean tell = self->first != NULL && self->idle;

  self->due = self->due || self->first != NULL;
  if (tell)
    self->idle = FALSE;
  return tell;
}

/**
 * reeve_ledger_writer_release:
 * @self: a writer
 *
 * What was held back is to be written. Any thread.
 */
void
reeve_ledger_writer_release (ReeveLedgerWriter *self)
{
  gboolean tell = FALSE;

  g_mutex_lock (&self->mutex);
  tell = reeve_ledger_writer_call (self);
  g_mutex_unlock (&self->mutex);
  if (tell)
    g_cond_signal (&self->cond);
}

/* Not on the writer's thread. What is written and not synced is synced for that. */
void
reeve_ledger_writer_wait (ReeveLedgerWriter *self)
{
  guint64 meant = 0;

  g_mutex_lock (&self->mutex);
  meant = self->pushed;
  self->waiters++;
  if (reeve_ledger_writer_call (self) || (self->through < meant && self->idle))
    g_cond_signal (&self->cond);
  while (self->through < meant)
    g_cond_wait (&self->answered, &self->mutex);
  self->waiters--;
  g_mutex_unlock (&self->mutex);
}

ReeveLedgerWriterJob *
reeve_ledger_writer_job_new (const ReeveLedgerRecord *record, GError **error)
{
  ReeveLedgerWriterJob *job = g_new0 (ReeveLedgerWriterJob, 1);
  ReeveLedgerRecord complete = *record;

  if (complete.time == 0)
    complete.time = g_get_real_time ();
  if (complete.epoch == 0)
    complete.epoch = 1;
  job->scope = g_strdup (record->scope);
  job->line.kind = record->kind;
  job->line.intent = record->intent;
  job->may_wait = record->may_wait && record->kind == REEVE_LEDGER_OUTCOME;
  job->line.text = g_string_sized_new (REEVE_LEDGER_WRITER_TEXT);
  if (reeve_ledger_record_format (&complete, job->line.text, &job->line.seq_at, error)
      && job->line.text->len + 16 <= REEVE_LEDGER_RECORD_MAX_JSON)
    return job;
  if (error != NULL && *error == NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "the record is too long");
  reeve_ledger_writer_job_free (job);
  return NULL;
}

/* Under the mutex. Returns whether the thread is to be told now; else who has pushed tells it. */
static gboolean
reeve_ledger_writer_tell (ReeveLedgerWriter *self, const ReeveLedgerWriterJob *job,
                          ReeveLedgerHeld *held)
{
  /* where there are several, chats overlap, and the writer has time for them before the next */
  if (held != NULL && job->may_wait)
    *held = *held == REEVE_LEDGER_HELD_NOTHING ? REEVE_LEDGER_HELD_OUTCOME
                                               : REEVE_LEDGER_HELD_RECORDS;
  /* the answer goes out first: it does not wait for this one */
  else if (held != NULL && self->crowded)
    *held = REEVE_LEDGER_HELD_RECORDS;
  else
    {
      /* what was held back went with it */
      if (held != NULL)
        *held = REEVE_LEDGER_HELD_NOTHING;
      return reeve_ledger_writer_call (self);
    }
  return FALSE;
}

/* @held: (nullable): set when the thread is not told of it */
static gboolean
reeve_ledger_writer_push (ReeveLedgerWriter *self, ReeveLedgerWriterJob *job, ReeveLedgerHeld *held,
                          GError **error)
{
  guint limit = job->line.kind == REEVE_LEDGER_OUTCOME ? 2 * REEVE_LEDGER_WRITER_QUEUE
                                                       : REEVE_LEDGER_WRITER_QUEUE;
  gboolean stopping = FALSE;
  gboolean tell = FALSE;
  gboolean ok = FALSE;

  g_mutex_lock (&self->mutex);
  stopping = self->stopping;
  ok = self->depth < limit && !stopping;
  if (ok)
    {
      if (self->last != NULL && self->first != NULL)
        self->last->next = job;
      else
        self->first = job;
      self->last = job;
      self->depth++;
      self->pushed++;
      tell = reeve_ledger_writer_tell (self, job, held);
    }
  g_mutex_unlock (&self->mutex);
  if (tell)
    g_cond_signal (&self->cond);
  if (!ok)
    g_set_error_literal (error, REEVE_ERROR, stopping ? REEVE_ERROR_UNAVAILABLE : REEVE_ERROR_BUSY,
                         stopping ? "the ledger is closed"
                                  : "too many records wait for the ledger");
  return ok;
}

/**
 * reeve_ledger_writer_submit:
 * @self: a writer
 * @record: a record; copied
 * @port: (nullable): where the answer goes
 * @task: (nullable): returned there with the sequence number; %NULL when nobody waits
 * @held: (nullable): set when the record is held back, until reeve_ledger_writer_release(), which
 * the caller sees to soon; %NULL: it is not to be
 * @error: return location
 *
 * Queues a record. Any thread; does not block.
 *
 * Returns: %FALSE with %REEVE_ERROR_BUSY, %REEVE_ERROR_INVALID_ARGUMENT or %REEVE_ERROR_TOO_LARGE,
 * and @task is not used
 */
gboolean
reeve_ledger_writer_submit (ReeveLedgerWriter *self, const ReeveLedgerRecord *record,
                            ReeveLedgerPort *port, GTask *task, ReeveLedgerHeld *held,
                            GError **error)
{
  ReeveLedgerWriterJob *job = reeve_ledger_writer_job_new (record, error);

  if (job == NULL)
    return FALSE;
  if (task != NULL)
    {
      job->port = reeve_ledger_port_ref (port);
      job->task = g_object_ref (task);
    }
  if (reeve_ledger_writer_push (self, job, held, error))
    return TRUE;
  g_clear_object (&job->task);
  reeve_ledger_writer_job_free (job);
  return FALSE;
}

/**
 * reeve_ledger_writer_try:
 * @self: a writer
 * @record: a record that nobody waits for
 * @error: return location
 *
 * Queues a record for a log that could not be written: if it can be now, the record stands in it,
 * and what was kept behind it. Any thread; does not block.
 *
 * Returns: %FALSE as reeve_ledger_writer_submit()
 */
gboolean
reeve_ledger_writer_try (ReeveLedgerWriter *self, const ReeveLedgerRecord *record, GError **error)
{
  ReeveLedgerWriterJob *job = reeve_ledger_writer_job_new (record, error);

  if (job == NULL)
    return FALSE;
  job->trial = TRUE;
  if (reeve_ledger_writer_push (self, job, NULL, error))
    return TRUE;
  reeve_ledger_writer_job_free (job);
  return FALSE;
}

/**
 * reeve_ledger_writer_bring_home:
 * @self: a writer
 * @scope: whose log
 *
 * Queues that a log comes home, if it can. Any thread; does not block.
 */
void
reeve_ledger_writer_bring_home (ReeveLedgerWriter *self, const char *scope)
{
  ReeveLedgerWriterJob *job = g_new0 (ReeveLedgerWriterJob, 1);

  job->scope = g_strdup (scope);
  job->home = TRUE;
  job->line.kind = REEVE_LEDGER_EVENT;
  job->line.text = g_string_new (NULL);
  if (!reeve_ledger_writer_push (self, job, NULL, NULL))
    reeve_ledger_writer_job_free (job);
}

/**
 * reeve_ledger_writer_append:
 * @self: a writer
 * @record: a record
 * @error: return location
 *
 * Blocks until the record is durable.
 *
 * Returns: its sequence number, or 0 with an error
 */
guint64
reeve_ledger_writer_append (ReeveLedgerWriter *self, const ReeveLedgerRecord *record,
                            GError **error)
{
  ReeveLedgerWriterWaiter waiter = { 0 };
  ReeveLedgerWriterJob *job = reeve_ledger_writer_job_new (record, error);

  if (job == NULL)
    return 0;
  g_mutex_init (&waiter.mutex);
  g_cond_init (&waiter.cond);
  job->waiter = &waiter;
  job->may_wait = FALSE;
  if (reeve_ledger_writer_push (self, job, NULL, error))
    {
      g_mutex_lock (&waiter.mutex);
      while (!waiter.done)
        g_cond_wait (&waiter.cond, &waiter.mutex);
      g_mutex_unlock (&waiter.mutex);
      if (waiter.error != NULL)
        g_propagate_error (error, waiter.error);
    }
  else
    reeve_ledger_writer_job_free (job);
  g_cond_clear (&waiter.cond);
  g_mutex_clear (&waiter.mutex);
  return waiter.seq;
}
