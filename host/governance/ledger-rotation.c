/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes the signing key. The platform's log says so first, in a record that both keys have
 * signed; then the list of public keys is longer, then the private key is another, then every log
 * gets a checkpoint by the new one. Whatever ends in between leaves a ledger that verifies: a
 * public key whose private half never came is taken off the list at the next start, and a log that
 * is signed by an earlier key is signed again. */
#include "ledger-rotation.h"

#include "ledger-private.h"

static gboolean
reeve_ledger_rotation_record (ReeveLedger *self, const char *statement, GError **error)
{
  ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_EVENT,
    .scope = REEVE_SCOPE_PLATFORM,
    .action = REEVE_LEDGER_ACTION_KEY_ROTATED,
    .actor_type = "system",
    .resource_type = "ledger_key",
    .resource_id = statement,
    .outcome = REEVE_OUTCOME_SUCCEEDED,
    .door = "internal",
  };

  return reeve_ledger_append (self, &record, error) != 0;
}

/* With the turn to rotate. */
static JsonObject *
reeve_ledger_rotation_run (ReeveLedger *self, GError **error)
{
  g_autoptr (ReeveLedgerKeyNext) next = reeve_ledger_key_next_new (self->key, error);
  g_autofree char *before = g_strdup_printf ("%08x", reeve_ledger_key_get_id (self->key));
  g_autofree char *now = NULL;
  g_autofree char *vkey = NULL;
  JsonObject *result = NULL;

  if (next == NULL
      || !reeve_ledger_rotation_record (self, reeve_ledger_key_next_get_statement (next), error)
      || !reeve_ledger_key_next_adopt (self->key, next, self->keys_folder, self->keys, error))
    return NULL;
  reeve_ledger_sign_all (self);
  now = g_strdup_printf ("%08x", reeve_ledger_key_get_id (self->key));
  vkey = reeve_ledger_key_to_vkey (self->key);
  result = json_object_new ();
  json_object_set_string_member (result, "signer", now);
  json_object_set_string_member (result, "public_key", vkey);
  json_object_set_string_member (result, "previous_signer", before);
  return result;
}

/**
 * reeve_ledger_rotate_key:
 * @self: an open ledger
 * @admitted: the right to `audit.rotate_key`
 * @error: return location
 *
 * Makes a new signing key, has the ledger say so, and signs every log with it. What the earlier
 * keys have signed verifies as before. Blocks.
 *
 * Returns: (transfer full): {signer, public_key, previous_signer}; %NULL with %REEVE_ERROR_BUSY
 * while another rotation is under way, or an error of the disk
 */
JsonObject *
reeve_ledger_rotate_key (ReeveLedger *self, ReeveAdmitted *admitted, GError **error)
{
  JsonObject *result = NULL;

  if (!g_atomic_int_compare_and_exchange (&self->rotating, 0, 1))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                           "the key of the ledger is being changed already");
      return NULL;
    }
  reeve_admitted_consume (admitted, "audit.rotate_key");
  result = reeve_ledger_rotation_run (self, error);
  g_atomic_int_set (&self->rotating, 0);
  if (result == NULL)
    g_prefix_error (error, "changing the key of the ledger: ");
  return result;
}
