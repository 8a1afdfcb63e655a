/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chat and embedding bodies of the OpenAI wire. A caller's own body is forwarded byte for byte, but
 * for the values of the members below: a second serialisation would cost time and could change what
 * an unknown member means. */
#include "openai-body.h"

#include <string.h>

enum
{
  OPENAI_BODY_MODEL,
  OPENAI_BODY_STREAM,
  OPENAI_BODY_STREAM_OPTIONS,
  OPENAI_BODY_MAX_TOKENS,
  OPENAI_BODY_MAX_COMPLETION_TOKENS,
  OPENAI_BODY_N_MEMBERS
};

static const char *const openai_body_members[]
    = { "model", "stream", "stream_options", "max_tokens", "max_completion_tokens", NULL };

/* Replacement of a range of the raw body; several are sorted by where they begin. */
typedef struct
{
  gsize start;
  gsize length;
  char *text;
} OpenaiBodyEdit;

static void
openai_body_edit_clear (gpointer data)
{
  g_free (((OpenaiBodyEdit *) data)->text);
}

static int
openai_body_edit_compare (gconstpointer a, gconstpointer b)
{
  gsize first = ((const OpenaiBodyEdit *) a)->start;
  gsize second = ((const OpenaiBodyEdit *) b)->start;

  return first < second ? -1 : first > second;
}

static char *
openai_body_quote (const char *text)
{
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), text);

  return reeve_json_canonical (node);
}

static gboolean
openai_body_slice_is (const ReeveJsonSlice *slice, const char *text)
{
  return slice->start != NULL && slice->length == strlen (text)
         && memcmp (slice->start, text, slice->length) == 0;
}

/* stream_options with include_usage: true, whatever else stands in it. */
static char *
openai_body_merge_options (const ReeveJsonSlice *slice, GError **error)
{
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonNode) merged = NULL;
  JsonObject *object = NULL;

  if (slice->start == NULL || openai_body_slice_is (slice, "null"))
    return g_strdup ("{\"include_usage\":true}");
  node = reeve_json_parse_strict (slice->start, slice->length, error);
  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "stream_options is not an object");
      return NULL;
    }
  object = json_object_new ();
  for (GList *names = json_object_get_members (json_node_get_object (node)); names != NULL;
       names = g_list_delete_link (names, names))
    json_object_set_member (object, names->data,
                            json_object_dup_member (json_node_get_object (node), names->data));
  json_object_set_boolean_member (object, "include_usage", TRUE);
  merged = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (merged, object);
  return reeve_json_canonical (merged);
}

/* Sets a member: in the place of its value, or before the closing brace. */
static void
openai_body_set (GArray *edits, const char *raw, gsize close, const char *name,
                 const ReeveJsonSlice *slice, char *value)
{
  OpenaiBodyEdit edit = { .start = close };

  if (slice->start != NULL)
    {
      edit.start = (gsize) (slice->start - raw);
      edit.length = slice->length;
      edit.text = value;
    }
  else
    {
      edit.text = g_strdup_printf (",\"%s\":%s", name, value);
      g_free (value);
    }
  g_array_append_val (edits, edit);
}

static double
openai_body_number (const ReeveJsonSlice *slice)
{
  g_autofree char *text
      = slice->start != NULL ? g_strndup (slice->start, MIN (slice->length, 400)) : NULL;

  return text != NULL ? g_ascii_strtod (text, NULL) : 0;
}

/* The bound of generated tokens: lowered where the caller gave more, set where the caller gave
 * none, or what is no number from 1 on: to some services 0 and -1 mean that there is no end. */
static void
openai_body_bound (GArray *edits, const char *raw, gsize close, const ReeveJsonSlice *slices,
                   guint bound, const OpenaiBodyStyle *style)
{
  gboolean given = FALSE;

  for (guint i = OPENAI_BODY_MAX_TOKENS; bound != 0 && i <= OPENAI_BODY_MAX_COMPLETION_TOKENS; i++)
    {
      double number = openai_body_number (&slices[i]);

      if (slices[i].start == NULL || openai_body_slice_is (&slices[i], "null"))
        continue;
      given = TRUE;
      if (number < 1 || number > bound)
        openai_body_set (edits, raw, close, openai_body_members[i], &slices[i],
                         g_strdup_printf ("%u", bound));
    }
  if (bound != 0 && !given)
    {
      guint member = g_str_equal (style->max_tokens_member, "max_tokens")
                         ? OPENAI_BODY_MAX_TOKENS
                         : OPENAI_BODY_MAX_COMPLETION_TOKENS;

      openai_body_set (edits, raw, close, openai_body_members[member], &slices[member],
                       g_strdup_printf ("%u", bound));
    }
}

static GBytes *
openai_body_apply (const char *raw, gsize length, GArray *edits)
{
  g_autoptr (GString) out = g_string_sized_new (length + 128);
  gsize at = 0;

  /* stable: members set before the closing brace keep their order */
  g_array_sort (edits, openai_body_edit_compare);
  for (guint i = 0; i < edits->len; i++)
    {
      const OpenaiBodyEdit *edit = &g_array_index (edits, OpenaiBodyEdit, i);

      g_string_append_len (out, raw + at, (gssize) (edit->start - at));
      g_string_append (out, edit->text);
      at = edit->start + edit->length;
    }
  g_string_append_len (out, raw + at, (gssize) (length - at));
  return g_string_free_to_bytes (g_steal_pointer (&out));
}

