/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunnerWatch: which calls of the system a runner was refused. The filter of its process tells
 * of each, and the host gives the answer: an error; it looks at nothing of the process but the
 * call's numbers. It lets two things through: until the seal what is mapped as code, and not to be
 * written, while the module is loaded; and so many locks of files. */
#pragma once

#include <glib.h>

#include "host-time.h"

G_BEGIN_DECLS

/* in a second: who makes more waits for the next one with its calls */
#define REEVE_RUNNER_WATCH_PER_SECOND 1000
/* of locks: who works with files makes many */
#define REEVE_RUNNER_WATCH_LOCKS_PER_SECOND 10000
/* different ones that are written into the log, of one process */
#define REEVE_RUNNER_WATCH_TOLD 16
/* a call that was refused so long before an end may have to do with it */
#define REEVE_RUNNER_WATCH_RECENT_US (2 * G_USEC_PER_SEC)

typedef struct _ReeveRunnerWatch ReeveRunnerWatch;

/* Whom it is about. */
typedef struct
{
  const char *name;         /* plugin id */
  GPid locks;               /* the process, where it may lock files; 0: it may not */
  ReeveHostTime *host_time; /* that what it asks costs is counted in */
} ReeveRunnerWatched;

/* Takes over @listener (seccomp_unotify(2)), and answers on @context until its process has ended.
 */
ReeveRunnerWatch *reeve_runner_watch_new (GMainContext *context, int listener,
                                          const ReeveRunnerWatched *watched)
    G_GNUC_WARN_UNUSED_RESULT;
/* From here on nothing is mapped as code. Any thread. */
void reeve_runner_watch_seal (ReeveRunnerWatch *self);
/* Nobody asks any more; what is refused is answered until the process ends. */
void reeve_runner_watch_free (ReeveRunnerWatch *self);
/* (transfer full) (nullable): the call that was refused last, where that was just now: `seccomp:
 * socket`. Any thread. */
char *reeve_runner_watch_describe (ReeveRunnerWatch *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRunnerWatch, reeve_runner_watch_free)

G_END_DECLS
