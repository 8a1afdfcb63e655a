/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability net.http over real sockets: what settings grant, what the guard refuses, redirects,
 * limits, cancelling. */
#include <string.h>

#include "runtime/net-http.h"
#include "hostile-server.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

typedef struct
{
  ReeveHttpTrust *trust;
  ReeveNetHttp *net;
  HostileServer *server;
  const HostileStep *scripts[1];
  JsonObject *settings;
  GCancellable *cancellable;
  gint64 deadline;
  ReeveCapabilityLease *lease; /* (nullable) */
  GError *error;
} World;

static void
setup (World *self, gconstpointer data)
{
  self->trust = reeve_http_trust_new (NULL);
  self->net = reeve_net_http_new (self->trust);
  self->settings = json_object_new ();
  self->cancellable = g_cancellable_new ();
}

static void
teardown (World *self, gconstpointer data)
{
  reeve_net_http_free (self->net);
  g_clear_pointer (&self->server, hostile_server_free);
  reeve_http_trust_unref (self->trust);
  json_object_unref (self->settings);
  g_object_unref (self->cancellable);
  g_clear_pointer (&self->lease, reeve_capability_lease_unref);
  g_clear_error (&self->error);
}

static void
serve (World *self, const HostileStep *script, gboolean granted)
{
  JsonArray *origins = json_array_new ();
  g_autofree char *origin = NULL;

  self->scripts[0] = script;
  self->server = hostile_server_new (self->scripts, 1);
  hostile_server_start (self->server);
  origin = g_strdup_printf ("http://127.0.0.1:%u", hostile_server_get_port (self->server));
  if (granted)
    json_array_add_string_element (origins, origin);
  json_object_set_array_member (self->settings, "granted_origins", origins);
}

static ReeveHttpResponse *
send_to (World *self, const char *method, const char *url)
{
  const ReeveContextInfo info = { .struct_size = sizeof info, .deadline = self->deadline };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, self->cancellable);
  const ReeveCapabilityCaller caller = { "tool-x", "x", self->settings, context, self->lease };
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new (method, url);

  g_clear_error (&self->error);
  return reeve_net_http_perform (&caller, request, self->net, &self->error);
}

static ReeveHttpResponse *
fetch (World *self, const char *method)
{
  g_autofree char *url
      = g_strdup_printf ("http://127.0.0.1:%u/x", hostile_server_get_port (self->server));

  return send_to (self, method, url);
}

static const HostileStep good[]
    = { READ, SEND (OK_HEAD "X-A: b\r\nContent-Length: 5\r\n\r\nhello"), LOOP };

static void
test_granted (World *world, gconstpointer data)
{
  serve (world, good, TRUE);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (ReeveHttpResponse) response = fetch (world, "GET");

      g_assert_no_error (world->error);
      g_assert_cmpuint (reeve_http_response_get_status (response), ==, 200);
      g_assert_cmpstr (reeve_http_response_get_header (response, "x-a"), ==, "b");
      g_assert_cmpuint (g_bytes_get_size (reeve_http_response_get_body (response)), ==, 5);
    }
  g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 3);
}

/* An address as the value of a setting grants its origin, and no other. */
static void
test_granted_by_setting (World *world, gconstpointer data)
{
  g_autofree char *address = NULL;
  g_autoptr (ReeveHttpResponse) granted = NULL;
  g_autoptr (ReeveHttpResponse) other = NULL;

  serve (world, good, FALSE);
  address
      = g_strdup_printf ("http://127.0.0.1:%u/keys?a=b", hostile_server_get_port (world->server));
  json_object_set_int_member (world->settings, "number", 7);
  json_object_set_string_member (world->settings, "text", "127.0.0.1");
  json_object_set_string_member (world->settings, "jwks_uri", address);
  granted = fetch (world, "GET");
  g_assert_no_error (world->error);
  other = send_to (world, "GET", "http://127.0.0.1:1/keys");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
}

static void
test_guarded (World *world, gconstpointer data)
{
  g_autoptr (ReeveHttpResponse) response = NULL;

  serve (world, good, FALSE);
  response = fetch (world, "GET");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_assert_cmpuint (hostile_server_count_connections (world->server), ==, 0);
}

