/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of the ledger: PKCS#8 in ledger.key (0600, sealed by the master key), the public half in
 * ledger.pub in the C2SP form NAME+ID+KEY, so that any tool that knows signed notes can check a
 * checkpoint. Before it stand those of earlier keys, oldest first: what they have signed still
 * verifies. The last one signs. */
#include "ledger-key-private.h"

#include <string.h>

#include "ledger-file.h"

#define REEVE_LEDGER_KEY_MAX_FILE 4096

/* (transfer full) a key without any pair yet */
static ReeveLedgerKey *
reeve_ledger_key_new (void)
{
  ReeveLedgerKey *self = g_new0 (ReeveLedgerKey, 1);

  g_mutex_init (&self->mutex);
  self->pairs = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_ledger_key_pair_unref);
  return self;
}

/**
 * reeve_ledger_key_free:
 * @self: a key
 */
void
reeve_ledger_key_free (ReeveLedgerKey *self)
{
  g_ptr_array_unref (self->pairs);
  g_free (self->folder);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* (transfer full) the pair that signs: there is always one, and it is the last */
ReeveLedgerKeyPair *
reeve_ledger_key_get_signing (ReeveLedgerKey *self)
{
  ReeveLedgerKeyPair *pair = NULL;

  g_mutex_lock (&self->mutex);
  pair = reeve_ledger_key_pair_ref (g_ptr_array_index (self->pairs, self->pairs->len - 1));
  g_mutex_unlock (&self->mutex);
  return pair;
}

/* (transfer full) (nullable) the pair of that id, the newest where there are several */
static ReeveLedgerKeyPair *
reeve_ledger_key_find (ReeveLedgerKey *self, guint32 id)
{
  ReeveLedgerKeyPair *found = NULL;

  g_mutex_lock (&self->mutex);
  for (guint i = self->pairs->len; i > 0 && found == NULL; i--)
    {
      ReeveLedgerKeyPair *pair = g_ptr_array_index (self->pairs, i - 1);

      if (pair->id == id)
        found = reeve_ledger_key_pair_ref (pair);
    }
  g_mutex_unlock (&self->mutex);
  return found;
}

static ReeveLedgerKeyPair *
reeve_ledger_key_load (const char *folder, ReeveStoreKeys *keys, GError **error)
{
  g_autoptr (ReeveLedgerKeyPair) pair = reeve_ledger_key_pair_new ();
  g_autoptr (GBytes) pem = reeve_store_keys_load_secret (keys, folder, REEVE_LEDGER_KEY_SECRET,
                                                         REEVE_LEDGER_KEY_MAX_FILE, error);
  gboolean ok = pem != NULL && reeve_ledger_key_pair_parse (pair, pem, error);

  if (pem != NULL && g_bytes_get_size (pem) > 0)
    explicit_bzero ((gpointer) g_bytes_get_data (pem, NULL), g_bytes_get_size (pem));
  return ok ? g_steal_pointer (&pair) : NULL;
}

static gboolean
reeve_ledger_key_create (const char *folder, ReeveStoreKeys *keys, GError **error)
{
  gnutls_datum_t pem = { NULL, 0 };
  gboolean ok = reeve_ledger_key_pair_generate (&pem, error)
                && reeve_store_keys_save_secret (keys, folder, REEVE_LEDGER_KEY_SECRET, pem.data,
                                                 pem.size, error);

  reeve_ledger_key_pair_wipe (&pem);
  return ok;
}

/* (transfer full) what ledger.pub holds for these pairs */
static char *
reeve_ledger_key_format_list (GPtrArray *pairs)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < pairs->len; i++)
    {
      g_autofree char *vkey = reeve_ledger_key_pair_to_vkey (g_ptr_array_index (pairs, i));

      g_string_append_printf (text, "%s\n", vkey);
    }
  return g_string_free (text, FALSE);
}

gboolean
reeve_ledger_key_write_list (GPtrArray *pairs, const char *path, GError **error)
{
  g_autofree char *text = reeve_ledger_key_format_list (pairs);

  return reeve_ledger_file_replace (path, text, strlen (text), 0644, error);
}

/* Puts the private key in the place of its public half. A public key behind it is of a rotation
 * that did not come to its end: nothing was signed with it. */
