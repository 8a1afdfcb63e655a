/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Goal 14: verifying the signature of a token, hash included, as a ratio to what `openssl speed`
 * measures of its algorithm (one verification of a digest, its context set up before); the whole
 * way of a token that was never seen, from its text to an identity, as what it costs beyond that;
 * and a token that was seen, from what was shown to the caller. Usage: bench-jwt [MILLISECONDS]
 * [ROUNDS]
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "directory-fixture.h"
#include "base/digests.h"
#include "../helpers/jwt-signer.h"
#include "jwt-token.h"
#include "jwt-verifier.h"

#define GOAL_RATIO 0.9
#define GOAL_US    2.0
#define CLAIMS                                                                                     \
  "{\"iss\":\"https://idp.example\",\"sub\":\"3c2a3f0e-8d3c-4a42-9a39-1f5d2f6f0a11\",\"aud\":"     \
  "\"reeve\",\"iat\":1700000000,\"exp\":99999999999,\"org_id\":\"default\",\"preferred_"           \
  "username\":"                                                                                    \
  "\"alice\",\"email\":\"alice@acme.example\",\"roles\":[\"viewer\",\"operator\"],\"jti\":"        \
  "\"0b6f6f0c-6a0e-4a43-9c3f-6b1a2f2c9d10\",\"scope\":\"openid profile\"}"

typedef struct
{
  const char *algorithm;
  JwtSigner *signer;
  JwtVerifier *verifier;
  char *settings;
  char **names;
  char *token;
  JwtKey *key;
  JwtToken *parts;
  EVP_PKEY_CTX *context; /* of the floor; NULL: EdDSA */
  EVP_MD_CTX *message;   /* of the floor of EdDSA */
  guint8 digest[64];
  gsize digest_length;
  guint8 signature[1024];
  gsize signature_length;
} Case;

/* CPU time of this thread, in seconds: others use the machine too */
static double
now (void)
{
  struct timespec spec;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &spec);
  return (double) spec.tv_sec + (double) spec.tv_nsec * 1e-9;
}

static void
must (int result, const char *what)
{
  if (result != 1)
    g_error ("%s failed", what);
}

static void
set_up_floor (Case *self)
{
  EVP_PKEY *pkey = jwt_signer_get_key (self->signer);
  gboolean rsa = EVP_PKEY_is_a (pkey, "RSA");
  gboolean pss = self->algorithm[0] == 'P';
  const char *name = strcmp (self->algorithm + 2, "384") == 0 ? "SHA384" : "SHA256";
  EVP_MD *digest = EVP_MD_fetch (NULL, name, NULL);
  EVP_PKEY_CTX *signer = EVP_PKEY_CTX_new_from_pkey (NULL, pkey, NULL);

  self->signature_length = sizeof self->signature;
  self->digest_length = (gsize) EVP_MD_get_size (digest);
  memset (self->digest, 7, sizeof self->digest);
  if (strcmp (self->algorithm, "EdDSA") == 0)
    {
      EVP_MD_CTX *message = EVP_MD_CTX_new ();

      must (EVP_DigestSignInit_ex (message, NULL, NULL, NULL, NULL, pkey, NULL), "set-up");
      must (EVP_DigestSign (message, self->signature, &self->signature_length, self->digest,
                            self->digest_length),
            "signing");
      EVP_MD_CTX_free (message);
      EVP_PKEY_CTX_free (signer);
      self->message = EVP_MD_CTX_new ();
      must (EVP_DigestVerifyInit_ex (self->message, NULL, NULL, NULL, NULL, pkey, NULL), "set-up");
      EVP_MD_free (digest);
      return;
    }
  self->context = EVP_PKEY_CTX_new_from_pkey (NULL, pkey, NULL);
  must (EVP_PKEY_sign_init (signer), "set-up");
  must (EVP_PKEY_verify_init (self->context), "set-up");
  if (rsa)
    {
      must (EVP_PKEY_CTX_set_rsa_padding (signer, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING),
            "padding");
      must (EVP_PKEY_CTX_set_rsa_padding (self->context,
                                          pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING),
            "padding");
    }
  must (EVP_PKEY_CTX_set_signature_md (signer, digest), "digest");
  must (EVP_PKEY_CTX_set_signature_md (self->context, digest), "digest");
  must (EVP_PKEY_sign (signer, self->signature, &self->signature_length, self->digest,
                       self->digest_length),
        "signing");
  EVP_PKEY_CTX_free (signer);
  EVP_MD_free (digest);
}

