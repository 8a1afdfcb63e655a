/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys are made anew by every test: none lies in the tree. */
#include "jwt-signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

struct _JwtSigner
{
  char *algorithm;
  char *kid;
  char *secret;
  EVP_PKEY *pkey;
};

/* base64url of @data */
char *
jwt_signer_encode (gconstpointer data, gsize length)
{
  char *text = g_base64_encode (data, length);

  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = 0;
  return text;
}

static const char *
jwt_signer_get_curve (const char *algorithm)
{
  return g_str_equal (algorithm, "ES256")   ? "P-256"
         : g_str_equal (algorithm, "ES384") ? "P-384"
                                            : "P-521";
}

JwtSigner *
jwt_signer_new (const char *algorithm, const char *kid)
{
  JwtSigner *self = g_new0 (JwtSigner, 1);

  self->algorithm = g_strdup (algorithm);
  self->kid = g_strdup (kid);
  if (algorithm[0] == 'H')
    self->secret = g_strnfill (64, 's');
  else if (algorithm[1] == 'S' && algorithm[0] != 'E')
    self->pkey = EVP_RSA_gen (2048);
  else if (algorithm[1] == 'S')
    self->pkey = EVP_EC_gen (jwt_signer_get_curve (algorithm));
  else
    self->pkey
        = EVP_PKEY_Q_keygen (NULL, NULL, g_str_equal (algorithm, "Ed448") ? "ED448" : "ED25519");
  g_assert_true (self->secret != NULL || self->pkey != NULL);
  return self;
}

JwtSigner *
jwt_signer_new_with_secret (const char *algorithm, const char *secret)
{
  JwtSigner *self = g_new0 (JwtSigner, 1);

  self->algorithm = g_strdup (algorithm);
  self->secret = g_strdup (secret);
  return self;
}

void
jwt_signer_free (JwtSigner *self)
{
  EVP_PKEY_free (self->pkey);
  g_free (self->algorithm);
  g_free (self->kid);
  g_free (self->secret);
  g_free (self);
}

gpointer
jwt_signer_get_key (JwtSigner *self)
{
  return self->pkey;
}

static char *
jwt_signer_encode_number (EVP_PKEY *pkey, const char *name)
{
  BIGNUM *number = NULL;
  guint8 bytes[1024];
  int length = 0;

  g_assert_cmpint (EVP_PKEY_get_bn_param (pkey, name, &number), ==, 1);
  length = BN_bn2bin (number, bytes);
  BN_free (number);
  return jwt_signer_encode (bytes, (gsize) length);
}

/* The public key as a JWK, with @more members: ,"use":"sig" */
char *
jwt_signer_make_jwk (JwtSigner *self, const char *more)
{
  g_autofree char *kid
      = self->kid != NULL ? g_strdup_printf (",\"kid\":\"%s\"", self->kid) : g_strdup ("");
  guint8 bytes[256];
  gsize length = sizeof bytes;

  if (EVP_PKEY_is_a (self->pkey, "RSA"))
    {
      g_autofree char *n = jwt_signer_encode_number (self->pkey, OSSL_PKEY_PARAM_RSA_N);
      g_autofree char *e = jwt_signer_encode_number (self->pkey, OSSL_PKEY_PARAM_RSA_E);

      return g_strdup_printf ("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s%s}", n, e, kid, more);
    }
  if (EVP_PKEY_is_a (self->pkey, "EC"))
    {
      g_assert_cmpint (EVP_PKEY_get_octet_string_param (self->pkey, OSSL_PKEY_PARAM_PUB_KEY, bytes,
                                                        sizeof bytes, &length),
                       ==, 1);
      g_autofree char *x = jwt_signer_encode (bytes + 1, length / 2);
      g_autofree char *y = jwt_signer_encode (bytes + 1 + length / 2, length / 2);

      return g_strdup_printf ("{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s%s}",
                              jwt_signer_get_curve (self->algorithm), x, y, kid, more);
    }
  g_assert_cmpint (EVP_PKEY_get_raw_public_key (self->pkey, bytes, &length), ==, 1);
  g_autofree char *x = jwt_signer_encode (bytes, length);

  return g_strdup_printf ("{\"kty\":\"OKP\",\"crv\":\"%s\",\"x\":\"%s\"%s%s}",
                          length == 32 ? "Ed25519" : "Ed448", x, kid, more);
}

