/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layers of a configuration: defaults, profile, file, command line. */
#pragma once

#include "config-values.h"
#include "config.h"

G_BEGIN_DECLS

/* the schema of reeve.yaml, compiled at build time from data/reeve.schema.json */
extern const ReeveSchemaNode *const reeve_config_schema;

/* Puts members of over into base: objects are merged, everything else is replaced. */
void reeve_config_layers_merge (JsonObject *base, JsonObject *over, const ReeveSchemaNode *schema);
/* Adds what is absent and has a default. */
void reeve_config_layers_fill (JsonNode *node, const ReeveSchemaNode *schema);
/* (transfer full) an object; NULL with an error */
JsonNode *reeve_config_layers_read_file (const char *path, const ReeveConfigSource *source,
                                         GError **error);
/* Merges profile name, and the one that it builds on, into base. */
gboolean reeve_config_layers_read_profile (JsonObject *base, const char *name,
                                           const char *const *folders,
                                           const ReeveConfigSource *source, GError **error);
JsonNode *reeve_config_layers_convert_overrides (JsonNode *node, const ReeveSchemaNode *schema,
                                                 const char *pointer, GHashTable *origins);

G_END_DECLS
