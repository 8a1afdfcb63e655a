/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Faults of a configuration, and what it is warned of. */
#pragma once

#include "config-values.h"

G_BEGIN_DECLS

/* Holds it to the schema; every fault is told. */
gboolean reeve_config_checks_validate (JsonNode *root, GHashTable *origins, GError **error);
/* What the schema does not say; defaults are filled in. */
gboolean reeve_config_checks_run (JsonNode *node, GHashTable *origins, GError **error);
/* (transfer full) */
char **reeve_config_checks_collect_warnings (JsonObject *root, GHashTable *origins);
/* (transfer full) where a value, or what it stands in, came from, and its key */
char *reeve_config_checks_locate (GHashTable *origins, const char *pointer);
/* (transfer full) that, and the message */
char *reeve_config_checks_describe (GHashTable *origins, const char *pointer, const char *message);

G_END_DECLS
