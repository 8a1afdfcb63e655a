/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input document of an adviser's policy. Arguments stay here unless the configuration says
 * otherwise: whether they keep to the constraints of the tool policy, and which of its patterns
 * their paths, addresses and commands match, is told as facts. */
#include "policy-question.h"

#include <string.h>

#include "base/times.h"

#include "policies-private.h"
#include "policy-actions.h"

static void
reeve_policy_question_set_string (JsonObject *object, const char *member, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (object, member, text);
  else
    json_object_set_null_member (object, member);
}

static void
reeve_policy_question_set_strings (JsonObject *object, const char *member, const char *const *texts)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    json_array_add_string_element (array, texts[i]);
  json_object_set_array_member (object, member, array);
}

/* ---- the call ---- */

/* Whether the arguments keep to the constraints: held, broken, or unchecked where there are none.
 */
static const char *
reeve_policy_question_check (ReevePolicy *org, ReevePolicy *agent, const ReevePolicyAsk *ask)
{
  static const char *const words[] = { "paths", "domains", "operations" };
  ReevePolicyAsk plain = *ask;
  g_auto (ReevePolicyDecision) decision = { 0 };
  const char *found = "held";

  plain.rates = NULL;
  plain.take = FALSE;
  reeve_policy_decision_make (org, agent, &plain, &decision);
  for (guint i = 0; i < decision.steps; i++)
    {
      if (strcmp (decision.trace[i].effect, "unchecked") == 0)
        found = "unchecked";
      for (guint k = 0; k < G_N_ELEMENTS (words); k++)
        if (strcmp (decision.trace[i].stage, words[k]) == 0)
          return "broken";
    }
  return found;
}

/* Which lists of patterns match by the arguments alone: a name is matched in Rego too. */
static JsonObject *
reeve_policy_question_find_facts (ReevePolicy *org, ReevePolicy *agent, const ReevePolicyAsk *ask,
                                  ReevePolicyKind kind)
{
  ReevePolicyActions all = { .blocked = { NULL, NULL } };
  ReevePolicyActions named = { .blocked = { NULL, NULL } };
  const struct
  {
    const char *member;
    const ReevePolicyActionsFound *all;
    const ReevePolicyActionsFound *named;
  } rows[] = { { "blocked", &all.blocked, &named.blocked },
               { "approval", &all.approval, &named.approval },
               { "allowlist", &all.allowlist, &named.allowlist },
               { "standard", &all.standard, &named.standard },
               { "trusted", &all.trusted, &named.trusted } };
  JsonObject *facts = json_object_new ();

  reeve_policy_actions_find (org, agent, ask->tool_name, kind, ask->arguments, &all);
  reeve_policy_actions_find (org, agent, ask->tool_name, kind, NULL, &named);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    json_object_set_boolean_member (facts, rows[i].member,
                                    rows[i].all->rule != NULL && rows[i].named->rule == NULL);
  json_object_set_string_member (facts, "constraints",
                                 reeve_policy_question_check (org, agent, ask));
  return facts;
}

/**
 * reeve_policy_question_describe:
 * @org: (nullable): the tenant's policy
 * @agent: (nullable): the agent's
 * @ask: what is to be decided
 *
 * Returns: (transfer full): what of the input document is about the call
 */
JsonObject *
reeve_policy_question_describe (ReevePolicy *org, ReevePolicy *agent, const ReevePolicyAsk *ask)
{
  JsonObject *input = json_object_new ();
  ReevePolicyKind kind = reeve_policy_kinds_classify (ask->tool_name, ask->known, ask->hints);

  json_object_set_string_member (input, "tool", ask->tool_name);
  json_object_set_string_member (input, "kind", reeve_policy_kinds_get_name (kind));
  json_object_set_string_member (
      input, "risk", reeve_policy_kinds_get_risk_name (reeve_policy_kinds_get_risk (kind)));
  json_object_set_boolean_member (input, "external",
                                  reeve_policy_kinds_is_external (kind, ask->known, ask->hints));
  if (ask->agent_tools != NULL)
    reeve_policy_question_set_strings (input, "agent_tools", ask->agent_tools);
  else
    json_object_set_null_member (input, "agent_tools");
  json_object_set_int_member (input, "estimated_tokens", ask->estimated_tokens);
  json_object_set_double_member (input, "cost", ask->cost);
  reeve_policy_question_set_string (input, "sandbox_level",
                                    reeve_policy_get_level_name (ask->level));
  json_object_set_object_member (input, "facts",
                                 reeve_policy_question_find_facts (org, agent, ask, kind));
  return input;
}

