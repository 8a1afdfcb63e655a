/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New keys for a store. In place: a new key seals from now on, VACUUM writes every page anew, the
 * log is brought home and emptied. By a copy: a new file is written beside the old one while the
 * store is in use, then takes its place; it keeps the file's salt, so that the scope's mark fits
 * the old file and the new one, whichever a crash leaves. Either way the store opens at any moment,
 * as long as there are both keys; the older ones are destroyed only when no page names them any
 * more. Pages are never overwritten in place by this: a crash would tear them. */
#include "sqlite-rotation.h"

#include "sqlite-copy.h"
#include "sqlite-guard.h"
#include "sqlite-migration.h"
#include "sqlite-store-private.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ROTATION_STEP_PAGES 256
#define ROTATION_TRIES      6 /* to empty the log, each waits for readers */
#define ROTATION_WIPE_BYTES 65536

static gboolean
sqlite_rotation_is_cancelled (GCancellable *cancellable, GError **error)
{
  if (!g_cancellable_is_cancelled (cancellable))
    return FALSE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "cancelled");
  return TRUE;
}

/* destroys the older keys when nothing is sealed by them; nobody writes meanwhile */
static gboolean
sqlite_rotation_drop (SqliteStore *store, GError **error)
{
  SqliteKeyring *keyring = sqlite_store_get_keyring (store);
  const char *path = sqlite_store_get_path (store);
  guint64 others = 0;

  if (!sqlite_guard_count_others (path, sqlite_keyring_get_current (keyring), &others, error))
    return FALSE;
  if (others > 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED,
                   "%s has %" G_GUINT64_FORMAT " pages under older keys still", path, others);
      return FALSE;
    }
  return sqlite_tally_save (sqlite_store_get_tally (store), error)
         && sqlite_keyring_drop_others (keyring, error);
}

static gboolean
sqlite_rotation_empty_log (SqliteConnection *connection, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < ROTATION_TRIES; i++)
    {
      g_autoptr (GError) failure = NULL;

      if (sqlite_rotation_is_cancelled (cancellable, error))
        return FALSE;
      if (sqlite_connection_truncate_log (connection, &failure))
        return TRUE;
      if (i + 1 < ROTATION_TRIES && g_error_matches (failure, REEVE_ERROR, REEVE_ERROR_BUSY))
        continue;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return FALSE;
}

static gboolean
sqlite_rotation_rewrite_all (SqliteStore *store, SqliteConnection *connection,
                             GCancellable *cancellable, GError **error)
{
  gboolean rewritten = FALSE;

  if (!sqlite_keyring_add (sqlite_store_get_keyring (store), error))
    return FALSE;
  /* a store does not have to fit into memory; what goes to a file is sealed there too */
  sqlite_connection_watch (connection, cancellable);
  rewritten = sqlite_connection_exec (connection, "PRAGMA temp_store = FILE; VACUUM", error);
  sqlite_connection_watch (connection, NULL);
  return sqlite_connection_exec (connection, "PRAGMA temp_store = MEMORY", rewritten ? error : NULL)
         && rewritten && sqlite_rotation_empty_log (connection, cancellable, error)
         && sqlite_rotation_drop (store, error);
}

static gboolean
sqlite_rotation_rewrite (SqliteStore *store, GCancellable *cancellable, GError **error)
{
  SqliteConnection *connection = sqlite_store_take_writer (store, TRUE, error);
  gboolean done = FALSE;

  if (connection == NULL)
    return FALSE;
  done = sqlite_rotation_rewrite_all (store, connection, cancellable, error);
  sqlite_store_give_writer (store, connection);
  return done;
}

/* copies page by page, letting writers in between; the caller is the one who writes in the end */
static gboolean
sqlite_rotation_copy_pages (SqliteStore *store, SqliteConnection *source, SqliteCopy *copy,
                            GCancellable *cancellable, GError **error)
{
  gboolean done = FALSE;

  while (!done)
    {
      if (sqlite_rotation_is_cancelled (cancellable, error)
          || !sqlite_copy_step (copy, ROTATION_STEP_PAGES, &done, error))
        return FALSE;
      if (done)
        break;
      sqlite_store_give_writer (store, source);
      source = sqlite_store_take_writer (store, TRUE, error); /* the same */
      if (sqlite_connection_is_broken (source))
        {
          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED,
                               "the store met an error while it was copied");
          return FALSE;
        }
    }
  return TRUE;
}

/* is the copy what the store is now? */
static gboolean
sqlite_rotation_check_copy (SqliteStore *store, SqliteCopy *copy, GError **error)
{
  guint64 sequence = sqlite_tally_get_sequence (sqlite_store_get_tally (store));
  ReeveStorageMark mark = { 0 };

  if (!sqlite_copy_finish (copy, &mark, error))
    return FALSE;
  if (mark.sequence == sequence)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED,
               "the copy ends at commit %" G_GUINT64_FORMAT ", the store at %" G_GUINT64_FORMAT,
               mark.sequence, sequence);
  return FALSE;
}

