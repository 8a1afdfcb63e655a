/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who the runner is, and what that allows: user, capabilities of the kernel, new privileges, memory
 * that others may read. */
#pragma once

#include "runner-plan.h"

G_BEGIN_DECLS

/* why what keeps memory from becoming code is not in force */
#define RUNNER_PRIVILEGES_JIT "capability jit was granted"

/* Becomes the plugin's own user for good; notes what failed. */
void runner_privileges_take_user (guint32 uid, RunnerReport *report);
/* Gives up every capability, now and for what might be executed. */
void runner_privileges_drop (RunnerReport *report);
/* No new privileges, not dumpable, no executable memory that was writable; @jit: but for that. */
void runner_privileges_close (gboolean jit, RunnerReport *report);

G_END_DECLS
