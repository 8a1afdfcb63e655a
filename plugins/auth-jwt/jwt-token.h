/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JwtToken: a JWS in compact form, taken apart. Nothing in it is believed. */
#pragma once

#include <reeve-plugin-1.h>

#include "jwt-algorithm.h"
#include "jwt-claim-set.h"

G_BEGIN_DECLS

#define JWT_TOKEN_MAX 16384

typedef struct
{
  const JwtAlgorithm *algorithm;
  char *kid;           /* (nullable) */
  char *type;          /* (nullable): typ, lower case, without application/ */
  const char *text;    /* the caller's */
  gsize signed_length; /* of text: what the signature is of */
  guint8 *signature;
  gsize signature_length;
  JwtClaimSet *claims;
} JwtToken;

gboolean jwt_token_is_one (const char *text);
JwtToken *jwt_token_new (const char *text, const char *const *claims, GError **error);
void jwt_token_free (JwtToken *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JwtToken, jwt_token_free)

G_END_DECLS
