/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One Ed25519 key pair of the ledger, and the form that C2SP signed notes give its public half. */
#include "ledger-key-pair.h"

#include <gnutls/x509.h>
#include <string.h>

#include "base/digests.h"

#include "ledger-key.h"

/* algorithm byte of Ed25519 in C2SP signed notes */
#define REEVE_LEDGER_KEY_PAIR_ALGORITHM 0x01

/**
 * reeve_ledger_key_pair_unref:
 * @pair: (transfer full): a pair
 */
void
reeve_ledger_key_pair_unref (ReeveLedgerKeyPair *pair)
{
  if (!g_atomic_ref_count_dec (&pair->refs))
    return;
  if (pair->private_key != NULL)
    gnutls_privkey_deinit (pair->private_key);
  if (pair->public_key != NULL)
    gnutls_pubkey_deinit (pair->public_key);
  g_free (pair);
}

/**
 * reeve_ledger_key_pair_new:
 *
 * Returns: (transfer full): a pair of nothing yet
 */
ReeveLedgerKeyPair *
reeve_ledger_key_pair_new (void)
{
  ReeveLedgerKeyPair *pair = g_new0 (ReeveLedgerKeyPair, 1);

  g_atomic_ref_count_init (&pair->refs);
  return pair;
}

/**
 * reeve_ledger_key_pair_ref:
 * @pair: a pair
 *
 * Returns: (transfer full): the same
 */
ReeveLedgerKeyPair *
reeve_ledger_key_pair_ref (ReeveLedgerKeyPair *pair)
{
  g_atomic_ref_count_inc (&pair->refs);
  return pair;
}

/* The key id of C2SP signed notes: SHA-256 (name | LF | algorithm | public key), first four bytes.
 */
static void
reeve_ledger_key_pair_compute_id (ReeveLedgerKeyPair *self)
{
  g_autoptr (GByteArray) text = g_byte_array_new ();
  guint8 tail[] = { '\n', REEVE_LEDGER_KEY_PAIR_ALGORITHM };
  guint8 digest[REEVE_DIGESTS_LENGTH];

  g_byte_array_append (text, (const guint8 *) REEVE_LEDGER_KEY_NAME,
                       strlen (REEVE_LEDGER_KEY_NAME));
  g_byte_array_append (text, tail, sizeof tail);
  g_byte_array_append (text, self->public_bytes, sizeof self->public_bytes);
  reeve_digests_sha256 (text->data, text->len, digest);
  self->id = (guint32) digest[0] << 24 | (guint32) digest[1] << 16 | (guint32) digest[2] << 8
             | digest[3];
}

static gboolean
reeve_ledger_key_pair_check (int status, const char *doing, GError **error)
{
  if (status >= 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s: %s", doing, gnutls_strerror (status));
  return FALSE;
}

static gboolean
reeve_ledger_key_pair_set_public (ReeveLedgerKeyPair *self, GError **error)
{
  gnutls_datum_t point = { self->public_bytes, sizeof self->public_bytes };

  reeve_ledger_key_pair_compute_id (self);
  return reeve_ledger_key_pair_check (gnutls_pubkey_init (&self->public_key), "making a public key",
                                      error)
         && reeve_ledger_key_pair_check (gnutls_pubkey_import_ecc_raw (self->public_key,
                                                                       GNUTLS_ECC_CURVE_ED25519,
                                                                       &point, NULL),
                                         "reading the public key", error);
}

/**
 * reeve_ledger_key_pair_new_from_public:
 * @bytes: an Ed25519 public key
 * @error: return location
 *
 * Returns: (transfer full): the public half; its id is that of a ledger's key. %NULL with
 * %REEVE_ERROR_CORRUPT
 */
ReeveLedgerKeyPair *
reeve_ledger_key_pair_new_from_public (const guint8 bytes[REEVE_LEDGER_KEY_PUBLIC_SIZE],
                                       GError **error)
{
  g_autoptr (ReeveLedgerKeyPair) pair = reeve_ledger_key_pair_new ();

  memcpy (pair->public_bytes, bytes, sizeof pair->public_bytes);
  return reeve_ledger_key_pair_set_public (pair, error) ? g_steal_pointer (&pair) : NULL;
}

/* Takes @x509 over into @self and learns the public half from it. */
static gboolean
reeve_ledger_key_pair_adopt (ReeveLedgerKeyPair *self, gnutls_x509_privkey_t x509, GError **error)
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
  return reeve_ledger_key_pair_check (status, "reading the private key", error)
         && reeve_ledger_key_pair_set_public (self, error);
}

/**
 * reeve_ledger_key_pair_parse:
 * @self: a pair of nothing yet
 * @pem: PKCS#8
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when it is no Ed25519 key
 */
gboolean
reeve_ledger_key_pair_parse (ReeveLedgerKeyPair *self, GBytes *pem, GError **error)
{
  gsize size = 0;
  unsigned char *data = (unsigned char *) g_bytes_get_data (pem, &size);
  gnutls_datum_t datum = { data, (unsigned int) size };
  gnutls_x509_privkey_t x509 = NULL;
  gboolean ok = FALSE;

  if (!reeve_ledger_key_pair_check (gnutls_x509_privkey_init (&x509), "making a private key",
                                    error))
    return FALSE;
  ok = reeve_ledger_key_pair_check (gnutls_x509_privkey_import (x509, &datum, GNUTLS_X509_FMT_PEM),
                                    "reading the private key", error)
       && reeve_ledger_key_pair_adopt (self, x509, error);
  gnutls_x509_privkey_deinit (x509);
  return ok;
}

