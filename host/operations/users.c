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
  JsonObject *user = reeve_users_get (services->users, reeve_call_get_tenant_id (call),
                                      reeve_call_get_string (call, "user_id"), &error);

  reeve_call_answer (call, user, error);
}
