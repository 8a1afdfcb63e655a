/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A root folder with nothing but libraries and the module in it. */
#pragma once

#include "runner-plan.h"

G_BEGIN_DECLS

/* Where the module is found inside. */
#define RUNNER_ROOT_MODULE "/module.so"

/* Goes there and forgets the old one. @module_fd: -1 without. */
void runner_root_enter (const RunnerPlan *plan, int module_fd, RunnerReport *report);

/* (transfer full) (array zero-terminated=1): folders and files with libraries and what they read;
 * those of the system that are there, and those of @plan */
char **runner_root_list_readable (const RunnerPlan *plan);

G_END_DECLS
