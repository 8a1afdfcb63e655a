/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one evaluation order. Each stage can refuse for good or make the answer stricter; none makes
 * it milder again, so a denial wins wherever it stands. */
#include "policy-decision.h"

#include <string.h>

#include "policy-actions.h"
#include "policy-private.h"

#define REEVE_POLICY_DECISION_LIMITS 3 /* an entry's, the org's row, the agent's row */

/* The words of refusals, and of what allows. */
#define REEVE_POLICY_REASON_ALLOWED   "tool_allowed"
#define REEVE_POLICY_REASON_DENIED    "tool_denied"
#define REEVE_POLICY_REASON_DEFAULT   "tool_not_allowed"
#define REEVE_POLICY_REASON_UNSET     "policy_unset"
#define REEVE_POLICY_REASON_ABSENT    "tool_not_in_definition"
#define REEVE_POLICY_REASON_TOKENS    "token_limit_exceeded"
#define REEVE_POLICY_REASON_EXTERNAL  "external_access"
#define REEVE_POLICY_REASON_PATH      "path_not_allowed"
#define REEVE_POLICY_REASON_DOMAIN    "domain_not_allowed"
#define REEVE_POLICY_REASON_OPERATION "operation_not_allowed"
#define REEVE_POLICY_REASON_RATE      "rate_limit_exceeded"
#define REEVE_POLICY_REASON_BLOCKED   "action_blocked"
#define REEVE_POLICY_REASON_APPROVAL  "approval_required"
#define REEVE_POLICY_REASON_FAILED    "policy_unavailable"
/* of whoever is asked besides */
#define REEVE_POLICY_REASON_REFUSED   "opa_denied"
#define REEVE_POLICY_REASON_UNDEFINED "opa_undefined"
#define REEVE_POLICY_REASON_GARBLED   "opa_unreadable"
#define REEVE_POLICY_REASON_ALONE     "opa_unreachable"

static const char *const reeve_policy_decision_reasons[] = {
  REEVE_POLICY_REASON_ALLOWED,   REEVE_POLICY_REASON_DENIED,  REEVE_POLICY_REASON_DEFAULT,
  REEVE_POLICY_REASON_UNSET,     REEVE_POLICY_REASON_ABSENT,  REEVE_POLICY_REASON_TOKENS,
  REEVE_POLICY_REASON_EXTERNAL,  REEVE_POLICY_REASON_PATH,    REEVE_POLICY_REASON_DOMAIN,
  REEVE_POLICY_REASON_OPERATION, REEVE_POLICY_REASON_RATE,    REEVE_POLICY_REASON_BLOCKED,
  REEVE_POLICY_REASON_APPROVAL,  REEVE_POLICY_REASON_FAILED,  REEVE_POLICY_REASON_REFUSED,
  REEVE_POLICY_REASON_UNDEFINED, REEVE_POLICY_REASON_GARBLED, REEVE_POLICY_REASON_ALONE,
};

/* What of one policy matches a tool. */
typedef struct
{
  const ReevePolicy *policy;
  const ReevePolicy *over; /* the agent's: what it names too is replaced */
  const ReevePolicyRule *deny;
  const ReevePolicyRule *allow;
  const ReevePolicyRule *replaced;
  const ReevePolicyRule *limits;
} ReevePolicyMatch;

typedef struct
{
  const ReevePolicyAsk *ask;
  ReevePolicyDecision *decision;
  ReevePolicyMatch org;
  ReevePolicyMatch agent;
  gboolean allowed; /* some rule allows it */
  gboolean named;   /* a pattern asks for an approval of it */
  const ReevePolicyRule *limits[REEVE_POLICY_DECISION_LIMITS];
  const ReevePolicy *owners[REEVE_POLICY_DECISION_LIMITS];
  guint limits_length;
  ReevePolicyKind kind;
  ReevePolicyLevel level;        /* in force */
  ReevePolicyLevel policy_level; /* of the policies alone: what an unknown tool follows */
  const ReevePolicy *level_owner;
} ReevePolicyWork;

/* ---- the answer ---- */

static const char *
reeve_policy_decision_source (const ReevePolicy *policy)
{
  if (policy == NULL)
    return "default";
  return policy->layer == REEVE_POLICY_LAYER_ORG ? "org" : "agent";
}

