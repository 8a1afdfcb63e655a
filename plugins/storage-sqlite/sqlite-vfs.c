/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file layer under every store, a shim over SQLite's own unix layer. The WAL index that it
 * keeps in heap is valid for one process only, so that every store has an exclusive lock file
 * beside it (sqlite-store.c). Where keys are required, a file that nobody gave keys to cannot be
 * opened. */
#include "sqlite-vfs-private.h"

#include <string.h>

static SqliteVfs *
sqlite_vfs_of (sqlite3_vfs *vfs)
{
  return vfs->pAppData;
}

/* what is shared with others that have the same store open */
SqliteNode *
sqlite_vfs_find_node (SqliteVfs *self, SqliteVfsKind kind, const char *name)
{
  const char *path
      = kind == SQLITE_VFS_MAIN || name == NULL ? name : sqlite3_filename_database (name);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  SqliteNode *node = path != NULL ? g_hash_table_lookup (self->nodes, path) : NULL;

  return node != NULL ? sqlite_node_ref (node) : NULL;
}

static int
sqlite_vfs_delete (sqlite3_vfs *vfs, const char *name, int sync_dir)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xDelete (real, name, sync_dir);
}

static int
sqlite_vfs_access (sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xAccess (real, name, flags, result);
}

static int
sqlite_vfs_full_pathname (sqlite3_vfs *vfs, const char *name, int length, char *path)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xFullPathname (real, name, length, path);
}

static int
sqlite_vfs_randomness (sqlite3_vfs *vfs, int length, char *data)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xRandomness (real, length, data);
}

static int
sqlite_vfs_sleep (sqlite3_vfs *vfs, int microseconds)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xSleep (real, microseconds);
}

static int
sqlite_vfs_current_time (sqlite3_vfs *vfs, double *now)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xCurrentTime (real, now);
}

static int
sqlite_vfs_get_last_error (sqlite3_vfs *vfs, int length, char *message)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xGetLastError (real, length, message);
}

static int
sqlite_vfs_current_time_int64 (sqlite3_vfs *vfs, sqlite3_int64 *now)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xCurrentTimeInt64 (real, now);
}

/**
 * sqlite_vfs_new:
 * @keys_required: whether a file must have been added before it is opened, and temporary files are
 * sealed
 * @error: return location
 *
 * Registers a file layer of its own name with SQLite, so that several instances in one process do
 * not share state. Extensions cannot be loaded through it: it offers no xDlOpen.
 *
 * Returns: (transfer full): the layer, or %NULL with %REEVE_ERROR_FAILED
 */
SqliteVfs *
sqlite_vfs_new (gboolean keys_required, GError **error)
{
  g_autofree SqliteVfs *self = g_new0 (SqliteVfs, 1);
  sqlite3_vfs *real = sqlite3_vfs_find (NULL);
  int result = 0;

  if (real == NULL || real->iVersion < 2)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED,
                           "sqlite has no usable file layer");
      return NULL;
    }
  self->real = real;
  self->name = g_strdup_printf ("reeve-%p", (void *) self);
  self->base = (sqlite3_vfs){
    .iVersion = 2,
    .szOsFile = (int) sizeof (SqliteVfsFile) + real->szOsFile,
    .mxPathname = real->mxPathname,
    .zName = self->name,
    .pAppData = self,
    .xOpen = sqlite_vfs_open,
    .xDelete = sqlite_vfs_delete,
    .xAccess = sqlite_vfs_access,
    .xFullPathname = sqlite_vfs_full_pathname,
    .xRandomness = sqlite_vfs_randomness,
    .xSleep = sqlite_vfs_sleep,
    .xCurrentTime = sqlite_vfs_current_time,
    .xGetLastError = sqlite_vfs_get_last_error,
    .xCurrentTimeInt64 = sqlite_vfs_current_time_int64,
  };
  result = sqlite3_vfs_register (&self->base, 0);
  if (result != SQLITE_OK)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "registering the file layer: %s",
                   sqlite3_errstr (result));
      g_free (self->name);
      return NULL;
    }
  self->keys_required = keys_required;
  self->indexes = sqlite_index_set_new ();
  g_mutex_init (&self->mutex);
  self->nodes
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) sqlite_node_unref);
  return g_steal_pointer (&self);
}

/**
 * sqlite_vfs_free:
 * @self: (transfer full): a file layer through which nothing is open any more
 *
 * Unregisters and frees it.
 */
void
sqlite_vfs_free (SqliteVfs *self)
{
  g_return_if_fail (g_atomic_int_get (&self->open_files) == 0);
  sqlite3_vfs_unregister (&self->base);
  sqlite_index_set_free (self->indexes);
  g_hash_table_unref (self->nodes);
  g_mutex_clear (&self->mutex);
  g_free (self->name);
  g_free (self);
}

/**
 * sqlite_vfs_add_file:
 * @self: a file layer
 * @path: of a store file, which need not exist
 * @keyring: (nullable): what seals it, with all that lies beside it; %NULL: nothing does
 *
 * Lets a file be opened.
 *
 * Returns: (transfer full): what its connections share
 */
SqliteNode *
sqlite_vfs_add_file (SqliteVfs *self, const char *path, SqliteKeyring *keyring)
{
  SqliteNode *node = sqlite_node_new (path, keyring);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  g_hash_table_replace (self->nodes, (char *) sqlite_node_get_path (node), sqlite_node_ref (node));
  return node;
}

/**
 * sqlite_vfs_remove_file:
 * @self: a file layer
 * @path: of a store file that was added and is closed
 *
 * Forgets it and its keys.
 */
void
sqlite_vfs_remove_file (SqliteVfs *self, const char *path)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  g_hash_table_remove (self->nodes, path);
}

/**
 * sqlite_vfs_take_fault:
 * @self: a file layer
 * @path: of a store file
 *
 * Returns: (transfer full) (nullable): what was wrong with it last, for people
 */
char *
sqlite_vfs_take_fault (SqliteVfs *self, const char *path)
{
  g_autoptr (SqliteNode) node = sqlite_vfs_find_node (self, SQLITE_VFS_MAIN, path);

  return node != NULL ? sqlite_node_take_fault (node) : NULL;
}

/**
 * sqlite_vfs_get_name:
 * @self: a file layer
 *
 * Returns: (transfer none): its name, for sqlite3_open_v2()
 */
const char *
sqlite_vfs_get_name (SqliteVfs *self)
{
  return self->name;
}

/**
 * sqlite_vfs_get_open_files:
 * @self: a file layer
 *
 * Returns: how many files are open through it now
 */
guint
sqlite_vfs_get_open_files (SqliteVfs *self)
{
  return (guint) g_atomic_int_get (&self->open_files);
}
