/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tool policy, and who is asked about calls of tools besides it. */
#pragma once

#include "operations/services.h"

G_BEGIN_DECLS

/* services->policies: the gate decides by them. */
void reeve_startup_policy_open (ReeveServices *services);
/* Where the configuration names a policy agent: services->adviser, which the gate asks from now on.
 */
void reeve_startup_policy_advise (ReeveServices *services);
void reeve_startup_policy_close (ReeveServices *services);

G_END_DECLS
