/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which values a schema says are secret. What a schema means by its branches only a validator
 * knows; here whatever any of them says counts: better a word too few is shown than one too many.
 */
#include "schema-internal.h"

#include <string.h>

#define REEVE_SCHEMA_MASK_SHOWN "***"

/* Whether keywords of others than this host mark a schema's value as secret. */
gboolean
reeve_schema_mask_is_marked (JsonObject *schema)
{
  return reeve_json_get_boolean (schema, "writeOnly", FALSE)
         || strcmp (reeve_json_get_string (schema, "format", ""), "password") == 0;
}

static void reeve_schema_mask_add (GPtrArray *nodes, const ReeveSchemaNode *node);

static void
reeve_schema_mask_add_all (GPtrArray *nodes, const ReeveSchemaNode *const *list)
{
  for (; list != NULL && *list != NULL; list++)
    reeve_schema_mask_add (nodes, *list);
}

static void
reeve_schema_mask_add_members (GPtrArray *nodes, const ReeveSchemaMember *member)
{
  for (; member != NULL && member->name != NULL; member++)
    reeve_schema_mask_add (nodes, member->node);
}

/* A schema, and all that speak of the same value. */
static void
reeve_schema_mask_add (GPtrArray *nodes, const ReeveSchemaNode *node)
{
  const ReeveSchemaLogic *logic = node != NULL ? node->logic : NULL;

  if (node == NULL || g_ptr_array_find (nodes, node, NULL))
    return;
  g_ptr_array_add (nodes, (gpointer) node);
  reeve_schema_mask_add (nodes, node->ref);
  if (node->object != NULL)
    reeve_schema_mask_add_members (nodes, node->object->dependent_schemas);
  if (logic == NULL)
    return;
  reeve_schema_mask_add_all (nodes, logic->all_of);
  reeve_schema_mask_add_all (nodes, logic->any_of);
  reeve_schema_mask_add_all (nodes, logic->one_of);
  reeve_schema_mask_add (nodes, logic->condition);
  reeve_schema_mask_add (nodes, logic->consequence);
  reeve_schema_mask_add (nodes, logic->alternative);
}

/* (transfer full): what speaks of a member */
static GPtrArray *
reeve_schema_mask_list_of_member (GPtrArray *nodes, const char *name)
{
  GPtrArray *found = g_ptr_array_new ();

  for (guint i = 0; i < nodes->len; i++)
    {
      const ReeveSchemaNode *node = g_ptr_array_index (nodes, i);
      const ReeveSchemaMember *member = node->object != NULL ? node->object->properties : NULL;

      for (; member != NULL && member->name != NULL; member++)
        if (strcmp (member->name, name) == 0)
          reeve_schema_mask_add (found, member->node);
      if (node->object == NULL)
        continue;
      reeve_schema_mask_add_members (found, node->object->pattern_properties);
      reeve_schema_mask_add (found, node->object->additional_properties);
      reeve_schema_mask_add (found, node->object->unevaluated_properties);
    }
  return found;
}

/* (transfer full): what speaks of an item */
static GPtrArray *
reeve_schema_mask_list_of_items (GPtrArray *nodes)
{
  GPtrArray *found = g_ptr_array_new ();

  for (guint i = 0; i < nodes->len; i++)
    {
      const ReeveSchemaArray *array = ((const ReeveSchemaNode *) nodes->pdata[i])->array;

      if (array == NULL)
        continue;
      reeve_schema_mask_add (found, array->items);
      reeve_schema_mask_add_all (found, array->prefix_items);
      reeve_schema_mask_add (found, array->contains);
      reeve_schema_mask_add (found, array->unevaluated_items);
    }
  return found;
}

static JsonNode *reeve_schema_mask_value (GPtrArray *nodes, JsonNode *value);

static JsonNode *
reeve_schema_mask_object (GPtrArray *nodes, JsonObject *object)
{
  g_autoptr (JsonObject) shown = json_object_new ();
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      g_autoptr (GPtrArray) of_member = reeve_schema_mask_list_of_member (nodes, name);

      json_object_set_member (shown, name, reeve_schema_mask_value (of_member, value));
    }
  return json_node_init_object (json_node_alloc (), shown);
}

static JsonNode *
reeve_schema_mask_array (GPtrArray *nodes, JsonArray *array)
{
  g_autoptr (GPtrArray) of_items = reeve_schema_mask_list_of_items (nodes);
  g_autoptr (JsonArray) shown = json_array_new ();

  for (guint i = 0; i < json_array_get_length (array); i++)
    json_array_add_element (shown,
                            reeve_schema_mask_value (of_items, json_array_get_element (array, i)));
  return json_node_init_array (json_node_alloc (), shown);
}

static JsonNode *
reeve_schema_mask_value (GPtrArray *nodes, JsonNode *value)
{
  for (guint i = 0; i < nodes->len; i++)
    if (((const ReeveSchemaNode *) nodes->pdata[i])->secret && !JSON_NODE_HOLDS_NULL (value))
      return json_node_init_string (json_node_alloc (), REEVE_SCHEMA_MASK_SHOWN);
  if (JSON_NODE_HOLDS_OBJECT (value))
    return reeve_schema_mask_object (nodes, json_node_get_object (value));
  if (JSON_NODE_HOLDS_ARRAY (value))
    return reeve_schema_mask_array (nodes, json_node_get_array (value));
  return json_node_copy (value);
}

/**
 * reeve_schema_mask:
 * @self: a schema
 * @instance: a value, which need not fit
 *
 * Returns: (transfer full): the same with `***` in place of each value that `writeOnly`,
 * `"format": "password"` or `x-reeve-secret` says is secret, be it of one branch alone
 */
JsonNode *
reeve_schema_mask (ReeveSchema *self, JsonNode *instance)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();

  reeve_schema_mask_add (nodes, reeve_schema_get_root (self));
  return reeve_schema_mask_value (nodes, instance);
}
