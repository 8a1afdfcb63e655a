/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePolicyDecision: may this tool be called so? One order: definition, token limit, org deny,
 * sandbox level, allow list, constraints, approval rule, default deny. Pure but for the counters of
 * rates; any thread, no I/O. */
#pragma once

#include "policy-rates.h"
#include "policy.h"

G_BEGIN_DECLS

#define REEVE_POLICY_DECISION_STEPS 24

/* What is to be decided. Everything is borrowed and nullable but the tool's name. */
typedef struct
{
  const char *tool_name;
  gboolean known; /* the tool exists and says this of itself */
  ReeveToolHints hints;
  const char *const *agent_tools; /* of the agent's definition; NULL: no agent is concerned */
  const char *agent_denies;       /* static: why this agent calls no such tool; NULL: it may */
  ReevePolicyLevel level;         /* of the definition: can only make it stricter */
  JsonObject *arguments;          /* NULL: not known yet, constraints on them are not decided */
  gint64 estimated_tokens;        /* of the execution, this call included */
  gdouble cost;                   /* of this call; 0: not known */
  const char *tenant_id;          /* for the counters of rates */
  const char *agent_id;
  ReevePolicyRates *rates; /* NULL: rates are not decided */
  gboolean take;           /* count this call, if it is allowed */
  gboolean counted;        /* it was counted: rates are not decided again */
} ReevePolicyAsk;

typedef struct
{
  const char *stage;
  const char *rule; /* where it stands in the policy: tools, matrix, approval.blocked, … */
  const char *name; /* (nullable): which one there */
  const ReevePolicy *policy; /* (nullable): whose; NULL: of the definition or of nobody */
  const char *source;        /* org, agent, definition, default, opa */
  const char *effect;        /* allow, approval_required, deny, replaced, unchecked */
  const char *reason;        /* (nullable): in words, of whoever was asked besides */
} ReevePolicyStep;

typedef struct
{
  ReevePolicyEffect effect;
  const char *reason; /* static word: tool_allowed, tool_denied, … */
  char *detail;       /* (nullable): the argument that was refused */
  char *advised;      /* (nullable): what a step says as its reason */
  guint steps;
  ReevePolicyStep trace[REEVE_POLICY_DECISION_STEPS];
  ReevePolicy *org;
  ReevePolicy *agent;
} ReevePolicyDecision;

/* Both policies (nullable). Always decides; clear @decision afterwards. */
void reeve_policy_decision_make (ReevePolicy *org, ReevePolicy *agent, const ReevePolicyAsk *ask,
                                 ReevePolicyDecision *decision);
/* The answer where the policies cannot be had: no. */
void reeve_policy_decision_fail (ReevePolicyDecision *decision);
void reeve_policy_decision_clear (ReevePolicyDecision *self);
/* %NULL, or the static word of a decision that @text ends with in brackets. */
const char *reeve_policy_decision_find_reason (const char *text);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReevePolicyDecision, reeve_policy_decision_clear)

G_END_DECLS
