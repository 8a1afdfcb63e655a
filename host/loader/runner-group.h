/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunnerGroup: the control group of one plugin's process. Blocks, but for what is said. */
#pragma once

#include "runner-groups.h"

G_BEGIN_DECLS

typedef struct _ReeveRunnerGroup ReeveRunnerGroup;

/* What a group is limited to. */
typedef struct
{
  const char *name; /* plugin id */
  guint64 memory;   /* bytes; 0: no limit. None of it is swapped out */
  guint32 threads;
  guint32 cpu; /* percent of a processor; 0: no limit */
} ReeveRunnerGroupLimits;

/* (nullable): there is no place for one; @note: (out) (transfer full) (nullable): why not all its
 * limits are in force */
ReeveRunnerGroup *reeve_runner_group_new (ReeveRunnerGroups *groups,
                                          const ReeveRunnerGroupLimits *limits, char **note);
/* Ends what is left in it, and takes it away. */
void reeve_runner_group_free (ReeveRunnerGroup *self);
/* Puts a process in, which is the caller's child; FALSE: errno */
gboolean reeve_runner_group_take (ReeveRunnerGroup *self, GPid pid);
/* Does the kernel say that it is in there? */
gboolean reeve_runner_group_holds (ReeveRunnerGroup *self, GPid pid);
/* Are all limits in force? Does not block. */
gboolean reeve_runner_group_is_whole (ReeveRunnerGroup *self);
/* Did the kernel end processes in it for want of memory? */
gboolean reeve_runner_group_ran_out (ReeveRunnerGroup *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRunnerGroup, reeve_runner_group_free)

G_END_DECLS
