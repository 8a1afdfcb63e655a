/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestIntake: which heads and bodies are requests, and where each ends. */
#include "api/rest/intake.h"

#include <string.h>

#define MAX_HEADER 16384
#define HOST       "Host: x\r\n"

typedef struct
{
  GString *given;
  guint requests;
  guint status;
} Reading;

/* All requests of a text, which comes in pieces. */
static Reading
read_all (const char *text, gsize length, gsize piece)
{
  g_autoptr (ReeveRestIntake) intake = reeve_rest_intake_new (MAX_HEADER);
  Reading reading = { .given = g_string_new (NULL) };

  for (gsize at = 0; at < length; at += piece)
    {
      ReeveRestIntakeState state
          = reeve_rest_intake_add (intake, text + at, MIN (piece, length - at));

      while (state == REEVE_REST_INTAKE_REQUEST)
        {
          char buffer[512];
          gsize n = reeve_rest_intake_take (intake, buffer, sizeof buffer);

          g_string_append_len (reading.given, buffer, (gssize) n);
          state = reeve_rest_intake_get_state (intake);
          if (reeve_rest_intake_is_taken (intake))
            {
              reading.requests++;
              state = reeve_rest_intake_next (intake);
            }
          else if (n == 0)
            break;
        }
      if (state == REEVE_REST_INTAKE_BAD)
        {
          reading.status = reeve_rest_intake_get_status (intake);
          break;
        }
    }
  return reading;
}

/* A reader that wants no copy of the head sees all of it, and takes the body alone. */
static void
test_head_without_a_copy (void)
{
  static const char head[] = "POST /a?b HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n";
  static const char next[] = "GET /c HTTP/1.1\r\n" HOST "\r\n";
  g_autoptr (ReeveRestIntake) intake = reeve_rest_intake_new (MAX_HEADER);
  g_autofree char *text = g_strconcat (head, "xyz", next, NULL);
  const char *seen = NULL;
  char body[16] = { 0 };
  gsize length = 0;

  g_assert_cmpint (reeve_rest_intake_add (intake, text, strlen (text)), ==,
                   REEVE_REST_INTAKE_REQUEST);
  seen = reeve_rest_intake_peek_head (intake, &length);
  g_assert_cmpmem (seen, length, head, sizeof head - 1);
  reeve_rest_intake_skip_head (intake);
  g_assert_false (reeve_rest_intake_is_taken (intake));
  g_assert_cmpuint (reeve_rest_intake_take (intake, body, sizeof body), ==, 3);
  g_assert_cmpstr (body, ==, "xyz");
  g_assert_true (reeve_rest_intake_is_taken (intake));
  g_assert_cmpint (reeve_rest_intake_next (intake), ==, REEVE_REST_INTAKE_REQUEST);
  seen = reeve_rest_intake_peek_head (intake, &length);
  g_assert_cmpmem (seen, length, next, sizeof next - 1);
  reeve_rest_intake_skip_head (intake);
  g_assert_true (reeve_rest_intake_is_taken (intake));
  g_assert_cmpuint (reeve_rest_intake_take (intake, body, sizeof body), ==, 0);
  g_assert_false (reeve_rest_intake_has_bytes (intake));
  g_assert_cmpint (reeve_rest_intake_next (intake), ==, REEVE_REST_INTAKE_EMPTY);
}

static void
check (const char *text, gsize length, guint requests, guint status)
{
  static const gsize pieces[] = { 1, 3, 100000 };

  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      Reading reading = read_all (text, length, pieces[i]);

      if (reading.requests != requests || reading.status != status)
        g_error ("%.300s: in pieces of %zu: %u requests and status %u, not %u and %u", text,
                 pieces[i], reading.requests, reading.status, requests, status);
      g_string_free (reading.given, TRUE);
    }
}

