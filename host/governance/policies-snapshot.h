/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePoliciesSnapshot: all policies of a tenant as they were at one revision, compiled.
 * Immutable; any thread. */
#pragma once

#include "store/store.h"

#include "policy.h"

G_BEGIN_DECLS

/* Ids in the collection of policies. */
#define REEVE_POLICIES_HEAD "head" /* {revision, shipped}: the number of the last change */
#define REEVE_POLICIES_ORG  "org"

typedef struct _ReevePoliciesSnapshot ReevePoliciesSnapshot;

/* (transfer full) id of an agent's policy */
char *reeve_policies_snapshot_agent_key (const char *agent_id);
/* Reads them from the store, all of one revision. @shipped (nullable): the org policy of a tenant
 * that never set or deleted one. Blocks. */
ReevePoliciesSnapshot *reeve_policies_snapshot_load (ReeveStore *store, const char *tenant_id,
                                                     ReevePolicy *shipped, GError **error);
ReevePoliciesSnapshot *reeve_policies_snapshot_ref (ReevePoliciesSnapshot *self);
void reeve_policies_snapshot_unref (ReevePoliciesSnapshot *self);
gint64 reeve_policies_snapshot_get_revision (ReevePoliciesSnapshot *self);
ReevePolicy *reeve_policies_snapshot_get_org (ReevePoliciesSnapshot *self); /* (nullable) */
/* (transfer container) ids of the agents that have one, sorted */
GPtrArray *reeve_policies_snapshot_list_agents (ReevePoliciesSnapshot *self);
/* (nullable), as @agent_id is */
ReevePolicy *reeve_policies_snapshot_get_agent (ReevePoliciesSnapshot *self, const char *agent_id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePoliciesSnapshot, reeve_policies_snapshot_unref)

G_END_DECLS
