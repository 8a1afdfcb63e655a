/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What policies.c (snapshots and decisions) and policies-records.c (the store) share. */
#pragma once

#include "policies-snapshot.h"
#include "policies.h"

G_BEGIN_DECLS

ReeveStore *reeve_policies_get_store (ReevePolicies *self);
ReevePolicy *reeve_policies_get_shipped (ReevePolicies *self); /* (nullable) */
/* (transfer full) (nullable): what is in force, if it is known */
ReevePoliciesSnapshot *reeve_policies_lookup (ReevePolicies *self, const char *tenant_id);
gboolean reeve_policies_has_shipped (ReevePolicies *self);
/* Takes up what the store says, at least as of @revision. When that fails the tenant's tools are
 * denied until it succeeds. Blocks. */
gboolean reeve_policies_refresh (ReevePolicies *self, const char *tenant_id, gint64 revision,
                                 GError **error);
/* (transfer full): of now; reads it where it is not known. Blocks. */
ReevePoliciesSnapshot *reeve_policies_dup_snapshot (ReevePolicies *self, const char *tenant_id,
                                                    GError **error);

/* ---- records; policies-records.c ---- */

#define REEVE_POLICIES_TRIES 64

/* (transfer full) (nullable): %NULL without an error when there is none */
ReeveRecord *reeve_policies_find (ReevePolicies *self, const char *tenant_id,
                                  const char *collection, const char *id, GError **error);
/* (transfer full) id of a policy's record; agent_id NULL: the org's */
char *reeve_policies_key (const char *agent_id);
char *reeve_policies_revision_key (gint64 revision);
/* (transfer full) fields of a policy's record; @old (nullable): the one it replaces */
JsonObject *reeve_policies_make_record (ReeveCaller *caller, const char *agent_id,
                                        JsonObject *document, gint64 revision, ReeveRecord *old,
                                        gint64 now);
JsonObject *reeve_policies_make_head (gint64 revision, gboolean shipped, gint64 now);
/* Does the tenant still have what the profile ships? @head (nullable). */
gboolean reeve_policies_is_shipped (ReeveRecord *head);

/* ---- all at once; policies-apply.c ---- */

/* What applying would do. */
typedef struct
{
  ReevePoliciesSnapshot *present;
  JsonObject *policies; /* {org?, agents{}} with agents by id */
  JsonArray *changes;
} ReevePoliciesPlan;

/* Reads what is there and compares it with what is wanted; changes nothing. Clear @plan. */
gboolean reeve_policies_plan (ReevePolicies *self, const char *tenant_id,
                              const ReevePoliciesWanted *wanted, ReevePoliciesPlan *plan,
                              GError **error);
void reeve_policies_plan_clear (ReevePoliciesPlan *plan);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReevePoliciesPlan, reeve_policies_plan_clear)

/* Sets what revision @restored set, all of it: @policies {org?, agents?}, agents by id. The answer
 * is {revision, …}. */
JsonObject *reeve_policies_restore (ReevePolicies *self, ReeveAdmitted *admitted,
                                    const char *operation, JsonObject *params, gint64 restored,
                                    JsonObject *policies, GError **error);

G_END_DECLS
