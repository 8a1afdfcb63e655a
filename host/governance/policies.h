/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePolicies: the tool policies of tenants and agents: every change is a revision, decisions
 * take no I/O. */
#pragma once

#include "store/store.h"

#include "admission.h"
#include "policy-analysis.h"
#include "policy-decision.h"

G_BEGIN_DECLS

#define REEVE_TYPE_POLICIES (reeve_policies_get_type ())
G_DECLARE_FINAL_TYPE (ReevePolicies, reeve_policies, REEVE, POLICIES, GObject)

/* @shipped (nullable): the org policy of every tenant that never set or deleted one */
ReevePolicies *reeve_policies_new (ReeveStore *store, ReevePolicy *shipped);

/* Learns a tenant's policies unless they are known; until then all its tools are denied. Blocks. */
gboolean reeve_policies_prepare (ReevePolicies *self, const char *tenant_id, GError **error);
/* A tenant is gone. */
void reeve_policies_forget (ReevePolicies *self, const char *tenant_id);

/* ---- deciding: any thread, no I/O ---- */

/* @ask: tenant, agent and counters are filled in here. (out caller-allocates): clear it. */
void reeve_policies_decide (ReevePolicies *self, const char *tenant_id, const char *agent_id,
                            const ReevePolicyAsk *ask, ReevePolicyDecision *decision);
/* What an execution may take, 0: no limit is set. */
void reeve_policies_get_limits (ReevePolicies *self, const char *tenant_id, const char *agent_id,
                                gint64 *token_limit, gint64 *timeout_seconds);
/* The gate's check of tools, and of the tokens of an execution's model calls. The error's text ends
 * with the reason's word in brackets. */
gboolean reeve_policies_check (const ReeveAdmissionRequest *request,
                               const ReeveSettlement *settlement, gpointer policies,
                               GError **error);
/* Somebody is asked besides: from now on a call of a tool without an advice is refused. */
void reeve_policies_need_advice (ReevePolicies *self);

/* ---- reading and changing: blocks; agent_id NULL: the org's ---- */

/* {policy_id, org_id, agent_id, revision, set_by, created_at?, updated_at?, …document}.
 * %REEVE_ERROR_NOT_FOUND when it is not set. */
JsonObject *reeve_policies_get (ReevePolicies *self, const char *tenant_id, const char *agent_id,
                                GError **error);
/* {items, next_cursor} of what was set; params: {limit?, cursor?} */
JsonObject *reeve_policies_list (ReevePolicies *self, const char *tenant_id, JsonObject *params,
                                 GError **error);
/* Both as one, with org_id, agent_id, policy_revision: number of the last change. */
JsonObject *reeve_policies_get_effective (ReevePolicies *self, const char *tenant_id,
                                          const char *agent_id, GError **error);
/* The same as a module in Rego: {org_id, agent_id, policy_revision, package, module} */
JsonObject *reeve_policies_get_rego (ReevePolicies *self, const char *tenant_id,
                                     const char *agent_id, GError **error);
/* {items, next_cursor}: [{revision, change, agent_id, policy, set_by, created_at, restored?}] */
JsonObject *reeve_policies_list_revisions (ReevePolicies *self, const char *tenant_id,
                                           JsonObject *params, GError **error);
/* Each consumes @admitted, which was admitted as @operation with @params. When it returns, every
 * decision follows it. */
JsonObject *reeve_policies_set (ReevePolicies *self, ReeveAdmitted *admitted, const char *operation,
                                const char *agent_id, JsonObject *params, JsonObject *document,
                                GError **error);
gboolean reeve_policies_unset (ReevePolicies *self, ReeveAdmitted *admitted, const char *operation,
                               const char *agent_id, JsonObject *params, GError **error);
/* What the tenant's policies are to be, all of them. */
typedef struct
{
  JsonObject *policies;     /* {org?, agents{id or name: document}?} */
  gint64 expected_revision; /* of the last change, else %REEVE_ERROR_CONFLICT; -1: any */
  gboolean dry_run;         /* only tell */
  const char *reason;       /* (nullable) */
} ReevePoliciesWanted;

/* Makes them so, as one change, or none when they are. {revision, changed, dry_run, changes
 * [{agent_id, agent, change added|changed|removed, before, after}]} */
JsonObject *reeve_policies_apply (ReevePolicies *self, ReeveAdmitted *admitted,
                                  const char *operation, JsonObject *params,
                                  const ReevePoliciesWanted *wanted, GError **error);
/* {revision, changed, changes[], …}: what they would change and, by policy-analysis.h, decide
 * otherwise */
JsonObject *reeve_policies_compare (ReevePolicies *self, const char *tenant_id,
                                    JsonObject *policies, ReevePolicyAnalysisTools *tools,
                                    GError **error);
/* {revision, document {version, org?, agents{}}}: as they are, for reeve_policies_apply() */
JsonObject *reeve_policies_export (ReevePolicies *self, const char *tenant_id, GError **error);
/* Sets again, or unsets, what that revision did: the answer is the new revision. */
JsonObject *reeve_policies_rollback (ReevePolicies *self, ReeveAdmitted *admitted,
                                     const char *operation, gint64 revision, JsonObject *params,
                                     GError **error);

G_END_DECLS
