/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON whose values are counted before any is made: what a few bytes say takes some hundred times
 * as much memory. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define WIRE_JSON_MAX_VALUES 32768 /* each takes some 300 bytes of memory, and 3 of a text */

/* (transfer full) (nullable): as reeve_json_parse_strict() reads it. %REEVE_ERROR_TOO_LARGE where
 * it has more values than that, at whatever depth. */
JsonNode *wire_json_parse (const char *text, GError **error);
/* The same of @length bytes, with a bound of the caller's. */
JsonNode *wire_json_parse_bounded (const char *data, gsize length, guint most, GError **error);

G_END_DECLS
