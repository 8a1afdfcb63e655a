/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunnerOutput: what a runner's process prints, line by line into the host's log: bounded,
 * without control characters, under the plugin's name. One thread. */
#pragma once

#include "host-time.h"

G_BEGIN_DECLS

typedef struct _ReeveRunnerOutput ReeveRunnerOutput;

/* bytes that are written down in a second; the rest is counted and dropped */
#define REEVE_RUNNER_OUTPUT_PER_SECOND 16384
/* a longer line is cut into several */
#define REEVE_RUNNER_OUTPUT_LINE 1024

/* Takes over @fd (the reading end of a pipe), and reads it on @context until it ends. @host_time:
 * what that costs is counted there */
void reeve_runner_output_follow (GMainContext *context, int fd, const char *name,
                                 ReeveHostTime *host_time);

ReeveRunnerOutput *reeve_runner_output_new (const char *name) G_GNUC_WARN_UNUSED_RESULT;
void reeve_runner_output_free (ReeveRunnerOutput *self);
/* @now: monotonic, microseconds */
void reeve_runner_output_take (ReeveRunnerOutput *self, const char *data, gsize length, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRunnerOutput, reeve_runner_output_free)

G_END_DECLS
