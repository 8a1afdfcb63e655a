/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A configuration for people to read. */
#pragma once

#include "config-values.h"

G_BEGIN_DECLS

char *reeve_config_print_tree (JsonNode *root, const ReeveSchemaNode *schema, GHashTable *origins);
/* (transfer full) a value as it may be shown; secret: it stands in something that is */
JsonNode *reeve_config_print_mask (JsonNode *node, const ReeveSchemaNode *schema,
                                   const char *pointer, GHashTable *origins, gboolean secret);
/* whether a value under that name is not shown, whatever its schema */
gboolean reeve_config_print_is_secret (const char *name);

/* whether the value of that member is not shown */
gboolean reeve_config_print_hides (const ReeveSchemaNode *schema, const char *name);

G_END_DECLS
