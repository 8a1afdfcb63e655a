/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes what auth-jwt reads from outside. First byte: what the rest is: a token, its header, its
 * claims, a set of keys, the setting of a preset. No input is let in: nobody has the key. What is
 * read as base64url has no other spelling; what claims make is a whole identity. */
/* covers: plugins/auth-jwt/jwt-token.c
 * plugins/auth-jwt/jwt-claims.c
 * plugins/auth-jwt/jwt-claim-set.c
 * plugins/auth-jwt/jwt-claim.c
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
  static const char *const none[] = { NULL };
  g_autoptr (JwtToken) token = jwt_token_new (whole, none, NULL);

  if (token == NULL)
    return;
  g_assert (token->algorithm != NULL && strstr (text, "alg") != NULL);
  g_assert (token->signature_length == 3 && token->signed_length == strlen (header) + 4);
}

/* What is read without a tree is what stands in the tree. */
static void
compare_claims (const JwtClaimSet *claims, JsonObject *tree, const char *name)
{
  const ReeveJsonSlice *value = jwt_claim_set_get (claims, name);
  JsonNode *node = json_object_get_member (tree, name);
  const char *known = reeve_json_get_string (tree, name, NULL);
  g_autofree char *text = jwt_claim_dup_text (value);
  ReeveJsonSlice element = { NULL, 0 };
  JwtClaimText small;
  double number = 0;
  guint count = 0;

  g_assert ((value == NULL) == (node == NULL));
  g_assert_cmpstr (text, ==, known);
  g_assert (known == NULL || jwt_claim_is_text (value, known));
  if (jwt_claim_read_text (value, small))
    g_assert_cmpstr (small, ==, known);
  else
    g_assert (known == NULL || *known == '\0' || strlen (known) > JWT_CLAIM_MAX_TEXT);
  if (jwt_claim_read_number (value, &number))
    g_assert (number == json_node_get_double (node));
  else
    g_assert (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
              || (json_node_get_value_type (node) != G_TYPE_INT64
                  && json_node_get_value_type (node) != G_TYPE_DOUBLE));
  g_assert (jwt_claim_is_array (value) == (node != NULL && JSON_NODE_HOLDS_ARRAY (node)));
  while (jwt_claim_is_array (value) && jwt_claim_next (value, &element))
    {
      JsonNode *there = json_array_get_element (json_node_get_array (node), count++);
      g_autofree char *one = jwt_claim_dup_text (&element);

      if (JSON_NODE_HOLDS_ARRAY (there) || JSON_NODE_HOLDS_OBJECT (there))
        return; /* whoever reads a list of texts ends here */
      g_assert_cmpstr (
          one, ==,
          json_node_get_value_type (there) == G_TYPE_STRING ? json_node_get_string (there) : NULL);
    }
  g_assert (!jwt_claim_is_array (value)
            || count == json_array_get_length (json_node_get_array (node)));
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
  g_autoptr (JsonNode) tree = reeve_json_parse_strict (text, strlen (text), NULL);
  g_autoptr (JwtClaimSet) claims
      = jwt_claim_set_new (g_strdup (text), strlen (text), (const char *const *) settings->claims);
  g_autoptr (ReeveIdentity) identity = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) other = NULL;
  gint64 expires_at = 0;

  g_assert ((claims != NULL) == (tree != NULL && JSON_NODE_HOLDS_OBJECT (tree)));
  if (claims == NULL)
    return;
  for (guint i = 0; settings->claims[i] != NULL; i++)
    compare_claims (claims, json_node_get_object (tree), settings->claims[i]);
  token.claims = claims;
  if (jwt_claims_check (settings, &token, NOW, &expires_at, &error))
    g_assert (expires_at > NOW);
  identity = jwt_claims_make_identity (settings, claims, &other);
  g_assert ((identity != NULL) == (other == NULL));
  g_assert (identity == NULL || *reeve_identity_get_tenant_id (identity) != 0);
  g_assert (identity == NULL || strlen (reeve_identity_get_user_id (identity)) == 36);
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
