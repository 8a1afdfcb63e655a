/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json_to_string() writes 0.8 as 0.80000000000000004, 10²¹ as 1e+21.0 and U+001F as it is, and the
 * last two are no JSON. Values here are those of reeve_json_canonical(); unlike there members keep
 * their order, and a whole number of floating point keeps its point, so that it is not read as an
 * integer. */
#include "reeve-json-canonical.h"

#include <string.h>

static void reeve_json_text_append (GString *out, JsonNode *node);

static void
reeve_json_text_append_double (GString *out, double value)
{
  gsize start = out->len;

  reeve_json_canonical_append_double (out, value);
  if (strpbrk (out->str + start, ".enu") == NULL)
    g_string_append (out, ".0");
}

static void
reeve_json_text_append_object (GString *out, JsonObject *object)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *member = NULL;
  gboolean first = TRUE;

  g_string_append_c (out, '{');
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &member))
    {
      if (!first)
        g_string_append_c (out, ',');
      first = FALSE;
      reeve_json_canonical_append_string (out, name);
      g_string_append_c (out, ':');
      reeve_json_text_append (out, member);
    }
  g_string_append_c (out, '}');
}

static void
reeve_json_text_append_array (GString *out, JsonArray *array)
{
  g_string_append_c (out, '[');
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      reeve_json_text_append (out, json_array_get_element (array, i));
    }
  g_string_append_c (out, ']');
}

static void
reeve_json_text_append (GString *out, JsonNode *node)
{
  switch (json_node_get_node_type (node))
    {
    case JSON_NODE_OBJECT:
      reeve_json_text_append_object (out, json_node_get_object (node));
      break;
    case JSON_NODE_ARRAY:
      reeve_json_text_append_array (out, json_node_get_array (node));
      break;
    case JSON_NODE_VALUE:
      if (json_node_get_value_type (node) == G_TYPE_DOUBLE)
        reeve_json_text_append_double (out, json_node_get_double (node));
      else
        reeve_json_canonical_append (out, node);
      break;
    case JSON_NODE_NULL:
    default:
      g_string_append (out, "null");
      break;
    }
}

/**
 * reeve_json_text:
 * @node: a value
 *
 * Writes what reeve_json_parse_strict() reads back as it was: members in their order, numbers by
 * the shortest digits that tell them apart.
 *
 * Returns: (transfer full): it as JSON without white space
 *
 * Since: 1.0
 */
char *
reeve_json_text (JsonNode *node)
{
  GString *out = g_string_sized_new (512);

  reeve_json_text_append (out, node);
  return g_string_free (out, FALSE);
}
