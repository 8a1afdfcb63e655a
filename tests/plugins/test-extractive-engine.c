/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* llm-extractive as an engine: which calls it makes, what it answers from, how it streams and ends.
 */
#include "extractive-engine.h"

#include <string.h>

#define SEARCH                                                                                     \
  "{\"type\":\"function\",\"function\":{\"name\":\"semantic_search\",\"parameters\":{\"type\":"    \
  "\"object\","                                                                                    \
  "\"properties\":{\"query\":{\"type\":\"string\"},\"limit\":{\"type\":\"integer\",\"maximum\":8}" \
  "}}}}"
#define CALCULATE                                                                                  \
  "{\"type\":\"function\",\"function\":{\"name\":\"calculate\",\"parameters\":{\"type\":"          \
  "\"object\","                                                                                    \
  "\"properties\":{\"expression\":{\"type\":\"string\"}}}}}"
#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"
#define CALL(id, name, member, value)                                                              \
  "{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"" id                         \
  "\",\"type\":\"function\",\"function\":{"                                                        \
  "\"name\":\"" name "\",\"arguments\":\"{\\\"" member "\\\":\\\"" value "\\\"}\"}}]}"
#define TOOL(id, text) "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"" text "\"}"
#define HIT(number, title, text)                                                                   \
  "{\\\"citation\\\":" number ",\\\"document_title\\\":\\\"" title                                 \
  "\\\",\\\"page_number\\\":null,\\\"score\\\":1,"                                                 \
  "\\\"content\\\":\\\"" text "\\\"}"
#define RESULTS(hits) "{\\\"results\\\":[" hits "]}"

typedef struct
{
  GString *text;
  GString *thought;
  GString *calls; /* name arguments; … */
  gchar *finish;
  guint pieces;
  guint stop_after; /* pieces of text; 0 for never */
  gint64 input;
  gint64 output;
} Said;

static void
said_free (Said *said)
{
  g_string_free (said->text, TRUE);
  g_string_free (said->thought, TRUE);
  g_string_free (said->calls, TRUE);
  g_free (said->finish);
  g_free (said);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Said, said_free)

static gboolean
take_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  Said *said = user_data;

  g_assert_cmpuint (delta->struct_size, ==, sizeof *delta);
  g_assert_null (said->finish);
  switch (delta->kind)
    {
    case REEVE_LLM_DELTA_TEXT:
      g_string_append_len (said->text, delta->text, (gssize) delta->text_length);
      if (++said->pieces == said->stop_after)
        {
          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "enough");
          return FALSE;
        }
      break;
    case REEVE_LLM_DELTA_THOUGHT:
      g_string_append_len (said->thought, delta->text, (gssize) delta->text_length);
      break;
    case REEVE_LLM_DELTA_TOOL_CALL:
      g_assert_true (g_str_has_prefix (delta->id, "call_"));
      g_string_append_printf (said->calls, "%s %.*s;", delta->name, (int) delta->text_length,
                              delta->text);
      break;
    case REEVE_LLM_DELTA_USAGE:
      said->input = delta->input_tokens;
      said->output = delta->output_tokens;
      break;
    case REEVE_LLM_DELTA_FINISH:
      said->finish = g_strndup (delta->text, delta->text_length);
      break;
    case REEVE_LLM_DELTA_MODEL:
      g_string_append (said->text, delta->id);
      break;
    case REEVE_LLM_DELTA_RAW:
    case REEVE_LLM_DELTA_EMBEDDING:
    default:
      g_assert_not_reached ();
    }
  return TRUE;
}

static Said *
said_new (void)
{
  Said *said = g_new0 (Said, 1);

  said->text = g_string_new (NULL);
  said->thought = g_string_new (NULL);
  said->calls = g_string_new (NULL);
  return said;
}

static ReeveContext *
new_context (GCancellable *cancellable)
{
  ReeveContextInfo info = { .struct_size = sizeof info };

  return reeve_context_new (&info, NULL, cancellable);
}

static JsonNode *
parse (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  return node;
}

