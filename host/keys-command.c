/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both are for people at a terminal, who were told to by an error or by docs/encryption.md. */
#include "keys-command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "startup-keys.h"
#include "store/master-rotation.h"

/* as a tenant cannot be called */
#define REEVE_KEYS_COMMAND_ALL "all"

static gboolean
reeve_keys_command_show (guint done, guint total, gpointer user_data)
{
  if (isatty (STDERR_FILENO) && (done % 16 == 0 || done + 1 == total))
    fprintf (stderr, "\r%u of %u%s", done + 1, total, done + 1 == total ? "\n" : "");
  return TRUE;
}

static gboolean
reeve_keys_command_check (const char *folder, GError **error)
{
  if (reeve_store_keys_is_sealed (folder))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "nothing is encrypted yet in %s",
               folder);
  return FALSE;
}

/**
 * reeve_keys_command_rotate:
 * @config: what is configured; says where the present master key is
 * @state: the state folder, locked
 * @source: where the new one is, as in encryption.key_source; made in a file or in the Secret
 * Service when it is not there
 * @error: return location
 *
 * Changes the master key and prints what is left to be done.
 *
 * Returns: %FALSE with an error; then the present one opens everything still, unless the error says
 * otherwise
 */
gboolean
reeve_keys_command_rotate (ReeveConfig *config, ReeveState *state, const char *source,
                           GError **error)
{
  g_autofree char *folder = reeve_startup_keys_get_folder (state);
  const ReeveMasterKeySource wanted = {
    .source = source,
    .state_folder = reeve_state_get_folder (state),
    .may_make = TRUE,
  };
  g_auto (ReeveMasterKeyPlace) old_place = { 0 };
  g_auto (ReeveMasterKeyPlace) new_place = { 0 };
  g_autoptr (ReeveMasterKey) from = NULL;
  g_autoptr (ReeveMasterKey) to = NULL;

  if (!reeve_keys_command_check (folder, error))
    return FALSE;
  from = reeve_startup_keys_load_master (config, state, &old_place, error);
  to = from != NULL ? reeve_master_key_source_load (&wanted, &new_place, error) : NULL;
  if (to == NULL)
    return FALSE;
  if (strcmp (reeve_master_key_get_id (from), reeve_master_key_get_id (to)) == 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "%s holds the present master key, not another one", new_place.text);
      return FALSE;
    }
  if (!reeve_master_rotation_run (folder, from, to, reeve_keys_command_show, NULL, error))
    return FALSE;
  printf (
      "master key %s in %s opens the stores now\n"
      "set encryption.key_source to \"%s\", start the host, then destroy the old key %s in %s\n",
      reeve_master_key_get_id (to), new_place.text, source, reeve_master_key_get_id (from),
      old_place.text);
  return TRUE;
}

/**
 * reeve_keys_command_accept:
 * @config: what is configured
 * @state: the state folder, locked
 * @which: a tenant, `@platform`, or `all` when the file of marks is lost
 * @error: return location
 *
 * Forgets how far stores were acknowledged, so that ones from a backup are opened.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_keys_command_accept (ReeveConfig *config, ReeveState *state, const char *which,
                           GError **error)
{
  g_autofree char *folder = reeve_startup_keys_get_folder (state);
  gboolean all = strcmp (which, REEVE_KEYS_COMMAND_ALL) == 0;
  g_autoptr (ReeveStoreKeys) keys = NULL;
  gboolean beside = FALSE;

  if (!reeve_keys_command_check (folder, error))
    return FALSE;
  if (all && !reeve_store_keys_discard_marks (folder, error))
    return FALSE;
  if (!reeve_startup_keys_open (config, state, &keys, &beside, error))
    return FALSE;
  if (!all && !reeve_store_keys_has (keys, which))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there are no keys of a store %s",
                   which);
      return FALSE;
    }
  if (!all && !reeve_store_keys_forget_mark (keys, which, error))
    return FALSE;
  g_warning ("the marks of %s are forgotten: what was committed after the copies that are there is "
             "lost",
             which);
  printf ("the next start takes the %s for the newest\n",
          all ? "stores that are there" : "store that is there");
  return TRUE;
}
