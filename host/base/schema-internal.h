/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the JSON Schema validator share. */
#pragma once

#include "json-schema.h"

G_BEGIN_DECLS

/* longest pattern that is compiled */
#define REEVE_SCHEMA_PATTERN_LENGTH 4096

/* schema.c */
GRegex *reeve_schema_get_regex (ReeveSchema *self, const char *pattern, GError **error);

/* schema-pattern.c */
GRegex *reeve_schema_pattern_compile (const char *pattern,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* schema-compile.c; what is made is added to memory */
const ReeveSchemaNode *reeve_schema_compile_run (JsonNode *schema, GPtrArray *memory,
                                                 GError **error);

/* schema-mask.c: keywords of others say that it is secret */
gboolean reeve_schema_mask_is_marked (JsonObject *schema);

/* schema-check.c */
gboolean reeve_schema_check_run (ReeveSchema *schema, JsonNode *instance, GPtrArray *faults,
                                 GError **error);

/* schema-format.c */
gboolean reeve_schema_format_matches (ReeveSchemaFormat format, const char *text);
ReeveSchemaFormat reeve_schema_format_from_name (const char *name);
const char *reeve_schema_format_get_name (ReeveSchemaFormat format);

G_END_DECLS