static gboolean
reeve_ledger_key_take_list (ReeveLedgerKey *self, ReeveLedgerKeyPair *own, GPtrArray *known,
                            const char *path, GError **error)
{
  for (guint i = 0; i < known->len; i++)
    {
      ReeveLedgerKeyPair *pair = g_ptr_array_index (known, i);
      gboolean is_own
          = memcmp (pair->public_bytes, own->public_bytes, sizeof own->public_bytes) == 0;

      g_ptr_array_add (self->pairs, reeve_ledger_key_pair_ref (is_own ? own : pair));
      if (is_own)
        return i + 1 == known->len || reeve_ledger_key_write_list (self->pairs, path, error);
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "opening the ledger key: %s does not belong to %s", path, REEVE_LEDGER_KEY_FILE);
  return FALSE;
}

/**
 * reeve_ledger_key_open:
 * @folder: the folder of keys; must exist
 * @keys: (nullable): what seals the private half; %NULL when nothing is encrypted
 * @error: return location
 *
 * Loads the signing key, making it on the first start. The public half is written anew where it is
 * missing, and compared where it is there: a public key that does not fit would make every
 * checkpoint look forged.
 *
 * Returns: (transfer full): the key, or %NULL with %REEVE_ERROR_CORRUPT or a file error
 */
ReeveLedgerKey *
reeve_ledger_key_open (const char *folder, ReeveStoreKeys *keys, GError **error)
{
  g_autoptr (ReeveLedgerKey) self = reeve_ledger_key_new ();
  g_autoptr (ReeveLedgerKeyPair) own = NULL;
  g_autoptr (ReeveLedgerKey) known = NULL;
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_KEY_FILE, NULL);
  g_autofree char *public_path = g_build_filename (folder, REEVE_LEDGER_KEY_PUBLIC_FILE, NULL);
  gboolean has_public = g_file_test (public_path, G_FILE_TEST_EXISTS);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      if (has_public)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "opening the ledger key: %s is there, but %s is missing", public_path, path);
          return NULL;
        }
      if (!reeve_ledger_key_create (folder, keys, error))
        return NULL;
    }
  self->folder = g_strdup (folder);
  own = reeve_ledger_key_load (folder, keys, error);
  known = own != NULL && has_public ? reeve_ledger_key_load_public_file (public_path, error) : NULL;
  if (own == NULL || (has_public && known == NULL))
    {
      g_prefix_error (error, "opening the ledger key: ");
      return NULL;
    }
  if (known != NULL)
    return reeve_ledger_key_take_list (self, own, known->pairs, public_path, error)
               ? g_steal_pointer (&self)
               : NULL;
  g_ptr_array_add (self->pairs, g_steal_pointer (&own));
  return reeve_ledger_key_write_list (self->pairs, public_path, error) ? g_steal_pointer (&self)
                                                                       : NULL;
}

/**
 * reeve_ledger_key_load_public:
 * @folder: the folder of keys
 * @error: return location
 *
 * Loads the public half only: enough to verify.
 *
 * Returns: (transfer full): the key, or %NULL with %REEVE_ERROR_CORRUPT or a file error
 */
ReeveLedgerKey *
reeve_ledger_key_load_public (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_KEY_PUBLIC_FILE, NULL);

  ReeveLedgerKey *self = reeve_ledger_key_load_public_file (path, error);

  if (self != NULL)
    self->folder = g_strdup (folder);
  return self;
}

/**
 * reeve_ledger_key_get_folder:
 * @self: a key
 *
 * Returns: (transfer none) (nullable): the folder that it was read from; %NULL when it was given as
 * a file, or as text
 */
const char *
reeve_ledger_key_get_folder (ReeveLedgerKey *self)
{
  return self->folder;
}

/**
 * reeve_ledger_key_load_public_file:
 * @path: a file as ledger.pub
 * @error: return location
 *
 * Returns: (transfer full): the key, or %NULL with %REEVE_ERROR_CORRUPT or a file error
 */
ReeveLedgerKey *
reeve_ledger_key_load_public_file (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = reeve_ledger_file_read (path, REEVE_LEDGER_KEY_MAX_FILE, error);
  g_autofree char *text = NULL;
  gsize size = 0;
  const char *data = NULL;

  if (bytes == NULL)
    return NULL;
  data = g_bytes_get_data (bytes, &size);
  text = g_strndup (data != NULL ? data : "", size);
  g_strchomp (text);
  return reeve_ledger_key_new_from_vkey (text, error);
}

