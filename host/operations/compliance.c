/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data protection, over governance/kept-values.h and governance/idempotency.h. */
#include "operation-functions.h"

void
reeve_op_compliance_erase (ReeveCall *call, ReeveServices *services)
{
  ReeveAdmitted *admitted = reeve_call_get_admitted (call);
  const char *scope = reeve_call_get_tenant_id (call);
  const char *user_id = reeve_call_get_string (call, "user_id");
  GError *error = NULL;
  JsonObject *shown
      = reeve_kept_values_erase (services->kept_values, admitted, scope, user_id, &error);

  if (shown != NULL
      && !reeve_idempotency_erase (services->idempotency, admitted, scope, user_id, &error))
    g_clear_pointer (&shown, json_object_unref);
  reeve_call_answer (call, shown, error);
}
