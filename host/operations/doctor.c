/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of the running host, over doctor-checks.h. */
#include "doctor-checks.h"
#include "operation-functions.h"

void
reeve_op_doctor_run (ReeveCall *call, ReeveServices *services)
{
  reeve_call_answer (call, reeve_doctor_checks_run (services), NULL);
}
