/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an analysis says of a draft, held against the decisions themselves: for random policies over
 * all pairs of agent and tool nothing is missing and nothing is said that is not so. */
#include "governance/policy-analysis.h"

#include "governance/policy-cases.h"

#include <string.h>

static const char *const tools[]
    = { "a", "ab", "abc", "b", "bc", "read_a", "write_b", "http_get", "shell_run", "x" };
static const char *const agents[] = { NULL, "agt_1", "agt_2", "agt_3" };

static const char *
pick (GRand *rand, const char *const *list, guint length)
{
  return list[g_rand_int_range (rand, 0, (gint32) length)];
}

static void
add_patterns (GRand *rand, JsonObject *object, const char *member)
{
  static const char *const patterns[]
      = { "read:*", "write:*", "a*", "network:http_get", "execute:*", "x", "*:b", "shell_*" };
  JsonArray *list = json_array_new ();

  if (g_rand_int_range (rand, 0, 3) > 0)
    {
      json_array_unref (list);
      return;
    }
  for (int i = g_rand_int_range (rand, 0, 3); i > 0; i--)
    json_array_add_string_element (list, pick (rand, patterns, G_N_ELEMENTS (patterns)));
  json_object_set_array_member (object, member, list);
}

static JsonArray *
random_tools (GRand *rand)
{
  static const char *const names[]
      = { "a", "ab", "a*", "*c", "b?", "*", "read_*", "http_get", "shell_*", "x", "*_*" };
  JsonArray *list = json_array_new ();

  for (int i = g_rand_int_range (rand, 0, 5); i > 0; i--)
    {
      JsonObject *tool = json_object_new ();

      json_object_set_string_member (tool, "tool_name", pick (rand, names, G_N_ELEMENTS (names)));
      json_object_set_string_member (tool, "effect",
                                     g_rand_int_range (rand, 0, 3) > 0 ? "allow" : "deny");
      json_array_add_object_element (list, tool);
    }
  return list;
}

static ReevePolicy *
random_policy (GRand *rand, ReevePolicyLayer layer)
{
  static const char *const levels[] = { "strict", "standard", "trusted", "isolated" };
  static const char *const securities[] = { "full", "allowlist", "deny" };
  g_autoptr (JsonObject) document = json_object_new ();
  JsonObject *approval = json_object_new ();
  g_autoptr (GError) error = NULL;
  ReevePolicy *policy = NULL;

  json_object_set_array_member (document, "tools", random_tools (rand));
  if (g_rand_int_range (rand, 0, 4) == 0)
    json_object_set_string_member (document, "sandbox_level",
                                   pick (rand, levels, G_N_ELEMENTS (levels)));
  if (g_rand_int_range (rand, 0, 8) == 0)
    json_object_set_string_member (document, "security_level",
                                   pick (rand, securities, G_N_ELEMENTS (securities)));
  add_patterns (rand, approval, "blocked");
  add_patterns (rand, approval, "approval_required");
  add_patterns (rand, approval, "allowlist");
  json_object_set_object_member (document, "approval", approval);
  policy = reeve_policy_new (document, layer, 1, "usr_1", &error);
  g_assert_no_error (error);
  return policy;
}

static void
fill_set (GRand *rand, ReevePolicyAnalysisSet *set)
{
  set->org
      = g_rand_int_range (rand, 0, 5) > 0 ? random_policy (rand, REEVE_POLICY_LAYER_ORG) : NULL;
  set->agents
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) reeve_policy_unref);
  for (guint i = 1; i < G_N_ELEMENTS (agents); i++)
    if (g_rand_boolean (rand))
      g_hash_table_insert (set->agents, (gpointer) agents[i],
                           random_policy (rand, REEVE_POLICY_LAYER_AGENT));
}

static void
clear_set (ReevePolicyAnalysisSet *set)
{
  g_clear_pointer (&set->org, reeve_policy_unref);
  g_clear_pointer (&set->agents, g_hash_table_unref);
}

static ReevePolicyEffect
decide (const ReevePolicyAnalysisSet *set, const char *agent, const char *tool, gboolean known)
{
  const ReevePolicyAsk ask = { .tool_name = tool, .known = known };
  g_auto (ReevePolicyDecision) decision = { 0 };

  reeve_policy_decision_make (
      set->org, agent != NULL ? g_hash_table_lookup (set->agents, agent) : NULL, &ask, &decision);
  return decision.effect;
}

