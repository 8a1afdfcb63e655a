/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sink-datadog: the logs intake of Datadog. */
#include <reeve-plugin-1.h>

#define DATADOG_TYPE_PLUGIN (datadog_plugin_get_type ())
G_DECLARE_FINAL_TYPE (DatadogPlugin, datadog_plugin, DATADOG, PLUGIN, ReevePlugin)

struct _DatadogPlugin
{
  ReevePlugin parent_instance;
  JsonObject *settings;
};

static void datadog_plugin_sink_init (ReeveSinkInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (DatadogPlugin, datadog_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_SINK, datadog_plugin_sink_init))

static gboolean
datadog_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                      GError **error)
{
  DATADOG_PLUGIN (plugin)->settings = json_object_ref (settings);
  return TRUE;
}

static guint
datadog_plugin_deliver (ReeveSink *sink, ReeveSinkBatch *batch, ReeveContext *context,
                        GError **error)
{
  DatadogPlugin *self = DATADOG_PLUGIN (sink);
  guint length = reeve_sink_batch_get_length (batch);
  g_autofree char *url
      = reeve_sink_join_url (reeve_json_get_string (self->settings, "url", ""), "/api/v2/logs");
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("POST", url);
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GString) body = g_string_new ("[");
  g_autoptr (JsonNode) tags = json_node_init_string (
      json_node_alloc (), reeve_json_get_string (self->settings, "tags", ""));
  g_autofree char *tags_text = reeve_json_canonical (tags);

  if (length == 0)
    return 0;
  for (guint i = 0; i < length; i++)
    {
      g_string_append_printf (
          body,
          "%s{\"ddsource\":\"reeve\",\"service\":\"reeve\",\"ddtags\":%s,\"status\":\"%s\","
          "\"reeve_id\":\"%s\",\"message\":",
          i > 0 ? "," : "", tags_text,
          reeve_sink_batch_get_severity (batch, i) > 1 ? "warning" : "info",
          reeve_sink_batch_get_id (batch, i));
      reeve_sink_batch_append_json (batch, i, body);
      g_string_append_c (body, '}');
    }
  g_string_append_c (body, ']');
  reeve_http_request_add_credential (request, "api_key");
  response
      = reeve_sink_post (context, request, "application/json", body,
                         (guint) reeve_json_get_int (self->settings, "timeout_seconds", 30), error);
  return response != NULL && reeve_sink_check_response (response, error) ? length : 0;
}

static void
datadog_plugin_sink_init (ReeveSinkInterface *iface)
{
  iface->deliver = datadog_plugin_deliver;
}

static void
datadog_plugin_finalize (GObject *object)
{
  g_clear_pointer (&DATADOG_PLUGIN (object)->settings, json_object_unref);
  G_OBJECT_CLASS (datadog_plugin_parent_class)->finalize (object);
}

static void
datadog_plugin_class_init (DatadogPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = datadog_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = datadog_plugin_setup;
}

static void
datadog_plugin_init (DatadogPlugin *self)
{
}

static const GType *
datadog_plugin_query_types (void)
{
  static GType types[2];

  types[0] = DATADOG_TYPE_PLUGIN;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("sink-datadog", "0.1.0", datadog_plugin_query_types);
