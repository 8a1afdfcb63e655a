/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agents, over runtime/agents.h, and the execution of one, over runtime/runs.h. */
#include "operation-functions.h"
#include "run-call.h"

void
reeve_op_agents_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  g_auto (GStrv) seen
      = reeve_workspaces_list_seen (services->workspaces, reeve_call_get_caller (call),
                                    reeve_call_get_operation (call)->permission, &error);
  JsonObject *page
      = seen != NULL
            ? reeve_agents_list (services->agents, reeve_call_get_tenant_id (call),
                                 (const char *const *) seen, reeve_call_get_params (call), &error)
            : NULL;

  reeve_call_answer (call, page, error);
}

static void
reeve_op_agents_make (ReeveCall *call, ReeveServices *services, const char *operation)
{
  GError *error = NULL;
  JsonObject *agent = reeve_agents_create (services->agents, reeve_call_get_admitted (call),
                                           operation, reeve_call_get_params (call), &error);

  reeve_call_answer (call, agent, error);
}

void
reeve_op_agents_create (ReeveCall *call, ReeveServices *services)
{
  reeve_op_agents_make (call, services, "agents.create");
}

void
reeve_op_agents_register (ReeveCall *call, ReeveServices *services)
{
  reeve_op_agents_make (call, services, "agents.register");
}

void
reeve_op_agents_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *agent = reeve_agents_get (services->agents, reeve_call_get_tenant_id (call),
                                        reeve_call_get_string (call, "agent_id"), &error);

  reeve_call_answer (call, agent, error);
}

void
reeve_op_agents_update (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *agent = reeve_agents_update (services->agents, reeve_call_get_admitted (call),
                                           reeve_call_get_params (call), &error);

  reeve_runs_forget_known (services->runs);
  reeve_call_answer (call, agent, error);
}

void
reeve_op_agents_deactivate (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *agent = reeve_agents_deactivate (services->agents, reeve_call_get_admitted (call),
                                               reeve_call_get_params (call), &error);

  reeve_call_answer (call, agent, error);
}

void
reeve_op_agents_delete (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_agents_delete (services->agents, reeve_call_get_admitted (call),
                           reeve_call_get_string (call, "agent_id"), &error))
    {
      reeve_runs_forget_known (services->runs);
      reeve_call_complete (call, 0, NULL);
    }
  else
    reeve_call_fail (call, error);
}

void
reeve_op_agents_execute (ReeveCall *call, ReeveServices *services)
{
  ReeveRunRequest request = {
    .operation = "agents.execute",
    .agent_id = reeve_call_get_string (call, "agent_id"),
    .mission = reeve_call_get_string (call, "mission"),
    .context = reeve_json_get_object (reeve_call_get_params (call), "context"),
    .session_id = reeve_call_get_string (call, "session_id"),
    .max_iterations = (gint) reeve_call_get_int (call, "max_iterations", 0),
  };

  reeve_run_call_execute (call, services, &request);
}
