/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unlike in ReeveWorkers a job may be put off: it waits in the queue, not on a thread. Threads are
 * started when work waits for one and none is idle, and leave after a while without work. */
#include "authentication-lane.h"

#include <reeve-error.h>

#include "base/crew.h"

/* how long a thread waits for work */
#define REEVE_AUTHENTICATION_LANE_IDLE (30 * G_TIME_SPAN_SECOND)

struct _ReeveAuthenticationLane
{
  char *name;
  guint limit; /* jobs that wait; as many may be put off besides */

  GMutex lock;   /* guards what follows */
  GCond work;    /* a job came, or the shutdown */
  GQueue ready;  /* jobs */
  GQueue parked; /* jobs, those that are due first before the others */
  ReeveCrew crew;
  gboolean closed;
};

static gpointer reeve_authentication_lane_loop (gpointer data);

/**
 * reeve_authentication_lane_new:
 * @name: of the threads
 * @threads: how many there are at most
 * @limit: how many jobs may wait, and as many besides that were put off
 *
 * Returns: (transfer full): a lane without threads as yet
 */
ReeveAuthenticationLane *
reeve_authentication_lane_new (const char *name, guint threads, guint limit)
{
  ReeveAuthenticationLane *self = g_new0 (ReeveAuthenticationLane, 1);

  self->name = g_strdup (name);
  self->limit = limit;
  g_mutex_init (&self->lock);
  g_cond_init (&self->work);
  reeve_crew_init (&self->crew, self->name, threads, reeve_authentication_lane_loop, self);
  g_queue_init (&self->ready);
  g_queue_init (&self->parked);
  return self;
}

/**
 * reeve_authentication_lane_free:
 * @self: (transfer full): a lane; one that still has threads is shut down
 */
void
reeve_authentication_lane_free (ReeveAuthenticationLane *self)
{
  reeve_authentication_lane_shutdown (self);
  reeve_crew_clear (&self->crew);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->work);
  g_free (self->name);
  g_free (self);
}

/* ---- under the lock ---- */

static void
reeve_authentication_lane_wake_parked (ReeveAuthenticationLane *self, gint64 now)
{
  ReeveAuthenticationLaneJob *job = NULL;

  while ((job = g_queue_peek_head (&self->parked)) != NULL && (self->closed || job->due <= now))
    g_queue_push_tail (&self->ready, g_queue_pop_head (&self->parked));
}

/* (nullable): a job that is due; NULL: the thread is to leave */
static ReeveAuthenticationLaneJob *
reeve_authentication_lane_next (ReeveAuthenticationLane *self)
{
  gint64 idle_until = g_get_monotonic_time () + REEVE_AUTHENTICATION_LANE_IDLE;

  for (;;)
    {
      gint64 now = g_get_monotonic_time ();
      ReeveAuthenticationLaneJob *parked = NULL;
      gint64 until = idle_until;

      reeve_authentication_lane_wake_parked (self, now);
      if (!g_queue_is_empty (&self->ready))
        return g_queue_pop_head (&self->ready);
      parked = g_queue_peek_head (&self->parked);
      /* somebody has to be there when it is due */
      if (self->closed || (parked == NULL && now >= idle_until))
        return NULL;
      if (parked != NULL)
        until = parked->due;
      self->crew.idle++;
      g_cond_wait_until (&self->work, &self->lock, until);
      self->crew.idle--;
    }
}

static gpointer
reeve_authentication_lane_loop (gpointer data)
{
  ReeveAuthenticationLane *self = data;
  ReeveAuthenticationLaneJob *job = NULL;

  g_mutex_lock (&self->lock);
  while ((job = reeve_authentication_lane_next (self)) != NULL)
    {
      gboolean closed = self->closed;

      g_mutex_unlock (&self->lock);
      job->run (job, closed);
      g_mutex_lock (&self->lock);
    }
  reeve_crew_leave (&self->crew);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static gint
reeve_authentication_lane_compare (gconstpointer a, gconstpointer b, gpointer data)
{
  gint64 one = ((const ReeveAuthenticationLaneJob *) a)->due;
  gint64 other = ((const ReeveAuthenticationLaneJob *) b)->due;

  return (one > other) - (one < other);
}

static gboolean
reeve_authentication_lane_enqueue (ReeveAuthenticationLane *self, ReeveAuthenticationLaneJob *job,
                                   GError **error)
{
  guint waiting = g_queue_get_length (&self->ready) + g_queue_get_length (&self->parked);
  /* those that were put off leave room for those that can be answered */
  gboolean full = job->due == 0 ? g_queue_get_length (&self->ready) >= self->limit
                                : g_queue_get_length (&self->parked) >= self->limit;

  if (self->closed)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "%s: shutting down", self->name);
      return FALSE;
    }
  if (full)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "%s: %u are waiting to be let in already",
                   self->name, waiting);
      return FALSE;
    }
  if (!reeve_crew_call (&self->crew, waiting, error))
    return FALSE;
  if (job->due == 0)
    g_queue_push_tail (&self->ready, job);
  else
    g_queue_insert_sorted (&self->parked, job, reeve_authentication_lane_compare, NULL);
  g_cond_signal (&self->work);
  return TRUE;
}

/**
 * reeve_authentication_lane_push:
 * @self: a lane
 * @job: what to run, when it is due
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_BUSY or, after the shutdown began, %REEVE_ERROR_UNAVAILABLE
 */
gboolean
reeve_authentication_lane_push (ReeveAuthenticationLane *self, ReeveAuthenticationLaneJob *job,
                                GError **error)
{
  GPtrArray *gone = NULL;
  gboolean done = FALSE;

  g_mutex_lock (&self->lock);
  done = reeve_authentication_lane_enqueue (self, job, error);
  if (!self->closed)
    gone = reeve_crew_take_gone (&self->crew);
  g_mutex_unlock (&self->lock);
  reeve_crew_join (gone);
  return done;
}

/**
 * reeve_authentication_lane_shutdown:
 * @self: a lane
 *
 * Runs what waits, told that the lane is closed, and returns when all threads have ended.
 */
void
reeve_authentication_lane_shutdown (ReeveAuthenticationLane *self)
{
  GPtrArray *gone = NULL;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  g_cond_broadcast (&self->work);
  gone = reeve_crew_dismiss (&self->crew, &self->lock);
  g_mutex_unlock (&self->lock);
  reeve_crew_join (gone);
}
