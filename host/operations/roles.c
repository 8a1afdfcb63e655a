/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles of the caller's tenant, over governance/role-book.h. */
#include "operation-functions.h"
#include "page.h"

void
reeve_op_roles_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonArray *all
      = reeve_role_book_list (services->role_book, reeve_call_get_tenant_id (call), &error);

  if (all != NULL)
    reeve_page_answer (call, all);
  else
    reeve_call_fail (call, error);
}

void
reeve_op_roles_create (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *role = reeve_role_book_create (services->role_book, reeve_call_get_admitted (call),
                                             reeve_call_get_params (call), &error);

  reeve_call_answer (call, role, error);
}

void
reeve_op_roles_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *role = reeve_role_book_get (services->role_book, reeve_call_get_tenant_id (call),
                                          reeve_call_get_string (call, "role_id"), &error);

  reeve_call_answer (call, role, error);
}

void
reeve_op_roles_update (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *role = reeve_role_book_update (services->role_book, reeve_call_get_admitted (call),
                                             reeve_call_get_params (call), &error);

  reeve_call_answer (call, role, error);
}

void
reeve_op_roles_delete (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_role_book_delete (services->role_book, reeve_call_get_admitted (call),
                              reeve_call_get_string (call, "role_id"), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}
