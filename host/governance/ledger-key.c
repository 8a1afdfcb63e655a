/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Key pair of the ledger: PKCS#8 in ledger.key (0600, sealed by the master key), the public half in
 * ledger.pub in the C2SP form NAME+ID+KEY, so that any tool that knows signed notes can check a
 * checkpoint. */
#include "ledger-key.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>

#include <reeve-plugin-1.h>

#include "ledger-file.h"
#include "ledger-frontier.h"

/* algorithm byte of Ed25519 in C2SP signed notes */
#define REEVE_LEDGER_KEY_ALGORITHM 0x01
#define REEVE_LEDGER_KEY_MAX_FILE  4096

struct _ReeveLedgerKey
{
  gnutls_privkey_t private_key; /* NULL where only the public half is known */
  gnutls_pubkey_t public_key;
  guint8 public_bytes[REEVE_LEDGER_KEY_PUBLIC_SIZE];
  guint32 id;
};

/**
 * reeve_ledger_key_free:
 * @self: a key
 */
void
reeve_ledger_key_free (ReeveLedgerKey *self)
{
  if (self->private_key != NULL)
    gnutls_privkey_deinit (self->private_key);
  if (self->public_key != NULL)
    gnutls_pubkey_deinit (self->public_key);
  g_free (self);
}

/* The key id of C2SP signed notes: SHA-256 (name | LF | algorithm | public key), first four bytes.
 */
static void
reeve_ledger_key_compute_id (ReeveLedgerKey *self)
{
  g_autoptr (GByteArray) text = g_byte_array_new ();
  guint8 tail[] = { '\n', REEVE_LEDGER_KEY_ALGORITHM };
  guint8 digest[REEVE_LEDGER_HASH_SIZE];

  g_byte_array_append (text, (const guint8 *) REEVE_LEDGER_KEY_NAME,
                       strlen (REEVE_LEDGER_KEY_NAME));
  g_byte_array_append (text, tail, sizeof tail);
  g_byte_array_append (text, self->public_bytes, sizeof self->public_bytes);
  reeve_digests_sha256 (text->data, text->len, digest);
  self->id = (guint32) digest[0] << 24 | (guint32) digest[1] << 16 | (guint32) digest[2] << 8
             | digest[3];
}

