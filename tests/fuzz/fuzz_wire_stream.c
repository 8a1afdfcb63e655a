/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a runner writes on a stream, in pieces: the first byte says how large. Each frame is read as
 * a piece of a model's answer, and the bytes of all of them are no more than came. covers:
 * plugin-api/wire/wire-stream.c plugin-api/wire/wire-llm.c */
#include <stdint.h>

#include "wire/wire-llm.h"
#include "wire/wire-stream.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST 4096

static gboolean
take (JsonObject *header, const guint8 *payload, gsize length, gpointer user_data, GError **error)
{
  gsize *total = user_data;
  ReeveLlmDelta delta = { 0 };

  g_assert_cmpuint (length, <=, MOST);
  *total += length;
  if (!wire_llm_read_delta (header, payload, length, &delta, error))
    return FALSE;
  if (delta.text_length > 0)
    g_assert_true (g_utf8_validate_len (delta.text, delta.text_length, NULL));
  g_assert_cmpuint (delta.n_values * sizeof (float), <=, length);
  return TRUE;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  WireStreamReader reader = { 0 };
  g_autoptr (GError) error = NULL;
  gsize total = 0;
  gsize piece = size > 0 ? (gsize) data[0] + 1 : 1;
  gboolean good = TRUE;

  wire_stream_reader_init (&reader, MOST, take, &total);
  for (gsize at = 1; good && at < size; at += piece)
    {
      g_autofree guint8 *copy = g_memdup2 (data + at, MIN (piece, size - at));

      good = wire_stream_reader_feed (&reader, copy, MIN (piece, size - at), &error);
    }
  g_assert_true (good == (error == NULL));
  g_assert_cmpuint (total, <=, size);
  wire_stream_reader_clear (&reader);
  return 0;
}
