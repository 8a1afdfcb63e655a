/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chain of those who answer for a run: user, agent, tool. */
#pragma once

#include "governance/ledger.h"
#include "runs.h"

G_BEGIN_DECLS

/* (transfer full) (nullable): {run_id, user_id, delegated_user_id, agent_id, entries[]}. Blocks. */
JsonObject *reeve_runs_delegation_get (ReeveRuns *self, ReeveLedger *ledger, const char *tenant_id,
                                       const char *run_id, GError **error);

G_END_DECLS
