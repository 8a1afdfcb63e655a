/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the runtime takes up of a plugin that is enabled: at the start of the host, or later. */
#pragma once

#include "services.h"

G_BEGIN_DECLS

/* (transfer none) (nullable): what plugins.settings of the configuration says of it */
JsonObject *reeve_plugin_switch_find_settings (ReeveConfig *config, const char *plugin_id);
/* One that was disabled when the host started has no tools and no media types yet. Blocks. */
gboolean reeve_plugin_switch_take_up (ReeveServices *services, const char *plugin_id,
                                      GError **error);

G_END_DECLS
