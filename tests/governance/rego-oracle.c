/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the engine of the tool policy itself says, for test_rego.py: reads lines of
 * {org, agent, asks[{tool, known?, hints[]?, agent_tools?, arguments?, level?, tokens?, cost?}]}
 * and answers each with a line of {module, answers[{decision, input}]}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "governance/policy-question.h"
#include "governance/policy-rego.h"

static ReevePolicy *
read_policy (JsonObject *line, const char *member, ReevePolicyLayer layer)
{
  JsonObject *document = reeve_json_get_object (line, member);
  g_autoptr (GError) error = NULL;
  ReevePolicy *policy
      = document != NULL ? reeve_policy_new (document, layer, 1, "usr_1", &error) : NULL;

  if (error != NULL)
    g_error ("%s: %s", member, error->message);
  return policy;
}

static ReeveToolHints
read_hints (JsonArray *words)
{
  static const struct
  {
    const char *word;
    ReeveToolHints hint;
  } rows[] = { { "read_only", REEVE_TOOL_READ_ONLY },
               { "destructive", REEVE_TOOL_DESTRUCTIVE },
               { "open_world", REEVE_TOOL_OPEN_WORLD } };
  ReeveToolHints hints = 0;

  for (guint i = 0; words != NULL && i < json_array_get_length (words); i++)
    for (guint k = 0; k < G_N_ELEMENTS (rows); k++)
      if (strcmp (json_array_get_string_element (words, i), rows[k].word) == 0)
        hints |= rows[k].hint;
  return hints;
}

static char **
read_tools (JsonArray *names)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    g_strv_builder_add (builder, json_array_get_string_element (names, i));
  return names != NULL ? g_strv_builder_end (builder) : NULL;
}

static JsonObject *
answer (ReevePolicy *org, ReevePolicy *agent, JsonObject *asked)
{
  g_auto (GStrv) tools = read_tools (reeve_json_get_array (asked, "agent_tools"));
  JsonNode *cost = json_object_get_member (asked, "cost");
  const ReevePolicyAsk ask = {
    .tool_name = reeve_json_get_string (asked, "tool", ""),
    .known = reeve_json_get_boolean (asked, "known", FALSE),
    .hints = read_hints (reeve_json_get_array (asked, "hints")),
    .agent_tools = (const char *const *) tools,
    .arguments = reeve_json_get_object (asked, "arguments"),
    .level = reeve_policy_parse_level (reeve_json_get_string (asked, "level", NULL)),
    .estimated_tokens = reeve_json_get_int (asked, "tokens", 0),
    .cost = cost != NULL ? json_node_get_double (cost) : 0,
  };
  g_auto (ReevePolicyDecision) decision = { 0 };
  JsonObject *object = json_object_new ();
  JsonObject *input = reeve_policy_question_describe (org, agent, &ask);
  JsonObject *who = json_object_new ();

  reeve_policy_decision_make (org, agent, &ask, &decision);
  json_object_set_string_member (input, "tenant_id", "acme");
  json_object_set_string_member (who, "id", "agt_1");
  json_object_set_object_member (input, "agent", who);
  json_object_set_string_member (object, "decision",
                                 reeve_policy_get_effect_name (decision.effect));
  json_object_set_object_member (object, "input", input);
  return object;
}

static void
serve (const char *text)
{
  static const ReevePolicyRegoSubject subject
      = { .tenant_id = "acme", .agent_id = "agt_1", .revision = 7 };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), &error);
  JsonObject *line = node != NULL ? json_node_get_object (node) : NULL;
  g_autoptr (ReevePolicy) org = NULL;
  g_autoptr (ReevePolicy) agent = NULL;
  g_autoptr (JsonObject) whole = json_object_new ();
  g_autoptr (JsonNode) written = json_node_init_object (json_node_alloc (), whole);
  g_autofree char *module = NULL;
  g_autofree char *said = NULL;
  JsonArray *asks = reeve_json_get_array (line, "asks");
  JsonArray *answers = json_array_new ();

  if (line == NULL)
    g_error ("%s: %s", text, error->message);
  org = read_policy (line, "org", REEVE_POLICY_LAYER_ORG);
  agent = read_policy (line, "agent", REEVE_POLICY_LAYER_AGENT);
  module = reeve_policy_rego_write (&subject, org, agent);
  for (guint i = 0; asks != NULL && i < json_array_get_length (asks); i++)
    json_array_add_object_element (answers,
                                   answer (org, agent, json_array_get_object_element (asks, i)));
  json_object_set_string_member (whole, "module", module);
  json_object_set_array_member (whole, "answers", answers);
  said = reeve_json_canonical (written);
  puts (said);
  fflush (stdout);
}

int
main (void)
{
  char *line = NULL;
  size_t size = 0;

  while (getline (&line, &size, stdin) > 0)
    serve (g_strchomp (line));
  free (line);
  return 0;
}
