/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy that holds for an agent, written out: the tenant's and its own as one. For reading;
 * decisions are made from both. */
#pragma once

#include "policy.h"

G_BEGIN_DECLS

/* (transfer full) {tools[{tool_name, effect, constraints?, source, revision}], matrix[{tool_name,
 * source, revision, …}], token_limit, execution_timeout_seconds, sandbox_level, security_level,
 * levels, approval}. Both (nullable). */
JsonObject *reeve_policy_merge (const ReevePolicy *org, const ReevePolicy *agent);

G_END_DECLS
