/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chat completions, chunks of them, embeddings and model lists as deltas. Lenient about what
 * servers leave out, strict about what they get wrong in a way that would change an answer. */
#include "openai-chunk.h"

#include <string.h>

#define OPENAI_CHUNK_MAX_CALLS  128
#define OPENAI_CHUNK_MAX_VALUES 65536

static void
openai_chunk_init (ReeveLlmDelta *delta, ReeveLlmDeltaKind kind)
{
  memset (delta, 0, sizeof *delta);
  delta->struct_size = sizeof *delta;
  delta->kind = kind;
  delta->input_tokens = delta->output_tokens = -1;
  delta->cached_tokens = delta->reasoning_tokens = -1;
}

static gboolean
openai_chunk_emit (const OpenaiSink *sink, const ReeveLlmDelta *delta, GError **error)
{
  return sink->func (delta, sink->user_data, error);
}

/**
 * openai_chunk_emit_text:
 * @sink: where to
 * @kind: a kind that has only text
 * @text: the bytes
 * @length: their number; nothing is emitted when 0
 * @error: return location
 *
 * Returns: %FALSE with the sink's error
 */
gboolean
openai_chunk_emit_text (const OpenaiSink *sink, ReeveLlmDeltaKind kind, const char *text,
                        gsize length, GError **error)
{
  ReeveLlmDelta delta;

  if (length == 0)
    return TRUE;
  openai_chunk_init (&delta, kind);
  delta.text = text;
  delta.text_length = length;
  return openai_chunk_emit (sink, &delta, error);
}

static gboolean
openai_chunk_emit_string (const OpenaiSink *sink, ReeveLlmDeltaKind kind, const char *text,
                          GError **error)
{
  return text == NULL || openai_chunk_emit_text (sink, kind, text, strlen (text), error);
}

static gint64
openai_chunk_detail (JsonObject *usage, const char *group, const char *member)
{
  JsonObject *details = reeve_json_get_object (usage, group);

  return details != NULL ? reeve_json_get_int (details, member, -1) : -1;
}

gboolean
openai_chunk_emit_counts (const OpenaiSink *sink, gint64 input, gint64 output, gint64 cached,
                          gint64 reasoning, GError **error)
{
  ReeveLlmDelta delta;

  openai_chunk_init (&delta, REEVE_LLM_DELTA_USAGE);
  /* what a service counts below nothing is not known */
  delta.input_tokens = MAX (input, -1);
  delta.output_tokens = MAX (output, -1);
  delta.cached_tokens = MAX (cached, -1);
  delta.reasoning_tokens = MAX (reasoning, -1);
  return openai_chunk_emit (sink, &delta, error);
}

static gboolean
openai_chunk_emit_usage (const OpenaiSink *sink, JsonObject *usage, GError **error)
{
  if (usage == NULL)
    return TRUE;
  return openai_chunk_emit_counts (
      sink, reeve_json_get_int (usage, "prompt_tokens", -1),
      reeve_json_get_int (usage, "completion_tokens", -1),
      openai_chunk_detail (usage, "prompt_tokens_details", "cached_tokens"),
      openai_chunk_detail (usage, "completion_tokens_details", "reasoning_tokens"), error);
}

/* A piece of one tool call: OpenAI numbers them by `index`; others leave it out and send whole
 * calls. */
static gboolean
openai_chunk_emit_call (const OpenaiSink *sink, JsonObject *call, guint position, GError **error)
{
  JsonObject *function = reeve_json_get_object (call, "function");
  gint64 index = reeve_json_get_int (call, "index", position);
  ReeveLlmDelta delta;

  if (index < 0 || index >= OPENAI_CHUNK_MAX_CALLS)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM,
                           "the answer has too many tool calls");
      return FALSE;
    }
  openai_chunk_init (&delta, REEVE_LLM_DELTA_TOOL_CALL);
  delta.index = (guint) index;
  delta.id = reeve_json_get_string (call, "id", NULL);
  delta.name = function != NULL ? reeve_json_get_string (function, "name", NULL) : NULL;
  delta.text = function != NULL ? reeve_json_get_string (function, "arguments", "") : "";
  delta.text_length = strlen (delta.text);
  return openai_chunk_emit (sink, &delta, error);
}

static gboolean
openai_chunk_emit_calls (const OpenaiSink *sink, JsonArray *calls, GError **error)
{
  guint n = calls != NULL ? json_array_get_length (calls) : 0;

  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (calls, i);

      if (JSON_NODE_HOLDS_OBJECT (node)
          && !openai_chunk_emit_call (sink, json_node_get_object (node), i, error))
        return FALSE;
    }
  return TRUE;
}

/* content is a string, or in some servers an array of parts */
static gboolean
openai_chunk_emit_content (const OpenaiSink *sink, JsonObject *message, GError **error)
{
  JsonArray *parts = reeve_json_get_array (message, "content");
  const char *text = reeve_json_get_string (message, "content", NULL);
  guint n = parts != NULL ? json_array_get_length (parts) : 0;

  if (text == NULL && parts == NULL)
    text = reeve_json_get_string (message, "refusal", NULL);
  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (parts, i);

      if (JSON_NODE_HOLDS_OBJECT (node)
          && !openai_chunk_emit_string (
              sink, REEVE_LLM_DELTA_TEXT,
              reeve_json_get_string (json_node_get_object (node), "text", NULL), error))
        return FALSE;
    }
  return openai_chunk_emit_string (sink, REEVE_LLM_DELTA_TEXT, text, error);
}

