/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often a plugin may use `net.http`: what its grants say and the deployment's ceiling. */
#pragma once

#include "governance/rate-limits.h"
#include "loader/capabilities.h"

G_BEGIN_DECLS

/* One request more, by one of the grants of @mask (bit by number; not 0) of the call's lease.
 * %REEVE_ERROR_RATE_LIMITED, with when to come again */
gboolean reeve_net_rate_take (ReeveRateLimits *limits, const ReeveCapabilityCaller *caller,
                              guint64 mask, GError **error);

G_END_DECLS
