/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AES-256-GCM under a key that comes from the client's Idempotency-Key, of which the store holds a
 * digest only: an answer may hold an API key in plain, and that must not lie in the store. A client
 * whose keys can be guessed is no worse off than without. */
#include "idempotency-seal.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "store/key-seal.h"

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
  return reeve_key_seal_close (key, name, text, strlen (text), error);
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
  gsize size = strlen (sealed);
  g_autofree char *text = g_malloc (size + 1);
  gssize length = reeve_key_seal_open (key, name, sealed, text, size, error);

  if (length < 0)
    {
      g_prefix_error (error, "the kept answer is damaged: ");
      return NULL;
    }
  text[length] = '\0';
  return g_steal_pointer (&text);
}