static gboolean
openai_chunk_emit_message (const OpenaiSink *sink, JsonObject *message, GError **error)
{
  const char *thought = reeve_json_get_string (message, "reasoning_content", NULL);

  if (thought == NULL)
    thought = reeve_json_get_string (message, "reasoning", NULL);
  return openai_chunk_emit_string (sink, REEVE_LLM_DELTA_THOUGHT, thought, error)
         && openai_chunk_emit_content (sink, message, error)
         && openai_chunk_emit_calls (sink, reeve_json_get_array (message, "tool_calls"), error);
}

/**
 * openai_chunk_emit_chat:
 * @sink: where to
 * @body: a chat completion, or one chunk of it
 * @finished: (inout): set to %TRUE when the answer says why it ended
 * @error: return location
 *
 * Reads the first choice; further ones reach the caller only in raw frames.
 *
 * Returns: %FALSE with %REEVE_ERROR_UPSTREAM or the sink's error
 */
gboolean
openai_chunk_emit_chat (const OpenaiSink *sink, JsonObject *body, gboolean *finished,
                        GError **error)
{
  JsonArray *choices = reeve_json_get_array (body, "choices");
  guint n = choices != NULL ? json_array_get_length (choices) : 0;
  const char *reason = NULL;

  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (choices, i);
      JsonObject *choice = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      JsonObject *message = NULL;

      if (choice == NULL || reeve_json_get_int (choice, "index", 0) != 0)
        continue;
      message = reeve_json_get_object (choice, "delta");
      if (message == NULL)
        message = reeve_json_get_object (choice, "message");
      if (message != NULL && !openai_chunk_emit_message (sink, message, error))
        return FALSE;
      if (reason == NULL)
        reason = reeve_json_get_string (choice, "finish_reason", NULL);
    }
  if (!openai_chunk_emit_usage (sink, reeve_json_get_object (body, "usage"), error))
    return FALSE;
  if (reason != NULL)
    *finished = TRUE;
  return openai_chunk_emit_string (sink, REEVE_LLM_DELTA_FINISH, reason, error);
}

static gboolean
openai_chunk_read_values (JsonNode *node, GArray *values, GError **error)
{
  const char *text = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
  guint n = JSON_NODE_HOLDS_ARRAY (node) ? json_array_get_length (json_node_get_array (node)) : 0;

  g_array_set_size (values, 0);
  /* base64 of little-endian floats */
  if (text != NULL)
    {
      gsize length = 0;
      g_autofree guchar *bytes = g_base64_decode (text, &length);

      for (gsize at = 0; at + 4 <= length && values->len < OPENAI_CHUNK_MAX_VALUES; at += 4)
        {
          guint32 word = (guint32) bytes[at] | (guint32) bytes[at + 1] << 8
                         | (guint32) bytes[at + 2] << 16 | (guint32) bytes[at + 3] << 24;
          float value = 0;

          memcpy (&value, &word, sizeof value);
          g_array_append_val (values, value);
        }
    }
  for (guint i = 0; i < MIN (n, OPENAI_CHUNK_MAX_VALUES); i++)
    {
      float value
          = (float) json_node_get_double (json_array_get_element (json_node_get_array (node), i));

      g_array_append_val (values, value);
    }
  if (values->len > 0)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the answer has an empty vector");
  return FALSE;
}

/**
 * openai_chunk_emit_embeddings:
 * @sink: where to
 * @body: an answer of the embeddings resource
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_UPSTREAM or the sink's error
 */
gboolean
openai_chunk_emit_embeddings (const OpenaiSink *sink, JsonObject *body, GError **error)
{
  JsonArray *data = reeve_json_get_array (body, "data");
  guint n = data != NULL ? json_array_get_length (data) : 0;
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (float));

  if (n == 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the answer has no vectors");
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (data, i);
      JsonObject *item = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      JsonNode *vector = item != NULL ? json_object_get_member (item, "embedding") : NULL;
      gint64 index = item != NULL ? reeve_json_get_int (item, "index", i) : -1;
      ReeveLlmDelta delta;

      if (vector == NULL || index < 0 || index >= n)
        {
          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM,
                               "the answer has a vector without place");
          return FALSE;
        }
      if (!openai_chunk_read_values (vector, values, error))
        return FALSE;
      openai_chunk_init (&delta, REEVE_LLM_DELTA_EMBEDDING);
      delta.index = (guint) index;
      delta.values = (const float *) (gpointer) values->data;
      delta.n_values = values->len;
      if (!openai_chunk_emit (sink, &delta, error))
        return FALSE;
    }
  return openai_chunk_emit_usage (sink, reeve_json_get_object (body, "usage"), error);
}

/**
 * openai_chunk_emit_models:
 * @sink: where to
 * @body: an answer of the models resource
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_UPSTREAM or the sink's error
 */
gboolean
openai_chunk_emit_models (const OpenaiSink *sink, JsonObject *body, GError **error)
{
  JsonArray *data = reeve_json_get_array (body, "data");
  guint n = data != NULL ? json_array_get_length (data) : 0;

  if (data == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the answer is no model list");
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (data, i);
      ReeveLlmDelta delta;

      openai_chunk_init (&delta, REEVE_LLM_DELTA_MODEL);
      delta.index = i;
      if (JSON_NODE_HOLDS_OBJECT (node))
        delta.id = reeve_json_get_string (json_node_get_object (node), "id", NULL);
      if (delta.id != NULL && !openai_chunk_emit (sink, &delta, error))
        return FALSE;
    }
  return TRUE;
}
