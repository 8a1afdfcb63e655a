/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The folder of keys:
 *
 *     master             id of the master key that has sealed everything here
 *     changing           only while that is being changed
 *     marks, marks.key   high-water marks, and what authenticates them
 *     platform.key       data keys of the platform's store
 *     tenants/acme.key   data keys of a tenant's store
 *     tenants/acme.doom  only while that tenant is erased
 *     ledger.key …       secrets of the host itself, each in a file of its own
 */
#include "key-paths.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "key-folder.h"

#define REEVE_KEY_PATHS_KEY  ".key"
#define REEVE_KEY_PATHS_DOOM ".doom"
/* <folder>/platform.key */
#define REEVE_KEY_PATHS_PLATFORM "platform"
#define REEVE_KEY_PATHS_HEAD     "reeve-master 1\n"
#define REEVE_KEY_PATHS_ID       16

static char *
reeve_key_paths_build (const char *folder, const char *below, const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);

  return below != NULL ? g_build_filename (folder, below, file, NULL)
                       : g_build_filename (folder, file, NULL);
}

static char *
reeve_key_paths_build_scope (const char *folder, const char *scope, const char *suffix)
{
  return strcmp (scope, REEVE_SCOPE_PLATFORM) == 0
             ? reeve_key_paths_build (folder, NULL, REEVE_KEY_PATHS_PLATFORM, suffix)
             : reeve_key_paths_build (folder, REEVE_KEY_PATHS_TENANTS, scope, suffix);
}

/**
 * reeve_key_paths_get_scope:
 * @folder: of keys
 * @scope: a valid scope
 *
 * Returns: (transfer full): the file of its data keys
 */
char *
reeve_key_paths_get_scope (const char *folder, const char *scope)
{
  return reeve_key_paths_build_scope (folder, scope, REEVE_KEY_PATHS_KEY);
}

/**
 * reeve_key_paths_get_doomed:
 * @folder: of keys
 * @scope: a valid scope
 *
 * Returns: (transfer full): the file that says that the scope is being destroyed
 */
char *
reeve_key_paths_get_doomed (const char *folder, const char *scope)
{
  return reeve_key_paths_build_scope (folder, scope, REEVE_KEY_PATHS_DOOM);
}

/**
 * reeve_key_paths_get_secret:
 * @folder: of keys
 * @name: of a secret of the host
 *
 * Returns: (transfer full): its file
 */
char *
reeve_key_paths_get_secret (const char *folder, const char *name)
{
  return reeve_key_paths_build (folder, NULL, name, REEVE_KEY_PATHS_KEY);
}

/**
 * reeve_key_paths_get_scope_label:
 * @scope: a scope
 *
 * Returns: (transfer full): its key ids without their version
 */
char *
reeve_key_paths_get_scope_label (const char *scope)
{
  return g_strconcat ("tenant:", scope, NULL);
}

/**
 * reeve_key_paths_get_secret_label:
 * @name: of a secret of the host
 *
 * Returns: (transfer full): its key ids without their version
 */
char *
reeve_key_paths_get_secret_label (const char *name)
{
  return g_strconcat ("host:", name, NULL);
}

static int
reeve_key_paths_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* names in a folder that end with that, without it, sorted; none when there is no folder */
static char **
reeve_key_paths_list_names (const char *folder, const char *suffix)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  GPtrArray *names = g_ptr_array_new ();

  for (const char *name = dir != NULL ? g_dir_read_name (dir) : NULL; name != NULL;
       name = g_dir_read_name (dir))
    if (g_str_has_suffix (name, suffix))
      g_ptr_array_add (names, g_strndup (name, strlen (name) - strlen (suffix)));
  g_ptr_array_sort (names, reeve_key_paths_compare);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

/**
 * reeve_key_paths_list_doomed:
 * @folder: of keys
 *
 * Returns: (transfer full): scopes that are being destroyed
 */
