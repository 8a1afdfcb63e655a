/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which patterns of actions match a call: `read:*`, `write:documents/x`, a tool's name. Pure. */
#pragma once

#include "policy-private.h"

G_BEGIN_DECLS

/* The pattern of each list that matches, and whose it is. */
typedef struct
{
  const ReevePolicyRule *rule;
  const ReevePolicy *policy;
} ReevePolicyActionsFound;

typedef struct
{
  ReevePolicyActionsFound blocked;
  ReevePolicyActionsFound approval;
  ReevePolicyActionsFound allowlist;
  ReevePolicyActionsFound standard;
  ReevePolicyActionsFound trusted;
} ReevePolicyActions;

/* Policies and arguments (nullable). */
void reeve_policy_actions_find (const ReevePolicy *org, const ReevePolicy *agent,
                                const char *tool_name, ReevePolicyKind kind, JsonObject *arguments,
                                ReevePolicyActions *found);

G_END_DECLS
