/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* auth-jwt: tokens and claims. Each attack stands beside its twin, which differs in nothing else
 * and is let in: a refusal proves nothing where everything is refused. */
#include <reeve-plugin-1.h>

#include <string.h>

#include "../helpers/jwt-signer.h"
#include "jwt-token.h"
#include "jwt-verifier.h"

#define NOW    G_GINT64_CONSTANT (1800000000) /* 2027-01-15, in seconds */
#define ISSUER "https://idp.example"
#define HEADER "{\"alg\":\"ES256\",\"typ\":\"JWT\"}"
#define CLAIMS                                                                                     \
  "{\"iss\":\"" ISSUER "\",\"sub\":\"alice\",\"aud\":\"reeve\",\"exp\":1800000600,"                \
  "\"org_id\":\"acme\",\"roles\":[\"viewer\"]}"
#define BASIC "\"iss\":\"" ISSUER "\",\"sub\":\"alice\",\"aud\":\"reeve\",\"org_id\":\"acme\""

extern const ReevePluginDescriptor reeve_plugin_descriptor;

static JwtSigner *signer; /* ES256 */
static char *public_key;  /* as a JSON text */

static char *
quote (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *joined = g_strjoinv ("\\n", lines);

  return g_strdup_printf ("\"%s\"", joined);
}

/* A verifier with the signer's public key and @more settings: ,"leeway_seconds":0 */
static JwtVerifier *
new_verifier (const char *more)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text
      = g_strdup_printf ("{\"issuer\":\"" ISSUER "\",\"audience\":\"reeve\",\"public_key\":%s%s}",
                         public_key, more != NULL ? more : "");
  g_autoptr (JsonNode) node = json_from_string (text, &error);
  JwtSettings *settings = NULL;

  g_assert_no_error (error);
  settings = jwt_settings_new (json_node_get_object (node), FALSE, &error);
  g_assert_no_error (error);
  return jwt_verifier_new (settings);
}

static ReeveIdentity *
verify (JwtVerifier *verifier, const char *token, gboolean *ours, GError **error)
{
  gboolean mine = TRUE;
  ReeveIdentity *identity = jwt_verifier_verify (verifier, token, NULL, NOW * G_USEC_PER_SEC, 0,
                                                 ours != NULL ? ours : &mine, error);

  g_assert_true ((identity != NULL) == (error == NULL || *error == NULL));
  return identity;
}

static void
check (const char *token, const char *settings, const char *reason)
{
  g_autoptr (JwtVerifier) verifier = new_verifier (settings);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveIdentity) identity = verify (verifier, token, NULL, &error);

  if (reason == NULL)
    g_assert_no_error (error);
  else if (identity != NULL || !g_pattern_match_simple (reason, error->message))
    g_error ("%s: wanted %s, got %s", token, reason,
             error != NULL ? error->message : "an identity");
}

/* ---- headers ---- */

