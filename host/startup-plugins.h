/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Section plugins of the configuration: which plugins there are, and where they run. */
#pragma once

#include "startup.h"

G_BEGIN_DECLS

/* Finds the plugins in @folders and below. (nullable), %REEVE_ERROR_CONFIGURATION */
ReeveRegistry *reeve_startup_plugins_open (ReeveServices *services, ReeveState *state,
                                           ReeveCapabilities *capabilities,
                                           const char *const *folders, GError **error);
/* Writes down what an administrator gave up for which plugin: at each start, once there is a
 * ledger. */
void reeve_startup_plugins_note (ReeveServices *services);

G_END_DECLS
