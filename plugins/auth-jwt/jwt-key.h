/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JwtKey: one key that signatures are verified with. Immutable, any thread. */
#pragma once

#include <reeve-plugin-1.h>

#include "jwt-algorithm.h"

G_BEGIN_DECLS

typedef struct _JwtKey JwtKey;

JwtKey *jwt_key_new_from_jwk (JsonObject *jwk, GError **error);
JwtKey *jwt_key_new_from_pem (const char *pem, gsize length, GError **error);
JwtKey *jwt_key_new_from_secret (const char *secret);
void jwt_key_free (JwtKey *self);
const char *jwt_key_get_id (JwtKey *self);
gboolean jwt_key_fits (JwtKey *self, const JwtAlgorithm *algorithm);
gboolean jwt_key_verify (JwtKey *self, const JwtAlgorithm *algorithm, gconstpointer data,
                         gsize length, const guint8 *signature, gsize signature_length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JwtKey, jwt_key_free)

G_END_DECLS
