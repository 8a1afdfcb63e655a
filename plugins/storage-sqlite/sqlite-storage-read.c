/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What SqliteStorage reads: each call borrows a connection of the scope's store. */
#include "sqlite-storage-private.h"

#include "sqlite-query.h"
#include "sqlite-queue.h"
#include "sqlite-text.h"

gboolean
sqlite_storage_begin (ReeveStorage *storage, const char *scope, SqliteStorageUse *use,
                      GError **error)
{
  use->cache = SQLITE_STORAGE (storage)->cache;
  use->scope = scope;
  use->store = sqlite_cache_acquire (use->cache, scope, error);
  if (use->store == NULL)
    return FALSE;
  use->connection = sqlite_store_take (use->store, error);
  if (use->connection != NULL)
    return TRUE;
  sqlite_cache_release (use->cache, scope);
  return FALSE;
}

void
sqlite_storage_end (SqliteStorageUse *use)
{
  sqlite_store_give (use->store, use->connection);
  sqlite_cache_release (use->cache, use->scope);
}

static ReeveRecord *
sqlite_storage_read_record (SqliteStorageUse *use, const char *collection, const char *id,
                            GError **error)
{
  const SqliteCollection *declared
      = sqlite_schema_find_collection (sqlite_store_get_schema (use->store), collection, error);
  g_autoptr (JsonObject) fields = NULL;
  sqlite3_stmt *statement = NULL;
  gint64 revision = 0;
  gboolean row = FALSE;

  if (declared == NULL)
    return NULL;
  statement = sqlite_connection_prepare (use->connection, declared->select, error);
  if (statement == NULL)
    return NULL;
  sqlite_connection_bind_text (statement, 1, id);
  if (!sqlite_connection_step (use->connection, statement, &row, error))
    return NULL;
  if (!row)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such record in %s", collection);
      return NULL;
    }
  revision = sqlite3_column_int64 (statement, 0);
  fields = sqlite_query_parse_object ((const char *) sqlite3_column_text (statement, 1), error);
  sqlite3_reset (statement);
  return fields != NULL ? reeve_record_new (id, revision, fields) : NULL;
}

ReeveRecord *
sqlite_storage_get (ReeveStorage *storage, const char *scope, const char *collection,
                    const char *id, GError **error)
{
  SqliteStorageUse use = { 0 };
  ReeveRecord *record = NULL;

  if (!sqlite_storage_begin (storage, scope, &use, error))
    return NULL;
  record = sqlite_storage_read_record (&use, collection, id, error);
  sqlite_storage_end (&use);
  return record;
}

static gboolean
sqlite_storage_is_cancelled (GCancellable *cancellable, GError **error)
{
  if (!g_cancellable_is_cancelled (cancellable))
    return FALSE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "cancelled");
  return TRUE;
}

ReeveQueryResult *
sqlite_storage_query (ReeveStorage *storage, ReeveQuery *query, GCancellable *cancellable,
                      GError **error)
{
  SqliteStorageUse use = { 0 };
  ReeveQueryResult *result = NULL;

  if (sqlite_storage_is_cancelled (cancellable, error))
    return NULL;
  if (!sqlite_storage_begin (storage, reeve_query_get_scope (query), &use, error))
    return NULL;
  sqlite_connection_watch (use.connection, cancellable);
  result = sqlite_query_run (use.connection, sqlite_store_get_schema (use.store), query, error);
  sqlite_connection_watch (use.connection, NULL);
  sqlite_storage_end (&use);
  return result;
}

GPtrArray *
sqlite_storage_read_stream (ReeveStorage *storage, const char *scope, const char *stream,
                            gint64 after, guint limit, GError **error)
{
  SqliteStorageUse use = { 0 };
  GPtrArray *entries = NULL;

  if (!sqlite_storage_begin (storage, scope, &use, error))
    return NULL;
  entries = sqlite_queue_read_stream (use.connection, stream, after, limit, error);
  sqlite_storage_end (&use);
  return entries;
}

static gboolean
sqlite_storage_read_counter (SqliteConnection *connection, const char *counter, gint64 *value,
                             GError **error)
{
  sqlite3_stmt *statement
      = sqlite_connection_prepare (connection, "SELECT value FROM counters WHERE name = ?1", error);
  gboolean row = FALSE;

  *value = 0;
  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, counter);
  if (!sqlite_connection_step (connection, statement, &row, error))
    return FALSE;
  if (row)
    *value = sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);
  return TRUE;
}

gboolean
sqlite_storage_get_counter (ReeveStorage *storage, const char *scope, const char *counter,
                            gint64 *value, GError **error)
{
  SqliteStorageUse use = { 0 };
  gboolean read = FALSE;

  if (!sqlite_storage_begin (storage, scope, &use, error))
    return FALSE;
  read = sqlite_storage_read_counter (use.connection, counter, value, error);
  sqlite_storage_end (&use);
  return read;
}

static GBytes *
sqlite_storage_read_blob (SqliteConnection *connection, const char *id, GError **error)
{
  sqlite3_stmt *statement
      = sqlite_connection_prepare (connection, "SELECT bytes FROM blobs WHERE id = ?1", error);
  gboolean row = FALSE;
  GBytes *bytes = NULL;

  if (statement == NULL)
    return NULL;
  sqlite_connection_bind_text (statement, 1, id);
  if (!sqlite_connection_step (connection, statement, &row, error))
    return NULL;
  if (!row)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such blob");
      return NULL;
    }
  bytes = g_bytes_new (sqlite3_column_blob (statement, 0),
                       (gsize) sqlite3_column_bytes (statement, 0));
  sqlite3_reset (statement);
  return bytes;
}

GBytes *
sqlite_storage_get_blob (ReeveStorage *storage, const char *scope, const char *id, GError **error)
{
  SqliteStorageUse use = { 0 };
  GBytes *bytes = NULL;

  if (!sqlite_storage_begin (storage, scope, &use, error))
    return NULL;
  bytes = sqlite_storage_read_blob (use.connection, id, error);
  sqlite_storage_end (&use);
  return bytes;
}

GPtrArray *
sqlite_storage_search_text (ReeveStorage *storage, const char *scope, const char *index,
                            const char *query, const char *const *groups, guint limit,
                            GCancellable *cancellable, GError **error)
{
  const SqliteTextSearch search = { index, query, groups, limit };
  SqliteStorageUse use = { 0 };
  GPtrArray *hits = NULL;

  if (sqlite_storage_is_cancelled (cancellable, error))
    return NULL;
  if (!sqlite_storage_begin (storage, scope, &use, error))
    return NULL;
  sqlite_connection_watch (use.connection, cancellable);
  hits = sqlite_text_search (use.store, use.connection, &search, error);
  sqlite_connection_watch (use.connection, NULL);
  sqlite_storage_end (&use);
  return hits;
}
