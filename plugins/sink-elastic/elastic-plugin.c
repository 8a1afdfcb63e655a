/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sink-elastic: bulk interface of Elasticsearch and OpenSearch. A record's name is its document id,
 * so a record that comes twice is there once. */
#include <reeve-plugin-1.h>

#include <string.h>

#define ELASTIC_TYPE_PLUGIN (elastic_plugin_get_type ())
G_DECLARE_FINAL_TYPE (ElasticPlugin, elastic_plugin, ELASTIC, PLUGIN, ReevePlugin)

struct _ElasticPlugin
{
  ReevePlugin parent_instance;
  JsonObject *settings;
};

static void elastic_plugin_sink_init (ReeveSinkInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ElasticPlugin, elastic_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_SINK, elastic_plugin_sink_init))

static gboolean
elastic_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                      GError **error)
{
  ELASTIC_PLUGIN (plugin)->settings = json_object_ref (settings);
  return TRUE;
}

static void
elastic_plugin_add_document (ReeveSinkBatch *batch, guint i, GString *body)
{
  gint64 time = reeve_sink_batch_get_time (batch, i);
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);
  g_autofree char *second = date != NULL ? g_date_time_format (date, "%Y-%m-%dT%H:%M:%S") : NULL;

  g_string_append_printf (body, "{\"create\":{\"_id\":\"%s\"}}\n",
                          reeve_sink_batch_get_id (batch, i));
  g_string_append_printf (body, "{\"@timestamp\":\"%s.%03dZ\",\"reeve_id\":\"%s\",\"%s\":",
                          second != NULL ? second : "1970-01-01T00:00:00",
                          (int) (time % G_USEC_PER_SEC / 1000), reeve_sink_batch_get_id (batch, i),
                          *reeve_sink_batch_get_text (batch, i) == '{' ? "record" : "message");
  reeve_sink_batch_append_json (batch, i, body);
  g_string_append (body, "}\n");
}

/* Is that document there? One that was there before is. */
static gboolean
elastic_plugin_judge_item (JsonArray *items, guint i, GError **error)
{
  JsonNode *node = items != NULL && i < json_array_get_length (items)
                       ? json_array_get_element (items, i)
                       : NULL;
  JsonObject *create = node != NULL && JSON_NODE_HOLDS_OBJECT (node)
                           ? reeve_json_get_object (json_node_get_object (node), "create")
                           : NULL;
  gint64 status = create != NULL ? reeve_json_get_int (create, "status", 0) : 0;
  JsonObject *why = create != NULL ? reeve_json_get_object (create, "error") : NULL;

  if ((status >= 200 && status < 300) || status == 409)
    return TRUE;
  g_set_error (error, REEVE_ERROR,
               status == 400   ? REEVE_ERROR_INVALID_ARGUMENT
               : status == 429 ? REEVE_ERROR_BUSY
                               : REEVE_ERROR_UPSTREAM,
               "the server answered %d for a record: %s", (int) status,
               why != NULL ? reeve_json_get_string (why, "reason", "") : "");
  return FALSE;
}

static guint
elastic_plugin_judge (ReeveHttpResponse *response, guint length, GError **error)
{
  g_autoptr (JsonNode) node = NULL;
  JsonArray *items = NULL;
  guint count = 0;

  if (!reeve_sink_check_response (response, error))
    return 0;
  node = reeve_sink_read_answer (response, error);
  if (node == NULL)
    return 0;
  items = reeve_json_get_array (json_node_get_object (node), "items");
  while (count < length && elastic_plugin_judge_item (items, count, error))
    count++;
  return count;
}

/* The secrets themselves stay with the host. */
static void
elastic_plugin_authorize (ElasticPlugin *self, ReeveHttpRequest *request)
{
  const char *user = reeve_json_get_string (self->settings, "username", NULL);
  g_autofree char *pair = g_strconcat (user != NULL ? user : "", ":", NULL);
  g_autofree char *encoded = g_base64_encode ((const guchar *) pair, strlen (pair));
  g_autofree char *value = g_strconcat ("Basic ", encoded, NULL);

  if (json_object_has_member (self->settings, "api_key"))
    reeve_http_request_add_credential (request, "api_key");
  else if (user != NULL && json_object_has_member (self->settings, "password"))
    reeve_http_request_add_credential (request, "password");
  else if (user != NULL)
    reeve_http_request_add_header (request, "Authorization", value);
}

static guint
elastic_plugin_deliver (ReeveSink *sink, ReeveSinkBatch *batch, ReeveContext *context,
                        GError **error)
{
  ElasticPlugin *self = ELASTIC_PLUGIN (sink);
  guint length = reeve_sink_batch_get_length (batch);
  g_autofree char *index
      = g_uri_escape_string (reeve_json_get_string (self->settings, "index", ""), NULL, FALSE);
  g_autofree char *path = g_strconcat ("/", index, "/_bulk", NULL);
  g_autofree char *url
      = reeve_sink_join_url (reeve_json_get_string (self->settings, "url", ""), path);
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("POST", url);
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GString) body = g_string_new (NULL);

  if (length == 0)
    return 0;
  for (guint i = 0; i < length; i++)
    elastic_plugin_add_document (batch, i, body);
  elastic_plugin_authorize (self, request);
  response
      = reeve_sink_post (context, request, "application/x-ndjson", body,
                         (guint) reeve_json_get_int (self->settings, "timeout_seconds", 30), error);
  return response != NULL ? elastic_plugin_judge (response, length, error) : 0;
}

static void
elastic_plugin_sink_init (ReeveSinkInterface *iface)
{
  iface->deliver = elastic_plugin_deliver;
}

static void
elastic_plugin_finalize (GObject *object)
{
  g_clear_pointer (&ELASTIC_PLUGIN (object)->settings, json_object_unref);
  G_OBJECT_CLASS (elastic_plugin_parent_class)->finalize (object);
}

static void
elastic_plugin_class_init (ElasticPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = elastic_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = elastic_plugin_setup;
}

static void
elastic_plugin_init (ElasticPlugin *self)
{
}

static const GType *
elastic_plugin_query_types (void)
{
  static GType types[2];

  types[0] = ELASTIC_TYPE_PLUGIN;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("sink-elastic", "0.1.0", elastic_plugin_query_types);
