/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May somebody do something? Over governance/overrides.h. */
#include "operation-functions.h"

/* (transfer full) (nullable) the workspace that the thing lies in */
static char *
reeve_op_access_locate (ReeveCall *call, ReeveServices *services, const char *type, const char *id,
                        GError **error)
{
  static const char *const things[][2] = { { "agent", REEVE_STORE_AGENTS },
                                           { "document", REEVE_STORE_DOCUMENTS },
                                           { "conversation", REEVE_STORE_CONVERSATIONS },
                                           { "run", REEVE_STORE_RUNS },
                                           { "workspace", REEVE_STORE_WORKSPACES } };

  for (guint i = 0; i < G_N_ELEMENTS (things); i++)
    if (g_strcmp0 (type, things[i][0]) == 0)
      return reeve_workspaces_locate_thing (services->workspaces, reeve_call_get_caller (call),
                                            things[i][1], id, error);
  return NULL;
}

void
reeve_op_access_evaluate (ReeveCall *call, ReeveServices *services)
{
  const char *resource_type = reeve_call_get_string (call, "resource_type");
  const char *resource_id = reeve_call_get_string (call, "resource_id");
  g_autofree char *workspace_id = NULL;
  GError *error = NULL;
  JsonObject *answer = NULL;

  if ((resource_type == NULL) != (resource_id == NULL))
    {
      reeve_error_set_member (&error, resource_type == NULL ? "/resource_type" : "/resource_id",
                              "is required: resource_type and resource_id go together");
      reeve_call_fail (call, error);
      return;
    }
  workspace_id = reeve_op_access_locate (call, services, resource_type, resource_id, &error);
  if (error == NULL)
    answer = reeve_overrides_evaluate (services->overrides, reeve_call_get_tenant_id (call),
                                       reeve_call_get_string (call, "user_id"),
                                       reeve_call_get_string (call, "action"), resource_type,
                                       resource_id, workspace_id, &error);
  reeve_call_answer (call, answer, error);
}
