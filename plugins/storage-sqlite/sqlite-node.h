/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all connections of this process to one store file share: its keys, salts and size. */
#pragma once

#include <sqlite3.h>

#include "sqlite-keyring.h"
#include "sqlite-seal.h"

G_BEGIN_DECLS

typedef struct _SqliteNode SqliteNode;

SqliteNode *sqlite_node_new (const char *path, SqliteKeyring *keyring);
SqliteNode *sqlite_node_ref (SqliteNode *self);
void sqlite_node_unref (SqliteNode *self);

const char *sqlite_node_get_path (SqliteNode *self);
SqliteKeyring *sqlite_node_get_keyring (SqliteNode *self);

/* of the file: known from its first bytes on, or made with its first page */
int sqlite_node_load_salt (SqliteNode *self, sqlite3_file *file);
gboolean sqlite_node_get_salt (SqliteNode *self, guint8 *salt);
gboolean sqlite_node_need_salt (SqliteNode *self, guint8 *salt);
void sqlite_node_set_salt (SqliteNode *self, const guint8 *salt);

/* of the log, as its header has them */
void sqlite_node_get_log_salts (SqliteNode *self, guint8 *salts);
void sqlite_node_set_log_salts (SqliteNode *self, const guint8 *salts);

/* length of the file as far as this process knows it */
gint64 sqlite_node_get_size (SqliteNode *self);
void sqlite_node_grow (SqliteNode *self, gint64 size);
void sqlite_node_shrink (SqliteNode *self, gint64 size);

/* whether a connection reads the log to recover it: then it ends where a frame does not open */
gboolean sqlite_node_is_recovering (SqliteNode *self);
void sqlite_node_set_recovering (SqliteNode *self, gboolean recovering);

void sqlite_node_set_fault (SqliteNode *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
char *sqlite_node_take_fault (SqliteNode *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteNode, sqlite_node_unref)

G_END_DECLS
