/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes what llm-openai reads: two bytes choose task, status, kind and pieces, the rest is the
 * service's answer. */
/* covers: plugins/llm-openai/openai-decoder.c
 * plugins/llm-openai/openai-chunk.c
 * plugins/llm-openai/openai-error.c */
#include <reeve-plugin-1.h>
#include <stddef.h>
#include <stdint.h>

#include "openai-decoder.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static gboolean
on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  gsize *sum = user_data;

  g_assert (delta->struct_size == sizeof *delta);
  g_assert (delta->text_length == 0 || delta->text != NULL);
  for (gsize i = 0; i < delta->text_length; i++)
    *sum += (guchar) delta->text[i];
  for (gsize i = 0; i < delta->n_values; i++)
    *sum += delta->values[i] > 0;
  return TRUE;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const guint statuses[] = { 200, 200, 200, 400, 401, 404, 429, 500 };
  static const char raw_text[] = "{\"model\":\"m\",\"stream\":true}";
  g_autoptr (ReeveLlmRequest) request = NULL;
  g_autoptr (ReeveLlmDecoder) decoder = NULL;
  g_autoptr (ReeveHttpResponse) head = NULL;
  g_autoptr (GError) error = NULL;
  gsize sum = 0;
  gboolean ok = TRUE;

  if (size < 2)
    return 0;
  request = reeve_llm_request_new ((ReeveLlmTask) (data[0] % 3), "m");
  if (data[0] & 16)
    {
      g_autoptr (GBytes) raw = g_bytes_new_static (raw_text, sizeof raw_text - 1);

      reeve_llm_request_set_raw (request, raw);
      reeve_llm_request_set_stream (request, TRUE);
    }
  head = reeve_http_response_new (statuses[(data[0] >> 5) & 7]);
  reeve_http_response_add_header (head, "Content-Type",
                                  data[0] & 8 ? "text/event-stream" : "application/json");
  decoder = REEVE_LLM_DECODER (openai_decoder_new (request));
  ok = reeve_llm_decoder_begin (decoder, head, &error);
  for (size_t at = 2, piece = 0; ok && at < size; at += piece)
    {
      piece = MIN ((size_t) data[1] + 1, size - at);
      ok = reeve_llm_decoder_feed (decoder, data + at, piece, on_delta, &sum, &error);
    }
  if (ok)
    ok = reeve_llm_decoder_finish (decoder, on_delta, &sum, &error);
  g_assert (ok == (error == NULL));
  return 0;
}
