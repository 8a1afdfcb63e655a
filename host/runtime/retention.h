/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tenant keeps no longer than its setting data_retention_days says. Blocks: worker threads.
 */
#pragma once

#include "governance/admission.h"
#include "governance/tenants.h"

G_BEGIN_DECLS

/* Erases what is too old in every tenant that has the setting; returns how much that was. What goes
 * wrong in one tenant is logged, and keeps nothing of another. */
guint reeve_retention_run (ReeveStore *store, ReeveTenants *tenants, ReeveAdmission *admission);

G_END_DECLS
