/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tool semantic_search: finds passages of the tenant's documents. It holds no index of its own;
 * it asks the host through capability knowledge.search, which knows whose documents the caller may
 * see. */
#include "search-tool.h"

#define NAME          "semantic_search"
#define CAPABILITY    "knowledge.search"
#define DEFAULT_LIMIT 5
#define MAX_LIMIT     20
#define SHOWN_RESULTS "results"

struct _SearchTool
{
  ReevePlugin parent_instance;
};

static const gchar search_parameters[]
    = "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"query\"],\"properties\":"
      "{"
      "\"query\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":2000,"
      "\"description\":\"The words to look for: key terms of the question, no whole sentence "
      "needed.\"},"
      "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":20,"
      "\"description\":\"Most passages to return; 5 when left out.\"}}}";

static void search_tool_iface_init (ReeveToolInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (SearchTool, search_tool, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, search_tool_iface_init))

static GPtrArray *
search_tool_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  g_autoptr (GPtrArray) infos
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  g_autoptr (JsonNode) parameters
      = reeve_json_parse_strict (search_parameters, sizeof search_parameters - 1, error);

  if (parameters == NULL)
    return NULL;
  g_ptr_array_add (
      infos,
      reeve_tool_info_new (
          NAME,
          "Searches the documents of this organisation and returns the passages that fit best, "
          "each with its document. Use it before you answer a question about them, and cite "
          "what you use by the number of the passage, as in [1].",
          parameters, REEVE_TOOL_READ_ONLY | REEVE_TOOL_IDEMPOTENT));
  return g_steal_pointer (&infos);
}

static JsonNode *
search_tool_ask (ReeveContext *context, const gchar *query, gint64 limit, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) params = json_node_new (JSON_NODE_OBJECT);

  json_object_set_string_member (object, "query", query);
  json_object_set_int_member (object, "limit", limit);
  json_node_set_object (params, object);
  return reeve_context_call (context, CAPABILITY, params, error);
}

/* the capability answers with the passages, or with an object that holds them */
static JsonArray *
search_tool_results (JsonNode *answer)
{
  if (JSON_NODE_HOLDS_ARRAY (answer))
    return json_node_get_array (answer);
  return JSON_NODE_HOLDS_OBJECT (answer)
             ? reeve_json_get_array (json_node_get_object (answer), SHOWN_RESULTS)
             : NULL;
}

static void
search_tool_describe (GString *text, guint number, JsonObject *hit)
{
  gint64 page = reeve_json_get_int (hit, "page_number", 0);

  g_string_append_printf (text, "%s[%u] %s", number > 1 ? "\n\n" : "", number,
                          reeve_json_get_string (hit, "document_title", "untitled"));
  if (page > 0)
    g_string_append_printf (text, ", page %" G_GINT64_FORMAT, page);
  g_string_append_printf (text, "\n%s", reeve_json_get_string (hit, "content", ""));
}

/* (transfer full): an object with the passages and nothing else: the host's answer itself, mostly,
 * which need not be written and read again */
static JsonNode *
search_tool_make_data (JsonNode *answer, JsonArray *results, guint n_passages)
{
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (JsonNode) data = NULL;
  JsonArray *kept = NULL;

  if (JSON_NODE_HOLDS_OBJECT (answer) && n_passages == json_array_get_length (results)
      && json_object_get_size (json_node_get_object (answer)) == 1)
    return json_node_ref (answer);
  object = json_object_new ();
  data = json_node_new (JSON_NODE_OBJECT);
  kept = json_array_new ();
  json_object_set_array_member (object, SHOWN_RESULTS, kept);
  for (guint i = 0; i < json_array_get_length (results); i++)
    {
      JsonNode *node = json_array_get_element (results, i);

      if (JSON_NODE_HOLDS_OBJECT (node))
        json_array_add_element (kept, json_node_copy (node));
    }
  json_node_set_object (data, object);
  return g_steal_pointer (&data);
}

static ReeveToolResult *
search_tool_make_result (JsonNode *answer, JsonArray *results)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (JsonNode) data = NULL;
  guint n_passages = 0;

  for (guint i = 0; i < json_array_get_length (results); i++)
    {
      JsonNode *node = json_array_get_element (results, i);

      if (JSON_NODE_HOLDS_OBJECT (node))
        search_tool_describe (text, ++n_passages, json_node_get_object (node));
    }
  if (text->len == 0)
    g_string_append (text, "No passage of the documents fits these words.");
  data = search_tool_make_data (answer, results, n_passages);
  return reeve_tool_result_new (text->str, data, FALSE);
}

static ReeveToolResult *
search_tool_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
                  GError **error)
{
  const gchar *query = reeve_json_get_string (arguments, "query", NULL);
  gint64 limit = CLAMP (reeve_json_get_int (arguments, "limit", DEFAULT_LIMIT), 1, MAX_LIMIT);
  g_autoptr (JsonNode) answer = NULL;
  JsonArray *results;

  if (g_strcmp0 (name, NAME) != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no tool \"%s\" here", name);
      return NULL;
    }
  if (query == NULL || *query == '\0')
    return reeve_tool_result_new ("The argument \"query\" is missing: give the words to look for.",
                                  NULL, TRUE);
  answer = search_tool_ask (context, query, limit, error);
  if (answer == NULL)
    {
      g_prefix_error (error, "searching documents: ");
      return NULL;
    }
  results = search_tool_results (answer);
  if (results == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED,
                           "searching documents: the answer holds no results");
      return NULL;
    }
  return search_tool_make_result (answer, results);
}

static void
search_tool_iface_init (ReeveToolInterface *iface)
{
  iface->list = search_tool_list;
  iface->call = search_tool_call;
}

static void
search_tool_class_init (SearchToolClass *klass)
{
}

static void
search_tool_init (SearchTool *self)
{
}