/**
 * reeve_ledger_key_pair_generate:
 * @pem: (out): a new private key as PKCS#8, to be wiped with reeve_ledger_key_pair_wipe()
 * @error: return location
 *
 * Returns: %FALSE with an error of GnuTLS
 */
gboolean
reeve_ledger_key_pair_generate (gnutls_datum_t *pem, GError **error)
{
  gnutls_x509_privkey_t x509 = NULL;
  int status = gnutls_x509_privkey_init (&x509);

  if (status >= 0)
    status = gnutls_x509_privkey_generate (x509, GNUTLS_PK_EDDSA_ED25519,
                                           GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_ED25519), 0);
  if (status >= 0)
    status = gnutls_x509_privkey_export2_pkcs8 (x509, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                                pem);
  if (x509 != NULL)
    gnutls_x509_privkey_deinit (x509);
  return reeve_ledger_key_pair_check (status, "making the signing key", error);
}

/**
 * reeve_ledger_key_pair_wipe:
 * @pem: a private key
 */
void
reeve_ledger_key_pair_wipe (gnutls_datum_t *pem)
{
  if (pem->data != NULL)
    gnutls_memset (pem->data, 0, pem->size);
  gnutls_free (pem->data);
  pem->data = NULL;
}

/**
 * reeve_ledger_key_pair_to_vkey:
 * @pair: a pair
 *
 * Returns: (transfer full): the public half as C2SP signed notes write it, without a line end
 */
char *
reeve_ledger_key_pair_to_vkey (const ReeveLedgerKeyPair *pair)
{
  guint8 raw[1 + REEVE_LEDGER_KEY_PUBLIC_SIZE];
  g_autofree char *text = NULL;

  raw[0] = REEVE_LEDGER_KEY_PAIR_ALGORITHM;
  memcpy (raw + 1, pair->public_bytes, sizeof pair->public_bytes);
  text = g_base64_encode (raw, sizeof raw);
  return g_strdup_printf ("%s+%08x+%s", REEVE_LEDGER_KEY_NAME, pair->id, text);
}

/**
 * reeve_ledger_key_pair_new_from_vkey:
 * @vkey: one line of ledger.pub
 * @error: return location
 *
 * Returns: (transfer full): the public half, or %NULL with %REEVE_ERROR_CORRUPT
 */
ReeveLedgerKeyPair *
reeve_ledger_key_pair_new_from_vkey (const char *vkey, GError **error)
{
  g_autoptr (ReeveLedgerKeyPair) pair = reeve_ledger_key_pair_new ();
  g_auto (GStrv) parts = g_strsplit (vkey, "+", 3);
  g_autofree guint8 *raw = NULL;
  g_autofree char *again = NULL;
  gsize size = 0;

  if (g_strv_length (parts) == 3)
    raw = g_base64_decode (parts[2], &size);
  if (raw == NULL || size != 1 + sizeof pair->public_bytes
      || raw[0] != REEVE_LEDGER_KEY_PAIR_ALGORITHM)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                           "the public key of the ledger is malformed");
      return NULL;
    }
  memcpy (pair->public_bytes, raw + 1, sizeof pair->public_bytes);
  if (!reeve_ledger_key_pair_set_public (pair, error))
    return NULL;
  /* one spelling only: name, id and base64 must come out as they went in */
  again = reeve_ledger_key_pair_to_vkey (pair);
  if (strcmp (again, vkey) == 0)
    return g_steal_pointer (&pair);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "the public key of the ledger does not fit its name and id");
  return NULL;
}

/**
 * reeve_ledger_key_pair_sign:
 * @pair: a pair
 * @data: what to sign
 * @length: bytes of it
 * @signature: (out caller-allocates): the Ed25519 signature
 * @error: return location
 *
 * Returns: %FALSE with an error where only the public half is known or GnuTLS fails
 */
gboolean
reeve_ledger_key_pair_sign (ReeveLedgerKeyPair *pair, gconstpointer data, gsize length,
                            guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE], GError **error)
{
  gnutls_datum_t text = { (unsigned char *) data, (unsigned int) length };
  gnutls_datum_t made = { NULL, 0 };
  int status = GNUTLS_E_INVALID_REQUEST;

  if (pair->private_key != NULL)
    status
        = gnutls_privkey_sign_data2 (pair->private_key, GNUTLS_SIGN_EDDSA_ED25519, 0, &text, &made);
  if (status >= 0 && made.size != REEVE_LEDGER_KEY_SIGNATURE_SIZE)
    status = GNUTLS_E_INTERNAL_ERROR;
  if (status >= 0)
    memcpy (signature, made.data, REEVE_LEDGER_KEY_SIGNATURE_SIZE);
  gnutls_free (made.data);
  return reeve_ledger_key_pair_check (status, "signing a checkpoint", error);
}

/**
 * reeve_ledger_key_pair_verify:
 * @pair: a pair
 * @data: what was signed
 * @length: bytes of it
 * @signature: the signature
 *
 * Returns: whether @signature is that of @pair over @data
 */
gboolean
reeve_ledger_key_pair_verify (ReeveLedgerKeyPair *pair, gconstpointer data, gsize length,
                              const guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE])
{
  gnutls_datum_t text = { (unsigned char *) data, (unsigned int) length };
  gnutls_datum_t given = { (unsigned char *) signature, REEVE_LEDGER_KEY_SIGNATURE_SIZE };

  return gnutls_pubkey_verify_data2 (pair->public_key, GNUTLS_SIGN_EDDSA_ED25519, 0, &text, &given)
         >= 0;
}
