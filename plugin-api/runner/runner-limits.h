/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits of resources by setrlimit(2). */
#pragma once

#include "runner-plan.h"

G_BEGIN_DECLS

void runner_limits_set (const RunnerPlan *plan, RunnerReport *report);

G_END_DECLS
