/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is an address among those that a key may be shown from? */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

gboolean api_key_address_is_allowed (JsonArray *allowed, const char *address);

G_END_DECLS
