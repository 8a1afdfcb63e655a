/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pepper of API keys. It is made once, before the first key: another one would quietly lock out
 * everybody for good, so one that is missing later is refused. */
#include "api-keys-pepper.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/ids.h"

#include "ledger-file.h"

#define REEVE_API_KEYS_PEPPER_SECRET "pepper" /* as a secret of ReeveStoreKeys */

/* There must be no key yet. */
static gboolean
reeve_api_keys_pepper_check_unused (ReeveStore *store, const char *folder, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS);
  g_autoptr (ReeveQueryResult) result = NULL;

  reeve_query_limit (query, 1);
  result = reeve_store_query (store, query, error);
  if (result == NULL)
    return FALSE;
  if (reeve_query_result_get_records (result)->len == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "%s/" REEVE_API_KEYS_PEPPER_SECRET ".key is missing, and no API key is valid "
               "without it: restore it from a copy of the folder of keys",
               folder);
  return FALSE;
}

static gboolean
reeve_api_keys_pepper_make (ReeveStore *store, const char *folder,
                            guint8 pepper[REEVE_API_KEYS_PEPPER_LENGTH], GError **error)
{
  if (!reeve_api_keys_pepper_check_unused (store, folder, error))
    return FALSE;
  reeve_ids_fill_random (pepper, REEVE_API_KEYS_PEPPER_LENGTH);
  return reeve_store_keys_save_secret (reeve_store_get_keys (store), folder,
                                       REEVE_API_KEYS_PEPPER_SECRET, pepper,
                                       REEVE_API_KEYS_PEPPER_LENGTH, error);
}

/**
 * reeve_api_keys_pepper_load:
 * @store: the store, open
 * @folder: `<state>/keys`
 * @pepper: (out caller-allocates): the secret
 * @error: return location
 *
 * Reads it; where there is no API key yet it is made.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when it is damaged or missing, or a file error
 */
gboolean
reeve_api_keys_pepper_load (ReeveStore *store, const char *folder,
                            guint8 pepper[REEVE_API_KEYS_PEPPER_LENGTH], GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) local = NULL;

  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "making", folder);
      return FALSE;
    }
  bytes = reeve_store_keys_load_secret (reeve_store_get_keys (store), folder,
                                        REEVE_API_KEYS_PEPPER_SECRET, REEVE_API_KEYS_PEPPER_LENGTH,
                                        &local);
  if (bytes == NULL && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return reeve_api_keys_pepper_make (store, folder, pepper, error);
  if (bytes == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (g_bytes_get_size (bytes) != REEVE_API_KEYS_PEPPER_LENGTH)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "it is too short");
      return FALSE;
    }
  memcpy (pepper, g_bytes_get_data (bytes, NULL), REEVE_API_KEYS_PEPPER_LENGTH);
  return TRUE;
}