static Said *
say (const gchar *messages, const gchar *tools, guint max_tokens)
{
  g_autoptr (ReeveLlmEngine) engine = g_object_new (EXTRACTIVE_TYPE_ENGINE, NULL);
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "extractive");
  g_autoptr (ReeveContext) context = new_context (NULL);
  g_autofree gchar *message_text = g_strconcat ("[", messages, "]", NULL);
  g_autoptr (JsonNode) message_node = parse (message_text);
  g_autoptr (GError) error = NULL;
  g_autoptr (Said) said = said_new ();

  reeve_llm_request_set_messages (request, json_node_get_array (message_node));
  reeve_llm_request_set_max_tokens (request, max_tokens);
  if (tools != NULL)
    {
      g_autofree gchar *tool_text = g_strconcat ("[", tools, "]", NULL);
      g_autoptr (JsonNode) tool_node = parse (tool_text);

      reeve_llm_request_set_tools (request, json_node_get_array (tool_node));
    }
  g_assert_true (reeve_llm_engine_generate (engine, request, context, take_delta, said, &error));
  g_assert_no_error (error);
  g_assert_nonnull (said->finish);
  return g_steal_pointer (&said);
}

static void
test_plans_search (void)
{
  g_autoptr (Said) said
      = say (USER ("To what torque are the clamping bolts of the press tightened?"), SEARCH, 0);

  g_assert_cmpstr (
      said->calls->str, ==,
      "semantic_search {\"limit\":8,\"query\":\"torque clamping bolts press tightened\"};");
  g_assert_cmpstr (said->finish, ==, "tool_calls");
  g_assert_cmpstr (said->text->str, ==, "");
  g_assert_cmpstr (said->thought->str, !=, "");
  g_assert_cmpint (said->input, >, 0);
  g_assert_cmpint (said->output, >, 0);
}

static void
test_answers_from_hits (void)
{
  g_autoptr (Said) said
      = say (USER ("To what torque are the clamping bolts tightened?") "," CALL (
                 "call_1", "semantic_search", "query",
                 "torque") "," TOOL ("call_1",
                                     RESULTS (HIT ("3", "Cars", "A car has four wheels.") "," HIT (
                                         "7", "Press",
                                         "The ram is heavy. The clamping\\\\n bolts are tightened "
                                         "to 660 Nm."))),
             SEARCH, 0);

  g_assert_cmpstr (said->text->str, ==, "The clamping bolts are tightened to 660 Nm. [7]");
  g_assert_cmpstr (said->finish, ==, "stop");
  g_assert_cmpstr (said->calls->str, ==, "");
}

/* without numbers of their own, hits count in the order they came */
static void
test_numbers_hits (void)
{
  g_autoptr (Said) said = say (
      USER ("Who repairs leaks?") "," CALL ("call_1", "semantic_search", "query", "x") "," TOOL (
          "call_1",
          "{\\\"results\\\":[{\\\"document_id\\\":\\\"a\\\",\\\"content\\\":\\\"Nothing here.\\\"},"
          "{\\\"document_id\\\":\\\"b\\\",\\\"content\\\":\\\"The energy team repairs "
          "leaks.\\\"}]}"),
      SEARCH, 0);

  g_assert_cmpstr (said->text->str, ==, "The energy team repairs leaks. [2]");
}

static void
test_searches_twice_then_declines (void)
{
  g_autoptr (Said) again = say (
      USER ("How do I delete the protocol?") "," CALL (
          "call_1", "semantic_search", "query",
          "delete protocol") "," TOOL ("call_1",
                                       RESULTS (HIT ("1", "Cars", "A car has four wheels."))),
      SEARCH, 0);
  g_autoptr (Said) declined = say (
      USER ("How do I delete the protocol?") "," CALL (
          "call_1", "semantic_search", "query",
          "delete protocol") "," TOOL ("call_1",
                                       RESULTS (HIT (
                                           "1", "Cars",
                                           "A car has four wheels."))) "," CALL ("call_2",
                                                                                 "semantic_search",
                                                                                 "query",
                                                                                 "other") "," TOOL ("call_2",
                                                                                                    RESULTS (
                                                                                                        "")),
      SEARCH, 0);

  g_assert_cmpstr (again->finish, ==, "tool_calls");
  g_assert_nonnull (strstr (again->calls->str, "remov"));
  g_assert_cmpstr (declined->finish, ==, "stop");
  g_assert_null (strchr (declined->text->str, '['));
  g_assert_nonnull (strstr (declined->text->str, "do not answer"));
}