static JsonArray *
get_list (JsonObject *answer, ReevePolicyEffect effect)
{
  static const char *const names[] = { "newly_allowed", "newly_approval_required", "newly_denied" };

  return reeve_json_get_array (answer, names[effect]);
}

static gboolean
is_told (JsonObject *answer, ReevePolicyEffect effect, const char *agent, const char *tool)
{
  JsonArray *list = get_list (answer, effect);

  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonObject *entry = json_array_get_object_element (list, i);

      if (g_strcmp0 (reeve_json_get_string (entry, "agent_id", NULL), agent) == 0
          && g_strcmp0 (reeve_json_get_string (entry, "tool", NULL), tool) == 0)
        return TRUE;
    }
  return FALSE;
}

/* Whatever is told was decided so, of names that stand for globs too. */
static void
check_told (JsonObject *answer, const ReevePolicyAnalysisSet *before,
            const ReevePolicyAnalysisSet *after)
{
  for (guint effect = 0; effect <= REEVE_POLICY_DENY; effect++)
    {
      JsonArray *list = get_list (answer, effect);

      for (guint i = 0; i < json_array_get_length (list); i++)
        {
          JsonObject *entry = json_array_get_object_element (list, i);
          const char *agent = reeve_json_get_string (entry, "agent_id", NULL);
          const char *tool = reeve_json_get_string (entry, "tool", NULL);
          gboolean known = reeve_json_get_boolean (entry, "known", FALSE);
          JsonObject *rule = reeve_json_get_object (entry, "rule_after");

          g_assert_cmpint (decide (after, agent, tool, known), ==, effect);
          g_assert_cmpint (decide (before, agent, tool, known), !=, effect);
          g_assert_cmpstr (reeve_json_get_string (entry, "before", NULL), ==,
                           reeve_policy_cases_get_word (decide (before, agent, tool, known)));
          g_assert_cmpstr (reeve_json_get_string (rule, "effect", NULL), ==,
                           reeve_policy_get_effect_name (effect));
        }
    }
}

static void
test_analysis_is_true (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  guint changes = 0;

  for (guint round = 0; round < 300; round++)
    {
      ReevePolicyAnalysisSet before = { 0 };
      ReevePolicyAnalysisSet after = { 0 };
      g_autoptr (ReevePolicyAnalysisTools) known = reeve_policy_analysis_tools_new ();
      g_autoptr (JsonObject) answer = NULL;
      g_autoptr (GError) error = NULL;

      fill_set (rand, &before);
      fill_set (rand, &after);
      for (guint i = 0; i < G_N_ELEMENTS (tools); i++)
        reeve_policy_analysis_tools_add (known, tools[i], REEVE_TOOL_NONE);
      answer = reeve_policy_analysis_compare (&before, &after, known, &error);
      g_assert_no_error (error);
      g_assert_true (reeve_json_get_boolean (answer, "complete", FALSE));
      check_told (answer, &before, &after);
      for (guint a = 0; a < G_N_ELEMENTS (agents); a++)
        for (guint t = 0; t < G_N_ELEMENTS (tools); t++)
          {
            ReevePolicyEffect was = decide (&before, agents[a], tools[t], TRUE);
            ReevePolicyEffect is = decide (&after, agents[a], tools[t], TRUE);
            /* one that has no policy of its own, before and after, is any other */
            const char *agent = agents[a] != NULL
                                        && (g_hash_table_contains (before.agents, agents[a])
                                            || g_hash_table_contains (after.agents, agents[a]))
                                    ? agents[a]
                                    : NULL;

            g_assert_true (is_told (answer, is, agent, tools[t]) == (was != is));
            changes += was != is;
          }
      clear_set (&before);
      clear_set (&after);
    }
  g_assert_cmpuint (changes, >, 1000);
}

static ReevePolicy *
parse (const char *text, ReevePolicyLayer layer)
{
  g_autoptr (JsonNode) node = json_from_string (text, NULL);

  return reeve_policy_new (json_node_get_object (node), layer, 1, NULL, NULL);
}

