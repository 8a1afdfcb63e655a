/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sink-webhook: posts batches as JSON to any server, signed as Standard Webhooks says: who knows
 * the secret knows that they came from here, and when. */
#include <reeve-plugin-1.h>

#define WEBHOOK_TYPE_PLUGIN (webhook_plugin_get_type ())
G_DECLARE_FINAL_TYPE (WebhookPlugin, webhook_plugin, WEBHOOK, PLUGIN, ReevePlugin)

struct _WebhookPlugin
{
  ReevePlugin parent_instance;
  JsonObject *settings;
};

static void webhook_plugin_sink_init (ReeveSinkInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WebhookPlugin, webhook_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_SINK, webhook_plugin_sink_init))

static gboolean
webhook_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                      GError **error)
{
  WEBHOOK_PLUGIN (plugin)->settings = json_object_ref (settings);
  return TRUE;
}

/* The host signs, and adds the headers of the settings: both may be secrets. */
static void
webhook_plugin_add_headers (WebhookPlugin *self, ReeveHttpRequest *request, ReeveSinkBatch *batch)
{
  static const char *const slots[] = { "secret", "headers" };
  g_autofree char *id = g_strdup_printf ("%s+%u", reeve_sink_batch_get_id (batch, 0),
                                         reeve_sink_batch_get_length (batch));
  g_autofree char *time
      = g_strdup_printf ("%" G_GINT64_FORMAT, g_get_real_time () / G_USEC_PER_SEC);

  reeve_http_request_add_header (request, "webhook-id", id);
  reeve_http_request_add_header (request, "webhook-timestamp", time);
  for (guint i = 0; i < G_N_ELEMENTS (slots); i++)
    if (json_object_has_member (self->settings, slots[i]))
      reeve_http_request_add_credential (request, slots[i]);
}

static guint
webhook_plugin_deliver (ReeveSink *sink, ReeveSinkBatch *batch, ReeveContext *context,
                        GError **error)
{
  WebhookPlugin *self = WEBHOOK_PLUGIN (sink);
  guint length = reeve_sink_batch_get_length (batch);
  g_autofree char *url
      = reeve_sink_join_url (reeve_json_get_string (self->settings, "url", ""), "");
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("POST", url);
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GString) body = g_string_new (NULL);

  if (length == 0)
    return 0;
  g_string_append_printf (body, "{\"scope\":\"%s\",\"records\":[",
                          reeve_sink_batch_get_scope (batch));
  for (guint i = 0; i < length; i++)
    {
      g_string_append_printf (body, "%s{\"id\":\"%s\",\"record\":", i > 0 ? "," : "",
                              reeve_sink_batch_get_id (batch, i));
      reeve_sink_batch_append_json (batch, i, body);
      g_string_append_c (body, '}');
    }
  g_string_append (body, "]}");
  webhook_plugin_add_headers (self, request, batch);
  response
      = reeve_sink_post (context, request, "application/json", body,
                         (guint) reeve_json_get_int (self->settings, "timeout_seconds", 30), error);
  return response != NULL && reeve_sink_check_response (response, error) ? length : 0;
}

static void
webhook_plugin_sink_init (ReeveSinkInterface *iface)
{
  iface->deliver = webhook_plugin_deliver;
}

static void
webhook_plugin_finalize (GObject *object)
{
  g_clear_pointer (&WEBHOOK_PLUGIN (object)->settings, json_object_unref);
  G_OBJECT_CLASS (webhook_plugin_parent_class)->finalize (object);
}

static void
webhook_plugin_class_init (WebhookPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = webhook_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = webhook_plugin_setup;
}

static void
webhook_plugin_init (WebhookPlugin *self)
{
}

static const GType *
webhook_plugin_query_types (void)
{
  static GType types[2];

  types[0] = WEBHOOK_TYPE_PLUGIN;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("sink-webhook", "0.1.0", webhook_plugin_query_types);
