/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each request has a session of its own: they come on any thread. */
#include "sink-broker.h"

#include <string.h>

#include <libsoup/soup.h>

struct _SinkBroker
{
  GObject parent_instance;
  char *stream;
};

static void sink_broker_iface_init (ReeveBrokerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (SinkBroker, sink_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, sink_broker_iface_init))

static void
sink_broker_fail (GError **error, GError *problem)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "%s", problem->message);
  g_error_free (problem);
}

/* Frames as RFC 6587 counts them. */
static JsonNode *
sink_broker_call (ReeveBroker *broker, ReeveContext *context, const char *capability,
                  JsonNode *params, GError **error)
{
  g_autoptr (GSocketClient) client
      = g_object_new (G_TYPE_SOCKET_CLIENT, "enable-proxy", FALSE, NULL);
  GError *problem = NULL;
  g_autoptr (GSocketConnection) peer
      = g_socket_client_connect_to_host (client, SINK_BROKER (broker)->stream, 514, NULL, &problem);
  JsonArray *frames = reeve_json_get_array (json_node_get_object (params), "frames");
  JsonNode *answer = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (GString) all = g_string_new (NULL);

  json_node_take_object (answer, json_object_new ());
  for (guint i = 0; i < json_array_get_length (frames); i++)
    {
      const char *frame = json_array_get_string_element (frames, i);

      g_string_append_printf (all, "%zu %s", strlen (frame), frame);
    }
  g_assert_cmpstr (capability, ==, "net.stream");
  if (peer != NULL
      && g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (peer)), all->str,
                                    all->len, NULL, NULL, &problem))
    return answer;
  json_node_unref (answer);
  sink_broker_fail (error, problem);
  return NULL;
}

static void
sink_broker_on_header (const char *name, const char *value, gpointer user_data)
{
  reeve_http_response_add_header (user_data, name, value);
}

static ReeveHttpResponse *
sink_broker_http (ReeveBroker *broker, ReeveContext *context, ReeveHttpRequest *request,
                  GError **error)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (SoupMessage) message = soup_message_new (reeve_http_request_get_method (request),
                                                      reeve_http_request_get_url (request));
  const char *const *headers = reeve_http_request_get_headers (request);
  const char *const *slots = reeve_http_request_get_credentials (request);
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GBytes) body = NULL;
  GError *problem = NULL;

  soup_session_set_proxy_resolver (session, NULL);
  soup_message_set_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  for (guint i = 0; headers[i] != NULL; i += 2)
    soup_message_headers_append (soup_message_get_request_headers (message), headers[i],
                                 headers[i + 1]);
  for (guint i = 0; slots[i] != NULL; i++)
    soup_message_headers_append (soup_message_get_request_headers (message), "X-Slot", slots[i]);
  if (reeve_http_request_get_body (request) != NULL)
    soup_message_set_request_body_from_bytes (message, NULL, reeve_http_request_get_body (request));
  body = soup_session_send_and_read (session, message, NULL, &problem);
  if (body == NULL)
    {
      sink_broker_fail (error, problem);
      return NULL;
    }
  response = reeve_http_response_new (soup_message_get_status (message));
  soup_message_headers_foreach (soup_message_get_response_headers (message), sink_broker_on_header,
                                response);
  reeve_http_response_set_body (response, body);
  return g_steal_pointer (&response);
}

static void
sink_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->call = sink_broker_call;
  iface->http = sink_broker_http;
}

static void
sink_broker_finalize (GObject *object)
{
  g_free (SINK_BROKER (object)->stream);
  G_OBJECT_CLASS (sink_broker_parent_class)->finalize (object);
}

static void
sink_broker_class_init (SinkBrokerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sink_broker_finalize;
}

static void
sink_broker_init (SinkBroker *self)
{
}

ReeveBroker *
sink_broker_new (const char *stream)
{
  SinkBroker *self = g_object_new (SINK_TYPE_BROKER, NULL);

  self->stream = g_strdup (stream);
  return REEVE_BROKER (self);
}
