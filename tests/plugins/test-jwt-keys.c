/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* auth-jwt: keys, key sets and settings; the examples of the RFCs. */
#include <reeve-plugin-1.h>

#include <string.h>

#include "../helpers/jwt-signer.h"
#include "jwt-key-set.h"
#include "jwt-settings.h"

#define CLAIMS                                                                                     \
  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"   \
  "fQ"
/* RFC 7520 section 4 */
#define TEXT                                                                                       \
  "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250"   \
  "byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hl"   \
  "cmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"

static const struct
{
  const char *algorithm;
  const char *jwk;
  const char *token;
} vectors[] = {
  /* RFC 7515 A.2 */
  { "RS256",
    "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0B"
    "m4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z"
    "5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aG"
    "hyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\"}",
    "eyJhbGciOiJSUzI1NiJ9." CLAIMS "."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp"
    "5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMH"
    "lb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w"
    "9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw" },
  /* RFC 7515 A.3 */
  { "ES256",
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
    "eyJhbGciOiJFUzI1NiJ9." CLAIMS "."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q" },
  /* RFC 7515 A.4 */
  { "ES512",
    "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5E"
    "OnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th"
    "-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}",
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-"
    "mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNr"
    "mxYbSW9ERBXukOXolLzeO_Jn" },
  /* RFC 8037 A.4 */
  { "EdDSA",
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
    "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg" },
  /* RFC 7520 4.2 */
  { "PS384",
    "{\"kty\":\"RSA\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":\"sig\",\"e\":\"AQAB\","
    "\"n\":"
    "\"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_"
    "AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe"
    "-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFA"
    "KwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw\"}",
    "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." TEXT "."
    "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB"
    "5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRX"
    "e8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64"
    "QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw" },
};

static JsonObject *
parse (const char *text)
{
  g_autoptr (JsonNode) node = json_from_string (text, NULL);

  g_assert_nonnull (node);
  return json_object_ref (json_node_get_object (node));
}

/* Is the token's signature the key's? */
static gboolean
verify (JwtKey *key, const char *algorithm, const char *token)
{
  const char *dot = strrchr (token, '.');
  gsize length = 0;
  g_autofree guint8 *signature = reeve_base64url_decode (dot + 1, strlen (dot + 1), &length);

  g_assert_nonnull (signature);
  return jwt_key_verify (key, jwt_algorithm_find (algorithm), token, (gsize) (dot - token),
                         signature, length);
}

static void
test_jwt_vectors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) jwk = parse (vectors[i].jwk);
      g_autoptr (JwtKey) key = jwt_key_new_from_jwk (jwk, &error);
      g_autofree char *changed = g_strdup (vectors[i].token);

      g_assert_no_error (error);
      g_assert_true (verify (key, vectors[i].algorithm, vectors[i].token));
      changed[24] ^= 1;
      g_assert_false (verify (key, vectors[i].algorithm, changed));
    }
}

/* RFC 7515 A.1: the key is bytes there; in settings it is a text. */
static void
test_jwt_vector_secret (void)
{
  const char *k
      = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
  const char *token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." CLAIMS
                      ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  gsize length = 0;
  g_autofree guint8 *bytes = reeve_base64url_decode (k, strlen (k), &length);
  g_autoptr (JwtKey) key = jwt_key_new_from_secret ((const char *) bytes);

  g_assert_cmpuint (strlen ((const char *) bytes), ==, length);
  g_assert_true (verify (key, "HS256", token));
  g_assert_false (verify (key, "HS384", token));
}

/* Every algorithm: its own signatures are good, changed and foreign ones are not, and no key is
 * ever used with an algorithm of another kind. */