/**
 * reeve_ledger_key_new_from_vkey:
 * @vkey: public keys in the C2SP form, `reeve-ledger+ID+KEY`, a line each, oldest first
 * @error: return location
 *
 * Returns: (transfer full): a key that can verify, or %NULL with %REEVE_ERROR_CORRUPT
 */
ReeveLedgerKey *
reeve_ledger_key_new_from_vkey (const char *vkey, GError **error)
{
  g_autoptr (ReeveLedgerKey) self = reeve_ledger_key_new ();
  g_auto (GStrv) lines = g_strsplit (vkey, "\n", REEVE_LEDGER_KEY_MAX_PAIRS + 1);

  for (guint i = 0; lines[i] != NULL || i == 0; i++)
    {
      ReeveLedgerKeyPair *pair
          = reeve_ledger_key_pair_new_from_vkey (lines[i] != NULL ? lines[i] : "", error);

      if (pair == NULL)
        return NULL;
      g_ptr_array_add (self->pairs, pair);
    }
  return g_steal_pointer (&self);
}

/**
 * reeve_ledger_key_to_vkey:
 * @self: a key
 *
 * Returns: (transfer full): the public half of the one that signs as C2SP signed notes write it,
 * without a line end
 */
char *
reeve_ledger_key_to_vkey (ReeveLedgerKey *self)
{
  g_autoptr (ReeveLedgerKeyPair) pair = reeve_ledger_key_get_signing (self);

  return reeve_ledger_key_pair_to_vkey (pair);
}

/**
 * reeve_ledger_key_list:
 * @self: a key
 *
 * Returns: (transfer full): public halves as in ledger.pub, oldest first
 */
char **
reeve_ledger_key_list (ReeveLedgerKey *self)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->pairs->len; i++)
    g_ptr_array_add (list, reeve_ledger_key_pair_to_vkey (g_ptr_array_index (self->pairs, i)));
  g_mutex_unlock (&self->mutex);
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_steal (list, NULL);
}

/**
 * reeve_ledger_key_get_id:
 * @self: a key
 *
 * Returns: the key id that stands in front of each signature that is made now
 */
guint32
reeve_ledger_key_get_id (ReeveLedgerKey *self)
{
  g_autoptr (ReeveLedgerKeyPair) pair = reeve_ledger_key_get_signing (self);

  return pair->id;
}

/**
 * reeve_ledger_key_sign:
 * @self: a key with its private half
 * @data: what to sign
 * @length: bytes of it
 * @id: (out): id of the key that has signed
 * @signature: (out caller-allocates): the Ed25519 signature
 * @error: return location
 *
 * Returns: %FALSE with an error where only the public half is known or GnuTLS fails
 */
gboolean
reeve_ledger_key_sign (ReeveLedgerKey *self, gconstpointer data, gsize length, guint32 *id,
                       guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE], GError **error)
{
  g_autoptr (ReeveLedgerKeyPair) pair = reeve_ledger_key_get_signing (self);

  *id = pair->id;
  return reeve_ledger_key_pair_sign (pair, data, length, signature, error);
}

/**
 * reeve_ledger_key_knows:
 * @self: a key
 * @id: a key id
 *
 * Returns: whether it is one that signs or has signed
 */
gboolean
reeve_ledger_key_knows (ReeveLedgerKey *self, guint32 id)
{
  g_autoptr (ReeveLedgerKeyPair) pair = id != 0 ? reeve_ledger_key_find (self, id) : NULL;

  return pair != NULL;
}

/**
 * reeve_ledger_key_verify:
 * @self: a key
 * @data: what was signed
 * @length: bytes of it
 * @id: id of the key that has signed
 * @signature: the signature
 *
 * Returns: whether @signature is that of the key @id over @data
 */
gboolean
reeve_ledger_key_verify (ReeveLedgerKey *self, gconstpointer data, gsize length, guint32 id,
                         const guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE])
{
  g_autoptr (ReeveLedgerKeyPair) pair = id != 0 ? reeve_ledger_key_find (self, id) : NULL;

  return pair != NULL && reeve_ledger_key_pair_verify (pair, data, length, signature);
}

/**
 * reeve_ledger_key_count:
 * @self: a key
 *
 * Returns: number of keys in the list
 */
guint
reeve_ledger_key_count (ReeveLedgerKey *self)
{
  guint count = 0;

  g_mutex_lock (&self->mutex);
  count = self->pairs->len;
  g_mutex_unlock (&self->mutex);
  return count;
}
