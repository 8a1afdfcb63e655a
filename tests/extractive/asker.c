/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the engine a question the way a run does: calls its tools, hands back the results, takes the
 * answer. Passages are numbered over the whole run, in the member "citation", as the host numbers
 * them. */
#include "asker.h"

#include <string.h>

#define MAX_STEPS 6

static const gchar asker_tools[]
    = "[{\"type\":\"function\",\"function\":{\"name\":\"semantic_search\",\"description\":"
      "\"Searches.\","
      "\"parameters\":{\"type\":\"object\",\"required\":[\"query\"],\"properties\":{"
      "\"query\":{\"type\":\"string\"},\"limit\":{\"type\":\"integer\",\"maximum\":20}}}}}]";

typedef struct
{
  Corpus *corpus;
  JsonArray *messages;
  JsonArray *tools;
  GPtrArray *hits; /* JsonObject, by number - 1 */
  GString *text;
  JsonArray *calls;
  Asked *asked;
} Asker;

static gboolean
asker_take_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  Asker *self = user_data;

  if (delta->kind == REEVE_LLM_DELTA_TEXT)
    g_string_append_len (self->text, delta->text, (gssize) delta->text_length);
  if (delta->kind == REEVE_LLM_DELTA_TOOL_CALL)
    {
      JsonObject *call = json_object_new ();
      JsonObject *function = json_object_new ();
      g_autofree gchar *arguments = g_strndup (delta->text, delta->text_length);

      json_object_set_string_member (function, "name", delta->name);
      json_object_set_string_member (function, "arguments", arguments);
      json_object_set_string_member (call, "id", delta->id);
      json_object_set_string_member (call, "type", "function");
      json_object_set_object_member (call, "function", function);
      json_array_add_object_element (self->calls, call);
    }
  return TRUE;
}

static guint
asker_number (Asker *self, JsonObject *hit)
{
  for (guint i = 0; i < self->hits->len; i++)
    {
      JsonObject *known = g_ptr_array_index (self->hits, i);

      if (strcmp (json_object_get_string_member (known, "document_id"),
                  json_object_get_string_member (hit, "document_id"))
              == 0
          && strcmp (json_object_get_string_member (known, "content"),
                     json_object_get_string_member (hit, "content"))
                 == 0)
        return i + 1;
    }
  g_ptr_array_add (self->hits, json_object_ref (hit));
  return self->hits->len;
}

static void
asker_call (Asker *self, JsonObject *call)
{
  JsonObject *function = json_object_get_object_member (call, "function");
  const gchar *text = json_object_get_string_member (function, "arguments");
  g_autoptr (JsonNode) arguments = reeve_json_parse_strict (text, strlen (text), NULL);
  g_autoptr (JsonArray) results = NULL;
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree gchar *content = NULL;
  JsonObject *message = json_object_new ();

  g_assert_nonnull (arguments);
  g_assert_cmpstr (json_object_get_string_member (function, "name"), ==, "semantic_search");
  results = corpus_search (
      self->corpus, reeve_json_get_string (json_node_get_object (arguments), "query", ""),
      (guint) CLAMP (reeve_json_get_int (json_node_get_object (arguments), "limit", 5), 1, 20));
  for (guint i = 0; i < json_array_get_length (results); i++)
    {
      JsonObject *hit = json_array_get_object_element (results, i);

      json_object_set_int_member (hit, "citation", asker_number (self, hit));
    }
  json_object_set_array_member (object, "results", json_array_ref (results));
  json_node_set_object (node, object);
  content = json_to_string (node, FALSE);
  json_object_set_string_member (message, "role", "tool");
  json_object_set_string_member (message, "tool_call_id",
                                 json_object_get_string_member (call, "id"));
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (self->messages, message);
  self->asked->searches++;
}

