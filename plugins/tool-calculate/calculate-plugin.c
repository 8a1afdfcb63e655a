/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tool-calculate: gives agents the tool `calculate`, for models cannot be trusted with sums. */
#include <reeve-plugin-1.h>

#include "calculate.h"

#define CALCULATE_PLUGIN_TYPE (calculate_plugin_get_type ())
G_DECLARE_FINAL_TYPE (CalculatePlugin, calculate_plugin, CALCULATE, PLUGIN, ReevePlugin)

struct _CalculatePlugin
{
  ReevePlugin parent_instance;
};

static void calculate_plugin_tool_init (ReeveToolInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (CalculatePlugin, calculate_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, calculate_plugin_tool_init))

static const char calculate_plugin_schema[]
    = "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"expression\"],"
      "\"properties\":{"
      "\"expression\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":1000,\"description\":"
      "\"such as (12.5 + 3) * 2^3 / sqrt(16); operators + - * / % ^, functions sqrt abs min max "
      "round floor ceil log "
      "(base 10) ln exp sin cos tan (radians), constants pi e\"}}}";

static GPtrArray *
calculate_plugin_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  g_autoptr (GPtrArray) list
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  g_autoptr (JsonNode) schema = reeve_json_parse_strict (calculate_plugin_schema,
                                                         sizeof calculate_plugin_schema - 1, error);

  if (schema == NULL)
    return NULL;
  g_ptr_array_add (list,
                   reeve_tool_info_new ("calculate", "Computes an arithmetic expression exactly.",
                                        schema, REEVE_TOOL_READ_ONLY | REEVE_TOOL_IDEMPOTENT));
  return g_steal_pointer (&list);
}

static JsonNode *
calculate_plugin_data (const CalculateNumber *number, const char *text)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  if (number->whole && number->integer >= G_MININT64 && number->integer <= G_MAXINT64)
    json_object_set_int_member (object, "result", (gint64) number->integer);
  else
    json_object_set_double_member (object, "result", number->real);
  json_object_set_string_member (object, "text", text);
  json_node_take_object (node, object);
  return node;
}

static ReeveToolResult *
calculate_plugin_call (ReeveTool *tool, const char *name, JsonObject *arguments,
                       ReeveContext *context, GError **error)
{
  const char *expression = reeve_json_get_string (arguments, "expression", NULL);
  CalculateNumber number = { 0 };
  g_autoptr (GError) problem = NULL;
  g_autoptr (JsonNode) data = NULL;
  g_autofree char *text = NULL;

  if (!g_str_equal (name, "calculate"))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no tool %s", name);
      return NULL;
    }
  if (expression == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "the expression is missing");
      return NULL;
    }
  /* what is wrong with an expression is for the model to read and mend */
  if (!calculate_evaluate (expression, &number, &problem))
    return reeve_tool_result_new (problem->message, NULL, TRUE);
  text = calculate_number_format (&number);
  data = calculate_plugin_data (&number, text);
  return reeve_tool_result_new (text, data, FALSE);
}

static void
calculate_plugin_tool_init (ReeveToolInterface *iface)
{
  iface->list = calculate_plugin_list;
  iface->call = calculate_plugin_call;
}

static void
calculate_plugin_class_init (CalculatePluginClass *klass)
{
}

static void
calculate_plugin_init (CalculatePlugin *self)
{
}

static const GType *
calculate_plugin_query_types (void)
{
  static GType types[2];

  types[0] = CALCULATE_PLUGIN_TYPE;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("tool-calculate", "0.1.0", calculate_plugin_query_types);
