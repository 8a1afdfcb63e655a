/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fold and the decision, entry by entry: what is decided after each prefix of a journal. */
#include <reeve-json.h>

#include "runtime/decide.h"

#define STARTED                                                                                    \
  "{\"type\":\"started\",\"mission\":\"how hot?\",\"system_prompt\":\"be "                         \
  "brief\",\"max_iterations\":2}"
#define MODEL_INTENT "{\"type\":\"model.intent\",\"step\":1,\"intent\":7}"
#define MODEL_CALLS                                                                                \
  "{\"type\":\"model.outcome\",\"outcome\":\"succeeded\",\"content\":\"\",\"usage\":{\"input_"     \
  "tokens\":5,\"output_tokens\":3},\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","          \
  "\"function\":{\"name\":\"calculate\",\"arguments\":\"{}\"}},{\"id\":\"c2\",\"type\":"           \
  "\"function\",\"function\":{\"name\":\"calculate\",\"arguments\":\"{}\"}}]}"
#define MODEL_ANSWER                                                                               \
  "{\"type\":\"model.outcome\",\"outcome\":\"succeeded\",\"content\":\"80 [3]\",\"shown\":\"80 "   \
  "[1]\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1,\"estimated\":true}}"
#define MODEL_FAILED                                                                               \
  "{\"type\":\"model.outcome\",\"outcome\":\"failed\",\"error\":{\"code\":\"upstream\","           \
  "\"message\":\"it said 500\"}}"
#define MODEL_FALLBACK                                                                             \
  "{\"type\":\"model.outcome\",\"outcome\":\"failed\",\"error\":{\"code\":\"upstream\","           \
  "\"message\":\"it said 500\"},\"fallback\":{\"model\":\"b/x\",\"intent\":7}}"
#define TOOL_INTENT(id) "{\"type\":\"tool.intent\",\"call_id\":\"" id "\",\"name\":\"calculate\"}"
#define TOOL_OUTCOME(id)                                                                           \
  "{\"type\":\"tool.outcome\",\"call_id\":\"" id "\",\"outcome\":\"succeeded\",\"text\":\"80\"}"
#define TOOL_REFUSED(id) "{\"type\":\"tool.refused\",\"call_id\":\"" id "\",\"text\":\"error: no\"}"
#define TOOL_UNKNOWN(id)                                                                           \
  "{\"type\":\"tool.outcome\",\"call_id\":\"" id "\",\"outcome\":\"unknown\",\"text\":\"cut "      \
  "off\"}"
#define MODEL_GIVEN_UP    "{\"type\":\"given_up\",\"step\":1}"
#define TOOL_GIVEN_UP(id) "{\"type\":\"given_up\",\"call_id\":\"" id "\"}"
#define CANCELLED         "{\"type\":\"interrupted\",\"reason\":\"cancelled\"}"
#define QUEUE_TIMEOUT     "{\"type\":\"interrupted\",\"reason\":\"queue_timeout\"}"
#define QUEUED            "{\"type\":\"started\",\"mission\":\"how hot?\",\"queued\":true}"
#define BEGUN             "{\"type\":\"begun\"}"
#define TIMEOUT           "{\"type\":\"interrupted\",\"reason\":\"timeout\"}"
#define ENDED             "{\"type\":\"ended\",\"status\":\"succeeded\"}"

static gboolean
test_decide_add (ReeveJournal *journal, const char *text, GError **error)
{
  g_autoptr (JsonNode) node = json_from_string (text, NULL);

  g_assert_nonnull (node);
  return reeve_journal_add (journal, json_node_get_object (node), error);
}

