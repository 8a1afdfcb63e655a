/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files and TCP by Landlock. */
#pragma once

#include "runner-plan.h"

G_BEGIN_DECLS

/* Libraries and the module may be read, and nothing else be done to any file. */
void runner_landlock_restrict (const RunnerPlan *plan, int module_fd, RunnerReport *report);

G_END_DECLS
