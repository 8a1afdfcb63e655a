/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePluginFilesSum: how much lies in the folders that plugins write into, whoever put it there.
 * Any thread. */
#pragma once

#include "loader/capabilities.h"
#include "plugin-folder.h"

G_BEGIN_DECLS

#define REEVE_PLUGIN_FILES_PART ".reeve-part-" /* what a file is called before it is complete */

typedef struct _ReevePluginFilesSum ReevePluginFilesSum;

typedef struct
{
  gint64 bytes;
  gint64 files; /* and folders */
} ReevePluginFilesAmount;

ReevePluginFilesSum *reeve_plugin_files_sum_new (void) G_GNUC_WARN_UNUSED_RESULT;
void reeve_plugin_files_sum_free (ReevePluginFilesSum *self);
/* What lies in @folder, which is called @name, and what is on its way there: counted anew where it
 * is not known, or @anew. Removes what former hosts left half written. Blocks. %FALSE with what
 * ended the call of @caller, or an error of the file system */
gboolean reeve_plugin_files_sum_get (ReevePluginFilesSum *self, ReevePluginFolder *folder,
                                     const char *name, const ReeveCapabilityCaller *caller,
                                     gboolean anew, ReevePluginFilesAmount *now, GError **error);
/* @more is on its way there. %FALSE: it would be beyond @limit */
gboolean reeve_plugin_files_sum_take (ReevePluginFilesSum *self, const char *name,
                                      const ReevePluginFilesAmount *more,
                                      const ReevePluginFilesAmount *limit);
/* Of each that was taken, at its end. @done: it is there now */
void reeve_plugin_files_sum_settle (ReevePluginFilesSum *self, const char *name,
                                    const ReevePluginFilesAmount *more, gboolean done);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePluginFilesSum, reeve_plugin_files_sum_free)

G_END_DECLS
