/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What servers answer to sinks. The first byte chooses the sink, whether Splunk acknowledges, and
 * how many records there are; each answer is a byte for its status and a body up to the byte 0x1e.
 * Nothing counts as delivered without a status of success but what Splunk names; whoever delivers
 * less says why, in one short line.
 * covers: plugin-api/reeve-sink.c plugins/sink-datadog/datadog-plugin.c
 * plugins/sink-elastic/elastic-plugin.c plugins/sink-splunk/splunk-plugin.c
 * plugins/sink-webhook/webhook-plugin.c */
#include <reeve-plugin-1.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

extern const ReevePluginDescriptor datadog_plugin_descriptor;
extern const ReevePluginDescriptor elastic_plugin_descriptor;
extern const ReevePluginDescriptor splunk_plugin_descriptor;
extern const ReevePluginDescriptor webhook_plugin_descriptor;

#define ANSWERS_TYPE_BROKER (answers_broker_get_type ())
G_DECLARE_FINAL_TYPE (AnswersBroker, answers_broker, ANSWERS, BROKER, GObject)

struct _AnswersBroker
{
  GObject parent_instance;
  const char *at;
  const char *end;
  GCancellable *cancellable; /* of the test */
  guint first;               /* status of the first answer */
};

static void answers_broker_iface_init (ReeveBrokerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AnswersBroker, answers_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, answers_broker_iface_init))

static ReeveHttpResponse *
answers_broker_http (ReeveBroker *broker, ReeveContext *context, ReeveHttpRequest *request,
                     GError **error)
{
  static const guint statuses[]
      = { 200, 201, 202, 204, 299, 300, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503 };
  AnswersBroker *self = ANSWERS_BROKER (broker);
  const char *end = NULL;
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GBytes) body = NULL;

  if (self->at == self->end)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "nobody answers");
      return NULL;
    }
  response = reeve_http_response_new (statuses[(guint8) *self->at & 15]);
  if (self->first == 0)
    self->first = reeve_http_response_get_status (response);
  self->at++;
  end = memchr (self->at, 0x1e, (gsize) (self->end - self->at));
  if (end == NULL)
    end = self->end;
  body = g_bytes_new (self->at, (gsize) (end - self->at));
  reeve_http_response_set_body (response, body);
  self->at = end < self->end ? end + 1 : end;
  /* nobody waits for what will not come */
  if (self->at == self->end)
    g_cancellable_cancel (self->cancellable);
  return g_steal_pointer (&response);
}

static void
answers_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->http = answers_broker_http;
}

static void
answers_broker_class_init (AnswersBrokerClass *klass)
{
}

static void
answers_broker_init (AnswersBroker *self)
{
}

static void
check (guint which, guint first, guint count, guint length, const GError *error)
{
  if ((count == length) != (error == NULL) || count > length)
    g_error ("%u of %u records, and %s", count, length, error != NULL ? error->message : "no word");
  if (count > 0 && (first < 200 || first > 299) && (which != 2 || count == length))
    g_error ("%u records are there by status %u", count, first);
  if (error != NULL
      && (error->domain != REEVE_ERROR || strlen (error->message) > 600
          || !g_utf8_validate (error->message, -1, NULL)
          || strpbrk (error->message, "\n\r") != NULL))
    g_error ("what is told is no line: %s", error->message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const ReevePluginDescriptor *const descriptors[]
      = { &datadog_plugin_descriptor, &elastic_plugin_descriptor, &splunk_plugin_descriptor,
          &webhook_plugin_descriptor };
  const ReeveContextInfo info = { .struct_size = sizeof info };
  guint which = size > 0 ? data[0] & 3 : 0;
  guint length = size > 0 ? 1u + (data[0] >> 4) : 0;
  g_autoptr (AnswersBroker) broker = g_object_new (ANSWERS_TYPE_BROKER, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveContext) context = reeve_context_new (&info, REEVE_BROKER (broker), cancellable);
  g_autoptr (ReevePlugin) plugin = NULL;
  g_autoptr (JsonObject) settings = json_object_new ();
  g_autoptr (ReeveSinkBatch) batch = reeve_sink_batch_new ("acme");
  g_autoptr (GError) error = NULL;
  guint count = 0;

  if (size < 1)
    return 0;
  broker->at = (const char *) data + 1;
  broker->end = (const char *) data + size;
  broker->cancellable = cancellable;
  json_object_set_string_member (settings, "url", "https://siem.example");
  json_object_set_string_member (settings, "index", "reeve");
  if (data[0] & 4)
    json_object_set_string_member (settings, "channel", "0190ab");
  for (guint i = 0; i < length; i++)
    reeve_sink_batch_add (batch, "acme/1", 1, 1, "{}");
  plugin = g_object_new (descriptors[which]->query_types ()[0], NULL);
  if (!reeve_plugin_setup (plugin, settings, context, &error))
    g_error ("setup: %s", error->message);
  count = reeve_sink_deliver (REEVE_SINK (plugin), batch, context, &error);
  check (which, broker->first, count, length, error);
  return 0;
}
