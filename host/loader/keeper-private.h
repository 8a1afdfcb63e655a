/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeper.c (calls, crashes), keeper-tick.c (nobody calls) and keeper-upgrade.c (versions)
 * share. */
#pragma once

#include "crashes.h"
#include "keeper.h"

G_BEGIN_DECLS

struct _ReeveKeeper
{
  gatomicrefcount references;
  ReeveConfined *confined;
  char *id;
  ReeveTermPlugin plugin; /* changes under the lock, while nobody starts a process */
  GMutex lock;
  GCond changed;
  gboolean starting;
  gboolean closed;
  GCancellable *ending; /* cancelled with that */
  ReeveTerm *term;      /* (nullable) */
  gint64 idle_since;
  ReeveCrashes crashes;
  char *quarantine; /* (nullable) why */
  char *trouble;    /* (nullable) the last one */
  gboolean known;
  RunnerLayers layers;
  gboolean scratch;
};

/* A watch of the confined's: on the thread for that. Looks after one that ended while nobody
 * called, too. */
gint64 reeve_keeper_tick (gpointer user_data, gint64 now);
/* Takes a term away that ended by itself. */
void reeve_keeper_sweep (ReeveKeeper *self);
/* Closes what the lock no longer protects. (transfer full) (nullable) */
void reeve_keeper_bury (ReeveTerm *term);
/* Under the lock. (transfer full) (nullable): what to close; calls that are in it close it
 * themselves. */
ReeveTerm *reeve_keeper_detach (ReeveKeeper *self);
/* Under the lock: what went wrong is forgotten. */
void reeve_keeper_forgive (ReeveKeeper *self);

G_END_DECLS
