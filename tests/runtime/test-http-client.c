/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The upstream client with servers that behave: what it sends, reads, keeps, queues, and how it
 * ends. */
#include <string.h>

#include "exchange.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
#define OK5     OK_HEAD "Content-Length: 5\r\n\r\nhello"

static const HostileStep keep_alive[] = { READ, SEND (OK5), LOOP };

static void
test_simple (Fixture *fixture, gconstpointer data)
{
  const HostileStep *const scripts[] = { keep_alive };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autofree char *sent = NULL;
  g_autofree char *host = NULL;

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (Exchange) got = post (fixture, server);

      g_assert_no_error (got->error);
      g_assert_cmpuint (got->status, ==, 200);
      g_assert_cmpstr (got->type, ==, "text/plain");
      g_assert_cmpstr (got->body->str, ==, "hello");
      g_assert_cmpint (got->progress, ==, REEVE_UPSTREAM_ANSWERED);
    }
  g_assert_cmpuint (hostile_server_count_connections (server), ==, 1);
  g_assert_cmpuint (hostile_server_count_requests (server), ==, 3);
  sent = hostile_server_dup_last (server);
  host = g_strdup_printf ("Host: 127.0.0.1:%u\r\n", hostile_server_get_port (server));
  g_assert_true (g_str_has_prefix (sent, "POST /v1/x?y=1 HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (sent, host));
  g_assert_nonnull (strstr (sent, "Content-Type: application/json\r\n"));
  g_assert_nonnull (strstr (sent, "User-Agent: reeve/"));
  g_assert_true (g_str_has_suffix (sent, "Content-Length: 7\r\n\r\n{\"a\":1}"));
}

static void
test_answers (Fixture *fixture, gconstpointer data)
{
  static const HostileStep split[] = { READ, SPLIT (OK5), LOOP };
  static const HostileStep chunked[]
      = { READ,
          SPLIT (OK_HEAD
                 "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n\r\n"),
          LOOP };
  static const HostileStep interim[]
      = { READ, SEND ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" OK5),
          LOOP };
  static const HostileStep until_end[] = { READ, SEND (OK_HEAD "\r\nhello"), END };
  static const HostileStep old[]
      = { READ,
          SEND ("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"),
          END };
  static const HostileStep reason_less[]
      = { READ,
          SEND ("HTTP/1.1 200\r\ncontent-type:text/plain\r\ncontent-length:  5  \r\n\r\nhello"),
          LOOP };
  const struct
  {
    const HostileStep *script;
    guint connections;
  } cases[] = { { split, 1 },     { chunked, 1 }, { interim, 1 },
                { until_end, 2 }, { old, 2 },     { reason_less, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const HostileStep *const scripts[] = { cases[i].script };
      g_autoptr (HostileServer) server = serve (scripts, 1);

      for (guint turn = 0; turn < 2; turn++)
        {
          g_autoptr (Exchange) got = post (fixture, server);

          g_assert_no_error (got->error);
          g_assert_cmpuint (got->status, ==, 200);
          g_assert_cmpstr (got->body->str, ==, "hello");
          g_assert_cmpstr (got->type, ==, "text/plain");
        }
      g_assert_cmpuint (hostile_server_count_connections (server), ==, cases[i].connections);
    }
}

static void
test_bodiless (Fixture *fixture, gconstpointer data)
{
  static const HostileStep head[] = { READ, SEND (OK_HEAD "Content-Length: 500\r\n\r\n"),
                                      READ, SEND ("HTTP/1.1 204 No Content\r\n\r\n"),
                                      READ, SEND (OK5),
                                      LOOP };
  const HostileStep *const scripts[] = { head };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  const struct
  {
    const char *method;
    guint status;
    const char *body;
  } cases[] = { { "HEAD", 200, "" }, { "DELETE", 204, "" }, { "GET", 200, "hello" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ReeveHttpRequest) request = make_request (server, cases[i].method, NULL);
      g_autoptr (Exchange) got = begin (fixture, request);

      finish (got);
      g_assert_no_error (got->error);
      g_assert_cmpuint (got->status, ==, cases[i].status);
      g_assert_cmpstr (got->body->str, ==, cases[i].body);
    }
  g_assert_cmpuint (hostile_server_count_connections (server), ==, 1);
}

static void
test_unreachable (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostileServer) server = hostile_server_new_deaf ();
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "x");
  g_autoptr (ReeveHttpRequest) nowhere
      = reeve_http_request_new ("GET", "http://does-not-exist.invalid/");
  g_autoptr (Exchange) refused = NULL;
  g_autoptr (Exchange) unknown = NULL;

  refused = begin (fixture, request);
  finish (refused);
  g_assert_error (refused->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_cmpint (refused->progress, ==, REEVE_UPSTREAM_UNSENT);
  fixture->options.connect_ms = 300;
  unknown = begin (fixture, nowhere);
  finish (unknown);
  g_assert_true (g_error_matches (unknown->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE)
                 || g_error_matches (unknown->error, REEVE_ERROR, REEVE_ERROR_TIMEOUT));
  g_assert_cmpint (unknown->progress, ==, REEVE_UPSTREAM_UNSENT);
}

/* ---- a name server that does not answer ---- */

typedef struct
{
  GResolver parent_instance;
  GMutex lock;
  GCond changed;
  gboolean asked;
  gboolean released;
  gboolean left;
} SlowResolver;

typedef struct
{
  GResolverClass parent_class;
} SlowResolverClass;

static GType slow_resolver_get_type (void);
G_DEFINE_TYPE (SlowResolver, slow_resolver, G_TYPE_RESOLVER)

static void
slow_resolver_wait (SlowResolver *self, gboolean *what)
{
  gint64 until = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  g_mutex_lock (&self->lock);
  while (!*what)
    g_assert_true (g_cond_wait_until (&self->changed, &self->lock, until));
  g_mutex_unlock (&self->lock);
}

static void
slow_resolver_set (SlowResolver *self, gboolean *what)
{
  g_mutex_lock (&self->lock);
  *what = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static GList *
slow_resolver_lookup (GResolver *resolver, const char *name, GCancellable *cancellable,
                      GError **error)
{
  SlowResolver *self = (SlowResolver *) resolver;

  slow_resolver_set (self, &self->asked);
  slow_resolver_wait (self, &self->released);
  g_set_error_literal (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "nobody knows it");
  slow_resolver_set (self, &self->left);
  return NULL;
}

static void
slow_resolver_class_init (SlowResolverClass *klass)
{
  G_RESOLVER_CLASS (klass)->lookup_by_name = slow_resolver_lookup;
}

static void
slow_resolver_init (SlowResolver *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

/* A lookup that outlives its call does not keep the client, nor its thread, from going. */
static void
test_slow_lookup (Fixture *fixture, gconstpointer data)
{
  GResolver *usual = g_resolver_get_default ();
  SlowResolver *slow = g_object_new (slow_resolver_get_type (), NULL);
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", "http://slow.invalid/");
  g_autoptr (Exchange) got = NULL;

  g_resolver_set_default (G_RESOLVER (slow));
  fixture->options.connect_ms = 50;
  got = begin (fixture, request);
  finish (got);
  g_assert_error (got->error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  g_assert_cmpint (got->progress, ==, REEVE_UPSTREAM_UNSENT);
  slow_resolver_wait (slow, &slow->asked);
  reeve_http_client_shutdown (fixture->client);
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  g_assert_finalize_object (g_steal_pointer (&fixture->client));
  slow_resolver_set (slow, &slow->released);
  slow_resolver_wait (slow, &slow->left);
  g_resolver_set_default (usual);
  g_object_unref (usual);
  g_object_unref (slow);
}

static void
test_refused_requests (Fixture *fixture, gconstpointer data)
{
  const struct
  {
    const char *method, *url, *name, *value;
  } cases[] = {
    { "GET", "ftp://127.0.0.1/", NULL, NULL },
    { "GET", "not a url", NULL, NULL },
    { "GET", "http:///x", NULL, NULL },
    { "GET", "http://user:secret@127.0.0.1/", NULL, NULL },
    { "GET /x HTTP/1.1\r\nX:", "http://127.0.0.1/", NULL, NULL },
    { "GET", "http://127.0.0.1/", "X", "a\r\nY: b" },
    { "GET", "http://127.0.0.1/", "X Y", "a" },
    { "GET", "http://127.0.0.1/", "", "a" },
    { "GET", "http://127.0.0.1/", "Content-Length", "7" },
    { "GET", "http://127.0.0.1/", "transfer-encoding", "chunked" },
    { "GET", "http://127.0.0.1/", "host", "other" },
    { "GET", "http://127.0.0.1/a b", NULL, NULL },
    { "GET", "http://127.0.0.1/a\r\nX: y", NULL, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ReeveHttpRequest) request = reeve_http_request_new (cases[i].method, cases[i].url);
      g_autoptr (Exchange) got = NULL;

      if (cases[i].name != NULL)
        reeve_http_request_add_header (request, cases[i].name, cases[i].value);
      got = begin (fixture, request);
      finish (got);
      g_assert_error (got->error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      g_assert_cmpint (got->progress, ==, REEVE_UPSTREAM_UNSENT);
      g_assert_null (strstr (got->error->message, "secret"));
    }
}

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  const HostileStep *const scripts[] = { keep_alive };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "x");

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (Exchange) got = begin (fixture, request);
      gint64 until = g_get_monotonic_time () + 100000;
      gint64 patience = until + 30 * G_USEC_PER_SEC;

      got->cancel_on_head = i == 1;
      got->cancel_on_data = i == 2;
      if (i == 0)
        reeve_upstream_call_cancel (got->call);
      /* a moment longer than what is to come takes to come */
      while (g_get_monotonic_time () < until
             || (g_get_monotonic_time () < patience
                 && !(i == 0 || (i == 1 && got->status != 0) || (i == 2 && got->body->len == 5)
                      || got->done)))
        {
          g_main_context_iteration (fixture->context, FALSE);
          g_usleep (1000);
        }
      g_assert_cmpint (got->done, ==, i == 3);
      g_assert_cmpuint (got->body->len, ==, i < 2 ? 0 : 5);
    }
  g_assert_cmpuint (reeve_http_client_count_connections (fixture->client), ==, 1);
}

static void
test_pause (Fixture *fixture, gconstpointer data)
{
  static const HostileStep large[] = { READ, SEND (OK_HEAD "\r\n"), FILL (20000000), END };
  const HostileStep *const scripts[] = { large };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "x");
  g_autoptr (Exchange) got = NULL;
  gint64 until = g_get_monotonic_time () + 5500 * G_TIME_SPAN_MILLISECOND;

  /* does not run while paused; afterwards the server may have to wait for a processor */
  fixture->options.idle_ms = 5000;
  fixture->options.total_ms = 60000;
  got = begin (fixture, request);
  got->pause_on_head = TRUE;
  while (got->status == 0 || g_get_monotonic_time () < until)
    {
      g_main_context_iteration (fixture->context, FALSE);
      g_usleep (1000);
    }
  g_assert_cmpuint (got->status, ==, 200);
  g_assert_cmpuint (got->body->len, <=, 64 * 1024);
  g_assert_false (got->done);
  reeve_upstream_call_resume (got->call);
  g_assert_cmpuint (got->body->len, <=, 64 * 1024);
  finish (got);
  g_assert_no_error (got->error);
  g_assert_cmpuint (got->body->len, ==, 20000000);
}

/* Of many under way at once, each is told of within the log's context of who began it. */
static void
test_log (Fixture *fixture, gconstpointer data)
{
  static const HostileStep slow[] = { READ, SLEEP (5), SEND (OK5), LOOP };
  const HostileStep *const scripts[] = { slow };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autoptr (HostileServer) deaf = hostile_server_new_deaf ();
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "x");
  g_autoptr (ReeveHttpRequest) refused = make_request (deaf, "POST", "x");
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func ((GDestroyNotify) exchange_free);

  reeve_http_client_set_limits (fixture->client, 2, 0, 0);
  for (guint i = 0; i < 8; i++)
    {
      g_autofree char *run = g_strdup_printf ("run_%u", i);
      ReeveLogContext *before
          = reeve_log_enter (REEVE_LOG_RUN_ID, i > 0 ? run : NULL, REEVE_LOG_N_FIELDS);

      g_ptr_array_add (calls, begin (fixture, i % 4 == 3 ? refused : request));
      reeve_log_leave (before);
    }
  for (guint i = 0; i < calls->len; i++)
    {
      Exchange *got = g_ptr_array_index (calls, i);

      g_assert_true ((got->run != NULL) == (i > 0));
      finish (got);
      g_assert_true ((got->error != NULL) == (i % 4 == 3));
    }
  g_assert_null (reeve_log_save_context ());
}

