/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the configuration allows and asks for: the rules that a start is held to, each as a check.
 */
#pragma once

#include "base/config.h"

#include "doctor-report.h"

G_BEGIN_DECLS

/* Adds a check for each rule of base/config-guard.h, and what holds of rbac.zero_trust. */
void reeve_doctor_rules_run (ReeveConfig *config, ReeveDoctorReport *report);

G_END_DECLS
