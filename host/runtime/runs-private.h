/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveRuns share: runs.c (table, execution), runs-read.c (list, get,
 * follow), runs-recovery.c (cancel, resume, restart). */
#pragma once

#include "run.h"
#include "runs.h"

G_BEGIN_DECLS

struct _ReeveRuns
{
  GObject parent_instance;

  ReeveRunEnvironment env;
  ReeveAgents *agents;
  GMainContext *context; /* of the main thread: recovered runs go on there */
  GMutex lock;           /* guards active and stopping */
  GCond changed;
  GHashTable *active; /* run id -> ReeveRun */
  gboolean stopping;
};

/* FALSE when it is there already or the host stops. */
gboolean reeve_runs_add (ReeveRuns *self, ReeveRun *run);
/* (transfer full) (nullable) */
ReeveRun *reeve_runs_find (ReeveRuns *self, const char *tenant_id, const char *run_id);
/* Has it ended within the time? */
gboolean reeve_runs_wait (ReeveRuns *self, const char *run_id, gint64 timeout_us);
void reeve_runs_forget (ReeveRuns *self, ReeveRun *run);
/* (transfer full) the journal of a run, from its stream */
ReeveJournal *reeve_runs_read_journal (ReeveRuns *self, const char *tenant_id, const char *run_id,
                                       GError **error);

G_END_DECLS