static ReeveJournal *
test_decide_journal (const char *const *entries)
{
  ReeveJournal *journal = reeve_journal_new ();

  for (guint i = 0; entries[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean added = test_decide_add (journal, entries[i], &error);

      g_assert_no_error (error);
      g_assert_true (added);
    }
  return journal;
}

typedef struct
{
  const char *name;
  const char *entries[12];
  ReeveDecisionKind kind;
  const char *status; /* finish */
  const char *code;
  const char *call; /* tool */
} TestDecideCase;

static const TestDecideCase test_decide_cases[] = {
  { "started", { STARTED, NULL }, REEVE_DECISION_CALL_MODEL, NULL, NULL, NULL },
  { "waits for its turn", { QUEUED, NULL }, REEVE_DECISION_WAIT, NULL, NULL, NULL },
  { "its turn has come", { QUEUED, BEGUN, NULL }, REEVE_DECISION_CALL_MODEL, NULL, NULL, NULL },
  { "has waited too long",
    { QUEUED, QUEUE_TIMEOUT, NULL },
    REEVE_DECISION_FINISH,
    "failed",
    "queue_timeout",
    NULL },
  { "cancelled while it waits",
    { QUEUED, CANCELLED, NULL },
    REEVE_DECISION_FINISH,
    "cancelled",
    "cancelled",
    NULL },
  { "model lost",
    { STARTED, MODEL_INTENT, NULL },
    REEVE_DECISION_FINISH,
    "unknown",
    "unknown_outcome",
    NULL },
  { "model given up",
    { STARTED, MODEL_INTENT, MODEL_GIVEN_UP, NULL },
    REEVE_DECISION_CALL_MODEL,
    NULL,
    NULL,
    NULL },
  { "model given up twice is no step",
    { STARTED, MODEL_INTENT, MODEL_GIVEN_UP, MODEL_INTENT, MODEL_GIVEN_UP, MODEL_INTENT,
      MODEL_ANSWER, NULL },
    REEVE_DECISION_FINISH,
    "succeeded",
    NULL,
    NULL },
  { "another model is asked",
    { STARTED, MODEL_INTENT, MODEL_FALLBACK, NULL },
    REEVE_DECISION_CALL_MODEL,
    NULL,
    NULL,
    NULL },
  { "others are no steps",
    { STARTED, MODEL_INTENT, MODEL_FALLBACK, MODEL_INTENT, MODEL_FALLBACK, MODEL_INTENT,
      MODEL_ANSWER, NULL },
    REEVE_DECISION_FINISH,
    "succeeded",
    NULL,
    NULL },
  { "the other fails too",
    { STARTED, MODEL_INTENT, MODEL_FALLBACK, MODEL_INTENT, MODEL_FAILED, NULL },
    REEVE_DECISION_FINISH,
    "failed",
    "upstream",
    NULL },
  { "cancelled between the two",
    { STARTED, MODEL_INTENT, MODEL_FALLBACK, CANCELLED, NULL },
    REEVE_DECISION_FINISH,
    "cancelled",
    "cancelled",
    NULL },
  { "tool given up",
    { STARTED, MODEL_INTENT, MODEL_CALLS, TOOL_INTENT ("c1"), TOOL_GIVEN_UP ("c1"), NULL },
    REEVE_DECISION_CALL_TOOL,
    NULL,
    NULL,
    "c1" },
  { "first call",
    { STARTED, MODEL_INTENT, MODEL_CALLS, NULL },
    REEVE_DECISION_CALL_TOOL,
    NULL,
    NULL,
    "c1" },
  { "tool lost",
    { STARTED, MODEL_INTENT, MODEL_CALLS, TOOL_INTENT ("c1"), NULL },
    REEVE_DECISION_FINISH,
    "unknown",
    "unknown_outcome",
    NULL },
  { "second call",
    { STARTED, MODEL_INTENT, MODEL_CALLS, TOOL_INTENT ("c1"), TOOL_OUTCOME ("c1"), NULL },
    REEVE_DECISION_CALL_TOOL,
    NULL,
    NULL,
    "c2" },
  { "refused goes on",
    { STARTED, MODEL_INTENT, MODEL_CALLS, TOOL_REFUSED ("c1"), NULL },
    REEVE_DECISION_CALL_TOOL,
    NULL,
    NULL,
    "c2" },
  { "all called",
    { STARTED, MODEL_INTENT, MODEL_CALLS, TOOL_REFUSED ("c1"), TOOL_REFUSED ("c2"), NULL },
    REEVE_DECISION_CALL_MODEL,
    NULL,
    NULL,
    NULL },
  { "tool unknown",
    { STARTED, MODEL_INTENT, MODEL_CALLS, TOOL_INTENT ("c1"), TOOL_UNKNOWN ("c1"), NULL },
    REEVE_DECISION_FINISH,
    "unknown",
    "unknown_outcome",
    NULL },
  { "answered",
    { STARTED, MODEL_INTENT, MODEL_ANSWER, NULL },
    REEVE_DECISION_FINISH,
    "succeeded",
    NULL,
    NULL },
  { "failed",
    { STARTED, MODEL_INTENT, MODEL_FAILED, NULL },
    REEVE_DECISION_FINISH,
    "failed",
    "upstream",
    NULL },
  { "too many",
    { STARTED, MODEL_INTENT, MODEL_CALLS, TOOL_REFUSED ("c1"), TOOL_REFUSED ("c2"), MODEL_INTENT,
      MODEL_CALLS, TOOL_REFUSED ("c1"), TOOL_REFUSED ("c2"), NULL },
    REEVE_DECISION_FINISH,
    "failed",
    "max_iterations",
    NULL },
  { "cancelled",
    { STARTED, CANCELLED, NULL },
    REEVE_DECISION_FINISH,
    "cancelled",
    "cancelled",
    NULL },
  { "timeout",
    { STARTED, MODEL_INTENT, MODEL_CALLS, TIMEOUT, NULL },
    REEVE_DECISION_FINISH,
    "failed",
    "timeout",
    NULL },
  { "ended",
    { STARTED, MODEL_INTENT, MODEL_ANSWER, ENDED, NULL },
    REEVE_DECISION_NOTHING,
    NULL,
    NULL,
    NULL },
};

static void
test_decide_case (gconstpointer data)
{
  const TestDecideCase *c = data;
  g_autoptr (ReeveJournal) journal = test_decide_journal (c->entries);
  g_auto (ReeveDecision) decision = { 0 };
  g_auto (ReeveDecision) again = { 0 };

  reeve_decide (journal, &decision);
  reeve_decide (journal, &again);
  g_assert_cmpint (decision.kind, ==, c->kind);
  g_assert_cmpstr (decision.status, ==, c->status);
  g_assert_cmpstr (decision.error_code, ==, c->code);
  g_assert_cmpint (again.kind, ==, decision.kind);
  g_assert_cmpstr (again.error_message, ==, decision.error_message);
  if (c->code != NULL)
    g_assert_cmpstr (decision.error_message, !=, NULL);
  if (c->call != NULL)
    g_assert_cmpstr (decision.call->call_id, ==, c->call);
}

static void
test_decide_answer (void)
{
  const char *const entries[] = { STARTED, MODEL_INTENT, MODEL_ANSWER, NULL };
  g_autoptr (ReeveJournal) journal = test_decide_journal (entries);
  g_auto (ReeveDecision) decision = { 0 };

  reeve_decide (journal, &decision);
  g_assert_cmpstr (decision.answer, ==, "80 [1]");
  g_assert_cmpint (reeve_journal_get_input_tokens (journal), ==, 9);
  g_assert_cmpint (reeve_journal_get_output_tokens (journal), ==, 1);
  g_assert_true (reeve_journal_is_usage_estimated (journal));
  g_assert_cmpuint (reeve_journal_get_steps (journal), ==, 1);
}

static void
test_decide_messages (void)
{
  const char *const entries[] = { STARTED,
                                  MODEL_INTENT,
                                  MODEL_CALLS,
                                  TOOL_REFUSED ("c1"),
                                  TOOL_INTENT ("c2"),
                                  TOOL_OUTCOME ("c2"),
                                  NULL };
  const char *const roles[] = { "system", "user", "assistant", "tool", "tool" };
  g_autoptr (ReeveJournal) journal = test_decide_journal (entries);
  g_autoptr (JsonArray) messages = reeve_decide_messages (journal);

  g_assert_cmpuint (json_array_get_length (messages), ==, G_N_ELEMENTS (roles));
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    g_assert_cmpstr (
        json_object_get_string_member (json_array_get_object_element (messages, i), "role"), ==,
        roles[i]);
  g_assert_cmpstr (
      json_object_get_string_member (json_array_get_object_element (messages, 4), "tool_call_id"),
      ==, "c2");
}

/* A call that failed is no message, and the next one takes its step. */
static void
test_decide_fallback (void)
{
  const char *const entries[] = { STARTED, MODEL_INTENT, MODEL_FALLBACK, NULL };
  g_autoptr (ReeveJournal) journal = test_decide_journal (entries);
  g_autoptr (JsonArray) messages = reeve_decide_messages (journal);
  g_auto (ReeveDecision) decision = { 0 };

  reeve_decide (journal, &decision);
  g_assert_cmpuint (decision.step, ==, 1);
  g_assert_cmpuint (reeve_journal_get_steps (journal), ==, 0);
  g_assert_cmpuint (json_array_get_length (messages), ==, 2);
  g_assert_cmpstr (reeve_json_get_string (reeve_journal_get_fallback (journal), "model", NULL), ==,
                   "b/x");
}

static void
test_decide_misplaced (void)
{
  static const char *const first[]
      = { MODEL_INTENT, TOOL_INTENT ("c1"), ENDED, "{\"type\":\"no\"}", "{}" };
  static const char *const later[]
      = { STARTED,        MODEL_ANSWER,         TOOL_INTENT ("c1"),  TOOL_OUTCOME ("c1"),
          MODEL_GIVEN_UP, TOOL_GIVEN_UP ("c1"), "{\"type\":\"no\"}", BEGUN };

  for (guint i = 0; i < G_N_ELEMENTS (first); i++)
    {
      g_autoptr (ReeveJournal) journal = reeve_journal_new ();
      g_autoptr (GError) error = NULL;

      g_assert_false (test_decide_add (journal, first[i], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
      g_assert_cmpuint (reeve_journal_get_length (journal), ==, 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (later); i++)
    {
      const char *const entries[] = { STARTED, NULL };
      g_autoptr (ReeveJournal) journal = test_decide_journal (entries);
      g_autoptr (GError) error = NULL;

      g_assert_false (test_decide_add (journal, later[i], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
    }
}

static void
test_decide_after_end (void)
{
  const char *const entries[] = { STARTED, MODEL_INTENT, MODEL_ANSWER, ENDED, NULL };
  g_autoptr (ReeveJournal) journal = test_decide_journal (entries);
  g_autoptr (GError) error = NULL;

  g_assert_false (test_decide_add (journal, CANCELLED, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (test_decide_cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/decide/case/%s", test_decide_cases[i].name);

      g_test_add_data_func (path, &test_decide_cases[i], test_decide_case);
    }
  g_test_add_func ("/decide/answer", test_decide_answer);
  g_test_add_func ("/decide/messages", test_decide_messages);
  g_test_add_func ("/decide/fallback", test_decide_fallback);
  g_test_add_func ("/decide/misplaced", test_decide_misplaced);
  g_test_add_func ("/decide/after-end", test_decide_after_end);
  return g_test_run ();
}
