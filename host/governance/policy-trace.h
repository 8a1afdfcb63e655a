/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A decision explained: which rule, of which revision, set by whom. */
#pragma once

#include "policy-decision.h"

G_BEGIN_DECLS

/* (transfer full) [{stage, rule, source, revision, set_by, effect, reason?}] in the order of the
 * stages; revision and set_by are null where no policy speaks. The last one that is not allow,
 * replaced or unchecked decided. */
JsonArray *reeve_policy_trace_new (const ReevePolicyDecision *decision);
/* (transfer full) the step that decided, as in the trace */
JsonObject *reeve_policy_trace_new_rule (const ReevePolicyDecision *decision);
/* (transfer full) the step that decided, as one line for a log */
char *reeve_policy_trace_describe (const ReevePolicyDecision *decision);

/* (transfer full) (nullable): {roles[], users[]}: who may approve, where an approval is asked for
 * and a policy names somebody: the agent's before the org's */
JsonObject *reeve_policy_trace_approvers (const ReevePolicyDecision *decision);

G_END_DECLS
