/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an adviser is asked: the call, who asks for it, and what the host alone can tell of its
 * arguments. */
#pragma once

#include "admission.h"
#include "agent-book.h"
#include "policies.h"

G_BEGIN_DECLS

/* Members of {"input": {…}} that are about the call, for a policy in Rego (docs/access.md):
 * {tool, kind, risk, external, agent_tools[]|null, estimated_tokens, cost, sandbox_level|null,
 * facts{constraints, blocked, approval, allowlist, standard, trusted}}. Both policies (nullable).
 * (transfer full) */
JsonObject *reeve_policy_question_describe (ReevePolicy *org, ReevePolicy *agent,
                                            const ReevePolicyAsk *ask);

/* How the gate's questions are made: a ReeveAdmissionQuestion. */
typedef struct
{
  ReevePolicies *policies;
  ReeveAgentBook *agents;
  gboolean with_arguments;
} ReevePolicyQuestionSetup;

/* {"input": {…}}; NULL while the policies of the tenant are not known. */
GBytes *reeve_policy_question_new (const ReeveAdmissionRequest *request, gpointer setup);
/* The same for a call that nobody makes: @cost as of a ReevePolicyAsk. */
GBytes *reeve_policy_question_new_for (const ReevePolicyQuestionSetup *setup,
                                       const ReeveAdmissionRequest *request, gdouble cost);

G_END_DECLS
