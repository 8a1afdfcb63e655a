/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864. "none" is not in the table, so no spelling
 * of it can be found there: names are compared byte for byte. */
#include "jwt-algorithm.h"

#include <string.h>

/* clang-format off */
static const JwtAlgorithm jwt_algorithms[] = {
  { "RS256",   JWT_FAMILY_RSA,   "SHA256", 32, NULL,      0 },
  { "RS384",   JWT_FAMILY_RSA,   "SHA384", 48, NULL,      0 },
  { "RS512",   JWT_FAMILY_RSA,   "SHA512", 64, NULL,      0 },
  { "PS256",   JWT_FAMILY_PSS,   "SHA256", 32, NULL,      0 },
  { "PS384",   JWT_FAMILY_PSS,   "SHA384", 48, NULL,      0 },
  { "PS512",   JWT_FAMILY_PSS,   "SHA512", 64, NULL,      0 },
  { "ES256",   JWT_FAMILY_ECDSA, "SHA256", 32, "P-256",   32 },
  { "ES384",   JWT_FAMILY_ECDSA, "SHA384", 48, "P-384",   48 },
  { "ES512",   JWT_FAMILY_ECDSA, "SHA512", 64, "P-521",   66 },
  { "EdDSA",   JWT_FAMILY_EDDSA, NULL,     0,  NULL,      0 },
  { "Ed25519", JWT_FAMILY_EDDSA, NULL,     0,  "Ed25519", 0 },
  { "Ed448",   JWT_FAMILY_EDDSA, NULL,     0,  "Ed448",   0 },
  { "HS256",   JWT_FAMILY_HMAC,  "SHA256", 32, NULL,      0 },
  { "HS384",   JWT_FAMILY_HMAC,  "SHA384", 48, NULL,      0 },
  { "HS512",   JWT_FAMILY_HMAC,  "SHA512", 64, NULL,      0 },
};
/* clang-format on */

/**
 * jwt_algorithm_find:
 * @name: (nullable): value of "alg"
 *
 * Returns: (transfer none) (nullable): the algorithm of exactly that name
 */
const JwtAlgorithm *
jwt_algorithm_find (const char *name)
{
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (jwt_algorithms); i++)
    if (strcmp (jwt_algorithms[i].name, name) == 0)
      return &jwt_algorithms[i];
  return NULL;
}
