/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tool-search: what it asks of the host, and what it makes of the answer. */
#include "search-tool.h"

#include <string.h>

#define FAKE_TYPE_BROKER (fake_broker_get_type ())
G_DECLARE_FINAL_TYPE (FakeBroker, fake_broker, FAKE, BROKER, GObject)

struct _FakeBroker
{
  GObject parent_instance;
  gchar *asked;        /* capability and parameters of the last call */
  const gchar *answer; /* JSON; NULL: refuse */
};

static void fake_broker_iface_init (ReeveBrokerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeBroker, fake_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, fake_broker_iface_init))

static JsonNode *
fake_broker_call (ReeveBroker *broker, ReeveContext *context, const char *capability,
                  JsonNode *params, GError **error)
{
  FakeBroker *self = FAKE_BROKER (broker);
  g_autofree gchar *text = reeve_json_canonical (params);

  g_free (self->asked);
  self->asked = g_strdup_printf ("%s %s", capability, text);
  if (self->answer != NULL)
    return reeve_json_parse_strict (self->answer, strlen (self->answer), error);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY, "not granted");
  return NULL;
}

static void
fake_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->call = fake_broker_call;
}

static void
fake_broker_finalize (GObject *object)
{
  g_free (FAKE_BROKER (object)->asked);
  G_OBJECT_CLASS (fake_broker_parent_class)->finalize (object);
}

static void
fake_broker_class_init (FakeBrokerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_broker_finalize;
}

static void
fake_broker_init (FakeBroker *self)
{
}

static ReeveToolResult *
call (FakeBroker *broker, const gchar *name, const gchar *arguments, GError **error)
{
  g_autoptr (ReeveTool) tool = g_object_new (SEARCH_TYPE_TOOL, NULL);
  g_autoptr (ReeveContext) context = NULL;
  ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (JsonNode) node = reeve_json_parse_strict (arguments, strlen (arguments), NULL);

  context = reeve_context_new (&info, REEVE_BROKER (broker), NULL);
  return reeve_tool_call (tool, name, json_node_get_object (node), context, error);
}

static void
test_lists (void)
{
  g_autoptr (ReeveTool) tool = g_object_new (SEARCH_TYPE_TOOL, NULL);
  ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) infos = reeve_tool_list (tool, context, &error);
  JsonObject *parameters;

  g_assert_no_error (error);
  g_assert_cmpuint (infos->len, ==, 1);
  g_assert_cmpstr (reeve_tool_info_get_name (g_ptr_array_index (infos, 0)), ==, "semantic_search");
  g_assert_true (reeve_tool_info_get_hints (g_ptr_array_index (infos, 0)) & REEVE_TOOL_READ_ONLY);
  parameters = json_node_get_object (reeve_tool_info_get_parameters (g_ptr_array_index (infos, 0)));
  g_assert_nonnull (
      reeve_json_get_object (reeve_json_get_object (parameters, "properties"), "query"));
}

static void
test_asks (void)
{
  g_autoptr (FakeBroker) broker = g_object_new (FAKE_TYPE_BROKER, NULL);
  g_autoptr (ReeveToolResult) plain = NULL;
  g_autoptr (ReeveToolResult) wide = NULL;

  broker->answer = "[]";
  plain = call (broker, "semantic_search", "{\"query\":\"oil\"}", NULL);
  g_assert_nonnull (plain);
  g_assert_cmpstr (broker->asked, ==, "knowledge.search {\"limit\":5,\"query\":\"oil\"}");
  wide = call (broker, "semantic_search", "{\"query\":\"oil\",\"limit\":900}", NULL);
  g_assert_nonnull (wide);
  g_assert_cmpstr (broker->asked, ==, "knowledge.search {\"limit\":20,\"query\":\"oil\"}");
}

static void
test_answers (void)
{
  static const gchar hits[]
      = "{\"document_id\":\"doc_1\",\"document_title\":\"Press\",\"content\":\"At 250 "
        "bar.\",\"score\":2.5,"
        "\"page_number\":3,\"version\":1},7,"
        "{\"document_id\":\"doc_2\",\"document_title\":\"Belt\",\"content\":\"18 mm.\",\"score\":1,"
        "\"page_number\":null,\"version\":1}";
  g_autofree gchar *array = g_strconcat ("[", hits, "]", NULL);
  g_autofree gchar *object = g_strconcat ("{\"results\":[", hits, "]}", NULL);
  const gchar *const forms[] = { array, object };

  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_autoptr (FakeBroker) broker = g_object_new (FAKE_TYPE_BROKER, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveToolResult) result = NULL;
      JsonArray *results;

      broker->answer = forms[i];
      result = call (broker, "semantic_search", "{\"query\":\"oil\"}", &error);
      g_assert_no_error (error);
      g_assert_false (reeve_tool_result_get_is_error (result));
      g_assert_cmpstr (reeve_tool_result_get_text (result), ==,
                       "[1] Press, page 3\nAt 250 bar.\n\n[2] Belt\n18 mm.");
      results = reeve_json_get_array (json_node_get_object (reeve_tool_result_get_data (result)),
                                      "results");
      g_assert_cmpuint (json_array_get_length (results), ==, 2);
      g_assert_cmpstr (
          reeve_json_get_string (json_array_get_object_element (results, 1), "document_id", ""), ==,
          "doc_2");
    }
}

static void
test_finds_nothing (void)
{
  g_autoptr (FakeBroker) broker = g_object_new (FAKE_TYPE_BROKER, NULL);
  g_autoptr (ReeveToolResult) result = NULL;

  broker->answer = "[]";
  result = call (broker, "semantic_search", "{\"query\":\"oil\"}", NULL);
  g_assert_false (reeve_tool_result_get_is_error (result));
  g_assert_nonnull (strstr (reeve_tool_result_get_text (result), "No passage"));
}

static void
test_fails (void)
{
  g_autoptr (FakeBroker) broker = g_object_new (FAKE_TYPE_BROKER, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveToolResult) no_query = NULL;

  g_assert_null (call (broker, "semantic_search", "{\"query\":\"oil\"}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_assert_true (g_str_has_prefix (error->message, "searching documents: "));
  g_clear_error (&error);
  broker->answer = "{\"hits\":[]}";
  g_assert_null (call (broker, "semantic_search", "{\"query\":\"oil\"}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_null (call (broker, "other", "{\"query\":\"oil\"}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  no_query = call (broker, "semantic_search", "{}", NULL);
  g_assert_true (reeve_tool_result_get_is_error (no_query));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plugins/search/lists", test_lists);
  g_test_add_func ("/plugins/search/asks", test_asks);
  g_test_add_func ("/plugins/search/answers", test_answers);
  g_test_add_func ("/plugins/search/finds-nothing", test_finds_nothing);
  g_test_add_func ("/plugins/search/fails", test_fails);
  return g_test_run ();
}
