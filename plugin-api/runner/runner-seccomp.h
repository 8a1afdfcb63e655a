/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of the system that a plugin may make. */
#pragma once

#include "runner-plan.h"

G_BEGIN_DECLS

/* From here on the allow-list holds, for every thread there is or will be. */
void runner_seccomp_allow (gboolean jit, RunnerReport *report);
/* From here on no memory becomes executable, files mapped included, and no filter is added. @jit:
 * no file, and that is no layer. */
void runner_seccomp_seal (gboolean jit, RunnerReport *report);

G_END_DECLS