/* what a tool returns may be anything */
static void
test_bad_results (void)
{
  static const gchar *const bad[] = { "",
                                      "no passage",
                                      "{\\\"results\\\":7}",
                                      "{\\\"results\\\":[1,null,{}]}",
                                      "{\\\"results\\\":[{\\\"content\\\":5}]}",
                                      "[[[[",
                                      "{\\\"results\\\":" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree gchar *messages = g_strconcat (
          USER ("How many wheels?") "," CALL ("call_1", "semantic_search", "query", "wheels") ",",
          "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"", bad[i], "\"}", NULL);
      g_autoptr (Said) said = say (messages, NULL, 0);

      g_assert_nonnull (strstr (said->text->str, "do not answer"));
    }
}

static void
test_calculates (void)
{
  g_autoptr (Said) plan = say (USER ("What is 12 * 7?"), SEARCH "," CALCULATE, 0);
  g_autoptr (Said) answer
      = say (USER ("What is 12 * 7?") "," CALL ("call_1", "calculate", "expression",
                                                "12*7") "," TOOL ("call_1", "{\\\"result\\\":84}"),
             SEARCH "," CALCULATE, 0);
  g_autoptr (Said) plain
      = say (USER ("What is 12 * 7?") "," CALL ("call_1", "calculate", "expression",
                                                "12*7") "," TOOL ("call_1", "84"),
             NULL, 0);

  g_assert_cmpstr (plan->calls->str, ==, "calculate {\"expression\":\"12*7\"};");
  g_assert_cmpstr (answer->text->str, ==, "12*7 = 84");
  g_assert_cmpstr (plain->text->str, ==, "12*7 = 84");
}

static void
test_two_parts (void)
{
  g_autoptr (Said) said
      = say (USER ("Which oil does the press need? What is 3 * 4?"), SEARCH "," CALCULATE, 0);

  g_assert_cmpstr (said->calls->str, ==,
                   "semantic_search {\"limit\":8,\"query\":\"oil press need\"};calculate "
                   "{\"expression\":\"3*4\"};");
}

/* a question that leans on the one before takes its words along */
static void
test_follow_up (void)
{
  g_autoptr (Said) said = say (
      USER ("Which oil does the gearbox of the conveyor need?") ",{\"role\":\"assistant\","
                                                                "\"content\":\"CLP 220.\"}," USER (
                                                                    "And how often is it changed?"),
      SEARCH, 0);

  g_assert_nonnull (strstr (said->calls->str, "gearbox"));
  g_assert_nonnull (strstr (said->calls->str, "changed"));
}

static void
test_given_context (void)
{
  g_autoptr (Said) said = say ("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"The "
                               "compressor room is E-03. The condensate goes to the separator in "
                               "room E-03. Oil is checked ten minutes after switching off. The "
                               "level must be in the green field. Report leaks with "
                               "the red tag.\\n\\nQuestion: When is the oil checked?\"}]}",
                               NULL, 0);
  g_autoptr (Said) nothing = say (USER ("When is the oil checked?"), NULL, 0);

  g_assert_cmpstr (said->text->str, ==, "Oil is checked ten minutes after switching off.");
  g_assert_nonnull (strstr (nothing->text->str, "none was given"));
}

static void
test_german (void)
{
  g_autoptr (Said) said = say (
      USER ("Wie oft wird der Filter gewechselt?") "," CALL (
          "call_1", "semantic_search", "query",
          "x") "," TOOL ("call_1", RESULTS (HIT ("1", "Handbuch",
                                                 "Die Maschine ist gr\u00fcn. Der Filter wird "
                                                 "alle 500 Stunden gewechselt."))),
      SEARCH, 0);
  g_autoptr (Said) declined
      = say (USER ("Wie hoch ist der Berg?") "," CALL ("call_1", "semantic_search", "query",
                                                       "x") "," TOOL ("call_1", RESULTS ("")),
             NULL, 0);

  g_assert_cmpstr (said->text->str, ==, "Der Filter wird alle 500 Stunden gewechselt. [1]");
  g_assert_nonnull (strstr (declined->text->str, "beantworten diese Frage nicht"));
}

