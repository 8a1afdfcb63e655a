/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where this process stands among the control groups (cgroups(7), version 2), and how many
 * processors that leaves it. Any thread; files of the kernel's are read, which does not wait. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @membership: as /proc/self/cgroup has it; @mounts: as /proc/self/mountinfo. FALSE: this machine
 * has no hierarchy of version 2, or none that is mounted here. (out) (transfer full): where it is
 * mounted, and the folder of the group */
gboolean reeve_cgroup_locate (const char *membership, const char *mounts, char **mount,
                              char **folder);
/* That, of this process. */
gboolean reeve_cgroup_locate_own (char **mount, char **folder);
/* (transfer full) (nullable): what a file of a group says */
char *reeve_cgroup_read (const char *folder, const char *name);
/* One write(2), as these files want it. FALSE: errno */
gboolean reeve_cgroup_write (const char *folder, const char *name, const char *text);
/* As many processors as cpu.max of @folder and of those above it, up to @mount, leave of @most;
 * a part of one counts as one. At least 1 */
guint reeve_cgroup_bound_processors (const char *mount, const char *folder, guint most);
/* Processors that this process may use: its affinity, and its groups' limits. At least 1 */
guint reeve_cgroup_count_processors (void);

G_END_DECLS
