/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much one plugin may keep in one tenant: what its grants say, below the deployment's ceiling.
 */
#pragma once

#include "loader/capabilities.h"

G_BEGIN_DECLS

/* The most bytes that may be kept there, where @needed are to be; @usual: what a grant that says
 * nothing is for. The call rests on the grants that allow as many. -1 with
 * %REEVE_ERROR_TOO_LARGE, or %REEVE_ERROR_CAPABILITY_REVOKED. */
gint64 reeve_plugin_quota_claim (const ReeveCapabilityCaller *caller, gint64 usual, gint64 needed,
                                 GError **error);

G_END_DECLS
