/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passwords, over governance/passwords.h. */
#include "operation-functions.h"

void
reeve_op_passwords_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *shown = reeve_passwords_get (services->passwords, reeve_call_get_tenant_id (call),
                                           reeve_call_get_string (call, "user_id"), &error);

  reeve_call_answer (call, shown, error);
}

void
reeve_op_passwords_set (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *shown = reeve_passwords_set (services->passwords, reeve_call_get_admitted (call),
                                           reeve_call_get_params (call), &error);

  reeve_call_answer (call, shown, error);
}

void
reeve_op_passwords_change (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *shown = reeve_passwords_change (services->passwords, reeve_call_get_admitted (call),
                                              reeve_call_get_params (call), &error);

  reeve_call_answer (call, shown, error);
}

void
reeve_op_passwords_unlock (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *shown = reeve_passwords_unlock (services->passwords, reeve_call_get_admitted (call),
                                              reeve_call_get_string (call, "user_id"), &error);

  reeve_call_answer (call, shown, error);
}

void
reeve_op_passwords_delete (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_passwords_delete (services->passwords, reeve_call_get_admitted (call),
                              reeve_call_get_string (call, "user_id"), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}
