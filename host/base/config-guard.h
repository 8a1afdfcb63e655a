/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is allowed and not safe: one list of rules, for the start and for the doctor. */
#pragma once

#include "config-values.h"

G_BEGIN_DECLS

/* One rule of the list. */
typedef struct
{
  const char *id;     /* cors.any */
  const char *row;    /* of the list of features, where it is asked for */
  gboolean refused;   /* by every profile but dev; else it is only told */
  const char *what;   /* what is wrong with it */
  const char *remedy; /* what to do */
  gboolean always;    /* refused by every profile: the configuration contradicts itself */
} ReeveConfigGuardRule;

/* One place where a rule is broken. */
typedef struct
{
  const ReeveConfigGuardRule *rule;
  char *where; /* "reeve.yaml:12: server.cors.origins[0]" */
} ReeveConfigFinding;

/* ended by a NULL id */
const ReeveConfigGuardRule *reeve_config_guard_get_rules (void);
/* (transfer full) (element-type ReeveConfigFinding) by rule, then by place; root has its defaults
 */
GPtrArray *reeve_config_guard_find (JsonNode *root, const ReeveSchemaNode *schema,
                                    GHashTable *origins);
/* Tells all that are refused, by a developer's profile (@is_dev) or any other. FALSE when there is
 * one. */
gboolean reeve_config_guard_refuse (GPtrArray *findings, const char *profile, gboolean is_dev,
                                    GError **error);

G_END_DECLS
