/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One message of a runner's control socket. */
#pragma once

#include "runner/runner-report.h"

G_BEGIN_DECLS

/* Blocks. (transfer full) (nullable) */
RunnerReport *reeve_runner_read_report (int control_fd, GPid *sender, int *passed);

G_END_DECLS
