/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunnerLauncher: the one thread that starts runners, and takes down what they print. The
 * kernel ends a runner when the thread ends that started it (PR_SET_PDEATHSIG): so that thread
 * lives as long as the host. */
#pragma once

#include <reeve-plugin-1.h>

#include "host-time.h"
#include "runner-watch.h"

G_BEGIN_DECLS

typedef struct _ReeveRunnerLauncher ReeveRunnerLauncher;

/* What a runner is started with; descriptors stay the caller's. */
typedef struct
{
  const char *const *command; /* the program's full path, and what stands behind it */
  const char *name;           /* plugin id, for what it prints */
  int control_fd;
  int module_fd;            /* -1: none */
  int wire_fd;              /* -1: none */
  ReeveHostTime *host_time; /* that what it prints costs is counted in */
} ReeveRunnerLaunch;

ReeveRunnerLauncher *reeve_runner_launcher_new (void) G_GNUC_WARN_UNUSED_RESULT;
ReeveRunnerLauncher *reeve_runner_launcher_ref (ReeveRunnerLauncher *self);
/* At the last one every runner that is left ends. */
void reeve_runner_launcher_unref (ReeveRunnerLauncher *self);
/* Blocks until the program runs. (out): its process, and a descriptor that stands for it
 * (pidfd_open(2)), both the caller's to wait for. %REEVE_ERROR_PLUGIN */
gboolean reeve_runner_launcher_start (ReeveRunnerLauncher *self, const ReeveRunnerLaunch *launch,
                                      GPid *pid, int *pidfd, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRunnerLauncher, reeve_runner_launcher_unref)

/* Answers what a runner is refused, on that thread. Takes over @listener. (transfer full)
 * (nullable) */
ReeveRunnerWatch *reeve_runner_launcher_watch (ReeveRunnerLauncher *self, int listener,
                                               const ReeveRunnerWatched *watched);

G_END_DECLS
