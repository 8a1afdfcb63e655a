/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes what auth-jwt reads from outside. First byte: what the rest is: a token, its header, its
 * claims, a set of keys, the setting of a preset. No input is let in: nobody has the key. What is
 * read as base64url has no other spelling; what claims make is a whole identity. */
/* covers: plugins/auth-jwt/jwt-token.c
 * plugins/auth-jwt/jwt-claims.c
 * plugins/auth-jwt/jwt-key-set.c
 * plugins/auth-jwt/jwt-key.c
 * plugins/auth-jwt/jwt-tool.c
 * plugins/auth-jwt/jwt-verifier.c
 * plugins/auth-jwt/jwt-preset.c */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "jwt-claims.h"
#include "jwt-preset.h"
#include "jwt-verifier.h"

#define NOW (G_GINT64_CONSTANT (1800000000) * G_USEC_PER_SEC)

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static char *
encode (gconstpointer data, gsize length)
{
  char *text = g_base64_encode (data, length);

  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = 0;
  return text;
}

static JwtSettings *
make_settings (const char *text)
{
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  JwtSettings *settings = jwt_settings_new (json_node_get_object (node), FALSE, NULL);

  g_assert (settings != NULL);
  return settings;
}

/* The whole way of a token; the secret is in no corpus. */
static void
fuzz_token (const char *text)
{
  g_autoptr (JwtVerifier) verifier = jwt_verifier_new (
      make_settings ("{\"secret_key\":\"in no corpus: 0123456789abcdef0123456789abcdef01234567\","
                     "\"algorithms\":[\"HS256\"],\"require_expiry\":false}"));
  g_autoptr (GError) error = NULL;
  gboolean ours = FALSE;
  ReeveIdentity *identity = NULL;

  jwt_token_is_one (text);
  identity = jwt_verifier_verify (verifier, text, NULL, NOW, 0, &ours, &error);
  g_assert (identity == NULL && error != NULL && ours);
}

static void
fuzz_header (const char *text)
{
  g_autofree char *header = encode (text, strlen (text));
  g_autofree char *whole = g_strconcat (header, ".e30.AAAA", NULL);
  g_autoptr (JwtToken) token = jwt_token_new (whole, NULL);

  if (token == NULL)
    return;
  g_assert (token->algorithm != NULL && strstr (text, "alg") != NULL);
  g_assert (token->signature_length == 3 && token->signed_length == strlen (header) + 4);
}

static void
fuzz_claims (const char *text)
{
  g_autoptr (JwtSettings) settings = make_settings (
      "{\"issuer\":\"https://a\",\"audience\":[\"b\",\"c\"],\"roles_claim\":\"r.s\",\"role_map\":"
      "{\"x\":[\"viewer\",\"operator\"]},\"attribute_claims\":{\"d\":\"d\"},\"default_tenant\":"
      "\"t\","
      "\"max_token_age_seconds\":1000}");
  JwtToken token = { .algorithm = jwt_algorithm_find ("ES256") };
  g_autoptr (GError) error = NULL;
  gint64 expires_at = 0;

  token.claims = reeve_json_parse_strict (text, strlen (text), NULL);
  if (token.claims != NULL && JSON_NODE_HOLDS_OBJECT (token.claims)
      && jwt_claims_check (settings, &token, NOW, &expires_at, &error))
    g_assert (expires_at > NOW);
  if (token.claims != NULL && JSON_NODE_HOLDS_OBJECT (token.claims))
    {
      g_autoptr (GError) other = NULL;
      g_autoptr (ReeveIdentity) identity
          = jwt_claims_make_identity (settings, json_node_get_object (token.claims), &other);

      g_assert ((identity != NULL) == (other == NULL));
      g_assert (identity == NULL || *reeve_identity_get_tenant_id (identity) != 0);
      g_assert (identity == NULL || strlen (reeve_identity_get_user_id (identity)) == 36);
    }
  g_clear_pointer (&token.claims, json_node_unref);
}

/* Whatever keys there are: a signature of nothing is none of theirs. */
static void
fuzz_keys (const char *text)
{
  static const guint8 signature[256] = { 1 };
  static const char *const names[] = { "RS256", "PS512", "ES256", "ES512", "EdDSA", "HS256" };
  g_autoptr (JwtKeySet) keys = jwt_key_set_new_from_text (text, strlen (text), NULL);

  if (keys == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    for (gsize length = 0; length <= 256; length += 64)
      g_assert (
          jwt_key_set_verify (keys, jwt_algorithm_find (names[i]), NULL, "x", 1, signature, length)
          != JWT_VERDICT_GOOD);
  g_assert (!jwt_key_set_fits (keys, jwt_algorithm_find ("HS256")));
}

static void
fuzz_preset (const char *text)
{
  static const char *const presets[] = { "azure", "okta", "auth0", "keycloak" };

  for (guint i = 0; i < G_N_ELEMENTS (presets); i++)
    {
      g_autoptr (JsonObject) settings = json_object_new ();
      g_autoptr (JsonObject) filled = NULL;

      json_object_set_string_member (settings, "preset", presets[i]);
      json_object_set_string_member (settings, "domain", text);
      json_object_set_string_member (settings, "realm", text);
      json_object_set_string_member (settings, "directory_id", text);
      json_object_set_string_member (settings, "application_id", text);
      filled = jwt_preset_apply (settings, NULL);
      /* a word stays a word */
      g_assert (filled == NULL || strpbrk (text, "/?#@%&\\ ") == NULL);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = size > 0 ? g_strndup ((const char *) data + 1, size - 1) : NULL;
  gsize decoded = 0;
  g_autofree guint8 *bytes
      = text != NULL ? reeve_base64url_decode (text, strlen (text), &decoded) : NULL;

  if (text == NULL)
    return 0;
  if (bytes != NULL)
    {
      g_autofree char *again = encode (bytes, decoded);

      g_assert_cmpstr (again, ==, text);
    }
  switch (data[0])
    {
    case 't':
      fuzz_token (text);
      break;
    case 'h':
      fuzz_header (text);
      break;
    case 'c':
      fuzz_claims (text);
      break;
    case 'k':
      fuzz_keys (text);
      break;
    case 'p':
      if (g_utf8_validate (text, -1, NULL))
        fuzz_preset (text);
      break;
    default:
      break;
    }
  return 0;
}
