/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whoever asks what the gate would say of a call of a tool is told what it would say: by the same
 * definition, policies, rates and adviser. */
#include "policy-ask.h"

#include "governance/agent-book.h"
#include "governance/policy-question.h"
#include "governance/policy-trace.h"

static JsonObject *
reeve_policy_ask_explain (const ReevePolicyDecision *decision)
{
  JsonObject *answer = json_object_new ();
  JsonObject *approvers = reeve_policy_trace_approvers (decision);

  json_object_set_boolean_member (answer, "allowed", decision->effect == REEVE_POLICY_ALLOW);
  json_object_set_string_member (answer, "decision",
                                 reeve_policy_get_effect_name (decision->effect));
  json_object_set_string_member (answer, "reason", decision->reason);
  if (decision->detail != NULL)
    json_object_set_string_member (answer, "detail", decision->detail);
  if (approvers != NULL)
    json_object_set_object_member (answer, "approvers", approvers);
  json_object_set_array_member (answer, "trace", reeve_policy_trace_new (decision));
  return answer;
}

/* (transfer full) (nullable): NULL: it names none. Such an agent calls no tool, but what the
 * policies say of it can be asked before it has one. */
static char **
reeve_policy_ask_read_tools (JsonObject *definition)
{
  JsonArray *tools = reeve_json_get_array (definition, "tools");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (tools == NULL || json_array_get_length (tools) == 0)
    return NULL;
  for (guint i = 0; i < json_array_get_length (tools); i++)
    g_strv_builder_add (builder, json_array_get_string_element (tools, i));
  return g_strv_builder_end (builder);
}

/* What a run of the agent would ask with: its tools, where its definition names some, its level and
 * its role. Where it cannot be executed, the policies alone decide. */
static gboolean
reeve_policy_ask_for_agent (ReeveCall *call, ReeveServices *services, const char *agent_id,
                            ReevePolicyAsk *ask, char ***tools, GError **error)
{
  const char *tenant_id = reeve_call_get_tenant_id (call);
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonObject) agent = NULL;
  g_autoptr (JsonObject) definition = NULL;
  ReevePolicyLevel level = REEVE_POLICY_LEVEL_UNSET;

  if (agent_id == NULL)
    return TRUE;
  agent = reeve_agents_get (services->agents, tenant_id, agent_id, error);
  if (agent == NULL)
    return FALSE;
  if (!reeve_json_get_boolean (agent, "active", TRUE))
    {
      ask->agent_denies = "agent_inactive";
      return TRUE;
    }
  definition = reeve_agents_get_definition (services->agents, tenant_id, agent_id, &local);
  if (definition == NULL && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT))
    return TRUE;
  if (definition == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  *tools = reeve_policy_ask_read_tools (definition);
  ask->agent_tools = (const char *const *) *tools;
  level = reeve_policy_parse_level (reeve_json_get_string (definition, "sandbox_level", NULL));
  /* a question may suppose a stricter one; what is isolated stays so */
  ask->level = level == REEVE_POLICY_LEVEL_ISOLATED ? level : MAX (ask->level, level);
  if (!reeve_agent_book_may_call (reeve_json_get_string (agent, "role", NULL),
                                  (ask->hints & REEVE_TOOL_READ_ONLY) != 0))
    ask->agent_denies = "agent_role";
  return TRUE;
}

/* What whoever is asked besides says of the call. */
static void
reeve_policy_ask_advise (ReeveCall *call, ReeveServices *services, const ReevePolicyAsk *ask,
                         const char *agent_id, ReevePolicyDecision *decision)
{
  const ReeveAdmissionRequest request = {
    .caller = reeve_call_get_caller (call),
    .agent_id = agent_id,
    .tool_name = ask->tool_name,
    .tool_known = ask->known,
    .tool_hints = ask->hints,
    .agent_tools = ask->agent_tools,
    .tool_arguments = ask->arguments,
    .sandbox_level = reeve_policy_get_level_name (ask->level),
    .estimated_tokens = ask->estimated_tokens,
  };
  g_autoptr (GBytes) question
      = reeve_policy_question_new_for (&services->question, &request, ask->cost);
  g_autoptr (ReevePolicyAdvice) advice
      = question != NULL ? reeve_policy_adviser_ask (
            services->adviser, reeve_caller_get_tenant_id (request.caller), question)
                         : NULL;

  if (advice != NULL)
    reeve_policy_advice_apply (advice, decision);
}

/**
 * reeve_policy_ask_decide:
 * @call: who asks; its estimated_tokens are of the execution
 * @services: what operations work with
 * @agent_id: (nullable): which agent would call; one that the asker is shown
 * @tool_name: which tool
 * @context: (nullable): {sandbox_level?, arguments?, cost?}
 * @error: return location
 *
 * Nothing is counted. Blocks.
 *
 * Returns: (transfer full) (nullable): {allowed, decision, reason, detail?, approvers?, trace[]}
 */
JsonObject *
reeve_policy_ask_decide (ReeveCall *call, ReeveServices *services, const char *agent_id,
                         const char *tool_name, JsonObject *context, GError **error)
{
  const char *tenant_id = reeve_call_get_tenant_id (call);
  ReevePolicyAsk ask = {
    .tool_name = tool_name,
    .level = reeve_policy_parse_level (
        context != NULL ? reeve_json_get_string (context, "sandbox_level", NULL) : NULL),
    .arguments = context != NULL ? reeve_json_get_object (context, "arguments") : NULL,
    .estimated_tokens = reeve_call_get_int (call, "estimated_tokens", 0),
  };
  g_auto (ReevePolicyDecision) decision = { 0 };
  g_auto (GStrv) tools = NULL;

  ask.hints = reeve_tools_get_hints (services->tools, tool_name, &ask.known);
  if (!reeve_policy_ask_for_agent (call, services, agent_id, &ask, &tools, error)
      || !reeve_policies_prepare (services->policies, tenant_id, error))
    return NULL;
  if (context != NULL && json_object_has_member (context, "cost"))
    ask.cost = json_node_get_double (json_object_get_member (context, "cost"));
  reeve_policies_decide (services->policies, tenant_id, agent_id, &ask, &decision);
  /* the gate does not ask about what the policies do not allow either */
  if (services->adviser != NULL && decision.effect == REEVE_POLICY_ALLOW)
    reeve_policy_ask_advise (call, services, &ask, agent_id, &decision);
  return reeve_policy_ask_explain (&decision);
}