static void
test_large_request (Fixture *fixture, gconstpointer data)
{
  const HostileStep *const scripts[] = { keep_alive };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autofree char *large = g_strnfill (3000000, 'y');
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", large);
  g_autoptr (Exchange) got = begin (fixture, request);
  g_autofree char *sent = NULL;

  finish (got);
  g_assert_no_error (got->error);
  sent = hostile_server_dup_last (server);
  g_assert_true (g_str_has_suffix (sent, large));
}

static void
test_queue (Fixture *fixture, gconstpointer data)
{
  static const HostileStep slow[] = { READ, SLEEP (20), SEND (OK5), LOOP };
  const HostileStep *const scripts[] = { slow };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "x");
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func ((GDestroyNotify) exchange_free);
  guint busy = 0;

  reeve_http_client_set_limits (fixture->client, 2, 6, 0);
  for (guint i = 0; i < 10; i++)
    g_ptr_array_add (calls, begin (fixture, request));
  for (guint i = 0; i < calls->len; i++)
    {
      Exchange *got = g_ptr_array_index (calls, i);

      finish (got);
      if (got->error == NULL)
        continue;
      g_assert_error (got->error, REEVE_ERROR, REEVE_ERROR_BUSY);
      busy++;
    }
  g_assert_cmpuint (hostile_server_count_connections (server), <=, 2);
  g_assert_cmpuint (hostile_server_count_requests (server), ==, 10 - busy);
  g_assert_cmpuint (busy, >=, 2);
  g_assert_cmpuint (busy, <=, 4);
}