static void
test_methods (World *world, gconstpointer data)
{
  g_autoptr (ReeveHttpResponse) get = NULL;
  g_autoptr (ReeveHttpResponse) delete = NULL;
  g_autoptr (ReeveHttpResponse) odd = NULL;
  JsonArray *methods = json_array_new ();

  serve (world, good, TRUE);
  odd = fetch (world, "TRACE");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  json_array_add_string_element (methods, "GET");
  json_object_set_array_member (world->settings, "methods", methods);
  delete = fetch (world, "DELETE");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  get = fetch (world, "GET");
  g_assert_no_error (world->error);
  g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 1);
}

static void
test_only_granted (World *world, gconstpointer data)
{
  g_autoptr (ReeveHttpResponse) outside = NULL;
  g_autoptr (ReeveHttpResponse) inside = NULL;

  serve (world, good, TRUE);
  json_object_set_boolean_member (world->settings, "only_granted", TRUE);
  outside = send_to (world, "GET", "http://8.8.8.8/");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  inside = fetch (world, "GET");
  g_assert_no_error (world->error);
}

/* A redirect is handed back, not followed. */
static void
test_redirect (World *world, gconstpointer data)
{
  static const HostileStep redirect[] = {
    READ,
    SEND ("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
    LOOP
  };
  g_autoptr (ReeveHttpResponse) response = NULL;

  serve (world, redirect, TRUE);
  response = fetch (world, "GET");
  g_assert_no_error (world->error);
  g_assert_cmpuint (reeve_http_response_get_status (response), ==, 302);
  g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 1);
}

static void
test_limits (World *world, gconstpointer data)
{
  static const HostileStep large[] = { READ, SEND (OK_HEAD "\r\n"), FILL (2000000), END };
  g_autoptr (ReeveHttpResponse) response = NULL;

  serve (world, large, TRUE);
  response = fetch (world, "GET");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
}

static gpointer
cancel_second (gpointer data)
{
  World *world = data;

  while (hostile_server_count_requests (world->server) < 2)
    g_usleep (1000);
  g_cancellable_cancel (world->cancellable);
  return NULL;
}

static void
test_time (World *world, gconstpointer data)
{
  static const HostileStep slow[] = { READ, HOLD, END };
  g_autoptr (ReeveHttpResponse) late = NULL;
  g_autoptr (ReeveHttpResponse) over = NULL;
  g_autoptr (ReeveHttpResponse) cancelled = NULL;
  g_autoptr (ReeveHttpResponse) never = NULL;
  GThread *thread = NULL;

  serve (world, slow, TRUE);
  world->deadline = g_get_monotonic_time () + 2 * G_USEC_PER_SEC; /* long enough to be sent */
  late = fetch (world, "POST");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  over = fetch (world, "POST");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 1);
  world->deadline = 0;
  thread = g_thread_new ("cancel", cancel_second, world);
  cancelled = fetch (world, "POST");
  g_thread_join (thread);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  never = fetch (world, "POST");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 2);
}

static gpointer
fetch_in_thread (gpointer data)
{
  g_autoptr (ReeveHttpResponse) response = fetch (data, "POST");

  return NULL;
}

/* The provider is shut down while a call is under way: the call ends, nothing hangs. */
static void
test_shutdown (World *world, gconstpointer data)
{
  static const HostileStep slow[] = { READ, HOLD, END };
  GThread *thread = NULL;
  g_autoptr (ReeveHttpResponse) after = NULL;

  serve (world, slow, TRUE);
  thread = g_thread_new ("fetch", fetch_in_thread, world);
  while (hostile_server_count_requests (world->server) == 0)
    g_usleep (1000);
  reeve_net_http_shutdown (world->net);
  g_thread_join (thread);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  after = fetch (world, "POST");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  reeve_net_http_shutdown (world->net);
}

/* ---- with a grant ---- */