static void
test_jwt_headers (void)
{
  static const struct
  {
    const char *header;
    const char *reason;
  } cases[] = {
    { HEADER, NULL },
    { "{\"alg\":\"ES256\"}", NULL },
    { "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"x5t\":\"abc\"}", NULL },
    { "{\"alg\":\"ES256\",\"typ\":\"application/at+JWT\"}", NULL },
    { "{ \"alg\" : \"ES256\" }", NULL },
    { "{\"alg\":\"ES256\",\"kid\":\"../../../dev/null\"}", NULL }, /* an id is compared, no more */
    { "{\"alg\":\"none\"}", "*none that is known*" },
    { "{\"alg\":\"None\"}", "*none that is known*" },
    { "{\"alg\":\"NONE\"}", "*none that is known*" },
    { "{\"alg\":\"nOnE\"}", "*none that is known*" },
    { "{\"alg\":\"\"}", "*none that is known*" },
    { "{\"alg\":\"es256\"}", "*none that is known*" },
    { "{\"alg\":\"ES256 \"}", "*none that is known*" },
    { "{\"alg\":\"ES256\\u0000\"}", "*no JSON object*" },
    { "{\"alg\":null}", "*no string*" },
    { "{\"alg\":[\"ES256\"]}", "*no string*" },
    { "{\"typ\":\"JWT\"}", "*none that is known*" },
    { "{\"alg\":\"HS256\"}", "*HS256 is not among*" },
    { "{\"alg\":\"RS256\"}", "*RS256 is not among*" },
    { "{\"alg\":\"ES384\"}", "*ES384 is not among*" },
    { "{\"alg\":\"ES256\",\"alg\":\"ES256\"}", "*names a member twice*" },
    { "{\"alg\":\"none\",\"alg\":\"ES256\"}", "*names a member twice*" },
    { "{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}", "*names a member twice*" },
    { "{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}", "*crit in its header*" },
    { "{\"alg\":\"ES256\",\"crit\":[]}", "*crit in its header*" },
    { "{\"alg\":\"ES256\",\"b64\":false}", "*b64 in its header*" },
    { "{\"alg\":\"ES256\",\"jwk\":{}}", "*jwk in its header*" },
    { "{\"alg\":\"ES256\",\"jku\":\"https://evil.example/k\"}", "*jku in its header*" },
    { "{\"alg\":\"ES256\",\"x5u\":\"https://evil.example/k\"}", "*x5u in its header*" },
    { "{\"alg\":\"ES256\",\"x5c\":[]}", "*x5c in its header*" },
    { "{\"alg\":\"ES256\",\"enc\":\"A128GCM\"}", "*enc in its header*" },
    { "{\"alg\":\"ES256\",\"zip\":\"DEF\"}", "*zip in its header*" },
    { "{\"alg\":\"ES256\",\"cty\":\"JWT\"}", "*cty in its header*" },
    { "{\"alg\":\"ES256\",\"typ\":\"JOSE\"}", "*typ*" },
    { "{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\"}", "*typ*" },
    { "{\"alg\":\"ES256\",\"typ\":\"\"}", "*typ*" },
    { "{\"alg\":\"ES256\",\"typ\":7}", "*no string*" },
    { "{\"alg\":\"ES256\",\"kid\":7}", "*no string*" },
    { "{\"alg\":\"ES256\"} ", NULL },
    { "{\"alg\":\"ES256\"}x", "*no JSON object*" },
    { "{\"alg\":\"ES256\",}", "*no JSON object*" },
    { "{/**/\"alg\":\"ES256\"}", "*no JSON object*" },
    { "[\"ES256\"]", "*no JSON object*" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *token = jwt_signer_sign (signer, cases[i].header, CLAIMS);

      g_test_message ("%s", cases[i].header);
      check (token, NULL, cases[i].reason);
    }
}

/* ---- the form ---- */

static void
test_jwt_form (void)
{
  g_autofree char *token = jwt_signer_sign (signer, NULL, CLAIMS);
  g_auto (GStrv) parts = g_strsplit (token, ".", -1);
  g_autofree char *unsigned_one = g_strdup_printf ("%s.%s.", parts[0], parts[1]);
  g_autofree char *two = g_strdup_printf ("%s.%s", parts[0], parts[1]);
  g_autofree char *four = g_strdup_printf ("%s.%s", token, parts[2]);
  g_autofree char *five = g_strdup_printf ("%s.x.y", token);
  g_autofree char *padded = g_strconcat (token, "==", NULL);
  g_autofree char *line = g_strconcat (token, "\n", NULL);
  g_autofree char *space = g_strconcat (" ", token, NULL);
  g_autofree char *no_header = g_strdup_printf (".%s.%s", parts[1], parts[2]);
  g_autofree char *no_claims = g_strdup_printf ("%s..%s", parts[0], parts[2]);
  g_autofree char *swapped = g_strdup_printf ("%s.%s.%s", parts[1], parts[0], parts[2]);
  g_autofree char *long_header = g_strnfill (5000, 'e');
  g_autofree char *long_token = g_strnfill (JWT_TOKEN_MAX + 1, 'e');
  const char *const bad[]
      = { "",         ".",       "..",      "e.e.e", unsigned_one,
          two,        four,      five,      padded,  line,
          space,      no_header, no_claims, swapped, long_header,
          long_token, "e",       "eyJ9",    "e..",   "eyJhbGciOiJub25lIn0.e30." };

  check (token, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    check (bad[i], NULL, "*");
  /* the same bytes spelt otherwise: bits behind the last byte */
  for (guint i = 0; i < 64; i++)
    {
      static const char alphabet[]
          = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
      g_autofree char *other = g_strdup (token);

      other[strlen (other) - 1] = alphabet[i];
      if (strcmp (other, token) != 0)
        check (other, NULL, "*");
    }
  /* every single bit counts */
  for (gsize i = 0; token[i] != 0; i++)
    {
      g_autofree char *other = g_strdup (token);

      other[i] ^= 1;
      check (other, NULL, "*");
    }
}

/* A token signed with HMAC under the public key, which everybody has (CVE-2015-9235). */
static void
test_jwt_confusion (void)
{
  g_autofree char *pem = jwt_signer_make_pem (signer);
  g_autofree char *jwk = jwt_signer_make_jwk (signer, "");
  g_autoptr (JwtSigner) by_pem = jwt_signer_new_with_secret ("HS256", pem);
  g_autoptr (JwtSigner) by_jwk = jwt_signer_new_with_secret ("HS256", jwk);
  g_autoptr (JwtSigner) by_secret
      = jwt_signer_new_with_secret ("HS256", "0123456789abcdef0123456789abcdef");
  g_autofree char *one = jwt_signer_sign (by_pem, NULL, CLAIMS);
  g_autofree char *two = jwt_signer_sign (by_jwk, NULL, CLAIMS);
  g_autofree char *good = jwt_signer_sign (by_secret, NULL, CLAIMS);
  g_autofree char *lie = jwt_signer_sign (by_secret, HEADER, CLAIMS);
  const char *both = ",\"secret_key\":\"0123456789abcdef0123456789abcdef\","
                     "\"algorithms\":[\"ES256\",\"HS256\"]";

  check (one, NULL, "*not among*");
  check (one, both, "*not good*");
  check (two, both, "*not good*");
  check (lie, both, "*not good*");
  check (good, both, NULL);
  check (good, ",\"secret_key\":\"0123456789abcdef0123456789abcdef\"", "*not among*");
}

/* ---- claims ---- */

static const struct
{
  const char *claims;
  const char *settings;
  const char *reason;
} claims_cases[] = {
  { "{" BASIC ",\"exp\":1800000600}", NULL, NULL },
  { "{" BASIC ",\"exp\":1799999971}", NULL, NULL }, /* within the leeway */
  { "{" BASIC ",\"exp\":1799999970}", NULL, "*expired*" },
  { "{" BASIC ",\"exp\":1800000000}", ",\"leeway_seconds\":0", "*expired*" },
  { "{" BASIC ",\"exp\":1800000000.5}", ",\"leeway_seconds\":0", NULL },
  { "{" BASIC ",\"exp\":1.8000006e9}", NULL, NULL },
  { "{" BASIC ",\"exp\":1e300}", NULL, "*no time*" },
  { "{" BASIC ",\"exp\":9223372036854775807}", NULL, "*no time*" },
  { "{" BASIC ",\"exp\":92233720368547758070}", NULL, "*no*" },
  { "{" BASIC ",\"exp\":253402300799}", NULL, NULL },
  { "{" BASIC ",\"exp\":-1}", NULL, "*no time*" },
  { "{" BASIC ",\"exp\":0}", NULL, "*expired*" },
  { "{" BASIC ",\"exp\":\"1800000600\"}", NULL, "*no time*" },
  { "{" BASIC ",\"exp\":true}", NULL, "*no time*" },
  { "{" BASIC ",\"exp\":null}", NULL, "*no time*" },
  { "{" BASIC ",\"exp\":[1800000600]}", NULL, "*no time*" },
  { "{" BASIC "}", NULL, "*no exp*" },
  { "{" BASIC "}", ",\"require_expiry\":false", NULL },
  { "{" BASIC ",\"exp\":1}", ",\"require_expiry\":false", "*expired*" },
  { "{" BASIC ",\"exp\":1800000600,\"nbf\":1800000030}", NULL, NULL },
  { "{" BASIC ",\"exp\":1800000600,\"nbf\":1800000031}", NULL, "*nbf*" },
  { "{" BASIC ",\"exp\":1800000600,\"nbf\":\"0\"}", NULL, "*no time*" },
  { "{" BASIC ",\"exp\":1800000600,\"iat\":1800000030}", NULL, NULL },
  { "{" BASIC ",\"exp\":1800000600,\"iat\":1800000031}", NULL, "*iat*" },
  { "{" BASIC ",\"exp\":1800000600,\"iat\":1799999941}", ",\"max_token_age_seconds\":30", NULL },
  { "{" BASIC ",\"exp\":1800000600,\"iat\":1799999940}", ",\"max_token_age_seconds\":30",
    "*too old*" },
  { "{" BASIC ",\"exp\":1800000600}", ",\"max_token_age_seconds\":30", "*no iat*" },
  { "{" BASIC ",\"exp\":1800000600,\"exp\":1800000600}", NULL, "*twice*" },
  { "{" BASIC ",\"exp\":1,\"e\\u0078p\":1800000600}", NULL, "*twice*" },
  /* issuers, byte for byte */
  { "{\"iss\":\"" ISSUER "/\",\"sub\":\"a\",\"aud\":\"reeve\",\"exp\":1800000600}", NULL,
    "*another issuer*" },
  { "{\"iss\":\"HTTPS://idp.example\",\"sub\":\"a\",\"aud\":\"reeve\",\"exp\":1800000600}", NULL,
    "*another issuer*" },
  { "{\"iss\":[\"" ISSUER "\"],\"sub\":\"a\",\"aud\":\"reeve\",\"exp\":1800000600}", NULL,
    "*another issuer*" },
  { "{\"sub\":\"a\",\"aud\":\"reeve\",\"exp\":1800000600}", NULL, "*another issuer*" },
  /* audiences */
  { "{\"iss\":\"" ISSUER "\",\"sub\":\"a\",\"aud\":[\"x\",\"reeve\"],\"exp\":1800000600,"
    "\"org_id\":\"acme\"}",
    NULL, NULL },
  { "{\"iss\":\"" ISSUER "\",\"sub\":\"a\",\"aud\":\"other\",\"exp\":1800000600}", NULL,
    "*another audience*" },
  { "{\"iss\":\"" ISSUER "\",\"sub\":\"a\",\"aud\":\"reeve \",\"exp\":1800000600}", NULL,
    "*another audience*" },
  { "{\"iss\":\"" ISSUER "\",\"sub\":\"a\",\"aud\":[],\"exp\":1800000600}", NULL,
    "*another audience*" },
  { "{\"iss\":\"" ISSUER "\",\"sub\":\"a\",\"aud\":[\"reeve\",7],\"exp\":1800000600}", NULL,
    "*no list of texts*" },
  { "{\"iss\":\"" ISSUER "\",\"sub\":\"a\",\"aud\":{\"reeve\":1},\"exp\":1800000600}", NULL,
    "*another audience*" },
  { "{\"iss\":\"" ISSUER "\",\"sub\":\"a\",\"exp\":1800000600}", NULL, "*no audience*" },
  /* subjects */
  { "{\"iss\":\"" ISSUER "\",\"aud\":\"reeve\",\"exp\":1800000600,\"org_id\":\"acme\"}", NULL,
    "*sub*" },
  { "{\"iss\":\"" ISSUER "\",\"sub\":7,\"aud\":\"reeve\",\"exp\":1800000600,\"org_id\":\"acme\"}",
    NULL, "*sub*" },
  { "{\"iss\":\"" ISSUER "\",\"sub\":\"\",\"aud\":\"reeve\",\"exp\":1800000600,"
    "\"org_id\":\"acme\"}",
    NULL, "*sub*" },
  { "{\"iss\":\"" ISSUER "\",\"sub\":\"a|b\",\"aud\":\"reeve\",\"exp\":1800000600,"
    "\"org_id\":\"acme\"}",
    NULL, NULL },
  { "{\"iss\":\"" ISSUER "\",\"sub\":\"a|b\",\"aud\":\"reeve\",\"exp\":1800000600,"
    "\"org_id\":\"acme\"}",
    ",\"subject_is_user_id\":true", "*sub*" },
  { "[]", NULL, "*no JSON object*" },
  { "", NULL, "*no JSON object*" },
};

static void
test_jwt_claims (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (claims_cases); i++)
    {
      g_autofree char *token = jwt_signer_sign (signer, NULL, claims_cases[i].claims);

      g_test_message ("%s", claims_cases[i].claims);
      check (token, claims_cases[i].settings, claims_cases[i].reason);
    }
}

/* Without an audience of its own this host is nobody's (RFC 7519 section 4.1.3). */
static void
test_jwt_no_audience (void)
{
  g_autofree char *text = g_strdup_printf ("{\"public_key\":%s}", public_key);
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  g_autoptr (JwtVerifier) verifier
      = jwt_verifier_new (jwt_settings_new (json_node_get_object (node), FALSE, NULL));
  g_autofree char *with = jwt_signer_sign (signer, NULL,
                                           "{\"sub\":\"a\",\"aud\":\"x\",\"exp\":1800000600,"
                                           "\"tenant_id\":\"acme\",\"role\":\"viewer\"}");
  g_autofree char *without = jwt_signer_sign (
      signer, NULL,
      "{\"sub\":\"a\",\"exp\":1800000600,\"tenant_id\":\"acme\",\"role\":\"viewer\"}");
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveIdentity) refused = verify (verifier, with, NULL, &error);
  g_autoptr (ReeveIdentity) identity = verify (verifier, without, NULL, NULL);

  g_assert_null (refused);
  g_assert_cmpstr (error->message, ==, "it is for another audience");
  g_assert_cmpstr (reeve_identity_get_roles (identity)[0], ==, "viewer");
}