/* Calls that wait behind one that cannot connect get their turn at once. */
/* A connection that was opened ahead is the next call's; without one nothing is sent on it. */
static void
test_warm (Fixture *fixture, gconstpointer data)
{
  const HostileStep *const scripts[] = { keep_alive };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autoptr (HostileServer) deaf = hostile_server_new_deaf ();
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "x");
  g_autoptr (ReeveHttpRequest) refused = make_request (deaf, "POST", "x");
  ReeveUpstream *upstream = NULL;
  g_autoptr (Exchange) none = NULL;

  /* the second finds the first under way; a call waits for that, or takes it when it stands */
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (Exchange) got = NULL;

      upstream = REEVE_UPSTREAM (fixture->client);
      reeve_http_client_set_limits (fixture->client, 0, 0, 60000);
      reeve_upstream_warm (upstream, request, &fixture->options);
      reeve_upstream_warm (upstream, request, &fixture->options);
      while (i == 1 && hostile_server_count_connections (server) == 1)
        g_main_context_iteration (fixture->context, FALSE);
      got = post (fixture, server);
      g_assert_no_error (got->error);
      g_assert_cmpuint (hostile_server_count_requests (server), ==, i + 1);
      g_assert_cmpuint (hostile_server_count_connections (server), ==, i == 0 ? 1 : 2);
      if (i == 0)
        {
          reeve_http_client_shutdown (fixture->client);
          g_object_unref (fixture->client);
          fixture->client = reeve_http_client_new (fixture->context, fixture->trust, NULL);
        }
    }
  reeve_upstream_warm (upstream, refused, &fixture->options);
  none = begin (fixture, refused);
  finish (none);
  g_assert_error (none->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_cmpint (none->progress, ==, REEVE_UPSTREAM_UNSENT);
  /* what is under way at the end is given up with it */
  reeve_upstream_warm (upstream, refused, &fixture->options);
  g_assert_cmpuint (hostile_server_count_requests (server), ==, 3);
}

