/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The upstream client against servers that misbehave: what is refused, and what is never sent
 * twice. */
#include <string.h>

#include "exchange.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
#define OK5     OK_HEAD "Content-Length: 5\r\n\r\nhello"

static const HostileStep keep_alive[] = { READ, SEND (OK5), LOOP };

static void
test_broken (Fixture *fixture, gconstpointer data)
{
  static const HostileStep garbage[] = { READ, SEND ("hello there\r\n\r\n"), SLEEP (100), END };
  static const HostileStep huge_head[] = { READ, SEND (OK_HEAD "X: "), FILL (200000), END };
  static const HostileStep cut[] = { READ, SEND (OK_HEAD "Content-Length: 50\r\n\r\nhello"), END };
  static const HostileStep cut_chunk[]
      = { READ, SEND (OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), END };
  static const HostileStep reset[]
      = { READ, SEND (OK_HEAD "Content-Length: 50\r\n\r\nhello"), SLEEP (50), RESET };
  static const HostileStep bad_chunk[]
      = { READ, SEND (OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), SLEEP (100), END };
  static const HostileStep two_lengths[]
      = { READ, SEND (OK_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), SLEEP (100),
          END };
  static const HostileStep switching[]
      = { READ, SEND ("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
          SLEEP (100), END };
  static const HostileStep *const cases[]
      = { garbage, huge_head, cut, cut_chunk, reset, bad_chunk, two_lengths, switching };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const HostileStep *const scripts[] = { cases[i] };
      g_autoptr (HostileServer) server = serve (scripts, 1);
      g_autoptr (Exchange) got = post (fixture, server);

      g_assert_error (got->error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
      g_assert_cmpint (got->progress, ==, REEVE_UPSTREAM_ANSWERED);
      g_assert_cmpuint (hostile_server_count_requests (server), ==, 1);
      g_assert_cmpuint (reeve_http_client_count_connections (fixture->client), ==, 0);
    }
}

static void
test_many_headers (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new (OK_HEAD);
  HostileStep steps[] = { READ, SEND (NULL), SLEEP (300), END };
  const HostileStep *const scripts[] = { steps };
  g_autoptr (HostileServer) server = NULL;
  g_autoptr (Exchange) got = NULL;

  for (guint i = 0; i < 200; i++)
    g_string_append_printf (text, "X-%u: y\r\n", i);
  g_string_append (text, "Content-Length: 0\r\n\r\n");
  steps[1].text = text->str;
  server = serve (scripts, 1);
  got = post (fixture, server);
  g_assert_error (got->error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
  g_assert_nonnull (strstr (got->error->message, "too many headers"));
}

static void
test_garbage_after (Fixture *fixture, gconstpointer data)
{
  static const HostileStep garbage[]
      = { READ, SEND (OK5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nEVIL!"), READ, END };
  static const HostileStep late[] = { READ,       SEND (OK5),
                                      SLEEP (30), SEND (OK_HEAD "Content-Length: 5\r\n\r\nEVIL!"),
                                      READ,       END };
  static const guint sent[] = { 1, 3, 4 }; /* once all that comes unasked has come */
  const HostileStep *const scripts[] = { garbage, late, keep_alive };
  g_autoptr (HostileServer) server = serve (scripts, 3);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (Exchange) got = post (fixture, server);

      g_assert_no_error (got->error);
      g_assert_cmpstr (got->body->str, ==, "hello");
      while (hostile_server_count_sent (server) < sent[i])
        g_usleep (1000);
    }
  g_assert_cmpuint (hostile_server_count_connections (server), ==, 3);
}

static void
test_limits (Fixture *fixture, gconstpointer data)
{
  static const HostileStep stated[]
      = { READ, SEND (OK_HEAD "Content-Length: 100000\r\n\r\n"), FILL (100000), LOOP };
  static const HostileStep unstated[] = { READ, SEND (OK_HEAD "\r\n"), FILL (100000), END };
  static const HostileStep *const cases[] = { stated, unstated };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const HostileStep *const scripts[] = { cases[i] };
      g_autoptr (HostileServer) server = serve (scripts, 1);
      g_autoptr (Exchange) small = NULL;
      g_autoptr (Exchange) large = post (fixture, server);
      g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "x");

      g_assert_no_error (large->error);
      g_assert_cmpuint (large->body->len, ==, 100000);
      reeve_http_request_set_max_response (request, 99999);
      small = begin (fixture, request);
      finish (small);
      g_assert_error (small->error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
      g_assert_cmpuint (small->body->len, <=, 99999);
    }
}

/* A server that closes an idle connection: the next call goes to a new one, sent once in all. */
static void
test_stale (Fixture *fixture, gconstpointer data)
{
  static const HostileStep once[] = { READ, SEND (OK5), END };
  const HostileStep *const scripts[] = { once };
  g_autoptr (HostileServer) server = serve (scripts, 1);

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (Exchange) got = post (fixture, server);

      g_assert_no_error (got->error);
      if (i % 2 == 0)
        g_usleep (30000);
      else
        for (guint k = 0; k < 10; k++, g_usleep (3000))
          g_main_context_iteration (fixture->context, FALSE);
    }
  g_assert_cmpuint (hostile_server_count_requests (server), ==, 4);
}

/* A server that reads the second request of a connection and closes: nobody knows whether it was
 * executed. */
static void
test_unknown_outcome (Fixture *fixture, gconstpointer data)
{
  static const HostileStep eats[] = { READ, SEND (OK5), READ, END };
  static const HostileStep eats_first[] = { READ, RESET };
  const HostileStep *const scripts[] = { eats, keep_alive };
  const HostileStep *const scripts_first[] = { eats_first };
  g_autoptr (HostileServer) server = serve (scripts, 2);
  g_autoptr (HostileServer) server_first = serve (scripts_first, 1);
  g_autoptr (Exchange) first = post (fixture, server);
  g_autoptr (Exchange) second = post (fixture, server);
  g_autoptr (Exchange) fresh = post (fixture, server_first);

  g_assert_no_error (first->error);
  g_assert_error (second->error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME);
  g_assert_nonnull (strstr (second->error->message, "unknown whether"));
  g_assert_cmpint (second->progress, ==, REEVE_UPSTREAM_SENT);
  g_assert_cmpuint (hostile_server_count_requests (server), ==, 2);
  g_assert_cmpuint (hostile_server_count_connections (server), ==, 1);
  g_assert_error (fresh->error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME);
  g_assert_cmpuint (hostile_server_count_requests (server_first), ==, 1);
}

static void
test_idempotent (Fixture *fixture, gconstpointer data)
{
  static const HostileStep eats[] = { READ, SEND (OK5), READ, END };
  const HostileStep *const scripts[] = { eats, keep_alive };
  g_autoptr (HostileServer) server = serve (scripts, 2);
  g_autoptr (ReeveHttpRequest) request = make_request (server, "GET", NULL);

  reeve_http_request_set_idempotent (request, TRUE);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (Exchange) got = begin (fixture, request);

      finish (got);
      g_assert_no_error (got->error);
      g_assert_cmpstr (got->body->str, ==, "hello");
    }
  g_assert_cmpuint (hostile_server_count_requests (server), ==, 3);
  g_assert_cmpuint (hostile_server_count_connections (server), ==, 2);
}

