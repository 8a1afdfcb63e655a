/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plugin may do, as plugins.get and plugins.grants show it. */
#pragma once

#include "services.h"

G_BEGIN_DECLS

/* (transfer full) (nullable) of PluginCapability; %REEVE_ERROR_NOT_FOUND. Blocks. */
JsonArray *reeve_plugin_grants_show (ReeveServices *services, const char *plugin_id,
                                     GError **error);

G_END_DECLS
