/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AES-256-GCM under a key that comes from the client's Idempotency-Key, of which the store holds a
 * digest only: an answer may hold an API key in plain, and that must not lie in the store. A client
 * whose keys can be guessed is no worse off than without. */
#include "idempotency-seal.h"

#include <gnutls/crypto.h>
#include <string.h>

#include <reeve-plugin-1.h>

#include "base/ids.h"

#define REEVE_IDEMPOTENCY_SEAL_NONCE 12
#define REEVE_IDEMPOTENCY_SEAL_TAG   16

static gboolean
reeve_idempotency_seal_start (const guint8 *key, gnutls_aead_cipher_hd_t *cipher, GError **error)
{
  gnutls_datum_t datum = { (unsigned char *) key, REEVE_IDEMPOTENCY_SEAL_KEY };
  int status = gnutls_aead_cipher_init (cipher, GNUTLS_CIPHER_AES_256_GCM, &datum);

  if (status >= 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "sealing an answer: %s",
               gnutls_strerror (status));
  return FALSE;
}

/**
 * reeve_idempotency_seal_close:
 * @key: a key
 * @name: name of the record, which the seal holds to
 * @text: an answer
 * @error: return location
 *
 * Returns: (transfer full): base64 of nonce, sealed text and tag; %NULL with an error of GnuTLS
 */
char *
reeve_idempotency_seal_close (const guint8 key[REEVE_IDEMPOTENCY_SEAL_KEY], const char *name,
                              const char *text, GError **error)
{
  gsize length = strlen (text);
  gsize size = length + REEVE_IDEMPOTENCY_SEAL_TAG;
  g_autofree guint8 *sealed = g_malloc (REEVE_IDEMPOTENCY_SEAL_NONCE + size);
  gnutls_aead_cipher_hd_t cipher = NULL;
  int status = 0;

  if (!reeve_idempotency_seal_start (key, &cipher, error))
    return NULL;
  reeve_ids_fill_random (sealed, REEVE_IDEMPOTENCY_SEAL_NONCE);
  status = gnutls_aead_cipher_encrypt (cipher, sealed, REEVE_IDEMPOTENCY_SEAL_NONCE, name,
                                       strlen (name), REEVE_IDEMPOTENCY_SEAL_TAG, text, length,
                                       sealed + REEVE_IDEMPOTENCY_SEAL_NONCE, &size);
  gnutls_aead_cipher_deinit (cipher);
  if (status >= 0)
    return g_base64_encode (sealed, REEVE_IDEMPOTENCY_SEAL_NONCE + size);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "sealing an answer: %s",
               gnutls_strerror (status));
  return NULL;
}

/**
 * reeve_idempotency_seal_open:
 * @key: the key
 * @name: name of the record
 * @sealed: what reeve_idempotency_seal_close() answered
 * @error: return location
 *
 * Returns: (transfer full): the answer; %NULL with %REEVE_ERROR_CORRUPT
 */
char *
reeve_idempotency_seal_open (const guint8 key[REEVE_IDEMPOTENCY_SEAL_KEY], const char *name,
                             const char *sealed, GError **error)
{
  gsize length = 0;
  g_autofree guint8 *bytes = g_base64_decode (sealed, &length);
  g_autofree char *text = NULL;
  gnutls_aead_cipher_hd_t cipher = NULL;
  gsize size = 0;
  int status = GNUTLS_E_DECRYPTION_FAILED;

  if (!reeve_idempotency_seal_start (key, &cipher, error))
    return NULL;
  if (length >= REEVE_IDEMPOTENCY_SEAL_NONCE + REEVE_IDEMPOTENCY_SEAL_TAG)
    {
      size = length - REEVE_IDEMPOTENCY_SEAL_NONCE - REEVE_IDEMPOTENCY_SEAL_TAG;
      text = g_malloc (size + 1);
      status = gnutls_aead_cipher_decrypt (cipher, bytes, REEVE_IDEMPOTENCY_SEAL_NONCE, name,
                                           strlen (name), REEVE_IDEMPOTENCY_SEAL_TAG,
                                           bytes + REEVE_IDEMPOTENCY_SEAL_NONCE,
                                           length - REEVE_IDEMPOTENCY_SEAL_NONCE, text, &size);
    }
  gnutls_aead_cipher_deinit (cipher);
  if (status >= 0)
    {
      text[size] = '\0';
      return g_steal_pointer (&text);
    }
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the kept answer is damaged");
  return NULL;
}
