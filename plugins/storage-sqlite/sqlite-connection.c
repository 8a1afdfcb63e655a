/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection to a store file. It keeps prepared statements, maps result codes to the codes of
 * REEVE_ERROR, and remembers whether it met an error after which it must not be used again. */
#include "sqlite-connection.h"

#include "sqlite-code.h"
#include "sqlite-rank.h"

#include <string.h>

#define CONNECTION_STATEMENTS   96
#define CONNECTION_CACHE_KIB    "256"
#define CONNECTION_BUSY_MS      10000
#define CONNECTION_WATCH_OPS    2000
#define CONNECTION_JOURNAL_SIZE "4194304"

typedef struct
{
  char *sql;
  sqlite3_stmt *statement;
  GList link; /* in the queue of use, last used first */
} SqliteConnectionEntry;

struct _SqliteConnection
{
  SqliteVfs *vfs;
  char *path;
  sqlite3 *db;
  GHashTable *statements; /* sql -> SqliteConnectionEntry */
  GQueue used;
  GCancellable *cancellable;
  gboolean broken;
  guint wal_pages;
};

static void
sqlite_connection_entry_free (SqliteConnectionEntry *entry)
{
  sqlite3_finalize (entry->statement);
  g_free (entry->sql);
  g_free (entry);
}

static void
sqlite_connection_fail (SqliteConnection *self, int code, GError **error)
{
  g_autofree char *fault = code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_AUTH
                               ? sqlite_vfs_take_fault (self->vfs, self->path)
                               : NULL;
  const char *message = self->db != NULL ? sqlite3_errmsg (self->db) : sqlite3_errstr (code);

  switch (code & 0xff)
    {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
      self->broken = TRUE;
      break;
    default:
      break;
    }
  g_set_error (error, REEVE_ERROR, sqlite_code_map (self->db, code, message), "%s (sqlite %d)",
               fault != NULL ? fault : message, code);
}

static int
sqlite_connection_progress (void *data)
{
  SqliteConnection *self = data;

  return g_cancellable_is_cancelled (self->cancellable) ? 1 : 0;
}

static int
sqlite_connection_wal (void *data, sqlite3 *db, const char *name, int pages)
{
  SqliteConnection *self = data;

  self->wal_pages = (guint) pages;
  return SQLITE_OK;
}

static gboolean
sqlite_connection_configure (SqliteConnection *self, SqliteConnectionMode mode, GError **error)
{
  int reserve = SQLITE_VFS_RESERVE;
  int code = SQLITE_OK;

  sqlite3_extended_result_codes (self->db, 1);
  sqlite3_busy_timeout (self->db, CONNECTION_BUSY_MS);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
  sqlite3_wal_hook (self->db, sqlite_connection_wal, self);
  if (!sqlite_rank_register (self->db, error))
    return FALSE;
  /* before anything is read or written: the reserve of a new file is decided by its first write */
  code = sqlite3_file_control (self->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
  if (code != SQLITE_OK)
    {
      sqlite_connection_fail (self, code, error);
      g_prefix_error (error, "reserving bytes: ");
      return FALSE;
    }
  if (!sqlite_connection_exec (self,
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA cache_size = -" CONNECTION_CACHE_KIB ";"
                               "PRAGMA journal_size_limit = " CONNECTION_JOURNAL_SIZE,
                               error))
    return FALSE;
  if (mode == SQLITE_CONNECTION_CREATE)
    return sqlite_connection_exec (self,
                                   "PRAGMA page_size = 4096;"
                                   "PRAGMA auto_vacuum = NONE;"
                                   "PRAGMA synchronous = OFF;"
                                   "PRAGMA journal_mode = WAL",
                                   error);
  if (mode == SQLITE_CONNECTION_COPY)
    return sqlite_connection_exec (self,
                                   "PRAGMA page_size = 4096;"
                                   "PRAGMA synchronous = OFF;"
                                   "PRAGMA journal_mode = OFF",
                                   error);
  return sqlite_connection_exec (self, "PRAGMA synchronous = FULL", error);
}

/**
 * sqlite_connection_new:
 * @vfs: the file layer
 * @path: of the store file
 * @mode: open one that is there, or a new one
 * @error: return location
 *
 * Returns: (transfer full): a connection, or %NULL
 */
SqliteConnection *
sqlite_connection_new (SqliteVfs *vfs, const char *path, SqliteConnectionMode mode, GError **error)
{
  g_autoptr (SqliteConnection) self = g_new0 (SqliteConnection, 1);
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  int code = SQLITE_OK;

  self->vfs = vfs;
  self->path = g_strdup (path);
  self->statements = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                            (GDestroyNotify) sqlite_connection_entry_free);
  if (mode != SQLITE_CONNECTION_OPEN)
    flags |= SQLITE_OPEN_CREATE;
  code = sqlite3_open_v2 (path, &self->db, flags, sqlite_vfs_get_name (vfs));
  if (code != SQLITE_OK)
    {
      sqlite_connection_fail (self, code, error);
      return NULL;
    }
  /* a file that is refused stays as it is */
  sqlite_connection_keep_log (self, TRUE);
  if (!sqlite_connection_configure (self, mode, error))
    return NULL;
  sqlite_connection_keep_log (self, FALSE);
  return g_steal_pointer (&self);
}

