/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both are for people at a terminal, who were told to by an error or by docs/encryption.md. No door
 * is open, but what they do goes through the gate like everything else: the intent is in the ledger
 * before anything is changed, and where it cannot be written nothing is. */
#include "keys-command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "governance/bootstrap.h"
#include "startup-keys.h"
#include "store/key-paths.h"
#include "store/master-rotation.h"

/* as a tenant cannot be called */
#define REEVE_KEYS_COMMAND_ALL "all"

/* actions in the ledger */
#define REEVE_KEYS_COMMAND_ROTATE "encryption.rotate_master"
#define REEVE_KEYS_COMMAND_ACCEPT "encryption.accept"

static gboolean
reeve_keys_command_is_all (const char *which)
{
  return strcmp (which, REEVE_KEYS_COMMAND_ALL) == 0;
}

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

/* ---- the gate ---- */

/* The ledger alone: it needs no store, which may be what cannot be opened. */
typedef struct
{
  ReeveLedger *ledger;
  ReeveAdmission *admission;
  ReeveAdmitted *admitted;
  gboolean open;
} ReeveKeysCommandRecord;

static gboolean
reeve_keys_command_open_ledger (ReeveKeysCommandRecord *self, ReeveState *state,
                                ReeveStoreKeys *keys, GError **error)
{
  g_autofree char *folder = reeve_state_make_folder (state, "ledger", error);
  g_autofree char *own = reeve_startup_keys_get_folder (state);

  if (folder == NULL)
    return FALSE;
  self->ledger = reeve_ledger_new (folder, own);
  reeve_ledger_set_keys (self->ledger, keys);
  self->open = reeve_ledger_open (self->ledger, error);
  if (self->open)
    self->admission = reeve_admission_new (self->ledger);
  return self->open;
}

static gboolean
reeve_keys_command_begin (ReeveKeysCommandRecord *self, ReeveState *state, ReeveStoreKeys *keys,
                          const ReeveAdmissionRequest *what, GError **error)
{
  g_autoptr (ReeveCaller) caller = reeve_bootstrap_make_caller ();
  ReeveAdmissionRequest request = *what;

  request.caller = caller;
  if (reeve_keys_command_open_ledger (self, state, keys, error))
    self->admitted = reeve_admission_begin (self->admission, &request, error);
  if (self->admitted != NULL)
    return TRUE;
  g_prefix_error (error, "nothing was changed, for it cannot be recorded in the ledger: ");
  return FALSE;
}

/* @failure: why it failed, NULL when it did not */
static void
reeve_keys_command_end (ReeveKeysCommandRecord *self, const GError *failure)
{
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };

  if (failure != NULL)
    {
      settlement.outcome = REEVE_OUTCOME_FAILED;
      settlement.reason = reeve_error_get_name (
          failure->domain == REEVE_ERROR ? (ReeveError) failure->code : REEVE_ERROR_FAILED);
    }
  if (self->admitted != NULL)
    reeve_admission_settle_async (self->admission, self->admitted, &settlement, NULL, NULL);
  if (self->open)
    reeve_ledger_close (self->ledger);
  g_clear_object (&self->admission);
  g_clear_object (&self->ledger);
}

/* ---- another master key ---- */

typedef struct
{
  ReeveState *state;
  const char *source; /* of the new one */
  char *folder;       /* of keys */
  ReeveMasterKey *from;
  ReeveMasterKey *to;
  ReeveMasterKeyPlace old_place;
  ReeveMasterKeyPlace new_place;
} ReeveKeysCommandRotation;

static void
reeve_keys_command_clear_rotation (ReeveKeysCommandRotation *self)
{
  g_free (self->folder);
  g_clear_pointer (&self->from, reeve_master_key_unref);
  g_clear_pointer (&self->to, reeve_master_key_unref);
  reeve_master_key_source_clear_place (&self->old_place);
  reeve_master_key_source_clear_place (&self->new_place);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveKeysCommandRotation, reeve_keys_command_clear_rotation)

static gboolean
reeve_keys_command_load_new (ReeveKeysCommandRotation *self, gboolean may_make, GError **error)
{
  const ReeveMasterKeySource wanted = {
    .source = self->source,
    .state_folder = reeve_state_get_folder (self->state),
    .may_make = may_make,
  };

  if (self->to == NULL)
    self->to = reeve_master_key_source_load (&wanted, &self->new_place, error);
  if (self->to == NULL)
    return FALSE;
  if (strcmp (reeve_master_key_get_id (self->from), reeve_master_key_get_id (self->to)) != 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "%s holds the present master key, not another one", self->new_place.text);
  return FALSE;
}

/* (transfer full) the keys, by whichever of the two has sealed them: a rotation that is done but
 * for cleaning has the new one, which is not made then. Of the marks nothing is needed. */