static ReevePolicyStep *
reeve_policy_decision_step (ReevePolicyWork *work, const char *stage, const char *rule,
                            const char *name, const ReevePolicy *policy, const char *effect)
{
  ReevePolicyDecision *decision = work->decision;
  guint at = MIN (decision->steps, REEVE_POLICY_DECISION_STEPS - 1);

  decision->trace[at] = (ReevePolicyStep){ .stage = stage,
                                           .rule = rule,
                                           .name = name,
                                           .policy = policy,
                                           .source = reeve_policy_decision_source (policy),
                                           .effect = effect };
  decision->steps = at + 1;
  return &decision->trace[at];
}

/* TRUE always: that is the end of the stages. */
static gboolean
reeve_policy_decision_deny (ReevePolicyWork *work, const char *reason)
{
  work->decision->effect = REEVE_POLICY_DENY;
  work->decision->reason = reason;
  return TRUE;
}

static void
reeve_policy_decision_ask (ReevePolicyWork *work)
{
  work->decision->effect = REEVE_POLICY_APPROVAL_REQUIRED;
  work->decision->reason = REEVE_POLICY_REASON_APPROVAL;
}

/* ---- what matches ---- */

static const char *
reeve_policy_decision_place (const ReevePolicyRule *rule)
{
  static const char *const places[] = { "tools",
                                        "matrix",
                                        "matrix",
                                        "approval.blocked",
                                        "approval.approval_required",
                                        "approval.allowlist",
                                        "levels.standard",
                                        "levels.trusted" };

  return places[rule->kind];
}

static void
reeve_policy_decision_prefer (const ReevePolicyRule **best, const ReevePolicyRule *rule)
{
  if (*best == NULL || rule->weight > (*best)->weight
      || (rule->weight == (*best)->weight && rule < *best))
    *best = rule;
}

static gboolean
reeve_policy_decision_on_tool (guint value, gpointer user_data)
{
  ReevePolicyMatch *match = user_data;
  const ReevePolicyRule *rule = &g_array_index (match->policy->tools, ReevePolicyRule, value);

  if (rule->kind == REEVE_POLICY_RULE_LIMITS)
    reeve_policy_decision_prefer (&match->limits, rule);
  else if (rule->effect == REEVE_POLICY_DENY)
    reeve_policy_decision_prefer (&match->deny, rule);
  else if (match->over != NULL && g_hash_table_contains (match->over->named, rule->name))
    reeve_policy_decision_prefer (&match->replaced, rule);
  else
    reeve_policy_decision_prefer (&match->allow, rule);
  return TRUE;
}

static void
reeve_policy_decision_match (ReevePolicyMatch *match, const ReevePolicy *policy,
                             const ReevePolicy *over, const char *tool_name)
{
  match->policy = policy;
  match->over = over;
  if (policy != NULL)
    reeve_policy_index_visit (policy->tool_index, tool_name, reeve_policy_decision_on_tool, match);
}

static void
reeve_policy_decision_limit (ReevePolicyWork *work, const ReevePolicyRule *rule,
                             const ReevePolicy *owner)
{
  if (rule == NULL || rule->constraints == NULL)
    return;
  work->limits[work->limits_length] = rule;
  work->owners[work->limits_length++] = owner;
}

/* ---- the stages; TRUE: it is decided ---- */

static gboolean
reeve_policy_decision_definition (ReevePolicyWork *work)
{
  const ReevePolicyAsk *ask = work->ask;

  if (ask->agent_denies != NULL)
    {
      reeve_policy_decision_step (work, "definition", ask->agent_denies, NULL, NULL, "deny")->source
          = "definition";
      return reeve_policy_decision_deny (work, ask->agent_denies);
    }
  if (ask->agent_tools == NULL || g_strv_contains (ask->agent_tools, ask->tool_name))
    return FALSE;
  reeve_policy_decision_step (work, "definition", "tools", ask->tool_name, NULL, "deny")->source
      = "definition";
  return reeve_policy_decision_deny (work, REEVE_POLICY_REASON_ABSENT);
}

