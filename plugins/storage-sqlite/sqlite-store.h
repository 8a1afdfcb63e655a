/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One open store: its lock file, its connections, its schema. */
#pragma once

#include "sqlite-schema.h"
#include "sqlite-tally.h"

G_BEGIN_DECLS

typedef struct _SqliteStore SqliteStore;

/* Where schemas come from: outlives every store. */
typedef struct
{
  SqliteVfs *vfs;
  ReeveStorageKeys *keys; /* NULL: nothing is sealed */
  guint64 seal_limit;     /* how often a key may seal */
  const ReeveMigration *migrations;
  GPtrArray *schemas; /* of SqliteSchema, by number */
} SqliteStoreKind;

#define SQLITE_STORE_LATEST G_MAXUINT

gboolean sqlite_store_create (const SqliteStoreKind *kind, const char *scope, const char *path,
                              GError **error);
gboolean sqlite_store_remove (const char *path, GError **error);
SqliteStore *sqlite_store_open (const SqliteStoreKind *kind, const char *scope, const char *path,
                                guint number, GError **error);
void sqlite_store_close (SqliteStore *self);

SqliteSchema *sqlite_store_get_schema (SqliteStore *self);
SqliteConnection *sqlite_store_take (SqliteStore *self, GError **error);
void sqlite_store_give (SqliteStore *self, SqliteConnection *connection);
/* the one that writes; a polite caller lets those go first that wait */
SqliteConnection *sqlite_store_take_writer (SqliteStore *self, gboolean polite, GError **error);
void sqlite_store_give_writer (SqliteStore *self, SqliteConnection *connection);
void sqlite_store_end_writing (SqliteStore *self);
void sqlite_store_set_source (SqliteStore *self, SqliteConnection *source);
gboolean sqlite_store_replace (SqliteStore *self, SqliteConnection *source, const char *fresh,
                               GError **error);

const char *sqlite_store_get_path (SqliteStore *self);
SqliteVfs *sqlite_store_get_vfs (SqliteStore *self);
/* NULL where nothing is sealed */
SqliteTally *sqlite_store_get_tally (SqliteStore *self);
SqliteKeyring *sqlite_store_get_keyring (SqliteStore *self);
SqliteNode *sqlite_store_get_node (SqliteStore *self);

/* number of texts with a term, remembered while the index grows little; FALSE: not known */
gboolean sqlite_store_find_frequency (SqliteStore *self, const char *index, const char *term,
                                      gint64 texts, gint64 *frequency);
void sqlite_store_add_frequency (SqliteStore *self, const char *index, const char *term,
                                 gint64 texts, gint64 frequency);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteStore, sqlite_store_close)

G_END_DECLS
