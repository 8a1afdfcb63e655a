/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate asks in this order: may the request come, is there a place for the run, do the budgets
 * leave enough, may the run take so much. The answer shows all of it, and refuses with the first
 * that refuses; each is asked by the code that the gate asks. Nothing is counted or reserved. */
#include "budget-check.h"

#include "policy-ask.h"

/* as the tool policy says it of a call */
#define REEVE_BUDGET_CHECK_TOKENS "token_limit_exceeded"

static void
reeve_budget_check_refuse (JsonObject *answer, const char *reason, const char *detail)
{
  json_object_set_boolean_member (answer, "allowed", FALSE);
  json_object_set_string_member (answer, "reason", reason);
  json_object_set_string_member (answer, "detail", detail);
}

/* ---- requests ---- */

static JsonObject *
reeve_budget_check_show_rate (const ReeveRateLimitsState *state)
{
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "per", state->kind);
  json_object_set_string_member (shown, "limit", state->name);
  json_object_set_int_member (shown, "requests", state->limit);
  json_object_set_int_member (shown, "seconds", state->seconds);
  json_object_set_int_member (shown, "remaining", state->remaining);
  json_object_set_int_member (shown, "retry_after", state->wait);
  return shown;
}

static void
reeve_budget_check_add_rates (JsonObject *answer, ReeveServices *services, const char *tenant_id,
                              const ReeveBudgetCheck *ask, GError **refused)
{
  ReeveRateLimitsState states[REEVE_RATE_LIMITS_KINDS];
  JsonArray *rates = json_array_new ();
  guint n = services->rate_limits != NULL
                ? reeve_rate_limits_look (services->rate_limits, tenant_id, ask->who.user_id,
                                          ask->who.key_id, ask->key_limit, g_get_monotonic_time (),
                                          states)
                : 0;

  for (guint i = 0; i < n; i++)
    json_array_add_object_element (rates, reeve_budget_check_show_rate (&states[i]));
  json_object_set_array_member (answer, "rates", rates);
  /* the one that refuses longest is in front */
  if (n > 0 && states[0].wait > 0)
    reeve_rate_limits_refuse (&states[0], refused);
}

/* ---- runs ---- */

static void
reeve_budget_check_set_limit (JsonObject *shown, const char *member, gint64 limit)
{
  if (limit > 0)
    json_object_set_int_member (shown, member, limit);
  else
    json_object_set_null_member (shown, member);
}

/* What an execution may take as a whole, by the tool policy. */
static gboolean
reeve_budget_check_add_execution (JsonObject *answer, ReeveServices *services,
                                  const char *tenant_id, const ReeveBudgetCheck *ask,
                                  GError **error)
{
  JsonObject *shown = NULL;
  gint64 tokens = 0;
  gint64 seconds = 0;

  if (!reeve_policies_prepare (services->policies, tenant_id, error))
    return FALSE;
  reeve_policies_get_limits (services->policies, tenant_id, ask->who.agent_id, &tokens, &seconds);
  shown = json_object_new ();
  reeve_budget_check_set_limit (shown, "token_limit", tokens);
  reeve_budget_check_set_limit (shown, "timeout_seconds", seconds);
  json_object_set_object_member (answer, "execution", shown);
  if (tokens > 0 && ask->tokens > tokens && reeve_json_get_boolean (answer, "allowed", FALSE))
    {
      g_autofree char *detail
          = g_strdup_printf ("the execution would take %" G_GINT64_FORMAT
                             " tokens of %" G_GINT64_FORMAT " (token_limit of the tool policy)",
                             ask->tokens, tokens);

      reeve_budget_check_refuse (answer, REEVE_BUDGET_CHECK_TOKENS, detail);
    }
  return TRUE;
}

/* ---- the answer ---- */

static JsonObject *
reeve_budget_check_model (ReeveCall *call, ReeveServices *services, const ReeveBudgetCheck *ask,
                          GError **error)
{
  const char *tenant_id = reeve_call_get_tenant_id (call);
  g_autoptr (JsonObject) answer
      = reeve_budgets_check (services->budgets, tenant_id, &ask->who, ask->model, ask->tokens);
  g_autoptr (GError) rate = NULL;
  g_autoptr (GError) place = NULL;

  if (ask->who.agent_id != NULL)
    json_object_set_object_member (
        answer, "runs",
        reeve_runs_look (services->runs, tenant_id, ask->who.agent_id, ask->who.user_id, &place));
  if (place != NULL)
    reeve_budget_check_refuse (answer, reeve_error_get_name (place->code), place->message);
  reeve_budget_check_add_rates (answer, services, tenant_id, ask, &rate);
  if (rate != NULL)
    reeve_budget_check_refuse (answer, reeve_error_get_name (rate->code), rate->message);
  if (ask->who.agent_id != NULL
      && !reeve_budget_check_add_execution (answer, services, tenant_id, ask, error))
    return NULL;
  return g_steal_pointer (&answer);
}

/* A tool takes no tokens: no budget stops it, but the policy and its rates may. */
static JsonObject *
reeve_budget_check_tool (ReeveCall *call, ReeveServices *services, const ReeveBudgetCheck *ask,
                         GError **error)
{
  ReeveCaller *caller = reeve_call_get_caller (call);
  JsonObject *decision = reeve_policy_ask_decide (call, services, ask->who.agent_id, ask->tool_name,
                                                  ask->context, error);
  JsonObject *answer = NULL;

  if (decision == NULL)
    return NULL;
  /* which rules there are is told to whom policies are shown */
  if (!reeve_caller_has_permission (caller, "policy:manage"))
    {
      json_object_set_array_member (decision, "trace", json_array_new ());
      json_object_remove_member (decision, "approvers");
    }
  answer = json_object_new ();
  json_object_set_boolean_member (answer, "allowed",
                                  reeve_json_get_boolean (decision, "allowed", FALSE));
  json_object_set_null_member (answer, "remaining");
  json_object_set_string_member (answer, "reason", reeve_json_get_string (decision, "reason", ""));
  json_object_set_array_member (answer, "budgets", json_array_new ());
  json_object_set_object_member (answer, "tool", decision);
  return answer;
}

/**
 * reeve_budget_check_answer:
 * @call: who asks
 * @services: what operations work with
 * @ask: what would be called; whom it names is there, and shown to who asks
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full) (nullable): {allowed, remaining, reason, detail?, budgets[], rates[],
 * runs?, execution?}, or of a tool {…, tool}
 */
JsonObject *
reeve_budget_check_answer (ReeveCall *call, ReeveServices *services, const ReeveBudgetCheck *ask,
                           GError **error)
{
  return ask->tool_name != NULL ? reeve_budget_check_tool (call, services, ask, error)
                                : reeve_budget_check_model (call, services, ask, error);
}
