/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HelloTool: greets whoever is named, in the words of its settings. */
#include "hello-tool.h"

#include <string.h>

struct _HelloTool
{
  ReevePlugin parent_instance;
  char *greeting; /* set once by setup, only read afterwards: no lock is needed */
};

static const char hello_tool_parameters[]
    = "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"whom\"],"
      "\"properties\":{\"whom\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":100,"
      "\"description\":\"Whom to greet.\"}}}";

static GPtrArray *
hello_tool_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  g_autoptr (JsonNode) parameters
      = reeve_json_parse_strict (hello_tool_parameters, strlen (hello_tool_parameters), error);
  GPtrArray *tools = NULL;

  if (parameters == NULL)
    return NULL;
  tools = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  g_ptr_array_add (tools, reeve_tool_info_new ("hello", "Greets whoever is named.", parameters,
                                               REEVE_TOOL_READ_ONLY | REEVE_TOOL_IDEMPOTENT));
  return tools;
}

static ReeveToolResult *
hello_tool_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
                 GError **error)
{
  HelloTool *self = HELLO_TOOL (tool);
  const char *whom = reeve_json_get_string (arguments, "whom", "");
  g_autofree char *text = NULL;

  if (strcmp (name, "hello") != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no tool %s", name);
      return NULL;
    }
  text = g_strdup_printf ("%s, %s!", self->greeting, whom);
  return reeve_tool_result_new (text, NULL, FALSE);
}

static gboolean
hello_tool_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  HelloTool *self = HELLO_TOOL (plugin);

  self->greeting = g_strdup (reeve_json_get_string (settings, "greeting", "Hello"));
  return TRUE;
}

static void
hello_tool_iface_init (ReeveToolInterface *iface)
{
  iface->list = hello_tool_list;
  iface->call = hello_tool_call;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (HelloTool, hello_tool, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, hello_tool_iface_init))

static void
hello_tool_finalize (GObject *object)
{
  g_free (HELLO_TOOL (object)->greeting);
  G_OBJECT_CLASS (hello_tool_parent_class)->finalize (object);
}

static void
hello_tool_class_init (HelloToolClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hello_tool_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = hello_tool_setup;
}

static void
hello_tool_init (HelloTool *self)
{
}