static void
asker_step (Asker *self, ReeveLlmEngine *engine)
{
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "extractive");
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) copy = json_node_new (JSON_NODE_ARRAY);
  g_autoptr (JsonNode) given = NULL;
  ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  JsonObject *message = json_object_new ();

  json_node_set_array (copy, self->messages);
  given = json_node_copy (copy);
  self->calls = json_array_new ();
  reeve_llm_request_set_messages (request, json_node_get_array (given));
  reeve_llm_request_set_tools (request, self->tools);
  g_assert_true (
      reeve_llm_engine_generate (engine, request, context, asker_take_delta, self, &error));
  g_assert_no_error (error);
  json_object_set_string_member (message, "role", "assistant");
  json_object_set_string_member (message, "content", self->text->str);
  json_object_set_array_member (message, "tool_calls", self->calls);
  json_array_add_object_element (self->messages, message);
  for (guint i = 0; i < json_array_get_length (self->calls); i++)
    asker_call (self, json_array_get_object_element (self->calls, i));
}

/* which passages the answer cites, and what it says without the markers */
static void
asker_read_answer (Asker *self)
{
  g_auto (GStrv) lines = g_strsplit (self->asked->answer, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      gchar *mark = strrchr (lines[i], '[');
      guint64 number = mark != NULL ? g_ascii_strtoull (mark + 1, NULL, 10) : 0;
      JsonObject *hit = NULL;

      if (number == 0 || number > self->hits->len || !g_str_has_suffix (lines[i], "]"))
        continue;
      hit = g_ptr_array_index (self->hits, number - 1);
      *mark = '\0';
      g_ptr_array_add (self->asked->quotes, g_strdup (g_strchomp (lines[i])));
      if (g_ptr_array_find_with_equal_func (self->asked->passages,
                                            json_object_get_string_member (hit, "content"),
                                            g_str_equal, NULL))
        continue;
      g_ptr_array_add (self->asked->titles,
                       g_strdup (json_object_get_string_member (hit, "document_title")));
      g_ptr_array_add (self->asked->passages,
                       g_strdup (json_object_get_string_member (hit, "content")));
    }
}

/**
 * asker_ask:
 * @engine: the engine
 * @corpus: what its tool searches
 * @question: what to ask
 *
 * Returns: (transfer full): what came of it
 */
Asked *
asker_ask (ReeveLlmEngine *engine, Corpus *corpus, const gchar *question)
{
  Asker self = { .corpus = corpus };
  g_autoptr (JsonNode) tools = reeve_json_parse_strict (asker_tools, sizeof asker_tools - 1, NULL);
  JsonObject *message = json_object_new ();
  guint steps = 0;

  self.asked = g_new0 (Asked, 1);
  self.asked->titles = g_ptr_array_new_with_free_func (g_free);
  self.asked->passages = g_ptr_array_new_with_free_func (g_free);
  self.asked->quotes = g_ptr_array_new_with_free_func (g_free);
  self.hits = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  self.text = g_string_new (NULL);
  self.messages = json_array_new ();
  self.tools = json_node_get_array (tools);
  json_object_set_string_member (message, "role", "user");
  json_object_set_string_member (message, "content", question);
  json_array_add_object_element (self.messages, message);
  do
    asker_step (&self, engine);
  while (json_array_get_length (self.calls) > 0 && ++steps < MAX_STEPS);
  g_assert_cmpuint (steps, <, MAX_STEPS);
  self.asked->answer = g_string_free (self.text, FALSE);
  asker_read_answer (&self);
  json_array_unref (self.messages);
  g_ptr_array_unref (self.hits);
  return self.asked;
}

/**
 * asker_free:
 * @self: (transfer full) (nullable): what came of a question
 */
void
asker_free (Asked *self)
{
  if (self == NULL)
    return;
  g_free (self->answer);
  g_ptr_array_unref (self->titles);
  g_ptr_array_unref (self->passages);
  g_ptr_array_unref (self->quotes);
  g_free (self);
}
