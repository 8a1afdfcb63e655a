/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small secret files: read with care, replaced durably, shredded. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* NULL with REEVE_ERROR_NOT_FOUND */
GBytes *reeve_key_folder_read (const char *path, gsize max_size, GError **error);
/* As above, and refused unless it is readable by this user alone. */
GBytes *reeve_key_folder_read_private (const char *path, gsize max_size, GError **error);
/* Whole or not at all, durable; what it held before is overwritten. Mode 0600. */
gboolean reeve_key_folder_replace (const char *path, gconstpointer data, gsize length,
                                   GError **error);
/* As above for a file that must not be there yet: REEVE_ERROR_ALREADY_EXISTS */
gboolean reeve_key_folder_create (const char *path, gconstpointer data, gsize length,
                                  GError **error);
/* Overwritten, cut, removed, durable. One that is not there is no error. */
gboolean reeve_key_folder_shred (const char *path, GError **error);
gboolean reeve_key_folder_make (const char *path, GError **error);
gboolean reeve_key_folder_sync (const char *path, GError **error);
void reeve_key_folder_set_error (GError **error, int code, const char *doing, const char *path);
/* Overwrites and removes what a crash left of a replacement in a folder. */
gboolean reeve_key_folder_clean (const char *folder, GError **error);

G_END_DECLS
