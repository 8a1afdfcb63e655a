/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One open store. The lock file beside it keeps every other process out, since the WAL index lives
 * in this one's heap. Connections are made when they are needed, the one used last is used next, so
 * that a quiet store costs three file descriptors and one page cache. */
#include "sqlite-store.h"

#include "sqlite-migration.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

/* one writes, the others read */
#define STORE_MAX_CONNECTIONS 5
#define STORE_MAX_FREQUENCIES 4096

struct _SqliteStore
{
  const SqliteStoreKind *kind;
  char *scope;
  char *path;
  int lock;
  SqliteKeyring *keyring; /* NULL: nothing is sealed */
  SqliteNode *node;
  SqliteSchema *schema; /* owned by the kind */
  GMutex mutex;
  GCond given;
  GQueue idle; /* of SqliteConnection, last used first */
  guint connections;
  GHashTable *frequencies; /* "index term" -> SqliteStoreFrequency */
};

typedef struct
{
  gint64 texts;
  gint64 frequency;
} SqliteStoreFrequency;

/* all that is done here to a file or folder is done to write */
static void
sqlite_store_set_error (GError **error, const char *doing, const char *path)
{
  int saved = errno;
  ReeveError code = REEVE_ERROR_FAILED;

  switch (saved)
    {
    case EACCES:
    case EROFS:
    case ENOSPC:
    case EDQUOT:
    case EIO:
      code = REEVE_ERROR_READ_ONLY;
      break;
    default:
      break;
    }
  g_set_error (error, REEVE_ERROR, code, "%s %s: %s", doing, path, g_strerror (saved));
}

static gboolean
sqlite_store_sync (const char *path, int flags, GError **error)
{
  int fd = open (path, flags | O_CLOEXEC);
  gboolean synced = fd >= 0 && fsync (fd) == 0;

  if (!synced)
    sqlite_store_set_error (error, "syncing", path);
  if (fd >= 0)
    close (fd);
  return synced;
}

static gboolean
sqlite_store_sync_folder (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  return sqlite_store_sync (folder, O_RDONLY | O_DIRECTORY, error);
}

static gboolean
sqlite_store_unlink (const char *path, const char *suffix, GError **error)
{
  g_autofree char *name = g_strconcat (path, suffix, NULL);

  if (unlink (name) == 0 || errno == ENOENT)
    return TRUE;
  sqlite_store_set_error (error, "removing", name);
  return FALSE;
}

static gboolean
sqlite_store_fill (const SqliteStoreKind *kind, const char *path, GError **error)
{
  g_autoptr (SqliteConnection) connection
      = sqlite_connection_new (kind->vfs, path, SQLITE_CONNECTION_CREATE, error);

  return connection != NULL && sqlite_migration_create (connection, error)
         && sqlite_migration_run (connection, kind->migrations, kind->schemas->len - 1, error);
}

/* makes and fills a file at a name that nothing else uses; a crash leaves it without meaning */
static gboolean
sqlite_store_build (const SqliteStoreKind *kind, const char *scope, const char *path,
                    GError **error)
{
  g_autoptr (SqliteKeyring) keyring = NULL;
  g_autoptr (SqliteNode) node = NULL;
  ReeveStorageMark mark = { 0 };
  gboolean built = FALSE;
  int fd = -1;

  if (!sqlite_store_unlink (path, "", error) || !sqlite_store_unlink (path, "-wal", error)
      || !sqlite_store_unlink (path, "-journal", error))
    return FALSE;
  if (kind->keys != NULL && (keyring = sqlite_keyring_new (kind->keys, scope, error)) == NULL)
    return FALSE;
  /* its mode is decided here: SQLite would follow the umask */
  fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      sqlite_store_set_error (error, "making", path);
      return FALSE;
    }
  close (fd);
  node = sqlite_vfs_add_file (kind->vfs, path, keyring);
  built = sqlite_store_fill (kind, path, error) && sqlite_store_sync (path, O_RDONLY, error);
  sqlite_vfs_remove_file (kind->vfs, path);
  if (!built || keyring == NULL)
    return built;
  /* before the file gets its name: whoever finds it there finds its mark */
  return sqlite_node_get_salt (node, mark.salt)
         && sqlite_keyring_write_mark (keyring, &mark, TRUE, error);
}

/**
 * sqlite_store_create:
 * @kind: what kind of store
 * @scope: whose it is
 * @path: of the file, which must not exist
 * @error: return location
 *
 * Makes a store: complete and durable on return, or not there.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_store_create (const SqliteStoreKind *kind, const char *scope, const char *path,
                     GError **error)
{
  g_autofree char *fresh = g_strconcat (path, ".new", NULL);

  if (!sqlite_store_build (kind, scope, fresh, error) ||
      /* a log of an earlier store of that name must never be taken for this one's */
      !sqlite_store_unlink (path, "-wal", error))
    return FALSE;
  if (g_rename (fresh, path) != 0)
    {
      sqlite_store_set_error (error, "naming", path);
      return FALSE;
    }
  return sqlite_store_sync_folder (path, error);
}

/**
 * sqlite_store_remove:
 * @path: of the file of a store that is closed
 * @error: return location
 *
 * Removes a store with all that lies beside it.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_store_remove (const char *path, GError **error)
{
  return sqlite_store_unlink (path, "", error) && sqlite_store_unlink (path, "-wal", error)
         && sqlite_store_unlink (path, "-journal", error)
         && sqlite_store_unlink (path, ".lock", error) && sqlite_store_sync_folder (path, error);
}

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
sqlite_store_get_keys (SqliteStore *self, GError **error)
{
  if (self->kind->keys != NULL)
    {
      self->keyring = sqlite_keyring_new (self->kind->keys, self->scope, error);
      if (self->keyring == NULL)
        return FALSE;
    }
  self->node = sqlite_vfs_add_file (self->kind->vfs, self->path, self->keyring);
  return TRUE;
}

static gboolean
sqlite_store_prepare (SqliteStore *self, guint number, GError **error)
{
  const ReeveMigration *migrations = self->kind->migrations;
  guint latest = self->kind->schemas->len - 1;
  SqliteConnection *connection = sqlite_store_take (self, error);
  gboolean ready = FALSE;

  if (connection == NULL)
    return FALSE;
  ready = sqlite_migration_check_format (connection, error)
          && sqlite_migration_run (connection, migrations, MIN (number, latest), error);
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
 * (another process has it), %REEVE_ERROR_FORMAT_TOO_NEW or %REEVE_ERROR_CORRUPT
 */
SqliteStore *
sqlite_store_open (const SqliteStoreKind *kind, const char *scope, const char *path, guint number,
                   GError **error)
{
  g_autoptr (SqliteStore) self = NULL;

  if (g_access (path, F_OK) != 0)
    {
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
  if (!sqlite_store_lock (self, error) || !sqlite_store_get_keys (self, error)
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
  g_warn_if_fail (self->idle.length == self->connections);
  g_queue_clear_full (&self->idle, (GDestroyNotify) sqlite_connection_free);
  if (self->node != NULL)
    sqlite_vfs_remove_file (self->kind->vfs, self->path);
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
  while (self->idle.length == 0 && self->connections >= STORE_MAX_CONNECTIONS)
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
      g_cond_signal (&self->given);
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
  g_cond_signal (&self->given);
  g_mutex_unlock (&self->mutex);
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