static void
test_jwt_algorithms (void)
{
  static const char *const names[]
      = { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",  "ES384",
          "ES512", "EdDSA", "Ed448", "HS256", "HS384", "HS512", "Ed25519" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (JwtSigner) signer = jwt_signer_new (names[i], NULL);
      g_autoptr (JwtSigner) other = jwt_signer_new (names[i], NULL);
      g_autofree char *token = jwt_signer_sign (signer, NULL, "{}");
      g_autofree char *foreign = jwt_signer_sign (other, NULL, "{}");
      gboolean shared = names[i][0] == 'H';
      g_autofree char *text = shared ? NULL : jwt_signer_make_jwk (signer, "");
      g_autofree char *pem = shared ? NULL : jwt_signer_make_pem (signer);
      g_autofree char *secret = g_strnfill (64, 's');
      g_autoptr (JsonObject) jwk = shared ? NULL : parse (text);
      g_autoptr (JwtKey) key
          = shared ? jwt_key_new_from_secret (secret) : jwt_key_new_from_jwk (jwk, NULL);
      g_autoptr (JwtKey) same = shared ? NULL : jwt_key_new_from_pem (pem, strlen (pem), NULL);

      g_assert_true (verify (key, names[i], token));
      g_assert_true (shared || verify (same, names[i], token));
      g_assert_true (verify (key, names[i], foreign) == shared);
      for (guint j = 0; j < G_N_ELEMENTS (names); j++)
        {
          gboolean fits = jwt_key_fits (key, jwt_algorithm_find (names[j]));
          gboolean kind
              = names[i][0] == names[j][0]
                || (strchr ("RP", names[i][0]) != NULL && strchr ("RP", names[j][0]) != NULL);

          g_assert_true (kind || !fits);
          g_assert_true (strcmp (names[i], names[j]) != 0 || fits);
          if (strcmp (names[i] + 2, names[j] + 2) != 0 && names[i][1] == 'S')
            g_assert_false (verify (key, names[j], token));
        }
    }
  g_assert_null (jwt_algorithm_find ("none"));
  g_assert_null (jwt_algorithm_find ("rs256"));
  g_assert_null (jwt_algorithm_find (NULL));
}

/* A signature of another length, of DER, or of zeros (CVE-2022-21449) is none. */
static void
test_jwt_signature_shapes (void)
{
  g_autoptr (JwtSigner) signer = jwt_signer_new ("ES256", NULL);
  g_autofree char *text = jwt_signer_make_jwk (signer, "");
  g_autoptr (JsonObject) jwk = parse (text);
  g_autoptr (JwtKey) key = jwt_key_new_from_jwk (jwk, NULL);
  const JwtAlgorithm *algorithm = jwt_algorithm_find ("ES256");
  g_autofree char *token = jwt_signer_sign (signer, NULL, "{}");
  const char *dot = strrchr (token, '.');
  gsize length = 0;
  g_autofree guint8 *good = reeve_base64url_decode (dot + 1, strlen (dot + 1), &length);
  guint8 bytes[80] = { 0 };

  g_assert_cmpuint (length, ==, 64);
  for (gsize n = 0; n < sizeof bytes; n++)
    g_assert_false (jwt_key_verify (key, algorithm, token, (gsize) (dot - token), bytes, n));
  memcpy (bytes, good, 64);
  for (gsize n = 0; n < sizeof bytes; n++)
    g_assert_true (jwt_key_verify (key, algorithm, token, (gsize) (dot - token), bytes, n)
                   == (n == 64));
  bytes[63] ^= 1;
  g_assert_false (jwt_key_verify (key, algorithm, token, (gsize) (dot - token), bytes, 64));
}

#define EC_X "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define EC_Y "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define EC   "\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X "," EC_Y
#define ED                                                                                         \
  "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static void
