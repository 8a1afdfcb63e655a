/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel says of a runner's process, held against what the runner says of itself. */
#pragma once

#include <reeve-plugin-1.h>

#include "runner/runner-report.h"

G_BEGIN_DECLS

/* What was seen at one step, to be compared at the next. */
typedef struct
{
  guint32 uid;   /* who it must be */
  GPid starter;  /* the process that was started: the runner itself, or its parent */
  guint filters; /* (out) filters of seccomp */
} ReeveRunnerVerify;

/* @pid: who sent @report, as the kernel says. %REEVE_ERROR_PLUGIN names the layer that is not
 * there.
 */
gboolean reeve_runner_verify_step (ReeveRunnerVerify *self, GPid pid, const RunnerReport *report,
                                   GError **error);

G_END_DECLS
