/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May somebody do something? Over governance/overrides.h. */
#include "operation-functions.h"

void
reeve_op_access_evaluate (ReeveCall *call, ReeveServices *services)
{
  const char *resource_type = reeve_call_get_string (call, "resource_type");
  const char *resource_id = reeve_call_get_string (call, "resource_id");
  GError *error = NULL;
  JsonObject *answer = NULL;

  if ((resource_type == NULL) != (resource_id == NULL))
    {
      reeve_error_set_member (&error, resource_type == NULL ? "/resource_type" : "/resource_id",
                              "is required: resource_type and resource_id go together");
      reeve_call_fail (call, error);
      return;
    }
  answer = reeve_overrides_evaluate (
      services->overrides, reeve_call_get_tenant_id (call), reeve_call_get_string (call, "user_id"),
      reeve_call_get_string (call, "action"), resource_type, resource_id, &error);
  reeve_call_answer (call, answer, error);
}
