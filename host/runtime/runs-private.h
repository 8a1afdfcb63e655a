/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveRuns share: runs.c (table, execution), runs-queue.c (whose turn
 * it is), runs-known.c (which agents are there), runs-read.c (list, get, follow), runs-recovery.c
 * (cancel, resume, restart). */
#pragma once

#include "run-queue.h"
#include "run.h"
#include "runs.h"

G_BEGIN_DECLS

struct _ReeveRuns
{
  GObject parent_instance;

  ReeveRunEnvironment env;
  ReeveAgents *agents;
  GMainContext *context; /* of the main thread: recovered runs go on there */
  GMutex lock;           /* guards active, known, queue and stopping */
  GCond changed;
  GHashTable *active; /* run id -> ReeveRun */
  GHashTable
      *known; /* tenant, user and agent: it was there for him -> (nullable) whom it acts for */
  guint known_since; /* how often all were forgotten */
  ReeveRunQueue *queue;
  gboolean stopping;
};

/* One that was found unfinished. FALSE when it is there already or the host stops. *waits: for its
 * turn, as its journal says that it did (@queued). */
gboolean reeve_runs_add (ReeveRuns *self, ReeveRun *run, JsonObject *started, gboolean queued,
                         gboolean *waits);

/* How many runs a tenant may have at a time; G_MAXINT64: no limit. */
gint64 reeve_runs_get_most (ReeveRuns *self, const char *tenant_id);

/* ---- under the lock ---- */

guint reeve_runs_count (ReeveRuns *self, const char *tenant_id);
/* FALSE: %REEVE_ERROR_RATE_LIMITED, it has as many as @most. */
gboolean reeve_runs_has_room (ReeveRuns *self, const char *tenant_id, gint64 most, GError **error);

/* ---- the same: runs-queue.c ---- */

/* FALSE: %REEVE_ERROR_RATE_LIMITED, there is no place for it. */
gboolean reeve_runs_queue_enter (ReeveRuns *self, ReeveRun *run, JsonObject *started,
                                 gboolean *waits, GError **error);
/* TRUE: it waits again. */
gboolean reeve_runs_queue_enter_again (ReeveRuns *self, ReeveRun *run, JsonObject *started,
                                       gboolean queued);
/* (transfer full) (element-type ReeveRun): those whose turn has come */
GPtrArray *reeve_runs_queue_leave (ReeveRuns *self, ReeveRun *run);
/* FALSE: it does not wait. */
gboolean reeve_runs_queue_find (ReeveRuns *self, ReeveRun *run, ReeveRunQueueState *state);

/* Adds `queue` to a run that waits. */
void reeve_runs_queue_show (ReeveRuns *self, const char *tenant_id, const char *run_id,
                            JsonObject *shown);
/* (transfer full) (nullable) */
ReeveRun *reeve_runs_find (ReeveRuns *self, const char *tenant_id, const char *run_id);
/* Has it ended within the time? */
gboolean reeve_runs_wait (ReeveRuns *self, const char *run_id, gint64 timeout_us);
void reeve_runs_forget (ReeveRuns *self, ReeveRun *run);
/* (transfer full) the journal of a run, from its stream */
ReeveJournal *reeve_runs_read_journal (ReeveRuns *self, const char *tenant_id, const char *run_id,
                                       GError **error);

G_END_DECLS