/* The public key in PEM. */
char *
jwt_signer_make_pem (JwtSigner *self)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  char *data = NULL;
  char *text = NULL;
  long length = 0;

  g_assert_cmpint (PEM_write_bio_PUBKEY (bio, self->pkey), ==, 1);
  length = BIO_get_mem_data (bio, &data);
  text = g_strndup (data, (gsize) length);
  BIO_free (bio);
  return text;
}

/* r and s of a DER signature, side by side */
static gsize
jwt_signer_split (const guint8 *der, gsize length, guint part, guint8 *out)
{
  ECDSA_SIG *both = d2i_ECDSA_SIG (NULL, &der, (long) length);

  g_assert_cmpint (BN_bn2binpad (ECDSA_SIG_get0_r (both), out, (int) part), ==, (int) part);
  g_assert_cmpint (BN_bn2binpad (ECDSA_SIG_get0_s (both), out + part, (int) part), ==, (int) part);
  ECDSA_SIG_free (both);
  return 2 * (gsize) part;
}

static gsize
jwt_signer_sign_bytes (JwtSigner *self, const char *text, guint8 out[1024])
{
  const char *bits = self->algorithm + 2;
  const char *digest = g_str_equal (bits, "256")   ? "SHA256"
                       : g_str_equal (bits, "384") ? "SHA384"
                       : g_str_equal (bits, "512") ? "SHA512"
                                                   : NULL;
  gsize length = 1024;
  unsigned int mac_length = 0;
  guint8 der[1024];
  EVP_MD_CTX *context = NULL;
  EVP_PKEY_CTX *inner = NULL;

  if (self->secret != NULL)
    {
      HMAC (EVP_get_digestbyname (digest), self->secret, (int) strlen (self->secret),
            (const guint8 *) text, strlen (text), out, &mac_length);
      return mac_length;
    }
  context = EVP_MD_CTX_new ();
  g_assert_cmpint (EVP_DigestSignInit_ex (context, &inner, digest, NULL, NULL, self->pkey, NULL),
                   ==, 1);
  if (self->algorithm[0] == 'P')
    {
      EVP_PKEY_CTX_set_rsa_padding (inner, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen (inner, RSA_PSS_SALTLEN_DIGEST);
    }
  g_assert_cmpint (EVP_DigestSign (context, der, &length, (const guint8 *) text, strlen (text)), ==,
                   1);
  EVP_MD_CTX_free (context);
  if (g_str_has_prefix (self->algorithm, "ES"))
    return jwt_signer_split (der, length,
                             g_str_equal (bits, "256")   ? 32
                             : g_str_equal (bits, "384") ? 48
                                                         : 66,
                             out);
  memcpy (out, der, length);
  return length;
}

/* header: NULL for a usual one */
char *
jwt_signer_sign (JwtSigner *self, const char *header, const char *claims)
{
  g_autofree char *usual
      = self->kid != NULL ? g_strdup_printf ("{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                                             self->algorithm, self->kid)
                          : g_strdup_printf ("{\"alg\":\"%s\",\"typ\":\"JWT\"}", self->algorithm);
  const char *chosen = header != NULL ? header : usual;
  g_autofree char *first = jwt_signer_encode (chosen, strlen (chosen));
  g_autofree char *second = jwt_signer_encode (claims, strlen (claims));
  g_autofree char *text = g_strconcat (first, ".", second, NULL);
  guint8 signature[1024];
  g_autofree char *third
      = jwt_signer_encode (signature, jwt_signer_sign_bytes (self, text, signature));

  return g_strconcat (text, ".", third, NULL);
}
