/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One plugin in several versions (the macros of meson.build): its tool "mark" tells the host which
 * call it got, and answers with its version. */
#include <reeve-plugin-1.h>

#include <signal.h>
#include <unistd.h>

#define UPGRADE_TYPE (upgrade_get_type ())
G_DECLARE_FINAL_TYPE (Upgrade, upgrade, UPGRADE, PLUGIN, ReevePlugin)

struct _Upgrade
{
  ReevePlugin parent_instance;
};

static void upgrade_tool_init (ReeveToolInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (Upgrade, upgrade, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, upgrade_tool_init))

static GPtrArray *
upgrade_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  GPtrArray *tools = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  g_autoptr (JsonNode) schema = reeve_json_parse_strict ("{\"type\":\"object\"}", 17, NULL);

#ifdef UPGRADE_OTHER_TOOLS
  g_ptr_array_add (tools, reeve_tool_info_new ("other", "x", schema, REEVE_TOOL_READ_ONLY));
#endif
  g_ptr_array_add (tools, reeve_tool_info_new ("mark", "x", schema, REEVE_TOOL_READ_ONLY));
  return tools;
}

static ReeveToolResult *
upgrade_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
              GError **error)
{
  g_autoptr (JsonNode) params = json_node_init_object (json_node_alloc (), arguments);
  g_autoptr (JsonNode) result = reeve_context_call (context, "knowledge.search", params, error);

  return result != NULL ? reeve_tool_result_new (UPGRADE_VERSION, NULL, FALSE) : NULL;
}

static void
upgrade_tool_init (ReeveToolInterface *iface)
{
  iface->list = upgrade_list;
  iface->call = upgrade_call;
}

static gboolean
upgrade_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
#ifdef UPGRADE_SETUP_FAILS
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "not today");
  return FALSE;
#else
  return TRUE;
#endif
}

static void
upgrade_class_init (UpgradeClass *klass)
{
  REEVE_PLUGIN_CLASS (klass)->setup = upgrade_setup;
}

static void
upgrade_init (Upgrade *self)
{
}

#ifdef UPGRADE_CRASHES
__attribute__ ((constructor)) static void
upgrade_crash (void)
{
  /* the handler of a sanitizer would end it otherwise */
  signal (SIGSEGV, SIG_DFL);
  raise (SIGSEGV);
}
#endif

#ifdef UPGRADE_HANGS
__attribute__ ((constructor)) static void
upgrade_hang (void)
{
  for (;;)
    pause ();
}
#endif

static const GType *
upgrade_query_types (void)
{
  static GType types[2];

  types[0] = UPGRADE_TYPE;
  return types;
}

__attribute__ ((visibility ("default"))) extern const ReevePluginDescriptor reeve_plugin_descriptor;
const ReevePluginDescriptor reeve_plugin_descriptor = {
  .magic = REEVE_PLUGIN_MAGIC,
  .struct_size = sizeof (ReevePluginDescriptor),
  .abi_major = REEVE_API_MAJOR,
  .abi_minor = REEVE_API_MINOR,
  .id = "changing",
  .version = UPGRADE_VERSION,
  .query_types = upgrade_query_types,
};
