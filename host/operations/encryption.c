/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encryption of stores, over governance/protection.h. */
#include "operation-functions.h"

void
reeve_op_encryption_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *shown = reeve_protection_get (services->protection, &error);

  reeve_call_answer (call, shown, error);
}

void
reeve_op_encryption_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page
      = reeve_protection_list (services->protection, reeve_call_get_params (call), &error);

  reeve_call_answer (call, page, error);
}

void
reeve_op_encryption_rotate (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *report = reeve_protection_rotate (
      services->protection, reeve_call_get_admitted (call), reeve_call_get_params (call), &error);

  if (report != NULL && reeve_json_get_int (report, "failed", 0) > 0)
    reeve_call_set_outcome (call, REEVE_OUTCOME_FAILED, "some stores keep their keys");
  reeve_call_answer (call, report, error);
}
