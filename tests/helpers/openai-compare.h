/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads an answer at a glance and from its tree: both say the same, or the glance says nothing. */
#pragma once

#include <reeve-plugin-1.h>

#include "openai-glance.h"

static inline gboolean
openai_compare_collect (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  g_autofree char *text = g_strndup (delta->text != NULL ? delta->text : "", delta->text_length);

  g_string_append_printf (user_data,
                          "%d|%u|%s|%s|%s|%" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                          " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
                          (int) delta->kind, delta->index, delta->id != NULL ? delta->id : "",
                          delta->name != NULL ? delta->name : "", text, delta->input_tokens,
                          delta->output_tokens, delta->cached_tokens, delta->reasoning_tokens);
  return TRUE;
}

/* Returns: was it read at a glance */
static inline gboolean
openai_compare (const char *text, gsize length)
{
  g_auto (OpenaiGlance) glance = { 0 };
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (GString) meant = g_string_new (NULL);
  gboolean finished[2] = { FALSE, FALSE };
  JsonObject *body = NULL;

  if (!openai_glance_read (&glance, text, length))
    return FALSE;
  node = reeve_json_parse_strict (text, length, &error);
  g_assert_no_error (error);
  g_assert_true (JSON_NODE_HOLDS_OBJECT (node));
  body = json_node_get_object (node);
  /* what the decoder looks at before it emits anything */
  g_assert_true (!json_object_has_member (body, "error")
                 || json_object_get_null_member (body, "error"));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (body, "choices")), >, 0);
  g_assert_true (openai_glance_emit (&glance, &(OpenaiSink){ openai_compare_collect, seen },
                                     &finished[0], &error));
  g_assert_true (openai_chunk_emit_chat (&(OpenaiSink){ openai_compare_collect, meant }, body,
                                         &finished[1], &error));
  g_assert_cmpstr (seen->str, ==, meant->str);
  g_assert_cmpint (finished[0], ==, finished[1]);
  return TRUE;
}
