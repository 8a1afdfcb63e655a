/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The upstream client over TLS: certificates are verified, whatever happens, and answers are whole.
 */
#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <string.h>

#include "runtime/http-client.h"
#include "certificates.h"
#include "hostile-server.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define OK5     OK_HEAD "Content-Length: 5\r\n\r\nhello"

static const HostileStep keep_alive[] = { READ, SEND (OK5), LOOP };

typedef struct
{
  char *folder;
  char *certificate;
  char *key;
  HostileServer *server;
  GMainContext *context;
  ReeveHttpTrust *trust;
  ReeveHttpClient *client;
  ReeveUpstreamProgress progress;
  GString *body;
  GError *error;
  gboolean done;
} World;

static void
on_head (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data)
{
  g_assert_cmpuint (reeve_http_response_get_status (head), ==, 200);
}

static void
on_data (ReeveUpstreamCall *call, const guint8 *data, gsize length, gpointer user_data)
{
  g_string_append_len (((World *) user_data)->body, (const char *) data, (gssize) length);
}

static void
on_done (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  World *self = user_data;

  self->done = TRUE;
  self->progress = reeve_upstream_call_get_progress (call);
  self->error = error != NULL ? g_error_copy (error) : NULL;
}

static const ReeveUpstreamHandlers handlers = { on_head, on_data, on_done };

static World *
world_new_with (const HostileStep *script, const char *host, int days, gboolean trusted,
                const char *purpose)
{
  World *self = g_new0 (World, 1);
  g_autofree char *path = NULL;
  g_autofree char *other = NULL;
  g_autofree char *ca = NULL;
  static const HostileStep *scripts[1];

  scripts[0] = script;
  self->folder = g_dir_make_tmp ("reeve-tls-XXXXXX", NULL);
  path = g_build_filename (self->folder, "server", NULL);
  other = g_build_filename (self->folder, "other", NULL);
  certificates_make (other, host, 30);
  if (purpose != NULL)
    certificates_make_for (path, host, other, purpose);
  else
    certificates_make (path, host, days);
  self->certificate = g_strconcat (path, ".pem", NULL);
  self->key = g_strconcat (path, ".key", NULL);
  ca = g_strconcat (trusted ? path : other, ".pem", NULL);
  self->server = hostile_server_new (scripts, 1);
  hostile_server_use_tls (self->server, self->certificate, self->key);
  hostile_server_start (self->server);
  self->context = g_main_context_new ();
  self->trust = reeve_http_trust_new (ca);
  self->client = reeve_http_client_new (self->context, self->trust, NULL);
  self->body = g_string_new (NULL);
  return self;
}

/* A server whose certificate is for host and expires in days; the client trusts it when trusted. */
static World *
world_new (const HostileStep *script, const char *host, int days, gboolean trusted)
{
  return world_new_with (script, host, days, trusted, NULL);
}

static void
world_free (World *self)
{
  static const char *const names[] = { "server.pem", "server.key", "other.pem", "other.key" };

  reeve_http_client_shutdown (self->client);
  g_assert_finalize_object (self->client);
  hostile_server_free (self->server);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (self->folder, names[i], NULL);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  reeve_http_trust_unref (self->trust);
  g_main_context_unref (self->context);
  g_string_free (self->body, TRUE);
  g_clear_error (&self->error);
  g_free (self->folder);
  g_free (self->certificate);
  g_free (self->key);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

static void
fetch (World *self, const char *host, const char *body)
{
  g_autofree char *url
      = g_strdup_printf ("https://%s:%u/", host, hostile_server_get_port (self->server));
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("POST", url);
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));
  const ReeveUpstreamOptions options
      = { .connect_ms = 3000, .first_byte_ms = 3000, .idle_ms = 3000, .total_ms = 6000 };

  reeve_http_request_set_body (request, NULL, bytes);
  g_clear_error (&self->error);
  g_string_truncate (self->body, 0);
  self->done = FALSE;
  reeve_upstream_start (REEVE_UPSTREAM (self->client), request, &options, &handlers, self);
  while (!self->done)
    g_main_context_iteration (self->context, TRUE);
}

static void
test_good (void)
{
  g_autoptr (World) world = world_new (keep_alive, "localhost", 30, TRUE);

  g_assert_false (reeve_http_trust_is_loaded (world->trust));
  for (guint i = 0; i < 5; i++)
    {
      fetch (world, "localhost", "hi");
      g_assert_no_error (world->error);
      g_assert_cmpstr (world->body->str, ==, "hello");
    }
  g_assert_cmpuint (hostile_server_count_connections (world->server), ==, 1);
  g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 5);
}