static void
test_queue_of_dead (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostileServer) server = hostile_server_new_deaf ();
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "x");
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func ((GDestroyNotify) exchange_free);
  gint64 began = g_get_monotonic_time ();

  reeve_http_client_set_limits (fixture->client, 1, 8, 0);
  for (guint i = 0; i < 6; i++)
    g_ptr_array_add (calls, begin (fixture, request));
  for (guint i = 0; i < calls->len; i++)
    {
      Exchange *got = g_ptr_array_index (calls, i);

      finish (got);
      g_assert_error (got->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
      g_assert_cmpint (got->progress, ==, REEVE_UPSTREAM_UNSENT);
    }
  g_assert_cmpint (g_get_monotonic_time () - began, <, 20 * G_USEC_PER_SEC);
}

static void
test_idle_close (Fixture *fixture, gconstpointer data)
{
  const HostileStep *const scripts[] = { keep_alive };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autoptr (Exchange) got = NULL;
  gint64 until = 0;

  reeve_http_client_set_limits (fixture->client, 0, 0, 50);
  got = post (fixture, server);
  g_assert_cmpuint (reeve_http_client_count_connections (fixture->client), ==, 1);
  until = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  while (reeve_http_client_count_connections (fixture->client) > 0
         && g_get_monotonic_time () < until)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (reeve_http_client_count_connections (fixture->client), ==, 0);
}

