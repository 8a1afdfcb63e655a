/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all connections of this process to one store file share. One process has a store at a time
 * (sqlite-store.c), so that what stands here is always what stands on disk; a connection opened
 * while the file was empty learns its salt like all others. */
#include "sqlite-node.h"

#include "sqlite-random.h"

#include <string.h>

struct _SqliteNode
{
  gatomicrefcount references;
  char *path;
  SqliteKeyring *keyring; /* NULL: nothing is sealed */
  GMutex mutex;
  gboolean has_salt;
  guint8 salt[REEVE_STORAGE_SALT_SIZE];
  guint8 log_salts[SQLITE_SEAL_SALTS];
  gint64 size;
  gboolean recovering;
  char *fault;
};

/**
 * sqlite_node_new:
 * @path: of a store file
 * @keyring: (nullable): its scope's keys; %NULL for a file that is not sealed
 *
 * Returns: (transfer full): what its connections share
 */
SqliteNode *
sqlite_node_new (const char *path, SqliteKeyring *keyring)
{
  SqliteNode *self = g_new0 (SqliteNode, 1);

  g_atomic_ref_count_init (&self->references);
  self->path = g_strdup (path);
  self->keyring = keyring != NULL ? sqlite_keyring_ref (keyring) : NULL;
  g_mutex_init (&self->mutex);
  return self;
}

/**
 * sqlite_node_ref:
 * @self: a node
 *
 * Returns: (transfer full): it
 */
SqliteNode *
sqlite_node_ref (SqliteNode *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * sqlite_node_unref:
 * @self: (transfer full): a node
 *
 * Lets go of it.
 */
void
sqlite_node_unref (SqliteNode *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_clear_pointer (&self->keyring, sqlite_keyring_unref);
  g_mutex_clear (&self->mutex);
  g_free (self->fault);
  g_free (self->path);
  g_free (self);
}

/**
 * sqlite_node_get_path:
 * @self: a node
 *
 * Returns: (transfer none): of the store file
 */
const char *
sqlite_node_get_path (SqliteNode *self)
{
  return self->path;
}

/**
 * sqlite_node_get_keyring:
 * @self: a node
 *
 * Returns: (transfer none) (nullable): the keys that seal it
 */
SqliteKeyring *
sqlite_node_get_keyring (SqliteNode *self)
{
  return self->keyring;
}

/**
 * sqlite_node_load_salt:
 * @self: a node
 * @file: its store file, as it lies on disk
 *
 * Reads the file's salt, if it is not known and the file has one by now.
 *
 * Returns: an SQLite result code
 */
int
sqlite_node_load_salt (SqliteNode *self, sqlite3_file *file)
{
  guint8 salt[REEVE_STORAGE_SALT_SIZE] = { 0 };
  guint8 known[REEVE_STORAGE_SALT_SIZE] = { 0 };
  int code = SQLITE_OK;

  if (self->keyring == NULL || sqlite_node_get_salt (self, known))
    return SQLITE_OK;
  code = file->pMethods->xRead (file, salt, sizeof salt, 0);
  if (code == SQLITE_OK)
    sqlite_node_set_salt (self, salt);
  return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

/**
 * sqlite_node_get_salt:
 * @self: a node
 * @salt: (out caller-allocates): the file's salt
 *
 * Returns: whether it is known
 */
gboolean
sqlite_node_get_salt (SqliteNode *self, guint8 *salt)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  memcpy (salt, self->salt, sizeof self->salt);
  return self->has_salt;
}

/**
 * sqlite_node_need_salt:
 * @self: a node
 * @salt: (out caller-allocates): the file's salt, made now if the file has none
 *
 * Returns: %FALSE where there is no randomness
 */
gboolean
sqlite_node_need_salt (SqliteNode *self, guint8 *salt)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (!self->has_salt && !sqlite_random_fill (self->salt, sizeof self->salt))
    return FALSE;
  self->has_salt = TRUE;
  memcpy (salt, self->salt, sizeof self->salt);
  return TRUE;
}

/**
 * sqlite_node_set_salt:
 * @self: a node
 * @salt: of the file; a file that is new gets this one
 */
void
sqlite_node_set_salt (SqliteNode *self, const guint8 *salt)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  memcpy (self->salt, salt, sizeof self->salt);
  self->has_salt = TRUE;
}

/**
 * sqlite_node_get_log_salts:
 * @self: a node
 * @salts: (out caller-allocates): of the log
 *
 * Frames are bound to the salts of the log's header: those in a frame's own header are zero while a
 * transaction rewrites its frames.
 */
void
sqlite_node_get_log_salts (SqliteNode *self, guint8 *salts)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  memcpy (salts, self->log_salts, sizeof self->log_salts);
}

/**
 * sqlite_node_set_log_salts:
 * @self: a node
 * @salts: of the log
 */
void
sqlite_node_set_log_salts (SqliteNode *self, const guint8 *salts)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  memcpy (self->log_salts, salts, sizeof self->log_salts);
}

/**
 * sqlite_node_get_size:
 * @self: a node
 *
 * Returns: bytes that the file has at least
 */
gint64
sqlite_node_get_size (SqliteNode *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->size;
}

/**
 * sqlite_node_grow:
 * @self: a node
 * @size: bytes that the file has at least
 */
void
sqlite_node_grow (SqliteNode *self, gint64 size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  self->size = MAX (self->size, size);
}

/**
 * sqlite_node_shrink:
 * @self: a node
 * @size: that the file was cut to
 */
void
sqlite_node_shrink (SqliteNode *self, gint64 size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  self->size = MIN (self->size, size);
}

/**
 * sqlite_node_is_recovering:
 * @self: a node
 *
 * Returns: whether a connection recovers the log; then nobody else uses it
 */
gboolean
sqlite_node_is_recovering (SqliteNode *self)
{
  return g_atomic_int_get (&self->recovering);
}

/**
 * sqlite_node_set_recovering:
 * @self: a node
 * @recovering: whether a connection recovers the log
 */
void
sqlite_node_set_recovering (SqliteNode *self, gboolean recovering)
{
  g_atomic_int_set (&self->recovering, recovering);
}

/**
 * sqlite_node_set_fault:
 * @self: a node
 * @format: what is wrong with the file, for people
 * @...: for it
 *
 * SQLite passes numbers only, so that the reason takes this way.
 */
void
sqlite_node_set_fault (SqliteNode *self, const char *format, ...)
{
  g_autofree char *fault = NULL;
  va_list args;

  va_start (args, format);
  fault = g_strdup_vprintf (format, args);
  va_end (args);
  g_mutex_lock (&self->mutex);
  g_free (self->fault);
  self->fault = g_steal_pointer (&fault);
  g_mutex_unlock (&self->mutex);
}

/**
 * sqlite_node_take_fault:
 * @self: a node
 *
 * Returns: (transfer full) (nullable): the last reason
 */
char *
sqlite_node_take_fault (SqliteNode *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return g_steal_pointer (&self->fault);
}
