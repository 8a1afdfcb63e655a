/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* <state>/ledger: one folder for each scope, nothing else that counts. */
#include "ledger-root.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include <reeve-plugin-1.h>

#include "checkpoint.h"
#include "ledger-file.h"
#include "ledger-segment.h"

/* a log in the making; verification does not count it */
#define REEVE_LEDGER_ROOT_NEW       "new.lock"
#define REEVE_LEDGER_ROOT_MAX_SCOPE 128

/**
 * reeve_ledger_root_check_scope:
 * @scope: a scope
 * @error: return location
 *
 * A scope becomes the name of a folder: letters, digits and `@ . _ -`, no dot in front, no name
 * that verification leaves out.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
reeve_ledger_root_check_scope (const char *scope, GError **error)
{
  gsize length = scope != NULL ? strlen (scope) : 0;
  gboolean ok = length > 0 && length <= REEVE_LEDGER_ROOT_MAX_SCOPE && scope[0] != '.'
                && !reeve_ledger_segment_is_ignored (scope);

  for (gsize i = 0; ok && i < length; i++)
    ok = g_ascii_isalnum (scope[i]) || strchr ("@._-", scope[i]) != NULL;
  if (!ok)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                         "the scope cannot have a ledger");
  return ok;
}

static int
reeve_ledger_root_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * reeve_ledger_root_sort:
 * @scopes: (transfer full) (element-type utf8): names
 *
 * Returns: (transfer full): the same, sorted, as a vector
 */
char **
reeve_ledger_root_sort (GPtrArray *scopes)
{
  g_ptr_array_sort (scopes, reeve_ledger_root_compare);
  g_ptr_array_add (scopes, NULL);
  return (char **) g_ptr_array_free (scopes, FALSE);
}

/**
 * reeve_ledger_root_list_scopes:
 * @root: folder of all logs
 * @error: return location
 *
 * Returns: (transfer full): names of all that is in @root and counts, sorted; %NULL with an error
 */
char **
reeve_ledger_root_list_scopes (const char *root, GError **error)
{
  g_autoptr (GPtrArray) scopes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (root, 0, error);
  const char *name = NULL;

  if (dir == NULL)
    return NULL;
  while ((name = g_dir_read_name (dir)) != NULL)
    if (!reeve_ledger_segment_is_ignored (name))
      g_ptr_array_add (scopes, g_strdup (name));
  return reeve_ledger_root_sort (g_steal_pointer (&scopes));
}

/* Removes what a crash left of a log in the making. */
static void
reeve_ledger_root_remove_new (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      (void) g_unlink (path);
    }
  (void) g_rmdir (folder);
}

/**
 * reeve_ledger_root_create_log:
 * @root: folder of all logs
 * @scope: a scope without a log
 * @key: signing key
 * @error: return location
 *
 * Makes the folder of a log with a signed checkpoint over nothing, so that a log without a
 * checkpoint is damage from its first moment on. It appears under its name only when all that is
 * durable.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_root_create_log (const char *root, const char *scope, ReeveLedgerKey *key,
                              GError **error)
{
  g_autofree char *temporary = g_build_filename (root, REEVE_LEDGER_ROOT_NEW, NULL);
  g_autofree char *folder = g_build_filename (root, scope, NULL);
  ReeveLedgerFrontier empty = { 0 };
  ReeveCheckpoint checkpoint = { 0 };

  reeve_ledger_root_remove_new (temporary);
  if (g_mkdir (temporary, 0700) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "making", temporary);
      return FALSE;
    }
  reeve_ledger_frontier_root (&empty, checkpoint.root);
  if (!reeve_checkpoint_write (&checkpoint, temporary, scope, key, error)
      || !reeve_ledger_file_sync_folder (temporary, error))
    return FALSE;
  if (rename (temporary, folder) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "making", folder);
      return FALSE;
    }
  if (reeve_ledger_file_sync_folder (root, error))
    return TRUE;
  /* it is not known to be there: the next record makes it anew */
  (void) rename (folder, temporary);
  return FALSE;
}
