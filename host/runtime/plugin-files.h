/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePluginFiles: capabilities `fs.read` and `fs.write`: files of the folders that an
 * administrator granted. A plugin gets copies of what is in them, and no descriptor of a file. */
#pragma once

#include "loader/capabilities.h"

G_BEGIN_DECLS

#define REEVE_PLUGIN_FILES_BYTES                                                                   \
  (64 * 1024 * 1024)                 /* of one answer, and of one file to be written */
#define REEVE_PLUGIN_FILES_PAGE 1000 /* names of one answer */
/* what a folder may hold that is written into, of a grant that does not say */
#define REEVE_PLUGIN_FILES_FOLDER_BYTES (G_GINT64_CONSTANT (1024) * 1024 * 1024)
#define REEVE_PLUGIN_FILES_FOLDER_FILES 10000

typedef struct _ReevePluginFiles ReevePluginFiles;

/* @reserved: the state folder, of which nothing is given away */
ReevePluginFiles *reeve_plugin_files_new (const char *reserved) G_GNUC_WARN_UNUSED_RESULT;
/* Offers the capabilities; @self outlives @capabilities. */
void reeve_plugin_files_provide (ReevePluginFiles *self, ReeveCapabilities *capabilities);
/* Once: takes away what hosts that were killed left half written there. Does not block. */
void reeve_plugin_files_sweep (ReevePluginFiles *self, const char *const *folders);
void reeve_plugin_files_free (ReevePluginFiles *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePluginFiles, reeve_plugin_files_free)

G_END_DECLS
