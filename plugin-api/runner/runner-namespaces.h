/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespaces, each asked for by itself so that a report says which is missing. */
#pragma once

#include "runner-plan.h"

G_BEGIN_DECLS

/* All but the PID namespace: this process is in them behind it. */
void runner_namespaces_enter (RunnerReport *report);
/* A user and a mount namespace alone, for a folder to write in. */
void runner_namespaces_enter_mount (RunnerReport *report);
/* Goes on in a child that is the first of its PID namespace; this process waits for it and ends as
 * it did. Where there is none, goes on here. */
void runner_namespaces_fork (RunnerReport *report);

G_END_DECLS
