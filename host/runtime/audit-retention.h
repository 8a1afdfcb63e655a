/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long the ledger keeps records. Blocks: worker threads. */
#pragma once

#include "governance/ledger-clock.h"
#include "governance/tenants.h"

#include "sinks.h"

G_BEGIN_DECLS

/* nothing asks for less */
#define REEVE_AUDIT_RETENTION_FLOOR 365
/* so many days longer a sink may hold records that it lacks */
#define REEVE_AUDIT_RETENTION_SINK 31

/* One look at every log; days: `audit.retention_days`. Returns how many logs lost records. */
guint reeve_audit_retention_run (ReeveLedger *ledger, ReeveTenants *tenants, ReeveSinks *sinks,
                                 ReeveAdmission *admission, ReeveLedgerClock *clock, gint64 days);

G_END_DECLS
