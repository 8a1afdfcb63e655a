/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps by which a runner gives up what it could do, in this order; each needs rights that the
 * next one loses. One thread, no GIO before the last. */
#pragma once

#include "runner-plan.h"

G_BEGIN_DECLS

/* Steps 0 to 2: session, own user, namespaces; in a child where there is a PID namespace, whose
 * parent waits here and ends as it does. FALSE: a required layer is missing. */
gboolean runner_confine_apart (const RunnerPlan *plan, RunnerReport *report);
/* Steps 3 to 9: all the rest but the seal. @module_fd: -1 without. FALSE as above. */
gboolean runner_confine_in (const RunnerPlan *plan, int module_fd, RunnerReport *report);
/* Behind the module's loading. FALSE with a note. */
gboolean runner_confine_seal (const RunnerPlan *plan, RunnerReport *report);

G_END_DECLS
