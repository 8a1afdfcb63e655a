/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Overrides of the caller's tenant, over governance/overrides.h. */
#include "operation-functions.h"

void
reeve_op_overrides_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page = reeve_overrides_list (services->overrides, reeve_call_get_tenant_id (call),
                                           reeve_call_get_params (call), &error);

  reeve_call_answer (call, page, error);
}

void
reeve_op_overrides_create (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *made = reeve_overrides_create (services->overrides, reeve_call_get_admitted (call),
                                             reeve_call_get_params (call), &error);

  reeve_call_answer (call, made, error);
}

void
reeve_op_overrides_delete (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_overrides_delete (services->overrides, reeve_call_get_admitted (call),
                              reeve_call_get_string (call, "override_id"), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}