/* Addresses that were checked beforehand are the only ones that are connected to. */
static void
test_pinned (Fixture *fixture, gconstpointer data)
{
  const HostileStep *const scripts[] = { keep_alive };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autofree char *url
      = g_strdup_printf ("http://unresolvable.invalid:%u/", hostile_server_get_port (server));
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", url);
  g_autoptr (GPtrArray) addresses = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (Exchange) got = NULL;
  g_autoptr (Exchange) other = NULL;

  /* the first refuses: nothing listens there; the second one answers */
  g_ptr_array_add (addresses, g_inet_address_new_from_string ("127.0.0.2"));
  g_ptr_array_add (addresses, g_inet_address_new_from_string ("127.0.0.1"));
  fixture->options.addresses = addresses;
  got = begin (fixture, request);
  finish (got);
  g_assert_no_error (got->error);
  /* a connection to an address that is not on the list is not used */
  g_ptr_array_remove_index (addresses, 1);
  other = begin (fixture, request);
  finish (other);
  g_assert_error (other->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_cmpuint (hostile_server_count_requests (server), ==, 1);
}

static void
test_drop_client (Fixture *fixture, gconstpointer data)
{
  static const HostileStep closes[]
      = { READ, SEND ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), SLEEP (100), END };
  const HostileStep *const scripts[] = { closes };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "x");
  g_autoptr (Exchange) got = begin (fixture, request);
  gpointer watch = fixture->client;

  g_object_add_weak_pointer (G_OBJECT (fixture->client), &watch);
  got->drop_on_done = TRUE;
  finish (got);
  g_assert_no_error (got->error);
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  g_assert_null (watch);
}

static void
test_shutdown (Fixture *fixture, gconstpointer data)
{
  static const HostileStep silent[] = { READ, SLEEP (200), END };
  const HostileStep *const scripts[] = { silent };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "x");
  g_autoptr (Exchange) got = begin (fixture, request);
  g_autoptr (Exchange) late = NULL;

  for (guint i = 0; i < 20; i++, g_usleep (1000))
    g_main_context_iteration (fixture->context, FALSE);
  reeve_http_client_shutdown (fixture->client);
  g_assert_true (got->done);
  g_assert_error (got->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  late = begin (fixture, request);
  finish (late);
  g_assert_error (late->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *, gconstpointer);
  } tests[] = {
    { "/http-client/simple", test_simple },
    { "/http-client/answers", test_answers },
    { "/http-client/bodiless", test_bodiless },
    { "/http-client/unreachable", test_unreachable },
    { "/http-client/slow-lookup", test_slow_lookup },
    { "/http-client/refused-requests", test_refused_requests },
    { "/http-client/cancel", test_cancel },
    { "/http-client/pause", test_pause },
    { "/http-client/log", test_log },
    { "/http-client/large-request", test_large_request },
    { "/http-client/queue", test_queue },
    { "/http-client/warm", test_warm },
    { "/http-client/queue-of-dead", test_queue_of_dead },
    { "/http-client/idle-close", test_idle_close },
    { "/http-client/pinned", test_pinned },
    { "/http-client/drop-client", test_drop_client },
    { "/http-client/shutdown", test_shutdown },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, fixture_setup, tests[i].func, fixture_teardown);
  return g_test_run ();
}
