/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunnerGroups: control groups (cgroups(7), version 2) of plugins' processes, below one that
 * is the host's to divide up. Where there is none a plugin runs without. Blocks, but for what is
 * said.
 */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct _ReeveRunnerGroups ReeveRunnerGroups;

/* What a group can be limited by. */
#define REEVE_RUNNER_GROUPS_MEMORY (1u << 0)
#define REEVE_RUNNER_GROUPS_PIDS   (1u << 1)
#define REEVE_RUNNER_GROUPS_CPU    (1u << 2)
#define REEVE_RUNNER_GROUPS_ALL    7u

/* @place: `auto`: the group that this process is in, where it is delegated to it; an absolute path
 * below /sys/fs/cgroup; `none` or %NULL. Takes away what a host has left there that is gone. This
 * process may be put into a group of its own below. @cpu: what all plugins may use together,
 * percent of a processor; 0: as it is */
ReeveRunnerGroups *reeve_runner_groups_new (const char *place,
                                            guint32 cpu) G_GNUC_WARN_UNUSED_RESULT;
void reeve_runner_groups_free (ReeveRunnerGroups *self);
/* (nullable): why not all limits can be put on; %NULL: they can. Does not block. */
const char *reeve_runner_groups_get_note (ReeveRunnerGroups *self);

/* The rest is for ReeveRunnerGroup. (nullable): of all of theirs; there is no place */
const char *reeve_runner_groups_get_folder (ReeveRunnerGroups *self);
guint reeve_runner_groups_get_controllers (ReeveRunnerGroups *self);
guint reeve_runner_groups_next_number (ReeveRunnerGroups *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRunnerGroups, reeve_runner_groups_free)

G_END_DECLS