static gboolean
reeve_policy_decision_tokens (ReevePolicyWork *work)
{
  const ReevePolicy *sides[] = { work->org.policy, work->agent.policy };

  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    if (sides[i] != NULL && sides[i]->token_limit > 0
        && work->ask->estimated_tokens > sides[i]->token_limit)
      {
        reeve_policy_decision_step (work, "token_limit", "token_limit", NULL, sides[i], "deny");
        return reeve_policy_decision_deny (work, REEVE_POLICY_REASON_TOKENS);
      }
  return FALSE;
}

/* A denial of either policy, and a security level that denies all. */
static gboolean
reeve_policy_decision_denied (ReevePolicyWork *work, const ReevePolicyMatch *match,
                              const char *stage)
{
  const ReevePolicy *policy = match->policy;

  if (match->deny != NULL)
    reeve_policy_decision_step (work, stage, reeve_policy_decision_place (match->deny),
                                match->deny->name, policy, "deny");
  else if (policy != NULL && policy->security == REEVE_POLICY_SECURITY_DENY)
    reeve_policy_decision_step (work, stage, "security_level", "deny", policy, "deny");
  else
    return FALSE;
  return reeve_policy_decision_deny (work, REEVE_POLICY_REASON_DENIED);
}

/* The strictest of the three is in force. A definition makes it stricter, never milder. */
static void
reeve_policy_decision_find_level (ReevePolicyWork *work, gboolean *isolated)
{
  const ReevePolicy *sides[] = { work->org.policy, work->agent.policy };
  ReevePolicyLevel definition = work->ask->level;

  *isolated = definition == REEVE_POLICY_LEVEL_ISOLATED;
  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    {
      if (sides[i] == NULL || sides[i]->level == REEVE_POLICY_LEVEL_UNSET)
        continue;
      *isolated = *isolated || sides[i]->level == REEVE_POLICY_LEVEL_ISOLATED;
      if (sides[i]->level <= work->policy_level)
        continue;
      work->policy_level = sides[i]->level;
      work->level_owner = sides[i];
    }
  work->level = MAX (work->policy_level, definition);
  if (work->level > work->policy_level)
    work->level_owner = NULL;
}

static void
reeve_policy_decision_level_step (ReevePolicyWork *work, ReevePolicyLevel level, const char *effect)
{
  ReevePolicyStep *step
      = reeve_policy_decision_step (work, "sandbox_level", "sandbox_level",
                                    reeve_policy_get_level_name (level), work->level_owner, effect);

  if (work->level_owner == NULL)
    step->source = "definition";
}

static gboolean
reeve_policy_decision_level (ReevePolicyWork *work)
{
  const ReevePolicyAsk *ask = work->ask;
  gboolean isolated = FALSE;

  reeve_policy_decision_find_level (work, &isolated);
  if (work->level == REEVE_POLICY_LEVEL_UNSET)
    return FALSE;
  if (isolated && reeve_policy_kinds_is_external (work->kind, ask->known, ask->hints))
    {
      reeve_policy_decision_level_step (work, REEVE_POLICY_LEVEL_ISOLATED, "deny");
      return reeve_policy_decision_deny (work, REEVE_POLICY_REASON_EXTERNAL);
    }
  if (work->level == REEVE_POLICY_LEVEL_STRICT)
    reeve_policy_decision_ask (work);
  reeve_policy_decision_level_step (
      work, work->level, work->level == REEVE_POLICY_LEVEL_STRICT ? "approval_required" : "allow");
  return FALSE;
}

/* `full` allows whatever is not denied; the agent's word replaces the org's. */
static const ReevePolicy *
reeve_policy_decision_full (ReevePolicyWork *work)
{
  const ReevePolicy *said = work->agent.policy;

  if (said == NULL || said->security == REEVE_POLICY_SECURITY_UNSET)
    said = work->org.policy;
  return said != NULL && said->security == REEVE_POLICY_SECURITY_FULL ? said : NULL;
}