static JsonObject *
compare (const char *before, const char *after)
{
  g_autoptr (GHashTable) none = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (ReevePolicy) old = before != NULL ? parse (before, REEVE_POLICY_LAYER_ORG) : NULL;
  g_autoptr (ReevePolicy) new = after != NULL ? parse (after, REEVE_POLICY_LAYER_ORG) : NULL;
  const ReevePolicyAnalysisSet one = { .org = old, .agents = none };
  const ReevePolicyAnalysisSet other = { .org = new, .agents = none };
  g_autoptr (ReevePolicyAnalysisTools) known = reeve_policy_analysis_tools_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *answer = reeve_policy_analysis_compare (&one, &other, known, &error);

  g_assert_no_error (error);
  return answer;
}

static char *
tell (JsonArray *list, const char *member)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (list); i++)
    g_string_append_printf (
        text, "%s%s", i > 0 ? " " : "",
        reeve_json_get_string (json_array_get_object_element (list, i), member, "-"));
  return g_string_free (text, FALSE);
}

/* A glob is shown by names that it matches, also where it meets another. */
static void
test_analysis_witnesses (void)
{
  g_autoptr (JsonObject) answer
      = compare ("{\"tools\":[{\"tool_name\":\"get_*\",\"effect\":\"allow\"}]}",
                 "{\"tools\":[{\"tool_name\":\"get_*\",\"effect\":\"allow\"},"
                 "{\"tool_name\":\"*_secret\",\"effect\":\"deny\"}]}");
  g_autofree char *allowed = tell (get_list (answer, REEVE_POLICY_ALLOW), "tool");
  g_autofree char *denied = tell (get_list (answer, REEVE_POLICY_DENY), "tool");

  g_assert_cmpstr (allowed, ==, "");
  g_assert_cmpstr (denied, ==, "get__secret");
}

static void
test_analysis_limits_and_conditions (void)
{
  g_autoptr (JsonObject) answer
      = compare ("{\"tools\":[{\"tool_name\":\"x\",\"effect\":\"allow\"}],\"token_limit\":5,"
                 "\"matrix\":{\"x\":{\"paths\":[\"/a\"]},\"y\":{\"paths\":[\"/a\"]}}}",
                 "{\"tools\":[{\"tool_name\":\"x\",\"effect\":\"allow\"}],"
                 "\"matrix\":{\"x\":{\"paths\":[\"/a\",\"/b\"]},\"y\":{\"paths\":[]}},"
                 "\"approval\":{\"blocked\":[\"write:/etc/*\"]}}");
  JsonArray *limits = reeve_json_get_array (answer, "limits");
  JsonArray *conditions = reeve_json_get_array (answer, "conditions");
  g_autofree char *what = tell (conditions, "what");
  g_autofree char *which = tell (conditions, "tool");

  g_assert_cmpuint (json_array_get_length (limits), ==, 1);
  g_assert_cmpint (reeve_json_get_int (json_array_get_object_element (limits, 0), "before", 0), ==,
                   5);
  g_assert_cmpstr (what, ==, "approval constraints");
  g_assert_cmpstr (which, ==, "- x");
}

static void
test_analysis_bounds (void)
{
  g_autoptr (GHashTable) many = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                                       (GDestroyNotify) reeve_policy_unref);
  g_autoptr (GHashTable) none = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (ReevePolicy) empty = parse ("{}", REEVE_POLICY_LAYER_AGENT);
  const ReevePolicyAnalysisSet before = { .agents = none };
  const ReevePolicyAnalysisSet after = { .agents = many };
  g_autoptr (ReevePolicyAnalysisTools) known = reeve_policy_analysis_tools_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *name = g_strdup_printf ("tool_%u", i);

      g_hash_table_insert (many, g_strdup (name), reeve_policy_ref (empty));
      reeve_policy_analysis_tools_add (known, name, REEVE_TOOL_NONE);
    }
  g_assert_null (reeve_policy_analysis_compare (&before, &after, known, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/policy-analysis/is-true", test_analysis_is_true);
  g_test_add_func ("/policy-analysis/witnesses", test_analysis_witnesses);
  g_test_add_func ("/policy-analysis/limits-and-conditions", test_analysis_limits_and_conditions);
  g_test_add_func ("/policy-analysis/bounds", test_analysis_bounds);
  return g_test_run ();
}
