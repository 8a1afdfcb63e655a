/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys and the verification itself, by OpenSSL's libcrypto: the README says why.
 *
 * A key knows what it is (RSA, a curve, a secret), and an algorithm is only ever used with the kind
 * it belongs to: that the sender names the algorithm gives him no choice of how his bytes are
 * understood (RFC 8725 section 3.1). */
#include "jwt-key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "jwt-tool.h"

/* RFC 7518 section 3.3; the upper bound is for the time that a verification takes */
#define JWT_KEY_RSA_MIN_BITS 2048
#define JWT_KEY_RSA_MAX_BITS 8192
/* of a public exponent */
#define JWT_KEY_RSA_MAX_EXPONENT 8
/* of a text in a JWK */
#define JWT_KEY_MAX_TEXT 2048

/* tools of one key that are kept */
#define JWT_KEY_MAX_TOOLS 32

struct _JwtKey
{
  char *id;          /* (nullable): "kid" */
  EVP_PKEY *pkey;    /* (nullable) */
  GBytes *secret;    /* (nullable) */
  const char *curve; /* (nullable): JOSE's name */
  gboolean rsa;
  gboolean eddsa;
  const JwtAlgorithm *only; /* (nullable): "alg" of the JWK */
  GMutex lock;              /* guards what follows */
  GPtrArray *tools;         /* that nobody uses */
};

typedef struct
{
  const char *jose;
  const char *openssl; /* group or type */
  guint bytes;         /* of a coordinate, or of a public key of EdDSA */
} JwtKeyCurve;

static const JwtKeyCurve jwt_key_ec[]
    = { { "P-256", "prime256v1", 32 }, { "P-384", "secp384r1", 48 }, { "P-521", "secp521r1", 66 } };
static const JwtKeyCurve jwt_key_okp[] = { { "Ed25519", "ED25519", 32 }, { "Ed448", "ED448", 57 } };

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIGNUM, BN_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ECDSA_SIG, ECDSA_SIG_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OSSL_PARAM, OSSL_PARAM_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)

static JwtKey *
jwt_key_new (void)
{
  JwtKey *self = g_new0 (JwtKey, 1);

  g_mutex_init (&self->lock);
  self->tools = g_ptr_array_new_with_free_func ((GDestroyNotify) jwt_tool_free);
  return self;
}

static gboolean
jwt_key_fail (GError **error, const char *text)
{
  /* what OpenSSL noted of it is of no use to anybody, and would stay with the thread */
  ERR_clear_error ();
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, text);
  return FALSE;
}

static const JwtKeyCurve *
jwt_key_find_curve (const JwtKeyCurve *curves, guint n, const char *jose)
{
  for (guint i = 0; i < n; i++)
    if (g_strcmp0 (curves[i].jose, jose) == 0)
      return &curves[i];
  return NULL;
}

/* (transfer full) (nullable): the bytes in a member of a JWK */
static guint8 *
jwt_key_read_bytes (JsonObject *jwk, const char *member, gsize *length)
{
  const char *text = reeve_json_get_string (jwk, member, NULL);
  gsize given = text != NULL ? strlen (text) : 0;

  return given > 0 && given <= JWT_KEY_MAX_TEXT ? reeve_base64url_decode (text, given, length)
                                                : NULL;
}

