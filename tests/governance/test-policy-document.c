/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy documents: what is read, what is wrong with file, line and key, what the lints find, and
 * that tests are decided as the host decides. */
#include "governance/policy-cases.h"
#include "governance/policy-decision.h"
#include "governance/policy-lint.h"

#include <string.h>

static ReevePolicyDocument *
read_text (const char *text)
{
  ReevePolicyDocument *document = reeve_policy_document_new ();

  reeve_policy_document_add (document, "p.yaml", text, strlen (text));
  return document;
}

/* every finding as LINE CODE KEY, joined by `; ` */
static char *
tell (ReevePolicyDocument *document)
{
  GPtrArray *findings = reeve_policy_document_list_findings (document);
  GString *told = g_string_new (NULL);

  for (guint i = 0; i < findings->len; i++)
    {
      const ReevePolicyFinding *finding = findings->pdata[i];

      g_assert_cmpuint (strlen (finding->message), >, 0);
      g_string_append_printf (told, "%s%u %s%s %s", i > 0 ? "; " : "", finding->line,
                              finding->error ? "" : "~", finding->code, finding->key);
    }
  return g_string_free (told, FALSE);
}

static void
test_document_reads (void)
{
  g_autoptr (ReevePolicyDocument) document
      = read_text ("version: 1\norg: {tools: [{tool_name: x, effect: allow}], token_limit: null}\n"
                   "agents:\n  a/b: {description: '${HOME} env:HOME 1'}\n");
  static const char json[] = "{\"agents\": {\"c\": {\"token_limit\": 5}}}";
  g_autoptr (JsonObject) policies = NULL;
  JsonObject *agents = NULL;

  g_assert_true (reeve_policy_document_add (document, "q.json", json, strlen (json)));
  g_assert_false (reeve_policy_document_has_errors (document));
  policies = reeve_policy_document_dup_policies (document);
  agents = reeve_json_get_object (policies, "agents");
  g_assert_false (json_object_has_member (reeve_json_get_object (policies, "org"), "token_limit"));
  g_assert_cmpstr (
      reeve_json_get_string (reeve_json_get_object (agents, "a/b"), "description", NULL), ==,
      "${HOME} env:HOME 1");
  g_assert_cmpint (
      reeve_policy_get_token_limit (reeve_policy_document_find (document, "c")->policy), ==, 5);
  g_assert_null (reeve_policy_document_find (document, "d"));
  g_assert_cmpuint (reeve_policy_document_list_entries (document)->len, ==, 3);
}