static void
test_good (void)
{
  static const struct
  {
    const char *text;
    guint requests;
  } cases[] = {
    { "GET / HTTP/1.1\r\n" HOST "\r\n", 1 },
    { "GET / HTTP/1.0\r\n\r\n", 1 },
    { "\r\nGET / HTTP/1.1\r\n" HOST "\r\n\r\n", 1 },
    { "GET /a HTTP/1.1\r\nhost:x:8080\t \r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\nGET", 2 },
    { "GET HTTP://X/?a HTTP/1.1\r\n" HOST "\r\n", 1 },
    { "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 1 },
    { "GET / HTTP/1.1\r\nHost: [::ffff:127.0.0.1]\r\n\r\n", 1 },
    { "GET / HTTP/1.1\r\nHost: 127.0.0.1:65535\r\n\r\n", 1 },
    { "GET / HTTP/1.1\r\nHost: a-b.c_d~.example.:\r\n\r\n", 1 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}GET / HTTP/1.1\r\n" HOST "\r\n", 2 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 1 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n{}", 0 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
      "2\r\n{}\r\n0A;x=\"y\"\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
      2 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nSum: a:b\r\nX-y:\r\n\r\n",
      1 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n", 0 },
    { "GET / HTTP/1.1\r\n" HOST
      "X: \xc3\xa4\r\nX: 2\r\nX-API-Key: 3\r\nEmpty:\r\nExpect: 100-Continue\r\n\r\n",
      1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check (cases[i].text, strlen (cases[i].text), cases[i].requests, 0);
}

#define POST   "POST / HTTP/1.1\r\n" HOST
#define CHUNKS POST "Transfer-Encoding: chunked\r\n\r\n"
#define BAD(text)                                                                                  \
  {                                                                                                \
    text, sizeof text - 1, 400                                                                     \
  }
#define AS(text, s)                                                                                \
  {                                                                                                \
    text, sizeof text - 1, s                                                                       \
  }

static const struct
{
  const char *text;
  gsize length;
  guint status;
} bad[] = {
  /* two readers, two ends */
  BAD (POST "Content-Length: 2\r\nContent-Length: 3\r\n\r\n"),
  BAD (POST "Content-Length: 2\r\ncontent-length: 2\r\n\r\n"),
  BAD (POST "Content-Length: 2, 2\r\n\r\n"),
  BAD (POST "Content-Length: +2\r\n\r\n"),
  BAD (POST "Content-Length: -2\r\n\r\n"),
  BAD (POST "Content-Length: 0x2\r\n\r\n"),
  BAD (POST "Content-Length: 2 2\r\n\r\n"),
  BAD (POST "Content-Length:\r\n\r\n"),
  BAD (POST "Content-Length: 18446744073709551618\r\n\r\n"),
  BAD (POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"),
  BAD (POST "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"),
  BAD (POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
  BAD (POST "Transfer-Encoding: chunked, chunked\r\n\r\n"),
  BAD (POST "Transfer-Encoding: identity\r\n\r\n"),
  BAD (POST "Transfer-Encoding: chunked, identity\r\n\r\n"),
  BAD (POST "Transfer-Encoding: \vchunked\r\n\r\n"),
  BAD (POST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
  BAD (POST "Transfer-Encoding:\r\n\r\n"),
  BAD (POST "Transfer-Encoding : chunked\r\n\r\n"),
  BAD (POST " Transfer-Encoding: chunked\r\n\r\n"),
  BAD ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
  AS (POST "Transfer-Encoding: gzip\r\n\r\n", 501),
  /* lines */
  BAD ("GET / HTTP/1.1\n" HOST "\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: x\n\r\n"),
  BAD ("GET / HTTP/1.1\r\n" HOST "\n"),
  BAD ("GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\n\rHost: x\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nX: a\r\n b\r\n" HOST "\r\n"),
  BAD ("GET / HTTP/1.1\r\n\tX: a\r\n" HOST "\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\n: x\r\n" HOST "\r\n"),
  BAD ("GET / HTTP/1.1\r\nX\r\n" HOST "\r\n"),
  BAD ("GET / HTTP/1.1\r\nX: a\0b\r\n" HOST "\r\n"),
  BAD ("GET / HTTP/1.1\r\nX: \x7f\r\n" HOST "\r\n"),
  BAD ("GET / HTTP/1.1\r\nX: \xff\r\n" HOST "\r\n"),
  BAD ("GET / HTTP/1.1\r\n" HOST "Authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\n" HOST "X-Tenant-ID: a\r\nX-Tenant-Id: a\r\n\r\n"),
  BAD ("\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
  /* the request line */
  BAD ("GET /\r\n" HOST "\r\n"),
  BAD ("GET  / HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("GET / HTTP/1.1 \r\n" HOST "\r\n"),
  BAD (" GET / HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("G(T / HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("GET / http/1.1\r\n" HOST "\r\n"),
  BAD ("GET / HTTP/1.10\r\n" HOST "\r\n"),
  BAD ("GET x HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("GET * HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("GET /#x HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("GET /%4 HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("GET /%zz HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("\x16\x03\x01\x02"),
  AS ("GET / HTTP/2.0\r\n" HOST "\r\n", 505),
  AS ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
  AS ("CONNECT x:80 HTTP/1.1\r\n" HOST "\r\n", 501),
  AS (POST "Expect: tea\r\n\r\n", 417),
  /* hosts */
  BAD ("GET / HTTP/1.1\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\n" HOST HOST "\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: a@x\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: x, y\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: x:99999\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: x:65536\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: x:000080\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: x:80:80\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: x:+1\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: :80\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: ::1]\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: []\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: [127.0.0.1]\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: [::1]:99999\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: [v1.x]\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: x[::1]\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: %zz\r\n\r\n"),
  BAD ("GET / HTTP/1.1\r\nHost: %41\r\n\r\n"),
  BAD ("GET http://y/ HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("GET http://x@y/ HTTP/1.1\r\n" HOST "\r\n"),
  BAD ("GET http://x/ HTTP/1.0\r\n\r\n"),
  BAD ("GET ftp://x/ HTTP/1.1\r\n" HOST "\r\n"),
  /* chunks */
  BAD (CHUNKS "\r\n"),
  BAD (CHUNKS "x\r\n"),
  BAD (CHUNKS "0x1\r\n"),
  BAD (CHUNKS "-1\r\n"),
  BAD (CHUNKS " 1\r\n"),
  BAD (CHUNKS "1 \r\n"),
  BAD (CHUNKS "1\n"),
  BAD (CHUNKS "1\r1"),
  BAD (CHUNKS "1;a\nb\r\n"),
  BAD (CHUNKS "1\r\n{}\r\n"),
  BAD (CHUNKS "1\r\n{\n"),
  BAD (CHUNKS "ffffffffffffffff\r\n"),
  BAD (CHUNKS "0\r\n\n"),
  BAD (CHUNKS "0\r\nx\r\n\r\n"),
  BAD (CHUNKS "0\r\n x: y\r\n\r\n"),
  BAD (CHUNKS "0\r\nx : y\r\n\r\n"),
  BAD (CHUNKS "0\r\nGET / HTTP/1.1\r\n"),
};

static void
test_bad (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    check (bad[i].text, bad[i].length, 0, bad[i].status);
}

static void
check_repeated (const char *before, const char *what, guint times, guint status)
{
  g_autoptr (GString) text = g_string_new (before);

  for (guint i = 0; i < times; i++)
    g_string_append (text, what);
  check (text->str, text->len, 0, status);
}

static void
check_host (guint length, guint status)
{
  g_autofree char *name = g_strnfill (length, 'a');
  g_autofree char *text = g_strconcat ("GET / HTTP/1.1\r\nHost: ", name, ":80\r\n\r\n", NULL);

  check (text, strlen (text), status == 0 ? 1 : 0, status);
}

/* A head of so many bytes, all of it. */
static void
check_size (guint size, guint status)
{
  static const char before[] = "GET / HTTP/1.1\r\n" HOST "X: ";
  g_autofree char *filling = g_strnfill (size - (sizeof before - 1) - 4, 'a');
  g_autofree char *text = g_strconcat (before, filling, "\r\n\r\n", NULL);

  g_assert_cmpuint (strlen (text), ==, size);
  check (text, size, status == 0 ? 1 : 0, status);
}

static void
test_bounds (void)
{
  check_size (MAX_HEADER - 1, 0);
  check_size (MAX_HEADER, 0);
  check_size (MAX_HEADER + 1, 431);
  check_repeated ("GET /", "a", 8000, 0);
  check_repeated ("GET /", "a", 9000, 414);
  check_repeated ("a", "a", 9000, 414);
  check_repeated ("GET / HTTP/1.1\r\nX: ", "a", 15000, 0);
  check_host (255, 0);
  check_host (256, 400);
  check_repeated ("GET / HTTP/1.1\r\nX: ", "a", 17000, 431);
  check_repeated ("GET / HTTP/1.1\r\n", "X: y\r\n", 100, 0);
  check_repeated ("GET / HTTP/1.1\r\n", "X: y\r\n", 101, 431);
  check_repeated (CHUNKS "1;", "a", 97, 0);
  check_repeated (CHUNKS "1;", "a", 99, 400);
  check_repeated (CHUNKS "0\r\nX: ", "a", 5000, 400);
  check_repeated (CHUNKS "0\r\n", "X: y\r\n", 1000, 400);
}

/* What a reader gets is what was sent, but for blank lines before a request. */
static void
test_bytes (void)
{
  static const char text[] = "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                             "5\r\n\r\n0\r\n\r\n0\r\n\r\n"
                             "POST /b HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nGET /";

  for (gsize piece = 1; piece < sizeof text; piece++)
    {
      Reading reading = read_all (text, sizeof text - 1, piece);

      g_assert_cmpstr (reading.given->str, ==, text);
      g_assert_cmpuint (reading.requests, ==, 2);
      g_string_free (reading.given, TRUE);
    }
}

/* The reader is given a path, whatever was sent; what was sent is known. */
static void
test_path (void)
{
  static const struct
  {
    const char *sent;
    const char *path;
  } cases[] = { { "*", "/" },
                { "http://x", "/" },
                { "http://x?q=/", "/?q=/" },
                { "HTTPS://X//a?b", "//a?b" },
                { "https://x/", "/" },
                { "/http://x/", "/http://x/" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text
          = g_strdup_printf ("\r\nOPTIONS %s HTTP/1.1\r\n" HOST "\r\n", cases[i].sent);
      g_autofree char *given
          = g_strdup_printf ("OPTIONS %s HTTP/1.1\r\n" HOST "\r\n", cases[i].path);
      g_autoptr (ReeveRestIntake) intake = reeve_rest_intake_new (MAX_HEADER);
      g_autofree char *target = NULL;

      g_assert_cmpint (reeve_rest_intake_add (intake, text, strlen (text)), ==,
                       REEVE_REST_INTAKE_REQUEST);
      target = reeve_rest_intake_dup_target (intake);
      g_assert_cmpstr (target, ==, cases[i].sent);
      for (gsize piece = 1; piece <= strlen (text); piece += 7)
        {
          Reading reading = read_all (text, strlen (text), piece);

          g_assert_cmpstr (reading.given->str, ==, given);
          g_string_free (reading.given, TRUE);
        }
    }
}

static void
test_head (void)
{
  static const char text[] = "\r\nPOST /a?b=%20 HTTP/1.1\r\n" HOST
                             "Connection: keep-alive , Close\r\nContent-Length: 12\r\n\r\n";
  g_autoptr (ReeveRestIntake) intake = reeve_rest_intake_new (MAX_HEADER);
  const ReeveRestHead *head = reeve_rest_intake_get_head (intake);
  g_autofree char *target = NULL;

  g_assert_cmpint (reeve_rest_intake_get_state (intake), ==, REEVE_REST_INTAKE_EMPTY);
  g_assert_cmpint (reeve_rest_intake_add (intake, text, 2), ==, REEVE_REST_INTAKE_EMPTY);
  g_assert_cmpint (reeve_rest_intake_add (intake, text + 2, 1), ==, REEVE_REST_INTAKE_HEAD);
  g_assert_cmpint (reeve_rest_intake_add (intake, text + 3, sizeof text - 4), ==,
                   REEVE_REST_INTAKE_REQUEST);
  target = reeve_rest_intake_dup_target (intake);
  g_assert_cmpstr (target, ==, "/a?b=%20");
  g_assert_true (head->close && head->sized && !head->chunked && !head->old && !head->expect);
  g_assert_cmpuint (head->content_length, ==, 12);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rest-intake/head-without-a-copy", test_head_without_a_copy);
  g_test_add_func ("/rest-intake/good", test_good);
  g_test_add_func ("/rest-intake/bad", test_bad);
  g_test_add_func ("/rest-intake/bounds", test_bounds);
  g_test_add_func ("/rest-intake/bytes", test_bytes);
  g_test_add_func ("/rest-intake/path", test_path);
  g_test_add_func ("/rest-intake/head", test_head);
  return g_test_run ();
}