test_jwt_jwks (void)
{
  static const struct
  {
    const char *jwk;
    const char *error; /* NULL: it is taken */
  } cases[] = {
    { "{" EC "}", NULL },
    { "{" EC ",\"use\":\"sig\",\"alg\":\"ES256\",\"kid\":\"\",\"x5c\":[\"x\"]}", NULL },
    { "{" EC ",\"key_ops\":[\"sign\",\"verify\"]}", NULL },
    { "{" ED ",\"alg\":\"EdDSA\"}", NULL },
    { "{" ED ",\"alg\":\"Ed25519\"}", NULL },
    { "{" EC ",\"use\":\"enc\"}", "*not for signatures*" },
    { "{" EC ",\"use\":7}", "*not for signatures*" },
    { "{" EC ",\"key_ops\":[\"encrypt\"]}", "*not for signatures*" },
    { "{" EC ",\"key_ops\":\"verify\"}", "*not for signatures*" },
    { "{" EC ",\"alg\":\"ES384\"}", "*do not go together*" },
    { "{" EC ",\"alg\":\"RS256\"}", "*do not go together*" },
    { "{" EC ",\"alg\":\"HS256\"}", "*do not go together*" },
    { "{" EC ",\"alg\":\"ECDH-ES\"}", "*none that is known*" },
    { "{" EC ",\"alg\":null}", "*none that is known*" },
    { "{" EC ",\"kid\":7}", "*kid*" },
    { "{" EC ",\"d\":\"AAAA\"}", "*secret part*" },
    { "{\"kty\":\"oct\",\"k\":\"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\"}", "*secret part*" },
    { "{\"kty\":\"oct\"}", "*cannot be read*" },
    { "{\"kty\":\"EC\",\"crv\":\"P-384\"," EC_X "," EC_Y "}", "*cannot be read*" },
    { "{\"kty\":\"EC\",\"crv\":\"secp256k1\"," EC_X "," EC_Y "}", "*cannot be read*" },
    /* not on the curve */
    { "{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X
      ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4\"}",
      "*cannot be read*" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X "}", "*cannot be read*" },
    { "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
      "*cannot be read*" },
    { "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "*fewer than 2048*" },
    { "{\"kty\":\"RSA\",\"n\":\"AQAB\"}", "*cannot be read*" },
    { "{}", "*cannot be read*" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) jwk = parse (cases[i].jwk);
      g_autoptr (JwtKey) key = jwt_key_new_from_jwk (jwk, &error);

      g_test_message ("%s", cases[i].jwk);
      if (cases[i].error == NULL)
        g_assert_no_error (error);
      else
        g_assert_true (g_pattern_match_simple (cases[i].error, error->message));
      g_assert_true ((key == NULL) == (cases[i].error != NULL));
    }
}

/* RSA keys that are too short, or whose exponent would take for ever. */
static void
test_jwt_rsa (void)
{
  g_autofree char *large = g_strnfill (1500, '_');
  g_autofree char *n = g_strnfill (342, '_');
  const struct
  {
    const char *n;
    const char *e;
    gboolean good;
  } cases[] = {
    { n, "AQAB", TRUE }, { n, "Aw", TRUE },          { n, "AQ", FALSE }, { n, "AQAA", FALSE },
    { n, "", FALSE },    { n, "_________w8", TRUE }, { n, n, FALSE },    { large, "Aw", FALSE },
  };

  /* 342 characters are 256 bytes and four bits that must be 0 */
  n[341] = 'w';
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text
          = g_strdup_printf ("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", cases[i].n, cases[i].e);
      g_autoptr (JsonObject) jwk = parse (text);
      g_autoptr (JwtKey) key = jwt_key_new_from_jwk (jwk, NULL);

      g_test_message ("%s", cases[i].e);
      g_assert_true ((key != NULL) == cases[i].good);
    }
}

