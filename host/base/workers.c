/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool of our own because GThreadPool's queue has no end: when jobs come faster than threads
 * finish them, the right answer is to say "busy" at the door, not to grow until the machine stops.
 * Threads are started when work waits for one and none is idle; those beyond the minimum leave
 * again after a while without work. */
#include "workers.h"

#include "crew.h"
#include "log.h"

#include <reeve-error.h>

/* how long a thread beyond the minimum waits for work */
#define REEVE_WORKERS_IDLE (30 * G_TIME_SPAN_SECOND)

typedef struct
{
  ReeveWorkersFunc func;
  gpointer data;
  ReeveLogContext *context; /* (nullable) of the log, where the job was given */
} ReeveWorkersJob;

struct _ReeveWorkers
{
  gatomicrefcount refs;
  char *name;
  guint min_threads;
  guint queue_limit;

  GMutex lock;
  GCond work;   /* a job came, or the shutdown */
  GQueue queue; /* ReeveWorkersJob */
  ReeveCrew crew;
  guint running;
  guint64 completed;
  guint64 refused;
  gboolean closed;
};

typedef struct
{
  GTask *task;
  GTaskThreadFunc func;
} ReeveWorkersTask;

static gpointer reeve_workers_loop (gpointer data);

/**
 * reeve_workers_new:
 * @name: name of the threads, at most 12 bytes show
 * @min_threads: how many stay once they were started
 * @max_threads: how many there are at most
 * @queue: how many jobs may wait for a thread
 *
 * Returns: (transfer full): a pool without threads as yet
 */
ReeveWorkers *
reeve_workers_new (const char *name, guint min_threads, guint max_threads, guint queue)
{
  g_return_val_if_fail (max_threads > 0 && min_threads <= max_threads, NULL);

  ReeveWorkers *self = g_new0 (ReeveWorkers, 1);
  g_atomic_ref_count_init (&self->refs);
  self->name = g_strdup (name);
  self->min_threads = min_threads;
  self->queue_limit = queue;
  g_mutex_init (&self->lock);
  g_cond_init (&self->work);
  reeve_crew_init (&self->crew, self->name, max_threads, reeve_workers_loop, self);
  g_queue_init (&self->queue);
  return self;
}

/**
 * reeve_workers_ref:
 * @self: a pool
 *
 * Returns: (transfer full): @self
 */
ReeveWorkers *
reeve_workers_ref (ReeveWorkers *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_workers_unref:
 * @self: (transfer full): a pool; the last reference shuts it down, so it is never dropped by a job
 */
void
reeve_workers_unref (ReeveWorkers *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  reeve_workers_shutdown (self);
  reeve_crew_clear (&self->crew);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->work);
  g_free (self->name);
  g_free (self);
}

/* Waits for a job; NULL when the thread should leave. Called locked. */
static ReeveWorkersJob *
reeve_workers_next (ReeveWorkers *self)
{
  gint64 until = g_get_monotonic_time () + REEVE_WORKERS_IDLE;

  while (g_queue_is_empty (&self->queue))
    {
      if (self->closed)
        return NULL;
      self->crew.idle++;
      gboolean woken = g_cond_wait_until (&self->work, &self->lock, until);
      self->crew.idle--;
      if (!woken && g_queue_is_empty (&self->queue) && self->crew.threads > self->min_threads)
        return NULL;
      if (!woken)
        until = g_get_monotonic_time () + REEVE_WORKERS_IDLE;
    }
  return g_queue_pop_head (&self->queue);
}

