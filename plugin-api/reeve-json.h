/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one strict scanner in front of every JSON text from outside, and the canonical writer. */
#pragma once

#include <json-glib/json-glib.h>

#include "reeve-error.h"

G_BEGIN_DECLS

/**
 * REEVE_JSON_MAX_DEPTH:
 *
 * Deepest nesting that is read.
 *
 * Since: 1.0
 */
#define REEVE_JSON_MAX_DEPTH 64

/**
 * ReeveJsonSlice:
 * @start: (nullable): first byte of the member's value in the scanned text, or %NULL when absent
 * @length: bytes of the value
 *
 * Where the value of a top-level member stands in a scanned text.
 *
 * Since: 1.0
 */
typedef struct
{
  const char *start;
  gsize length;
} ReeveJsonSlice;

REEVE_AVAILABLE_IN_1_0
gboolean reeve_json_scan (const char *data, gsize length, GError **error);
REEVE_AVAILABLE_IN_1_0
JsonNode *reeve_json_parse_strict (const char *data, gsize length, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_json_find_members (const char *data, gsize length, const char *const *names,
                                  ReeveJsonSlice *slices, GError **error);
REEVE_AVAILABLE_IN_1_0
char *reeve_json_canonical (JsonNode *node);
REEVE_AVAILABLE_IN_1_0
char *reeve_json_text (JsonNode *node);

/* Lenient member access on parsed objects: the default is returned when absent or of another type.
 */
REEVE_AVAILABLE_IN_1_0
const char *reeve_json_get_string (JsonObject *object, const char *member, const char *fallback);
REEVE_AVAILABLE_IN_1_0
gint64 reeve_json_get_int (JsonObject *object, const char *member, gint64 fallback);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_json_get_boolean (JsonObject *object, const char *member, gboolean fallback);
REEVE_AVAILABLE_IN_1_0
JsonObject *reeve_json_get_object (JsonObject *object, const char *member);
REEVE_AVAILABLE_IN_1_0
JsonArray *reeve_json_get_array (JsonObject *object, const char *member);

G_END_DECLS
