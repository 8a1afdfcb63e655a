/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What doctor says of the keys under which personal values are kept. */
#pragma once

#include "doctor-report.h"
#include "services.h"

G_BEGIN_DECLS

void reeve_doctor_kept_check (ReeveServices *services, ReeveDoctorReport *report);

G_END_DECLS
