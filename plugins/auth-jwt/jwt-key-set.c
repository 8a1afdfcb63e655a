/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of keys (RFC 7517 section 5): what is not usable in one is passed over, as the RFC says, so
 * that an issuer may add kinds of keys that are unknown here. */
#include "jwt-key-set.h"

#include <string.h>

#define JWT_KEY_SET_MAX_KEYS 128
/* signatures tried for one token: bounds what a token without kid costs */
#define JWT_KEY_SET_MAX_TRIES 8

struct _JwtKeySet
{
  gatomicrefcount refs;
  GPtrArray *keys;
};

/**
 * jwt_key_set_new:
 *
 * Returns: (transfer full): a set without keys
 */
JwtKeySet *
jwt_key_set_new (void)
{
  JwtKeySet *self = g_new0 (JwtKeySet, 1);

  g_atomic_ref_count_init (&self->refs);
  self->keys = g_ptr_array_new_with_free_func ((GDestroyNotify) jwt_key_free);
  return self;
}

/**
 * jwt_key_set_new_from_text:
 * @text: a JWK set from outside
 * @length: bytes of it
 * @error: return location
 *
 * Returns: (transfer full): the usable keys in it, perhaps none; %NULL when it is no JWK set
 */
JwtKeySet *
jwt_key_set_new_from_text (const char *text, gsize length, GError **error)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, length, error);
  g_autoptr (JwtKeySet) self = NULL;
  JsonArray *keys = NULL;

  if (node == NULL)
    return NULL;
  keys = JSON_NODE_HOLDS_OBJECT (node) ? reeve_json_get_array (json_node_get_object (node), "keys")
                                       : NULL;
  if (keys == NULL || json_array_get_length (keys) > JWT_KEY_SET_MAX_KEYS)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "this is no JWK set of at most %d keys", JWT_KEY_SET_MAX_KEYS);
      return NULL;
    }
  self = jwt_key_set_new ();
  for (guint i = 0; i < json_array_get_length (keys); i++)
    {
      JsonNode *element = json_array_get_element (keys, i);
      JwtKey *key = JSON_NODE_HOLDS_OBJECT (element)
                        ? jwt_key_new_from_jwk (json_node_get_object (element), NULL)
                        : NULL;

      if (key != NULL)
        jwt_key_set_add (self, key);
    }
  return g_steal_pointer (&self);
}

/**
 * jwt_key_set_ref:
 * @self: a set
 *
 * Returns: (transfer full): @self
 */
JwtKeySet *
jwt_key_set_ref (JwtKeySet *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * jwt_key_set_unref:
 * @self: (transfer full): a set
 */
void
jwt_key_set_unref (JwtKeySet *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_ptr_array_unref (self->keys);
  g_free (self);
}

/**
 * jwt_key_set_add:
 * @self: a set that nobody else has yet
 * @key: (transfer full): one more key
 */
void
jwt_key_set_add (JwtKeySet *self, JwtKey *key)
{
  g_ptr_array_add (self->keys, key);
}

/**
 * jwt_key_set_get_size:
 * @self: a set
 *
 * Returns: how many keys it has
 */
guint
jwt_key_set_get_size (JwtKeySet *self)
{
  return self->keys->len;
}

/**
 * jwt_key_set_fits:
 * @self: a set
 * @algorithm: an algorithm
 *
 * Returns: whether some key in it is for @algorithm
 */
gboolean
jwt_key_set_fits (JwtKeySet *self, const JwtAlgorithm *algorithm)
{
  for (guint i = 0; i < self->keys->len; i++)
    if (jwt_key_fits (g_ptr_array_index (self->keys, i), algorithm))
      return TRUE;
  return FALSE;
}

/**
 * jwt_key_set_verify:
 * @self: a set
 * @algorithm: of the token
 * @kid: (nullable): the key that the token names
 * @data: what was signed
 * @length: bytes of it
 * @signature: as JOSE has it
 * @signature_length: bytes of it
 *
 * The id is a hint of the sender and proves nothing: several keys may have the same, and a key
 * without one is tried for every token. A token without one is tried with every key that fits.
 *
 * Returns: what came of it
 */
JwtVerdict
jwt_key_set_verify (JwtKeySet *self, const JwtAlgorithm *algorithm, const char *kid,
                    gconstpointer data, gsize length, const guint8 *signature,
                    gsize signature_length)
{
  guint tries = 0;

  for (guint i = 0; i < self->keys->len && tries < JWT_KEY_SET_MAX_TRIES; i++)
    {
      JwtKey *key = g_ptr_array_index (self->keys, i);
      const char *id = jwt_key_get_id (key);

      if ((kid != NULL && id != NULL && strcmp (kid, id) != 0) || !jwt_key_fits (key, algorithm))
        continue;
      tries++;
      if (jwt_key_verify (key, algorithm, data, length, signature, signature_length))
        return JWT_VERDICT_GOOD;
    }
  return tries > 0 ? JWT_VERDICT_BAD : JWT_VERDICT_UNKNOWN;
}
