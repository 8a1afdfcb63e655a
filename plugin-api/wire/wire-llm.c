/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts and vectors of a piece are its frame's payload, all else is its header. */
#include "wire-llm.h"

#include <math.h>
#include <string.h>

#include "wire-stream.h"

static const char *const wire_llm_kinds[]
    = { "text", "thought", "tool_call", "usage", "finish", "raw", "embedding", "model" };
static const char *const wire_llm_tasks[] = { "chat", "embed", "models" };

/* ---- requests ---- */

static void
wire_llm_set_array (JsonObject *object, const char *name, JsonArray *array)
{
  JsonArray *own = NULL;

  if (array == NULL)
    return;
  own = json_array_sized_new (json_array_get_length (array));
  for (guint i = 0; i < json_array_get_length (array); i++)
    json_array_add_element (own, json_node_ref (json_array_get_element (array, i)));
  json_object_set_array_member (object, name, own);
}

char *
wire_llm_request_to_text (ReeveLlmRequest *request)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  const char *const *input = reeve_llm_request_get_input (request);
  GBytes *raw = reeve_llm_request_get_raw (request);

  json_node_take_object (node, object);
  json_object_set_string_member (object, "task",
                                 wire_llm_tasks[reeve_llm_request_get_task (request)]);
  json_object_set_string_member (object, "model", reeve_llm_request_get_model (request));
  wire_llm_set_array (object, "messages", reeve_llm_request_get_messages (request));
  wire_llm_set_array (object, "tools", reeve_llm_request_get_tools (request));
  if (input != NULL)
    {
      JsonArray *texts = json_array_new ();

      for (guint i = 0; input[i] != NULL; i++)
        json_array_add_string_element (texts, input[i]);
      json_object_set_array_member (object, "input", texts);
    }
  json_object_set_int_member (object, "max_tokens", reeve_llm_request_get_max_tokens (request));
  json_object_set_double_member (object, "temperature",
                                 reeve_llm_request_get_temperature (request));
  json_object_set_boolean_member (object, "stream", reeve_llm_request_get_stream (request));
  if (raw != NULL)
    {
      gsize length = 0;
      const char *data = g_bytes_get_data (raw, &length);
      g_autofree char *text = g_strndup (length > 0 ? data : "", length);

      json_object_set_string_member (object, "raw", text);
    }
  return reeve_json_text (node);
}

static void
wire_llm_read_rest (JsonObject *object, ReeveLlmRequest *request)
{
  JsonArray *messages = reeve_json_get_array (object, "messages");
  JsonArray *tools = reeve_json_get_array (object, "tools");
  JsonArray *input = reeve_json_get_array (object, "input");
  const char *raw = reeve_json_get_string (object, "raw", NULL);
  gint64 max_tokens = reeve_json_get_int (object, "max_tokens", 0);

  if (messages != NULL)
    reeve_llm_request_set_messages (request, messages);
  if (tools != NULL)
    reeve_llm_request_set_tools (request, tools);
  if (input != NULL)
    {
      g_autoptr (GPtrArray) texts = g_ptr_array_new ();

      for (guint i = 0; i < json_array_get_length (input); i++)
        {
          JsonNode *text = json_array_get_element (input, i);
          if (JSON_NODE_HOLDS_VALUE (text) && json_node_get_value_type (text) == G_TYPE_STRING)
            g_ptr_array_add (texts, (char *) json_node_get_string (text));
        }
      g_ptr_array_add (texts, NULL);
      reeve_llm_request_set_input (request, (const char *const *) texts->pdata);
    }
  reeve_llm_request_set_max_tokens (request, (guint) CLAMP (max_tokens, 0, G_MAXUINT));
  if (json_object_has_member (object, "temperature"))
    reeve_llm_request_set_temperature (request,
                                       json_object_get_double_member (object, "temperature"));
  reeve_llm_request_set_stream (request, reeve_json_get_boolean (object, "stream", FALSE));
  if (raw != NULL)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (raw, strlen (raw));
      reeve_llm_request_set_raw (request, bytes);
    }
}

ReeveLlmRequest *
wire_llm_request_from_text (const char *data, gsize length, GError **error)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (data, length, error);
  JsonObject *object = NULL;
  const char *task = NULL;
  const char *model = NULL;

  if (node == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  task = object != NULL ? reeve_json_get_string (object, "task", NULL) : NULL;
  model = object != NULL ? reeve_json_get_string (object, "model", NULL) : NULL;
  for (guint i = 0; task != NULL && model != NULL && i < G_N_ELEMENTS (wire_llm_tasks); i++)
    {
      if (strcmp (task, wire_llm_tasks[i]) == 0)
        {
          ReeveLlmRequest *request = reeve_llm_request_new ((ReeveLlmTask) i, model);

          wire_llm_read_rest (object, request);
          return request;
        }
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "a request to a model without task or model");
  return NULL;
}

