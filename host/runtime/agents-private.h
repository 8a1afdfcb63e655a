/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveAgents share: agents.c (agents), agents-versions.c (their
 * versions). */
#pragma once

#include "agents.h"
#include "store/store.h"

G_BEGIN_DECLS

struct _ReeveAgents
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveWorkspaces *workspaces; /* nullable: there are none */
  ReeveTenants *tenants;       /* nullable: no tenant has a limit */
  ReeveAgentBook *book;
  gboolean auto_publish;
};

const char *reeve_agents_get_tenant (ReeveAdmitted *admitted);
/* (transfer full) (nullable) */
ReeveRecord *reeve_agents_read (ReeveAgents *self, const char *tenant_id, const char *agent_id,
                                GError **error);
/* Consumes @admitted, commits. */
gboolean reeve_agents_commit (ReeveAgents *self, ReeveAdmitted *admitted, const char *operation,
                              const char *agent_id, JsonObject *params, ReeveBatch *batch,
                              GError **error);

/* (transfer full) fields of a draft */
JsonObject *reeve_agents_new_version (const char *agent_id, const char *version_number,
                                      ReeveAdmitted *admitted, JsonObject *definition,
                                      const char *changelog);
void reeve_agents_mark_published (JsonObject *agent, JsonObject *version, const char *version_id);
/* (transfer full) (element-type ReeveRecord), oldest first */
GPtrArray *reeve_agents_read_versions (ReeveAgents *self, const char *tenant_id,
                                       const char *agent_id, GError **error);
JsonObject *reeve_agents_describe_version (ReeveRecord *record);

G_END_DECLS
