/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a conversation: what is asked, which tools there are, what they have found so far.
 *
 * The engine keeps nothing between calls: everything follows from the messages, so the same
 * messages always lead to the same step. */
#include "extractive-dialog.h"

#include <string.h>

#define MAX_QUESTION 8192
#define MAX_CONTENT  65536
#define MAX_HITS     40
#define LEAST_GIVEN  200 /* bytes of a message from which on it is a text to quote from */
#define WANTED_HITS  10

static void
extractive_dialog_call_free (gpointer data)
{
  ExtractiveCall *call = data;

  g_free (call->id);
  g_free (call->name);
  g_free (call->query);
  g_free (call->result);
  g_free (call);
}

/* at most @most bytes, cut between characters */
static gchar *
extractive_dialog_bound (const gchar *text, gsize most)
{
  const gchar *end;

  if (strlen (text) <= most)
    return g_strdup (text);
  end = g_utf8_find_prev_char (text, text + most + 1);
  return g_strndup (text, (gsize) (end - text));
}

/* the text of a message: a string, or the texts among its parts */
static gchar *
extractive_dialog_text (JsonObject *message)
{
  JsonArray *parts = reeve_json_get_array (message, "content");
  g_autoptr (GString) text = g_string_new (reeve_json_get_string (message, "content", ""));

  for (guint i = 0; parts != NULL && i < json_array_get_length (parts); i++)
    {
      JsonNode *node = json_array_get_element (parts, i);

      if (JSON_NODE_HOLDS_OBJECT (node))
        g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "",
                                reeve_json_get_string (json_node_get_object (node), "text", ""));
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
extractive_dialog_has_parameter (JsonObject *function, const gchar *name)
{
  JsonObject *parameters = reeve_json_get_object (function, "parameters");
  JsonObject *properties
      = parameters != NULL ? reeve_json_get_object (parameters, "properties") : NULL;

  return properties != NULL && json_object_has_member (properties, name);
}

/* how many passages to ask for, within what the tool's schema allows */
static gint64
extractive_dialog_limit (JsonObject *function)
{
  JsonObject *parameters = reeve_json_get_object (function, "parameters");
  JsonObject *properties
      = parameters != NULL ? reeve_json_get_object (parameters, "properties") : NULL;
  JsonObject *limit = properties != NULL ? reeve_json_get_object (properties, "limit") : NULL;

  if (limit == NULL)
    return 0;
  return MIN (WANTED_HITS, reeve_json_get_int (limit, "maximum", WANTED_HITS));
}

static void
extractive_dialog_read_tools (ExtractiveDialog *self, JsonArray *tools)
{
  for (guint i = 0; tools != NULL && i < json_array_get_length (tools); i++)
    {
      JsonNode *node = json_array_get_element (tools, i);
      JsonObject *function = JSON_NODE_HOLDS_OBJECT (node)
                                 ? reeve_json_get_object (json_node_get_object (node), "function")
                                 : NULL;
      const gchar *name = function != NULL ? reeve_json_get_string (function, "name", NULL) : NULL;

      if (name == NULL)
        continue;
      if (strstr (name, "search") != NULL && extractive_dialog_has_parameter (function, "query")
          && (self->search == NULL || strcmp (name, "semantic_search") == 0))
        {
          g_free (self->search);
          self->search = g_strdup (name);
          self->search_limit = extractive_dialog_limit (function);
        }
      if (strstr (name, "calculat") != NULL
          && extractive_dialog_has_parameter (function, "expression") && self->calculate == NULL)
        self->calculate = g_strdup (name);
    }
}

static gboolean
extractive_dialog_knows (const ExtractiveDialog *self, guint number, const gchar *content)
{
  for (guint i = 0; i < self->hits->len; i++)
    {
      const ExtractiveHit *hit = g_ptr_array_index (self->hits, i);

      if (hit->number == number || strcmp (hit->content, content) == 0)
        return TRUE;
    }
  return FALSE;
}

static void
extractive_dialog_add_hit (ExtractiveDialog *self, JsonObject *object)
{
  const gchar *content = reeve_json_get_string (object, "content", NULL);
  gint64 number = reeve_json_get_int (object, "citation", 0);
  g_autofree gchar *bounded = NULL;
  ExtractiveHit *hit;

  if (content == NULL || *content == '\0' || self->hits->len >= MAX_HITS)
    return;
  bounded = extractive_dialog_bound (content, MAX_CONTENT);
  /* who numbers its hits is cited by its numbers; else they count in the order they came */
  if (number <= 0 || number > G_MAXINT)
    number = self->hits->len + 1;
  if (extractive_dialog_knows (self, (guint) number, bounded))
    return;
  hit = extractive_units_hit_new (reeve_json_get_string (object, "document_title", NULL), bounded);
  hit->document_id = g_strdup (reeve_json_get_string (object, "document_id", NULL));
  hit->heading = g_strdup (reeve_json_get_string (object, "heading", NULL));
  hit->number = (guint) number;
  g_ptr_array_add (self->hits, hit);
}

static void
extractive_dialog_read_results (ExtractiveDialog *self, const gchar *text)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), NULL);
  JsonArray *results = NULL;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    results = reeve_json_get_array (json_node_get_object (node), "results");
  for (guint i = 0; results != NULL && i < json_array_get_length (results); i++)
    {
      JsonNode *element = json_array_get_element (results, i);

      if (JSON_NODE_HOLDS_OBJECT (element))
        extractive_dialog_add_hit (self, json_node_get_object (element));
    }
}

