/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encryption is on unless it is switched off, and then only on a state that was never encrypted. A
 * first start makes a master key beside the state, so that nobody has to know of any of this to
 * begin; the log says that it is better kept elsewhere. */
#include "startup-keys.h"

#include <string.h>

#include "governance/ledger-key.h"

/**
 * reeve_startup_keys_get_folder:
 * @state: the state folder
 *
 * Returns: (transfer full): the folder of keys in it
 */
char *
reeve_startup_keys_get_folder (ReeveState *state)
{
  return g_build_filename (reeve_state_get_folder (state), "keys", NULL);
}

/* Says which setting is meant, and where it stands. */
static void
reeve_startup_keys_blame (ReeveConfig *config, const char *path, GError **error)
{
  g_prefix_error (error, "%s: %s: ", reeve_config_get_origin (config, path), path);
}

static void
reeve_startup_keys_tell (ReeveConfig *config, ReeveState *state, ReeveMasterKey *master,
                         const ReeveMasterKeyPlace *place)
{
  const char *id = reeve_master_key_get_id (master);

  if (place->made)
    g_message ("made master key %s in %s: without it nothing in %s can be read; keep a copy, and "
               "see docs/encryption.md for better places",
               id, place->text, reeve_state_get_folder (state));
  else
    g_info ("master key %s from %s", id, place->text);
  /* who copies the state folder has the key as well */
  if (place->beside && !reeve_config_is_dev (config))
    g_warning ("the master key lies in the state folder that it protects: move it elsewhere by "
               "reeve-host --rotate-master-key SOURCE, then set encryption.key_source");
}

/**
 * reeve_startup_keys_load_master:
 * @config: what is configured
 * @state: the state folder
 * @place: (out caller-allocates): where the key is
 * @error: return location
 *
 * Gets the master key; on a state where nothing is sealed yet it may be made.
 *
 * Returns: (transfer full): it; %NULL with %REEVE_ERROR_CONFIGURATION
 */
ReeveMasterKey *
reeve_startup_keys_load_master (ReeveConfig *config, ReeveState *state, ReeveMasterKeyPlace *place,
                                GError **error)
{
  g_autofree char *folder = reeve_startup_keys_get_folder (state);
  const ReeveMasterKeySource source = {
    .source = reeve_config_get_string (config, "encryption.key_source"),
    .state_folder = reeve_state_get_folder (state),
    .may_make = !reeve_store_keys_is_sealed (folder),
  };
  ReeveMasterKey *master = reeve_master_key_source_load (&source, place, error);

  if (master != NULL)
    reeve_startup_keys_tell (config, state, master, place);
  else
    reeve_startup_keys_blame (config, "encryption.key_source", error);
  return master;
}

static gboolean
reeve_startup_keys_do_without (ReeveConfig *config, const char *folder, GError **error)
{
  if (!reeve_store_keys_is_sealed (folder))
    {
      g_warning ("encryption is switched off: stores and keys are kept plain");
      return TRUE;
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "the stores are encrypted by the keys in %s, and are not opened without: set "
               "encryption.enabled to true",
               folder);
  reeve_startup_keys_blame (config, "encryption.enabled", error);
  return FALSE;
}

/* Stores without any keys have lost them, unless they were made plain: then the host's own secrets
 * lie there plain too. A new master key would open nothing, and hide what is missing. */
static gboolean
reeve_startup_keys_expect_new (ReeveState *state, const char *folder, GError **error)
{
  g_autofree char *stores = g_build_filename (reeve_state_get_folder (state), "store", NULL);
  g_autoptr (GDir) dir = g_dir_open (stores, 0, NULL);

  if (reeve_store_keys_is_sealed (folder) || dir == NULL || g_dir_read_name (dir) == NULL
      || reeve_store_keys_has_plain (folder, REEVE_LEDGER_KEY_SECRET))
    return TRUE;
  g_set_error (
      error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
      "there are stores in %s, and nothing in %s that opens them: restore that folder, and "
      "the master key that belongs to it, from a copy; to begin anew, move the stores away",
      stores, folder);
  return FALSE;
}

/**
 * reeve_startup_keys_open:
 * @config: what is configured
 * @state: the state folder, locked
 * @keys: (out) (transfer full) (nullable): the keys; %NULL when encryption is switched off
 * @beside: (out): whether the master key lies in the state folder
 * @error: return location
 *
 * Takes the master key out of the environment, if it is there: before any other thread is.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION or %REEVE_ERROR_CORRUPT; nothing was altered then
 */
gboolean
reeve_startup_keys_open (ReeveConfig *config, ReeveState *state, ReeveStoreKeys **keys,
                         gboolean *beside, GError **error)
{
  g_autofree char *folder = reeve_startup_keys_get_folder (state);
  g_auto (ReeveMasterKeyPlace) place = { 0 };
  g_autoptr (ReeveMasterKey) master = NULL;

  *keys = NULL;
  *beside = FALSE;
  if (!reeve_config_get_boolean (config, "encryption.enabled"))
    return reeve_startup_keys_do_without (config, folder, error);
  if (!reeve_startup_keys_expect_new (state, folder, error))
    return FALSE;
  master = reeve_startup_keys_load_master (config, state, &place, error);
  if (master != NULL)
    *keys = reeve_store_keys_open (folder, master, error);
  *beside = place.beside;
  return *keys != NULL;
}
