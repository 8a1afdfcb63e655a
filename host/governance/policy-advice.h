/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePolicyAdvice: what somebody outside the host, an Open Policy Agent, says of a call of a
 * tool, and what becomes of a decision by it. */
#pragma once

#include "policy-decision.h"

G_BEGIN_DECLS

/* From the mildest to the strictest, but for the last one. */
typedef enum
{
  REEVE_POLICY_ADVICE_ALLOW,
  REEVE_POLICY_ADVICE_APPROVAL_REQUIRED,
  REEVE_POLICY_ADVICE_DENY,
  REEVE_POLICY_ADVICE_UNDEFINED,  /* it was asked and has no decision: no */
  REEVE_POLICY_ADVICE_UNREADABLE, /* it answered, and nobody knows what: no */
  REEVE_POLICY_ADVICE_UNREACHABLE /* it gave no answer */
} ReevePolicyAdviceKind;

/* longest text that comes with an advice, in bytes */
#define REEVE_POLICY_ADVICE_LONGEST 256

typedef struct
{
  ReevePolicyAdviceKind kind;
  gboolean closed; /* unreachable: the answer is no, instead of the tool policy's */
  char *text;      /* (nullable): why, as it was said, or why there was no answer */
} ReevePolicyAdvice;

/* @text (nullable): cut to the longest one, made valid, without control characters. */
ReevePolicyAdvice *reeve_policy_advice_new (ReevePolicyAdviceKind kind, const char *text);
void reeve_policy_advice_free (ReevePolicyAdvice *self);
/* Stable word for records: opa_allowed, approval_required, opa_denied, opa_undefined,
 * opa_unreadable, opa_unreachable. */
const char *reeve_policy_advice_get_word (const ReevePolicyAdvice *self);
/* Whether a decision can still be `allow` with it. */
gboolean reeve_policy_advice_lets (const ReevePolicyAdvice *self);
/* The decision becomes the stricter of both; a step says what was advised. */
void reeve_policy_advice_apply (const ReevePolicyAdvice *self, ReevePolicyDecision *decision);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePolicyAdvice, reeve_policy_advice_free)

G_END_DECLS