/* ---- whom they speak of ---- */

static const struct
{
  const char *claims;
  const char *settings;
  const char *tenant; /* NULL: refused */
  const char *roles;  /* with commas; NULL: not known */
} mapping_cases[] = {
  { "\"org_id\":\"acme\",\"roles\":[\"viewer\",\"operator\",\"viewer\"]", NULL, "acme",
    "viewer,operator" },
  { "\"org_id\":\"acme\",\"roles\":\"viewer\"", NULL, "acme", "viewer" },
  { "\"tenant_id\":\"acme\",\"role\":\"operator\"", NULL, "acme", "operator" },
  { "\"tenant_id\":\"acme\",\"org_id\":\"acme\"", NULL, "acme", NULL },
  { "\"tenant_id\":\"acme\",\"org_id\":\"other\"", NULL, NULL, NULL },
  { "\"org_id\":\"acme\",\"roles\":[]", NULL, "acme", "" },
  { "\"org_id\":\"acme\",\"roles\":[\"viewer\",7]", NULL, NULL, NULL },
  { "\"org_id\":\"acme\",\"roles\":{\"admin\":true}", NULL, NULL, NULL },
  { "\"org_id\":\"acme\",\"roles\":null", NULL, NULL, NULL },
  { "\"roles\":[\"viewer\"]", NULL, NULL, NULL },
  { "\"roles\":[\"viewer\"]", ",\"default_tenant\":\"home\"", "home", "viewer" },
  { "\"org_id\":7", ",\"default_tenant\":\"home\"", NULL, NULL },
  { "\"org_id\":\"\"", ",\"default_tenant\":\"home\"", NULL, NULL },
  { "\"org_id\":\"acme\"", ",\"default_roles\":[\"viewer\"]", "acme", "viewer" },
  { "\"org_id\":\"acme\",\"roles\":[]", ",\"default_roles\":[\"viewer\"]", "acme", "" },
  { "\"tid\":\"0f-1e\"", ",\"tenant_claim\":\"tid\"", "0f-1e", NULL },
  { "\"tid\":\"0f-1e\"", ",\"tenant_claim\":\"tid\",\"tenant_map\":{\"0f-1e\":\"acme\"}", "acme",
    NULL },
  { "\"tid\":\"other\"", ",\"tenant_claim\":\"tid\",\"tenant_map\":{\"0f-1e\":\"acme\"}", NULL,
    NULL },
  { "\"org_id\":\"acme\"", ",\"tenant_claim\":\"tid\"", NULL, NULL },
  { "\"org_id\":\"acme\",\"realm_access\":{\"roles\":[\"operator\"]}",
    ",\"roles_claim\":\"realm_access.roles\"", "acme", "operator" },
  { "\"org_id\":\"acme\",\"realm_access\":7", ",\"roles_claim\":\"realm_access.roles\"", "acme",
    NULL },
  { "\"org_id\":\"acme\",\"https://a.example/roles\":[\"operator\"]",
    ",\"roles_claim\":\"https://a.example/roles\"", "acme", "operator" },
  { "\"org_id\":\"acme\",\"groups\":[\"ops\",\"staff\",\"admin\"]",
    ",\"roles_claim\":\"groups\",\"role_map\":{\"ops\":[\"operator\",\"auditor\"],"
    "\"staff\":\"viewer\"}",
    "acme", "operator,auditor,viewer" },
};

