/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing the ledger's key for another: both sign that it is so. */
#include "ledger-key-private.h"

#include <string.h>

struct _ReeveLedgerKeyNext
{
  ReeveLedgerKeyPair *pair;
  gnutls_datum_t pem;
  char *statement;
};

/* What both keys sign. */
static char *
reeve_ledger_key_next_make_message (const ReeveLedgerKeyPair *old, const ReeveLedgerKeyPair *next)
{
  g_autofree char *before = reeve_ledger_key_pair_to_vkey (old);
  g_autofree char *behind = reeve_ledger_key_pair_to_vkey (next);

  return g_strdup_printf ("reeve-ledger rotation/v1\n%s\n%s\n", before, behind);
}

/**
 * reeve_ledger_key_next_free:
 * @self: a key that is to come
 */
void
reeve_ledger_key_next_free (ReeveLedgerKeyNext *self)
{
  g_clear_pointer (&self->pair, reeve_ledger_key_pair_unref);
  reeve_ledger_key_pair_wipe (&self->pem);
  g_free (self->statement);
  g_free (self);
}

/**
 * reeve_ledger_key_next_get_statement:
 * @self: a key that is to come
 *
 * Returns: (transfer none): `VKEY SIGNATURE SIGNATURE`: the new public key, and both keys'
 * signatures in base64, the old one's first
 */
const char *
reeve_ledger_key_next_get_statement (ReeveLedgerKeyNext *self)
{
  return self->statement;
}

static gboolean
reeve_ledger_key_next_make_statement (ReeveLedgerKeyNext *next, ReeveLedgerKeyPair *old,
                                      GError **error)
{
  g_autofree char *message = reeve_ledger_key_next_make_message (old, next->pair);
  g_autofree char *vkey = reeve_ledger_key_pair_to_vkey (next->pair);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  guint8 by_old[REEVE_LEDGER_KEY_SIGNATURE_SIZE];
  guint8 by_new[REEVE_LEDGER_KEY_SIGNATURE_SIZE];

  if (!reeve_ledger_key_pair_sign (old, message, strlen (message), by_old, error)
      || !reeve_ledger_key_pair_sign (next->pair, message, strlen (message), by_new, error))
    return FALSE;
  first = g_base64_encode (by_old, sizeof by_old);
  second = g_base64_encode (by_new, sizeof by_new);
  next->statement = g_strjoin (" ", vkey, first, second, NULL);
  return TRUE;
}

/**
 * reeve_ledger_key_next_new:
 * @self: a key that signs
 * @error: return location
 *
 * Makes another key; nothing is changed yet.
 *
 * Returns: (transfer full): it, or %NULL with an error of GnuTLS, or %REEVE_ERROR_OUT_OF_RANGE when
 * there were too many
 */
ReeveLedgerKeyNext *
reeve_ledger_key_next_new (ReeveLedgerKey *self, GError **error)
{
  g_autoptr (ReeveLedgerKeyNext) next = g_new0 (ReeveLedgerKeyNext, 1);
  g_autoptr (ReeveLedgerKeyPair) old = reeve_ledger_key_get_signing (self);
  g_autoptr (GBytes) pem = NULL;
  g_auto (GStrv) list = reeve_ledger_key_list (self);

  if (g_strv_length (list) >= REEVE_LEDGER_KEY_MAX_PAIRS)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE, "it was changed %d times already",
                   REEVE_LEDGER_KEY_MAX_PAIRS - 1);
      return NULL;
    }
  next->pair = reeve_ledger_key_pair_new ();
  if (!reeve_ledger_key_pair_generate (&next->pem, error))
    return NULL;
  pem = g_bytes_new_static (next->pem.data, next->pem.size);
  if (!reeve_ledger_key_pair_parse (next->pair, pem, error)
      || !reeve_ledger_key_next_make_statement (next, old, error))
    return NULL;
  return g_steal_pointer (&next);
}

/**
 * reeve_ledger_key_next_adopt:
 * @self: a key that signs
 * @next: what signs from now on
 * @folder: the folder of keys
 * @keys: (nullable): what seals the private half
 * @error: return location
 *
 * Makes the change durable, then does it. One at a time.
 *
 * Returns: %FALSE with an error; the next start knows which of both it is
 */
gboolean
reeve_ledger_key_next_adopt (ReeveLedgerKey *self, ReeveLedgerKeyNext *next, const char *folder,
                             ReeveStoreKeys *keys, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_KEY_PUBLIC_FILE, NULL);
  g_autoptr (GPtrArray) pairs
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_ledger_key_pair_unref);

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->pairs->len; i++)
    g_ptr_array_add (pairs, reeve_ledger_key_pair_ref (g_ptr_array_index (self->pairs, i)));
  g_mutex_unlock (&self->mutex);
  g_ptr_array_add (pairs, reeve_ledger_key_pair_ref (next->pair));
  if (!reeve_ledger_key_write_list (pairs, path, error)
      || !reeve_store_keys_save_secret (keys, folder, REEVE_LEDGER_KEY_SECRET, next->pem.data,
                                        next->pem.size, error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  g_ptr_array_add (self->pairs, reeve_ledger_key_pair_ref (next->pair));
  g_mutex_unlock (&self->mutex);
  return TRUE;
}

static gboolean
reeve_ledger_key_next_check_signature (ReeveLedgerKeyPair *pair, const char *message,
                                       const char *text)
{
  gsize size = 0;
  g_autofree guint8 *signature = g_base64_decode (text, &size);
  g_autofree char *again = g_base64_encode (signature, size);

  return size == REEVE_LEDGER_KEY_SIGNATURE_SIZE && strcmp (again, text) == 0
         && reeve_ledger_key_pair_verify (pair, message, strlen (message), signature);
}

/**
 * reeve_ledger_key_next_check:
 * @self: a key
 * @number: (inout): the key that signed at that time, in the list; the next one where this rotation
 * is the one to it
 * @statement: what a record says
 *
 * A rotation that was begun and did not come to its end names a key that is not in the list; it is
 * signed all the same.
 *
 * Returns: whether @statement is signed by that key and by the new one
 */
gboolean
reeve_ledger_key_next_check (ReeveLedgerKey *self, guint *number, const char *statement)
{
  g_auto (GStrv) parts = g_strsplit (statement, " ", 4);
  g_autoptr (ReeveLedgerKeyPair) next = NULL;
  g_autoptr (ReeveLedgerKeyPair) old = NULL;
  g_autofree char *message = NULL;
  gboolean listed = FALSE;

  if (g_strv_length (parts) != 3)
    return FALSE;
  next = reeve_ledger_key_pair_new_from_vkey (parts[0], NULL);
  g_mutex_lock (&self->mutex);
  old = reeve_ledger_key_pair_ref (g_ptr_array_index (self->pairs, *number));
  if (next != NULL && *number + 1 < self->pairs->len)
    listed = ((ReeveLedgerKeyPair *) g_ptr_array_index (self->pairs, *number + 1))->id == next->id;
  g_mutex_unlock (&self->mutex);
  if (next == NULL)
    return FALSE;
  message = reeve_ledger_key_next_make_message (old, next);
  if (!reeve_ledger_key_next_check_signature (old, message, parts[1])
      || !reeve_ledger_key_next_check_signature (next, message, parts[2]))
    return FALSE;
  *number += listed ? 1 : 0;
  return TRUE;
}
