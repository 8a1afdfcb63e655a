/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a syslog server sends back, to which nobody listens. The first byte: whether it ends with a
 * reset.
 * covers: host/runtime/net-stream.c */
#include <stdint.h>
#include <sys/socket.h>

#include "runtime/net-stream.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  GSocketListener *listener;
  const uint8_t *data;
  gsize size;
  gboolean reset;
} Server;

static gpointer
serve (gpointer user_data)
{
  Server *self = user_data;
  g_autoptr (GSocketConnection) connection
      = g_socket_listener_accept (self->listener, NULL, NULL, NULL);
  GSocket *socket = connection != NULL ? g_socket_connection_get_socket (connection) : NULL;
  const struct linger now = { .l_onoff = 1 };
  char buffer[512];

  g_assert (socket != NULL);
  (void) g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)),
                                    self->data, self->size, NULL, NULL, NULL);
  if (self->reset)
    g_assert (setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
  else
    (void) g_socket_shutdown (socket, FALSE, TRUE, NULL);
  while (!self->reset && g_socket_receive (socket, buffer, sizeof buffer, NULL, NULL) > 0)
    ;
  return NULL;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char frames[]
      = "{\"frames\":[\"<110>1 - - - - - - one\",\"<110>1 - - - - - - two\"]}";
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  g_autoptr (JsonObject) settings = json_object_new ();
  const ReeveCapabilityCaller caller = { .settings = settings, .context = context };
  g_autoptr (JsonNode) params = reeve_json_parse_strict (frames, sizeof frames - 1, NULL);
  g_autoptr (JsonNode) answer = NULL;
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread = NULL;
  Server server = { .listener = listener };

  if (size < 1)
    return 0;
  server.reset = (data[0] & 2) != 0;
  server.data = data + 1;
  server.size = size - 1;
  if (!g_socket_listener_add_address (listener, any, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                      NULL, &bound, &error))
    g_error ("listening: %s", error->message);
  json_object_set_string_member (settings, "host", "127.0.0.1");
  json_object_set_string_member (settings, "transport", "tcp");
  json_object_set_int_member (settings, "port",
                              g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  thread = g_thread_new ("server", serve, &server);
  answer = reeve_net_stream_perform (&caller, params, NULL, &error);
  g_thread_join (thread);
  g_assert ((answer != NULL) == (error == NULL));
  g_assert (error == NULL || error->domain == REEVE_ERROR);
  /* whoever talks on and on has acknowledged nothing */
  g_assert (answer == NULL || size <= 65536 + 1);
  return 0;
}