/* A lease of one grant that says that; lists in words, NULL for none. */
static void
lease (World *self, const char *origins, const char *methods, gint64 max_bytes, const char *ceiling)
{
  g_autoptr (GPtrArray) terms = g_ptr_array_new ();
  g_autoptr (ReeveCapabilityTerms) one = reeve_capability_terms_new ();
  g_autoptr (ReeveCapabilityTerms) limit = reeve_capability_terms_new ();

  one->grant_id = g_strdup ("gnt_1");
  one->origins = origins != NULL ? g_strsplit (origins, " ", -1) : NULL;
  one->methods = methods != NULL ? g_strsplit (methods, " ", -1) : NULL;
  one->max_bytes = max_bytes;
  limit->origins = ceiling != NULL ? g_strsplit (ceiling, " ", -1) : NULL;
  g_ptr_array_add (terms, one);
  g_clear_pointer (&self->lease, reeve_capability_lease_unref);
  self->lease = reeve_capability_lease_new ("tool-x", "net.http", terms, limit);
}

static void
must_refuse (World *self, const char *method, const char *word)
{
  g_autoptr (ReeveHttpResponse) response = fetch (self, method);

  g_assert_error (self->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  if (strstr (self->error->message, word) == NULL)
    g_error ("\"%s\" says nothing of %s", self->error->message, word);
}

/* Of origins, methods and length a grant allows what it says, and no grant more than the ceiling.
 */
static void
test_grants (World *world, gconstpointer data)
{
  g_autofree char *origin = NULL;
  g_autoptr (ReeveHttpResponse) named = NULL;
  g_autoptr (ReeveHttpResponse) set = NULL;
  g_autoptr (ReeveHttpResponse) large = NULL;

  serve (world, good, FALSE);
  origin = g_strdup_printf ("http://127.0.0.1:%u", hostile_server_get_port (world->server));
  lease (world, NULL, NULL, 0, NULL);
  must_refuse (world, "GET", "may not be reached");
  lease (world, "https://other.example:443", NULL, 0, NULL);
  must_refuse (world, "GET", "--param origins=http://127.0.0.1:");
  lease (world, origin, "POST", 0, NULL);
  must_refuse (world, "GET", "is not granted to plugin tool-x");
  lease (world, origin, NULL, 0, "https://other.example:443");
  must_refuse (world, "GET", "plugins.ceiling.origins");
  lease (world, origin, "GET", 5, origin);
  named = fetch (world, "GET");
  g_assert_no_error (world->error);
  lease (world, origin, NULL, 4, NULL);
  large = fetch (world, "GET");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
  /* what settings name is granted by a grant that names nothing */
  g_clear_error (&world->error);
  json_object_set_string_member (world->settings, "url", origin);
  lease (world, "", NULL, 0, NULL);
  set = fetch (world, "GET");
  g_assert_no_error (world->error);
}

static gboolean
holds_not (const ReeveCapabilityTerms *terms, gpointer user_data)
{
  return FALSE;
}

/* The grant ends while the answer is on its way: the connection is closed in its middle. */
static void
test_cut (World *world, gconstpointer data)
{
  static const HostileStep half[]
      = { READ, SEND (OK_HEAD "Content-Length: 9\r\n\r\nhalf"), HOLD, END };
  g_autofree char *origin = NULL;
  GThread *thread = NULL;

  serve (world, half, FALSE);
  origin = g_strdup_printf ("http://127.0.0.1:%u", hostile_server_get_port (world->server));
  lease (world, origin, NULL, 0, NULL);
  thread = g_thread_new ("fetch", fetch_in_thread, world);
  while (hostile_server_count_requests (world->server) == 0)
    g_usleep (1000);
  g_assert_true (reeve_capability_lease_review (world->lease, holds_not, NULL));
  g_assert_false (reeve_capability_lease_review (world->lease, holds_not, NULL));
  reeve_capability_lease_cut (world->lease);
  g_thread_join (thread);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_assert_true (reeve_capability_lease_is_cut (world->lease));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (World *, gconstpointer);
  } tests[] = {
    { "/net-http/granted", test_granted },
    { "/net-http/guarded", test_guarded },
    { "/net-http/granted-by-setting", test_granted_by_setting },
    { "/net-http/methods", test_methods },
    { "/net-http/only-granted", test_only_granted },
    { "/net-http/redirect", test_redirect },
    { "/net-http/limits", test_limits },
    { "/net-http/time", test_time },
    { "/net-http/shutdown", test_shutdown },
    { "/net-http/grants", test_grants },
    { "/net-http/cut", test_cut },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, World, NULL, setup, tests[i].func, teardown);
  return g_test_run ();
}
