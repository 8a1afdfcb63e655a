/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file layer under every store: the unix one of SQLite with sealed pages and the WAL index in
 * heap. */
#pragma once

#include "sqlite-node.h"

G_BEGIN_DECLS

#define SQLITE_VFS_PAGE_SIZE SQLITE_SEAL_PAGE
/* bytes at the end of each page kept free for key id, nonce and tag, in every store */
#define SQLITE_VFS_RESERVE SQLITE_SEAL_TRAILER

typedef struct _SqliteVfs SqliteVfs;

SqliteVfs *sqlite_vfs_new (gboolean keys_required, GError **error);
void sqlite_vfs_free (SqliteVfs *self);
SqliteNode *sqlite_vfs_add_file (SqliteVfs *self, const char *path, SqliteKeyring *keyring);
void sqlite_vfs_remove_file (SqliteVfs *self, const char *path);
char *sqlite_vfs_take_fault (SqliteVfs *self, const char *path);
const char *sqlite_vfs_get_name (SqliteVfs *self);
guint sqlite_vfs_get_open_files (SqliteVfs *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteVfs, sqlite_vfs_free)

G_END_DECLS
