/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A moment when nothing that a process had asked the kernel for is under way any more. */
#pragma once

#include <reeve-plugin-1.h>

#include "throttle.h"

G_BEGIN_DECLS

/* Stops @pid until each of its threads has been seen outside of the kernel, then lets it go on,
 * where @throttle (nullable) does not hold it. @pidfd: stands for it. TRUE also where it ended.
 * Blocks for @wait_us at most: %REEVE_ERROR_TIMEOUT; %REEVE_ERROR_PLUGIN where it cannot be seen.
 */
gboolean reeve_runner_still (GPid pid, int pidfd, ReeveThrottle *throttle, gint64 wait_us,
                             GError **error);

G_END_DECLS
