/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many calls of tools were made in a budget's period. */
#pragma once

#include "services.h"

#include "call.h"

G_BEGIN_DECLS

/* Adds tool_invocations to a budget of the caller's tenant; null where usage cannot be summed up.
 * kind: agents, users, keys, workspaces; id (nullable): the tenant's. Blocks. */
void reeve_budget_tools_add (ReeveCall *call, ReeveServices *services, const char *kind,
                             const char *id, JsonObject *budget);

G_END_DECLS
