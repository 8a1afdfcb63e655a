/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What policies.c (snapshots and decisions) and policies-records.c (the store) share. */
#pragma once

#include "policies-snapshot.h"
#include "policies.h"

G_BEGIN_DECLS

ReeveStore *reeve_policies_get_store (ReevePolicies *self);
gboolean reeve_policies_has_shipped (ReevePolicies *self);
/* Takes up what the store says, at least as of @revision. When that fails the tenant's tools are
 * denied until it succeeds. Blocks. */
gboolean reeve_policies_refresh (ReevePolicies *self, const char *tenant_id, gint64 revision,
                                 GError **error);
/* (transfer full): of now; reads it where it is not known. Blocks. */
ReevePoliciesSnapshot *reeve_policies_dup_snapshot (ReevePolicies *self, const char *tenant_id,
                                                    GError **error);

G_END_DECLS