static ExtractiveCall *
extractive_dialog_find_call (const ExtractiveDialog *self, const gchar *id)
{
  for (guint i = 0; id != NULL && i < self->calls->len; i++)
    {
      ExtractiveCall *call = g_ptr_array_index (self->calls, i);

      if (strcmp (call->id, id) == 0)
        return call;
    }
  return NULL;
}

/* takes the answer of a tool, and says to which call it belongs */
static void
extractive_dialog_read_tool (ExtractiveDialog *self, JsonObject *message)
{
  g_autofree gchar *text = extractive_dialog_text (message);
  ExtractiveCall *call
      = extractive_dialog_find_call (self, reeve_json_get_string (message, "tool_call_id", NULL));

  extractive_dialog_read_results (self, text);
  if (call == NULL)
    return;
  g_free (call->result);
  call->result = g_steal_pointer (&text);
}

static void
extractive_dialog_read_call (ExtractiveDialog *self, JsonObject *object)
{
  JsonObject *function = reeve_json_get_object (object, "function");
  const gchar *arguments
      = function != NULL ? reeve_json_get_string (function, "arguments", "") : "";
  g_autoptr (JsonNode) node = reeve_json_parse_strict (arguments, strlen (arguments), NULL);
  ExtractiveCall *call = g_new0 (ExtractiveCall, 1);
  const gchar *query = NULL;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    {
      query = reeve_json_get_string (json_node_get_object (node), "query", NULL);
      if (query == NULL)
        query = reeve_json_get_string (json_node_get_object (node), "expression", NULL);
    }
  call->id = g_strdup (reeve_json_get_string (object, "id", ""));
  call->name = g_strdup (function != NULL ? reeve_json_get_string (function, "name", "") : "");
  call->query = g_strdup (query != NULL ? query : "");
  g_ptr_array_add (self->calls, call);
}

static void
extractive_dialog_read_assistant (ExtractiveDialog *self, JsonObject *message, gboolean current)
{
  JsonArray *calls = reeve_json_get_array (message, "tool_calls");
  guint n = calls != NULL ? json_array_get_length (calls) : 0;

  self->all_calls += n;
  if (!current || n == 0)
    return;
  self->rounds++;
  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (calls, i);

      if (JSON_NODE_HOLDS_OBJECT (node))
        extractive_dialog_read_call (self, json_node_get_object (node));
    }
}

/* Text that the caller put into a message: what stands before "Question:", or a long message of its
 * own. */
static void
extractive_dialog_add_given (ExtractiveDialog *self, const gchar *text)
{
  g_autofree gchar *bounded = extractive_dialog_bound (text, MAX_CONTENT);

  if (strlen (bounded) >= LEAST_GIVEN && self->given->len < MAX_HITS)
    g_ptr_array_add (self->given, extractive_units_hit_new (NULL, bounded));
}

