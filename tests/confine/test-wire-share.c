/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workers of the wires: whoever asks for much, and whatever waits for one another, the others
 * are served. */
#include "loader/wire-share.h"

#include <gio/gio.h>

typedef struct
{
  GMutex lock;
  GCond changed;
  guint running;
  guint most; /* that ran at once */
  guint done;
  gboolean open; /* jobs may end */
} World;

typedef struct
{
  World *world;
  ReeveWireShare *share; /* (nullable): for what it waits for */
  guint level;
  guint deepest;
  gboolean done;
} Job;

static void
world_setup (World *self, gconstpointer data)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

static void
world_teardown (World *self, gconstpointer data)
{
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

/* %FALSE: it does not come to that; with the lock */
static gboolean
world_wait (World *self, const guint *count, guint wanted)
{
  gint64 last = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  while (*count < wanted)
    if (!g_cond_wait_until (&self->changed, &self->lock, last))
      return FALSE;
  return TRUE;
}

/* Stays until it is let go. */
static void
stay (gpointer data)
{
  World *self = data;

  g_mutex_lock (&self->lock);
  self->running++;
  self->most = MAX (self->most, self->running);
  g_cond_broadcast (&self->changed);
  while (!self->open)
    g_cond_wait (&self->changed, &self->lock);
  self->running--;
  self->done++;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
pass (gpointer data)
{
  World *self = data;

  g_mutex_lock (&self->lock);
  self->done++;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static ReeveWireShare *
share_new (ReeveWireSharePool *pool)
{
  g_autoptr (ReeveHostTime) host_time = reeve_host_time_new ();

  return reeve_wire_share_new (pool, host_time);
}

static void
let_go (World *self, guint wanted)
{
  g_mutex_lock (&self->lock);
  self->open = TRUE;
  g_cond_broadcast (&self->changed);
  g_assert_true (world_wait (self, &self->done, wanted));
  g_mutex_unlock (&self->lock);
}

/* One that asks for much has so many and no more; another one is served meanwhile. */
static void
test_one (World *self, gconstpointer data)
{
  ReeveWireSharePool *pool = reeve_wire_share_pool_new ();
  ReeveWireShare *greedy = share_new (pool);
  ReeveWireShare *other = share_new (pool);

  for (guint i = 0; i < 64; i++)
    reeve_wire_share_push (greedy, 0, stay, self);
  for (guint i = 0; i < 64; i++)
    reeve_wire_share_push (other, 0, pass, self);
  g_mutex_lock (&self->lock);
  g_assert_true (world_wait (self, &self->done, 64));
  g_assert_true (world_wait (self, &self->running, REEVE_WIRE_SHARE_MOST));
  g_assert_cmpuint (self->most, ==, REEVE_WIRE_SHARE_MOST);
  g_mutex_unlock (&self->lock);
  let_go (self, 128);
  g_assert_cmpuint (self->most, ==, REEVE_WIRE_SHARE_MOST);
  reeve_wire_share_unref (greedy);
  reeve_wire_share_unref (other);
  reeve_wire_share_pool_unref (pool);
}

/* However many of them: what a wire has of its own nobody else takes. */
static void
test_many (World *self, gconstpointer data)
{
  ReeveWireSharePool *pool = reeve_wire_share_pool_new ();
  ReeveWireShare *greedy[20] = { NULL };
  ReeveWireShare *other = share_new (pool);
  guint all = REEVE_WIRE_SHARE_COMMON + REEVE_WIRE_SHARE_OWN * G_N_ELEMENTS (greedy);

  for (guint i = 0; i < G_N_ELEMENTS (greedy); i++)
    {
      greedy[i] = share_new (pool);
      for (guint j = 0; j < 64; j++)
        reeve_wire_share_push (greedy[i], 0, stay, self);
    }
  g_mutex_lock (&self->lock);
  g_assert_true (world_wait (self, &self->running, all));
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < 64; i++)
    reeve_wire_share_push (other, 0, pass, self);
  g_mutex_lock (&self->lock);
  g_assert_true (world_wait (self, &self->done, 64));
  g_assert_cmpuint (self->most, ==, all);
  g_mutex_unlock (&self->lock);
  let_go (self, 64 + 64 * G_N_ELEMENTS (greedy));
  for (guint i = 0; i < G_N_ELEMENTS (greedy); i++)
    reeve_wire_share_unref (greedy[i]);
  reeve_wire_share_unref (other);
  reeve_wire_share_pool_unref (pool);
}

/* Asks for one of the next level, and waits for it. */
static void
descend (gpointer data)
{
  Job *self = data;
  Job below = {
    .world = self->world, .share = self->share, .level = self->level + 1, .deepest = self->deepest
  };

  if (self->level < self->deepest)
    reeve_wire_share_push (self->share, below.level, descend, &below);
  g_mutex_lock (&self->world->lock);
  while (self->level < self->deepest && !below.done)
    g_cond_wait (&self->world->changed, &self->world->lock);
  self->done = TRUE;
  self->world->done += self->level == 0;
  g_cond_broadcast (&self->world->changed);
  g_mutex_unlock (&self->world->lock);
}

/* More of them than there are workers, each as deep as can be, of several wires: all end. */
static void
test_deep_and_wide (World *self, gconstpointer data)
{
  ReeveWireSharePool *pool = reeve_wire_share_pool_new ();
  ReeveWireShare *shares[12] = { NULL };
  Job jobs[12][64] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
    shares[i] = share_new (pool);
  for (guint j = 0; j < 64; j++)
    for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
      {
        jobs[i][j]
            = (Job){ .world = self, .share = shares[i], .deepest = REEVE_WIRE_SHARE_LEVELS - 1 };
        reeve_wire_share_push (shares[i], 0, descend, &jobs[i][j]);
      }
  g_mutex_lock (&self->lock);
  g_assert_true (world_wait (self, &self->done, 64 * G_N_ELEMENTS (shares)));
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
    reeve_wire_share_unref (shares[i]);
  reeve_wire_share_pool_unref (pool);
}

/* A wire that goes, and the pool with it, while something is under way. */
static void
test_end (World *self, gconstpointer data)
{
  ReeveWireSharePool *pool = reeve_wire_share_pool_new ();
  ReeveWireShare *share = share_new (pool);

  for (guint i = 0; i < 32; i++)
    reeve_wire_share_push (share, i % REEVE_WIRE_SHARE_LEVELS, stay, self);
  reeve_wire_share_unref (share);
  reeve_wire_share_pool_unref (pool);
  let_go (self, 32);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/wire-share/one", World, NULL, world_setup, test_one, world_teardown);
  g_test_add ("/wire-share/many", World, NULL, world_setup, test_many, world_teardown);
  g_test_add ("/wire-share/deep-and-wide", World, NULL, world_setup, test_deep_and_wide,
              world_teardown);
  g_test_add ("/wire-share/end", World, NULL, world_setup, test_end, world_teardown);
  return g_test_run ();
}
