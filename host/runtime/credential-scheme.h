/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a secret gets into a request: bearer, header, basic and their like. Pure: no I/O, no state.
 */
#pragma once

#include "credential-headers.h"

G_BEGIN_DECLS

/* @secret: {scheme, value …}. %REEVE_ERROR_CONFIGURATION where it cannot be used, which does not
 * say the value; %REEVE_ERROR_INVALID_ARGUMENT where the request lacks what the scheme needs */
gboolean reeve_credential_scheme_apply (JsonObject *secret, ReeveHttpRequest *request,
                                        ReeveCredentialHeaders *headers, GError **error);

G_END_DECLS
