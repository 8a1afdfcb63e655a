/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Written as the service writes it, so that its own clients read it. */
#include "openai-wire.h"

#include "base/error-detail.h"
#include "base/ids.h"
#include <reeve-json.h>

#include <string.h>

void
reeve_openai_wire_init (ReeveOpenaiWire *self, const char *model)
{
  g_autofree char *id = reeve_ids_new ("req");

  self->id = g_strconcat ("chatcmpl-", id + strlen ("req_"), NULL);
  self->model = g_strdup (model);
  self->created = g_get_real_time () / G_USEC_PER_SEC;
}

void
reeve_openai_wire_clear (ReeveOpenaiWire *self)
{
  g_clear_pointer (&self->id, g_free);
  g_clear_pointer (&self->model, g_free);
}

static JsonObject *
reeve_openai_wire_head (const ReeveOpenaiWire *self, const char *kind)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", self->id);
  json_object_set_string_member (object, "object", kind);
  json_object_set_int_member (object, "created", self->created);
  json_object_set_string_member (object, "model", self->model);
  return object;
}

static JsonObject *
reeve_openai_wire_usage (gint64 input_tokens, gint64 output_tokens)
{
  JsonObject *usage = json_object_new ();

  json_object_set_int_member (usage, "prompt_tokens", MAX (input_tokens, 0));
  json_object_set_int_member (usage, "completion_tokens", MAX (output_tokens, 0));
  json_object_set_int_member (usage, "total_tokens",
                              MAX (input_tokens, 0) + MAX (output_tokens, 0));
  return usage;
}

static void
reeve_openai_wire_set_choice (JsonObject *object, const char *member, JsonObject *content,
                              const char *finish_reason)
{
  JsonObject *choice = json_object_new ();
  JsonArray *choices = json_array_new ();

  json_object_set_int_member (choice, "index", 0);
  json_object_set_object_member (choice, member, content);
  json_object_set_null_member (choice, "logprobs");
  if (finish_reason != NULL)
    json_object_set_string_member (choice, "finish_reason", finish_reason);
  else
    json_object_set_null_member (choice, "finish_reason");
  json_array_add_object_element (choices, choice);
  json_object_set_array_member (object, "choices", choices);
}

JsonObject *
reeve_openai_wire_completion (const ReeveOpenaiWire *self, const char *content,
                              JsonArray *tool_calls, const char *finish_reason, gint64 input_tokens,
                              gint64 output_tokens)
{
  JsonObject *object = reeve_openai_wire_head (self, "chat.completion");
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", "assistant");
  if (tool_calls != NULL && *content == '\0')
    json_object_set_null_member (message, "content");
  else
    json_object_set_string_member (message, "content", content);
  json_object_set_null_member (message, "refusal");
  if (tool_calls != NULL)
    json_object_set_array_member (message, "tool_calls", json_array_ref (tool_calls));
  reeve_openai_wire_set_choice (object, "message", message,
                                finish_reason != NULL ? finish_reason : "stop");
  json_object_set_object_member (object, "usage",
                                 reeve_openai_wire_usage (input_tokens, output_tokens));
  return object;
}

GBytes *
reeve_openai_wire_raw_chunk (const char *json, gsize length)
{
  GString *frame = g_string_sized_new (length + 9);

  g_string_append (frame, "data: ");
  g_string_append_len (frame, json, (gssize) length);
  /* an upstream may send an event in lines; their ends are nothing but space in JSON, and would end
   * the caller's event */
  if (memchr (json, '\n', length) != NULL || memchr (json, '\r', length) != NULL)
    g_strdelimit (frame->str, "\r\n", ' ');
  g_string_append (frame, "\n\n");
  return g_string_free_to_bytes (frame);
}

static GBytes *
reeve_openai_wire_frame (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
  g_autofree char *json = reeve_json_text (node);

  json_object_unref (object);
  return reeve_openai_wire_raw_chunk (json, strlen (json));
}

GBytes *
reeve_openai_wire_text_chunk (const ReeveOpenaiWire *self, gboolean first, const char *content,
                              gsize length, const char *finish_reason)
{
  JsonObject *object = reeve_openai_wire_head (self, "chat.completion.chunk");
  JsonObject *delta = json_object_new ();
  g_autofree char *text = content != NULL ? g_strndup (content, length) : NULL;

  if (first)
    json_object_set_string_member (delta, "role", "assistant");
  if (text != NULL)
    json_object_set_string_member (delta, "content", text);
  reeve_openai_wire_set_choice (object, "delta", delta, finish_reason);
  return reeve_openai_wire_frame (object);
}

GBytes *
reeve_openai_wire_tool_chunk (const ReeveOpenaiWire *self, const ReeveLlmDelta *delta)
{
  JsonObject *object = reeve_openai_wire_head (self, "chat.completion.chunk");
  JsonObject *content = json_object_new ();
  JsonObject *call = json_object_new ();
  JsonObject *function = json_object_new ();
  JsonArray *calls = json_array_new ();
  g_autofree char *text = g_strndup (delta->text != NULL ? delta->text : "", delta->text_length);

  json_object_set_int_member (call, "index", delta->index);
  if (delta->id != NULL)
    {
      json_object_set_string_member (call, "id", delta->id);
      json_object_set_string_member (call, "type", "function");
    }
  if (delta->name != NULL)
    json_object_set_string_member (function, "name", delta->name);
  json_object_set_string_member (function, "arguments", text);
  json_object_set_object_member (call, "function", function);
  json_array_add_object_element (calls, call);
  json_object_set_array_member (content, "tool_calls", calls);
  reeve_openai_wire_set_choice (object, "delta", content, NULL);
  return reeve_openai_wire_frame (object);
}

GBytes *
reeve_openai_wire_usage_chunk (const ReeveOpenaiWire *self, gint64 input_tokens,
                               gint64 output_tokens)
{
  JsonObject *object = reeve_openai_wire_head (self, "chat.completion.chunk");

  json_object_set_array_member (object, "choices", json_array_new ());
  json_object_set_object_member (object, "usage",
                                 reeve_openai_wire_usage (input_tokens, output_tokens));
  return reeve_openai_wire_frame (object);
}

GBytes *
reeve_openai_wire_error_chunk (const GError *error)
{
  JsonObject *object = json_object_new ();
  JsonObject *inner = json_object_new ();

  json_object_set_string_member (inner, "message", reeve_error_detail_get (error));
  json_object_set_string_member (inner, "type", "server_error");
  json_object_set_null_member (inner, "param");
  json_object_set_string_member (inner, "code", reeve_error_detail_get_code (error));
  json_object_set_object_member (object, "error", inner);
  return reeve_openai_wire_frame (object);
}

GBytes *
reeve_openai_wire_done (void)
{
  static const char done[] = "data: [DONE]\n\n";

  return g_bytes_new_static (done, sizeof done - 1);
}

/**
 * reeve_openai_wire_read_string:
 * @slice: where a value stands in a scanned text
 *
 * Returns: (transfer full) (nullable): the text, when it is a string
 */
char *
reeve_openai_wire_read_string (const ReeveJsonSlice *slice)
{
  g_autoptr (JsonNode) node = NULL;

  if (slice->start == NULL || slice->length < 2 || *slice->start != '"')
    return NULL;
  if (memchr (slice->start, '\\', slice->length) == NULL)
    return g_strndup (slice->start + 1, slice->length - 2);
  node = reeve_json_parse_strict (slice->start, slice->length, NULL);
  return node != NULL ? g_strdup (json_node_get_string (node)) : NULL;
}
