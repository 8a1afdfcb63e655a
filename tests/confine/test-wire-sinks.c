/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first-party sinks in the host and in a confined runner, against servers on the loopback: what
 * arrives there, and what each delivery comes to, must be the same. */
#include "wire-compare.h"

#include <string.h>

#include "sink-broker.h"

/* One answer of the server. */
typedef struct
{
  guint status;
  const char *body;
  const char *name; /* (nullable): a header */
  const char *value;
} Reply;

/* A server on a thread of its own: one request to a connection, one connection at a time. */
typedef struct
{
  GThread *thread;
  GSocketListener *listener;
  GCancellable *stop;
  char *url;
  const Reply *replies;
  guint n_replies;
  GMutex lock;
  guint asked;
  GString *seen;
} Server;

static int
compare_lines (gconstpointer one, gconstpointer other)
{
  return strcmp (*(const char *const *) one, *(const char *const *) other);
}

/* Writes down the lines of a head, headers in alphabetical order. The length of the body. */
static gsize
note_head (GDataInputStream *in, GString *seen)
{
  g_autofree char *first = g_data_input_stream_read_line (in, NULL, NULL, NULL);
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  gsize length = 0;

  for (;;)
    {
      char *line = g_data_input_stream_read_line (in, NULL, NULL, NULL);

      if (line == NULL || *line == '\0')
        {
          g_free (line);
          break;
        }
      if (g_ascii_strncasecmp (line, "content-length:", 15) == 0)
        length = (gsize) g_ascii_strtoull (line + 15, NULL, 10);
      /* what tells the moment is the same never */
      if (g_ascii_strncasecmp (line, "webhook-timestamp:", 18) == 0
          || g_ascii_strncasecmp (line, "webhook-signature:", 18) == 0)
        line[18] = '\0';
      g_ptr_array_add (lines, line);
    }
  g_ptr_array_sort (lines, compare_lines);
  g_string_append_printf (seen, "%s\n", first);
  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf (seen, "  %s\n", (const char *) lines->pdata[i]);
  return length;
}

/* Writes down what is asked, and gives the next answer. */
static void
answer_one (Server *self, GSocketConnection *peer)
{
  g_autoptr (GDataInputStream) in
      = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (peer)));
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *body = NULL;
  const Reply *reply = NULL;
  gsize length = 0;

  g_data_input_stream_set_newline_type (in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  length = note_head (in, seen);
  body = g_malloc0 (length + 1);
  g_input_stream_read_all (G_INPUT_STREAM (in), body, length, NULL, NULL, NULL);
  g_mutex_lock (&self->lock);
  reply = &self->replies[self->asked++ % self->n_replies];
  g_string_append_printf (self->seen, "%s%s\n", seen->str, body);
  g_mutex_unlock (&self->lock);
  g_string_append_printf (out, "HTTP/1.1 %u said\r\nContent-Type: application/json\r\n",
                          reply->status);
  if (reply->name != NULL)
    g_string_append_printf (out, "%s: %s\r\n", reply->name, reply->value);
  g_string_append_printf (out, "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
                          strlen (reply->body), reply->body);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (peer)), out->str, out->len,
                             NULL, NULL, NULL);
}

static gpointer
serve (gpointer data)
{
  Server *self = data;

  for (;;)
    {
      g_autoptr (GSocketConnection) peer
          = g_socket_listener_accept (self->listener, NULL, self->stop, NULL);

      if (peer == NULL)
        return NULL;
      answer_one (self, peer);
      g_io_stream_close (G_IO_STREAM (peer), NULL, NULL);
    }
}

static Server *
server_new (const Reply *replies, guint n_replies)
{
  Server *self = g_new0 (Server, 1);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) effective = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_init (&self->lock);
  self->listener = g_socket_listener_new ();
  self->stop = g_cancellable_new ();
  self->replies = replies;
  self->n_replies = n_replies;
  self->seen = g_string_new (NULL);
  g_socket_listener_add_address (self->listener, address, G_SOCKET_TYPE_STREAM,
                                 G_SOCKET_PROTOCOL_TCP, NULL, &effective, &error);
  g_assert_no_error (error);
  self->url = g_strdup_printf ("http://127.0.0.1:%u",
                               g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective)));
  self->thread = g_thread_new ("server", serve, self);
  return self;
}

static void
server_free (Server *self)
{
  g_cancellable_cancel (self->stop);
  g_thread_join (self->thread);
  g_socket_listener_close (self->listener);
  g_object_unref (self->listener);
  g_object_unref (self->stop);
  g_string_free (self->seen, TRUE);
  g_mutex_clear (&self->lock);
  g_free (self->url);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Server, server_free)

static void
server_tell (Server *self, GString *transcript)
{
  g_mutex_lock (&self->lock);
  g_string_append_len (transcript, self->seen->str, (gssize) self->seen->len);
  g_string_truncate (self->seen, 0);
  g_mutex_unlock (&self->lock);
}

/* One delivery after the other, each of one record more, for as many answers as there are. */
static void
script_http (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  Server *self = user_data;

  g_mutex_lock (&self->lock);
  self->asked = 0;
  g_mutex_unlock (&self->lock);
  for (guint count = 0; count <= self->n_replies; count++)
    {
      g_autoptr (ReeveBroker) broker = sink_broker_new (NULL);
      g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
      g_autoptr (ReeveSinkBatch) batch = reeve_sink_batch_new ("t1");
      g_autoptr (GError) error = NULL;

      for (guint i = 0; i < count; i++)
        reeve_sink_batch_add (batch, "id-1", 1700000000000001 + i, 1 + i % 3,
                              "{\"a\":\"\303\251 \\\"\\\\\",\"n\":[1,2.5,null]}");
      g_string_append_printf (transcript, "delivered %u of %u\n",
                              reeve_sink_deliver (REEVE_SINK (plugin), batch, context, &error),
                              count);
      wire_compare_note_error (transcript, &error);
      server_tell (self, transcript);
    }
}

