/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decisions of policies: each stage by hand, and all of the merge against a plain reference that
 * keeps no index and merges lists as the text of the rule says. */
#include <string.h>

#include "governance/policy-decision.h"
#include "governance/policy-merge.h"
#include "governance/policy-trace.h"

#include "policy-plain.h"

static ReevePolicy *
policy (const char *text, ReevePolicyLayer layer)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) document = text != NULL ? policy_plain_parse (text) : NULL;
  ReevePolicy *self = text != NULL ? reeve_policy_new (
                          document, layer, layer == REEVE_POLICY_LAYER_ORG ? 3 : 5, "usr_1", &error)
                                   : NULL;

  g_assert_no_error (error);
  return self;
}

/* effect and reason, as `deny tool_denied` */
static char *
decide (const char *org_text, const char *agent_text, const ReevePolicyAsk *ask)
{
  g_autoptr (ReevePolicy) org = policy (org_text, REEVE_POLICY_LAYER_ORG);
  g_autoptr (ReevePolicy) agent = policy (agent_text, REEVE_POLICY_LAYER_AGENT);
  g_auto (ReevePolicyDecision) decision = { 0 };

  reeve_policy_decision_make (org, agent, ask, &decision);
  return g_strdup_printf ("%s %s", reeve_policy_get_effect_name (decision.effect), decision.reason);
}

static void
check (const char *org, const char *agent, const char *tool, const char *arguments,
       const char *expected)
{
  g_autoptr (JsonObject) object = arguments != NULL ? policy_plain_parse (arguments) : NULL;
  ReevePolicyAsk ask = { .tool_name = tool, .arguments = object };
  g_autofree char *answer = decide (org, agent, &ask);

  if (strcmp (answer, expected) != 0)
    g_error ("%s and %s: %s is \"%s\" and not \"%s\"", org != NULL ? org : "nothing",
             agent != NULL ? agent : "nothing", tool, answer, expected);
}

#define ALLOW(name) "{'tool_name':'" name "','effect':'allow'}"
#define DENY(name)  "{'tool_name':'" name "','effect':'deny'}"

static void
test_closed (void)
{
  g_autoptr (ReevePolicy) dev = reeve_policy_new_for_profile ("dev");
  ReevePolicyAsk ask = { .tool_name = "calculate" };
  g_auto (ReevePolicyDecision) decision = { 0 };

  g_assert_null (reeve_policy_new_for_profile ("enterprise"));
  check (NULL, NULL, "shell", NULL, "deny policy_unset");
  check ("{}", NULL, "shell", NULL, "deny tool_not_allowed");
  check ("{'tools':[]}", "{}", "shell", NULL, "deny tool_not_allowed");
  check (NULL, "{'tools':[" ALLOW ("shell") "]}", "shell", NULL, "allow tool_allowed");
  reeve_policy_decision_make (dev, NULL, &ask, &decision);
  g_assert_cmpint (decision.effect, ==, REEVE_POLICY_ALLOW);
  g_assert_cmpstr (reeve_policy_get_set_by (dev), ==, "profile dev");
}

/* TPL-02, TPL-03 and X-23, with their own examples. */
static void
test_merge (void)
{
  check ("{'tools':[" ALLOW ("shell") "," DENY ("shell") "]}", NULL, "shell", NULL,
         "deny tool_denied");
  check ("{'tools':[" DENY ("shell") "]}", "{'tools':[" ALLOW ("shell") "]}", "shell", NULL,
         "deny tool_denied");
  check ("{'tools':[" ALLOW ("shell") "]}", "{'tools':[" DENY ("shell") "]}", "shell", NULL,
         "deny tool_denied");
  check ("{'tools':[" DENY ("*") "]}", "{'tools':[" ALLOW ("shell") "]}", "shell", NULL,
         "deny tool_denied");
  check ("{'tools':[" ALLOW ("*") "]}", "{'tools':[" DENY ("*") "]}", "shell", NULL,
         "deny tool_denied");
  check ("{'tools':[" ALLOW ("*") "]}", NULL, "shell", NULL, "allow tool_allowed");
  check ("{'tools':[" ALLOW ("*") "]}", "{'tools':[" DENY ("shell") "]}", "calculate", NULL,
         "allow tool_allowed");
  check ("{'tools':[" DENY ("mes_*") "]}", "{'tools':[" ALLOW ("mes_write") "]}", "mes_write", NULL,
         "deny tool_denied");
  check ("{'tools':[" ALLOW ("mes_*") "]}", NULL, "mes", NULL, "deny tool_not_allowed");
  check ("{'security_level':'full'}", NULL, "anything", NULL, "allow tool_allowed");
  check ("{'security_level':'full','tools':[" DENY ("x") "]}", NULL, "x", NULL, "deny tool_denied");
  check ("{'security_level':'full'}", "{'security_level':'allowlist'}", "x", NULL,
         "deny tool_not_allowed");
  check ("{'security_level':'deny','tools':[" ALLOW ("x") "]}", "{'security_level':'full'}", "x",
         NULL, "deny tool_denied");
  check ("{'tools':[" ALLOW ("x") "]}", "{'security_level':'deny'}", "x", NULL, "deny tool_denied");
}