static gboolean
reeve_policy_decision_allow_list (ReevePolicyWork *work)
{
  const ReevePolicyMatch *org = &work->org;
  const ReevePolicyMatch *agent = &work->agent;
  const ReevePolicyMatch *best = org->allow != NULL ? org : agent;
  const ReevePolicy *full = reeve_policy_decision_full (work);

  if (org->replaced != NULL)
    reeve_policy_decision_step (work, "allow_list", reeve_policy_decision_place (org->replaced),
                                org->replaced->name, org->policy, "replaced");
  if (reeve_policy_decision_denied (work, agent, "allow_list"))
    return TRUE;
  if (agent->allow != NULL && org->allow != NULL && agent->allow->weight >= org->allow->weight)
    best = agent;
  work->allowed = best->allow != NULL || full != NULL;
  if (best->allow != NULL)
    reeve_policy_decision_step (work, "allow_list", reeve_policy_decision_place (best->allow),
                                best->allow->name, best->policy, "allow");
  else if (full != NULL)
    reeve_policy_decision_step (work, "allow_list", "security_level", "full", full, "allow");
  reeve_policy_decision_limit (work, best->allow, best->policy);
  reeve_policy_decision_limit (work, org->limits, org->policy);
  reeve_policy_decision_limit (work, agent->limits, agent->policy);
  return FALSE;
}

static gboolean
reeve_policy_decision_constraints (ReevePolicyWork *work)
{
  static const struct
  {
    const char *word;
    const char *reason;
  } reasons[] = { { "paths", REEVE_POLICY_REASON_PATH },
                  { "domains", REEVE_POLICY_REASON_DOMAIN },
                  { "operations", REEVE_POLICY_REASON_OPERATION } };

  for (guint i = 0; i < work->limits_length; i++)
    {
      const ReevePolicyRule *rule = work->limits[i];
      const char *place = reeve_policy_decision_place (rule);
      const char *broken = NULL;

      if (!reeve_policy_constraints_has_arguments (rule->constraints))
        continue;
      if (work->ask->arguments != NULL)
        broken = reeve_policy_constraints_check (rule->constraints, work->ask->arguments,
                                                 &work->decision->detail);
      reeve_policy_decision_step (work, broken != NULL ? broken : "constraints", place, rule->name,
                                  work->owners[i],
                                  work->ask->arguments == NULL ? "unchecked"
                                  : broken != NULL             ? "deny"
                                                               : "allow");
      for (guint k = 0; broken != NULL && k < G_N_ELEMENTS (reasons); k++)
        if (strcmp (broken, reasons[k].word) == 0)
          return reeve_policy_decision_deny (work, reasons[k].reason);
    }
  return FALSE;
}

/* ---- approval and default ---- */

static gboolean
reeve_policy_decision_threshold (ReevePolicyWork *work)
{
  const ReevePolicy *sides[] = { work->org.policy, work->agent.policy };

  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    {
      gboolean dear = sides[i] != NULL && sides[i]->cost >= 0 && work->ask->cost > sides[i]->cost;
      gboolean risky = sides[i] != NULL && sides[i]->risk >= 0
                       && (int) reeve_policy_kinds_get_risk (work->kind) > sides[i]->risk;

      if (!dear && !risky)
        continue;
      reeve_policy_decision_step (work, "approval", "approval.requires_approval_above",
                                  dear ? "cost" : "risk", sides[i], "approval_required");
      return TRUE;
    }
  return FALSE;
}

static void
reeve_policy_decision_found_step (ReevePolicyWork *work, const char *stage,
                                  const ReevePolicyActionsFound *found, const char *effect)
{
  reeve_policy_decision_step (work, stage, reeve_policy_decision_place (found->rule),
                              found->rule->name, found->policy, effect);
}

/* What no rule names: allowed where the level's list has it, else a human is asked. */
static void
reeve_policy_decision_unknown (ReevePolicyWork *work, const ReevePolicyActions *actions)
{
  const ReevePolicyActionsFound *listed = &actions->standard;
  gboolean trusted = work->level == REEVE_POLICY_LEVEL_TRUSTED;

  if (listed->rule == NULL && trusted)
    listed = &actions->trusted;
  work->allowed = listed->rule != NULL;
  if (work->allowed)
    {
      reeve_policy_decision_found_step (work, "sandbox_level", listed, "allow");
      return;
    }
  reeve_policy_decision_ask (work);
  reeve_policy_decision_step (work, "default", "unknown_tool", work->ask->tool_name,
                              work->level_owner, "approval_required");
}

