/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy of a store into a new file, sealed anew, while the store is in use. */
#pragma once

#include "sqlite-connection.h"

G_BEGIN_DECLS

typedef struct _SqliteCopy SqliteCopy;

SqliteCopy *sqlite_copy_new (SqliteVfs *vfs, SqliteConnection *source, const char *path,
                             SqliteKeyring *keyring, const guint8 *salt, GError **error);
void sqlite_copy_free (SqliteCopy *self);
gboolean sqlite_copy_step (SqliteCopy *self, int pages, gboolean *done, GError **error);
gboolean sqlite_copy_finish (SqliteCopy *self, ReeveStorageMark *mark, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteCopy, sqlite_copy_free)

G_END_DECLS
