/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunnerSetup: what a runner is confined to, as the host's side says it. */
#pragma once

#include <reeve-plugin-1.h>

#include "runner/runner-layers.h"

#include "runner-folder.h"
#include "runner-groups.h"
#include "throttle.h"

G_BEGIN_DECLS

/* What a runner is confined to. */
typedef struct
{
  const char *const *command; /* reeve-plugin-runner; in tests what stands before it */
  const char *name;           /* plugin id, for errors and the log */
  RunnerLayersProfile profile;
  RunnerLayers accept_weaker; /* what an administrator does without for this plugin */
  guint32 uid;                /* the plugin's own; 0: the host's, which must not be root's then */
  guint64 memory;             /* bytes of address space; 0: no limit */
  guint32 processes;          /* threads, as setrlimit(2) counts them */
  ReeveRunnerGroups *groups;  /* (nullable): it gets no control group */
  guint32 threads;            /* of it alone, in its control group */
  guint32 cpu;                /* percent of a processor: there, and by @throttle */
  ReeveThrottle *throttle;    /* (nullable): nothing holds it up but its group */
  guint32 files;              /* descriptors */
  guint64 file_size;          /* bytes */
  guint64 scratch;            /* bytes of a folder of its own to write in; 0: none */
  ReeveRunnerFolder *folder;  /* (nullable): for that, where none in memory can be had */
  gboolean jit;               /* it may make code while it runs: two layers less */
  gboolean tcp;               /* its libraries may connect by themselves: the host is asked */
  const char *const *folders; /* (nullable) to be read, besides the system's libraries */
  const char *interpreter;    /* (nullable): full path: the module is a script for it */
  const char *const *imports; /* (nullable): what that script needs of it */
  const char *version;        /* of a script, which has no descriptor */
  gint64 wait_us;             /* how long each step may take */
  GCancellable *cancellable;  /* (nullable): gives the start up */
  gboolean *fell; /* (out) (nullable): it ended, or did not come to an end, while its module was
                     loaded: code of the plugin's */
} ReeveRunnerSetup;

/* What must be in force: the profile's layers and what the machine's user asks for, without what is
 * done without. */
RunnerLayers reeve_runner_setup_get_required (const ReeveRunnerSetup *self);
/* (transfer floating): what the runner is told. @probe: it says what there is, and holds nothing */
GVariant *reeve_runner_setup_make_plan (const ReeveRunnerSetup *self, gboolean probe);

G_END_DECLS
