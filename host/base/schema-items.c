/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keywords about arrays. */
#include "schema-check.h"

#include <string.h>

static gboolean
reeve_schema_items_unique (ReeveSchemaCheck *self, JsonArray *array, const ReeveSchemaPlace *place)
{
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      char *text = reeve_json_canonical (json_array_get_element (array, i));
      gboolean fresh = g_hash_table_add (known, text);
      if (!reeve_schema_check_spend (self, 1 + (gint64) (strlen (text) / 64)))
        return FALSE;
      if (!fresh)
        return reeve_schema_check_fail (self, place, "uniqueItems",
                                        "must not have an item twice, as item %u", i);
    }
  return TRUE;
}

static gboolean
reeve_schema_items_contain (ReeveSchemaCheck *self, const ReeveSchemaArray *rules, JsonArray *array,
                            const ReeveSchemaPlace *place, ReeveSchemaSeen *seen)
{
  static const char *const words[]
      = { "minContains", "maxContains", "items that fit \"contains\"" };
  ReeveSchemaCount low = rules->min_contains;
  guint found = 0;

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      ReeveSchemaPlace inner = { place, NULL, i };
      if (!reeve_schema_check_probe (self, rules->contains, json_array_get_element (array, i),
                                     &inner, NULL))
        continue;
      reeve_schema_seen_add_item (seen, i);
      found++;
    }
  if (!low.given)
    low = (ReeveSchemaCount){ TRUE, 1 };
  return reeve_schema_check_counts (self, place, found, &low, &rules->max_contains, words);
}

/* prefixItems and items */
static gboolean
reeve_schema_items_each (ReeveSchemaCheck *self, const ReeveSchemaArray *rules, JsonArray *array,
                         const ReeveSchemaPlace *place, ReeveSchemaSeen *seen)
{
  guint n = json_array_get_length (array), i = 0;
  gboolean valid = TRUE;

  for (; rules->prefix_items != NULL && rules->prefix_items[i] != NULL && i < n; i++)
    {
      ReeveSchemaPlace inner = { place, NULL, i };
      valid &= reeve_schema_check_node (self, rules->prefix_items[i],
                                        json_array_get_element (array, i), &inner, NULL);
      if (!valid && reeve_schema_check_enough (self))
        return FALSE;
    }
  if (seen != NULL)
    seen->prefix = MAX (seen->prefix, i);
  for (; rules->items != NULL && i < n; i++)
    {
      ReeveSchemaPlace inner = { place, NULL, i };
      valid &= reeve_schema_check_node (self, rules->items, json_array_get_element (array, i),
                                        &inner, NULL);
      if (!valid && reeve_schema_check_enough (self))
        return FALSE;
    }
  if (seen != NULL && rules->items != NULL)
    seen->all = TRUE;
  return valid;
}

gboolean
reeve_schema_items_check (ReeveSchemaCheck *self, const ReeveSchemaArray *rules, JsonArray *array,
                          const ReeveSchemaPlace *place, ReeveSchemaSeen *seen)
{
  static const char *const words[] = { "minItems", "maxItems", "items" };
  gboolean valid = reeve_schema_check_counts (self, place, json_array_get_length (array),
                                              &rules->min_items, &rules->max_items, words);

  if (valid || !reeve_schema_check_enough (self))
    valid &= reeve_schema_items_each (self, rules, array, place, seen);
  if (rules->contains != NULL && (valid || !reeve_schema_check_enough (self)))
    valid &= reeve_schema_items_contain (self, rules, array, place, seen);
  if (rules->unique_items && (valid || !reeve_schema_check_enough (self)))
    valid &= reeve_schema_items_unique (self, array, place);
  return valid;
}

gboolean
reeve_schema_items_check_rest (ReeveSchemaCheck *self, const ReeveSchemaNode *node,
                               JsonArray *array, const ReeveSchemaPlace *place,
                               ReeveSchemaSeen *seen)
{
  gboolean valid = TRUE;

  for (guint i = seen->all ? G_MAXUINT : seen->prefix; i < json_array_get_length (array); i++)
    {
      ReeveSchemaPlace inner = { place, NULL, i };
      if (seen->items != NULL && g_hash_table_contains (seen->items, GUINT_TO_POINTER (i + 1)))
        continue;
      valid
          &= reeve_schema_check_node (self, node, json_array_get_element (array, i), &inner, NULL);
      if (!valid && reeve_schema_check_enough (self))
        return FALSE;
    }
  seen->all = TRUE;
  return valid;
}
