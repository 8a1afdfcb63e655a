/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Search in what is seen, and in nothing else. Blocks: worker threads. */
#pragma once

#include "governance/workspaces.h"

G_BEGIN_DECLS

/* (transfer full) (nullable) results as they are shown, best first. seen: workspaces
 * (reeve_workspaces_list_seen()); NULL: what lies in none. workspaces (nullable): there are none.
 */
JsonArray *reeve_knowledge_sight_search (ReeveStore *store, ReeveWorkspaces *workspaces,
                                         const char *tenant_id, const char *const *seen,
                                         const char *query, guint limit, GError **error);

G_END_DECLS
