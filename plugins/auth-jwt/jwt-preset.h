/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of identity providers by name. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

JsonObject *jwt_preset_apply (JsonObject *settings, GError **error);

G_END_DECLS