/**
 * sqlite_connection_free:
 * @self: (transfer full): a connection
 *
 * Closes it; the last one to a file brings its log home.
 */
void
sqlite_connection_free (SqliteConnection *self)
{
  g_clear_pointer (&self->statements, g_hash_table_unref);
  if (self->db != NULL && sqlite3_close (self->db) != SQLITE_OK)
    g_critical ("a store was closed while a statement was in use");
  g_free (self->path);
  g_free (self);
}

/**
 * sqlite_connection_get_db:
 * @self: a connection
 *
 * Returns: (transfer none): the handle below
 */
sqlite3 *
sqlite_connection_get_db (SqliteConnection *self)
{
  return self->db;
}

/**
 * sqlite_connection_prepare:
 * @self: a connection
 * @sql: one statement with numbered parameters
 * @error: return location
 *
 * Returns: (transfer none): the statement, reset and without bindings; valid until as many others
 * were asked for as are kept
 */
sqlite3_stmt *
sqlite_connection_prepare (SqliteConnection *self, const char *sql, GError **error)
{
  SqliteConnectionEntry *entry = g_hash_table_lookup (self->statements, sql);
  sqlite3_stmt *statement = NULL;
  int code = SQLITE_OK;

  if (entry != NULL)
    {
      g_queue_unlink (&self->used, &entry->link);
      g_queue_push_head_link (&self->used, &entry->link);
      sqlite3_reset (entry->statement);
      sqlite3_clear_bindings (entry->statement);
      return entry->statement;
    }
  code = sqlite3_prepare_v3 (self->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  if (code != SQLITE_OK)
    {
      sqlite_connection_fail (self, code, error);
      g_prefix_error (error, "preparing a statement: ");
      return NULL;
    }
  if (self->used.length >= CONNECTION_STATEMENTS)
    {
      GList *last = g_queue_pop_tail_link (&self->used);

      g_hash_table_remove (self->statements, ((SqliteConnectionEntry *) last->data)->sql);
    }
  entry = g_new0 (SqliteConnectionEntry, 1);
  entry->sql = g_strdup (sql);
  entry->statement = statement;
  entry->link.data = entry;
  g_hash_table_insert (self->statements, entry->sql, entry);
  g_queue_push_head_link (&self->used, &entry->link);
  return statement;
}

/**
 * sqlite_connection_bind_text:
 * @statement: a statement
 * @position: of the parameter, from 1
 * @text: (nullable): its value, which must live until the statement is reset
 *
 * Binds text.
 */
void
sqlite_connection_bind_text (sqlite3_stmt *statement, int position, const char *text)
{
  sqlite3_bind_text (statement, position, text, -1, SQLITE_STATIC);
}

/**
 * sqlite_connection_step:
 * @self: a connection
 * @statement: a prepared statement
 * @row: (out): whether there is a row; the statement is reset when there is none
 * @error: return location
 *
 * Returns: %FALSE on error; the statement is reset then
 */
gboolean
sqlite_connection_step (SqliteConnection *self, sqlite3_stmt *statement, gboolean *row,
                        GError **error)
{
  int code = sqlite3_step (statement);

  *row = code == SQLITE_ROW;
  if (code == SQLITE_ROW)
    return TRUE;
  if (code != SQLITE_DONE)
    sqlite_connection_fail (self, code, error);
  sqlite3_reset (statement);
  return code == SQLITE_DONE;
}

/**
 * sqlite_connection_run:
 * @self: a connection
 * @statement: a prepared statement whose rows do not matter
 * @error: return location
 *
 * Runs it to its end.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_connection_run (SqliteConnection *self, sqlite3_stmt *statement, GError **error)
{
  gboolean row = TRUE;

  while (row)
    if (!sqlite_connection_step (self, statement, &row, error))
      return FALSE;
  return TRUE;
}

/**
 * sqlite_connection_exec:
 * @self: a connection
 * @sql: statements without parameters, of ours
 * @error: return location
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_connection_exec (SqliteConnection *self, const char *sql, GError **error)
{
  int code = sqlite3_exec (self->db, sql, NULL, NULL, NULL);

  if (code == SQLITE_OK)
    return TRUE;
  sqlite_connection_fail (self, code, error);
  return FALSE;
}

/**
 * sqlite_connection_get_int:
 * @self: a connection
 * @sql: a statement without parameters that gives one number
 * @value: (out): it; 0 without a row
 * @error: return location
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_connection_get_int (SqliteConnection *self, const char *sql, gint64 *value, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (self, sql, error);
  gboolean row = FALSE;

  *value = 0;
  if (statement == NULL || !sqlite_connection_step (self, statement, &row, error))
    return FALSE;
  if (row)
    *value = sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);
  return TRUE;
}

/**
 * sqlite_connection_begin:
 * @self: a connection
 * @error: return location
 *
 * Begins a transaction that writes.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_connection_begin (SqliteConnection *self, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (self, "BEGIN IMMEDIATE", error);

  return statement != NULL && sqlite_connection_run (self, statement, error);
}

/**
 * sqlite_connection_commit:
 * @self: a connection in a transaction
 * @error: return location
 *
 * Makes the transaction durable.
 *
 * Returns: %FALSE on error, and nothing of it stands; with %REEVE_ERROR_UNKNOWN_OUTCOME where the
 * disk failed and it may come back after a restart
 */
gboolean
sqlite_connection_commit (SqliteConnection *self, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (self, "COMMIT", error);
  int code = SQLITE_OK;

  if (statement == NULL)
    return FALSE;
  code = sqlite3_step (statement);
  if (code == SQLITE_DONE)
    {
      sqlite3_reset (statement);
      return TRUE;
    }
  /* what was written before a failed sync may be there after a restart, or not */
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
    {
      self->broken = TRUE;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME, "%s (sqlite %d)",
                   sqlite3_errmsg (self->db), code);
    }
  else
    {
      sqlite_connection_fail (self, code, error);
    }
  sqlite3_reset (statement);
  sqlite_connection_rollback (self);
  return FALSE;
}

