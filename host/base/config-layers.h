/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layers of a configuration: profiles, file, environment, command line. */
#pragma once

#include "config-values.h"
#include "config.h"

G_BEGIN_DECLS

/* the schema of reeve.yaml, compiled at build time from data/reeve.schema.json */
extern const ReeveSchemaNode *const reeve_config_schema;

/* One layer: what it says, and where it says it. */
typedef struct
{
  JsonNode *tree;      /* an object; NULL until it is read */
  GHashTable *origins; /* JSON pointer -> ReeveConfigOrigin */
  char *file;          /* NULL: it is in none */
  char *digest;        /* of the file when it was read */
} ReeveConfigLayer;

ReeveConfigLayer *reeve_config_layers_new (void);
void reeve_config_layers_free (ReeveConfigLayer *layer);
/* where and how values of a layer are read; borrows it */
ReeveConfigSource reeve_config_layers_get_source (ReeveConfigLayer *layer,
                                                  const ReeveConfigSource *like);
JsonNode *reeve_config_layers_make_empty (void);
/* whether its file has become another one since */
gboolean reeve_config_layers_has_changed (const ReeveConfigLayer *layer);
/* Puts a layer over base: objects are merged, everything else is replaced. origins borrows. */
void reeve_config_layers_lay (JsonObject *base, GHashTable *origins, const ReeveConfigLayer *over);
/* Adds what is absent and has a default. */
void reeve_config_layers_fill (JsonNode *node, const ReeveSchemaNode *schema);
/* Reads a file into layer. */
gboolean reeve_config_layers_read_file (ReeveConfigLayer *layer, const char *path,
                                        const ReeveConfigSource *like, GError **error);
/* Adds profile name, below it the one that it builds on; *is_dev: whether that is dev at last. */
gboolean reeve_config_layers_read_profile (GPtrArray *layers, const char *name,
                                           const char *const *folders,
                                           const ReeveConfigSource *like, gboolean *is_dev,
                                           GError **error);
JsonNode *reeve_config_layers_convert_overrides (JsonNode *node, const ReeveSchemaNode *schema,
                                                 const char *pointer, GHashTable *origins);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveConfigLayer, reeve_config_layers_free)

G_END_DECLS