/* where the question begins in a message that brings its own context */
static const gchar *
extractive_dialog_split_question (const gchar *text)
{
  static const gchar *const marks[] = { "\nQuestion:", "\nFrage:", "\nQ:", NULL };
  const gchar *found = NULL;

  for (guint i = 0; marks[i] != NULL; i++)
    for (const gchar *at = strstr (text, marks[i]); at != NULL; at = strstr (at + 1, marks[i]))
      if (found == NULL || at + strlen (marks[i]) > found)
        found = at + strlen (marks[i]);
  if (found != NULL)
    return found;
  /* a long text whose last paragraph is a question */
  found = strlen (text) >= LEAST_GIVEN && g_str_has_suffix (text, "?") ? g_strrstr (text, "\n\n")
                                                                       : NULL;
  return found != NULL ? found + 2 : text;
}

static void
extractive_dialog_read_user (ExtractiveDialog *self, JsonObject *message, gboolean last)
{
  g_autofree gchar *text = extractive_dialog_text (message);
  const gchar *question;

  g_strchomp (text);
  question = extractive_dialog_split_question (text);
  if (question > text)
    {
      g_autofree gchar *context = g_strndup (text, (gsize) (question - text));

      extractive_dialog_add_given (self, context);
    }
  else if (!last)
    extractive_dialog_add_given (self, text);
  g_free (self->before);
  self->before = g_steal_pointer (&self->question);
  self->question = extractive_dialog_bound (question, MAX_QUESTION);
  g_strstrip (self->question);
}

static void
extractive_dialog_read_message (ExtractiveDialog *self, JsonObject *message, guint index,
                                guint last_user)
{
  const gchar *role = reeve_json_get_string (message, "role", "");
  g_autofree gchar *text = NULL;

  if (strcmp (role, "user") == 0)
    extractive_dialog_read_user (self, message, index == last_user);
  else if (strcmp (role, "assistant") == 0)
    extractive_dialog_read_assistant (self, message, index > last_user);
  else if (strcmp (role, "tool") == 0 && index > last_user)
    extractive_dialog_read_tool (self, message);
  else if (strcmp (role, "system") == 0 || strcmp (role, "developer") == 0)
    {
      text = extractive_dialog_text (message);
      extractive_dialog_add_given (self, text);
    }
}

/**
 * extractive_dialog_new:
 * @messages: (nullable): the conversation
 * @tools: (nullable): the tools on offer
 *
 * Returns: (transfer full): what it comes to; without any message of a user, the question is empty
 */
ExtractiveDialog *
extractive_dialog_new (JsonArray *messages, JsonArray *tools)
{
  ExtractiveDialog *self = g_new0 (ExtractiveDialog, 1);
  guint n = messages != NULL ? json_array_get_length (messages) : 0;
  guint last_user = G_MAXUINT;

  self->calls = g_ptr_array_new_with_free_func (extractive_dialog_call_free);
  self->hits = g_ptr_array_new_with_free_func ((GDestroyNotify) extractive_units_hit_free);
  self->given = g_ptr_array_new_with_free_func ((GDestroyNotify) extractive_units_hit_free);
  extractive_dialog_read_tools (self, tools);
  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (messages, i);

      if (JSON_NODE_HOLDS_OBJECT (node)
          && strcmp (reeve_json_get_string (json_node_get_object (node), "role", ""), "user") == 0)
        last_user = i;
    }
  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (messages, i);
      g_autofree gchar *text = NULL;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        continue;
      text = extractive_dialog_text (json_node_get_object (node));
      self->length += strlen (text);
      extractive_dialog_read_message (self, json_node_get_object (node), i, last_user);
    }
  if (self->question == NULL)
    self->question = g_strdup ("");
  return self;
}

/**
 * extractive_dialog_free:
 * @self: (transfer full) (nullable): a dialog
 */
void
extractive_dialog_free (ExtractiveDialog *self)
{
  if (self == NULL)
    return;
  g_free (self->question);
  g_free (self->before);
  g_free (self->search);
  g_free (self->calculate);
  g_ptr_array_unref (self->calls);
  g_ptr_array_unref (self->hits);
  g_ptr_array_unref (self->given);
  g_free (self);
}