/* ---- who asks ---- */

static void
reeve_policy_question_add_caller (JsonObject *input, const ReevePolicyQuestionSetup *setup,
                                  const ReeveAdmissionRequest *request)
{
  ReeveCaller *caller = request->caller;
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autofree char *now = reeve_times_format (reeve_times_now ());
  JsonObject *user = json_object_new ();
  JsonObject *agent = json_object_new ();

  json_object_set_string_member (input, "tenant_id", tenant_id);
  reeve_policy_question_set_string (user, "id", reeve_caller_get_user_id (caller));
  reeve_policy_question_set_strings (user, "roles", reeve_caller_get_roles (caller));
  json_object_set_object_member (input, "user", user);
  reeve_policy_question_set_string (agent, "id", request->agent_id);
  reeve_policy_question_set_string (
      agent, "role",
      request->agent_id != NULL && setup->agents != NULL
          ? reeve_agent_book_find_role_name (setup->agents, tenant_id, request->agent_id)
          : NULL);
  json_object_set_object_member (input, "agent", agent);
  reeve_policy_question_set_string (input, "run_id", request->run_id);
  reeve_policy_question_set_string (input, "arguments_digest", request->input_digest);
  json_object_set_string_member (input, "time", now);
}

static GBytes *
reeve_policy_question_write (JsonObject *input)
{
  g_autoptr (JsonObject) whole = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), whole);
  char *text = NULL;

  json_object_set_object_member (whole, "input", input);
  text = reeve_json_canonical (node);
  return text != NULL ? g_bytes_new_take (text, strlen (text)) : NULL;
}

/**
 * reeve_policy_question_new_for:
 * @setup: how questions are made
 * @request: the call
 * @cost: of it; 0: not known
 *
 * Any thread, no I/O.
 *
 * Returns: (transfer full) (nullable): JSON; %NULL while the tenant's policies are not known
 */
GBytes *
reeve_policy_question_new_for (const ReevePolicyQuestionSetup *setup,
                               const ReeveAdmissionRequest *request, gdouble cost)
{
  g_autoptr (ReevePoliciesSnapshot) snapshot
      = reeve_policies_lookup (setup->policies, reeve_caller_get_tenant_id (request->caller));
  const ReevePolicyAsk ask = { .tool_name = request->tool_name,
                               .known = request->tool_known,
                               .hints = request->tool_hints,
                               .agent_tools = request->agent_tools,
                               .level = reeve_policy_parse_level (request->sandbox_level),
                               .arguments = request->tool_arguments,
                               .estimated_tokens = request->estimated_tokens,
                               .cost = cost };
  JsonObject *input = NULL;

  if (snapshot == NULL)
    return NULL;
  input = reeve_policy_question_describe (
      reeve_policies_snapshot_get_org (snapshot),
      reeve_policies_snapshot_get_agent (snapshot, request->agent_id), &ask);
  reeve_policy_question_add_caller (input, setup, request);
  if (setup->with_arguments && request->tool_arguments != NULL)
    json_object_set_object_member (input, "arguments", json_object_ref (request->tool_arguments));
  return reeve_policy_question_write (input);
}

/**
 * reeve_policy_question_new:
 * @request: a call of a tool
 * @setup: a #ReevePolicyQuestionSetup
 *
 * The gate's way to make questions. Any thread, no I/O.
 *
 * Returns: (transfer full) (nullable): as reeve_policy_question_new_for()
 */
GBytes *
reeve_policy_question_new (const ReeveAdmissionRequest *request, gpointer setup)
{
  return reeve_policy_question_new_for (setup, request, 0);
}