typedef struct
{
  const char *id;
  const char *settings; /* %s: the server */
  const Reply *replies;
  guint n_replies;
} Sink;

static void
test_http (gconstpointer data)
{
  const Sink *sink = data;
  g_autoptr (Server) server = server_new (sink->replies, sink->n_replies);
  g_autofree char *path = wire_fixture_get_plugin (sink->id);
  g_autoptr (GString) settings = g_string_new (sink->settings);

  g_string_replace (settings, "%s", server->url, 1);
  wire_compare (path, settings->str, script_http, server);
  g_assert_cmpuint (server->asked, >=, sink->n_replies);
}

/* ---- a stream ---- */

static gpointer
accept_all (gpointer data)
{
  GSocketListener *listener = data;
  g_autoptr (GSocketConnection) peer = g_socket_listener_accept (listener, NULL, NULL, NULL);
  g_autoptr (GString) all = g_string_new (NULL);
  char bytes[4096];
  gssize length = 0;

  while (peer != NULL
         && (length = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (peer)), bytes,
                                           sizeof bytes, NULL, NULL))
                > 0)
    g_string_append_len (all, bytes, length);
  return g_string_free (g_steal_pointer (&all), FALSE);
}

static void
script_stream (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree char *address = g_strdup_printf ("127.0.0.1:%u", port);
  GThread *thread = g_thread_new ("syslog", accept_all, listener);
  g_autoptr (ReeveBroker) broker = sink_broker_new (address);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
  g_autoptr (ReeveSinkBatch) batch = reeve_sink_batch_new ("t1");
  g_autoptr (ReeveBroker) nowhere = sink_broker_new ("127.0.0.1:1");
  g_autoptr (ReeveContext) closed = wire_fixture_context (60000, nowhere, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *arrived = NULL;

  for (guint i = 0; i < 3; i++)
    reeve_sink_batch_add (batch, "id]\"", 1700000000000001 + i, 1 + i, "{\"a\":\"\303\251\"}");
  g_string_append_printf (transcript, "delivered %u\n",
                          reeve_sink_deliver (REEVE_SINK (plugin), batch, context, &error));
  wire_compare_note_error (transcript, &error);
  arrived = g_thread_join (thread);
  g_assert_nonnull (strstr (arrived, "\303\251"));
  g_string_append (transcript, arrived);
  g_string_append_printf (transcript, "delivered %u\n",
                          reeve_sink_deliver (REEVE_SINK (plugin), batch, closed, &error));
  wire_compare_note_error (transcript, &error);
}

static void
test_syslog (void)
{
  g_autofree char *path = wire_fixture_get_plugin ("sink-syslog");

  wire_compare (path, "{\"host\": \"127.0.0.1\", \"hostname\": \"here\"}", script_stream, NULL);
}

int
main (int argc, char **argv)
{
  static const Reply usual[] = {
    { 200, "{}", NULL, NULL },
    { 202, "", "X-Name", "caf\351" },
    { 503, "busy", "Retry-After", "7" },
    { 429, "{\"message\":\"slow \\u0007down\"}", "Retry-After", "x" },
    { 400, "{\"errors\":[{\"detail\":\"bad \303\251\"}]}", NULL, NULL },
    { 403, "no", NULL, NULL },
    { 301, "", "Location", "/elsewhere" },
  };
  static const Reply elastic[] = {
    { 200, "{\"errors\":false,\"items\":[]}", NULL, NULL },
    { 200,
      "{\"errors\":true,\"items\":[{\"create\":{\"status\":201}},{\"create\":{\"status\":429,"
      "\"error\":{\"reason\":\"full\"}}}]}",
      NULL, NULL },
    { 200, "[", NULL, NULL },
    { 503, "busy", "Retry-After", "7" },
  };
  static const Reply splunk[] = {
    { 200, "{\"text\":\"Success\",\"code\":0,\"ackId\":1}", NULL, NULL },
    { 200, "{\"acks\":{\"1\":true}}", NULL, NULL },
    { 200, "{\"text\":\"Success\",\"code\":0}", NULL, NULL },
    { 400, "{\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":1}", NULL, NULL },
    { 503, "{\"text\":\"Server is busy\",\"code\":9}", NULL, NULL },
    { 403, "{\"text\":\"Invalid token\",\"code\":4}", NULL, NULL },
  };
  static const Sink sinks[] = {
    { "sink-webhook",
      "{\"url\": \"%s/hook?a=b\", \"secret\": \"whsec_c2VjcmV0\", \"headers\": {\"X-One\": \"1\"}}",
      usual, G_N_ELEMENTS (usual) },
    { "sink-datadog", "{\"url\": \"%s\", \"api_key\": \"k\", \"tags\": \"env:a\"}", usual,
      G_N_ELEMENTS (usual) },
    { "sink-elastic",
      "{\"url\": \"%s\", \"index\": \"a b\", \"username\": \"u\", \"password\": \"p\"}", elastic,
      G_N_ELEMENTS (elastic) },
    { "sink-splunk", "{\"url\": \"%s\", \"token\": \"t\", \"channel\": \"c\", \"index\": \"main\"}",
      splunk, G_N_ELEMENTS (splunk) },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sinks); i++)
    {
      g_autofree char *name = g_strconcat ("/wire/sinks/", sinks[i].id, NULL);

      g_test_add_data_func (name, &sinks[i], test_http);
    }
  g_test_add_func ("/wire/sinks/sink-syslog", test_syslog);
  return g_test_run ();
}
