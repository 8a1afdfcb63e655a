/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveAgents: agents and their versions, as JSON objects of the shape that is shown outside.
 * Blocks: worker threads. */
#pragma once

#include <reeve-plugin-1.h>

#include "governance/admission.h"
#include "governance/agent-book.h"
#include "governance/tenants.h"
#include "governance/workspaces.h"
#include "store/store.h"

G_BEGIN_DECLS

#define REEVE_TYPE_AGENTS (reeve_agents_get_type ())
G_DECLARE_FINAL_TYPE (ReeveAgents, reeve_agents, REEVE, AGENTS, GObject)

/* auto_publish: configuration agents.auto_publish */
ReeveAgents *reeve_agents_new (ReeveStore *store, gboolean auto_publish);
/* Before the first call: whose max_agents are kept to. */
void reeve_agents_set_tenants (ReeveAgents *self, ReeveTenants *tenants);
/* Before the first call: where agents may lie. */
void reeve_agents_set_workspaces (ReeveAgents *self, ReeveWorkspaces *workspaces);

/* (transfer none) what the gate is to ask about agents that run */
ReeveAgentBook *reeve_agents_get_book (ReeveAgents *self);
/* (transfer full) From before the definition is read until the last effect of a run. Never fails:
 * an agent whose record cannot be read has no effects. Blocks. */
ReeveAgentHold *reeve_agents_hold (ReeveAgents *self, const char *tenant_id, const char *agent_id);

/* Each mutation consumes @admitted (@operation, agents.update, agents.deactivate, agents.delete,
 * versions.create, versions.publish). params: validated parameters of that operation. */
JsonObject *reeve_agents_create (ReeveAgents *self, ReeveAdmitted *admitted, const char *operation,
                                 JsonObject *params, GError **error);
JsonObject *reeve_agents_update (ReeveAgents *self, ReeveAdmitted *admitted, JsonObject *params,
                                 GError **error);
JsonObject *reeve_agents_deactivate (ReeveAgents *self, ReeveAdmitted *admitted, JsonObject *params,
                                     GError **error);
gboolean reeve_agents_delete (ReeveAgents *self, ReeveAdmitted *admitted, const char *agent_id,
                              GError **error);
JsonObject *reeve_agents_add_version (ReeveAgents *self, ReeveAdmitted *admitted,
                                      JsonObject *params, GError **error);
JsonObject *reeve_agents_publish (ReeveAgents *self, ReeveAdmitted *admitted, JsonObject *params,
                                  GError **error);
JsonObject *reeve_agents_get (ReeveAgents *self, const char *tenant_id, const char *agent_id,
                              GError **error);
/* seen: workspaces whose agents are shown */
JsonObject *reeve_agents_list (ReeveAgents *self, const char *tenant_id, const char *const *seen,
                               JsonObject *params, GError **error);
JsonObject *reeve_agents_list_versions (ReeveAgents *self, const char *tenant_id,
                                        const char *agent_id, JsonObject *params, GError **error);
/* The published definition an execution uses, with agent_id, version_id, version_number and
 * delegated_user_id beside it. %REEVE_ERROR_NOT_FOUND; %REEVE_ERROR_CONFLICT when nothing is
 * published, the agent is deactivated, or the user on whose behalf it acts is not active. */
JsonObject *reeve_agents_get_definition (ReeveAgents *self, const char *tenant_id,
                                         const char *agent_id, GError **error);

G_END_DECLS
