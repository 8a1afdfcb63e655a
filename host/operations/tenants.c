/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tenants, over governance/tenants.h. */
#include "operation-functions.h"

void
reeve_op_tenants_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page = reeve_tenants_list (services->tenants, reeve_call_get_params (call), &error);

  reeve_call_answer (call, page, error);
}

void
reeve_op_tenants_create (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *tenant = reeve_tenants_create (services->tenants, reeve_call_get_admitted (call),
                                             reeve_call_get_params (call), &error);

  reeve_call_answer (call, tenant, error);
}

void
reeve_op_tenants_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *tenant
      = reeve_tenants_get (services->tenants, reeve_call_get_string (call, "tenant_id"), &error);

  reeve_call_answer (call, tenant, error);
}

void
reeve_op_tenants_update (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *tenant = reeve_tenants_update (services->tenants, reeve_call_get_admitted (call),
                                             reeve_call_get_params (call), &error);

  if (tenant != NULL)
    reeve_runs_review (services->runs, reeve_call_get_string (call, "tenant_id"));
  reeve_call_answer (call, tenant, error);
}

void
reeve_op_tenants_delete (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_tenants_delete (services->tenants, reeve_call_get_admitted (call),
                            reeve_call_get_string (call, "tenant_id"), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}