char **
reeve_key_paths_list_doomed (const char *folder)
{
  g_autofree char *tenants = g_build_filename (folder, REEVE_KEY_PATHS_TENANTS, NULL);

  return reeve_key_paths_list_names (tenants, REEVE_KEY_PATHS_DOOM);
}

/**
 * reeve_key_paths_list_tenants:
 * @folder: of keys
 *
 * Returns: (transfer full): tenants that have keys, sorted
 */
char **
reeve_key_paths_list_tenants (const char *folder)
{
  g_autofree char *tenants = g_build_filename (folder, REEVE_KEY_PATHS_TENANTS, NULL);

  return reeve_key_paths_list_names (tenants, REEVE_KEY_PATHS_KEY);
}

static void
reeve_key_paths_free_one (gpointer data)
{
  ReeveKeyPath *path = data;

  g_free (path->path);
  g_free (path->label);
  g_free (path);
}

static void
reeve_key_paths_add (GPtrArray *list, char *path, char *label)
{
  ReeveKeyPath *one = g_new0 (ReeveKeyPath, 1);

  one->path = path;
  one->label = label;
  g_ptr_array_add (list, one);
}

/**
 * reeve_key_paths_list:
 * @folder: of keys
 * @error: return location
 *
 * Returns: (transfer full) (element-type ReeveKeyPath): every file of keys in it; %NULL with an
 * error
 */
GPtrArray *
reeve_key_paths_list (const char *folder, GError **error)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (reeve_key_paths_free_one);
  g_auto (GStrv) own = reeve_key_paths_list_names (folder, REEVE_KEY_PATHS_KEY);
  g_auto (GStrv) tenants = reeve_key_paths_list_tenants (folder);

  for (guint i = 0; own[i] != NULL; i++)
    if (strcmp (own[i], REEVE_KEY_PATHS_PLATFORM) == 0)
      reeve_key_paths_add (list, reeve_key_paths_get_scope (folder, REEVE_SCOPE_PLATFORM),
                           reeve_key_paths_get_scope_label (REEVE_SCOPE_PLATFORM));
    else
      reeve_key_paths_add (list, reeve_key_paths_get_secret (folder, own[i]),
                           reeve_key_paths_get_secret_label (own[i]));
  for (guint i = 0; tenants[i] != NULL; i++)
    reeve_key_paths_add (list, reeve_key_paths_get_scope (folder, tenants[i]),
                         reeve_key_paths_get_scope_label (tenants[i]));
  return list;
}

/* ---- which master key ---- */

/**
 * reeve_key_paths_read_master:
 * @folder: of keys
 * @id: (out) (transfer full) (nullable): id of the master key that has sealed everything; %NULL
 * when nothing was sealed yet
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT or a file error
 */
gboolean
reeve_key_paths_read_master (const char *folder, char **id, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_KEY_PATHS_MASTER, NULL);
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = reeve_key_folder_read (path, 64, &local);
  g_autofree char *text = NULL;
  const char *data = NULL;
  gsize size = 0;

  *id = NULL;
  if (bytes == NULL && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  if (bytes == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  data = g_bytes_get_data (bytes, &size);
  text = g_strndup (data != NULL ? data : "", size);
  if (g_str_has_prefix (text, REEVE_KEY_PATHS_HEAD)
      && strlen (text) == strlen (REEVE_KEY_PATHS_HEAD) + REEVE_KEY_PATHS_ID + 1)
    {
      *id = g_strndup (text + strlen (REEVE_KEY_PATHS_HEAD), REEVE_KEY_PATHS_ID);
      return TRUE;
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "%s: does not name a master key: restore the folder of keys", path);
  return FALSE;
}

/**
 * reeve_key_paths_write_master:
 * @folder: of keys
 * @id: id of a master key
 * @error: return location
 *
 * Says durably that it has sealed everything.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_key_paths_write_master (const char *folder, const char *id, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_KEY_PATHS_MASTER, NULL);
  g_autofree char *text = g_strconcat (REEVE_KEY_PATHS_HEAD, id, "\n", NULL);

  return reeve_key_folder_replace (path, text, strlen (text), error);
}
