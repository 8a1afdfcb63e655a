/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nonce is random: at most some thousands of seals are ever made by one key, where NIST SP
 * 800-38D allows 2^32. */
#include "key-seal.h"

#include <gnutls/crypto.h>
#include <string.h>

#include <reeve-plugin-1.h>

#include "base/ids.h"

static gboolean
reeve_key_seal_start (const guint8 *key, gnutls_aead_cipher_hd_t *cipher, GError **error)
{
  gnutls_datum_t datum = { (unsigned char *) key, REEVE_KEY_SEAL_KEY };
  int status = gnutls_aead_cipher_init (cipher, GNUTLS_CIPHER_AES_256_GCM, &datum);

  if (status >= 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "starting AES-256-GCM: %s",
               gnutls_strerror (status));
  return FALSE;
}

/**
 * reeve_key_seal_close:
 * @key: a key
 * @bound: (additional authenticated data): what the seal holds to
 * @data: a secret
 * @length: its bytes
 * @error: return location
 *
 * Returns: (transfer full): base64 of nonce, ciphertext and tag; %NULL with an error of GnuTLS
 */
char *
reeve_key_seal_close (const guint8 key[REEVE_KEY_SEAL_KEY], const char *bound, gconstpointer data,
                      gsize length, GError **error)
{
  gsize sealed = length + REEVE_KEY_SEAL_TAG;
  g_autofree guint8 *out = g_malloc (REEVE_KEY_SEAL_NONCE + sealed);
  gnutls_aead_cipher_hd_t cipher = NULL;
  int status = 0;

  if (!reeve_key_seal_start (key, &cipher, error))
    return NULL;
  reeve_ids_fill_random (out, REEVE_KEY_SEAL_NONCE);
  status = gnutls_aead_cipher_encrypt (cipher, out, REEVE_KEY_SEAL_NONCE, bound, strlen (bound),
                                       REEVE_KEY_SEAL_TAG, data, length, out + REEVE_KEY_SEAL_NONCE,
                                       &sealed);
  gnutls_aead_cipher_deinit (cipher);
  if (status >= 0)
    return g_base64_encode (out, REEVE_KEY_SEAL_NONCE + sealed);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "sealing %s: %s", bound,
               gnutls_strerror (status));
  return NULL;
}

/**
 * reeve_key_seal_open:
 * @key: a key
 * @bound: as when it was sealed
 * @sealed: what reeve_key_seal_close() made, or anything else
 * @data: (out caller-allocates): the secret
 * @size: bytes that fit there
 * @error: return location
 *
 * Returns: bytes of the secret; -1 with %REEVE_ERROR_CORRUPT when @sealed was not made by @key for
 * @bound, or is too long
 */
gssize
reeve_key_seal_open (const guint8 key[REEVE_KEY_SEAL_KEY], const char *bound, const char *sealed,
                     gpointer data, gsize size, GError **error)
{
  gsize length = 0;
  g_autofree guint8 *bytes = g_base64_decode (sealed, &length);
  gnutls_aead_cipher_hd_t cipher = NULL;
  gsize opened = size;
  int status = GNUTLS_E_DECRYPTION_FAILED;

  if (!reeve_key_seal_start (key, &cipher, error))
    return -1;
  if (length >= REEVE_KEY_SEAL_NONCE + REEVE_KEY_SEAL_TAG
      && length - REEVE_KEY_SEAL_NONCE - REEVE_KEY_SEAL_TAG <= size)
    status = gnutls_aead_cipher_decrypt (cipher, bytes, REEVE_KEY_SEAL_NONCE, bound, strlen (bound),
                                         REEVE_KEY_SEAL_TAG, bytes + REEVE_KEY_SEAL_NONCE,
                                         length - REEVE_KEY_SEAL_NONCE, data, &opened);
  gnutls_aead_cipher_deinit (cipher);
  if (status >= 0)
    return (gssize) opened;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the seal is broken");
  return -1;
}
