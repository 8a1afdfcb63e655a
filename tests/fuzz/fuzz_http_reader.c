/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes the reader of HTTP responses: first byte = piece length and flags, the rest = what the
 * peer sends. */
/* covers: host/runtime/http-reader.c */
#include <stddef.h>
#include <stdint.h>

#include "runtime/http-reader.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  gboolean got_head;
  gsize body;
  gsize stop_at;
} Sink;

static gboolean
on_head (ReeveHttpResponse *head, gpointer user_data)
{
  Sink *sink = user_data;

  g_assert (!sink->got_head);
  g_assert (reeve_http_response_get_status (head) >= 200);
  sink->got_head = TRUE;
  return TRUE;
}

static gboolean
on_body (const guint8 *data, gsize length, gpointer user_data)
{
  Sink *sink = user_data;

  g_assert (sink->got_head && length > 0);
  sink->body += length;
  g_assert (sink->body <= 4096);
  return sink->body < sink->stop_at;
}

static const ReeveHttpReaderHandlers handlers = { on_head, on_body };

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Sink sink = { .stop_at = 4000 };
  g_autoptr (ReeveHttpReader) reader = reeve_http_reader_new (&handlers, &sink);
  g_autoptr (GError) error = NULL;
  ReeveHttpReaderResult result = REEVE_HTTP_READER_MORE;
  size_t piece = size > 0 ? (size_t) (data[0] >> 1) + 1 : 1;

  reeve_http_reader_begin (reader, size > 0 && (data[0] & 1), 4096);
  for (size_t at = 1; at < size && result == REEVE_HTTP_READER_MORE;)
    {
      gsize length = MIN (piece, size - at);
      gsize used = 0;

      result = reeve_http_reader_feed (reader, data + at, length, &used, &error);
      g_assert (used <= length);
      g_assert ((result == REEVE_HTTP_READER_FAILED) == (error != NULL));
      at += used;
    }
  if (result == REEVE_HTTP_READER_MORE)
    result = reeve_http_reader_end (reader, &error);
  g_assert (result != REEVE_HTTP_READER_COMPLETE || (sink.got_head && error == NULL));
  return 0;
}
