/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CLOCK_THREAD_CPUTIME_ID (clock_gettime(2)): a thread that waits for a lock or for a disk uses
 * nothing. What other threads do for it meanwhile, as the one that writes the ledger for all, is
 * not counted: that is shared by whoever writes then. One thread may do something for a plugin
 * that another plugin asked for, while it does something for that one: what it used is counted for
 * the first, and not once more for the second. */
#include "host-time.h"

#include <time.h>

struct _ReeveHostTime
{
  gatomicrefcount references;
  gint64 used; /* atomic: nanoseconds */
  gint64 free; /* atomic: since when it is not held; %G_MAXINT64: it is */
};

/* nanoseconds of this thread that were counted for somebody */
static _Thread_local gint64 reeve_host_time_counted;

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
  return (gint64) now.tv_sec * 1000 * 1000 * 1000 + now.tv_nsec - reeve_host_time_counted;
}

gint64
reeve_host_time_add (ReeveHostTime *self, gint64 begun)
{
  gint64 used = reeve_host_time_begin () - begun;

  reeve_host_time_counted += used;
  __atomic_fetch_add (&self->used, used, __ATOMIC_RELAXED);
  return begun;
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

/* ---- who pays ---- */

static GQuark
reeve_host_time_quark (void)
{
  return g_quark_from_static_string ("reeve-host-time");
}

void
reeve_host_time_set_payer (ReeveContext *context, ReeveHostTime *self)
{
  g_object_set_qdata_full (G_OBJECT (context), reeve_host_time_quark (), reeve_host_time_ref (self),
                           (GDestroyNotify) reeve_host_time_unref);
}

ReeveHostTime *
reeve_host_time_get_payer (ReeveContext *context)
{
  return g_object_get_qdata (G_OBJECT (context), reeve_host_time_quark ());
}
