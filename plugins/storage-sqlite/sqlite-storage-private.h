/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of SqliteStorage share. */
#pragma once

#include "sqlite-storage.h"
#include "sqlite-writer.h"

G_BEGIN_DECLS

struct _SqliteStorage
{
  ReevePlugin parent_instance;

  gint64 max_open;
  gint64 writers;
  gint64 idle_s;
  ReeveStorageKeys *keys; /* NULL: nothing is sealed */
  guint64 seal_limit;
  char *path;
  SqliteVfs *vfs;
  SqliteStoreKind platform;
  SqliteStoreKind tenant;
  SqliteCache *cache;
  SqliteWriter *writer;
  gboolean holds_platform;
};

/* A store and one of its connections, while one call uses them. */
typedef struct
{
  SqliteCache *cache;
  const char *scope;
  SqliteStore *store;
  SqliteConnection *connection;
} SqliteStorageUse;

gboolean sqlite_storage_begin (ReeveStorage *storage, const char *scope, SqliteStorageUse *use,
                               GError **error);
void sqlite_storage_end (SqliteStorageUse *use);
ReeveRecord *sqlite_storage_get (ReeveStorage *storage, const char *scope, const char *collection,
                                 const char *id, GError **error);
ReeveQueryResult *sqlite_storage_query (ReeveStorage *storage, ReeveQuery *query,
                                        GCancellable *cancellable, GError **error);
GPtrArray *sqlite_storage_read_stream (ReeveStorage *storage, const char *scope, const char *stream,
                                       gint64 after, guint limit, GError **error);
gboolean sqlite_storage_get_counter (ReeveStorage *storage, const char *scope, const char *counter,
                                     gint64 *value, GError **error);
GBytes *sqlite_storage_get_blob (ReeveStorage *storage, const char *scope, const char *id,
                                 GError **error);
GPtrArray *sqlite_storage_search_text (ReeveStorage *storage, const char *scope, const char *index,
                                       const char *query, const char *const *groups, guint limit,
                                       GCancellable *cancellable, GError **error);

void sqlite_storage_set_keys (ReeveStorage *storage, ReeveStorageKeys *keys);
gboolean sqlite_storage_rotate (ReeveStorage *storage, const char *scope, ReeveRotation how,
                                GCancellable *cancellable, GError **error);
void sqlite_storage_get_cache (ReeveStorage *storage, ReeveStorageCache *cache);
gboolean sqlite_storage_get_protection (ReeveStorage *storage, const char *scope,
                                        ReeveStorageProtection *protection, GError **error);
gboolean sqlite_storage_forget_mark (SqliteStorage *self, const char *scope, GError **error);
gboolean sqlite_storage_expect_new (SqliteStorage *self, const char *scope, const char *file,
                                    GError **error);

G_END_DECLS
