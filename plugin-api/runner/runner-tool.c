/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments and schemas are JSON, as a text. */
#include "runner-tool.h"

#include <string.h>

#include "wire/wire-method.h"

#include "runner-broker.h"

static GVariant *
runner_tool_list (const RunnerServeCall *call, GError **error)
{
  g_autoptr (GPtrArray) tools = reeve_tool_list (REEVE_TOOL (call->instance), call->context, error);
  g_autoptr (JsonNode) all = json_node_new (JSON_NODE_ARRAY);
  g_autofree char *text = NULL;

  if (tools == NULL)
    return NULL;
  json_node_take_array (all, json_array_new ());
  for (guint i = 0; i < tools->len; i++)
    {
      ReeveToolInfo *info = g_ptr_array_index (tools, i);
      JsonObject *one = json_object_new ();

      json_object_set_string_member (one, "name", reeve_tool_info_get_name (info));
      json_object_set_string_member (one, "description", reeve_tool_info_get_description (info));
      json_object_set_member (one, "parameters",
                              json_node_copy (reeve_tool_info_get_parameters (info)));
      json_object_set_int_member (one, "hints", (gint64) reeve_tool_info_get_hints (info));
      json_array_add_object_element (json_node_get_array (all), one);
    }
  text = reeve_json_text (all);
  return g_variant_new ("(s)", text);
}

/* (transfer full) (nullable): the arguments of a call of the tool @name (out) */
static JsonNode *
runner_tool_read_call (const RunnerServeCall *call, const char **name, GError **error)
{
  WireReader reader = call->arguments;
  g_autoptr (JsonNode) arguments = NULL;
  gsize length = 0;
  const char *text = NULL;

  *name = wire_reader_read_string (&reader);
  /* as JSON it is looked at for being UTF-8 */
  reader.known = TRUE;
  text = *name != NULL ? wire_reader_read_text (&reader, &length) : NULL;
  if (text == NULL)
    {
      runner_serve_fail_form (error);
      return NULL;
    }
  arguments = reeve_json_parse_strict (text, length, error);
  if (arguments == NULL || JSON_NODE_HOLDS_OBJECT (arguments))
    return g_steal_pointer (&arguments);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "arguments are an object");
  return NULL;
}

/* (transfer floating). @data: (nullable) */
static GVariant *
runner_tool_write_data (const RunnerServeCall *call, JsonNode *data)
{
  if (data == NULL)
    return g_variant_new_string ("");
  return runner_broker_hand_on (call->broker, data)
             ? g_variant_new_string (WIRE_METHOD_TOLD)
             : g_variant_new_take_string (reeve_json_text (data));
}

static GVariant *
runner_tool_call (const RunnerServeCall *call, GError **error)
{
  JsonNode *arguments = NULL;
  ReeveToolResult *result = NULL;
  GVariant *reply[3] = { NULL, NULL, NULL };
  const char *name = NULL;
  const char *said = NULL;

  arguments = runner_tool_read_call (call, &name, error);
  if (arguments == NULL)
    return NULL;
  runner_serve_spend (call, arguments, (GDestroyNotify) json_node_unref);
  result = reeve_tool_call (REEVE_TOOL (call->instance), name, json_node_get_object (arguments),
                            call->context, error);
  if (result == NULL)
    return NULL;
  runner_serve_spend (call, result, (GDestroyNotify) reeve_tool_result_unref);
  said = reeve_tool_result_get_text (result);
  /* it is UTF-8, and lives until the reply is written */
  reply[0]
      = g_variant_new_from_data (G_VARIANT_TYPE_STRING, said, strlen (said) + 1, TRUE, NULL, NULL);
  reply[1] = runner_tool_write_data (call, reeve_tool_result_get_data (result));
  reply[2] = g_variant_new_boolean (reeve_tool_result_get_is_error (result));
  return g_variant_new_tuple (reply, G_N_ELEMENTS (reply));
}

GVariant *
runner_tool_perform (const RunnerServeCall *call, GError **error)
{
  return strcmp (call->member, "List") == 0 ? runner_tool_list (call, error)
                                            : runner_tool_call (call, error);
}