static void
set_up (Case *self, const char *algorithm)
{
  g_autofree char *pem = NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree char *joined = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  JwtSettings *settings = NULL;

  self->algorithm = algorithm;
  self->signer = jwt_signer_new (algorithm, "key-1");
  self->token = jwt_signer_sign (self->signer, NULL, CLAIMS);
  pem = jwt_signer_make_pem (self->signer);
  lines = g_strsplit (pem, "\n", -1);
  joined = g_strjoinv ("\\n", lines);
  self->settings
      = g_strdup_printf ("{\"issuer\":\"https://idp.example\",\"audience\":\"reeve\",\"algorithm\":"
                         "\"%s\",\"public_key\":\"%s\"}",
                         algorithm, joined);
  node = json_from_string (self->settings, NULL);
  settings = jwt_settings_new (json_node_get_object (node), TRUE, &error);
  if (settings == NULL)
    g_error ("%s", error->message);
  self->names = g_strdupv (settings->claims);
  self->verifier = jwt_verifier_new (settings);
  self->key = jwt_key_new_from_pem (pem, strlen (pem), NULL);
  self->parts = jwt_token_new (self->token, (const char *const *) self->names, NULL);
  set_up_floor (self);
}

static void
tear_down (Case *self)
{
  jwt_verifier_free (self->verifier);
  jwt_key_free (self->key);
  jwt_token_free (self->parts);
  jwt_signer_free (self->signer);
  EVP_PKEY_CTX_free (self->context);
  EVP_MD_CTX_free (self->message);
  g_free (self->settings);
  g_strfreev (self->names);
  g_free (self->token);
}

static void
verify_floor (Case *self)
{
  must (self->message != NULL
            ? EVP_DigestVerify (self->message, self->signature, self->signature_length,
                                self->digest, self->digest_length)
            : EVP_PKEY_verify (self->context, self->signature, self->signature_length, self->digest,
                               self->digest_length),
        "the floor");
}

static void
verify_signature (Case *self)
{
  must (jwt_key_verify (self->key, self->parts->algorithm, self->parts->text,
                        self->parts->signed_length, self->parts->signature,
                        self->parts->signature_length),
        "the signature");
}

static void
verify_token (Case *self)
{
  gboolean ours = FALSE;
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveIdentity) identity
      = jwt_verifier_verify (self->verifier, self->token, NULL, g_get_real_time (),
                             g_get_monotonic_time (), &ours, &error);

  if (identity == NULL)
    g_error ("%s", error->message);
}

/* The least time that one took, over all rounds, in µs. */
static double
measure (Case *self, void (*func) (Case *), double seconds)
{
  double start = now ();
  double end = start;
  guint count = 0;

  while (end - start < seconds)
    {
      for (guint i = 0; i < 20; i++)
        func (self);
      count += 20;
      end = now ();
    }
  return (end - start) / count * 1e6;
}

static gboolean
compare (const char *algorithm, double seconds, guint rounds)
{
  Case self = { NULL };
  double floor = G_MAXDOUBLE;
  double token = G_MAXDOUBLE;
  double signature = G_MAXDOUBLE;

  set_up (&self, algorithm);
  for (guint i = 0; i < rounds; i++)
    {
      floor = MIN (floor, measure (&self, verify_floor, seconds));
      signature = MIN (signature, measure (&self, verify_signature, seconds));
      token = MIN (token, measure (&self, verify_token, seconds));
    }
  printf (
      "goal 14  %-6s libcrypto %.1f us, signature %.1f us, ratio %.2f (goal >= %.1f) %s; token of "
      "%zu bytes %.1f us, ratio %.2f\n",
      algorithm, floor, signature, floor / signature, GOAL_RATIO,
      floor / signature >= GOAL_RATIO ? "met" : "NOT MET", strlen (self.token), token,
      floor / token);
  tear_down (&self);
  return floor / signature >= GOAL_RATIO;
}

