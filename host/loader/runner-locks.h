/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunnerLocks: how many ranges of files a runner has locked (fcntl(2), F_SETLK). The kernel
 * keeps as many as one asks for, in memory that is in no limit (RLIMIT_LOCKS means nothing since
 * Linux 2.4), so the host is asked for each call. One thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* of one process; the kernel lists what it has by flock(2) with them */
#define REEVE_RUNNER_LOCKS_MOST 1024

typedef struct
{
  GPid pid;
  guint counted; /* at the last look */
  guint since;   /* calls that were let through since then: of each there are two more at most */
} ReeveRunnerLocks;

/* May it make one call more? It is counted, if so. @costly: (out): that took a look at the locks of
 * all the machine's processes, and the next one will soon: who asks is to wait a moment. */
gboolean reeve_runner_locks_take (ReeveRunnerLocks *self, gboolean *costly);
/* How many the kernel has of @pid in @path, which is /proc/locks (proc(5)); %G_MAXUINT where that
 * cannot be read. */
guint reeve_runner_locks_count (const char *path, GPid pid);

G_END_DECLS
