/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection to a store file: used by one thread at a time. */
#pragma once

#include <reeve-plugin-1.h>
#include <sqlite3.h>

#include "sqlite-vfs.h"

G_BEGIN_DECLS

typedef struct _SqliteConnection SqliteConnection;

typedef enum
{
  SQLITE_CONNECTION_OPEN,
  SQLITE_CONNECTION_CREATE, /* a new file, not synced before it is closed */
  SQLITE_CONNECTION_COPY    /* the same, to be filled by a copy: no log of its own */
} SqliteConnectionMode;

SqliteConnection *sqlite_connection_new (SqliteVfs *vfs, const char *path,
                                         SqliteConnectionMode mode, GError **error);
void sqlite_connection_free (SqliteConnection *self);
sqlite3 *sqlite_connection_get_db (SqliteConnection *self);

/* Statements are kept, so each is used for one thing at a time; parameters are ?1, ?2 … */
sqlite3_stmt *sqlite_connection_prepare (SqliteConnection *self, const char *sql, GError **error);
gboolean sqlite_connection_step (SqliteConnection *self, sqlite3_stmt *statement, gboolean *row,
                                 GError **error);
gboolean sqlite_connection_run (SqliteConnection *self, sqlite3_stmt *statement, GError **error);
gboolean sqlite_connection_exec (SqliteConnection *self, const char *sql, GError **error);
gboolean sqlite_connection_get_int (SqliteConnection *self, const char *sql, gint64 *value,
                                    GError **error);
void sqlite_connection_bind_text (sqlite3_stmt *statement, int position, const char *text);

gboolean sqlite_connection_begin (SqliteConnection *self, GError **error);
gboolean sqlite_connection_commit (SqliteConnection *self, GError **error);
void sqlite_connection_rollback (SqliteConnection *self);
gboolean sqlite_connection_in_transaction (SqliteConnection *self);

gboolean sqlite_connection_is_broken (SqliteConnection *self);
void sqlite_connection_watch (SqliteConnection *self, GCancellable *cancellable);
void sqlite_connection_keep_log (SqliteConnection *self, gboolean keep);
gboolean sqlite_connection_truncate_log (SqliteConnection *self, GError **error);
void sqlite_connection_checkpoint (SqliteConnection *self, guint pages);
gboolean sqlite_connection_bring_home (SqliteConnection *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteConnection, sqlite_connection_free)

G_END_DECLS
