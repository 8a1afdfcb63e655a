/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One validation under way, and what its parts (schema-check.c, schema-items.c, schema-members.c)
 * call of each other. */
#pragma once

#include "schema-internal.h"
#include "schema-seen.h"

G_BEGIN_DECLS

/* where in the instance, from the inside out */
typedef struct _ReeveSchemaPlace ReeveSchemaPlace;
struct _ReeveSchemaPlace
{
  const ReeveSchemaPlace *parent;
  const char *name; /* NULL: an item */
  guint index;
};

typedef struct
{
  ReeveSchema *schema;
  GPtrArray *faults; /* NULL: only the verdict counts */
  gint64 steps;
  guint depth;
  gboolean exhausted;
} ReeveSchemaCheck;

gboolean reeve_schema_check_node (ReeveSchemaCheck *self, const ReeveSchemaNode *node,
                                  JsonNode *value, const ReeveSchemaPlace *place,
                                  ReeveSchemaSeen *seen);
gboolean reeve_schema_check_probe (ReeveSchemaCheck *self, const ReeveSchemaNode *node,
                                   JsonNode *value, const ReeveSchemaPlace *place,
                                   ReeveSchemaSeen *seen);
gboolean reeve_schema_check_fail (ReeveSchemaCheck *self, const ReeveSchemaPlace *place,
                                  const char *keyword, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
gboolean reeve_schema_check_enough (ReeveSchemaCheck *self);
gboolean reeve_schema_check_spend (ReeveSchemaCheck *self, gint64 steps);
gboolean reeve_schema_check_matches (ReeveSchemaCheck *self, const char *pattern, const char *text);
gboolean reeve_schema_check_counts (ReeveSchemaCheck *self, const ReeveSchemaPlace *place,
                                    guint64 n, const ReeveSchemaCount *low,
                                    const ReeveSchemaCount *high, const char *const words[3]);

/* schema-items.c */
gboolean reeve_schema_items_check (ReeveSchemaCheck *self, const ReeveSchemaArray *rules,
                                   JsonArray *array, const ReeveSchemaPlace *place,
                                   ReeveSchemaSeen *seen);
gboolean reeve_schema_items_check_rest (ReeveSchemaCheck *self, const ReeveSchemaNode *node,
                                        JsonArray *array, const ReeveSchemaPlace *place,
                                        ReeveSchemaSeen *seen);

/* schema-members.c */
gboolean reeve_schema_members_check (ReeveSchemaCheck *self, const ReeveSchemaObject *rules,
                                     JsonNode *value, const ReeveSchemaPlace *place,
                                     ReeveSchemaSeen *seen);
gboolean reeve_schema_members_check_rest (ReeveSchemaCheck *self, const ReeveSchemaNode *node,
                                          JsonObject *object, const ReeveSchemaPlace *place,
                                          ReeveSchemaSeen *seen);

G_END_DECLS
