/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One plugin, compiled twice under two names by the macros of meson.build. Its tool "echo" calls
 * the capability that its arguments name; its settings make its setup fail. */
#include <reeve-plugin-1.h>

#ifndef FIXTURE_ID
#define FIXTURE_ID "good"
#endif
#ifndef FIXTURE_NAME
#define FIXTURE_NAME "Fixture"
#endif

#define FIXTURE_TYPE (fixture_get_type ())
G_DECLARE_FINAL_TYPE (Fixture, fixture, FIXTURE, PLUGIN, ReevePlugin)

struct _Fixture
{
  ReevePlugin parent_instance;
};

static void fixture_tool_init (ReeveToolInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (Fixture, fixture, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, fixture_tool_init))

static GPtrArray *
fixture_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  GPtrArray *tools = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  g_autoptr (JsonNode) schema = reeve_json_parse_strict ("{\"type\":\"object\"}", 17, NULL);

  g_ptr_array_add (tools, reeve_tool_info_new ("echo", "echoes", schema, REEVE_TOOL_READ_ONLY));
  return tools;
}

static ReeveToolResult *
fixture_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
              GError **error)
{
  const char *capability = reeve_json_get_string (arguments, "capability", "knowledge.search");
  g_autoptr (JsonNode) params = json_node_init_object (json_node_alloc (), arguments);

  if (g_str_equal (capability, "net.http"))
    {
      g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", "http://example.com/");
      g_autoptr (ReeveHttpResponse) response = reeve_context_http (context, request, error);
      return response == NULL ? NULL : reeve_tool_result_new ("fetched", NULL, FALSE);
    }
  g_autoptr (JsonNode) result = reeve_context_call (context, capability, params, error);
  if (result == NULL)
    return NULL;
  g_autofree char *text = reeve_json_canonical (result);
  return reeve_tool_result_new (text, result, FALSE);
}

static void
fixture_tool_init (ReeveToolInterface *iface)
{
  iface->list = fixture_list;
  iface->call = fixture_call;
}

static gboolean
fixture_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  const char *fault = reeve_json_get_string (settings, "fail", NULL);

  if (fault == NULL)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, fault);
  return FALSE;
}

static void
fixture_class_init (FixtureClass *klass)
{
  REEVE_PLUGIN_CLASS (klass)->setup = fixture_setup;
}

static void
fixture_init (Fixture *self)
{
}

static const GType *
fixture_query_types (void)
{
  static GType types[2];

  /* one process loads many copies of this file, and a type's name can be taken only once */
  types[0] = g_type_from_name (FIXTURE_NAME);
  if (types[0] == G_TYPE_INVALID)
    types[0] = FIXTURE_TYPE;
  return types;
}

/* GModule would call this before anything was checked; the host must not */
__attribute__ ((visibility ("default"))) extern const char *g_module_check_init (gpointer module);

const char *
g_module_check_init (gpointer module)
{
  return g_setenv ("FIXTURE_CHECK_INIT", "called", TRUE) ? NULL : "no";
}

__attribute__ ((visibility ("default"))) extern const ReevePluginDescriptor reeve_plugin_descriptor;
const ReevePluginDescriptor reeve_plugin_descriptor = {
  .magic = REEVE_PLUGIN_MAGIC,
  .struct_size = sizeof (ReevePluginDescriptor),
  .abi_major = REEVE_API_MAJOR,
  .abi_minor = REEVE_API_MINOR,
  .id = FIXTURE_ID,
  .version = "1.2.3",
  .query_types = fixture_query_types,
};