/* What a key of that kind must be, wherever it came from. */
static gboolean
jwt_key_settle (JwtKey *self, GError **error)
{
  char group[32] = "";

  self->rsa = EVP_PKEY_is_a (self->pkey, "RSA");
  if (self->rsa)
    {
      g_autoptr (BIGNUM) exponent = NULL;
      int bits = EVP_PKEY_get_bits (self->pkey);

      if (bits < JWT_KEY_RSA_MIN_BITS || bits > JWT_KEY_RSA_MAX_BITS)
        return jwt_key_fail (error, "the RSA key has fewer than 2048 bits, or more than 8192");
      if (EVP_PKEY_get_bn_param (self->pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1
          || !BN_is_odd (exponent) || BN_is_one (exponent)
          || BN_num_bytes (exponent) > JWT_KEY_RSA_MAX_EXPONENT)
        return jwt_key_fail (error, "the exponent of the RSA key is not usable");
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (jwt_key_okp); i++)
    if (EVP_PKEY_is_a (self->pkey, jwt_key_okp[i].openssl))
      {
        self->eddsa = TRUE;
        self->curve = jwt_key_okp[i].jose;
        return TRUE;
      }
  if (EVP_PKEY_is_a (self->pkey, "EC")
      && EVP_PKEY_get_group_name (self->pkey, group, sizeof group, NULL) == 1)
    for (guint i = 0; i < G_N_ELEMENTS (jwt_key_ec); i++)
      if (strcmp (jwt_key_ec[i].openssl, group) == 0)
        {
          self->curve = jwt_key_ec[i].jose;
          return TRUE;
        }
  return jwt_key_fail (error, "the key is of a type or curve that no known algorithm has");
}

static EVP_PKEY *
jwt_key_build (const char *type, OSSL_PARAM_BLD *builder)
{
  g_autoptr (OSSL_PARAM) params = OSSL_PARAM_BLD_to_param (builder);
  g_autoptr (EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name (NULL, type, NULL);
  EVP_PKEY *pkey = NULL;

  if (params == NULL || context == NULL || EVP_PKEY_fromdata_init (context) != 1
      || EVP_PKEY_fromdata (context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return NULL;
  return pkey;
}

static EVP_PKEY *
jwt_key_read_rsa (JsonObject *jwk)
{
  gsize n_length = 0;
  gsize e_length = 0;
  g_autofree guint8 *n_bytes = jwt_key_read_bytes (jwk, "n", &n_length);
  g_autofree guint8 *e_bytes = jwt_key_read_bytes (jwk, "e", &e_length);
  g_autoptr (BIGNUM) n = NULL;
  g_autoptr (BIGNUM) e = NULL;
  g_autoptr (OSSL_PARAM_BLD) builder = NULL;

  if (n_bytes == NULL || e_bytes == NULL || e_length > JWT_KEY_RSA_MAX_EXPONENT)
    return NULL;
  n = BN_bin2bn (n_bytes, (int) n_length, NULL);
  e = BN_bin2bn (e_bytes, (int) e_length, NULL);
  builder = OSSL_PARAM_BLD_new ();
  if (n == NULL || e == NULL || builder == NULL || !BN_is_odd (n)
      || OSSL_PARAM_BLD_push_BN (builder, OSSL_PKEY_PARAM_RSA_N, n) != 1
      || OSSL_PARAM_BLD_push_BN (builder, OSSL_PKEY_PARAM_RSA_E, e) != 1)
    return NULL;
  return jwt_key_build ("RSA", builder);
}

/* OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *
jwt_key_read_ec (JsonObject *jwk)
{
  const JwtKeyCurve *curve = jwt_key_find_curve (jwt_key_ec, G_N_ELEMENTS (jwt_key_ec),
                                                 reeve_json_get_string (jwk, "crv", NULL));
  gsize x_length = 0;
  gsize y_length = 0;
  g_autofree guint8 *x = jwt_key_read_bytes (jwk, "x", &x_length);
  g_autofree guint8 *y = jwt_key_read_bytes (jwk, "y", &y_length);
  guint8 point[1 + 2 * 66] = { POINT_CONVERSION_UNCOMPRESSED };
  g_autoptr (OSSL_PARAM_BLD) builder = NULL;

  if (curve == NULL || x == NULL || y == NULL || x_length != curve->bytes
      || y_length != curve->bytes)
    return NULL;
  memcpy (point + 1, x, x_length);
  memcpy (point + 1 + x_length, y, y_length);
  builder = OSSL_PARAM_BLD_new ();
  if (builder == NULL
      || OSSL_PARAM_BLD_push_utf8_string (builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->openssl, 0)
             != 1
      || OSSL_PARAM_BLD_push_octet_string (builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                           1 + x_length + y_length)
             != 1)
    return NULL;
  return jwt_key_build ("EC", builder);
}

static EVP_PKEY *
jwt_key_read_okp (JsonObject *jwk)
{
  const JwtKeyCurve *curve = jwt_key_find_curve (jwt_key_okp, G_N_ELEMENTS (jwt_key_okp),
                                                 reeve_json_get_string (jwk, "crv", NULL));
  gsize length = 0;
  g_autofree guint8 *x = jwt_key_read_bytes (jwk, "x", &length);

  if (curve == NULL || x == NULL || length != curve->bytes)
    return NULL;
  return EVP_PKEY_new_raw_public_key_ex (NULL, curve->openssl, NULL, x, length);
}

/* "use" and "key_ops" (RFC 7517 sections 4.2 and 4.3): is the key there to verify signatures? */
static gboolean
jwt_key_is_for_signatures (JsonObject *jwk)
{
  JsonArray *operations = reeve_json_get_array (jwk, "key_ops");
  gboolean found = FALSE;

  if (json_object_has_member (jwk, "use")
      && g_strcmp0 (reeve_json_get_string (jwk, "use", NULL), "sig") != 0)
    return FALSE;
  if (!json_object_has_member (jwk, "key_ops"))
    return TRUE;
  for (guint i = 0; operations != NULL && i < json_array_get_length (operations); i++)
    {
      JsonNode *node = json_array_get_element (operations, i);

      found
          |= JSON_NODE_HOLDS_VALUE (node) && g_strcmp0 (json_node_get_string (node), "verify") == 0;
    }
  return found;
}

/* What is no JWK of a public key that verifies signatures. */
static gboolean
jwt_key_check_jwk (JsonObject *jwk, GError **error)
{
  static const char *const private_members[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };
  JsonNode *kid = json_object_get_member (jwk, "kid");

  for (guint i = 0; i < G_N_ELEMENTS (private_members); i++)
    if (json_object_has_member (jwk, private_members[i]))
      return jwt_key_fail (error, "the JWK has a secret part: whoever published it gave it away");
  if (!jwt_key_is_for_signatures (jwk))
    return jwt_key_fail (error, "the JWK is not for signatures, by its use or key_ops");
  if (kid != NULL && reeve_json_get_string (jwk, "kid", NULL) == NULL)
    return jwt_key_fail (error, "kid of the JWK is no string");
  if (json_object_has_member (jwk, "alg")
      && jwt_algorithm_find (reeve_json_get_string (jwk, "alg", NULL)) == NULL)
    return jwt_key_fail (error, "alg of the JWK is none that is known here");
  return TRUE;
}

/**
 * jwt_key_new_from_jwk:
 * @jwk: a JWK (RFC 7517)
 * @error: return location
 *
 * Symmetric keys are refused: a secret that is fetched from an address is none.
 *
 * Returns: (transfer full): the key; %NULL with %REEVE_ERROR_INVALID_ARGUMENT when it is not usable
 */
JwtKey *
jwt_key_new_from_jwk (JsonObject *jwk, GError **error)
{
  const char *type = reeve_json_get_string (jwk, "kty", "");
  const char *only = reeve_json_get_string (jwk, "alg", NULL);
  g_autoptr (JwtKey) self = jwt_key_new ();

  if (!jwt_key_check_jwk (jwk, error))
    return NULL;
  self->id = g_strdup (reeve_json_get_string (jwk, "kid", NULL));
  if (strcmp (type, "RSA") == 0)
    self->pkey = jwt_key_read_rsa (jwk);
  else if (strcmp (type, "EC") == 0)
    self->pkey = jwt_key_read_ec (jwk);
  else if (strcmp (type, "OKP") == 0)
    self->pkey = jwt_key_read_okp (jwk);
  if (self->pkey == NULL)
    {
      jwt_key_fail (error, "the JWK cannot be read as a key of type RSA, EC or OKP");
      return NULL;
    }
  if (!jwt_key_settle (self, error))
    return NULL;
  if (only != NULL)
    {
      const JwtAlgorithm *algorithm = jwt_algorithm_find (only);

      if (!jwt_key_fits (self, algorithm))
        {
          jwt_key_fail (error, "kty and alg of the JWK do not go together");
          return NULL;
        }
      self->only = algorithm;
    }
  return g_steal_pointer (&self);
}

/**
 * jwt_key_new_from_pem:
 * @pem: a public key, or a certificate
 * @length: bytes of it
 * @error: return location
 *
 * Returns: (transfer full): the key; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
JwtKey *
jwt_key_new_from_pem (const char *pem, gsize length, GError **error)
{
  g_autoptr (JwtKey) self = jwt_key_new ();
  g_autoptr (BIO) bio = BIO_new_mem_buf (pem, (int) MIN (length, G_MAXINT));

  if (g_strstr_len (pem, (gssize) length, "PRIVATE KEY-----") != NULL)
    {
      jwt_key_fail (error, "this is a private key: what verifies needs the public one only");
      return NULL;
    }
  if (bio != NULL && g_strstr_len (pem, (gssize) length, "-----BEGIN CERTIFICATE-----") != NULL)
    {
      g_autoptr (X509) certificate = PEM_read_bio_X509 (bio, NULL, NULL, NULL);

      self->pkey = certificate != NULL ? X509_get_pubkey (certificate) : NULL;
    }
  else if (bio != NULL)
    self->pkey = PEM_read_bio_PUBKEY (bio, NULL, NULL, NULL);
  if (self->pkey == NULL)
    {
      jwt_key_fail (error, "this is no public key and no certificate in PEM");
      return NULL;
    }
  return jwt_key_settle (self, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * jwt_key_new_from_secret:
 * @secret: a shared secret; its bytes are the key
 *
 * Returns: (transfer full): the key, for the HMAC algorithms that it is long enough for (RFC 7518
 * section 3.2)
 */
JwtKey *
jwt_key_new_from_secret (const char *secret)
{
  JwtKey *self = jwt_key_new ();

  self->secret = g_bytes_new (secret, strlen (secret));
  return self;
}

/**
 * jwt_key_free:
 * @self: (transfer full): a key
 */
void
jwt_key_free (JwtKey *self)
{
  g_ptr_array_unref (self->tools);
  g_mutex_clear (&self->lock);
  g_clear_pointer (&self->pkey, EVP_PKEY_free);
  if (self->secret != NULL)
    {
      gsize length = 0;
      gconstpointer bytes = g_bytes_get_data (self->secret, &length);

      OPENSSL_cleanse ((gpointer) bytes, length);
      g_bytes_unref (self->secret);
    }
  g_free (self->id);
  g_free (self);
}

/**
 * jwt_key_get_id:
 * @self: a key
 *
 * Returns: (transfer none) (nullable): its "kid"
 */
const char *
jwt_key_get_id (JwtKey *self)
{
  return self->id;
}

/**
 * jwt_key_fits:
 * @self: a key
 * @algorithm: an algorithm
 *
 * Returns: whether the one is for the other
 */
gboolean
jwt_key_fits (JwtKey *self, const JwtAlgorithm *algorithm)
{
  if (self->only != NULL && self->only != algorithm)
    return FALSE;
  switch (algorithm->family)
    {
    case JWT_FAMILY_RSA:
    case JWT_FAMILY_PSS:
      return self->rsa;
    case JWT_FAMILY_ECDSA:
      return !self->eddsa && self->curve != NULL && strcmp (self->curve, algorithm->curve) == 0;
    case JWT_FAMILY_EDDSA:
      return self->eddsa
             && (algorithm->curve == NULL || strcmp (self->curve, algorithm->curve) == 0);
    case JWT_FAMILY_HMAC:
      return self->secret != NULL && g_bytes_get_size (self->secret) >= algorithm->digest_bytes;
    default:
      return FALSE;
    }
}

static gboolean
jwt_key_verify_secret (JwtKey *self, const JwtAlgorithm *algorithm, gconstpointer data,
                       gsize length, const guint8 *signature, gsize signature_length)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  unsigned int digest_length = 0;
  gsize secret_length = 0;
  gconstpointer secret = g_bytes_get_data (self->secret, &secret_length);
  const EVP_MD *md = EVP_get_digestbyname (algorithm->digest);

  return md != NULL
         && HMAC (md, secret, (int) secret_length, data, length, digest, &digest_length) != NULL
         && signature_length == digest_length
         && CRYPTO_memcmp (digest, signature, digest_length) == 0;
}

/* OpenSSL wants DER where JOSE has r and s side by side (RFC 7518 section 3.4). */
static guint8 *
jwt_key_make_der (const JwtAlgorithm *algorithm, const guint8 *signature, gsize length,
                  gsize *der_length)
{
  g_autoptr (ECDSA_SIG) both = NULL;
  g_autoptr (BIGNUM) r = NULL;
  g_autoptr (BIGNUM) s = NULL;
  unsigned char *der = NULL;
  guint8 *copy = NULL;
  int n = 0;

  if (length != (gsize) algorithm->part_bytes * 2)
    return NULL;
  both = ECDSA_SIG_new ();
  r = BN_bin2bn (signature, (int) algorithm->part_bytes, NULL);
  s = BN_bin2bn (signature + algorithm->part_bytes, (int) algorithm->part_bytes, NULL);
  if (both == NULL || r == NULL || s == NULL
      || ECDSA_SIG_set0 (both, g_steal_pointer (&r), g_steal_pointer (&s)) != 1)
    return NULL;
  n = i2d_ECDSA_SIG (both, &der);
  if (n > 0)
    {
      copy = g_memdup2 (der, (gsize) n);
      *der_length = (gsize) n;
    }
  OPENSSL_free (der);
  return copy;
}

/* (transfer full) (nullable): one that nobody uses, or a new one */
static JwtTool *
jwt_key_take_tool (JwtKey *self, const JwtAlgorithm *algorithm)
{
  JwtTool *tool = NULL;

  g_mutex_lock (&self->lock);
  for (guint i = self->tools->len; tool == NULL && i > 0; i--)
    {
      JwtTool *other = g_ptr_array_index (self->tools, i - 1);

      if (jwt_tool_is_for (other, algorithm))
        tool = g_ptr_array_steal_index_fast (self->tools, i - 1);
    }
  g_mutex_unlock (&self->lock);
  return tool != NULL ? tool : jwt_tool_new (self->pkey, algorithm);
}

static void
jwt_key_give_tool (JwtKey *self, JwtTool *tool)
{
  gboolean kept = FALSE;

  g_mutex_lock (&self->lock);
  kept = self->tools->len < JWT_KEY_MAX_TOOLS;
  if (kept)
    g_ptr_array_add (self->tools, tool);
  g_mutex_unlock (&self->lock);
  if (!kept)
    jwt_tool_free (tool);
}

static gboolean
jwt_key_verify_public (JwtKey *self, const JwtAlgorithm *algorithm, gconstpointer data,
                       gsize length, const guint8 *signature, gsize signature_length)
{
  JwtTool *tool = jwt_key_take_tool (self, algorithm);
  gboolean good = tool != NULL && jwt_tool_verify (tool, data, length, signature, signature_length);

  /* one that has failed is not used again: what state it is in is nobody's promise */
  if (good)
    jwt_key_give_tool (self, tool);
  else
    g_clear_pointer (&tool, jwt_tool_free);
  return good;
}

/**
 * jwt_key_verify:
 * @self: a key
 * @algorithm: an algorithm
 * @data: what was signed
 * @length: bytes of it
 * @signature: the signature as JOSE has it
 * @signature_length: bytes of it
 *
 * Returns: whether the signature is good; never when key and algorithm do not fit
 */
gboolean
jwt_key_verify (JwtKey *self, const JwtAlgorithm *algorithm, gconstpointer data, gsize length,
                const guint8 *signature, gsize signature_length)
{
  g_autofree guint8 *der = NULL;
  gboolean good = FALSE;

  if (!jwt_key_fits (self, algorithm) || signature_length == 0)
    return FALSE;
  if (algorithm->family == JWT_FAMILY_HMAC)
    return jwt_key_verify_secret (self, algorithm, data, length, signature, signature_length);
  if (algorithm->family == JWT_FAMILY_ECDSA)
    {
      der = jwt_key_make_der (algorithm, signature, signature_length, &signature_length);
      if (der == NULL)
        return FALSE;
      signature = der;
    }
  good = jwt_key_verify_public (self, algorithm, data, length, signature, signature_length);
  if (!good)
    ERR_clear_error ();
  return good;
}
