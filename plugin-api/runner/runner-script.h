/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A module that is a script: its interpreter is a library, loaded into this process behind all
 * layers. No program is executed. */
#pragma once

#include "runner-plan.h"

G_BEGIN_DECLS

/* Loads the plan's interpreter and what it imports on behalf of the script. FALSE: the note
 * `module` says why. May not return, where the interpreter ends the process. */
gboolean runner_script_open (const RunnerPlan *plan, RunnerReport *report);
/* Runs the script, which is on the module's descriptor, until it ends. Whether without an error. */
gboolean runner_script_run (const RunnerPlan *plan, RunnerReport *report);

G_END_DECLS