/* (transfer full) @source, which the caller has to write */
static gboolean
sqlite_rotation_copy_from (SqliteStore *store, SqliteConnection *source, GCancellable *cancellable,
                           GError **error)
{
  g_autofree char *fresh = g_strconcat (sqlite_store_get_path (store), ".copy", NULL);
  SqliteKeyring *keyring = sqlite_store_get_keyring (store);
  guint8 salt[REEVE_STORAGE_SALT_SIZE] = { 0 };
  SqliteCopy *copy = NULL;
  gboolean copied = FALSE;
  gboolean replaced = FALSE;

  sqlite_node_get_salt (sqlite_store_get_node (store), salt);
  if (sqlite_keyring_add (keyring, error))
    copy = sqlite_copy_new (sqlite_store_get_vfs (store), source, fresh, keyring, salt, error);
  if (copy != NULL)
    {
      sqlite_store_set_source (store, source);
      copied = sqlite_rotation_copy_pages (store, source, copy, cancellable, error)
               && sqlite_rotation_check_copy (store, copy, error);
      sqlite_copy_free (copy);
    }
  if (!copied)
    {
      sqlite_store_set_source (store, NULL);
      sqlite_store_unlink (fresh, "", NULL);
      sqlite_store_give_writer (store, source);
      return FALSE;
    }
  replaced
      = sqlite_store_replace (store, source, fresh, error) && sqlite_rotation_drop (store, error);
  sqlite_store_end_writing (store);
  return replaced;
}

/**
 * sqlite_rotation_run:
 * @store: a sealed store
 * @how: in place or by a copy
 * @cancellable: (nullable): stops it where the store is whole
 * @error: return location
 *
 * Makes a new key, seals everything by it, and destroys the older ones.
 *
 * Returns: %FALSE on error; the store is as it was then, or under both keys
 */
gboolean
sqlite_rotation_run (SqliteStore *store, ReeveRotation how, GCancellable *cancellable,
                     GError **error)
{
  SqliteConnection *source = NULL;

  if (sqlite_rotation_is_cancelled (cancellable, error))
    return FALSE;
  if (how == REEVE_ROTATION_REWRITE)
    return sqlite_rotation_rewrite (store, cancellable, error);
  source = sqlite_store_take_writer (store, TRUE, error);
  return source != NULL && sqlite_rotation_copy_from (store, source, cancellable, error);
}

/* what was there in clear; blocks that the file system has moved meanwhile stay as they are */
static void
sqlite_rotation_wipe (int fd)
{
  g_autofree guint8 *zeros = g_malloc0 (ROTATION_WIPE_BYTES);
  off_t size = lseek (fd, 0, SEEK_END);

  for (off_t at = 0; at < size; at += ROTATION_WIPE_BYTES)
    if (pwrite (fd, zeros, (gsize) MIN (ROTATION_WIPE_BYTES, size - at), at) < 0)
      break;
  if (fdatasync (fd) != 0)
    g_warning ("a store was encrypted, but what it was before could not be overwritten");
}

/* all of a plain store into @fresh; its log is brought home and gone then */
static gboolean
sqlite_rotation_copy_plain (const SqliteStoreKind *kind, const char *path, const char *fresh,
                            SqliteKeyring *keyring, ReeveStorageMark *mark, GError **error)
{
  g_autoptr (SqliteConnection) source
      = sqlite_connection_new (kind->vfs, path, SQLITE_CONNECTION_OPEN, error);
  g_autoptr (SqliteCopy) copy = NULL;
  gboolean done = FALSE;
  guint number = 0;

  if (source == NULL)
    return FALSE;
  /* one that is refused stays as it is */
  sqlite_connection_keep_log (source, TRUE);
  if (!sqlite_migration_check_format (source, error)
      || !sqlite_migration_get_number (source, &number, error)
      || !sqlite_migration_run (source, kind->migrations, number, error))
    return FALSE;
  sqlite_connection_keep_log (source, FALSE);
  copy = sqlite_copy_new (kind->vfs, source, fresh, keyring, NULL, error);
  return copy != NULL && sqlite_copy_step (copy, -1, &done, error) && done
         && sqlite_copy_finish (copy, mark, error)
         && sqlite_connection_truncate_log (source, error);
}

/**
 * sqlite_rotation_convert:
 * @kind: what kind of store
 * @path: of a store file that is not sealed and that nobody has open
 * @keyring: the scope's keys
 * @mark: (out): the scope's mark from now on
 * @error: return location
 *
 * Seals a store that was kept in clear, by a copy that takes its place. Its mark is set when it is
 * there, not before: a crash leaves the plain file and no mark, or the sealed one and no mark,
 * which then gets one. What was in clear is overwritten as far as a file can be.
 *
 * Returns: %FALSE on error; the file is as it was then
 */
gboolean
sqlite_rotation_convert (const SqliteStoreKind *kind, const char *path, SqliteKeyring *keyring,
                         ReeveStorageMark *mark, GError **error)
{
  g_autofree char *fresh = g_strconcat (path, ".copy", NULL);
  int old = open (path, O_RDWR | O_CLOEXEC);
  gboolean moved = FALSE;

  sqlite_node_unref (sqlite_vfs_add_file (kind->vfs, path, NULL));
  moved = sqlite_rotation_copy_plain (kind, path, fresh, keyring, mark, error);
  sqlite_vfs_remove_file (kind->vfs, path);
  moved = moved && sqlite_store_move_in (fresh, path, error)
          && sqlite_keyring_write_mark (keyring, mark, TRUE, error);
  if (moved && old >= 0)
    sqlite_rotation_wipe (old);
  if (old >= 0)
    close (old);
  return moved;
}
