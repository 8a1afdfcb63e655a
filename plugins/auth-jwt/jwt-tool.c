/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contexts of libcrypto, set up for one key and algorithm: setting one up takes a fifth of an RSA
 * verification. */
#include "jwt-tool.h"

#include <openssl/rsa.h>

struct _JwtTool
{
  const JwtAlgorithm *algorithm;
  EVP_MD *md;            /* (nullable): EdDSA has none */
  EVP_PKEY_CTX *context; /* (nullable): of RSA and EC */
  EVP_MD_CTX *message;   /* (nullable): of EdDSA */
};

/**
 * jwt_tool_new:
 * @pkey: a public key; outlives the tool
 * @algorithm: one that it is for
 *
 * Returns: (transfer full) (nullable): a tool
 */
JwtTool *
jwt_tool_new (EVP_PKEY *pkey, const JwtAlgorithm *algorithm)
{
  g_autoptr (JwtTool) self = g_new0 (JwtTool, 1);
  gboolean pss = algorithm->family == JWT_FAMILY_PSS;
  gboolean good = FALSE;

  self->algorithm = algorithm;
  if (algorithm->family == JWT_FAMILY_EDDSA)
    {
      self->message = EVP_MD_CTX_new ();
      good = self->message != NULL
             && EVP_DigestVerifyInit_ex (self->message, NULL, NULL, NULL, NULL, pkey, NULL) == 1;
      return good ? g_steal_pointer (&self) : NULL;
    }
  self->md = EVP_MD_fetch (NULL, algorithm->digest, NULL);
  self->context = EVP_PKEY_CTX_new_from_pkey (NULL, pkey, NULL);
  good = self->md != NULL && self->context != NULL && EVP_PKEY_verify_init (self->context) == 1;
  if (good && (pss || algorithm->family == JWT_FAMILY_RSA))
    good = EVP_PKEY_CTX_set_rsa_padding (self->context,
                                         pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING)
           == 1;
  good = good && EVP_PKEY_CTX_set_signature_md (self->context, self->md) == 1;
  if (good && pss)
    good = EVP_PKEY_CTX_set_rsa_pss_saltlen (self->context, RSA_PSS_SALTLEN_DIGEST) == 1;
  return good ? g_steal_pointer (&self) : NULL;
}

/**
 * jwt_tool_free:
 * @self: (transfer full): a tool
 */
void
jwt_tool_free (JwtTool *self)
{
  EVP_MD_free (self->md);
  EVP_PKEY_CTX_free (self->context);
  EVP_MD_CTX_free (self->message);
  g_free (self);
}

/**
 * jwt_tool_is_for:
 * @self: a tool
 * @algorithm: an algorithm
 *
 * Returns: whether it was made for that
 */
gboolean
jwt_tool_is_for (JwtTool *self, const JwtAlgorithm *algorithm)
{
  return self->algorithm == algorithm;
}

/**
 * jwt_tool_verify:
 * @self: a tool
 * @data: what was signed
 * @length: bytes of it
 * @signature: the signature as libcrypto has it
 * @signature_length: bytes of it
 *
 * Returns: whether it is good
 */
gboolean
jwt_tool_verify (JwtTool *self, gconstpointer data, gsize length, const guint8 *signature,
                 gsize signature_length)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  unsigned int n = 0;

  if (self->message != NULL)
    return EVP_DigestVerify (self->message, signature, signature_length, data, length) == 1;
  return EVP_Digest (data, length, digest, &n, self->md, NULL) == 1
         && EVP_PKEY_verify (self->context, signature, signature_length, digest, n) == 1;
}