static void
test_jwt_mapping (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (mapping_cases); i++)
    {
      g_autofree char *claims = g_strdup_printf (
          "{\"iss\":\"" ISSUER "\",\"sub\":\"alice\",\"aud\":\"reeve\",\"exp\":1800000600,%s}",
          mapping_cases[i].claims);
      g_autofree char *token = jwt_signer_sign (signer, NULL, claims);
      g_autoptr (JwtVerifier) verifier = new_verifier (mapping_cases[i].settings);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveIdentity) identity = verify (verifier, token, NULL, &error);
      g_autofree char *roles = NULL;

      g_test_message ("%s %s", mapping_cases[i].claims, mapping_cases[i].settings);
      g_assert_true ((identity != NULL) == (mapping_cases[i].tenant != NULL));
      if (identity == NULL)
        continue;
      g_assert_cmpstr (reeve_identity_get_tenant_id (identity), ==, mapping_cases[i].tenant);
      g_assert_true (reeve_identity_has_roles (identity) == (mapping_cases[i].roles != NULL));
      roles = g_strjoinv (",", (char **) reeve_identity_get_roles (identity));
      g_assert_cmpstr (roles, ==, mapping_cases[i].roles != NULL ? mapping_cases[i].roles : "");
    }
}

static void
test_jwt_identity (void)
{
  g_autofree char *token = jwt_signer_sign (
      signer, NULL,
      "{" BASIC ",\"exp\":1800000600,\"preferred_username\":\"al\",\"email\":\"al@acme.example\","
      "\"dept\":{\"name\":\"lab\"},\"floor\":3,\"list\":[1]}");
  g_autoptr (JwtVerifier) plain = new_verifier (",\"subject_is_user_id\":true");
  g_autoptr (JwtVerifier) full = new_verifier (
      ",\"provision\":true,\"attribute_claims\":{\"department\":\"dept.name\",\"floor\":\"floor\","
      "\"list\":\"list\",\"absent\":\"absent\"}");
  g_autoptr (ReeveIdentity) one = verify (plain, token, NULL, NULL);
  g_autoptr (ReeveIdentity) two = verify (full, token, NULL, NULL);
  g_autofree char *attributes = NULL;

  g_assert_cmpstr (reeve_identity_get_user_id (one), ==, "alice");
  g_assert_false (reeve_identity_get_provision (one));
  g_assert_null (reeve_identity_get_attributes (one));
  /* printf 'https://idp.example\0alice' | sha256sum | cut -c1-32 */
  g_assert_cmpstr (reeve_identity_get_user_id (two), ==, "usr_7e3a0d4e64d053aa0d8042c500292f07");
  g_assert_cmpstr (reeve_identity_get_method (two), ==, "jwt");
  g_assert_cmpstr (reeve_identity_get_issuer (two), ==, ISSUER);
  g_assert_cmpstr (reeve_identity_get_subject (two), ==, "alice");
  g_assert_cmpstr (reeve_identity_get_username (two), ==, "al");
  g_assert_cmpstr (reeve_identity_get_email (two), ==, "al@acme.example");
  g_assert_true (reeve_identity_get_provision (two));
  g_assert_null (reeve_identity_get_key_id (two));
  g_assert_cmpint (reeve_identity_get_expires_at (two), ==, (NOW + 630) * G_USEC_PER_SEC);
  attributes = reeve_json_canonical (reeve_identity_get_attributes (two));
  g_assert_cmpstr (attributes, ==, "{\"department\":\"lab\",\"floor\":3}");
}