static void
test_limits (void)
{
  static const struct
  {
    const char *org;
    const char *agent;
    gint64 tokens;
    gint64 seconds;
  } rows[] = { { "{'token_limit':200000}", "{'token_limit':50000}", 50000, 0 },
               { "{'token_limit':10000}", "{'token_limit':100000}", 10000, 0 },
               { "{'token_limit':10000}", NULL, 10000, 0 },
               { NULL, "{'execution_timeout_seconds':300}", 0, 300 },
               { "{'execution_timeout_seconds':60}", "{'execution_timeout_seconds':300}", 0, 60 },
               { NULL, NULL, 0, 0 } };
  ReevePolicyAsk ask = { .tool_name = "x", .estimated_tokens = 50000 };
  const char *org = "{'token_limit':200000,'tools':[" ALLOW ("x") "]}";

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (ReevePolicy) above = policy (rows[i].org, REEVE_POLICY_LAYER_ORG);
      g_autoptr (ReevePolicy) own = policy (rows[i].agent, REEVE_POLICY_LAYER_AGENT);

      g_assert_cmpint (reeve_policy_merge_token_limit (above, own), ==, rows[i].tokens);
      g_assert_cmpint (reeve_policy_merge_timeout (above, own), ==, rows[i].seconds);
    }
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *answer = decide (org, "{'token_limit':50000}", &ask);

      g_assert_cmpstr (answer, ==, i == 0 ? "allow tool_allowed" : "deny token_limit_exceeded");
      ask.estimated_tokens++;
    }
}

static void
test_definition (void)
{
  static const char *const tools[] = { "calculate", NULL };
  ReevePolicyAsk ask = { .tool_name = "shell", .agent_tools = tools };
  g_autofree char *answer = decide ("{'tools':[" ALLOW ("*") "]}", NULL, &ask);

  g_assert_cmpstr (answer, ==, "deny tool_not_in_definition");
}

static void
test_matrix (void)
{
  const char *org = "{'matrix':{'web_search':{'allowed':true},'code_execution':{'allowed':false},"
                    "'file_write':{'allowed':true,'paths':['/workspace/*']},"
                    "'api_call':{'allowed':true,'domains':['api.internal.com']},"
                    "'database':{'allowed':true,'operations':['read']},"
                    "'mes_*':{'operations':['read']}}}";
  const char *all = "{'tools':[" ALLOW ("*") "]}";

  check (org, NULL, "web_search", "{}", "allow tool_allowed");
  check (org, all, "code_execution", "{}", "deny tool_denied");
  check (org, NULL, "file_write", "{'path':'/workspace/a'}", "allow tool_allowed");
  check (org, NULL, "file_write", "{'path':'/workspace/../a'}", "deny path_not_allowed");
  check (org, NULL, "file_write", "{}", "deny path_not_allowed");
  check (org, NULL, "file_write", NULL, "allow tool_allowed");
  check (org, NULL, "api_call", "{'url':'https://api.internal.com/'}", "allow tool_allowed");
  check (org, NULL, "api_call", "{'url':'https://evil.example/'}", "deny domain_not_allowed");
  check (org, NULL, "database", "{'operation':'read'}", "allow tool_allowed");
  check (org, NULL, "database", "{'operation':'drop'}", "deny operation_not_allowed");
  check (org, NULL, "mes_x", "{'operation':'read'}", "deny tool_not_allowed");
  check (org, all, "mes_x", "{'operation':'read'}", "allow tool_allowed");
  check (org, all, "mes_x", "{'operation':'write'}", "deny operation_not_allowed");
  /* the org's row holds whatever the agent's says */
  check (org, "{'matrix':{'file_write':{'allowed':true,'paths':['/**']}}}", "file_write",
         "{'path':'/etc/x'}", "deny path_not_allowed");
  check (org, "{'matrix':{'file_write':{'paths':['/workspace/mine/*']}}}", "file_write",
         "{'path':'/workspace/x'}", "deny path_not_allowed");
  /* an entry's constraints go with the entry, the most exact one's */
  check ("{'tools':[{'tool_name':'f','effect':'allow','constraints':{'paths':['/a/*']}}," ALLOW (
             "*") "]}",
         NULL, "f", "{'path':'/b'}", "deny path_not_allowed");
  check ("{'tools':[{'tool_name':'f','effect':'allow','constraints':{'paths':['/a/*']}}]}",
         "{'tools':[" ALLOW ("f") "]}", "f", "{'path':'/b'}", "allow tool_allowed");
}

