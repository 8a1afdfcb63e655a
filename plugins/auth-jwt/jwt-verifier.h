/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JwtVerifier: from the text of a token to whom it speaks of. Any thread. */
#pragma once

#include "jwt-settings.h"

G_BEGIN_DECLS

typedef struct _JwtVerifier JwtVerifier;

JwtVerifier *jwt_verifier_new (JwtSettings *settings);
void jwt_verifier_free (JwtVerifier *self);
gboolean jwt_verifier_knows (JwtVerifier *self, const char *text);
gboolean jwt_verifier_warm (JwtVerifier *self, ReeveContext *context, gint64 monotonic,
                            GError **error);
ReeveIdentity *jwt_verifier_verify (JwtVerifier *self, const char *text, ReeveContext *context,
                                    gint64 now, gint64 monotonic, gboolean *ours, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JwtVerifier, jwt_verifier_free)

G_END_DECLS
