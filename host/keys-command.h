/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work on the keys while no host runs. */
#pragma once

#include "base/config.h"
#include "state.h"

G_BEGIN_DECLS

/* --rotate-master-key: seals all keys by the one in source, which is made where there is none */
gboolean reeve_keys_command_rotate (ReeveConfig *config, ReeveState *state, const char *source,
                                    GError **error);
/* --accept-stores: takes the stores that are there for the newest; which: a tenant, the platform or
 * "all" */
gboolean reeve_keys_command_accept (ReeveConfig *config, ReeveState *state, const char *which,
                                    GError **error);

G_END_DECLS
