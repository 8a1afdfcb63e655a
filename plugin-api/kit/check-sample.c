/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes values that a JSON Schema allows: a guess from the plain keywords, which the validator then
 * confirms or refuses. */
#include "check-sample.h"

#include <math.h>
#include <string.h>

#define CHECK_SAMPLE_DEPTH 16

static JsonNode *check_sample_node (const ReeveSchemaNode *node, gboolean full, guint depth);

static double
check_sample_number_value (const ReeveSchemaNumber *number)
{
  return number->whole ? (double) number->integer : number->real;
}

static JsonNode *
check_sample_number (const ReeveSchemaNumeric *numeric, gboolean whole)
{
  double value = 1;
  JsonNode *node = json_node_new (JSON_NODE_VALUE);

  if (numeric != NULL)
    {
      if (numeric->maximum.given)
        value = MIN (value, check_sample_number_value (&numeric->maximum));
      if (numeric->exclusive_maximum.given)
        value = MIN (value, check_sample_number_value (&numeric->exclusive_maximum) - 1);
      if (numeric->minimum.given)
        value = MAX (value, check_sample_number_value (&numeric->minimum));
      if (numeric->exclusive_minimum.given)
        value = MAX (value, check_sample_number_value (&numeric->exclusive_minimum) + 1);
      if (numeric->multiple_of.given)
        {
          double step = check_sample_number_value (&numeric->multiple_of);

          value = ceil (value / step) * step;
        }
    }
  if (whole || floor (value) == value)
    json_node_set_int (node, (gint64) ceil (value));
  else
    json_node_set_double (node, value);
  return node;
}

static JsonNode *
check_sample_string (const ReeveSchemaString *string)
{
  static const char *const formats[] = {
    [REEVE_SCHEMA_FORMAT_NONE] = "check",
    [REEVE_SCHEMA_FORMAT_DATE_TIME] = "2026-01-02T03:04:05Z",
    [REEVE_SCHEMA_FORMAT_DATE] = "2026-01-02",
    [REEVE_SCHEMA_FORMAT_TIME] = "03:04:05Z",
    [REEVE_SCHEMA_FORMAT_URI] = "http://127.0.0.1:9/check",
    [REEVE_SCHEMA_FORMAT_UUID] = "123e4567-e89b-42d3-a456-426614174000",
    [REEVE_SCHEMA_FORMAT_EMAIL] = "check@example.com",
    [REEVE_SCHEMA_FORMAT_HOSTNAME] = "example.com",
    [REEVE_SCHEMA_FORMAT_IPV4] = "192.0.2.1",
    [REEVE_SCHEMA_FORMAT_IPV6] = "2001:db8::1",
  };
  g_autoptr (GString) text = g_string_new (formats[string != NULL ? string->format : 0]);
  JsonNode *node = json_node_new (JSON_NODE_VALUE);

  if (string != NULL && string->min_length.given)
    while (text->len < MIN (string->min_length.value, 65536))
      g_string_append_c (text, 'x');
  if (string != NULL && string->max_length.given && text->len > string->max_length.value)
    g_string_truncate (text, string->max_length.value);
  json_node_set_string (node, text->str);
  return node;
}

static JsonNode *
check_sample_array (const ReeveSchemaArray *array, gboolean full, guint depth)
{
  g_autoptr (JsonArray) made = json_array_new ();
  JsonNode *node = NULL;
  guint64 wanted = full ? 1 : 0;

  if (array != NULL && array->min_items.given)
    wanted = MAX (wanted, array->min_items.value);
  for (guint64 i = 0; i < MIN (wanted, 1000); i++)
    {
      const ReeveSchemaNode *item = array != NULL ? array->items : NULL;
      JsonNode *element = NULL;

      if (array != NULL && array->prefix_items != NULL
          && i < g_strv_length ((char **) array->prefix_items))
        item = array->prefix_items[i];
      element = item != NULL ? check_sample_node (item, full, depth + 1)
                             : json_node_init_null (json_node_alloc ());
      if (element == NULL)
        return NULL;
      json_array_add_element (made, element);
    }
  node = json_node_new (JSON_NODE_ARRAY);
  json_node_take_array (node, g_steal_pointer (&made));
  return node;
}

