/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tenants may spend: the part of the start that opens it. */
#pragma once

#include "operations/services.h"

G_BEGIN_DECLS

gboolean reeve_startup_budgets_open (ReeveServices *services, char **faulty, GError **error);
/* A tenant has changed; on a worker. */
void reeve_startup_budgets_learn (ReeveServices *services, const char *tenant_id,
                                  ReeveTenantStatus status);
/* While ledger and store are open. */
void reeve_startup_budgets_close (ReeveServices *services);

G_END_DECLS