static gboolean
reeve_policy_decision_approval (ReevePolicyWork *work)
{
  const ReevePolicy *org = work->org.policy;
  const ReevePolicy *agent = work->agent.policy;
  ReevePolicyActions actions = { .blocked = { NULL, NULL } };

  if ((org == NULL || org->actions->len == 0) && (agent == NULL || agent->actions->len == 0))
    {
      if (reeve_policy_decision_threshold (work))
        reeve_policy_decision_ask (work);
      if (!work->allowed && work->policy_level != REEVE_POLICY_LEVEL_UNSET)
        reeve_policy_decision_unknown (work, &actions); /* its lists are empty */
      return FALSE;
    }
  reeve_policy_actions_find (org, agent, work->ask->tool_name, work->kind, work->ask->arguments,
                             &actions);
  if (actions.blocked.rule != NULL)
    {
      reeve_policy_decision_found_step (work, "approval", &actions.blocked, "deny");
      return reeve_policy_decision_deny (work, REEVE_POLICY_REASON_BLOCKED);
    }
  work->named = actions.approval.rule != NULL;
  if (work->named)
    reeve_policy_decision_found_step (work, "approval", &actions.approval, "approval_required");
  if (reeve_policy_decision_threshold (work) || work->named)
    reeve_policy_decision_ask (work);
  if (!work->allowed && actions.allowlist.rule != NULL)
    {
      work->allowed = TRUE;
      reeve_policy_decision_found_step (work, "approval", &actions.allowlist, "allow");
    }
  if (!work->allowed && !work->named && work->policy_level != REEVE_POLICY_LEVEL_UNSET)
    reeve_policy_decision_unknown (work, &actions);
  return FALSE;
}

/* An unknown tool follows the level that a policy sets; without one it is denied. One that a
 * pattern of approval names is not unknown. */
static gboolean
reeve_policy_decision_default (ReevePolicyWork *work)
{
  if (work->allowed || work->named || work->policy_level != REEVE_POLICY_LEVEL_UNSET)
    return FALSE;
  reeve_policy_decision_step (work, "default", "default", NULL, NULL, "deny");
  return reeve_policy_decision_deny (work, work->org.policy == NULL && work->agent.policy == NULL
                                               ? REEVE_POLICY_REASON_UNSET
                                               : REEVE_POLICY_REASON_DEFAULT);
}

/* Only a call that is allowed counts. A rate of the org counts the tenant's calls, one of an agent
 * that agent's. */
static gboolean
reeve_policy_decision_rates (ReevePolicyWork *work)
{
  const ReevePolicyAsk *ask = work->ask;
  ReevePolicyRatesDemand demands[REEVE_POLICY_DECISION_LIMITS];
  guint rows[REEVE_POLICY_DECISION_LIMITS];
  guint length = 0;
  guint refused = 0;
  gboolean free_to = TRUE;

  for (guint i = 0; ask->rates != NULL && !ask->counted && i < work->limits_length; i++)
    {
      guint seconds = 0;
      guint rate = reeve_policy_constraints_get_rate (work->limits[i]->constraints, &seconds);
      gboolean org = work->owners[i]->layer == REEVE_POLICY_LAYER_ORG;

      if (rate == 0)
        continue;
      rows[length] = i;
      demands[length].limit = rate;
      demands[length].seconds = seconds;
      demands[length++].key
          = g_strdup_printf ("%s\n%s\n%s\n%u", ask->tenant_id != NULL ? ask->tenant_id : "",
                             !org && ask->agent_id != NULL ? ask->agent_id : "", ask->tool_name,
                             (guint) work->limits[i]->kind * 2 + org);
    }
  if (length > 0)
    free_to = reeve_policy_rates_take (ask->rates, demands, length, g_get_monotonic_time (),
                                       ask->take, &refused);
  for (guint i = 0; i < length; i++)
    g_free (demands[i].key);
  if (free_to)
    return FALSE;
  reeve_policy_decision_step (
      work, "rate_limit", reeve_policy_decision_place (work->limits[rows[refused]]),
      work->limits[rows[refused]]->name, work->owners[rows[refused]], "deny");
  return reeve_policy_decision_deny (work, REEVE_POLICY_REASON_RATE);
}

