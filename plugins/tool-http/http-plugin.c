/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tool-http: gives agents the tool `http_request`. It opens no socket: the host looks names up,
 * applies the guard and performs the request under capability net.http. */
#include <reeve-plugin-1.h>

#include "http-tool.h"

#define HTTP_PLUGIN_TYPE (http_plugin_get_type ())
G_DECLARE_FINAL_TYPE (HttpPlugin, http_plugin, HTTP, PLUGIN, ReevePlugin)

struct _HttpPlugin
{
  ReevePlugin parent_instance;
  HttpToolLimits limits;
};

static void http_plugin_tool_init (ReeveToolInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HttpPlugin, http_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, http_plugin_tool_init))

static gboolean
http_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  static const char *const usual[] = { "GET", "HEAD", "POST", NULL };
  HttpPlugin *self = HTTP_PLUGIN (plugin);
  JsonArray *methods = reeve_json_get_array (settings, "methods");
  guint n = methods != NULL ? json_array_get_length (methods) : 0;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  JsonNode *seconds = json_object_get_member (settings, "timeout_seconds");

  for (guint i = 0; i < n; i++)
    g_strv_builder_add (builder, json_array_get_string_element (methods, i));
  self->limits.methods = n > 0 ? g_strv_builder_end (builder) : g_strdupv ((char **) usual);
  self->limits.max_response
      = (gsize) reeve_json_get_int (settings, "max_response_bytes", 1024 * 1024);
  self->limits.max_text = (gsize) reeve_json_get_int (settings, "max_text_bytes", 32 * 1024);
  self->limits.timeout_ms
      = (guint) ((seconds != NULL ? json_node_get_double (seconds) : 30) * 1000);
  return TRUE;
}

static GPtrArray *
http_plugin_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  g_autoptr (GPtrArray) list
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  ReeveToolInfo *info = http_tool_describe (&HTTP_PLUGIN (tool)->limits, error);

  if (info == NULL)
    return NULL;
  g_ptr_array_add (list, info);
  return g_steal_pointer (&list);
}

/* Refusals and failures that the model should read and act upon; all others end the call. */
static gboolean
http_plugin_is_for_model (const GError *error)
{
  static const int codes[]
      = { REEVE_ERROR_INVALID_ARGUMENT, REEVE_ERROR_PERMISSION_DENIED, REEVE_ERROR_UNAVAILABLE,
          REEVE_ERROR_TOO_LARGE,        REEVE_ERROR_UPSTREAM,          REEVE_ERROR_BUSY };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (g_error_matches (error, REEVE_ERROR, codes[i]))
      return TRUE;
  return FALSE;
}

static ReeveToolResult *
http_plugin_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
                  GError **error)
{
  HttpPlugin *self = HTTP_PLUGIN (tool);
  g_autoptr (ReeveHttpRequest) request = NULL;
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GError) problem = NULL;

  if (!g_str_equal (name, "http_request"))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such tool");
      return NULL;
    }
  request = http_tool_read (arguments, &self->limits, &problem);
  if (request != NULL)
    response = reeve_context_http (context, request, &problem);
  if (response != NULL)
    return http_tool_write (response, &self->limits);
  if (http_plugin_is_for_model (problem))
    return reeve_tool_result_new (problem->message, NULL, TRUE);
  g_propagate_error (error, g_steal_pointer (&problem));
  return NULL;
}

static void
http_plugin_tool_init (ReeveToolInterface *iface)
{
  iface->list = http_plugin_list;
  iface->call = http_plugin_call;
}

static void
http_plugin_finalize (GObject *object)
{
  g_strfreev (HTTP_PLUGIN (object)->limits.methods);
  G_OBJECT_CLASS (http_plugin_parent_class)->finalize (object);
}

static void
http_plugin_class_init (HttpPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = http_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = http_plugin_setup;
}

static void
http_plugin_init (HttpPlugin *self)
{
}

static const GType *
http_plugin_query_types (void)
{
  static GType types[2];

  types[0] = HTTP_PLUGIN_TYPE;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("tool-http", "0.1.0", http_plugin_query_types);
