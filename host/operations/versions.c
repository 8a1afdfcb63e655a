/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Versions of agents, over runtime/agents.h. */
#include "operation-functions.h"

void
reeve_op_versions_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page = reeve_agents_list_versions (services->agents, reeve_call_get_tenant_id (call),
                                                 reeve_call_get_string (call, "agent_id"),
                                                 reeve_call_get_params (call), &error);

  reeve_call_answer (call, page, error);
}

void
reeve_op_versions_create (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *version = reeve_agents_add_version (services->agents, reeve_call_get_admitted (call),
                                                  reeve_call_get_params (call), &error);

  reeve_call_answer (call, version, error);
}

void
reeve_op_versions_publish (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *version = reeve_agents_publish (services->agents, reeve_call_get_admitted (call),
                                              reeve_call_get_params (call), &error);

  if (version != NULL)
    reeve_runs_review (services->runs, reeve_call_get_tenant_id (call));
  reeve_call_answer (call, version, error);
}
