/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Development tokens: signed with a shared secret, in profile dev alone. */
#pragma once

#include "operations/services.h"

G_BEGIN_DECLS

gboolean reeve_startup_development_open (ReeveServices *services, GError **error);
/* a ReeveCapabilityFunc; user_data is the ReeveConfig */
JsonNode *reeve_startup_development_tell_profile (const ReeveCapabilityCaller *caller,
                                                  JsonNode *params, gpointer user_data,
                                                  GError **error);

G_END_DECLS