static gboolean
reeve_ledger_key_check (int status, const char *doing, GError **error)
{
  if (status >= 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s: %s", doing, gnutls_strerror (status));
  return FALSE;
}

static gboolean
reeve_ledger_key_set_public (ReeveLedgerKey *self, GError **error)
{
  gnutls_datum_t point = { self->public_bytes, sizeof self->public_bytes };

  reeve_ledger_key_compute_id (self);
  return reeve_ledger_key_check (gnutls_pubkey_init (&self->public_key), "making a public key",
                                 error)
         && reeve_ledger_key_check (gnutls_pubkey_import_ecc_raw (
                                        self->public_key, GNUTLS_ECC_CURVE_ED25519, &point, NULL),
                                    "reading the public key", error);
}

/* Takes @x509 over into @self and learns the public half from it. */
static gboolean
reeve_ledger_key_adopt (ReeveLedgerKey *self, gnutls_x509_privkey_t x509, GError **error)
{
  gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
  gnutls_datum_t x = { NULL, 0 };
  gnutls_datum_t k = { NULL, 0 };
  int status = gnutls_privkey_init (&self->private_key);

  if (status >= 0)
    status = gnutls_privkey_import_x509 (self->private_key, x509, GNUTLS_PRIVKEY_IMPORT_COPY);
  if (status >= 0)
    status = gnutls_x509_privkey_export_ecc_raw (x509, &curve, &x, NULL, &k);
  if (status >= 0 && (curve != GNUTLS_ECC_CURVE_ED25519 || x.size != sizeof self->public_bytes))
    status = GNUTLS_E_ECC_UNSUPPORTED_CURVE;
  if (status >= 0)
    memcpy (self->public_bytes, x.data, sizeof self->public_bytes);
  gnutls_free (x.data);
  if (k.data != NULL)
    gnutls_memset (k.data, 0, k.size);
  gnutls_free (k.data);
  return reeve_ledger_key_check (status, "reading the private key", error)
         && reeve_ledger_key_set_public (self, error);
}

static gboolean
reeve_ledger_key_parse (ReeveLedgerKey *self, GBytes *pem, GError **error)
{
  gsize size = 0;
  unsigned char *data = (unsigned char *) g_bytes_get_data (pem, &size);
  gnutls_datum_t datum = { data, (unsigned int) size };
  gnutls_x509_privkey_t x509 = NULL;
  gboolean ok = FALSE;

  if (!reeve_ledger_key_check (gnutls_x509_privkey_init (&x509), "making a private key", error))
    return FALSE;
  ok = reeve_ledger_key_check (gnutls_x509_privkey_import (x509, &datum, GNUTLS_X509_FMT_PEM),
                               "reading the private key", error)
       && reeve_ledger_key_adopt (self, x509, error);
  gnutls_x509_privkey_deinit (x509);
  return ok;
}

static ReeveLedgerKey *
reeve_ledger_key_load (const char *folder, ReeveStoreKeys *keys, GError **error)
{
  g_autoptr (ReeveLedgerKey) self = g_new0 (ReeveLedgerKey, 1);
  g_autoptr (GBytes) pem = reeve_store_keys_load_secret (keys, folder, REEVE_LEDGER_KEY_SECRET,
                                                         REEVE_LEDGER_KEY_MAX_FILE, error);
  gboolean ok = pem != NULL && reeve_ledger_key_parse (self, pem, error);

  if (pem != NULL && g_bytes_get_size (pem) > 0)
    explicit_bzero ((gpointer) g_bytes_get_data (pem, NULL), g_bytes_get_size (pem));
  return ok ? g_steal_pointer (&self) : NULL;
}

static gboolean
reeve_ledger_key_create (const char *folder, ReeveStoreKeys *keys, GError **error)
{
  gnutls_x509_privkey_t x509 = NULL;
  gnutls_datum_t pem = { NULL, 0 };
  gboolean ok = FALSE;
  int status = gnutls_x509_privkey_init (&x509);

  if (status >= 0)
    status = gnutls_x509_privkey_generate (x509, GNUTLS_PK_EDDSA_ED25519,
                                           GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_ED25519), 0);
  if (status >= 0)
    status = gnutls_x509_privkey_export2_pkcs8 (x509, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                                &pem);
  if (status >= 0)
    ok = reeve_store_keys_save_secret (keys, folder, REEVE_LEDGER_KEY_SECRET, pem.data, pem.size,
                                       error);
  else
    reeve_ledger_key_check (status, "making the signing key", error);
  if (pem.data != NULL)
    gnutls_memset (pem.data, 0, pem.size);
  gnutls_free (pem.data);
  if (x509 != NULL)
    gnutls_x509_privkey_deinit (x509);
  return ok;
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
  g_autoptr (ReeveLedgerKey) self = NULL;
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_KEY_FILE, NULL);
  g_autofree char *public_path = g_build_filename (folder, REEVE_LEDGER_KEY_PUBLIC_FILE, NULL);
  g_autofree char *vkey = NULL;
  g_autofree char *line = NULL;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      if (g_file_test (public_path, G_FILE_TEST_EXISTS))
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "opening the ledger key: %s is there, but %s is missing", public_path, path);
          return NULL;
        }
      if (!reeve_ledger_key_create (folder, keys, error))
        return NULL;
    }
  self = reeve_ledger_key_load (folder, keys, error);
  if (self == NULL)
    {
      g_prefix_error (error, "opening the ledger key: ");
      return NULL;
    }
  vkey = reeve_ledger_key_to_vkey (self);
  line = g_strconcat (vkey, "\n", NULL);
  if (g_file_test (public_path, G_FILE_TEST_EXISTS))
    {
      g_autoptr (GBytes) bytes
          = reeve_ledger_file_read (public_path, REEVE_LEDGER_KEY_MAX_FILE, error);
      g_autoptr (GBytes) wanted = g_bytes_new (line, strlen (line));

      if (bytes == NULL)
        return NULL;
      if (!g_bytes_equal (bytes, wanted))
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "opening the ledger key: %s does not belong to %s", public_path, path);
          return NULL;
        }
    }
  else if (!reeve_ledger_file_replace (public_path, line, strlen (line), 0644, error))
    return NULL;
  return g_steal_pointer (&self);
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

  return reeve_ledger_key_load_public_file (path, error);
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
 * @vkey: a public key in the C2SP form, `reeve-ledger+ID+KEY`
 * @error: return location
 *
 * Returns: (transfer full): a key that can verify, or %NULL with %REEVE_ERROR_CORRUPT
 */
