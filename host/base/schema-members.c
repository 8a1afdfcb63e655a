/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keywords about objects. */
#include "schema-check.h"

#include <string.h>

static const ReeveSchemaNode *
reeve_schema_members_find (const ReeveSchemaObject *rules, const char *name)
{
  guint low = 0, high = rules->n_properties;

  while (low < high)
    {
      guint middle = (low + high) / 2;
      int order = strcmp (name, rules->properties[middle].name);
      if (order == 0)
        return rules->properties[middle].node;
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return NULL;
}

static gboolean
reeve_schema_members_each (ReeveSchemaCheck *self, const ReeveSchemaObject *rules, const char *name,
                           JsonNode *value, const ReeveSchemaPlace *place, ReeveSchemaSeen *seen)
{
  const ReeveSchemaNode *node = reeve_schema_members_find (rules, name);
  const ReeveSchemaMember *pattern = rules->pattern_properties;
  ReeveSchemaPlace inner = { place, name, 0 };
  gboolean valid = TRUE, known = node != NULL;

  if (node != NULL)
    valid = reeve_schema_check_node (self, node, value, &inner, NULL);
  for (; pattern != NULL && pattern->name != NULL; pattern++)
    {
      if (!reeve_schema_check_matches (self, pattern->name, name))
        continue;
      known = TRUE;
      valid &= reeve_schema_check_node (self, pattern->node, value, &inner, NULL);
    }
  if (!known && rules->additional_properties != NULL)
    {
      known = TRUE;
      if (rules->additional_properties->never)
        valid = reeve_schema_check_fail (self, &inner, "additionalProperties", "is not known here");
      else
        valid &= reeve_schema_check_node (self, rules->additional_properties, value, &inner, NULL);
    }
  if (known)
    reeve_schema_seen_add_name (seen, name);
  if (rules->property_names != NULL)
    {
      g_autoptr (JsonNode) text = json_node_init_string (json_node_alloc (), name);
      if (!reeve_schema_check_probe (self, rules->property_names, text, &inner, NULL))
        valid = reeve_schema_check_fail (self, &inner, "propertyNames",
                                         "has a name that is not allowed");
    }
  return valid;
}

static gboolean
reeve_schema_members_required (ReeveSchemaCheck *self, const char *const *names, JsonObject *object,
                               const char *keyword, const ReeveSchemaPlace *place)
{
  gboolean valid = TRUE;

  for (; names != NULL && *names != NULL; names++)
    {
      ReeveSchemaPlace inner = { place, *names, 0 };

      if (!json_object_has_member (object, *names))
        valid = reeve_schema_check_fail (self, &inner, keyword, "is required");
    }
  return valid;
}

static gboolean
reeve_schema_members_dependencies (ReeveSchemaCheck *self, const ReeveSchemaObject *rules,
                                   JsonNode *value, const ReeveSchemaPlace *place,
                                   ReeveSchemaSeen *seen)
{
  const ReeveSchemaDependency *row = rules->dependent_required;
  const ReeveSchemaMember *member = rules->dependent_schemas;
  JsonObject *object = json_node_get_object (value);
  gboolean valid = TRUE;

  for (; row != NULL && row->name != NULL; row++)
    if (json_object_has_member (object, row->name))
      valid &= reeve_schema_members_required (self, row->required, object, "dependentRequired",
                                              place);
  for (; member != NULL && member->name != NULL; member++)
    if (json_object_has_member (object, member->name))
      valid &= reeve_schema_check_node (self, member->node, value, place, seen);
  return valid;
}

gboolean
reeve_schema_members_check (ReeveSchemaCheck *self, const ReeveSchemaObject *rules, JsonNode *value,
                            const ReeveSchemaPlace *place, ReeveSchemaSeen *seen)
{
  static const char *const words[] = { "minProperties", "maxProperties", "members" };
  JsonObject *object = json_node_get_object (value);
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *member = NULL;
  gboolean valid
      = reeve_schema_check_counts (self, place, json_object_get_size (object),
                                   &rules->min_properties, &rules->max_properties, words);

  valid &= reeve_schema_members_required (self, rules->required, object, "required", place);
  json_object_iter_init (&iter, object);
  while ((valid || !reeve_schema_check_enough (self))
         && json_object_iter_next (&iter, &name, &member))
    valid &= reeve_schema_members_each (self, rules, name, member, place, seen);
  if (valid || !reeve_schema_check_enough (self))
    valid &= reeve_schema_members_dependencies (self, rules, value, place, seen);
  return valid;
}

gboolean
reeve_schema_members_check_rest (ReeveSchemaCheck *self, const ReeveSchemaNode *node,
                                 JsonObject *object, const ReeveSchemaPlace *place,
                                 ReeveSchemaSeen *seen)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *member = NULL;
  gboolean valid = TRUE;

  json_object_iter_init (&iter, object);
  while (!seen->all && json_object_iter_next (&iter, &name, &member))
    {
      ReeveSchemaPlace inner = { place, name, 0 };
      if (seen->names != NULL && g_hash_table_contains (seen->names, name))
        continue;
      if (node->never)
        valid
            = reeve_schema_check_fail (self, &inner, "unevaluatedProperties", "is not known here");
      else
        valid &= reeve_schema_check_node (self, node, member, &inner, NULL);
      if (!valid && reeve_schema_check_enough (self))
        return FALSE;
    }
  seen->all = TRUE;
  return valid;
}
