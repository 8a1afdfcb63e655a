/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy of a store into a new file, sealed anew. SQLite copies pages in steps; what is written
 * through the source in between is written to the copy as well. The copy has no meaning until it is
 * finished: a crash before leaves a file that the next one removes. */
#include "sqlite-copy.h"

#include "sqlite-code.h"
#include "sqlite-store-private.h"

#include <fcntl.h>

struct _SqliteCopy
{
  SqliteVfs *vfs;
  char *path;
  SqliteNode *node;
  SqliteConnection *target;
  sqlite3_backup *backup;
  gboolean finished;
};

/**
 * sqlite_copy_new:
 * @vfs: the file layer of both
 * @source: a connection to the store; outlives the copy
 * @path: of the new file; one that is there is removed
 * @keyring: whose current key seals the copy
 * @salt: (nullable): of the new file; %NULL: a new one
 * @error: return location
 *
 * Returns: (transfer full): a copy that has just begun; %NULL on error
 */
SqliteCopy *
sqlite_copy_new (SqliteVfs *vfs, SqliteConnection *source, const char *path, SqliteKeyring *keyring,
                 const guint8 *salt, GError **error)
{
  g_autoptr (SqliteCopy) self = g_new0 (SqliteCopy, 1);

  self->vfs = vfs;
  self->path = g_strdup (path);
  self->node = sqlite_vfs_add_file (vfs, path, keyring);
  if (salt != NULL)
    sqlite_node_set_salt (self->node, salt);
  if (!sqlite_store_make_file (path, error))
    return NULL;
  self->target = sqlite_connection_new (vfs, path, SQLITE_CONNECTION_COPY, error);
  if (self->target == NULL)
    return NULL;
  self->backup = sqlite3_backup_init (sqlite_connection_get_db (self->target), "main",
                                      sqlite_connection_get_db (source), "main");
  if (self->backup != NULL)
    return g_steal_pointer (&self);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "beginning a copy: %s",
               sqlite3_errmsg (sqlite_connection_get_db (self->target)));
  return NULL;
}

static void
sqlite_copy_close (SqliteCopy *self)
{
  g_clear_pointer (&self->backup, sqlite3_backup_finish);
  g_clear_pointer (&self->target, sqlite_connection_free);
}

/**
 * sqlite_copy_free:
 * @self: (transfer full): a copy
 *
 * Frees it; one that is not finished is removed.
 */
void
sqlite_copy_free (SqliteCopy *self)
{
  g_autoptr (GError) error = NULL;

  sqlite_copy_close (self);
  sqlite_vfs_remove_file (self->vfs, self->path);
  if (!self->finished
      && (!sqlite_store_unlink (self->path, "", &error)
          || !sqlite_store_unlink (self->path, "-wal", &error)))
    g_warning ("giving up a copy: %s", error->message);
  sqlite_node_unref (self->node);
  g_free (self->path);
  g_free (self);
}

/* a full disk is the common one: whoever asked has to be told that it was the disk */
static void
sqlite_copy_set_error (SqliteCopy *self, int code, const char *doing, GError **error)
{
  const char *message = sqlite3_errstr (code);
  ReeveError mapped = sqlite_code_map (sqlite_connection_get_db (self->target), code, message);

  g_set_error (error, REEVE_ERROR, mapped, "%s: %s (sqlite %d)", doing, message, code);
}

/**
 * sqlite_copy_step:
 * @self: a copy
 * @pages: how many pages to copy; -1: all that are left
 * @done: (out): whether it is complete
 * @error: return location
 *
 * Goes on with it. The caller has the source to himself meanwhile.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_copy_step (SqliteCopy *self, int pages, gboolean *done, GError **error)
{
  int code = sqlite3_backup_step (self->backup, pages);

  *done = code == SQLITE_DONE;
  /* busy: somebody reads where the log begins anew; the next step gets through */
  if (*done || code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED)
    return TRUE;
  sqlite_copy_set_error (self, code, "copying pages", error);
  return FALSE;
}

/**
 * sqlite_copy_finish:
 * @self: a copy that is complete
 * @mark: (out): the mark that the copy would have
 * @error: return location
 *
 * Closes the copy and has it on disk.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_copy_finish (SqliteCopy *self, ReeveStorageMark *mark, GError **error)
{
  int code = sqlite3_backup_finish (g_steal_pointer (&self->backup));
  gboolean read = FALSE;

  if (code != SQLITE_OK)
    {
      sqlite_copy_set_error (self, code, "ending a copy", error);
      return FALSE;
    }
  read = sqlite_tally_read_sequence (self->target, &mark->sequence, error)
         && sqlite_node_get_salt (self->node, mark->salt);
  sqlite_copy_close (self);
  /* reading it has made a log, which is empty */
  self->finished = read && sqlite_store_unlink (self->path, "-wal", error)
                   && sqlite_store_sync (self->path, O_RDONLY, error);
  return self->finished;
}
