/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveTool over the wire. What a runner lists is held against the rules for tools before a
 * ReeveToolInfo is made of it. */
#include "wire-instance.h"

#include <string.h>

#include "wire/wire-json.h"
#include "wire/wire-method.h"

#define REEVE_WIRE_TOOL_INTERFACE WIRE_METHOD_PREFIX "Tool"
#define REEVE_WIRE_TOOL_ALL_HINTS                                                                  \
  (REEVE_TOOL_READ_ONLY | REEVE_TOOL_DESTRUCTIVE | REEVE_TOOL_IDEMPOTENT | REEVE_TOOL_OPEN_WORLD)

static void
reeve_wire_tool_fail (GError **error, const char *what)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "what its runner answers: %s", what);
}

static gboolean
reeve_wire_tool_read_one (JsonNode *node, GPtrArray *tools, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *name = object != NULL ? reeve_json_get_string (object, "name", NULL) : NULL;
  const char *description
      = object != NULL ? reeve_json_get_string (object, "description", NULL) : NULL;
  JsonNode *parameters = object != NULL ? json_object_get_member (object, "parameters") : NULL;
  gint64 hints = object != NULL ? reeve_json_get_int (object, "hints", 0) : 0;

  if (name == NULL || description == NULL || parameters == NULL
      || !JSON_NODE_HOLDS_OBJECT (parameters))
    {
      reeve_wire_tool_fail (error, "a tool without name, description or parameters");
      return FALSE;
    }
  g_ptr_array_add (
      tools, reeve_tool_info_new (name, description, parameters,
                                  (ReeveToolHints) ((guint64) hints & REEVE_WIRE_TOOL_ALL_HINTS)));
  return TRUE;
}

static GPtrArray *
reeve_wire_tool_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  const ReeveWireCall call
      = { .interface = REEVE_WIRE_TOOL_INTERFACE, .member = "List", .context = context };
  g_autoptr (GVariant) answer = reeve_wire_instance_call (REEVE_WIRE_INSTANCE (tool), &call, error);
  g_autoptr (GPtrArray) tools
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  g_autoptr (JsonNode) all = NULL;
  const char *text = NULL;

  if (answer == NULL)
    return NULL;
  g_variant_get (answer, "(&s)", &text);
  all = wire_json_parse (text, error);
  if (all == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_ARRAY (all))
    {
      reeve_wire_tool_fail (error, "a list of tools is an array");
      return NULL;
    }
  for (guint i = 0; i < json_array_get_length (json_node_get_array (all)); i++)
    {
      if (!reeve_wire_tool_read_one (json_array_get_element (json_node_get_array (all), i), tools,
                                     error))
        return NULL;
    }
  return g_steal_pointer (&tools);
}

/* Many tools hand on what they were told, as it is: that is named, and not said again. */
static JsonNode *
reeve_wire_tool_read_data (const char *json, JsonNode *told, GError **error)
{
  if (strcmp (json, WIRE_METHOD_TOLD) != 0)
    return wire_json_parse (json, error);
  if (told == NULL)
    reeve_wire_tool_fail (error, "it hands on what it was not told");
  return told != NULL ? json_node_ref (told) : NULL;
}

/* The rules looked at it, and it is of its method's type. */
static gboolean
reeve_wire_tool_read_answer (const WireLetter *answer, const char **said, const char **json,
                             guint32 *is_error)
{
  WireReader reader = wire_letter_get_reader (answer, TRUE);

  *said = wire_reader_read_string (&reader);
  *json = *said != NULL ? wire_reader_read_string (&reader) : NULL;
  return *json != NULL && wire_reader_read_number (&reader, is_error);
}

static ReeveToolResult *
reeve_wire_tool_call (ReeveTool *tool, const char *name, JsonObject *arguments,
                      ReeveContext *context, GError **error)
{
  g_autoptr (JsonNode) given = json_node_init_object (json_node_alloc (), arguments);
  g_autofree char *text = reeve_json_text (given);
  g_autoptr (JsonNode) told = NULL;
  const ReeveWireCall call
      = { .interface = REEVE_WIRE_TOOL_INTERFACE,
          .member = "Call",
          .context = context,
          .told = &told,
          .arguments = { g_variant_new_string (name), g_variant_new_string (text) } };
  g_autoptr (WireLetter) answer
      = reeve_wire_instance_ask (REEVE_WIRE_INSTANCE (tool), &call, error);
  g_autoptr (JsonNode) data = NULL;
  const char *said = NULL;
  const char *json = NULL;
  guint32 is_error = 0;

  if (answer == NULL)
    return NULL;
  if (!reeve_wire_tool_read_answer (answer, &said, &json, &is_error))
    {
      reeve_wire_tool_fail (error, "what a tool answers is cut");
      return NULL;
    }
  if (*json != '\0')
    {
      data = reeve_wire_tool_read_data (json, told, error);
      if (data == NULL)
        return NULL;
    }
  return reeve_tool_result_new (said, data, is_error != 0);
}

void
reeve_wire_tool_init (gpointer iface, gpointer data)
{
  ReeveToolInterface *tool = iface;

  tool->list = reeve_wire_tool_list;
  tool->call = reeve_wire_tool_call;
}
