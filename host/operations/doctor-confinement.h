/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What doctor says of the kernel that is to confine plugins. */
#pragma once

#include "doctor-report.h"

G_BEGIN_DECLS

/* @cgroup: plugins.cgroup */
void reeve_doctor_confinement_check (ReeveDoctorReport *report, const ReeveDoctorCheck *check,
                                     const char *cgroup);

G_END_DECLS