static GBytes *
openai_body_splice (ReeveLlmRequest *request, const OpenaiBodyStyle *style, GError **error)
{
  ReeveJsonSlice slices[OPENAI_BODY_N_MEMBERS];
  g_autoptr (GArray) edits = g_array_new (FALSE, FALSE, sizeof (OpenaiBodyEdit));
  gboolean stream = reeve_llm_request_get_stream (request);
  gsize length = 0;
  gsize close = 0;
  const char *raw = g_bytes_get_data (reeve_llm_request_get_raw (request), &length);
  const ReeveJsonSlice *options = &slices[OPENAI_BODY_STREAM_OPTIONS];

  g_array_set_clear_func (edits, openai_body_edit_clear);
  if (!reeve_json_find_members (raw, length, openai_body_members, slices, error))
    return NULL;
  for (close = length - 1; raw[close] != '}'; close--)
    ;
  if (slices[OPENAI_BODY_MODEL].start == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "model is missing");
      return NULL;
    }
  openai_body_set (edits, raw, close, "model", &slices[OPENAI_BODY_MODEL],
                   openai_body_quote (reeve_llm_request_get_model (request)));
  if (stream != openai_body_slice_is (&slices[OPENAI_BODY_STREAM], "true"))
    openai_body_set (edits, raw, close, "stream", &slices[OPENAI_BODY_STREAM],
                     g_strdup (stream ? "true" : "false"));
  if (stream && style->include_usage)
    {
      char *merged = openai_body_merge_options (options, error);

      if (merged == NULL)
        return NULL;
      openai_body_set (edits, raw, close, "stream_options", options, merged);
    }
  openai_body_bound (edits, raw, close, slices, reeve_llm_request_get_max_tokens (request), style);
  return openai_body_apply (raw, length, edits);
}

static void
openai_body_append_array (GString *out, const char *name, JsonArray *array)
{
  g_autoptr (JsonNode) node = json_node_init_array (json_node_alloc (), array);
  g_autofree char *text = reeve_json_canonical (node);

  g_string_append_printf (out, ",\"%s\":", name);
  g_string_append (out, text);
}

static GBytes *
openai_body_chat (ReeveLlmRequest *request, const OpenaiBodyStyle *style, GError **error)
{
  JsonArray *messages = reeve_llm_request_get_messages (request);
  JsonArray *tools = reeve_llm_request_get_tools (request);
  double temperature = reeve_llm_request_get_temperature (request);
  g_autofree char *model = openai_body_quote (reeve_llm_request_get_model (request));
  g_autoptr (GString) out = g_string_sized_new (1024);
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  if (messages == NULL || json_array_get_length (messages) == 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "the request has no messages");
      return NULL;
    }
  g_string_append (out, "{\"model\":");
  g_string_append (out, model);
  openai_body_append_array (out, "messages", messages);
  if (tools != NULL && json_array_get_length (tools) > 0)
    openai_body_append_array (out, "tools", tools);
  if (reeve_llm_request_get_max_tokens (request) > 0)
    g_string_append_printf (out, ",\"%s\":%u", style->max_tokens_member,
                            reeve_llm_request_get_max_tokens (request));
  if (temperature >= 0)
    g_string_append_printf (out, ",\"temperature\":%s",
                            g_ascii_formatd (number, sizeof number, "%.6g", temperature));
  if (reeve_llm_request_get_stream (request))
    {
      g_string_append (out, ",\"stream\":true");
      if (style->include_usage)
        g_string_append (out, ",\"stream_options\":{\"include_usage\":true}");
    }
  g_string_append_c (out, '}');
  return g_string_free_to_bytes (g_steal_pointer (&out));
}

static GBytes *
openai_body_embed (ReeveLlmRequest *request, GError **error)
{
  const char *const *input = reeve_llm_request_get_input (request);
  g_autofree char *model = openai_body_quote (reeve_llm_request_get_model (request));
  g_autoptr (GString) out = g_string_new ("{\"input\":[");

  if (input == NULL || input[0] == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "there is no text to embed");
      return NULL;
    }
  for (guint i = 0; input[i] != NULL; i++)
    {
      g_autofree char *text = openai_body_quote (input[i]);

      g_string_append (out, i > 0 ? "," : "");
      g_string_append (out, text);
    }
  g_string_append (out, "],\"model\":");
  g_string_append (out, model);
  g_string_append_c (out, '}');
  return g_string_free_to_bytes (g_steal_pointer (&out));
}

/**
 * openai_body_build:
 * @request: a chat or embedding request
 * @style: what the service wants
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the body, %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
GBytes *
openai_body_build (ReeveLlmRequest *request, const OpenaiBodyStyle *style, GError **error)
{
  if (reeve_llm_request_get_task (request) == REEVE_LLM_TASK_EMBED
      && reeve_llm_request_get_raw (request) == NULL)
    return openai_body_embed (request, error);
  if (reeve_llm_request_get_raw (request) != NULL)
    return openai_body_splice (request, style, error);
  return openai_body_chat (request, style, error);
}

/**
 * openai_body_wants_usage:
 * @raw: a caller's own body
 *
 * Returns: whether the caller asked for token counts in the stream
 */
gboolean
openai_body_wants_usage (GBytes *raw)
{
  static const char *const outer[] = { "stream_options", NULL };
  static const char *const inner[] = { "include_usage", NULL };
  ReeveJsonSlice slice;
  ReeveJsonSlice value;
  gsize length = 0;
  const char *data = g_bytes_get_data (raw, &length);

  return reeve_json_find_members (data, length, outer, &slice, NULL) && slice.start != NULL
         && reeve_json_find_members (slice.start, slice.length, inner, &value, NULL)
         && openai_body_slice_is (&value, "true");
}
