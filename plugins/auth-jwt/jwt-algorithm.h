/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signature algorithms of JOSE that this plugin knows. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  JWT_FAMILY_RSA,   /* RSASSA-PKCS1-v1_5 */
  JWT_FAMILY_PSS,   /* RSASSA-PSS, salt as long as the hash */
  JWT_FAMILY_ECDSA, /* r and s, each as long as the curve's order */
  JWT_FAMILY_EDDSA,
  JWT_FAMILY_HMAC,
} JwtFamily;

typedef struct
{
  const char *name; /* as in "alg" */
  JwtFamily family;
  const char *digest; /* OpenSSL's name; NULL for EdDSA */
  guint digest_bytes;
  const char *curve; /* JOSE's "crv"; NULL where there is none or either will do */
  guint part_bytes;  /* ECDSA: of r and of s */
} JwtAlgorithm;

const JwtAlgorithm *jwt_algorithm_find (const char *name);

G_END_DECLS
