/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JwtClaimSet: a text of claims, scanned as strictly as any JSON, and where those stand in it that
 * somebody asks for. No tree is made of it. */
#pragma once

#include "jwt-claim.h"

G_BEGIN_DECLS

typedef struct _JwtClaimSet JwtClaimSet;

/* (nullable); text: (transfer full); names: outlive it */
JwtClaimSet *jwt_claim_set_new (char *text, gsize length, const char *const *names);
void jwt_claim_set_free (JwtClaimSet *self);
/* (nullable): the value of one of the names */
const ReeveJsonSlice *jwt_claim_set_get (const JwtClaimSet *self, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JwtClaimSet, jwt_claim_set_free)

G_END_DECLS
