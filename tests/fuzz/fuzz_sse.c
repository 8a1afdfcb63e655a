/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Server-sent events of any bytes: the same events, to the byte, at once, byte by byte, and cut in
 * two at every place. */
/* covers: plugins/llm-openai/openai-sse.c */
#include <stdint.h>
#include <string.h>

#include "openai-sse.h"

#define EVERY_CUT 512 /* longer ones are cut at some places */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static gboolean
on_event (const char *type, const char *data, gsize length, gpointer user_data, GError **error)
{
  GString *told = user_data;

  g_assert (type != NULL && *type != '\0');
  g_string_append_printf (told, "%s %" G_GSIZE_FORMAT " ", type, length);
  g_string_append_len (told, data, (gssize) length);
  g_string_append_c (told, '\n');
  return TRUE;
}

/* cut: bytes of the first piece; then pieces of step bytes */
static GString *
read_in_pieces (const uint8_t *data, size_t size, size_t cut, size_t step)
{
  GString *told = g_string_new (NULL);
  g_autoptr (OpenaiSse) sse = openai_sse_new ();
  g_autoptr (GError) error = NULL;
  size_t piece = cut;
  gboolean good = TRUE;

  for (size_t at = 0; good && at < size; at += piece, piece = step)
    {
      piece = MIN (piece, size - at);
      good = openai_sse_feed (sse, data + at, piece, on_event, told, &error);
    }
  if (good)
    good = openai_sse_finish (sse, on_event, told, &error);
  g_assert (good == (error == NULL));
  g_string_append (told, good ? "end" : error->message);
  return told;
}

static void
check_same (const GString *whole, const uint8_t *data, size_t size, size_t cut, size_t step)
{
  GString *told = read_in_pieces (data, size, cut, step);

  g_assert_cmpmem (told->str, told->len, whole->str, whole->len);
  g_string_free (told, TRUE);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  GString *whole = read_in_pieces (data, size, size, size);
  size_t step = size > EVERY_CUT ? size / 16 : 1;

  check_same (whole, data, size, 1, 1);
  for (size_t cut = 1; cut < size; cut += step)
    check_same (whole, data, size, cut, size);
  g_string_free (whole, TRUE);
  return 0;
}
