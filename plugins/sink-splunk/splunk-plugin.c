/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sink-splunk: HTTP Event Collector of Splunk, with acknowledgement of the indexer where that is
 * on. */
#include <reeve-plugin-1.h>

/* between two questions whether the indexer has it */
#define SPLUNK_PLUGIN_PAUSE_MS 100

#define SPLUNK_TYPE_PLUGIN (splunk_plugin_get_type ())
G_DECLARE_FINAL_TYPE (SplunkPlugin, splunk_plugin, SPLUNK, PLUGIN, ReevePlugin)

struct _SplunkPlugin
{
  ReevePlugin parent_instance;
  JsonObject *settings;
};

static void splunk_plugin_sink_init (ReeveSinkInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (SplunkPlugin, splunk_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_SINK, splunk_plugin_sink_init))

static gboolean
splunk_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                     GError **error)
{
  SPLUNK_PLUGIN (plugin)->settings = json_object_ref (settings);
  return TRUE;
}

static void
splunk_plugin_add_event (SplunkPlugin *self, ReeveSinkBatch *batch, guint i, GString *body)
{
  static const char *const names[] = { "index", "source", "sourcetype", "host" };
  gint64 ms = reeve_sink_batch_get_time (batch, i) / 1000;

  g_string_append_printf (body, "{\"time\":%" G_GINT64_FORMAT ".%03d,\"event\":", ms / 1000,
                          (int) (ms % 1000));
  reeve_sink_batch_append_json (batch, i, body);
  for (guint k = 0; k < G_N_ELEMENTS (names); k++)
    {
      const char *value = reeve_json_get_string (self->settings, names[k], NULL);
      g_autoptr (JsonNode) node
          = value != NULL ? json_node_init_string (json_node_alloc (), value) : NULL;
      g_autofree char *text = node != NULL ? reeve_json_canonical (node) : NULL;

      if (text != NULL)
        g_string_append_printf (body, ",\"%s\":%s", names[k], text);
    }
  g_string_append_printf (body, ",\"fields\":{\"reeve_id\":\"%s\"}}",
                          reeve_sink_batch_get_id (batch, i));
}

static ReeveHttpRequest *
splunk_plugin_request (SplunkPlugin *self, const char *path)
{
  g_autofree char *url
      = reeve_sink_join_url (reeve_json_get_string (self->settings, "url", ""), path);
  const char *channel = reeve_json_get_string (self->settings, "channel", NULL);
  ReeveHttpRequest *request = reeve_http_request_new ("POST", url);

  reeve_http_request_add_credential (request, "token");
  if (channel != NULL)
    reeve_http_request_add_header (request, "X-Splunk-Request-Channel", channel);
  return request;
}

/* A moment, unless the host stops. */
static void
splunk_plugin_pause (ReeveContext *context)
{
  GCancellable *cancellable = reeve_context_get_cancellable (context);
  GPollFD stop;

  if (cancellable == NULL || !g_cancellable_make_pollfd (cancellable, &stop))
    {
      g_usleep (SPLUNK_PLUGIN_PAUSE_MS * G_TIME_SPAN_MILLISECOND);
      return;
    }
  (void) g_poll (&stop, 1, SPLUNK_PLUGIN_PAUSE_MS);
  g_cancellable_release_fd (cancellable);
}

/* Asks until the indexer has it, or the call's time is over. */
static gboolean
splunk_plugin_await (SplunkPlugin *self, gint64 ack, ReeveContext *context, GError **error)
{
  g_autoptr (GString) body = g_string_new (NULL);
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT, ack);

  g_string_printf (body, "{\"acks\":[%s]}", name);
  while (reeve_context_check (context, error))
    {
      g_autoptr (ReeveHttpRequest) request
          = splunk_plugin_request (self, "/services/collector/ack");
      g_autoptr (ReeveHttpResponse) response = reeve_sink_post (
          context, request, "application/json", body,
          (guint) reeve_json_get_int (self->settings, "timeout_seconds", 30), error);
      g_autoptr (JsonNode) node = NULL;
      JsonObject *acks = NULL;

      if (response == NULL || !reeve_sink_check_response (response, error))
        return FALSE;
      node = reeve_sink_read_answer (response, error);
      acks = node != NULL ? reeve_json_get_object (json_node_get_object (node), "acks") : NULL;
      if (node == NULL)
        return FALSE;
      if (acks != NULL && reeve_json_get_boolean (acks, name, FALSE))
        return TRUE;
      splunk_plugin_pause (context);
    }
  return FALSE;
}

/* Of a batch with an event that it cannot read, Splunk takes what stands before. */
static guint
splunk_plugin_judge (SplunkPlugin *self, ReeveHttpResponse *response, guint length,
                     ReeveContext *context, GError **error)
{
  g_autoptr (GError) refused = NULL;
  g_autoptr (JsonNode) node = reeve_sink_read_answer (response, NULL);
  JsonObject *answer = node != NULL ? json_node_get_object (node) : NULL;
  gint64 number = -1;
  gint64 ack = -1;

  if (!reeve_sink_check_response (response, &refused))
    {
      if (answer != NULL)
        number = reeve_json_get_int (answer, "invalid-event-number", -1);
      if (answer != NULL)
        g_prefix_error (&refused, "%s: ", reeve_json_get_string (answer, "text", "refused"));
      g_propagate_error (error, g_steal_pointer (&refused));
      return number > 0 && number < length ? (guint) number : 0;
    }
  if (reeve_json_get_string (self->settings, "channel", NULL) == NULL)
    return length;
  ack = answer != NULL ? reeve_json_get_int (answer, "ackId", -1) : -1;
  if (ack < 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM,
                           "a channel is configured, and the server acknowledges nothing");
      return 0;
    }
  return splunk_plugin_await (self, ack, context, error) ? length : 0;
}

static guint
splunk_plugin_deliver (ReeveSink *sink, ReeveSinkBatch *batch, ReeveContext *context,
                       GError **error)
{
  SplunkPlugin *self = SPLUNK_PLUGIN (sink);
  guint length = reeve_sink_batch_get_length (batch);
  g_autoptr (ReeveHttpRequest) request = splunk_plugin_request (self, "/services/collector/event");
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GString) body = g_string_new (NULL);

  if (length == 0)
    return 0;
  for (guint i = 0; i < length; i++)
    splunk_plugin_add_event (self, batch, i, body);
  response
      = reeve_sink_post (context, request, "application/json", body,
                         (guint) reeve_json_get_int (self->settings, "timeout_seconds", 30), error);
  return response != NULL ? splunk_plugin_judge (self, response, length, context, error) : 0;
}

static void
splunk_plugin_sink_init (ReeveSinkInterface *iface)
{
  iface->deliver = splunk_plugin_deliver;
}

static void
splunk_plugin_finalize (GObject *object)
{
  g_clear_pointer (&SPLUNK_PLUGIN (object)->settings, json_object_unref);
  G_OBJECT_CLASS (splunk_plugin_parent_class)->finalize (object);
}

static void
splunk_plugin_class_init (SplunkPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = splunk_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = splunk_plugin_setup;
}

static void
splunk_plugin_init (SplunkPlugin *self)
{
}

static const GType *
splunk_plugin_query_types (void)
{
  static GType types[2];

  types[0] = SPLUNK_TYPE_PLUGIN;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("sink-splunk", "0.1.0", splunk_plugin_query_types);
