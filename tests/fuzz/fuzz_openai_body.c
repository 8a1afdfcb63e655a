/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes the splicing of a caller's body: what is sent is strict JSON of the chosen model, or
 * nothing is sent. */
/* covers: plugins/llm-openai/openai-body.c */
#include <reeve-plugin-1.h>
#include <stddef.h>
#include <stdint.h>

#include "openai-body.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const OpenaiBodyStyle style = { "max_tokens", TRUE };
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "chosen");
  g_autoptr (GBytes) raw = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *object = NULL;
  gsize length = 0;

  if (size < 1)
    return 0;
  raw = g_bytes_new (data + 1, size - 1);
  reeve_llm_request_set_raw (request, raw);
  reeve_llm_request_set_stream (request, data[0] & 1);
  reeve_llm_request_set_max_tokens (request, data[0] >> 1);
  body = openai_body_build (request, &style, &error);
  g_assert ((body == NULL) == (error != NULL));
  if (body == NULL)
    return 0;
  data = g_bytes_get_data (body, &length);
  node = reeve_json_parse_strict ((const char *) data, length, &error);
  g_assert_no_error (error);
  object = json_node_get_object (node);
  g_assert_cmpstr (reeve_json_get_string (object, "model", NULL), ==, "chosen");
  g_assert (reeve_json_get_boolean (object, "stream", FALSE)
            == reeve_llm_request_get_stream (request));
  if (reeve_llm_request_get_stream (request))
    g_assert (openai_body_wants_usage (body));
  return 0;
}