static void
test_levels (void)
{
  const char *strict = "{'sandbox_level':'strict','tools':[" ALLOW ("x") "," DENY ("y") "]}";
  const char *standard = "{'sandbox_level':'standard','tools':[" ALLOW ("x") "," DENY ("y") "]}";
  const char *trusted = "{'sandbox_level':'trusted','tools':[" ALLOW ("x") "," DENY ("y") "]}";
  const char *isolated = "{'sandbox_level':'isolated','tools':[" ALLOW ("http_request") "," ALLOW (
      "file_write") "]}";
  const char *open = "{'tools':[" ALLOW ("*") "]}";
  ReevePolicyAsk ask = { .tool_name = "http_request", .level = REEVE_POLICY_LEVEL_ISOLATED };
  g_autofree char *external = decide (open, NULL, &ask);
  g_autofree char *local = NULL;
  g_autofree char *asked = NULL;
  g_autofree char *unknown = NULL;

  check (strict, NULL, "x", NULL, "approval_required approval_required");
  check (strict, NULL, "y", NULL, "deny tool_denied");
  check (strict, NULL, "unknown_tool", NULL, "approval_required approval_required");
  check (strict, "{'sandbox_level':'trusted'}", "x", NULL, "approval_required approval_required");
  check (standard, NULL, "x", NULL, "allow tool_allowed");
  check (standard, NULL, "y", NULL, "deny tool_denied");
  check (standard, NULL, "calculate", NULL, "allow tool_allowed");
  check (standard, NULL, "read_orders", NULL, "approval_required approval_required");
  check (trusted, NULL, "read_orders", NULL, "allow tool_allowed");
  check (trusted, NULL, "write_orders", NULL, "approval_required approval_required");
  check (trusted, "{'sandbox_level':'standard'}", "read_orders", NULL,
         "approval_required approval_required");
  check (isolated, NULL, "http_request", NULL, "deny external_access");
  check (isolated, NULL, "file_write", NULL, "allow tool_allowed");
  check (standard, "{'sandbox_level':'isolated'}", "api_call", NULL, "deny external_access");
  /* an own list of a level takes the place of the shipped one, for both */
  check ("{'sandbox_level':'standard','levels':{'standard':['read_orders']}}", NULL, "calculate",
         NULL, "approval_required approval_required");
  check ("{'sandbox_level':'standard','levels':{'standard':['read:*']}}",
         "{'sandbox_level':'standard'}", "read_orders", NULL, "allow tool_allowed");
  check ("{'sandbox_level':'standard','levels':{'standard':[]}}", "{'sandbox_level':'standard'}",
         "calculate", NULL, "approval_required approval_required");
  /* a definition makes it stricter and never milder */
  g_assert_cmpstr (external, ==, "deny external_access");
  ask.tool_name = "calculate";
  local = decide (open, NULL, &ask);
  g_assert_cmpstr (local, ==, "allow tool_allowed");
  ask.level = REEVE_POLICY_LEVEL_STRICT;
  asked = decide (open, NULL, &ask);
  g_assert_cmpstr (asked, ==, "approval_required approval_required");
  ask.level = REEVE_POLICY_LEVEL_TRUSTED;
  unknown = decide ("{}", NULL, &ask);
  g_assert_cmpstr (unknown, ==, "deny tool_not_allowed");
}

