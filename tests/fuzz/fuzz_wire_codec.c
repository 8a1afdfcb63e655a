/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a codec in a runner encodes: a stream, whose frames are HTTP requests, in pieces whose size
 * the first byte says. What is taken says the same when it is written and read again. covers:
 * plugin-api/wire/wire-http.c plugin-api/wire/wire-stream.c */
#include <stdint.h>
#include <string.h>

#include "wire/wire-http.h"
#include "wire/wire-stream.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST 4096

static gboolean
take (JsonObject *header, const guint8 *payload, gsize length, gpointer user_data, GError **error)
{
  g_autoptr (ReeveHttpRequest) request = wire_http_request_from_object (header, error);
  g_autoptr (ReeveHttpRequest) again = NULL;
  g_autoptr (GBytes) body = g_bytes_new (payload, length);
  g_autofree char *text = NULL;
  g_autofree char *same = NULL;
  guint headers = 0;

  g_assert_cmpuint (length, <=, MOST);
  if (request == NULL)
    return FALSE;
  reeve_http_request_set_body (request, NULL, body);
  headers = g_strv_length ((char **) reeve_http_request_get_headers (request));
  g_assert_cmpuint (headers % 2, ==, 0);
  text = wire_http_request_to_text (request);
  again = wire_http_request_from_text (text, NULL);
  g_assert_nonnull (again);
  same = wire_http_request_to_text (again);
  g_assert_cmpstr (same, ==, text);
  return TRUE;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  WireStreamReader reader = { 0 };
  g_autoptr (GError) error = NULL;
  gsize piece = size > 0 ? (gsize) data[0] + 1 : 1;
  gboolean good = TRUE;

  wire_stream_reader_init (&reader, MOST, take, NULL);
  for (gsize at = 1; good && at < size; at += piece)
    {
      g_autofree guint8 *copy = g_memdup2 (data + at, MIN (piece, size - at));

      good = wire_stream_reader_feed (&reader, copy, MIN (piece, size - at), &error);
    }
  g_assert_true (good == (error == NULL));
  wire_stream_reader_clear (&reader);
  return 0;
}
