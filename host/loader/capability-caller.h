/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a provider of a capability asks of the call that it performs. */
#pragma once

#include "capabilities.h"

G_BEGIN_DECLS

/* May it go on? %FALSE with %REEVE_ERROR_CAPABILITY_REVOKED, or what reeve_context_check() says.
 * Long work asks between its pieces. */
gboolean reeve_capability_caller_check (const ReeveCapabilityCaller *caller, GError **error);
/* The host holds @bytes for the call, until its end; asked again, as many instead.
 * %REEVE_ERROR_BUSY */
gboolean reeve_capability_caller_hold (const ReeveCapabilityCaller *caller, gsize bytes,
                                       GError **error);

G_END_DECLS
