/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a policy looks like inside: for policy.c, which makes it, and policy-decision.c, which asks
 * it. */
#pragma once

#include "policy-constraints.h"
#include "policy-index.h"
#include "policy-kinds.h"
#include "policy.h"

G_BEGIN_DECLS

/* Where in a document a rule stands; what it is there for. */
typedef enum
{
  REEVE_POLICY_RULE_TOOL,    /* tools[]: allows or denies */
  REEVE_POLICY_RULE_MATRIX,  /* matrix.*.allowed: the same */
  REEVE_POLICY_RULE_LIMITS,  /* the constraints of a row of the matrix */
  REEVE_POLICY_RULE_BLOCKED, /* patterns of actions */
  REEVE_POLICY_RULE_APPROVAL,
  REEVE_POLICY_RULE_ALLOWLIST,
  REEVE_POLICY_RULE_STANDARD,
  REEVE_POLICY_RULE_TRUSTED
} ReevePolicyRuleKind;

typedef struct
{
  ReevePolicyRuleKind kind;
  ReevePolicyEffect effect;
  char *name;       /* tool, glob or pattern */
  guint weight;     /* how exact the name is: the heaviest rule goes first */
  gboolean shipped; /* not of the document */
  ReevePolicyConstraints *constraints;
} ReevePolicyRule;

typedef enum
{
  REEVE_POLICY_SECURITY_UNSET,
  REEVE_POLICY_SECURITY_FULL,
  REEVE_POLICY_SECURITY_ALLOWLIST,
  REEVE_POLICY_SECURITY_DENY
} ReevePolicySecurity;

struct _ReevePolicy
{
  int references;
  ReevePolicyLayer layer;
  gint64 revision;
  char *set_by;
  char *document; /* text: objects are not shared between threads */
  gint64 token_limit;
  gint64 timeout;
  ReevePolicyLevel level;
  ReevePolicySecurity security;
  GArray *tools; /* ReevePolicyRule */
  GArray *actions;
  ReevePolicyIndex *tool_index;
  ReevePolicyIndex *action_index;
  GHashTable *named;     /* (element-type utf8): names of rules that allow or deny */
  guint own_lists;       /* bits: kinds of rules that the document has among its patterns */
  gboolean has_approval; /* patterns or thresholds */
  gdouble cost;          /* approval above it; negative: none */
  int risk;              /* the same; -1: none */
};

G_END_DECLS
