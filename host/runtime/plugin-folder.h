/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePluginFolder: a folder that an administrator granted, and what lies in it by a plugin's
 * paths: nothing outside of it is ever opened, by `..`, links, mounts or /proc. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define REEVE_PLUGIN_FOLDER_PATH 1000 /* bytes of a path */

typedef struct _ReevePluginFolder ReevePluginFolder;

/* Is @path one that a plugin may say: relative, of names that are not `.` or `..`? `""`: the folder
 * itself, where @folder is TRUE. Pure. */
gboolean reeve_plugin_folder_is_path (const char *path, gboolean folder);

/* @path: absolute; (nullable) @reserved: a folder of the host's, of which nothing is opened though
 * it lies there. %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_PERMISSION_DENIED */
ReevePluginFolder *reeve_plugin_folder_new (const char *path, const char *reserved,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
void reeve_plugin_folder_free (ReevePluginFolder *self);
/* A regular file, to be read; -1. */
int reeve_plugin_folder_open_file (ReevePluginFolder *self, const char *path, GError **error);
/* A folder in it, to be listed and written into; -1. */
int reeve_plugin_folder_open_folder (ReevePluginFolder *self, const char *path, GError **error);
/* The folder that @path lies in; @name: (out): of it there, in @path. -1 */
int reeve_plugin_folder_open_parent (ReevePluginFolder *self, const char *path, const char **name,
                                     GError **error);
/* A new file of that name in @folder, one of the above, to be written; -1 with errno. */
int reeve_plugin_folder_create (int folder, const char *name, guint mode);
/* A file of that name in @folder, to be read, never through a link; -1 with errno. */
int reeve_plugin_folder_look (int folder, const char *name);
/* A file of no name there, to be written: it goes with its descriptor, whatever ends that, until it
 * is named. -1 with errno: also where the file system has none. */
int reeve_plugin_folder_create_nameless (int folder, guint mode);
/* Gives it one that nothing has there. %FALSE with errno */
gboolean reeve_plugin_folder_name_it (int folder, int fd, const char *name);
/* Says what @code (of errno) means of @path. FALSE. */
gboolean reeve_plugin_folder_fail (const char *path, int code, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePluginFolder, reeve_plugin_folder_free)

G_END_DECLS
