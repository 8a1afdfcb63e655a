/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layer `scratch`: a folder that a plugin may write in, where that was granted; and in it one for
 * each call that asks, which goes with the call. */
#pragma once

#include <reeve-error.h>

#include "runner-plan.h"

G_BEGIN_DECLS

/* Mounts it at %RUNNER_PLAN_SCRATCH, in this process's own mount namespace. */
void runner_scratch_mount (const RunnerPlan *plan, RunnerReport *report);
/* (nullable): where it may write, by the report */
const char *runner_scratch_get_path (const RunnerReport *report);
/* (transfer full) (nullable): that of call @number, below @top; made where it is not there */
char *runner_scratch_make (const char *top, guint64 number, GError **error);

G_END_DECLS
