/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CLOCK_THREAD_CPUTIME_ID (clock_gettime(2)): a thread that waits for a lock or for a disk uses
 * nothing. What other threads do for it meanwhile, as the one that writes the ledger for all, is
 * not counted: that is shared by whoever writes then. */
#include "host-time.h"

#include <time.h>

struct _ReeveHostTime
{
  gatomicrefcount references;
  gint64 used; /* atomic: nanoseconds */
  gint64 free; /* atomic: since when it is not held; %G_MAXINT64: it is */
};

ReeveHostTime *
reeve_host_time_new (void)
{
  ReeveHostTime *self = g_new0 (ReeveHostTime, 1);

  g_atomic_ref_count_init (&self->references);
  return self;
}

ReeveHostTime *
reeve_host_time_ref (ReeveHostTime *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_host_time_unref (ReeveHostTime *self)
{
  if (g_atomic_ref_count_dec (&self->references))
    g_free (self);
}

gint64
reeve_host_time_begin (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64) now.tv_sec * 1000 * 1000 * 1000 + now.tv_nsec;
}

gint64
reeve_host_time_add (ReeveHostTime *self, gint64 begun)
{
  gint64 now = reeve_host_time_begin ();

  __atomic_fetch_add (&self->used, now - begun, __ATOMIC_RELAXED);
  return now;
}

gint64
reeve_host_time_get_used (ReeveHostTime *self)
{
  return __atomic_load_n (&self->used, __ATOMIC_RELAXED) / 1000;
}

void
reeve_host_time_set_held (ReeveHostTime *self, gboolean held)
{
  gint64 free_since = held ? G_MAXINT64 : g_get_monotonic_time ();

  __atomic_store_n (&self->free, free_since, __ATOMIC_SEQ_CST);
}

gint64
reeve_host_time_get_free_since (ReeveHostTime *self)
{
  return __atomic_load_n (&self->free, __ATOMIC_SEQ_CST);
}

gboolean
reeve_host_time_is_held (ReeveHostTime *self)
{
  return reeve_host_time_get_free_since (self) == G_MAXINT64;
}
