/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which folder a call of `fs.read` or `fs.write` is about, and whether its grants allow that name
 * and size. */
#pragma once

#include "plugin-files-sum.h"

G_BEGIN_DECLS

/* one call */
typedef struct
{
  const ReeveCapabilityCaller *caller;
  const char *capability;
  const char *folder; /* of the grants that count */
  guint64 mask;       /* these, bit by number */
} ReevePluginFilesClaim;

/* (nullable) @asked: the folder that the plugin names; NULL: the first granted. FALSE with
 * %REEVE_ERROR_PERMISSION_DENIED. */
gboolean reeve_plugin_files_claim_begin (ReevePluginFilesClaim *self, const char *asked,
                                         GError **error);
/* Is there a grant for a file of that name (the last of its path)? */
gboolean reeve_plugin_files_claim_has_name (ReevePluginFilesClaim *self, const char *name);
/* The call is about a file of that path (nullable: about none) and that many bytes, and rests on
 * the grants that allow both. %REEVE_ERROR_PERMISSION_DENIED, %REEVE_ERROR_TOO_LARGE,
 * %REEVE_ERROR_CAPABILITY_REVOKED */
gboolean reeve_plugin_files_claim_file (ReevePluginFilesClaim *self, const char *path, gint64 bytes,
                                        GError **error);

/* A folder that holds @needed: the call rests on the grants that allow that. @limit: (out): the
 * most of one of them. %REEVE_ERROR_TOO_LARGE, %REEVE_ERROR_CAPABILITY_REVOKED */
gboolean reeve_plugin_files_claim_folder (ReevePluginFilesClaim *self,
                                          const ReevePluginFilesAmount *needed,
                                          ReevePluginFilesAmount *limit, GError **error);

G_END_DECLS
