/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The floor of goal 6: our own libsoup server and our own upstream client with nothing between
 * them: who asks is not asked, nothing is reserved, nothing is recorded. One thread. Usage:
 * bench-pass UPSTREAM-PORT; prints its own. */
#include <libsoup/soup.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/http-client.h"

typedef struct
{
  SoupServerMessage *msg;
  GByteArray *body;
  guint status;
} Pass;

static ReeveUpstream *upstream;
static char *url;

static void
on_head (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data)
{
  ((Pass *) user_data)->status = reeve_http_response_get_status (head);
}

static void
on_data (ReeveUpstreamCall *call, const guint8 *data, gsize length, gpointer user_data)
{
  g_byte_array_append (((Pass *) user_data)->body, data, (guint) length);
}

static void
on_done (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  Pass *pass = user_data;
  gsize length = pass->body->len;
  guint8 *body = g_byte_array_free (pass->body, FALSE);

  soup_server_message_set_status (pass->msg, error == NULL ? pass->status : 502, NULL);
  soup_server_message_set_response (pass->msg, "application/json", SOUP_MEMORY_TAKE, (char *) body,
                                    length);
  soup_server_message_unpause (pass->msg);
  g_object_unref (pass->msg);
  g_free (pass);
}

static const ReeveUpstreamHandlers handlers = { on_head, on_data, on_done };

static void
on_request (SoupServer *server, SoupServerMessage *msg, const char *path, GHashTable *query,
            gpointer user_data)
{
  Pass *pass = g_new0 (Pass, 1);
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("POST", url);
  g_autoptr (GBytes) body = soup_message_body_flatten (soup_server_message_get_request_body (msg));

  pass->msg = g_object_ref (msg);
  pass->body = g_byte_array_new ();
  reeve_http_request_set_body (request, "application/json", body);
  soup_server_message_pause (msg);
  reeve_upstream_start (upstream, request, NULL, &handlers, pass);
}

int
main (int argc, char **argv)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (ReeveHttpTrust) trust = reeve_http_trust_new (NULL);
  g_autoptr (ReeveHttpClient) client = reeve_http_client_new (NULL, trust, NULL);
  g_autoptr (SoupServer) server = soup_server_new (NULL, NULL);
  g_autoptr (GError) error = NULL;
  GSList *uris = NULL;

  if (argc < 2)
    return 2;
  upstream = REEVE_UPSTREAM (client);
  url = g_strdup_printf ("http://127.0.0.1:%s/v1/chat/completions", argv[1]);
  soup_server_add_handler (server, NULL, on_request, NULL, NULL);
  if (!soup_server_listen_local (server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error))
    g_error ("%s", error->message);
  uris = soup_server_get_uris (server);
  printf ("%d\n", g_uri_get_port (uris->data));
  fflush (stdout);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  g_main_loop_run (loop);
  return 0;
}
