/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was kept for records of the ledger goes when they have gone. Blocks: worker threads. */
#pragma once

#include "governance/admission.h"
#include "store/store.h"

G_BEGIN_DECLS

#define REEVE_KEPT_RETENTION_OPERATION "audit.forget"

/* One look at every tenant; returns how many values went. What goes wrong in one is logged, and
 * keeps nothing of another. */
guint reeve_kept_retention_run (ReeveStore *store, ReeveLedger *ledger, ReeveAdmission *admission);

G_END_DECLS