static void
test_max_tokens (void)
{
  const gchar *messages
      = USER ("Who repairs leaks?") "," CALL ("call_1", "semantic_search", "query", "x") "," TOOL (
          "call_1",
          RESULTS (HIT ("1", "Air",
                        "The energy team repairs leaks within ten working days of their report.")));
  g_autoptr (Said) bounded = say (messages, SEARCH, 6);
  g_autoptr (Said) whole = say (messages, SEARCH, 4096);

  g_assert_cmpstr (bounded->finish, ==, "length");
  g_assert_cmpstr (bounded->text->str, ==, "The energy team repairs");
  g_assert_cmpint (bounded->output, <=, 6);
  g_assert_cmpstr (whole->finish, ==, "stop");
}

static void
test_stops (void)
{
  g_autoptr (ReeveLlmEngine) engine = g_object_new (EXTRACTIVE_TYPE_ENGINE, NULL);
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "extractive");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveContext) context = new_context (cancellable);
  g_autoptr (JsonNode) messages = parse ("[" USER ("Who?") "]");
  g_autoptr (GError) error = NULL;
  g_autoptr (Said) said = said_new ();
  g_autoptr (Said) none = said_new ();

  reeve_llm_request_set_messages (request, json_node_get_array (messages));
  said->stop_after = 1;
  g_assert_false (reeve_llm_engine_generate (engine, request, context, take_delta, said, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_assert_cmpuint (said->pieces, ==, 1);
  g_clear_error (&error);
  g_cancellable_cancel (cancellable);
  g_assert_false (reeve_llm_engine_generate (engine, request, context, take_delta, none, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_assert_cmpuint (none->pieces, ==, 0);
}

static void
test_other_tasks (void)
{
  g_autoptr (ReeveLlmEngine) engine = g_object_new (EXTRACTIVE_TYPE_ENGINE, NULL);
  g_autoptr (ReeveLlmRequest) models = reeve_llm_request_new (REEVE_LLM_TASK_MODELS, "");
  g_autoptr (ReeveLlmRequest) embed = reeve_llm_request_new (REEVE_LLM_TASK_EMBED, "extractive");
  g_autoptr (ReeveContext) context = new_context (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Said) said = said_new ();

  g_assert_true (reeve_llm_engine_generate (engine, models, context, take_delta, said, &error));
  g_assert_cmpstr (said->text->str, ==, "extractive");
  g_assert_false (reeve_llm_engine_generate (engine, embed, context, take_delta, said, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plugins/extractive-engine/plans-search", test_plans_search);
  g_test_add_func ("/plugins/extractive-engine/answers-from-hits", test_answers_from_hits);
  g_test_add_func ("/plugins/extractive-engine/numbers-hits", test_numbers_hits);
  g_test_add_func ("/plugins/extractive-engine/searches-twice", test_searches_twice_then_declines);
  g_test_add_func ("/plugins/extractive-engine/bad-results", test_bad_results);
  g_test_add_func ("/plugins/extractive-engine/calculates", test_calculates);
  g_test_add_func ("/plugins/extractive-engine/two-parts", test_two_parts);
  g_test_add_func ("/plugins/extractive-engine/follow-up", test_follow_up);
  g_test_add_func ("/plugins/extractive-engine/given-context", test_given_context);
  g_test_add_func ("/plugins/extractive-engine/german", test_german);
  g_test_add_func ("/plugins/extractive-engine/max-tokens", test_max_tokens);
  g_test_add_func ("/plugins/extractive-engine/stops", test_stops);
  g_test_add_func ("/plugins/extractive-engine/other-tasks", test_other_tasks);
  return g_test_run ();
}