/**
 * sqlite_connection_rollback:
 * @self: a connection
 *
 * Undoes the transaction, if there is one. A connection that cannot even do that is broken.
 */
void
sqlite_connection_rollback (SqliteConnection *self)
{
  g_autoptr (GError) error = NULL;

  if (sqlite3_get_autocommit (self->db) != 0)
    return;
  if (!sqlite_connection_exec (self, "ROLLBACK", &error))
    {
      g_warning ("rolling back: %s", error->message);
      self->broken = TRUE;
    }
}

/**
 * sqlite_connection_in_transaction:
 * @self: a connection
 *
 * Returns: whether a transaction is open: some errors end it
 */
gboolean
sqlite_connection_in_transaction (SqliteConnection *self)
{
  return sqlite3_get_autocommit (self->db) == 0;
}

/**
 * sqlite_connection_is_broken:
 * @self: a connection
 *
 * Returns: whether it met an error after which it must not be used again
 */
gboolean
sqlite_connection_is_broken (SqliteConnection *self)
{
  return self->broken;
}

/**
 * sqlite_connection_watch:
 * @self: a connection
 * @cancellable: (nullable): interrupts what runs from now on; %NULL for nothing
 *
 * Makes long statements cancellable.
 */
void
sqlite_connection_watch (SqliteConnection *self, GCancellable *cancellable)
{
  self->cancellable = cancellable;
  if (cancellable != NULL)
    sqlite3_progress_handler (self->db, CONNECTION_WATCH_OPS, sqlite_connection_progress, self);
  else
    sqlite3_progress_handler (self->db, 0, NULL, NULL);
}

/**
 * sqlite_connection_keep_log:
 * @self: a connection
 * @keep: whether closing it leaves the log as it is, even where it is the last one
 */
void
sqlite_connection_keep_log (SqliteConnection *self, gboolean keep)
{
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, NULL);
}

/**
 * sqlite_connection_truncate_log:
 * @self: a connection outside a transaction
 * @error: return location
 *
 * Brings all of the log home and makes it empty, waiting for readers for a while.
 *
 * Returns: %FALSE on error, %REEVE_ERROR_BUSY where readers did not end
 */
gboolean
sqlite_connection_truncate_log (SqliteConnection *self, GError **error)
{
  int code = sqlite3_wal_checkpoint_v2 (self->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

  if (code == SQLITE_OK)
    return TRUE;
  sqlite_connection_fail (self, code, error);
  g_prefix_error (error, "bringing the log home: ");
  return FALSE;
}

/**
 * sqlite_connection_checkpoint:
 * @self: a connection outside a transaction
 * @pages: least size of the log that is worth it
 *
 * Brings the log home as far as readers allow. After a commit was acknowledged, so that nobody
 * waits for it.
 */
void
sqlite_connection_checkpoint (SqliteConnection *self, guint pages)
{
  int code = SQLITE_OK;

  if (self->wal_pages < pages)
    return;
  self->wal_pages = 0;
  code = sqlite3_wal_checkpoint_v2 (self->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  if (code != SQLITE_OK && code != SQLITE_BUSY)
    g_warning ("bringing a log home: %s", sqlite3_errmsg (self->db));
}

/**
 * sqlite_connection_bring_home:
 * @self: the only connection to its file, outside a transaction
 * @error: return location
 *
 * Brings all of the log home and empties it. Closing does so too, but cannot say that it failed.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_connection_bring_home (SqliteConnection *self, GError **error)
{
  int code = sqlite3_wal_checkpoint_v2 (self->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

  if (code == SQLITE_OK)
    return TRUE;
  sqlite_connection_fail (self, code, error);
  g_prefix_error (error, "bringing the log home: ");
  return FALSE;
}
