/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCrew: threads that come when work waits and nobody is idle, and leave again. What they work
 * on, and the lock that guards both, is whose crew they are. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *name; /* of the threads, not owned */
  guint most;
  GThreadFunc loop;
  gpointer data;
  guint threads;   /* that there are */
  guint idle;      /* that wait for work: counted by the loop */
  GCond left;      /* one left */
  GPtrArray *gone; /* GThread to be joined */
} ReeveCrew;

void reeve_crew_init (ReeveCrew *self, const char *name, guint most, GThreadFunc loop,
                      gpointer data);
/* After the last thread was joined. */
void reeve_crew_clear (ReeveCrew *self);

/* ---- with the lock held ---- */

/* There is one for what is to wait, behind @waiting others, or one comes. %REEVE_ERROR_BUSY: there
 * is none at all, and none can come. */
gboolean reeve_crew_call (ReeveCrew *self, guint waiting, GError **error);
/* The last thing that a loop does. */
void reeve_crew_leave (ReeveCrew *self);
/* (transfer full) (nullable): who has left by himself, to be joined without the lock */
GPtrArray *reeve_crew_take_gone (ReeveCrew *self);
/* (transfer full) (nullable): all, when the last one has left; waits for it */
GPtrArray *reeve_crew_dismiss (ReeveCrew *self, GMutex *lock);

/* ---- without it ---- */

/* (transfer full) (nullable) gone: whose end is near. */
void reeve_crew_join (GPtrArray *gone);

G_END_DECLS
