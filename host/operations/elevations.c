/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elevations of users of the caller's tenant, over governance/elevations.h. */
#include "operation-functions.h"

void
reeve_op_elevations_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page = reeve_elevations_list (services->elevations, reeve_call_get_tenant_id (call),
                                            reeve_call_get_params (call), &error);

  reeve_call_answer (call, page, error);
}

void
reeve_op_elevations_delete (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_elevations_revoke (services->elevations, reeve_call_get_admitted (call),
                               reeve_call_get_string (call, "user_id"),
                               reeve_call_get_string (call, "elevation_id"), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}