static char *
digest_of (const char *path)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  if (!g_file_get_contents (path, &text, &length, NULL))
    g_error ("%s cannot be read: is REEVE_BUILD_DIR the build folder?", path);
  return reeve_digests_sha256_hex (text, length);
}

static char *
file_of (const char *name)
{
  return g_build_filename (g_getenv ("REEVE_BUILD_DIR"), "plugins", "auth-jwt", name, NULL);
}

/* The plugin as it was built, pinned as it is; @pins outlive it. */
static ReeveRegistry *
open_registry (DirectoryFixture *fixture, const ReevePin *pins)
{
  g_autofree char *folder = g_build_filename (g_getenv ("REEVE_BUILD_DIR"), "plugins", NULL);
  const char *const folders[] = { folder, NULL };
  ReeveRegistrySetup setup
      = { .folders = folders, .extra_pins = pins, .capabilities = fixture->capabilities };
  ReeveRegistry *registry = reeve_registry_new (&setup);

  reeve_registry_scan (registry);
  return registry;
}

/* A token that the host let in lately, asked of the whole authentication. */
static gboolean
measure_cached (guint rounds)
{
  DirectoryFixture fixture = { 0 };
  Case self = { NULL };
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCaller) first = NULL;
  ReeveCredentials credentials = { .struct_size = sizeof credentials, .scheme = "bearer" };
  g_autofree char *manifest = file_of ("auth-jwt.plugin");
  g_autofree char *module = file_of ("auth-jwt.so");
  g_autofree char *manifest_digest = digest_of (manifest);
  g_autofree char *module_digest = digest_of (module);
  const ReevePin pins[] = { { "auth-jwt", manifest_digest, module_digest }, { 0 } };
  ReeveRegistry *registry = NULL;
  ReevePlugin *plugin = NULL;
  double best = G_MAXDOUBLE;

  set_up (&self, "RS256");
  directory_fixture_set_up (&fixture, NULL);
  node = json_from_string (self.settings, NULL);
  registry = open_registry (&fixture, pins);
  plugin = reeve_registry_instantiate (registry, "idp", "auth-jwt", REEVE_TYPE_AUTH,
                                       json_node_get_object (node), &error);
  if (plugin == NULL)
    g_error ("%s", error->message);
  reeve_authentication_add_provider (fixture.authentication, "idp", registry, plugin);
  credentials.token = self.token;
  credentials.peer_address = "127.0.0.1";
  credentials.door = "rest";
  first = reeve_authentication_authenticate (fixture.authentication, &credentials, &error);
  if (first == NULL)
    g_error ("%s", error->message);
  for (guint i = 0; i < rounds; i++)
    {
      double start = now ();

      for (guint j = 0; j < 10000; j++)
        {
          g_autoptr (ReeveCaller) caller
              = reeve_authentication_lookup (fixture.authentication, &credentials);

          if (caller == NULL)
            g_error ("the token is not cached");
        }
      best = MIN (best, (now () - start) * 100);
    }
  printf ("goal 14  cached token of %zu bytes: %.2f us (goal <= %.0f) %s\n", strlen (self.token),
          best, GOAL_US, best <= GOAL_US ? "met" : "NOT MET");
  reeve_registry_shutdown (registry);
  directory_fixture_tear_down (&fixture, NULL);
  reeve_registry_unref (registry);
  tear_down (&self);
  return best <= GOAL_US;
}

int
main (int argc, char **argv)
{
  static const char *const algorithms[] = { "RS256", "PS256", "ES256", "ES384", "EdDSA" };
  double seconds = argc > 1 ? atof (argv[1]) / 1000 : 0.1;
  guint rounds = argc > 2 ? (guint) atoi (argv[2]) : 9;
  gboolean good = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    good &= compare (algorithms[i], seconds, rounds);
  good &= measure_cached (rounds);
  return good ? 0 : 1;
}
