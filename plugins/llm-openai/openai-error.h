/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Error answers of a service as GErrors. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

GError *openai_error_from_status (guint status, const char *body, gsize length);
GError *openai_error_from_event (JsonObject *event);

G_END_DECLS