static ReeveStoreKeys *
reeve_keys_command_open_by_either (ReeveKeysCommandRotation *self, GError **error)
{
  g_autofree char *sealer = NULL;

  if (!reeve_key_paths_read_master (self->folder, &sealer, error))
    return NULL;
  if (g_strcmp0 (sealer, reeve_master_key_get_id (self->from)) == 0)
    return reeve_store_keys_open_unmarked (self->folder, self->from, error);
  return reeve_keys_command_load_new (self, FALSE, error)
             ? reeve_store_keys_open_unmarked (self->folder, self->to, error)
             : NULL;
}

static gboolean
reeve_keys_command_rotate_admitted (ReeveKeysCommandRotation *self, ReeveAdmitted *admitted,
                                    GError **error)
{
  if (!reeve_keys_command_load_new (self, TRUE, error))
    return FALSE;
  reeve_admitted_consume (admitted, REEVE_KEYS_COMMAND_ROTATE);
  return reeve_master_rotation_run (self->folder, self->from, self->to, reeve_keys_command_show,
                                    NULL, error);
}

static gboolean
reeve_keys_command_rotate_recorded (ReeveKeysCommandRotation *self, GError **error)
{
  g_autoptr (ReeveStoreKeys) keys = reeve_keys_command_open_by_either (self, error);
  ReeveAdmissionRequest request = { .operation = REEVE_KEYS_COMMAND_ROTATE };
  ReeveKeysCommandRecord record = { 0 };
  GError *local = NULL;

  if (keys == NULL)
    return FALSE;
  request.resource_type = "master_key";
  request.resource_id = reeve_store_keys_get_master (keys);
  if (reeve_keys_command_begin (&record, self->state, keys, &request, &local))
    reeve_keys_command_rotate_admitted (self, record.admitted, &local);
  reeve_keys_command_end (&record, local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
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
  g_auto (ReeveKeysCommandRotation) self = { .state = state, .source = source };

  self.folder = reeve_startup_keys_get_folder (state);
  if (!reeve_keys_command_check (self.folder, error))
    return FALSE;
  self.from = reeve_startup_keys_load_master (config, state, &self.old_place, error);
  if (self.from == NULL || !reeve_keys_command_rotate_recorded (&self, error))
    return FALSE;
  printf (
      "master key %s in %s opens the stores now\n"
      "set encryption.key_source to \"%s\", start the host, then destroy the old key %s in %s\n",
      reeve_master_key_get_id (self.to), self.new_place.text, source,
      reeve_master_key_get_id (self.from), self.old_place.text);
  return TRUE;
}

/* ---- stores that are taken as they are ---- */

static gboolean
reeve_keys_command_accept_admitted (ReeveStoreKeys *keys, const char *which,
                                    ReeveAdmitted *admitted, GError **error)
{
  reeve_admitted_consume_exactly (admitted, REEVE_KEYS_COMMAND_ACCEPT, which, NULL);
  return reeve_keys_command_is_all (which) ? reeve_store_keys_renew_marks (keys, error)
                                           : reeve_store_keys_forget_mark (keys, which, error);
}

static gboolean
reeve_keys_command_accept_recorded (ReeveState *state, ReeveStoreKeys *keys, const char *which,
                                    GError **error)
{
  const ReeveAdmissionRequest request = {
    .operation = REEVE_KEYS_COMMAND_ACCEPT,
    .resource_type = "store",
    .resource_id = which,
  };
  ReeveKeysCommandRecord record = { 0 };
  GError *local = NULL;

  if (reeve_keys_command_begin (&record, state, keys, &request, &local))
    reeve_keys_command_accept_admitted (keys, which, record.admitted, &local);
  reeve_keys_command_end (&record, local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

/* (transfer full) where all are meant, the marks are not looked at: they may be what is broken */
static ReeveStoreKeys *
reeve_keys_command_open (ReeveConfig *config, ReeveState *state, const char *which, GError **error)
{
  g_autofree char *folder = reeve_startup_keys_get_folder (state);
  g_auto (ReeveMasterKeyPlace) place = { 0 };
  g_autoptr (ReeveMasterKey) master = reeve_startup_keys_load_master (config, state, &place, error);

  if (master == NULL)
    return NULL;
  return reeve_keys_command_is_all (which) ? reeve_store_keys_open_unmarked (folder, master, error)
                                           : reeve_store_keys_open (folder, master, error);
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
  gboolean all = reeve_keys_command_is_all (which);
  g_autoptr (ReeveStoreKeys) keys = NULL;

  if (!reeve_keys_command_check (folder, error))
    return FALSE;
  keys = reeve_keys_command_open (config, state, which, error);
  if (keys == NULL)
    return FALSE;
  if (!all && !reeve_store_keys_has (keys, which))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there are no keys of a store %s",
                   which);
      return FALSE;
    }
  if (!reeve_keys_command_accept_recorded (state, keys, which, error))
    return FALSE;
  g_warning ("the marks of %s are forgotten: what was committed after the copies that are there is "
             "lost",
             which);
  printf ("the next start takes the %s for the newest\n",
          all ? "stores that are there" : "store that is there");
  return TRUE;
}
