/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What doctor says of plugins, each with the command that mends it. */
#pragma once

#include "doctor-report.h"
#include "services.h"

G_BEGIN_DECLS

/* Adds plugins.refused, .quarantined, .disabled, .consent and .weaker. Blocks. */
void reeve_doctor_plugins_check (ReeveServices *services, ReeveDoctorReport *report);

G_END_DECLS
