/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Workspaces and their members, over governance/workspaces.h. */
#include "operation-functions.h"

void
reeve_op_workspaces_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page = reeve_workspaces_list (services->workspaces, reeve_call_get_caller (call),
                                            reeve_call_get_params (call), &error);

  reeve_call_answer (call, page, error);
}

void
reeve_op_workspaces_create (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *workspace = reeve_workspaces_create (
      services->workspaces, reeve_call_get_admitted (call), reeve_call_get_params (call), &error);

  reeve_call_answer (call, workspace, error);
}

void
reeve_op_workspaces_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *workspace
      = reeve_workspaces_get (services->workspaces, reeve_call_get_caller (call),
                              reeve_call_get_string (call, "workspace_id"), &error);

  reeve_call_answer (call, workspace, error);
}

void
reeve_op_workspaces_update (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *workspace = reeve_workspaces_update (
      services->workspaces, reeve_call_get_admitted (call), reeve_call_get_params (call), &error);

  reeve_call_answer (call, workspace, error);
}

void
reeve_op_workspaces_delete (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_workspaces_delete (services->workspaces, reeve_call_get_admitted (call),
                               reeve_call_get_string (call, "workspace_id"), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}

void
reeve_op_workspaces_list_members (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page = reeve_workspaces_list_members (
      services->workspaces, reeve_call_get_caller (call), reeve_call_get_params (call), &error);

  reeve_call_answer (call, page, error);
}

void
reeve_op_workspaces_add_member (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *member = reeve_workspaces_add_member (
      services->workspaces, reeve_call_get_admitted (call), reeve_call_get_params (call), &error);

  reeve_call_answer (call, member, error);
}

void
reeve_op_workspaces_update_member (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *member = reeve_workspaces_update_member (
      services->workspaces, reeve_call_get_admitted (call), reeve_call_get_params (call), &error);

  reeve_call_answer (call, member, error);
}

void
reeve_op_workspaces_remove_member (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_workspaces_remove_member (services->workspaces, reeve_call_get_admitted (call),
                                      reeve_call_get_params (call), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}
