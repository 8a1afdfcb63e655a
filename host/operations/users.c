/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Users of the caller's tenant, over governance/users.h. */
#include "operation-functions.h"

void
reeve_op_users_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page = reeve_users_list (services->users, reeve_call_get_tenant_id (call),
                                       reeve_call_get_params (call), &error);

  reeve_call_answer (call, page, error);
}

void
reeve_op_users_create (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *user = reeve_users_create (services->users, reeve_call_get_admitted (call),
                                         reeve_call_get_params (call), &error);

  reeve_call_answer (call, user, error);
}

void
reeve_op_users_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *user = reeve_users_get_in_line (services->users, reeve_call_get_tenant_id (call),
                                              reeve_call_get_string (call, "user_id"), &error);

  reeve_call_answer (call, user, error);
}

/* Whatever he was let in for is asked anew; who may do less than before has no further effect. */
static void
reeve_op_users_change (ReeveCall *call, ReeveServices *services, const char *operation)
{
  gboolean less = FALSE;
  GError *error = NULL;
  JsonObject *user = reeve_users_update (services->users, reeve_call_get_admitted (call), operation,
                                         reeve_call_get_params (call), &less, &error);

  reeve_authentication_invalidate (services->authentication);
  if (less)
    reeve_authentication_revoke_user (services->authentication, reeve_call_get_tenant_id (call),
                                      reeve_call_get_string (call, "user_id"));
  reeve_call_answer (call, user, error);
}

void
reeve_op_users_update (ReeveCall *call, ReeveServices *services)
{
  reeve_op_users_change (call, services, "users.update");
}

void
reeve_op_users_patch (ReeveCall *call, ReeveServices *services)
{
  reeve_op_users_change (call, services, "users.patch");
}

void
reeve_op_users_delete (ReeveCall *call, ReeveServices *services)
{
  ReeveAdmitted *admitted = reeve_call_get_admitted (call);
  const char *user_id = reeve_call_get_string (call, "user_id");
  GError *error = NULL;
  gboolean deleted = reeve_users_delete (services->users, admitted, user_id, &error);

  if (deleted)
    {
      reeve_workspaces_forget (services->workspaces, reeve_call_get_tenant_id (call));
      reeve_authentication_revoke_user (services->authentication, reeve_call_get_tenant_id (call),
                                        user_id);
    }
  if (deleted && reeve_users_keys_revoke (services->users, admitted, user_id, &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}

void
reeve_op_users_elevate (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *elevation = reeve_elevations_create (
      services->elevations, reeve_call_get_admitted (call), reeve_call_get_params (call), &error);

  reeve_call_answer (call, elevation, error);
}
