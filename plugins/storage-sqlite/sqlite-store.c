/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One open store. The lock file beside it keeps every other process out, since the WAL index lives
 * in this one's heap. Connections are made when they are needed, the one used last is used next, so
 * that a quiet store costs three file descriptors and one page cache. */
#include "sqlite-store-private.h"

#include "sqlite-guard.h"
#include "sqlite-migration.h"
#include "sqlite-rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

/* one writes, the others read */
#define STORE_MAX_CONNECTIONS 5
#define STORE_MAX_FREQUENCIES 4096

typedef struct
{
  gint64 texts;
  gint64 frequency;
} SqliteStoreFrequency;

/* all that is done here to a file or folder is done to write */
static gboolean
sqlite_store_lock (SqliteStore *self, GError **error)
{
  g_autofree char *path = g_strconcat (self->path, ".lock", NULL);

  self->lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (self->lock < 0)
    {
      sqlite_store_set_error (error, "opening", path);
      return FALSE;
    }
  if (flock (self->lock, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (errno == EWOULDBLOCK)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "%s is in use by another process",
                 self->path);
  else
    sqlite_store_set_error (error, "locking", path);
  return FALSE;
}

static gboolean
sqlite_store_look (SqliteStore *self, SqliteGuardVerdict *verdict, GError **error)
{
  if (self->kind->keys != NULL)
    {
      self->keyring = sqlite_keyring_new (self->kind->keys, self->scope, error);
      if (self->keyring == NULL)
        return FALSE;
    }
  if (!sqlite_guard_look (self->scope, self->path, self->keyring, verdict, error))
    return FALSE;
  if (self->keyring != NULL && verdict->kind == SQLITE_GUARD_PLAIN
      && !sqlite_rotation_convert (self->kind, self->path, self->keyring, &verdict->mark, error))
    {
      g_prefix_error (error, "scope %s: encrypting %s: ", self->scope, self->path);
      return FALSE;
    }
  self->node = sqlite_vfs_add_file (self->kind->vfs, self->path, self->keyring);
  if (self->keyring != NULL)
    self->tally = sqlite_tally_new (self->keyring, self->node, self->scope, self->kind->seal_limit);
  return TRUE;
}

/* until the file is known to be the right one, closing it leaves it and its log as they are */
static gboolean
sqlite_store_check (SqliteStore *self, SqliteConnection *connection,
                    const SqliteGuardVerdict *verdict, GError **error)
{
  sqlite_connection_keep_log (connection, TRUE);
  if (!sqlite_migration_check_format (connection, error)
      || (self->tally != NULL
          && !sqlite_tally_load (self->tally, connection, &verdict->mark, error)))
    return FALSE;
  sqlite_connection_keep_log (connection, FALSE);
  return TRUE;
}

static gboolean
sqlite_store_prepare (SqliteStore *self, guint number, GError **error)
{
  const ReeveMigration *migrations = self->kind->migrations;
  guint latest = self->kind->schemas->len - 1;
  SqliteGuardVerdict verdict = { 0 };
  SqliteConnection *connection = NULL;
  gboolean ready = FALSE;

  if (!sqlite_store_look (self, &verdict, error))
    return FALSE;
  connection = sqlite_store_take (self, error);
  ready = connection != NULL && sqlite_store_check (self, connection, &verdict, error);
  /* its log did not mend it */
  if (!ready && verdict.doubt != NULL)
    {
      g_clear_error (error);
      g_propagate_error (error, g_steal_pointer (&verdict.doubt));
    }
  g_clear_error (&verdict.doubt);
  ready = ready && sqlite_migration_run (connection, migrations, MIN (number, latest), error);
  if (connection != NULL)
    sqlite_store_give (self, connection);
  self->schema = g_ptr_array_index (self->kind->schemas, MIN (number, latest));
  return ready;
}

/**
 * sqlite_store_open:
 * @kind: what kind of store
 * @scope: whose it is
 * @path: of the file
 * @number: of the migration that is to stand, or %SQLITE_STORE_LATEST
 * @error: return location
 *
 * Returns: (transfer full): the store; %NULL with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_BUSY
 * (another process has it), %REEVE_ERROR_FORMAT_TOO_NEW, %REEVE_ERROR_CORRUPT, or as
 * sqlite_guard_look()
 */
SqliteStore *
sqlite_store_open (const SqliteStoreKind *kind, const char *scope, const char *path, guint number,
                   GError **error)
{
  g_autoptr (SqliteStore) self = NULL;

  if (g_access (path, F_OK) != 0)
    {
      if (kind->keys == NULL || sqlite_guard_expect_new (kind->keys, scope, path, error))
        g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such scope");
      return NULL;
    }
  self = g_new0 (SqliteStore, 1);
  self->kind = kind;
  self->scope = g_strdup (scope);
  self->path = g_strdup (path);
  self->lock = -1;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->given);
  self->frequencies = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!sqlite_store_lock (self, error)
      /* a copy that a crash left: sealed, and of no use */
      || !sqlite_store_unlink (self->path, ".copy", error)
      || !sqlite_store_prepare (self, number, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * sqlite_store_close:
 * @self: (transfer full): a store whose connections were all given back
 *
 * Closes it; its log is brought home.
 */
void
sqlite_store_close (SqliteStore *self)
{
  g_autoptr (GError) error = NULL;

  g_warn_if_fail (self->idle.length == self->connections);
  if (self->tally != NULL && !sqlite_tally_save (self->tally, &error))
    g_warning ("closing a store: %s", error->message);
  g_queue_clear_full (&self->idle, (GDestroyNotify) sqlite_connection_free);
  if (self->node != NULL)
    sqlite_vfs_remove_file (self->kind->vfs, self->path);
  g_clear_pointer (&self->tally, sqlite_tally_free);
  g_clear_pointer (&self->node, sqlite_node_unref);
  g_clear_pointer (&self->keyring, sqlite_keyring_unref);
  /* only now: the lock says that no connection of this process is left */
  if (self->lock >= 0)
    close (self->lock);
  g_hash_table_unref (self->frequencies);
  g_cond_clear (&self->given);
  g_mutex_clear (&self->mutex);
  g_free (self->scope);
  g_free (self->path);
  g_free (self);
}

/**
 * sqlite_store_get_schema:
 * @self: a store
 *
 * Returns: (transfer none): what is declared in it
 */
SqliteSchema *
sqlite_store_get_schema (SqliteStore *self)
{
  return self->schema;
}

/**
 * sqlite_store_take:
 * @self: a store
 * @error: return location
 *
 * Takes a connection for this thread, waiting when all are taken.
 *
 * Returns: (transfer none): a connection, to be given back; %NULL on error
 */
SqliteConnection *
sqlite_store_take (SqliteStore *self, GError **error)
{
  SqliteConnection *connection = NULL;

  g_mutex_lock (&self->mutex);
  while (self->closed || (self->idle.length == 0 && self->connections >= STORE_MAX_CONNECTIONS))
    g_cond_wait (&self->given, &self->mutex);
  connection = g_queue_pop_head (&self->idle);
  if (connection == NULL)
    self->connections++;
  g_mutex_unlock (&self->mutex);
  if (connection != NULL)
    return connection;
  connection = sqlite_connection_new (self->kind->vfs, self->path, SQLITE_CONNECTION_OPEN, error);
  if (connection == NULL)
    {
      g_mutex_lock (&self->mutex);
      self->connections--;
      g_cond_broadcast (&self->given);
      g_mutex_unlock (&self->mutex);
    }
  return connection;
}

/**
 * sqlite_store_give:
 * @self: a store
 * @connection: (transfer full): a connection taken from it
 *
 * Gives it back. A broken one is closed.
 */
void
sqlite_store_give (SqliteStore *self, SqliteConnection *connection)
{
  gboolean broken = sqlite_connection_is_broken (connection);

  if (broken)
    sqlite_connection_free (connection);
  g_mutex_lock (&self->mutex);
  if (broken)
    self->connections--;
  else
    g_queue_push_head (&self->idle, connection);
  g_cond_broadcast (&self->given);
  g_mutex_unlock (&self->mutex);
}

/**
 * sqlite_store_take_writer:
 * @self: a store
 * @polite: let others go first that wait for it
 * @error: return location
 *
 * Takes the connection that writes, waiting while somebody has it. One writes at a time.
 *
 * Returns: (transfer none): a connection, to be given back by sqlite_store_give_writer(); %NULL on
 * error
 */
SqliteConnection *
sqlite_store_take_writer (SqliteStore *self, gboolean polite, GError **error)
{
  SqliteConnection *connection = NULL;

  g_mutex_lock (&self->mutex);
  self->writers_waiting += polite ? 0 : 1;
  while (self->writing || (polite && self->writers_waiting > 0))
    g_cond_wait (&self->given, &self->mutex);
  self->writers_waiting -= polite ? 0 : 1;
  self->writing = TRUE;
  connection = self->source;
  g_mutex_unlock (&self->mutex);
  if (connection == NULL)
    connection = sqlite_store_take (self, error);
  if (connection == NULL)
    sqlite_store_end_writing (self);
  return connection;
}

/**
 * sqlite_store_give_writer:
 * @self: a store
 * @connection: (transfer full): taken by sqlite_store_take_writer()
 *
 * Gives it back.
 */
void
sqlite_store_give_writer (SqliteStore *self, SqliteConnection *connection)
{
  if (connection != self->source)
    sqlite_store_give (self, connection);
  sqlite_store_end_writing (self);
}

/**
 * sqlite_store_set_source:
 * @self: a store
 * @source: (nullable): the connection that the caller has to write; %NULL: all are alike again
 *
 * While a file is copied through a connection, whatever is written must be written through the same
 * one, or the copy begins anew.
 */
void
sqlite_store_set_source (SqliteStore *self, SqliteConnection *source)
{
  g_mutex_lock (&self->mutex);
  g_warn_if_fail (self->writing);
  self->source = source;
  g_mutex_unlock (&self->mutex);
}

/**
 * sqlite_store_replace:
 * @self: a store
 * @source: (transfer full): the source of the copy, which the caller has to write
 * @fresh: a complete copy
 * @error: return location
 *
 * Puts a copy in the place of the file: waits for readers, closes all connections, brings the log
 * home. Who wants a connection meanwhile waits. The caller does not have the connection any more
 * then, but is still the one who writes.
 *
 * Returns: %FALSE on error; the old file stays, or the new one is there and could not be synced
 */
gboolean
sqlite_store_replace (SqliteStore *self, SqliteConnection *source, const char *fresh,
                      GError **error)
{
  GQueue idle = G_QUEUE_INIT;
  gboolean moved = FALSE;

  g_mutex_lock (&self->mutex);
  self->closed = TRUE;
  while (self->idle.length + 1 < self->connections)
    g_cond_wait (&self->given, &self->mutex);
  idle = self->idle;
  g_queue_init (&self->idle);
  g_mutex_unlock (&self->mutex);
  g_queue_clear_full (&idle, (GDestroyNotify) sqlite_connection_free);
  moved = sqlite_connection_truncate_log (source, error);
  sqlite_connection_free (source);
  moved = moved && sqlite_store_move_in (fresh, self->path, error);
  sqlite_node_shrink (self->node, 0);
  g_mutex_lock (&self->mutex);
  self->closed = FALSE;
  self->source = NULL;
  self->connections = 0;
  g_cond_broadcast (&self->given);
  g_mutex_unlock (&self->mutex);
  return moved;
}

/**
 * sqlite_store_end_writing:
 * @self: a store
 *
 * Lets others write, after sqlite_store_replace().
 */
void
sqlite_store_end_writing (SqliteStore *self)
{
  g_mutex_lock (&self->mutex);
  self->writing = FALSE;
  g_cond_broadcast (&self->given);
  g_mutex_unlock (&self->mutex);
}

/**
 * sqlite_store_get_path:
 * @self: a store
 *
 * Returns: (transfer none): of its file
 */
const char *
sqlite_store_get_path (SqliteStore *self)
{
  return self->path;
}

/**
 * sqlite_store_get_vfs:
 * @self: a store
 *
 * Returns: (transfer none): the file layer
 */
SqliteVfs *
sqlite_store_get_vfs (SqliteStore *self)
{
  return self->kind->vfs;
}

/**
 * sqlite_store_get_tally:
 * @self: a store
 *
 * Returns: (transfer none) (nullable): its numbers; %NULL where nothing is sealed
 */
SqliteTally *
sqlite_store_get_tally (SqliteStore *self)
{
  return self->tally;
}

/**
 * sqlite_store_get_keyring:
 * @self: a store
 *
 * Returns: (transfer none) (nullable): its keys; %NULL where nothing is sealed
 */
SqliteKeyring *
sqlite_store_get_keyring (SqliteStore *self)
{
  return self->keyring;
}

/**
 * sqlite_store_get_node:
 * @self: a store
 *
 * Returns: (transfer none): what its connections share
 */
SqliteNode *
sqlite_store_get_node (SqliteStore *self)
{
  return self->node;
}

/**
 * sqlite_store_find_frequency:
 * @self: a store
 * @index: a text index
 * @term: a term of it
 * @texts: how many texts it has now
 * @frequency: (out): how many of them held the term when it was counted
 *
 * Returns: whether it was counted, and the index has hardly changed since
 */
gboolean
sqlite_store_find_frequency (SqliteStore *self, const char *index, const char *term, gint64 texts,
                             gint64 *frequency)
{
  g_autofree char *key = g_strconcat (index, " ", term, NULL);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  const SqliteStoreFrequency *known = g_hash_table_lookup (self->frequencies, key);

  if (known == NULL || ABS (texts - known->texts) > known->texts / 10)
    return FALSE;
  *frequency = known->frequency;
  return TRUE;
}

/**
 * sqlite_store_add_frequency:
 * @self: a store
 * @index: a text index
 * @term: a term of it
 * @texts: how many texts it has
 * @frequency: how many of them hold the term
 *
 * Remembers a count.
 */
void
sqlite_store_add_frequency (SqliteStore *self, const char *index, const char *term, gint64 texts,
                            gint64 frequency)
{
  SqliteStoreFrequency *known = g_new (SqliteStoreFrequency, 1);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  known->texts = texts;
  known->frequency = frequency;
  if (g_hash_table_size (self->frequencies) >= STORE_MAX_FREQUENCIES)
    g_hash_table_remove_all (self->frequencies);
  g_hash_table_replace (self->frequencies, g_strconcat (index, " ", term, NULL), known);
}