static gboolean
reeve_policy_decision_needs_kind (const ReevePolicy *org, const ReevePolicy *agent,
                                  const ReevePolicyAsk *ask)
{
  return ask->level != REEVE_POLICY_LEVEL_UNSET
         || (org != NULL && (org->has_approval || org->level != REEVE_POLICY_LEVEL_UNSET))
         || (agent != NULL && (agent->has_approval || agent->level != REEVE_POLICY_LEVEL_UNSET));
}

/**
 * reeve_policy_decision_make:
 * @org: (nullable): the tenant's policy
 * @agent: (nullable): the agent's
 * @ask: what is to be decided
 * @decision: (out caller-allocates): the answer
 *
 * Goes through the stages in their order. Without any policy the answer is no.
 */
void
reeve_policy_decision_make (ReevePolicy *org, ReevePolicy *agent, const ReevePolicyAsk *ask,
                            ReevePolicyDecision *decision)
{
  ReevePolicyWork work = { .ask = ask, .decision = decision };

  decision->effect = REEVE_POLICY_ALLOW;
  decision->reason = REEVE_POLICY_REASON_ALLOWED;
  decision->detail = NULL;
  decision->advised = NULL;
  decision->steps = 0;
  decision->org = org != NULL ? reeve_policy_ref (org) : NULL;
  decision->agent = agent != NULL ? reeve_policy_ref (agent) : NULL;
  reeve_policy_decision_match (&work.agent, agent, NULL, ask->tool_name);
  reeve_policy_decision_match (&work.org, org, agent, ask->tool_name);
  work.kind = reeve_policy_decision_needs_kind (org, agent, ask)
                  ? reeve_policy_kinds_classify (ask->tool_name, ask->known, ask->hints)
                  : REEVE_POLICY_KIND_UNKNOWN;
  if (reeve_policy_decision_definition (&work) || reeve_policy_decision_tokens (&work)
      || reeve_policy_decision_denied (&work, &work.org, "org_deny")
      || reeve_policy_decision_level (&work) || reeve_policy_decision_allow_list (&work)
      || reeve_policy_decision_constraints (&work) || reeve_policy_decision_approval (&work)
      || reeve_policy_decision_default (&work))
    return;
  if (decision->effect == REEVE_POLICY_ALLOW)
    reeve_policy_decision_rates (&work);
}

/**
 * reeve_policy_decision_fail:
 * @decision: (out caller-allocates): the answer
 *
 * What is answered where the policies are not known: no.
 */
void
reeve_policy_decision_fail (ReevePolicyDecision *decision)
{
  const ReevePolicyAsk ask = { .tool_name = "" };
  ReevePolicyWork work = { .ask = &ask, .decision = decision };

  *decision = (ReevePolicyDecision){ .effect = REEVE_POLICY_DENY };
  reeve_policy_decision_step (&work, "default", "policies_unavailable", NULL, NULL, "deny");
  reeve_policy_decision_deny (&work, REEVE_POLICY_REASON_FAILED);
}

/**
 * reeve_policy_decision_clear:
 * @self: a decision
 *
 * Frees what it owns.
 */
void
reeve_policy_decision_clear (ReevePolicyDecision *self)
{
  g_clear_pointer (&self->org, reeve_policy_unref);
  g_clear_pointer (&self->agent, reeve_policy_unref);
  g_clear_pointer (&self->detail, g_free);
  g_clear_pointer (&self->advised, g_free);
}

/**
 * reeve_policy_decision_find_reason:
 * @text: of an error
 *
 * Returns: (transfer none) (nullable): the static word that stands in brackets at its end
 */
const char *
reeve_policy_decision_find_reason (const char *text)
{
  gsize length = strlen (text);

  for (guint i = 0; i < G_N_ELEMENTS (reeve_policy_decision_reasons); i++)
    {
      const char *word = reeve_policy_decision_reasons[i];
      gsize size = strlen (word);

      if (length > size + 2 && text[length - 1] == ')' && text[length - size - 2] == '('
          && strncmp (text + length - size - 1, word, size) == 0)
        return word;
    }
  return NULL;
}
