/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What doctor says of the collector that traces and metrics are sent to. */
#pragma once

#include "doctor-report.h"
#include "services.h"

G_BEGIN_DECLS

void reeve_doctor_telemetry_check (ReeveServices *services, ReeveDoctorReport *report,
                                   const ReeveDoctorCheck *check);

G_END_DECLS
