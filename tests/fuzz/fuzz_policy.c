/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* {org, agent, tool, arguments}: two policies and a call. Whatever they say: a decision is the same
 * twice and by the document read again; what the org denies is denied; a stricter level allows
 * nothing more; the canonical form of a path or domain is its own. */
/* covers: host/governance/policy.c
 * host/governance/policy-parse.c
 * host/governance/policy-decision.c
 * host/governance/policy-constraints.c
 * host/governance/policy-actions.c
 * host/governance/policy-index.c
 * host/governance/policy-glob.c
 * host/governance/policy-merge.c
 * host/governance/policy-trace.c */
#include "governance/policy-glob.h"
#include "governance/policy-merge.h"
#include "governance/policy-trace.h"

#include "json-mutator.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static const char *const words[] = { "org",
                                     "agent",
                                     "tool",
                                     "arguments",
                                     "tools",
                                     "tool_name",
                                     "effect",
                                     "allow",
                                     "deny",
                                     "constraints",
                                     "matrix",
                                     "allowed",
                                     "rate_limit",
                                     "2/hour",
                                     "paths",
                                     "path",
                                     "/workspace/*",
                                     "/workspace/../etc",
                                     "a/../../b",
                                     "domains",
                                     "url",
                                     "*.x.example",
                                     "https://a.x.example./",
                                     "operations",
                                     "operation",
                                     "read",
                                     "sandbox_level",
                                     "strict",
                                     "standard",
                                     "trusted",
                                     "isolated",
                                     "security_level",
                                     "full",
                                     "levels",
                                     "approval",
                                     "allowlist",
                                     "approval_required",
                                     "blocked",
                                     "requires_approval_above",
                                     "cost",
                                     "risk",
                                     "medium",
                                     "token_limit",
                                     "*",
                                     "read:*",
                                     "write:documents/*",
                                     "execute:git *",
                                     "command",
                                     "file_write",
                                     "http_request",
                                     NULL };

size_t
LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  size_t length = g_rand_int_range (rand, 0, 4) > 0
                      ? json_mutator_run (data, size, max_size, rand, words)
                      : 0;

  return length > 0 ? length : LLVMFuzzerMutate (data, size, max_size);
}

static ReevePolicyEffect
decide (ReevePolicy *org, ReevePolicy *agent, const char *tool, JsonObject *arguments,
        ReevePolicyLevel level)
{
  ReevePolicyAsk ask = { .tool_name = tool, .arguments = arguments, .level = level };
  g_auto (ReevePolicyDecision) decision = { 0 };
  g_autoptr (JsonArray) trace = NULL;
  g_autofree char *line = NULL;

  reeve_policy_decision_make (org, agent, &ask, &decision);
  trace = reeve_policy_trace_new (&decision);
  line = reeve_policy_trace_describe (&decision);
  if (json_array_get_length (trace) == 0 || line == NULL)
    g_error ("%s is not explained", tool);
  return decision.effect;
}

static ReevePolicy *
read_policy (JsonObject *input, const char *member, ReevePolicyLayer layer)
{
  JsonObject *document = reeve_json_get_object (input, member);

  return document != NULL ? reeve_policy_new (document, layer, 1, "usr_1", NULL) : NULL;
}

static ReevePolicy *
read_again (ReevePolicy *policy, ReevePolicyLayer layer)
{
  g_autoptr (JsonObject) document = policy != NULL ? reeve_policy_dup_document (policy) : NULL;

  return document != NULL ? reeve_policy_new (document, layer, 1, "usr_1", NULL) : NULL;
}

static void
check_decision (ReevePolicy *org, ReevePolicy *agent, const char *tool, JsonObject *arguments)
{
  g_autoptr (ReevePolicy) org_again = read_again (org, REEVE_POLICY_LAYER_ORG);
  g_autoptr (ReevePolicy) agent_again = read_again (agent, REEVE_POLICY_LAYER_AGENT);
  g_autoptr (JsonNode) closed
      = json_from_string ("{\"tools\":[{\"tool_name\":\"*\",\"effect\":\"deny\"}]}", NULL);
  g_autoptr (ReevePolicy) nothing
      = reeve_policy_new (json_node_get_object (closed), REEVE_POLICY_LAYER_ORG, 1, NULL, NULL);
  ReevePolicyEffect effect = decide (org, agent, tool, arguments, REEVE_POLICY_LEVEL_UNSET);

  if (effect != decide (org_again, agent_again, tool, arguments, REEVE_POLICY_LEVEL_UNSET))
    g_error ("%s: another decision by the same documents", tool);
  if (decide (nothing, agent, tool, arguments, REEVE_POLICY_LEVEL_UNSET) != REEVE_POLICY_DENY)
    g_error ("%s is allowed though all is denied", tool);
  if (decide (org, agent, tool, arguments, REEVE_POLICY_LEVEL_STRICT) == REEVE_POLICY_ALLOW)
    g_error ("%s is allowed at level strict", tool);
  for (guint level = REEVE_POLICY_LEVEL_TRUSTED; level <= REEVE_POLICY_LEVEL_STRICT; level++)
    if (decide (org, agent, tool, arguments, level) < effect)
      g_error ("%s is milder at a level of the definition", tool);
}

static void
check_text (const char *text)
{
  g_autofree char *path = reeve_policy_glob_path (text, NULL);
  g_autofree char *domain = reeve_policy_glob_domain (text, NULL);
  g_autofree char *again = NULL;
  g_autofree char *domain_again = NULL;

  if (path != NULL)
    {
      again = reeve_policy_glob_path (path, NULL);
      if (g_strcmp0 (path, again) != 0 || strstr (path, "/../") != NULL
          || g_str_has_suffix (path, "/.."))
        g_error ("\"%s\" is no canonical path", path);
    }
  if (domain != NULL)
    {
      domain_again = reeve_policy_glob_domain (domain, NULL);
      if (strchr (domain, ':') == NULL && g_strcmp0 (domain, domain_again) != 0)
        g_error ("\"%s\" is no canonical domain", domain);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (JsonNode) node
      = size <= 65536 ? reeve_json_parse_strict ((const char *) data, size, NULL) : NULL;
  JsonObject *input
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  g_autoptr (ReevePolicy) org = NULL;
  g_autoptr (ReevePolicy) agent = NULL;
  g_autoptr (JsonObject) merged = NULL;
  const char *tool = NULL;

  if (input == NULL)
    return 0;
  org = read_policy (input, "org", REEVE_POLICY_LAYER_ORG);
  agent = read_policy (input, "agent", REEVE_POLICY_LAYER_AGENT);
  tool = reeve_json_get_string (input, "tool", "file_write");
  check_text (tool);
  check_decision (org, agent, tool, reeve_json_get_object (input, "arguments"));
  merged = reeve_policy_merge (org, agent);
  return 0;
}