static void
test_timeouts (Fixture *fixture, gconstpointer data)
{
  static const HostileStep silent[] = { READ, HOLD, END };
  static const HostileStep stalls[]
      = { READ, SEND (OK_HEAD "Content-Length: 9\r\n\r\nhello"), HOLD, END };
  static const HostileStep drips[] = { READ,
                                       SEND (OK_HEAD "\r\n"),
                                       SPLIT ("0123456789"),
                                       SLEEP (100),
                                       FILL (5),
                                       SLEEP (100),
                                       FILL (5),
                                       SLEEP (100),
                                       FILL (5),
                                       HOLD,
                                       END };
  const struct
  {
    const HostileStep *script;
    guint first_byte, idle, total;
    const char *text;
    ReeveUpstreamProgress progress;
  } cases[] = { { silent, 200, 60000, 90000, "unknown whether", REEVE_UPSTREAM_SENT },
                { stalls, 60000, 200, 90000, "while the answer came", REEVE_UPSTREAM_ANSWERED },
                { drips, 60000, 60000, 1000, "limit of the whole call", REEVE_UPSTREAM_ANSWERED } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const HostileStep *const scripts[] = { cases[i].script };
      g_autoptr (HostileServer) server = serve (scripts, 1);
      g_autoptr (Exchange) got = NULL;
      gint64 before = g_get_monotonic_time ();

      fixture->options.first_byte_ms = cases[i].first_byte;
      fixture->options.idle_ms = cases[i].idle;
      fixture->options.total_ms = cases[i].total;
      got = post (fixture, server);
      g_assert_error (got->error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
      g_assert_nonnull (strstr (got->error->message, cases[i].text));
      g_assert_cmpint (got->progress, ==, cases[i].progress);
      g_assert_cmpint (g_get_monotonic_time () - before, <, 30 * G_USEC_PER_SEC);
      g_assert_cmpuint (reeve_http_client_count_connections (fixture->client), ==, 0);
    }
}

/* A large request to a server that answers before it has read all. */
static void
test_early_answer (Fixture *fixture, gconstpointer data)
{
  static const HostileStep early[]
      = { READ_HEAD, SEND ("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"), SLEEP (100),
          END };
  const HostileStep *const scripts[] = { early };
  g_autoptr (HostileServer) server = serve (scripts, 1);
  g_autofree char *large = g_strnfill (8000000, 'y');
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", large);
  g_autoptr (Exchange) got = begin (fixture, request);

  finish (got);
  g_assert_no_error (got->error);
  g_assert_cmpuint (got->status, ==, 413);
  g_assert_cmpstr (got->body->str, ==, "no");
  g_assert_cmpuint (reeve_http_client_count_connections (fixture->client), ==, 0);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *, gconstpointer);
  } tests[] = {
    { "/http-hostile/broken", test_broken },
    { "/http-hostile/many-headers", test_many_headers },
    { "/http-hostile/garbage-after", test_garbage_after },
    { "/http-hostile/limits", test_limits },
    { "/http-hostile/stale", test_stale },
    { "/http-hostile/unknown-outcome", test_unknown_outcome },
    { "/http-hostile/idempotent", test_idempotent },
    { "/http-hostile/timeouts", test_timeouts },
    { "/http-hostile/early-answer", test_early_answer },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, fixture_setup, tests[i].func, fixture_teardown);
  return g_test_run ();
}
