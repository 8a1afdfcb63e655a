/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStoreKeys: opening the folder of keys. Whatever does not fit is refused before anything is
 * altered. */
#include "store-keys-private.h"

#include <string.h>

#include "base/ids.h"
#include "key-file.h"
#include "key-folder.h"
#include "key-paths.h"
#include "master-rotation.h"

/* the secret that authenticates marks */
#define REEVE_STORE_KEYS_MARKS "marks"

/**
 * reeve_store_keys_is_sealed:
 * @folder: of keys, there or not
 *
 * Returns: whether a master key has sealed anything in it
 */
gboolean
reeve_store_keys_is_sealed (const char *folder)
{
  g_autofree char *master = g_build_filename (folder, REEVE_KEY_PATHS_MASTER, NULL);
  g_autofree char *platform = reeve_key_paths_get_scope (folder, REEVE_SCOPE_PLATFORM);

  return g_file_test (master, G_FILE_TEST_EXISTS) || g_file_test (platform, G_FILE_TEST_EXISTS);
}

static gboolean
reeve_store_keys_check_master (ReeveStoreKeys *self, const char *sealer, GError **error)
{
  const char *id = reeve_master_key_get_id (self->master);

  if (sealer == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "%s/%s is missing, but there are keys in this folder: restore it from a copy",
                   self->folder, REEVE_KEY_PATHS_MASTER);
      return FALSE;
    }
  if (strcmp (sealer, id) == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "the keys in %s are sealed by master key %s, and the one that was given is %s: give "
               "the right one in encryption.key_source, or restore the folder that belongs to it",
               self->folder, sealer, id);
  return FALSE;
}

/* fresh: with a new key, by which nothing that was there before is taken for a mark */
static gboolean
reeve_store_keys_open_marks (ReeveStoreKeys *self, gboolean fresh, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, REEVE_KEY_PATHS_MARKS, NULL);
  g_autofree char *key = reeve_key_paths_get_secret (self->folder, REEVE_STORE_KEYS_MARKS);
  g_autoptr (GBytes) secret = NULL;
  guint8 random[REEVE_KEY_MARKS_KEY];

  /* a first start that was cut off begins again */
  if (fresh)
    {
      if (!reeve_key_folder_shred (path, error))
        return FALSE;
      reeve_ids_fill_random (random, sizeof random);
      if (!reeve_store_keys_save_secret (self, self->folder, REEVE_STORE_KEYS_MARKS, random,
                                         sizeof random, error))
        return FALSE;
      explicit_bzero (random, sizeof random);
    }
  secret = reeve_store_keys_load_secret (self, self->folder, REEVE_STORE_KEYS_MARKS,
                                         REEVE_KEY_MARKS_KEY, error);
  if (secret != NULL && g_bytes_get_size (secret) != REEVE_KEY_MARKS_KEY)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s: is no key", key);
      return FALSE;
    }
  if (secret != NULL)
    self->marks = reeve_key_marks_open (path, g_bytes_get_data (secret, NULL), fresh, error);
  if (secret == NULL || self->marks == NULL)
    g_prefix_error (
        error, "without the marks no store that was rolled back is told (restore the folder "
               "of keys, or take the stores that are there: reeve-host --accept-stores all): ");
  return self->marks != NULL;
}

/* Everything is made before the file that says so. */
static gboolean
reeve_store_keys_open_folder (ReeveStoreKeys *self, gboolean marked, GError **error)
{
  g_autofree char *tenants = g_build_filename (self->folder, REEVE_KEY_PATHS_TENANTS, NULL);
  gboolean fresh = !reeve_store_keys_is_sealed (self->folder);
  g_autofree char *sealer = NULL;

  if (!reeve_key_paths_read_master (self->folder, &sealer, error)
      || (!fresh && !reeve_store_keys_check_master (self, sealer, error)))
    return FALSE;
  if (!reeve_key_folder_make (self->folder, error) || !reeve_key_folder_make (tenants, error)
      || !reeve_key_folder_clean (self->folder, error) || !reeve_key_folder_clean (tenants, error)
      || !reeve_master_rotation_clean (self->folder, reeve_master_key_get_id (self->master), error)
      || ((fresh || marked) && !reeve_store_keys_open_marks (self, fresh, error)))
    return FALSE;
  return !fresh
         || reeve_key_paths_write_master (self->folder, reeve_master_key_get_id (self->master),
                                          error);
}

static ReeveStoreKeys *
reeve_store_keys_open_any (const char *folder, ReeveMasterKey *master, gboolean marked,
                           GError **error)
{
  g_autoptr (ReeveStoreKeys) self = g_object_new (REEVE_TYPE_STORE_KEYS, NULL);

  self->folder = g_strdup (folder);
  self->master = reeve_master_key_ref (master);
  if (reeve_store_keys_open_folder (self, marked, error))
    return g_steal_pointer (&self);
  g_prefix_error (error, "opening the keys: ");
  return NULL;
}

/**
 * reeve_store_keys_open:
 * @folder: of keys
 * @master: the key that has sealed them, or shall
 * @error: return location
 *
 * Opens a folder of keys, making it where there is none.
 *
 * Returns: (transfer full): the keys; %NULL with %REEVE_ERROR_CONFIGURATION when @master is not
 * the one that has sealed them, %REEVE_ERROR_CORRUPT when something is missing or damaged; nothing
 * was altered then
 */
ReeveStoreKeys *
reeve_store_keys_open (const char *folder, ReeveMasterKey *master, GError **error)
{
  return reeve_store_keys_open_any (folder, master, TRUE, error);
}

/**
 * reeve_store_keys_open_unmarked:
 * @folder: of keys, where there are some
 * @master: the key that has sealed them
 * @error: return location
 *
 * As reeve_store_keys_open(), without the marks, whatever is the matter with them: for the host's
 * own secrets and reeve_store_keys_renew_marks(), not for a store.
 *
 * Returns: (transfer full): the keys; %NULL as reeve_store_keys_open()
 */
ReeveStoreKeys *
reeve_store_keys_open_unmarked (const char *folder, ReeveMasterKey *master, GError **error)
{
  return reeve_store_keys_open_any (folder, master, FALSE, error);
}

/**
 * reeve_store_keys_renew_marks:
 * @self: keys that were opened without marks
 * @error: return location
 *
 * Begins the marks of all scopes anew: for when their file, or its key, was lost. A crash in the
 * middle leaves no marks, which is refused until this is done again.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_store_keys_renew_marks (ReeveStoreKeys *self, GError **error)
{
  g_return_val_if_fail (self->marks == NULL, FALSE);
  return reeve_store_keys_open_marks (self, TRUE, error);
}
