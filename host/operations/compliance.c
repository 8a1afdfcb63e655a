/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data protection, over governance/kept-values.h. */
#include "operation-functions.h"

void
reeve_op_compliance_erase (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *shown = reeve_kept_values_erase (
      services->kept_values, reeve_call_get_admitted (call), reeve_call_get_tenant_id (call),
      reeve_call_get_string (call, "user_id"), &error);

  reeve_call_answer (call, shown, error);
}