/* ---- pieces of an answer ---- */

gboolean
wire_llm_append_delta (GByteArray *out, int fd, const ReeveLlmDelta *delta, GError **error)
{
  JsonObject *header = json_object_new ();
  gboolean is_vector = delta->kind == REEVE_LLM_DELTA_EMBEDDING;

  json_object_set_string_member (
      header, "kind", wire_llm_kinds[MIN ((guint) delta->kind, G_N_ELEMENTS (wire_llm_kinds) - 1)]);
  json_object_set_int_member (header, "index", delta->index);
  if (delta->id != NULL)
    json_object_set_string_member (header, "id", delta->id);
  if (delta->name != NULL)
    json_object_set_string_member (header, "name", delta->name);
  if (delta->text != NULL)
    json_object_set_boolean_member (header, "text", TRUE);
  if (delta->kind == REEVE_LLM_DELTA_USAGE)
    {
      json_object_set_int_member (header, "input_tokens", delta->input_tokens);
      json_object_set_int_member (header, "output_tokens", delta->output_tokens);
      json_object_set_int_member (header, "cached_tokens", delta->cached_tokens);
      json_object_set_int_member (header, "reasoning_tokens", delta->reasoning_tokens);
    }
  return wire_stream_append (
      out, fd, header, is_vector ? (gconstpointer) delta->values : (gconstpointer) delta->text,
      is_vector             ? delta->n_values * sizeof (float)
      : delta->text != NULL ? delta->text_length
                            : 0,
      error);
}

gboolean
wire_llm_write_delta (int fd, const ReeveLlmDelta *delta, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  return wire_llm_append_delta (out, fd, delta, error) && wire_stream_flush (out, fd, error);
}

static gboolean
wire_llm_fail (GError **error, const char *what)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "a piece of an answer: %s", what);
  return FALSE;
}

static gboolean
wire_llm_read_vector (const guint8 *payload, gsize length, ReeveLlmDelta *delta, GError **error)
{
  if (length % sizeof (float) != 0)
    return wire_llm_fail (error, "a vector is of numbers of four bytes");
  delta->values = (const float *) (gconstpointer) payload;
  delta->n_values = length / sizeof (float);
  for (gsize i = 0; i < delta->n_values; i++)
    {
      if (!isfinite (delta->values[i]))
        return wire_llm_fail (error, "a vector is of finite numbers");
    }
  return TRUE;
}

gboolean
wire_llm_read_delta (JsonObject *header, const guint8 *payload, gsize length, ReeveLlmDelta *delta,
                     GError **error)
{
  const char *kind = reeve_json_get_string (header, "kind", "");
  guint number = 0;

  while (number < G_N_ELEMENTS (wire_llm_kinds) && strcmp (kind, wire_llm_kinds[number]) != 0)
    number++;
  if (number == G_N_ELEMENTS (wire_llm_kinds))
    return wire_llm_fail (error, "its kind is unknown");
  *delta = (ReeveLlmDelta){
    .struct_size = sizeof *delta,
    .kind = (ReeveLlmDeltaKind) number,
    .index = (guint) CLAMP (reeve_json_get_int (header, "index", 0), 0, G_MAXINT),
    .id = reeve_json_get_string (header, "id", NULL),
    .name = reeve_json_get_string (header, "name", NULL),
    .input_tokens = MAX (reeve_json_get_int (header, "input_tokens", -1), -1),
    .output_tokens = MAX (reeve_json_get_int (header, "output_tokens", -1), -1),
    .cached_tokens = MAX (reeve_json_get_int (header, "cached_tokens", -1), -1),
    .reasoning_tokens = MAX (reeve_json_get_int (header, "reasoning_tokens", -1), -1),
  };
  if (delta->kind == REEVE_LLM_DELTA_EMBEDDING)
    return wire_llm_read_vector (payload, length, delta, error);
  if (!reeve_json_get_boolean (header, "text", length > 0))
    return TRUE;
  if (length > 0 && !g_utf8_validate_len ((const char *) payload, length, NULL))
    return wire_llm_fail (error, "its text is not UTF-8");
  delta->text = length > 0 ? (const char *) payload : "";
  delta->text_length = length;
  return TRUE;
}