/* ---- the plugin ---- */

static ReeveIdentity *
show (ReevePlugin *plugin, const char *scheme, const char *token, GError **error)
{
  ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  ReeveCredentials credentials
      = { .struct_size = sizeof credentials, .scheme = scheme, .token = token, .door = "rest" };

  return reeve_auth_authenticate (REEVE_AUTH (plugin), &credentials, context, error);
}

/* A host that does not say which profile it runs in is taken for the strictest. */
static void
test_jwt_plugin (void)
{
  ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  g_autoptr (ReevePlugin) plugin = g_object_new (reeve_plugin_descriptor.query_types ()[0], NULL);
  g_autoptr (ReevePlugin) shared = g_object_new (reeve_plugin_descriptor.query_types ()[0], NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup_printf (
      "{\"issuer\":\"" ISSUER "\",\"audience\":\"reeve\",\"public_key\":%s}", public_key);
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  g_autoptr (JsonNode) secret
      = json_from_string ("{\"secret_key\":\"0123456789abcdef0123456789abcdef\"}", NULL);
  g_autofree char *expired = jwt_signer_sign (signer, NULL, "{" BASIC ",\"exp\":1700000000}");
  g_autofree char *good = jwt_signer_sign (signer, NULL, "{" BASIC ",\"exp\":99999999999}");
  g_autofree char *foreign
      = jwt_signer_sign (signer, NULL, "{\"iss\":\"https://other.example\",\"exp\":99999999999}");
  const char *const bad[] = { expired, "e.e.e", "eyJhbGciOiJub25lIn0.e30." };
  const char *const others[] = { "rv_a_b", "abc", "", foreign, "a.b.c" };
  g_autoptr (ReeveIdentity) identity = NULL;

  g_assert_false (reeve_plugin_setup (shared, json_node_get_object (secret), context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_clear_error (&error);
  g_assert_true (reeve_plugin_setup (plugin, json_node_get_object (node), context, &error));
  identity = show (plugin, "bearer", good, &error);
  g_assert_no_error (error);
  g_assert_nonnull (identity);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_null (show (plugin, "bearer", bad[i], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED);
      g_assert_cmpstr (error->message, ==, "the token is not valid");
      g_clear_error (&error);
    }
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_assert_null (show (plugin, "bearer", others[i], &error));
      g_assert_no_error (error);
    }
  g_assert_null (show (plugin, "api-key", good, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_autofree char *pem = NULL;
  int result = 0;

  g_test_init (&argc, &argv, NULL);
  signer = jwt_signer_new ("ES256", NULL);
  pem = jwt_signer_make_pem (signer);
  public_key = quote (pem);
  g_test_add_func ("/jwt/headers", test_jwt_headers);
  g_test_add_func ("/jwt/form", test_jwt_form);
  g_test_add_func ("/jwt/confusion", test_jwt_confusion);
  g_test_add_func ("/jwt/claims", test_jwt_claims);
  g_test_add_func ("/jwt/no-audience", test_jwt_no_audience);
  g_test_add_func ("/jwt/mapping", test_jwt_mapping);
  g_test_add_func ("/jwt/identity", test_jwt_identity);
  g_test_add_func ("/jwt/plugin", test_jwt_plugin);
  result = g_test_run ();
  jwt_signer_free (signer);
  g_free (public_key);
  return result;
}
