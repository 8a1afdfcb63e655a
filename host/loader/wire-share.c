/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A worker that becomes free goes to the next share that waits, in turn: each is given one, and
 * then stands behind the others. Threads are those of a pool without a bound: the bounds are
 * counted here. */
#include "wire-share.h"

typedef struct
{
  GQueue jobs;
  guint own;      /* workers that it has of its own */
  guint borrowed; /* that it has besides */
  gboolean waits; /* in the pool's line */
} ReeveWireShareLane;

struct _ReeveWireShare
{
  gatomicrefcount refs;
  ReeveWireSharePool *pool;
  ReeveHostTime *host_time;
  ReeveWireShareLane lanes[REEVE_WIRE_SHARE_LEVELS]; /* with the pool's lock */
};

struct _ReeveWireSharePool
{
  gatomicrefcount refs;
  GThreadPool *threads;
  GMutex lock;
  guint borrowed[REEVE_WIRE_SHARE_LEVELS]; /* with lock: of all shares */
  GQueue lines[REEVE_WIRE_SHARE_LEVELS];   /* with lock: shares that would have more */
};

typedef struct
{
  ReeveWireShare *share;
  guint level;
  gboolean borrowed;
  void (*func) (gpointer data);
  gpointer data;
} ReeveWireShareJob;

static ReeveWireShare *
reeve_wire_share_ref (ReeveWireShare *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/* ---- who is served; under the lock ---- */

static gboolean
reeve_wire_share_may_borrow (ReeveWireShare *self, guint level)
{
  return self->lanes[level].borrowed < REEVE_WIRE_SHARE_MOST - REEVE_WIRE_SHARE_OWN
         && self->pool->borrowed[level] < REEVE_WIRE_SHARE_COMMON;
}

static void
reeve_wire_share_start (ReeveWireShare *self, guint level, gboolean borrowed)
{
  ReeveWireShareLane *lane = &self->lanes[level];
  ReeveWireShareJob *job = g_queue_pop_head (&lane->jobs);

  job->borrowed = borrowed;
  lane->own += !borrowed;
  lane->borrowed += borrowed;
  self->pool->borrowed[level] += borrowed;
  g_thread_pool_push (self->pool->threads, job, NULL);
}

/* With its own workers; for what is left it stands in line. */
static void
reeve_wire_share_serve (ReeveWireShare *self, guint level)
{
  ReeveWireShareLane *lane = &self->lanes[level];

  while (lane->own < REEVE_WIRE_SHARE_OWN && !g_queue_is_empty (&lane->jobs))
    reeve_wire_share_start (self, level, FALSE);
  if (g_queue_is_empty (&lane->jobs) || lane->waits)
    return;
  lane->waits = TRUE;
  g_queue_push_tail (&self->pool->lines[level], reeve_wire_share_ref (self));
}

/* (transfer full) (nullable): the next in line that may have one; those who have enough leave it */
static ReeveWireShare *
reeve_wire_share_take_turn (ReeveWireSharePool *pool, guint level, GPtrArray *left)
{
  ReeveWireShare *next = NULL;

  while (pool->borrowed[level] < REEVE_WIRE_SHARE_COMMON
         && (next = g_queue_pop_head (&pool->lines[level])) != NULL)
    {
      next->lanes[level].waits = FALSE;
      if (!g_queue_is_empty (&next->lanes[level].jobs) && reeve_wire_share_may_borrow (next, level))
        return next;
      /* what it has ends, and it comes again */
      g_ptr_array_add (left, next);
    }
  return NULL;
}

/* @left: to be let go without the lock */
static void
reeve_wire_share_serve_line (ReeveWireSharePool *pool, guint level, GPtrArray *left)
{
  ReeveWireShare *next = NULL;

  while ((next = reeve_wire_share_take_turn (pool, level, left)) != NULL)
    {
      reeve_wire_share_start (next, level, TRUE);
      reeve_wire_share_serve (next, level);
      g_ptr_array_add (left, next);
    }
}

/* ---- one job ---- */

static void
reeve_wire_share_finish (ReeveWireShareJob *job)
{
  ReeveWireShare *self = job->share;
  ReeveWireSharePool *pool = self->pool;
  ReeveWireShareLane *lane = &self->lanes[job->level];
  g_autoptr (GPtrArray) left
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_wire_share_unref);

  g_mutex_lock (&pool->lock);
  lane->own -= !job->borrowed;
  lane->borrowed -= job->borrowed;
  pool->borrowed[job->level] -= job->borrowed;
  reeve_wire_share_serve (self, job->level);
  reeve_wire_share_serve_line (pool, job->level, left);
  g_mutex_unlock (&pool->lock);
}

static void
reeve_wire_share_work (gpointer data, gpointer user_data)
{
  ReeveWireShareJob *job = data;
  gint64 begun = reeve_host_time_begin ();

  job->func (job->data);
  reeve_wire_share_finish (job);
  reeve_host_time_add (job->share->host_time, begun);
  reeve_wire_share_unref (job->share);
  g_free (job);
}

/**
 * reeve_wire_share_push:
 * @self: a share
 * @level: 0 to %REEVE_WIRE_SHARE_LEVELS - 1; @func may wait for jobs of deeper ones
 * @func: called once, on a worker
 * @data: for @func
 */
void
reeve_wire_share_push (ReeveWireShare *self, guint level, void (*func) (gpointer data),
                       gpointer data)
{
  ReeveWireShareJob *job = g_new0 (ReeveWireShareJob, 1);
  g_autoptr (GPtrArray) left
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_wire_share_unref);

  job->share = reeve_wire_share_ref (self);
  job->level = MIN (level, REEVE_WIRE_SHARE_LEVELS - 1);
  job->func = func;
  job->data = data;
  g_mutex_lock (&self->pool->lock);
  g_queue_push_tail (&self->lanes[job->level].jobs, job);
  level = job->level;
  reeve_wire_share_serve (self, level);
  reeve_wire_share_serve_line (self->pool, level, left);
  g_mutex_unlock (&self->pool->lock);
}

/* ---- life ---- */

ReeveWireSharePool *
reeve_wire_share_pool_new (void)
{
  ReeveWireSharePool *self = g_new0 (ReeveWireSharePool, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  for (guint i = 0; i < REEVE_WIRE_SHARE_LEVELS; i++)
    g_queue_init (&self->lines[i]);
  self->threads = g_thread_pool_new (reeve_wire_share_work, NULL, -1, FALSE, NULL);
  return self;
}

void
reeve_wire_share_pool_unref (ReeveWireSharePool *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  /* one of them may be where this is said: it goes when its work is done */
  g_thread_pool_free (self->threads, FALSE, FALSE);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * reeve_wire_share_new:
 * @pool: the workers of all
 * @host_time: of the runner whose jobs they are
 *
 * Returns: (transfer full): a share in them
 */
ReeveWireShare *
reeve_wire_share_new (ReeveWireSharePool *pool, ReeveHostTime *host_time)
{
  ReeveWireShare *self = g_new0 (ReeveWireShare, 1);

  g_atomic_ref_count_init (&self->refs);
  g_atomic_ref_count_inc (&pool->refs);
  self->pool = pool;
  self->host_time = reeve_host_time_ref (host_time);
  for (guint i = 0; i < REEVE_WIRE_SHARE_LEVELS; i++)
    g_queue_init (&self->lanes[i].jobs);
  return self;
}

void
reeve_wire_share_unref (ReeveWireShare *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  reeve_wire_share_pool_unref (self->pool);
  reeve_host_time_unref (self->host_time);
  g_free (self);
}
