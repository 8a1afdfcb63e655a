/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* It is written behind the log's own, so that it is never ahead of the records on the disk. Who can
 * change both folders can put both back: against him only what was copied away helps, or a witness.
 */
#include "ledger-kept.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "ledger-file.h"

/* (transfer full) (nullable): %NULL: the key did not come from a folder */
static char *
reeve_ledger_kept_get_path (const char *scope, ReeveLedgerKey *key)
{
  const char *keys = reeve_ledger_key_get_folder (key);
  g_autofree char *state = keys != NULL ? g_path_get_dirname (keys) : NULL;

  return state != NULL ? g_build_filename (state, REEVE_LEDGER_KEPT_FOLDER, scope, NULL) : NULL;
}

/**
 * reeve_ledger_kept_write:
 * @checkpoint: the last one of a log
 * @scope: the log
 * @key: what signs
 * @error: return location
 *
 * Keeps it instead of the one before. Blocks.
 *
 * Returns: %FALSE with an error of the disk
 */
gboolean
reeve_ledger_kept_write (const ReeveCheckpoint *checkpoint, const char *scope, ReeveLedgerKey *key,
                         GError **error)
{
  g_autofree char *path = reeve_ledger_kept_get_path (scope, key);
  g_autofree char *folder = path != NULL ? g_path_get_dirname (path) : NULL;
  g_autofree char *text = NULL;

  if (path == NULL)
    return TRUE;
  if (g_mkdir (folder, 0700) != 0 && errno != EEXIST)
    {
      reeve_ledger_file_set_error (error, errno, "making", folder);
      return FALSE;
    }
  text = reeve_checkpoint_format (checkpoint, scope, key, error);
  return text != NULL && reeve_ledger_file_rewrite (path, text, strlen (text), error);
}

/**
 * reeve_ledger_kept_read:
 * @checkpoint: (out caller-allocates): what is kept; of no size: nothing is
 * @scope: the log
 * @key: what must have signed it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when it is damaged, or a file error
 */
gboolean
reeve_ledger_kept_read (ReeveCheckpoint *checkpoint, const char *scope, ReeveLedgerKey *key,
                        GError **error)
{
  g_autofree char *path = reeve_ledger_kept_get_path (scope, key);
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = NULL;
  const char *text = NULL;
  gsize length = 0;

  memset (checkpoint, 0, sizeof *checkpoint);
  if (path == NULL)
    return TRUE;
  bytes = reeve_ledger_file_read (path, REEVE_CHECKPOINT_MAX_SIZE, &local);
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  if (bytes == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  text = g_bytes_get_data (bytes, &length);
  if (reeve_checkpoint_parse (checkpoint, text, length, scope, key, error))
    return TRUE;
  g_prefix_error (error, "%s: ", path);
  return FALSE;
}

/**
 * reeve_ledger_kept_remove:
 * @scope: a log that has ended
 * @key: what signs
 *
 * Keeps nothing of it any more.
 */
void
reeve_ledger_kept_remove (const char *scope, ReeveLedgerKey *key)
{
  g_autofree char *path = reeve_ledger_kept_get_path (scope, key);

  if (path != NULL && g_unlink (path) != 0 && errno != ENOENT)
    g_warning ("ledger: removing %s: %s", path, g_strerror (errno));
}

/**
 * reeve_ledger_kept_list:
 * @key: what must have signed them
 * @error: return location
 *
 * Returns: (transfer full) (element-type GBytes): all that are kept, or %NULL with a file error
 */
GPtrArray *
reeve_ledger_kept_list (ReeveLedgerKey *key, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree char *folder = reeve_ledger_kept_get_path (NULL, key);
  g_autoptr (GDir) dir = folder != NULL ? g_dir_open (folder, 0, NULL) : NULL;
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      GBytes *bytes = NULL;

      /* a new one that was not put in its place */
      if (g_str_has_suffix (name, ".lock"))
        continue;
      bytes = reeve_ledger_file_read (path, REEVE_CHECKPOINT_MAX_SIZE, error);
      if (bytes == NULL)
        return NULL;
      g_ptr_array_add (list, bytes);
    }
  return g_steal_pointer (&list);
}
