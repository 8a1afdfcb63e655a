/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a store: made, replaced and removed so that a crash in between leaves the old state
 * or the new one. */
#include "sqlite-store-private.h"

#include "sqlite-migration.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

void
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

gboolean
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

gboolean
sqlite_store_sync_folder (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  return sqlite_store_sync (folder, O_RDONLY | O_DIRECTORY, error);
}

gboolean
sqlite_store_unlink (const char *path, const char *suffix, GError **error)
{
  g_autofree char *name = g_strconcat (path, suffix, NULL);

  if (unlink (name) == 0 || errno == ENOENT)
    return TRUE;
  sqlite_store_set_error (error, "removing", name);
  return FALSE;
}

/* an empty file at a name that nothing else uses, without what a crash may have left of it */
gboolean
sqlite_store_make_file (const char *path, GError **error)
{
  int fd = -1;

  if (!sqlite_store_unlink (path, "", error) || !sqlite_store_unlink (path, "-wal", error)
      || !sqlite_store_unlink (path, "-journal", error))
    return FALSE;
  /* its mode is decided here: SQLite would follow the umask */
  fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      sqlite_store_set_error (error, "making", path);
      return FALSE;
    }
  close (fd);
  return TRUE;
}

/* puts @fresh, which is complete and on disk, in the place of @path, whose log is empty */
gboolean
sqlite_store_move_in (const char *fresh, const char *path, GError **error)
{
  g_autofree char *log = g_strconcat (path, "-wal", NULL);
  struct stat info = { 0 };

  if (stat (log, &info) == 0 && info.st_size > 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "%s was not brought home", log);
      return FALSE;
    }
  /* on disk before the rename is: a log that came back would be taken for the new file's */
  if (!sqlite_store_unlink (path, "-wal", error) || !sqlite_store_sync_folder (path, error))
    return FALSE;
  if (g_rename (fresh, path) != 0)
    {
      sqlite_store_set_error (error, "naming", path);
      return FALSE;
    }
  return sqlite_store_sync_folder (path, error);
}

static gboolean
sqlite_store_fill (const SqliteStoreKind *kind, const char *path, GError **error)
{
  g_autoptr (SqliteConnection) connection
      = sqlite_connection_new (kind->vfs, path, SQLITE_CONNECTION_CREATE, error);

  return connection != NULL && sqlite_migration_create (connection, error)
         && sqlite_migration_run (connection, kind->migrations, kind->schemas->len - 1, error)
         /* the file gets its name without its log */
         && sqlite_connection_bring_home (connection, error);
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

  if (kind->keys != NULL && (keyring = sqlite_keyring_new (kind->keys, scope, error)) == NULL)
    return FALSE;
  if (!sqlite_store_make_file (path, error))
    return FALSE;
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
         && sqlite_store_unlink (path, ".new", error) && sqlite_store_unlink (path, ".copy", error)
         && sqlite_store_unlink (path, ".lock", error) && sqlite_store_sync_folder (path, error);
}