static void
test_approval (void)
{
  const char *org = "{'approval':{'allowlist':['read:*','write:documents/*','execute:git *'],"
                    "'approval_required':['write:*','mes_*'],'blocked':['execute:rm*','shell']}}";
  const char *list = "{'approval':{'allowlist':['read:*','write:documents/*','execute:git *']}}";
  const char *open = "{'tools':[" ALLOW ("*") "]}";

  check (org, NULL, "read_orders", NULL, "allow tool_allowed");
  check (org, NULL, "mes_read", NULL, "approval_required approval_required");
  check (org, open, "mes_write", NULL, "approval_required approval_required");
  check (org, open, "shell", NULL, "deny action_blocked");
  check (org, open, "run_command", "{'command':'rm -rf x'}", "deny action_blocked");
  check (org, open, "file_write", "{'path':'/x'}", "approval_required approval_required");
  check (list, NULL, "file_write", "{'path':'documents/a'}", "allow tool_allowed");
  check (list, NULL, "file_write", "{'path':'/documents/a'}", "allow tool_allowed");
  check (list, NULL, "file_write", "{'path':'documents/../a'}", "deny tool_not_allowed");
  check (list, NULL, "file_write", "{'paths':['documents/a','etc/b']}", "deny tool_not_allowed");
  check (list, NULL, "file_write", NULL, "deny tool_not_allowed");
  check (list, NULL, "run_command", "{'command':'git status'}", "allow tool_allowed");
  check (list, NULL, "run_command", "{'command':'git status; rm -rf x'}", "deny tool_not_allowed");
  check (list, NULL, "run_command", "{'command':'git `x`'}", "deny tool_not_allowed");
}

/* However it is written: what is not certainly another command is the one that is blocked. */
static void
test_approval_of_commands (void)
{
  static const char *const refused[]
      = { "rm -rf /",   "RM -rf /",   "  rm -rf /", "/bin/rm -rf /",   "rm\\t-rf /", "\\\\rm x",
          "ls; rm x",   "ls && rm x", "sudo rm x",  "/usr/bin/env rm", "$(rm x)",    "echo `rm x`",
          "bash -c rm", "ls\\nrm x",  "A=1 rm x",   "{rm,x}",          "r? x",       "" };
  static const char *const fine[] = { "ls -l /tmp", "git commit -m x", "/bin/ls *.c", "grep rm x" };
  const char *org = "{'tools':[" ALLOW ("*") "],'approval':{'blocked':['execute:rm *']}}";
  const char *asks = "{'tools':[" ALLOW ("*") "],'approval':{'approval_required':['e*:rm*']}}";
  const char *other = "{'tools':[" ALLOW ("*") "],'approval':{'blocked':['write:/etc/*']}}";

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autofree char *arguments = g_strdup_printf ("{'command':'%s'}", refused[i]);

      check (org, NULL, "run_command", arguments, "deny action_blocked");
      check (org, NULL, "frobnicate", arguments, "deny action_blocked");
      check (asks, NULL, "run_command", arguments, "approval_required approval_required");
      check (other, NULL, "run_command", arguments, "allow tool_allowed");
    }
  for (guint i = 0; i < G_N_ELEMENTS (fine); i++)
    {
      g_autofree char *arguments = g_strdup_printf ("{'command':'%s'}", fine[i]);

      check (asks, NULL, "run_command", arguments, "allow tool_allowed");
    }
  check (org, NULL, "run_command", "{'command':['ls','rm']}", "deny action_blocked");
  check (org, NULL, "run_command", "{'command':'rm','args':['x']}", "deny action_blocked");
  check (other, NULL, "file_write", "{'path':'%2fetc/x'}", "deny action_blocked");
}

static void
test_thresholds (void)
{
  const char *org = "{'tools':[" ALLOW (
      "*") "],'approval':{'requires_approval_above':{'cost':10,'risk':'medium'}}}";
  ReevePolicyAsk ask = { .tool_name = "calculate", .cost = 10 };
  g_autofree char *cheap = decide (org, NULL, &ask);
  g_autofree char *dear = NULL;

  g_assert_cmpstr (cheap, ==, "allow tool_allowed");
  ask.cost = 10.5;
  dear = decide (org, NULL, &ask);
  g_assert_cmpstr (dear, ==, "approval_required approval_required");
  check (org, NULL, "file_write", NULL, "allow tool_allowed");
  check (org, NULL, "code_execution", NULL, "approval_required approval_required");
  check (org, NULL, "frobnicate", NULL, "approval_required approval_required");
}

