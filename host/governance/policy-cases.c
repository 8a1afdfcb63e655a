/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A test is one question to reeve_policy_decision_make(), with the compiled policies of the
 * document: what it answers here it answers there. Rates are not decided: nothing was called yet.
 */
#include "policy-cases.h"

#include <string.h>

#include "policy-trace.h"

/**
 * reeve_policy_cases_get_word:
 * @effect: an effect
 *
 * Returns: (transfer none): what becomes of a call, as a word
 */
const char *
reeve_policy_cases_get_word (ReevePolicyEffect effect)
{
  static const char *const words[] = { "allowed", "approval_required", "denied" };

  return words[effect];
}

static ReeveToolHints
reeve_policy_cases_read_hints (JsonArray *names)
{
  static const struct
  {
    const char *name;
    ReeveToolHints hint;
  } rows[] = { { "read_only", REEVE_TOOL_READ_ONLY },
               { "destructive", REEVE_TOOL_DESTRUCTIVE },
               { "idempotent", REEVE_TOOL_IDEMPOTENT },
               { "open_world", REEVE_TOOL_OPEN_WORLD } };
  ReeveToolHints hints = REEVE_TOOL_NONE;

  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    for (guint k = 0; k < G_N_ELEMENTS (rows); k++)
      if (strcmp (rows[k].name, json_array_get_string_element (names, i)) == 0)
        hints |= rows[k].hint;
  return hints;
}

static void
reeve_policy_cases_decide (ReevePolicyDocument *document, JsonObject *test,
                           ReevePolicyDecision *decision)
{
  const char *agent = reeve_json_get_string (test, "agent", NULL);
  ReevePolicyDocumentEntry *org = reeve_policy_document_find (document, NULL);
  ReevePolicyDocumentEntry *own
      = agent != NULL ? reeve_policy_document_find (document, agent) : NULL;
  JsonArray *hints = reeve_json_get_array (test, "hints");
  ReevePolicyAsk ask
      = { .tool_name = reeve_json_get_string (test, "tool", ""),
          .known = hints != NULL,
          .hints = reeve_policy_cases_read_hints (hints),
          .level = reeve_policy_parse_level (reeve_json_get_string (test, "sandbox_level", NULL)),
          .arguments = reeve_json_get_object (test, "arguments"),
          .estimated_tokens = reeve_json_get_int (test, "estimated_tokens", 0) };

  if (json_object_has_member (test, "cost"))
    ask.cost = json_node_get_double (json_object_get_member (test, "cost"));
  reeve_policy_decision_make (org != NULL ? org->policy : NULL, own != NULL ? own->policy : NULL,
                              &ask, decision);
}

static JsonObject *
reeve_policy_cases_run_one (ReevePolicyDocument *document, const ReevePolicyDocumentTest *row)
{
  static const char *const members[] = { "name", "agent", "tool", "expect" };
  g_auto (ReevePolicyDecision) decision = { 0 };
  JsonObject *result = json_object_new ();
  const char *reason = reeve_json_get_string (row->test, "reason", NULL);
  const char *word = NULL;
  gboolean passed = FALSE;

  reeve_policy_cases_decide (document, row->test, &decision);
  word = reeve_policy_cases_get_word (decision.effect);
  passed = strcmp (word, reeve_json_get_string (row->test, "expect", "")) == 0
           && (reason == NULL || strcmp (reason, decision.reason) == 0);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (json_object_has_member (row->test, members[i]))
      json_object_set_member (result, members[i],
                              json_node_copy (json_object_get_member (row->test, members[i])));
  json_object_set_string_member (result, "file",
                                 reeve_policy_document_get_file_name (document, row->file));
  json_object_set_int_member (result, "line",
                              reeve_policy_document_find_line (document, row->file, row->pointer));
  json_object_set_boolean_member (result, "passed", passed);
  if (reason != NULL)
    json_object_set_string_member (result, "expect_reason", reason);
  json_object_set_string_member (result, "decision", word);
  json_object_set_string_member (result, "reason", decision.reason);
  if (decision.detail != NULL)
    json_object_set_string_member (result, "detail", decision.detail);
  json_object_set_array_member (result, "trace", reeve_policy_trace_new (&decision));
  return result;
}

/**
 * reeve_policy_cases_run:
 * @document: a document without faults
 * @failed: (out): how many of its tests fail
 *
 * Returns: (transfer full): what became of each
 */
JsonArray *
reeve_policy_cases_run (ReevePolicyDocument *document, guint *failed)
{
  GPtrArray *tests = reeve_policy_document_list_tests (document);
  JsonArray *results = json_array_new ();

  *failed = 0;
  for (guint i = 0; i < tests->len; i++)
    {
      JsonObject *result = reeve_policy_cases_run_one (document, g_ptr_array_index (tests, i));

      *failed += reeve_json_get_boolean (result, "passed", FALSE) ? 0 : 1;
      json_array_add_object_element (results, result);
    }
  return results;
}
