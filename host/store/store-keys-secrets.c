/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStoreKeys: secrets of the host itself, such as the key that signs the ledger. They are
 * sealed like data keys, so that a copy of the folder of keys alone signs nothing and lets nobody
 * in. */
#include "store-keys-private.h"

#include <string.h>

#include "key-file.h"
#include "key-folder.h"
#include "key-paths.h"

/* how a file of sealed keys begins */
#define REEVE_STORE_KEYS_SEALED "reeve-keys "
#define REEVE_STORE_KEYS_NUMBER 1

static gboolean
reeve_store_keys_is_sealed_text (GBytes *bytes)
{
  gsize size = 0;
  const char *data = g_bytes_get_data (bytes, &size);

  return size > strlen (REEVE_STORE_KEYS_SEALED)
         && memcmp (data, REEVE_STORE_KEYS_SEALED, strlen (REEVE_STORE_KEYS_SEALED)) == 0;
}

static GBytes *
reeve_store_keys_unseal_secret (ReeveStoreKeys *self, const char *name, GBytes *text,
                                gsize max_size, GError **error)
{
  g_autofree char *label = reeve_key_paths_get_secret_label (name);
  g_autoptr (ReeveKeyFile) file = NULL;
  guint8 *secret = NULL;
  const char *data = NULL;
  gsize size = 0;
  gssize length = -1;

  data = g_bytes_get_data (text, &size);
  file = reeve_key_file_parse (label, data, size, error);
  if (file == NULL)
    return NULL;
  secret = g_malloc0 (max_size);
  length = reeve_key_file_unseal (file, self->master, REEVE_STORE_KEYS_NUMBER, secret, max_size,
                                  error);
  if (length >= 0)
    return g_bytes_new_take (secret, (gsize) length);
  g_free (secret);
  return NULL;
}

/* Without a master key, or from a version that did not seal. */
static GBytes *
reeve_store_keys_take_plain (ReeveStoreKeys *self, const char *folder, const char *name,
                             GBytes *plain, gsize max_size, GError **error)
{
  gsize size = 0;
  gconstpointer data = g_bytes_get_data (plain, &size);

  if (size > max_size)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "it is too long");
      return NULL;
    }
  if (self != NULL && !reeve_store_keys_save_secret (self, folder, name, data, size, error))
    return NULL;
  return g_bytes_ref (plain);
}

/**
 * reeve_store_keys_load_secret:
 * @self: (nullable): keys; %NULL when nothing is encrypted
 * @folder: of keys
 * @name: of the secret
 * @max_size: its most bytes
 * @error: return location
 *
 * Reads a secret. One that lies there plain is sealed.
 *
 * Returns: (transfer full): it; %NULL with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CORRUPT, or
 * %REEVE_ERROR_CONFIGURATION when it is sealed and there is no master key
 */
GBytes *
reeve_store_keys_load_secret (ReeveStoreKeys *self, const char *folder, const char *name,
                              gsize max_size, GError **error)
{
  g_autofree char *path = reeve_key_paths_get_secret (folder, name);
  g_autoptr (GBytes) bytes = reeve_key_folder_read (path, REEVE_KEY_FILE_MAX_SIZE, error);
  GBytes *secret = NULL;

  if (bytes == NULL)
    return NULL;
  if (!reeve_store_keys_is_sealed_text (bytes))
    secret = reeve_store_keys_take_plain (self, folder, name, bytes, max_size, error);
  else if (self != NULL)
    secret = reeve_store_keys_unseal_secret (self, name, bytes, max_size, error);
  else
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                         "is sealed by a master key, but encryption is switched off");
  if (secret == NULL)
    g_prefix_error (error, "%s: ", path);
  return secret;
}

/**
 * reeve_store_keys_has_plain:
 * @folder: of keys
 * @name: of the secret
 *
 * Returns: whether it lies there as it is, for it was made while nothing was encrypted
 */
gboolean
reeve_store_keys_has_plain (const char *folder, const char *name)
{
  g_autofree char *path = reeve_key_paths_get_secret (folder, name);
  g_autoptr (GBytes) bytes = reeve_key_folder_read (path, REEVE_KEY_FILE_MAX_SIZE, NULL);

  return bytes != NULL && !reeve_store_keys_is_sealed_text (bytes);
}

/**
 * reeve_store_keys_save_secret:
 * @self: (nullable): keys; %NULL when nothing is encrypted
 * @folder: of keys
 * @name: of the secret
 * @data: it
 * @length: its bytes
 * @error: return location
 *
 * Writes a secret durably, sealed where there is a master key.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_store_keys_save_secret (ReeveStoreKeys *self, const char *folder, const char *name,
                              gconstpointer data, gsize length, GError **error)
{
  g_autofree char *path = reeve_key_paths_get_secret (folder, name);
  g_autofree char *label = reeve_key_paths_get_secret_label (name);
  g_autoptr (ReeveKeyFile) file = reeve_key_file_new (label);
  g_autofree char *text = NULL;

  if (self == NULL)
    return reeve_key_folder_replace (path, data, length, error);
  if (!reeve_key_file_seal (file, self->master, REEVE_STORE_KEYS_NUMBER, data, length, error))
    return FALSE;
  text = reeve_key_file_format (file);
  return reeve_key_folder_replace (path, text, strlen (text), error);
}