static void
test_rates (void)
{
  g_autoptr (ReevePolicy) org = policy (
      "{'matrix':{'web_search':{'allowed':true,'rate_limit':'3/hour'}}}", REEVE_POLICY_LAYER_ORG);
  g_autoptr (ReevePolicy) agent
      = policy ("{'matrix':{'web_search':{'rate_limit':'2/hour'}}}", REEVE_POLICY_LAYER_AGENT);
  g_autoptr (ReevePolicyRates) rates = reeve_policy_rates_new (100);
  static const struct
  {
    const char *agent_id;
    gboolean take;
    const char *reason;
  } rows[] = { { "a", FALSE, "tool_allowed" },       { "a", TRUE, "tool_allowed" },
               { "a", TRUE, "tool_allowed" },        { "a", TRUE, "rate_limit_exceeded" },
               { "b", TRUE, "tool_allowed" },        { "b", TRUE, "rate_limit_exceeded" },
               { "a", FALSE, "rate_limit_exceeded" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      ReevePolicyAsk ask = { .tool_name = "web_search",
                             .tenant_id = "t",
                             .agent_id = rows[i].agent_id,
                             .rates = rates,
                             .take = rows[i].take };
      g_auto (ReevePolicyDecision) decision = { 0 };

      reeve_policy_decision_make (org, agent, &ask, &decision);
      g_assert_cmpstr (decision.reason, ==, rows[i].reason);
    }
}

static void
test_trace (void)
{
  g_autoptr (ReevePolicy) org
      = policy ("{'tools':[" ALLOW ("f") "," DENY ("mes_*") "]}", REEVE_POLICY_LAYER_ORG);
  g_autoptr (ReevePolicy) agent = policy ("{'tools':[" ALLOW ("f") "]}", REEVE_POLICY_LAYER_AGENT);
  ReevePolicyAsk ask = { .tool_name = "mes_write" };
  g_auto (ReevePolicyDecision) decision = { 0 };
  g_autoptr (JsonArray) trace = NULL;
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;
  g_auto (ReevePolicyDecision) second = { 0 };
  g_autoptr (JsonArray) steps = NULL;

  reeve_policy_decision_make (org, agent, &ask, &decision);
  trace = reeve_policy_trace_new (&decision);
  json_node_set_array (node, trace);
  text = reeve_json_canonical (node);
  g_assert_cmpstr (text, ==,
                   "[{\"effect\":\"deny\",\"revision\":3,\"rule\":\"tools[mes_*]\",\"set_by\":"
                   "\"usr_1\",\"source\":\"org\",\"stage\":\"org_deny\"}]");
  line = reeve_policy_trace_describe (&decision);
  g_assert_cmpstr (line, ==, "org policy, revision 3, tools[mes_*]: deny");
  ask.tool_name = "f";
  reeve_policy_decision_make (org, agent, &ask, &second);
  steps = reeve_policy_trace_new (&second);
  g_assert_cmpuint (json_array_get_length (steps), ==, 2);
  g_assert_cmpstr (
      json_object_get_string_member (json_array_get_object_element (steps, 0), "effect"), ==,
      "replaced");
  g_assert_cmpint (
      json_object_get_int_member (json_array_get_object_element (steps, 1), "revision"), ==, 5);
  g_assert_cmpstr (reeve_policy_decision_find_reason ("x (tool_denied)"), ==, "tool_denied");
  g_assert_null (reeve_policy_decision_find_reason ("x (other)"));
  g_assert_null (reeve_policy_decision_find_reason (""));
}

static void
test_faults (void)
{
  static const struct
  {
    const char *text;
    const char *message;
  } rows[] = {
    { "{'tool':[]}", "tool: unknown member" },
    { "{'tools':{}}", "tools: not a list" },
    { "{'tools':[{'tool_name':'a','effect':'maybe'}]}",
      "tools/0/effect: \"maybe\" is neither allow nor deny" },
    { "{'tools':[{'tool_name':'a b','effect':'deny'}]}",
      "tools/0/tool_name: \"a b\" holds a character that no name has" },
    { "{'tools':[{'tool_name':'a','effect':'deny','x':1}]}", "tools/0/x: unknown member" },
    { "{'tools':[{'tool_name':'a','effect':'allow','constraints':{'path':['/x']}}]}",
      "tools/0/constraints/path: unknown member" },
    { "{'token_limit':0}", "token_limit: not a whole number from 1" },
    { "{'sandbox_level':1}", "sandbox_level: neither strict, standard, trusted nor isolated" },
    { "{'security_level':3}", "security_level: neither deny, allowlist nor full" },
    { "{'matrix':{'a':{'allowed':'yes'}}}", "matrix/a/allowed: neither true nor false" },
    { "{'matrix':{'a':{'rate_limit':'x'}}}",
      "matrix/a/rate_limit: not of the form 100/second, /minute, /hour or /day" },
    { "{'approval':{'requires_approval_above':{'risk':'some'}}}",
      "approval/requires_approval_above/risk: neither low, medium nor high" },
    { "{'approval':{'blocked':['']}}", "approval/blocked/0: not a name of 1 to 255 bytes" },
    { "{'levels':{'strict':[]}}", "levels/strict: unknown member" },
    { "{'matrix':{'a/b':{'domains':{}}}}", "matrix/a~1b/domains: not a list" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (JsonObject) document = policy_plain_parse (rows[i].text);
      g_autoptr (GError) error = NULL;

      g_assert_null (reeve_policy_new (document, REEVE_POLICY_LAYER_ORG, 1, NULL, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      g_assert_cmpstr (error->message, ==, rows[i].message);
      g_assert_true (g_str_has_prefix (error->message, reeve_error_get_member (error) + 1));
    }
}

static void
test_effective (void)
{
  g_autoptr (ReevePolicy) org
      = policy ("{'token_limit':200000,'tools':[" ALLOW ("a") "," ALLOW ("b") "," DENY (
                    "c") "],'sandbox_level':'standard','matrix':{'a':{'rate_limit':'1/hour'}}}",
                REEVE_POLICY_LAYER_ORG);
  g_autoptr (ReevePolicy) agent = policy (
      "{'token_limit':50000,'tools':[" DENY ("a") "," ALLOW ("c") "]}", REEVE_POLICY_LAYER_AGENT);
  g_autoptr (JsonObject) merged = reeve_policy_merge (org, agent);
  g_autoptr (JsonObject) nothing = reeve_policy_merge (NULL, NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  JsonArray *tools = reeve_json_get_array (merged, "tools");

  for (guint i = 0; i < json_array_get_length (tools); i++)
    {
      JsonObject *entry = json_array_get_object_element (tools, i);

      g_string_append_printf (text, "%s %s %s %d;", reeve_json_get_string (entry, "tool_name", ""),
                              reeve_json_get_string (entry, "effect", ""),
                              reeve_json_get_string (entry, "source", ""),
                              (int) reeve_json_get_int (entry, "revision", 0));
    }
  g_assert_cmpstr (text->str, ==, "b allow org 3;c deny org 3;a deny agent 5;");
  g_assert_cmpint (reeve_json_get_int (merged, "token_limit", 0), ==, 50000);
  g_assert_cmpstr (reeve_json_get_string (merged, "sandbox_level", ""), ==, "standard");
  g_assert_cmpuint (json_array_get_length (reeve_json_get_array (merged, "matrix")), ==, 1);
  g_assert_cmpuint (json_array_get_length (reeve_json_get_array (nothing, "tools")), ==, 0);
  g_assert_true (json_object_get_null_member (nothing, "token_limit"));
}

/* ---- the reference ---- */

typedef struct
{
  char *name;
  gboolean deny;
} PlainEntry;

static void
plain_clear (gpointer data)
{
  g_free (((PlainEntry *) data)->name);
}

static GArray *
plain_random (void)
{
  static const char *const parts[] = { "a", "b", "ab", "*", "?", "_", "c" };
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (PlainEntry));
  guint length = (guint) g_test_rand_int_range (0, 12);

  g_array_set_clear_func (entries, plain_clear);
  for (guint i = 0; i < length; i++)
    {
      PlainEntry entry = { g_strconcat (parts[g_test_rand_int_range (0, 7)],
                                        parts[g_test_rand_int_range (0, 7)], NULL),
                           g_test_rand_int_range (0, 4) == 0 };

      g_array_append_val (entries, entry);
    }
  return entries;
}

static JsonObject *
plain_document (GArray *entries)
{
  JsonObject *document = json_object_new ();
  JsonArray *tools = json_array_new ();

  for (guint i = 0; i < entries->len; i++)
    {
      PlainEntry *row = &g_array_index (entries, PlainEntry, i);
      JsonObject *entry = json_object_new ();

      json_object_set_string_member (entry, "tool_name", row->name);
      json_object_set_string_member (entry, "effect", row->deny ? "deny" : "allow");
      json_array_add_object_element (tools, entry);
    }
  json_object_set_array_member (document, "tools", tools);
  return document;
}

/* any entry of @entries with this effect that matches @tool and is not replaced by @over */
static gboolean
plain_any (GArray *entries, gboolean deny, GArray *over, const char *tool)
{
  for (guint i = 0; i < entries->len; i++)
    {
      PlainEntry *row = &g_array_index (entries, PlainEntry, i);
      gboolean replaced = FALSE;

      for (guint k = 0; over != NULL && k < over->len; k++)
        replaced = replaced || strcmp (g_array_index (over, PlainEntry, k).name, row->name) == 0;
      if (row->deny == deny && !replaced && policy_plain_match (row->name, tool))
        return TRUE;
    }
  return FALSE;
}

static gboolean
plain_decide (GArray *org, GArray *agent, const char *tool)
{
  if (plain_any (org, TRUE, NULL, tool) || plain_any (agent, TRUE, NULL, tool))
    return FALSE;
  return plain_any (org, FALSE, agent, tool) || plain_any (agent, FALSE, NULL, tool);
}

/* The effective document decides as both policies do. */
static gboolean
merged_decide (ReevePolicy *org, ReevePolicy *agent, const char *tool)
{
  g_autoptr (JsonObject) merged = reeve_policy_merge (org, agent);
  JsonArray *tools = reeve_json_get_array (merged, "tools");
  gboolean allowed = FALSE;

  for (guint i = 0; i < json_array_get_length (tools); i++)
    {
      JsonObject *entry = json_array_get_object_element (tools, i);

      if (!policy_plain_match (reeve_json_get_string (entry, "tool_name", ""), tool))
        continue;
      if (strcmp (reeve_json_get_string (entry, "effect", ""), "deny") == 0)
        return FALSE;
      allowed = TRUE;
    }
  return allowed;
}

static void
test_reference (void)
{
  static const char *const tools[]
      = { "a", "b", "ab", "ba", "aa", "a_", "_a", "abc", "c", "cc", "ac", "abab", "_", "b_c" };
  guint allowed = 0;

  for (guint round = 0; round < 3000; round++)
    {
      g_autoptr (GArray) above = plain_random ();
      g_autoptr (GArray) own = plain_random ();
      g_autoptr (JsonObject) above_document = plain_document (above);
      g_autoptr (JsonObject) own_document = plain_document (own);
      g_autoptr (ReevePolicy) org
          = reeve_policy_new (above_document, REEVE_POLICY_LAYER_ORG, 1, NULL, NULL);
      g_autoptr (ReevePolicy) agent
          = reeve_policy_new (own_document, REEVE_POLICY_LAYER_AGENT, 2, NULL, NULL);

      for (guint i = 0; i < G_N_ELEMENTS (tools); i++)
        {
          ReevePolicyAsk ask = { .tool_name = tools[i] };
          g_auto (ReevePolicyDecision) decision = { 0 };
          gboolean expected = plain_decide (above, own, tools[i]);

          reeve_policy_decision_make (org, agent, &ask, &decision);
          g_assert_cmpint (decision.effect == REEVE_POLICY_ALLOW, ==, expected);
          g_assert_cmpuint (decision.steps, >, 0);
          if (round % 10 == 0)
            g_assert_cmpint (merged_decide (org, agent, tools[i]), ==, expected);
          allowed += expected;
        }
    }
  g_assert_cmpuint (allowed, >, 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/policy/closed", test_closed);
  g_test_add_func ("/policy/merge", test_merge);
  g_test_add_func ("/policy/limits", test_limits);
  g_test_add_func ("/policy/definition", test_definition);
  g_test_add_func ("/policy/matrix", test_matrix);
  g_test_add_func ("/policy/levels", test_levels);
  g_test_add_func ("/policy/approval", test_approval);
  g_test_add_func ("/policy/approval-of-commands", test_approval_of_commands);
  g_test_add_func ("/policy/thresholds", test_thresholds);
  g_test_add_func ("/policy/rates", test_rates);
  g_test_add_func ("/policy/trace", test_trace);
  g_test_add_func ("/policy/faults", test_faults);
  g_test_add_func ("/policy/effective", test_effective);
  g_test_add_func ("/policy/reference", test_reference);
  return g_test_run ();
}