static void
test_jwt_sets (void)
{
  static const char *const broken[]
      = { "", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[],\"keys\":[]}", "{\"keys\":[{" EC "}]" };
  const char *mixed = "{\"keys\":[7,null,{},{\"kty\":\"EC\",\"crv\":\"P-999\"},{" EC "},{" ED "}]}";
  g_autoptr (JwtKeySet) set = jwt_key_set_new_from_text (mixed, strlen (mixed), NULL);
  g_autoptr (GString) many = g_string_new ("{\"keys\":[{}");

  g_assert_cmpuint (jwt_key_set_get_size (set), ==, 2);
  g_assert_true (jwt_key_set_fits (set, jwt_algorithm_find ("ES256")));
  g_assert_true (jwt_key_set_fits (set, jwt_algorithm_find ("EdDSA")));
  g_assert_false (jwt_key_set_fits (set, jwt_algorithm_find ("RS256")));
  g_assert_false (jwt_key_set_fits (set, jwt_algorithm_find ("HS256")));
  for (guint i = 0; i < G_N_ELEMENTS (broken); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (jwt_key_set_new_from_text (broken[i], strlen (broken[i]), &error));
      g_assert_nonnull (error);
    }
  for (guint i = 0; i < 128; i++)
    g_string_append (many, ",{}");
  g_string_append (many, "]}");
  g_assert_null (jwt_key_set_new_from_text (many->str, many->len, NULL));
}

/* ---- settings ---- */

#define SECRET "\"secret_key\":\"0123456789abcdef0123456789abcdef\""

static const struct
{
  const char *settings;
  gboolean enterprise;
  const char *error; /* NULL: good */
} settings_cases[] = {
  { "{\"issuer\":\"https://a.example\"}", TRUE, NULL },
  { "{\"issuer\":\"http://127.0.0.1:9\"}", FALSE, NULL },
  { "{\"issuer\":\"http://127.0.0.1:9\"}", TRUE, "issuer is http*use https*" },
  { "{\"issuer\":\"urn:x\",\"jwks_uri\":\"https://a.example/k\"}", TRUE, NULL },
  { "{\"issuer\":\"urn:x\"}", TRUE, "issuer is not an http*" },
  { "{\"issuer\":\"https://u@a.example\"}", TRUE, "issuer is not*" },
  { "{\"issuer\":\"https://a.example\",\"jwks_uri\":\"http://a.example\"}", TRUE, "jwks_uri*" },
  { "{\"issuer\":\"https://a.example\",\"jwks_uri\":\"ftp://a.example\"}", FALSE, "jwks_uri*" },
  { "{}", FALSE, "there is nothing to verify with*" },
  { "{" SECRET "}", FALSE, NULL },
  { "{" SECRET "}", TRUE, "algorithm HS256: *refuses it; use RS256*" },
  { "{" SECRET ",\"algorithm\":\"HS256\"}", FALSE, NULL },
  { "{" SECRET ",\"algorithm\":\"HS512\"}", FALSE, "algorithm HS512 wants*64 bytes" },
  { "{" SECRET ",\"algorithm\":\"RS256\"}", FALSE, "algorithm RS256 has no public_key*" },
  { "{\"secret_key\":\"short\"}", FALSE, "secret_key is too short*" },
  { "{" SECRET ",\"algorithm\":\"HS256\",\"algorithms\":[\"HS256\"]}", FALSE, "*not both" },
  { "{\"issuer\":\"https://a.example\",\"algorithms\":[\"RS256\",\"HS256\"]}", FALSE,
    "algorithm HS256 wants a secret_key*" },
  { "{\"issuer\":\"https://a.example\",\"algorithms\":[\"none\"]}", FALSE,
    "none is no algorithm*" },
  { "{\"issuer\":\"https://a.example\",\"require_expiry\":false}", FALSE, NULL },
  { "{\"issuer\":\"https://a.example\",\"require_expiry\":false}", TRUE, "require_expiry*" },
  { "{\"issuer\":\"https://a.example\",\"provision\":true,\"subject_is_user_id\":true}", FALSE,
    "provision*" },
  { "{\"public_key\":\"/nonexistent/key.pem\"}", FALSE, "public_key: *nonexistent*" },
  { "{\"public_key\":\"-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----\"}", FALSE,
    "public_key: this is no public key*" },
  { "{\"public_key\":\"-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\"}", FALSE,
    "public_key: this is a private key*" },
  { "{\"preset\":\"azure\",\"application_id\":\"a\"}", TRUE, "preset azure wants directory_id*" },
  { "{\"preset\":\"okta\",\"domain\":\"a/b\"}", TRUE, "preset okta wants domain*" },
};

