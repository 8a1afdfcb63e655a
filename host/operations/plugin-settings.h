/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which settings a plugin has in force, instance by instance, and where they are set: by its
 * manifest and the configuration, without any code of it. */
#pragma once

#include "services.h"

G_BEGIN_DECLS

/* (transfer full) [{instance_id, key, settings, origins}], as the configuration names them; nothing
 * in it that is secret, be it by the manifest or by its name */
JsonArray *reeve_plugin_settings_list (ReeveServices *services, ReeveManifest *manifest);

G_END_DECLS