static JsonNode *
check_sample_object (const ReeveSchemaObject *object, gboolean full, guint depth)
{
  g_autoptr (JsonObject) made = json_object_new ();
  JsonNode *node = NULL;

  for (guint i = 0; object != NULL && i < object->n_properties; i++)
    {
      const ReeveSchemaMember *member = &object->properties[i];
      JsonNode *value = NULL;

      if (!full && (object->required == NULL || !g_strv_contains (object->required, member->name)))
        continue;
      value = check_sample_node (member->node, full, depth + 1);
      if (value != NULL)
        json_object_set_member (made, member->name, value);
    }
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (node, g_steal_pointer (&made));
  return node;
}

static const ReeveSchemaNode *
check_sample_alternative (const ReeveSchemaLogic *logic)
{
  const ReeveSchemaNode *const *lists[] = { logic->any_of, logic->one_of, logic->all_of };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    if (lists[i] != NULL && lists[i][0] != NULL)
      return lists[i][0];
  return NULL;
}

static JsonNode *
check_sample_typed (const ReeveSchemaNode *node, gboolean full, guint depth)
{
  if (node->types & REEVE_SCHEMA_TYPE_OBJECT || (node->types == 0 && node->object != NULL))
    return check_sample_object (node->object, full, depth);
  if (node->types & REEVE_SCHEMA_TYPE_ARRAY || (node->types == 0 && node->array != NULL))
    return check_sample_array (node->array, full, depth);
  if (node->types & REEVE_SCHEMA_TYPE_STRING || (node->types == 0 && node->string != NULL))
    return check_sample_string (node->string);
  if (node->types & (REEVE_SCHEMA_TYPE_INTEGER | REEVE_SCHEMA_TYPE_NUMBER)
      || (node->types == 0 && node->numeric != NULL))
    return check_sample_number (node->numeric, !(node->types & REEVE_SCHEMA_TYPE_NUMBER));
  if (node->types & REEVE_SCHEMA_TYPE_BOOLEAN)
    return json_node_init_boolean (json_node_alloc (), TRUE);
  if (node->types & REEVE_SCHEMA_TYPE_NULL)
    return json_node_init_null (json_node_alloc ());
  return check_sample_string (NULL);
}

static JsonNode *
check_sample_node (const ReeveSchemaNode *node, gboolean full, guint depth)
{
  const char *given = NULL;

  if (depth > CHECK_SAMPLE_DEPTH || node->never)
    return NULL;
  if (node->ref != NULL)
    return check_sample_node (node->ref, full, depth + 1);
  given = node->constant != NULL      ? node->constant
          : node->enumeration != NULL ? node->enumeration[0]
                                      : node->fallback;
  if (given != NULL)
    {
      g_autoptr (JsonNode) sealed = reeve_json_parse_strict (given, strlen (given), NULL);

      return sealed != NULL ? json_node_copy (sealed) : NULL;
    }
  if (node->types == 0 && node->object == NULL && node->logic != NULL
      && check_sample_alternative (node->logic) != NULL)
    return check_sample_node (check_sample_alternative (node->logic), full, depth + 1);
  return check_sample_typed (node, full, depth);
}

JsonNode *
check_sample_make (ReeveSchema *schema, gboolean full)
{
  g_autoptr (JsonNode) node = check_sample_node (reeve_schema_get_root (schema), full, 0);

  if (node == NULL || !reeve_schema_validate (schema, node, NULL, NULL))
    return NULL;
  json_node_seal (node);
  return g_steal_pointer (&node);
}
