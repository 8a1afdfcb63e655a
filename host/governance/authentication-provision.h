/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A step on the way from an identity to a caller: who comes from an issuer that is trusted to bring
 * its own people gets a record here, and the record follows what the issuer says. */
#pragma once

#include "admission.h"
#include "authentication.h"
#include "users.h"

G_BEGIN_DECLS

typedef struct _ReeveAuthenticationProvision ReeveAuthenticationProvision;

/* All outlive it; before the first identity. */
ReeveAuthenticationProvision *reeve_authentication_provision_new (
    ReeveUsers *users, ReeveAdmission *admission, ReeveAuthentication *authentication);
void reeve_authentication_provision_free (ReeveAuthenticationProvision *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAuthenticationProvision, reeve_authentication_provision_free)

G_END_DECLS