/* What an authority gave to somebody who logs in makes no server of him. */
static void
test_purpose (void)
{
  static const char *const purposes[] = { GNUTLS_KP_TLS_WWW_SERVER, GNUTLS_KP_TLS_WWW_CLIENT };

  for (guint i = 0; i < G_N_ELEMENTS (purposes); i++)
    {
      g_autoptr (World) world = world_new_with (keep_alive, "localhost", 30, FALSE, purposes[i]);

      fetch (world, "localhost", "hi");
      if (i == 0)
        {
          g_assert_no_error (world->error);
          g_assert_cmpstr (world->body->str, ==, "hello");
          continue;
        }
      g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
      g_assert (strstr (world->error->message, "the certificate of localhost is refused") != NULL);
      g_assert (strstr (world->error->message, "purpose") != NULL);
      g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 0);
    }
}

static void
test_address (void)
{
  g_autoptr (World) world = world_new (keep_alive, "127.0.0.1", 30, TRUE);

  fetch (world, "127.0.0.1", "hi");
  g_assert_no_error (world->error);
}

static void
test_refused (void)
{
  const struct
  {
    const char *name;
    int days;
    gboolean trusted;
    const char *host;
  } cases[] = {
    { "localhost", 30, TRUE, "127.0.0.1" },         /* another name */
    { "elsewhere.example", 30, TRUE, "localhost" }, /* another name */
    { "localhost", -5, TRUE, "localhost" },         /* expired */
    { "localhost", 30, FALSE, "localhost" },        /* not trusted */
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (World) world
          = world_new (keep_alive, cases[i].name, cases[i].days, cases[i].trusted);

      fetch (world, cases[i].host, "hi");
      g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
      g_assert_nonnull (strstr (world->error->message, "is refused"));
      g_assert_cmpint (world->progress, ==, REEVE_UPSTREAM_UNSENT);
      g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 0);
    }
}

/* A stream that ends without TLS saying so may have been cut by somebody between. */
static void
test_truncated (void)
{
  static const HostileStep silent[] = { READ, SEND (OK_HEAD "\r\nhello"), RESET };
  static const HostileStep announced[] = { READ, SEND (OK_HEAD "\r\nhello"), END };
  g_autoptr (World) cut = world_new (silent, "localhost", 30, TRUE);
  g_autoptr (World) whole = NULL;

  fetch (cut, "localhost", "hi");
  g_assert_error (cut->error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
  whole = world_new (announced, "localhost", 30, TRUE);
  fetch (whole, "localhost", "hi");
  g_assert_no_error (whole->error);
  g_assert_cmpstr (whole->body->str, ==, "hello");
}

static void
test_large (void)
{
  static const HostileStep large[]
      = { READ, SEND (OK_HEAD "Content-Length: 3000000\r\n\r\n"), FILL (3000000), LOOP };
  g_autoptr (World) world = world_new (large, "localhost", 30, TRUE);
  g_autofree char *body = g_strnfill (400000, 'y');
  g_autofree char *sent = NULL;

  for (guint i = 0; i < 2; i++)
    {
      fetch (world, "localhost", body);
      g_assert_no_error (world->error);
      g_assert_cmpuint (world->body->len, ==, 3000000);
    }
  sent = hostile_server_dup_last (world->server);
  g_assert_true (g_str_has_suffix (sent, body));
  g_assert_cmpuint (hostile_server_count_connections (world->server), ==, 1);
}

static void
test_stale (void)
{
  static const HostileStep once[] = { READ, SEND (OK5), END };
  g_autoptr (World) world = world_new (once, "localhost", 30, TRUE);

  for (guint i = 0; i < 3; i++)
    {
      fetch (world, "localhost", "hi");
      g_assert_no_error (world->error);
      g_usleep (30000);
    }
  g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 3);
}

static void
test_plain_peer (void)
{
  static const HostileStep plain[] = { SEND ("HTTP/1.1 400 Bad\r\n\r\n"), SLEEP (100), END };
  static const HostileStep *const scripts[] = { plain };
  g_autoptr (World) world = world_new (keep_alive, "localhost", 30, TRUE);

  hostile_server_free (world->server);
  world->server = hostile_server_new (scripts, 1);
  hostile_server_start (world->server);
  fetch (world, "localhost", "hi");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_cmpint (world->progress, ==, REEVE_UPSTREAM_UNSENT);
}

static void
test_no_authorities (void)
{
  g_autoptr (World) world = world_new (keep_alive, "localhost", 30, TRUE);
  g_autoptr (ReeveHttpTrust) trust = reeve_http_trust_new ("/nonexistent/ca.pem");
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_http_trust_load (trust, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http-tls/good", test_good);
  g_test_add_func ("/http-tls/purpose", test_purpose);
  g_test_add_func ("/http-tls/address", test_address);
  g_test_add_func ("/http-tls/refused", test_refused);
  g_test_add_func ("/http-tls/truncated", test_truncated);
  g_test_add_func ("/http-tls/large", test_large);
  g_test_add_func ("/http-tls/stale", test_stale);
  g_test_add_func ("/http-tls/plain-peer", test_plain_peer);
  g_test_add_func ("/http-tls/no-authorities", test_no_authorities);
  return g_test_run ();
}
