/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePluginFilesSweep: takes away, once and on a thread of its own, what hosts that were killed
 * left half written in the folders that plugins may write into: also where none writes again. */
#pragma once

#include "plugin-files-sum.h"

G_BEGIN_DECLS

typedef struct _ReevePluginFilesSweep ReevePluginFilesSweep;

/* @sum: outlives it. @reserved: the state folder, of which nothing is touched. @folders: absolute;
 * copied. Begins. */
ReevePluginFilesSweep *reeve_plugin_files_sweep_new (ReevePluginFilesSum *sum, const char *reserved,
                                                     const char *const *folders)
    G_GNUC_WARN_UNUSED_RESULT;
/* Gives up what is left to do. Blocks shortly. */
void reeve_plugin_files_sweep_free (ReevePluginFilesSweep *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePluginFilesSweep, reeve_plugin_files_sweep_free)

G_END_DECLS