ReeveLedgerKey *
reeve_ledger_key_new_from_vkey (const char *vkey, GError **error)
{
  g_autoptr (ReeveLedgerKey) self = g_new0 (ReeveLedgerKey, 1);
  g_auto (GStrv) parts = g_strsplit (vkey, "+", 3);
  g_autofree guint8 *raw = NULL;
  g_autofree char *again = NULL;
  gsize size = 0;

  if (g_strv_length (parts) == 3)
    raw = g_base64_decode (parts[2], &size);
  if (raw == NULL || size != 1 + sizeof self->public_bytes || raw[0] != REEVE_LEDGER_KEY_ALGORITHM)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                           "the public key of the ledger is malformed");
      return NULL;
    }
  memcpy (self->public_bytes, raw + 1, sizeof self->public_bytes);
  if (!reeve_ledger_key_set_public (self, error))
    return NULL;
  /* one spelling only: name, id and base64 must come out as they went in */
  again = reeve_ledger_key_to_vkey (self);
  if (strcmp (again, vkey) != 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                           "the public key of the ledger does not fit its name and id");
      return NULL;
    }
  return g_steal_pointer (&self);
}

/**
 * reeve_ledger_key_to_vkey:
 * @self: a key
 *
 * Returns: (transfer full): the public half as C2SP signed notes write it, without a line end
 */
char *
reeve_ledger_key_to_vkey (ReeveLedgerKey *self)
{
  guint8 raw[1 + REEVE_LEDGER_KEY_PUBLIC_SIZE];
  g_autofree char *text = NULL;

  raw[0] = REEVE_LEDGER_KEY_ALGORITHM;
  memcpy (raw + 1, self->public_bytes, sizeof self->public_bytes);
  text = g_base64_encode (raw, sizeof raw);
  return g_strdup_printf ("%s+%08x+%s", REEVE_LEDGER_KEY_NAME, self->id, text);
}

/**
 * reeve_ledger_key_get_id:
 * @self: a key
 *
 * Returns: the key id that stands in front of each signature
 */
guint32
reeve_ledger_key_get_id (ReeveLedgerKey *self)
{
  return self->id;
}

/**
 * reeve_ledger_key_sign:
 * @self: a key with its private half
 * @data: what to sign
 * @length: bytes of it
 * @signature: (out caller-allocates): the Ed25519 signature
 * @error: return location
 *
 * Returns: %FALSE with an error where only the public half is known or GnuTLS fails
 */
gboolean
reeve_ledger_key_sign (ReeveLedgerKey *self, gconstpointer data, gsize length,
                       guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE], GError **error)
{
  gnutls_datum_t text = { (unsigned char *) data, (unsigned int) length };
  gnutls_datum_t made = { NULL, 0 };
  int status = GNUTLS_E_INVALID_REQUEST;

  if (self->private_key != NULL)
    status
        = gnutls_privkey_sign_data2 (self->private_key, GNUTLS_SIGN_EDDSA_ED25519, 0, &text, &made);
  if (status >= 0 && made.size != REEVE_LEDGER_KEY_SIGNATURE_SIZE)
    status = GNUTLS_E_INTERNAL_ERROR;
  if (status >= 0)
    memcpy (signature, made.data, REEVE_LEDGER_KEY_SIGNATURE_SIZE);
  gnutls_free (made.data);
  return reeve_ledger_key_check (status, "signing a checkpoint", error);
}

/**
 * reeve_ledger_key_verify:
 * @self: a key
 * @data: what was signed
 * @length: bytes of it
 * @signature: the signature
 *
 * Returns: whether @signature is @self's over @data
 */
gboolean
reeve_ledger_key_verify (ReeveLedgerKey *self, gconstpointer data, gsize length,
                         const guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE])
{
  gnutls_datum_t text = { (unsigned char *) data, (unsigned int) length };
  gnutls_datum_t given = { (unsigned char *) signature, REEVE_LEDGER_KEY_SIGNATURE_SIZE };

  return gnutls_pubkey_verify_data2 (self->public_key, GNUTLS_SIGN_EDDSA_ED25519, 0, &text, &given)
         >= 0;
}
