/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Claims of a token: whether they hold now and here, and whom they speak of. */
#pragma once

#include "jwt-settings.h"
#include "jwt-token.h"

G_BEGIN_DECLS

gboolean jwt_claims_is_ours (const JwtSettings *settings, const JwtClaimSet *claims);
gboolean jwt_claims_check (const JwtSettings *settings, const JwtToken *token, gint64 now,
                           gint64 *expires_at, GError **error);
ReeveIdentity *jwt_claims_make_identity (const JwtSettings *settings, const JwtClaimSet *claims,
                                         GError **error);

G_END_DECLS
