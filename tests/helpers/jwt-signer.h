/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JwtSigner: signs tokens, good ones and such as an attacker would make. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _JwtSigner JwtSigner;

JwtSigner *jwt_signer_new (const char *algorithm, const char *kid);
JwtSigner *jwt_signer_new_with_secret (const char *algorithm, const char *secret);
void jwt_signer_free (JwtSigner *self);
char *jwt_signer_make_jwk (JwtSigner *self, const char *more);
char *jwt_signer_make_pem (JwtSigner *self);
char *jwt_signer_sign (JwtSigner *self, const char *header, const char *claims);
/* (transfer none): an EVP_PKEY */
gpointer jwt_signer_get_key (JwtSigner *self);
char *jwt_signer_encode (gconstpointer data, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JwtSigner, jwt_signer_free)

G_END_DECLS
