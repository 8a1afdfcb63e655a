/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes the intake of requests: first byte = how many bytes come at a time, the rest = what a
 * client sends. In pieces or at once it must read the same; where http_parser reads a request too,
 * both must see its end at the same byte, or a proxy could; and of each request libsoup must be
 * able to make an address, or it would refuse it by itself. */
/* covers: host/api/rest/intake.c
 * host/api/rest/head.c
 * host/api/rest/framing.c */
#include <http_parser.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "api/rest/intake.h"

#define MAX_HEADER 2048

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  GString *given; /* what a reader of requests gets */
  gsize complete; /* of it, without a request that goes on or breaks */
  guint requests;
  guint status;
  gsize first; /* bytes of the first request, blank lines before it not counted */
} Reading;

/* As libsoup does it; a request without a Host has its address made of the socket's. */
static void
check_address (const ReeveRestHead *head, const char *request)
{
  const GUriFlags flags = G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_PATH
                          | G_URI_FLAGS_ENCODED_QUERY | G_URI_FLAGS_ENCODED_FRAGMENT
                          | G_URI_FLAGS_SCHEME_NORMALIZE;
  const char *target = request + head->target.offset - head->start;
  g_autofree char *host = g_strndup (request + head->host.offset - head->start, head->host.length);
  g_autofree char *url = g_strdup_printf ("http://%s%.*s", host, (int) head->target.length, target);

  g_assert_true (*target == '/');
  g_assert_true (head->host.length == 0 || g_uri_is_valid (url, flags, NULL));
}

static void
take (ReeveRestIntake *intake, Reading *reading)
{
  while (reeve_rest_intake_get_state (intake) == REEVE_REST_INTAKE_REQUEST)
    {
      char buffer[7];
      gsize n = reeve_rest_intake_take (intake, buffer, sizeof buffer);

      g_string_append_len (reading->given, buffer, (gssize) n);
      if (reeve_rest_intake_is_taken (intake))
        {
          check_address (reeve_rest_intake_get_head (intake),
                         reading->given->str + reading->complete);
          reading->complete = reading->given->len;
          if (reading->requests++ == 0)
            reading->first = reading->complete;
          reeve_rest_intake_next (intake);
        }
      else if (n == 0)
        break;
    }
}

static Reading
read_all (const uint8_t *data, size_t size, size_t piece)
{
  g_autoptr (ReeveRestIntake) intake = reeve_rest_intake_new (MAX_HEADER);
  Reading reading = { .given = g_string_new (NULL) };

  for (size_t at = 0; at < size && reeve_rest_intake_get_state (intake) != REEVE_REST_INTAKE_BAD;)
    {
      size_t length = MIN (piece, size - at);

      reeve_rest_intake_add (intake, data + at, length);
      take (intake, &reading);
      at += length;
    }
  if (reeve_rest_intake_get_state (intake) == REEVE_REST_INTAKE_BAD)
    {
      reading.status = reeve_rest_intake_get_status (intake);
      g_assert_nonnull (reeve_rest_intake_get_detail (intake));
      g_assert_true (reading.status >= 400 && reading.status < 600);
    }
  return reading;
}

static int
on_complete (http_parser *parser)
{
  http_parser_pause (parser, 1);
  return 0;
}

/* Bytes of the first request as http_parser sees it; 0: it does not read one. */
static gsize
ask_http_parser (const char *data, gsize length)
{
  http_parser parser;
  http_parser_settings settings;
  gsize n = 0;

  memset (&parser, 0, sizeof parser);
  http_parser_settings_init (&settings);
  settings.on_message_complete = on_complete;
  http_parser_init (&parser, HTTP_REQUEST);
  n = http_parser_execute (&parser, &settings, data, length);
  if (HTTP_PARSER_ERRNO (&parser) != HPE_PAUSED || parser.upgrade)
    return 0;
  /* a pause at the end of the head leaves its last LF unread */
  return n < length && data[n] == '\n' && data[n - 1] == '\r' ? n + 1 : n;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  size_t piece = size > 0 ? (size_t) data[0] % 64 + 1 : 1;
  Reading whole;
  Reading pieces;

  if (size < 2)
    return 0;
  whole = read_all (data + 1, size - 1, size);
  pieces = read_all (data + 1, size - 1, piece);
  g_assert_cmpuint (whole.status, ==, pieces.status);
  g_assert_cmpuint (whole.requests, ==, pieces.requests);
  g_assert_cmpmem (whole.given->str, whole.complete, pieces.given->str, pieces.complete);
  if (whole.requests > 0)
    {
      gsize theirs = ask_http_parser (whole.given->str, whole.given->len);

      g_assert_true (theirs == 0 || theirs == whole.first);
    }
  g_string_free (whole.given, TRUE);
  g_string_free (pieces.given, TRUE);
  return 0;
}
