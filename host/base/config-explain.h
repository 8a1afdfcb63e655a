/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration key by key: what counts, who says so, and who said otherwise. */
#pragma once

#include "config-layers.h"

G_BEGIN_DECLS

/* What is explained; borrowed. */
typedef struct
{
  JsonNode *root; /* with defaults */
  const ReeveSchemaNode *schema;
  GHashTable *origins;
  GPtrArray *layers; /* of ReeveConfigLayer, the lowest one first */
} ReeveConfigExplain;

/* (transfer full) [{key, value, origin, secret, covers[{origin, value}]}] of @key and what is in it
 * (NULL: everything), secrets masked; empty when there is no such key */
JsonArray *reeve_config_explain_list (const ReeveConfigExplain *self, const char *key);

G_END_DECLS
