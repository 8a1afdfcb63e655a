/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JwtKeySet: keys in the order in which they were given. Immutable after it is filled, counted. */
#pragma once

#include "jwt-key.h"

G_BEGIN_DECLS

typedef struct _JwtKeySet JwtKeySet;

typedef enum
{
  JWT_VERDICT_GOOD,
  JWT_VERDICT_BAD,     /* a key was there, the signature is not its */
  JWT_VERDICT_UNKNOWN, /* no key of that id fits the algorithm */
} JwtVerdict;

JwtKeySet *jwt_key_set_new (void);
JwtKeySet *jwt_key_set_new_from_text (const char *text, gsize length, GError **error);
JwtKeySet *jwt_key_set_ref (JwtKeySet *self);
void jwt_key_set_unref (JwtKeySet *self);
void jwt_key_set_add (JwtKeySet *self, JwtKey *key);
guint jwt_key_set_get_size (JwtKeySet *self);
gboolean jwt_key_set_fits (JwtKeySet *self, const JwtAlgorithm *algorithm);
JwtVerdict jwt_key_set_verify (JwtKeySet *self, const JwtAlgorithm *algorithm, const char *kid,
                               gconstpointer data, gsize length, const guint8 *signature,
                               gsize signature_length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JwtKeySet, jwt_key_set_unref)

G_END_DECLS