static gpointer
reeve_workers_loop (gpointer data)
{
  ReeveWorkers *self = data;

  g_mutex_lock (&self->lock);
  for (;;)
    {
      g_autofree ReeveWorkersJob *job = reeve_workers_next (self);
      if (job == NULL)
        break;
      self->running++;
      g_mutex_unlock (&self->lock);
      /* what is bound before a job is nothing: leaving takes over the reference */
      reeve_log_leave (job->context);
      job->func (job->data);
      reeve_log_clear_context ();
      g_mutex_lock (&self->lock);
      self->running--;
      self->completed++;
    }
  reeve_crew_leave (&self->crew);
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* Queues a job, or says why not; starts a thread when all are occupied. Called locked. */
static gboolean
reeve_workers_enqueue (ReeveWorkers *self, ReeveWorkersFunc func, gpointer data, GError **error)
{
  guint waiting = g_queue_get_length (&self->queue);

  if (self->closed)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "%s: shutting down", self->name);
      return FALSE;
    }
  /* counted together: a job that a thread is about to take does not wait */
  if (self->running + waiting >= self->crew.most + self->queue_limit)
    {
      self->refused++;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "%s: %u jobs are waiting already",
                   self->name, waiting);
      return FALSE;
    }
  if (!reeve_crew_call (&self->crew, waiting, error))
    return FALSE;
  ReeveWorkersJob *job = g_new (ReeveWorkersJob, 1);
  job->func = func;
  job->data = data;
  job->context = reeve_log_save_context ();
  g_queue_push_tail (&self->queue, job);
  g_cond_signal (&self->work);
  return TRUE;
}

/**
 * reeve_workers_push:
 * @self: a pool
 * @func: what to do, on a thread of the pool
 * @data: for @func, which owns it from then on
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_BUSY when as many jobs as may be are waiting, or with
 *   %REEVE_ERROR_UNAVAILABLE after the shutdown began; @data is the caller's still
 */
gboolean
reeve_workers_push (ReeveWorkers *self, ReeveWorkersFunc func, gpointer data, GError **error)
{
  GPtrArray *gone = NULL;

  g_mutex_lock (&self->lock);
  gboolean done = reeve_workers_enqueue (self, func, data, error);
  if (!self->closed)
    gone = reeve_crew_take_gone (&self->crew);
  g_mutex_unlock (&self->lock);
  reeve_crew_join (gone);
  return done;
}

static void
reeve_workers_task_job (gpointer data)
{
  g_autofree ReeveWorkersTask *job = data;
  g_autoptr (GTask) task = job->task;

  if (!g_task_return_error_if_cancelled (task))
    job->func (task, g_task_get_source_object (task), g_task_get_task_data (task),
               g_task_get_cancellable (task));
}

/**
 * reeve_workers_run_task:
 * @self: a pool
 * @task: (transfer none): what to complete
 * @func: runs on a thread of the pool and ends with a g_task_return function
 *
 * As g_task_run_in_thread(), but in this pool. A task that was cancelled before its turn comes, and
 * one that the pool refuses, return that error.
 */
void
reeve_workers_run_task (ReeveWorkers *self, GTask *task, GTaskThreadFunc func)
{
  g_autofree ReeveWorkersTask *job = g_new (ReeveWorkersTask, 1);
  GError *error = NULL;

  job->task = g_object_ref (task);
  job->func = func;
  if (!reeve_workers_push (self, reeve_workers_task_job, job, &error))
    {
      g_task_return_error (task, error);
      g_object_unref (job->task);
      return;
    }
  g_steal_pointer (&job);
}

/**
 * reeve_workers_shutdown:
 * @self: a pool
 *
 * Takes no more jobs, runs those that wait, and returns when all threads have ended. Not to be
 * called from a job.
 */
void
reeve_workers_shutdown (ReeveWorkers *self)
{
  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  g_cond_broadcast (&self->work);
  GPtrArray *gone = reeve_crew_dismiss (&self->crew, &self->lock);
  g_mutex_unlock (&self->lock);
  reeve_crew_join (gone);
}

/**
 * reeve_workers_get_status:
 * @self: a pool
 * @status: (out): how busy it is
 */
void
reeve_workers_get_status (ReeveWorkers *self, ReeveWorkersStatus *status)
{
  g_mutex_lock (&self->lock);
  status->threads = self->crew.threads;
  status->running = self->running;
  status->depth = g_queue_get_length (&self->queue);
  status->queue_limit = self->queue_limit;
  status->completed = self->completed;
  status->refused = self->refused;
  g_mutex_unlock (&self->lock);
}