static void
test_document_faults (void)
{
  static const struct
  {
    const char *text;
    const char *told;
  } rows[] = {
    { "", "1 syntax " },
    { "a: [\n", "2 syntax " },
    { "a: 1\na: 2\n", "2 syntax " },
    { "orgs: {}\n", "1 schema orgs" },
    { "- x\n", "1 schema " },
    { "org:\n  tools:\n  - tool_name: x\n    effect: maybe\n", "4 schema org.tools[0].effect" },
    { "org:\n  sandbox_level: loose\n", "2 schema org.sandbox_level" },
    { "org:\n  token_limt: 5\n  token_limit: x\n",
      "2 schema org.token_limt; 3 schema org.token_limit" },
    { "version: 2\n", "1 schema version" },
    { "agents:\n  a:\n    matrix:\n      f/x:\n        paths:\n        - ok\n        - ../x\n",
      "7 policy agents.a.matrix.f/x.paths[1]" },
    { "agents:\n  a/b: {approval: {blocked: [x]}}\n  c:\n", "3 schema agents.c" },
    { "tests:\n- {tool: x}\n", "2 schema tests[0].expect" },
    { "org: &a {tools: *a}\n", "1 syntax " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (ReevePolicyDocument) document = read_text (rows[i].text);
      g_autofree char *told = tell (document);

      g_test_message ("%s", rows[i].text);
      g_assert_true (reeve_policy_document_has_errors (document));
      g_assert_cmpstr (told, ==, rows[i].told);
    }
}

static void
test_document_files (void)
{
  g_autoptr (ReevePolicyDocument) document = read_text ("org: {}\nagents:\n  a: {}\n");
  static const char other[] = "agents:\n  b: {}\n  a: {}\norg: {}\n";
  static const char twice[] = "{\"org\": {}, \"org\": {}}";
  g_autoptr (ReevePolicyDocument) strict = reeve_policy_document_new ();
  g_autoptr (ReevePolicyDocument) absent = reeve_policy_document_new ();
  g_autofree char *told = NULL;

  g_assert_false (reeve_policy_document_add (document, "q.yaml", other, strlen (other)));
  told = tell (document);
  g_assert_cmpstr (told, ==, "3 twice agents.a; 4 twice org");
  g_assert_false (reeve_policy_document_add (strict, "q.json", twice, strlen (twice)));
  g_assert_false (reeve_policy_document_add (strict, "r.json", "org: {}", 7));
  g_assert_false (reeve_policy_document_add_file (absent, "/nonexistent/p.yaml"));
  g_assert_true (reeve_policy_document_has_errors (absent));
}

/* What programs export may be larger than what people write. */
static void
test_document_large (void)
{
  g_autoptr (GString) text = g_string_new ("org:\n  tools:\n");
  g_autoptr (ReevePolicyDocument) document = NULL;

  for (guint i = 0; i < 20000; i++)
    g_string_append_printf (text, "  - {tool_name: tool_%u, effect: allow}\n", i);
  document = read_text (text->str);
  g_assert_false (reeve_policy_document_has_errors (document));
  g_string_append (text, "  - {tool_name: more, effect: allow}\n");
  g_assert_false (reeve_policy_document_add (document, "q.yaml", text->str, text->len));
}

#define ORG "org:\n  tools: [{tool_name: 'sh*', effect: deny}]\n  token_limit: 10\n"

static void
test_document_lints (void)
{
  static const struct
  {
    const char *text;
    const char *told;
  } rows[] = {
    { "org: {tools: [{tool_name: x, effect: allow}]}\n", "" },
    { ORG "agents: {a: {tools: [{tool_name: shell, effect: allow}]}}\n",
      "4 ~org-denies agents.a.tools[0]" },
    { ORG "agents: {a: {tools: [{tool_name: shell, effect: deny}]}}\n",
      "4 ~redundant agents.a.tools[0]" },
    { ORG "agents: {a: {matrix: {shell: {allowed: true}}}}\n",
      "4 ~org-denies agents.a.matrix.shell" },
    { ORG "agents: {a: {token_limit: 11}, b: {token_limit: 10}}\n",
      "4 ~wider-than-org agents.a.token_limit" },
    { "org: {security_level: deny}\nagents: {a: {tools: [{tool_name: x, effect: allow}]}}\n",
      "2 ~org-denies agents.a.tools[0]" },
    { "org: {tools: [{tool_name: 'a*', effect: deny}, {tool_name: 'ab*', effect: allow}]}\n",
      "1 ~shadowed org.tools[1]" },
    { "org: {tools: [{tool_name: 'a*', effect: deny}, {tool_name: 'ab*', effect: deny}]}\n",
      "1 ~redundant org.tools[1]" },
    { "org: {tools: [{tool_name: x, effect: allow}, {tool_name: x, effect: allow}]}\n",
      "1 ~duplicate org.tools[1]" },
    { "org: {tools: [{tool_name: '*', effect: allow}]}\n", "1 ~allows-all org.tools[0]" },
    { "org: {security_level: full}\n", "1 ~allows-all org.security_level" },
    { "org: {matrix: {x: {}}}\n", "1 ~empty org.matrix.x" },
    { "org: {matrix: {x: {allowed: false, paths: [/a]}}}\n", "1 ~shadowed org.matrix.x" },
    { "org: {sandbox_level: isolated, tools: [{tool_name: http_get, effect: allow}]}\n",
      "1 ~never-allowed org.tools[0]" },
    { "org: {sandbox_level: strict}\nagents: {a: {sandbox_level: trusted}}\n",
      "2 ~wider-than-org agents.a.sandbox_level" },
    { "org: {levels: {standard: [x]}}\n", "1 ~unused org.levels" },
    { "org: {levels: {standard: [x]}}\nagents: {a: {sandbox_level: standard}}\n", "" },
    { "org: {approval: {blocked: ['exec:rm *']}}\n", "1 ~never-matches org.approval.blocked[0]" },
    { "org: {approval: {blocked: ['deploy:x']}}\n", "1 ~unknown-kind org.approval.blocked[0]" },
    { "org: {approval: {blocked: ['execute:rm *', 'ex*:a b', '*:a b', x, 'r*']}}\n", "" },
    { "org: {approval: {blocked: [x, x]}}\n", "1 ~duplicate org.approval.blocked[1]" },
    { "org: {approval: {blocked: ['write:*']}}\n"
      "agents: {a: {approval: {allowlist: ['write:x', 'read:x']}}}\n",
      "2 ~shadowed agents.a.approval.allowlist[0]" },
    { "tests: [{agent: z, tool: x, expect: denied}]\n", "1 ~unknown-agent tests[0].agent" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (ReevePolicyDocument) document = read_text (rows[i].text);
      g_autofree char *told = NULL;

      reeve_policy_lint_run (document);
      told = tell (document);
      g_test_message ("%s", rows[i].text);
      g_assert_false (reeve_policy_document_has_errors (document));
      g_assert_cmpstr (told, ==, rows[i].told);
    }
}

/* What is found dead may go without a decision being another. */
static char *
random_name (GRand *rand)
{
  static const char *const names[] = { "a", "ab", "abc", "b", "bc", "a*", "ab*", "*c", "a?", "*" };

  return g_strdup (names[g_rand_int_range (rand, 0, G_N_ELEMENTS (names))]);
}

static JsonObject *
random_policy (GRand *rand)
{
  JsonObject *policy = json_object_new ();
  JsonArray *tools = json_array_new ();

  for (int i = g_rand_int_range (rand, 0, 5); i > 0; i--)
    {
      JsonObject *tool = json_object_new ();
      g_autofree char *name = random_name (rand);

      json_object_set_string_member (tool, "tool_name", name);
      json_object_set_string_member (tool, "effect", g_rand_boolean (rand) ? "allow" : "deny");
      json_array_add_object_element (tools, tool);
    }
  json_object_set_array_member (policy, "tools", tools);
  return policy;
}

static ReevePolicyEffect
decide (ReevePolicyDocument *document, const char *tool, const char *agent)
{
  ReevePolicyDocumentEntry *own = reeve_policy_document_find (document, agent);
  ReevePolicyAsk ask = { .tool_name = tool };
  g_auto (ReevePolicyDecision) decision = { 0 };

  reeve_policy_decision_make (reeve_policy_document_find (document, NULL)->policy, own->policy,
                              &ask, &decision);
  return decision.effect;
}

static char *
write_document (JsonObject *org, JsonObject *agent)
{
  g_autoptr (JsonObject) document = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *agents = json_object_new ();

  json_object_set_object_member (document, "org", json_object_ref (org));
  json_object_set_object_member (agents, "a", json_object_ref (agent));
  json_object_set_object_member (document, "agents", agents);
  json_node_set_object (node, document);
  return json_to_string (node, FALSE);
}

/* Takes out the first rule that is said to have no effect; NULL: none is. */
static char *
without_a_dead_rule (ReevePolicyDocument *document, JsonObject *org, JsonObject *agent)
{
  static const char *const dead[] = { "org-denies", "shadowed", "redundant", "duplicate", NULL };
  GPtrArray *findings = NULL;

  reeve_policy_lint_run (document);
  findings = reeve_policy_document_list_findings (document);
  for (guint i = 0; i < findings->len; i++)
    {
      const ReevePolicyFinding *finding = findings->pdata[i];
      gboolean of_org = g_str_has_prefix (finding->pointer, "/org");
      const char *at = strrchr (finding->pointer, '/') + 1;

      if (!g_strv_contains (dead, finding->code))
        continue;
      json_array_remove_element (reeve_json_get_array (of_org ? org : agent, "tools"),
                                 (guint) g_ascii_strtoull (at, NULL, 10));
      return write_document (org, agent);
    }
  return NULL;
}

static void
test_document_lints_are_true (void)
{
  static const char *const tools[] = { "a", "ab", "abc", "b", "bc", "c", "zc", "aa", "z" };
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  guint found = 0;

  for (guint round = 0; round < 400; round++)
    {
      g_autoptr (JsonObject) org = random_policy (rand);
      g_autoptr (JsonObject) agent = random_policy (rand);
      g_autofree char *text = write_document (org, agent);
      g_autoptr (ReevePolicyDocument) document = read_text (text);
      g_autofree char *less = without_a_dead_rule (document, org, agent);
      g_autoptr (ReevePolicyDocument) other = less != NULL ? read_text (less) : NULL;

      for (guint i = 0; other != NULL && i < G_N_ELEMENTS (tools); i++)
        if (decide (document, tools[i], "a") != decide (other, tools[i], "a"))
          g_error ("%s by %s and %s", tools[i], text, less);
      found += other != NULL ? 1 : 0;
    }
  g_assert_cmpuint (found, >, 100);
}

static void
test_document_cases (void)
{
  g_autoptr (ReevePolicyDocument) document = read_text (
      ORG
      "agents:\n"
      "  a: {tools: [{tool_name: x, effect: allow, constraints: {paths: [/w/*]}}],\n"
      "      approval: {requires_approval_above: {cost: 1}}}\n"
      "tests:\n"
      "- {agent: a, tool: x, arguments: {path: /w/y}, expect: allowed}\n"
      "- {agent: a, tool: x, arguments: {path: /z}, expect: denied, reason: path_not_allowed}\n"
      "- {agent: a, tool: x, estimated_tokens: 11, expect: denied, reason: token_limit_exceeded}\n"
      "- {agent: a, tool: x, cost: 2, expect: approval_required}\n"
      "- {tool: x, expect: denied, reason: tool_not_allowed}\n"
      "- {agent: a, tool: x, sandbox_level: strict, expect: approval_required}\n"
      "- {agent: a, tool: x, sandbox_level: isolated, hints: [open_world], expect: denied}\n"
      "- {name: wrong, agent: a, tool: shell, expect: allowed}\n"
      "- {agent: a, tool: shell, expect: denied, reason: tool_not_allowed}\n");
  guint failed = 0;
  g_autoptr (JsonArray) results = reeve_policy_cases_run (document, &failed);
  JsonObject *wrong = json_array_get_object_element (results, 7);

  g_assert_cmpuint (json_array_get_length (results), ==, 9);
  for (guint i = 0; i < 7; i++)
    g_assert_true (
        reeve_json_get_boolean (json_array_get_object_element (results, i), "passed", FALSE));
  g_assert_cmpuint (failed, ==, 2);
  g_assert_cmpstr (reeve_json_get_string (wrong, "name", NULL), ==, "wrong");
  g_assert_cmpint (reeve_json_get_int (wrong, "line", 0), ==, 15);
  g_assert_cmpstr (reeve_json_get_string (wrong, "decision", NULL), ==, "denied");
  g_assert_cmpuint (json_array_get_length (reeve_json_get_array (wrong, "trace")), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/policy-document/reads", test_document_reads);
  g_test_add_func ("/policy-document/faults", test_document_faults);
  g_test_add_func ("/policy-document/files", test_document_files);
  g_test_add_func ("/policy-document/large", test_document_large);
  g_test_add_func ("/policy-document/lints", test_document_lints);
  g_test_add_func ("/policy-document/lints-are-true", test_document_lints_are_true);
  g_test_add_func ("/policy-document/cases", test_document_cases);
  return g_test_run ();
}
