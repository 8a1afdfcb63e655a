/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunnerFolder: a folder on the host's disk that one plugin's process may write in, where the
 * kernel gives it none in memory and an administrator accepts that. Nobody but the host holds the
 * bound: it counts what lies there, and ends a process that has more. Any thread. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct _ReeveRunnerFolder ReeveRunnerFolder;

/* An empty one below @parent (made where it is not there), closed to everybody as yet. @name:
 * plugin id; @bytes: what it may hold; @kept: what its disk has left for others, all the time.
 * Blocks. %REEVE_ERROR_PLUGIN */
ReeveRunnerFolder *reeve_runner_folder_new (const char *parent, const char *name, guint64 bytes,
                                            guint64 kept, GError **error) G_GNUC_WARN_UNUSED_RESULT;
ReeveRunnerFolder *reeve_runner_folder_ref (ReeveRunnerFolder *self);
/* At the last one it is removed with all that is in it: its process is gone by then. Blocks. */
void reeve_runner_folder_unref (ReeveRunnerFolder *self);
const char *reeve_runner_folder_get_path (ReeveRunnerFolder *self);
/* @maps: (transfer full): the kernel's list of what its process has mapped (proc(5)), opened while
 * it might be. Before its process may write. */
void reeve_runner_folder_take_maps (ReeveRunnerFolder *self, int maps);
/* Lets its process write, which can map no code any more: @uid: whose it is; 0: the host's own
 * user's. @pid: that process; @pidfd: (transfer full): stands for it; -1: it is gone. FALSE: errno.
 * Blocks. */
gboolean reeve_runner_folder_open (ReeveRunnerFolder *self, guint32 uid, GPid pid, int pidfd);
/* Looks at it at @now (monotonic), ends its process where it holds too much or its disk is nearly
 * full, and says when to look next; 0: never. Blocks. */
gint64 reeve_runner_folder_look (gpointer self, gint64 now);
/* (nullable): why its process was ended, where it was. Does not block. */
const char *reeve_runner_folder_get_fault (ReeveRunnerFolder *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRunnerFolder, reeve_runner_folder_unref)

G_END_DECLS
