/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file layer under every store: the unix one of SQLite with 32 reserved bytes a page and the
 * WAL index in heap. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

#define SQLITE_VFS_PAGE_SIZE 4096
/* bytes at the end of each page kept free for key id, nonce and tag: encryption needs no format
 * change */
#define SQLITE_VFS_RESERVE 32

typedef struct _SqliteVfs SqliteVfs;

SqliteVfs *sqlite_vfs_new (GError **error);
void sqlite_vfs_free (SqliteVfs *self);
const char *sqlite_vfs_get_name (SqliteVfs *self);
guint sqlite_vfs_get_open_files (SqliteVfs *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteVfs, sqlite_vfs_free)

G_END_DECLS