static void
test_jwt_settings (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (settings_cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) object = parse (settings_cases[i].settings);
      g_autoptr (JwtSettings) settings
          = jwt_settings_new (object, settings_cases[i].enterprise, &error);

      g_test_message ("%s", settings_cases[i].settings);
      if (settings_cases[i].error == NULL)
        {
          g_assert_no_error (error);
          g_assert_nonnull (settings);
          continue;
        }
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
      g_assert_cmpstr (error->message, !=, "");
      if (!g_pattern_match_simple (settings_cases[i].error, error->message))
        g_error ("%s: %s", settings_cases[i].settings, error->message);
    }
}

/* Values of the identity providers' own manuals. */
static void
test_jwt_presets (void)
{
  static const struct
  {
    const char *settings;
    const char *issuer;
    const char *jwks_uri;
    const char *audience;
    const char *tenant_claim;
    const char *roles_claim;
  } cases[] = {
    { "{\"preset\":\"azure\",\"directory_id\":\"0f1e-2d\",\"application_id\":\"a-1\"}",
      "https://login.microsoftonline.com/0f1e-2d/v2.0",
      "https://login.microsoftonline.com/0f1e-2d/discovery/v2.0/keys", "api://a-1", "tid",
      "roles" },
    { "{\"preset\":\"okta\",\"domain\":\"acme\"}", "https://acme.okta.com",
      "https://acme.okta.com/oauth2/v1/keys", "api://taskforce", NULL, "groups" },
    { "{\"preset\":\"okta\",\"issuer\":\"https://acme.okta.com/oauth2/default\"}",
      "https://acme.okta.com/oauth2/default", NULL, "api://taskforce", NULL, "groups" },
    { "{\"preset\":\"auth0\",\"domain\":\"acme.eu.auth0.com\",\"audience\":\"reeve\","
      "\"roles_claim\":\"https://acme.example/roles\"}",
      "https://acme.eu.auth0.com/", "https://acme.eu.auth0.com/.well-known/jwks.json", "reeve",
      NULL, "https://acme.example/roles" },
    { "{\"preset\":\"keycloak\",\"domain\":\"sso.acme.example:8443\",\"realm\":\"main\"}",
      "https://sso.acme.example:8443/realms/main",
      "https://sso.acme.example:8443/realms/main/protocol/openid-connect/certs", NULL, NULL,
      "realm_access.roles" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) object = parse (cases[i].settings);
      g_autoptr (JwtSettings) settings = jwt_settings_new (object, TRUE, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (settings->issuer, ==, cases[i].issuer);
      g_assert_cmpstr (settings->jwks_uri, ==, cases[i].jwks_uri);
      g_assert_cmpstr (settings->audiences[0], ==, cases[i].audience);
      g_assert_cmpstr (settings->tenant_claim, ==, cases[i].tenant_claim);
      g_assert_cmpstr (settings->roles_claim, ==, cases[i].roles_claim);
      g_assert_true (settings->remote);
      g_assert_true (jwt_settings_allows (settings, jwt_algorithm_find ("RS256")));
      g_assert_false (jwt_settings_allows (settings, jwt_algorithm_find ("ES256")));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/jwt/keys/vectors", test_jwt_vectors);
  g_test_add_func ("/jwt/keys/vector-secret", test_jwt_vector_secret);
  g_test_add_func ("/jwt/keys/algorithms", test_jwt_algorithms);
  g_test_add_func ("/jwt/keys/signature-shapes", test_jwt_signature_shapes);
  g_test_add_func ("/jwt/keys/jwk", test_jwt_jwks);
  g_test_add_func ("/jwt/keys/rsa", test_jwt_rsa);
  g_test_add_func ("/jwt/keys/sets", test_jwt_sets);
  g_test_add_func ("/jwt/settings/table", test_jwt_settings);
  g_test_add_func ("/jwt/settings/presets", test_jwt_presets);
  return g_test_run ();
}
