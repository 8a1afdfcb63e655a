/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first entry of a run and its record, and the caller a recovered run goes on for. Blocks:
 * worker threads. */
#pragma once

#include "agents.h"
#include "run.h"

G_BEGIN_DECLS

/* (transfer full) the first entry; *record (transfer full): fields of the run's record */
JsonObject *reeve_run_opening_new (const ReeveRunEnvironment *environment, ReeveAgents *agents,
                                   ReeveCaller *caller, guint64 intent,
                                   const ReeveRunRequest *request, JsonObject **record,
                                   GError **error);
/* (transfer full) (nullable) the workspaces whose things its tools see */
char **reeve_run_opening_get_workspaces (JsonObject *started);
/* (transfer full) who began the run, as it stands now */
ReeveCaller *reeve_run_opening_get_caller (const ReeveRunEnvironment *environment,
                                           JsonObject *started);

G_END_DECLS
