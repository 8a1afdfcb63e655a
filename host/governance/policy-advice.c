/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An advice can only narrow: what the tool policy denies stays denied whatever is advised. */
#include "policy-advice.h"

#include <string.h>

/* By kind: what it does to a decision, and its word. */
static const struct
{
  ReevePolicyEffect effect;
  const char *word;
} reeve_policy_advice_rows[] = {
  { REEVE_POLICY_ALLOW, "opa_allowed" },   { REEVE_POLICY_APPROVAL_REQUIRED, "approval_required" },
  { REEVE_POLICY_DENY, "opa_denied" },     { REEVE_POLICY_DENY, "opa_undefined" },
  { REEVE_POLICY_DENY, "opa_unreadable" }, { REEVE_POLICY_ALLOW, "opa_unreachable" }
};

/* (transfer full) (nullable) */
static char *
reeve_policy_advice_tidy (const char *text)
{
  g_autofree char *valid
      = text != NULL
            ? g_utf8_make_valid (text, (gssize) strnlen (text, REEVE_POLICY_ADVICE_LONGEST))
            : NULL;
  char *tidy = NULL;

  if (valid == NULL || *valid == '\0')
    return NULL;
  /* made valid, it can have become longer */
  tidy = g_strndup (valid, REEVE_POLICY_ADVICE_LONGEST);
  while (!g_utf8_validate (tidy, -1, NULL))
    tidy[strlen (tidy) - 1] = '\0';
  for (char *at = tidy; *at != '\0'; at++)
    if ((guchar) *at < 0x20 || *at == 0x7f)
      *at = ' ';
  return tidy;
}

/**
 * reeve_policy_advice_new:
 * @kind: what is advised
 * @text: (nullable): why
 *
 * Returns: (transfer full): an advice
 */
ReevePolicyAdvice *
reeve_policy_advice_new (ReevePolicyAdviceKind kind, const char *text)
{
  ReevePolicyAdvice *self = g_new0 (ReevePolicyAdvice, 1);

  self->kind = kind;
  self->text = reeve_policy_advice_tidy (text);
  return self;
}

/**
 * reeve_policy_advice_free:
 * @self: (transfer full): an advice
 */
void
reeve_policy_advice_free (ReevePolicyAdvice *self)
{
  g_free (self->text);
  g_free (self);
}

/**
 * reeve_policy_advice_get_word:
 * @self: an advice
 *
 * Returns: (transfer none): its stable word
 */
const char *
reeve_policy_advice_get_word (const ReevePolicyAdvice *self)
{
  return reeve_policy_advice_rows[self->kind].word;
}

static ReevePolicyEffect
reeve_policy_advice_get_effect (const ReevePolicyAdvice *self)
{
  if (self->kind == REEVE_POLICY_ADVICE_UNREACHABLE && self->closed)
    return REEVE_POLICY_DENY;
  return reeve_policy_advice_rows[self->kind].effect;
}

/**
 * reeve_policy_advice_lets:
 * @self: an advice
 *
 * Returns: whether it leaves the decision to the tool policy
 */
gboolean
reeve_policy_advice_lets (const ReevePolicyAdvice *self)
{
  return reeve_policy_advice_get_effect (self) == REEVE_POLICY_ALLOW;
}

/**
 * reeve_policy_advice_apply:
 * @self: an advice
 * @decision: of the tool policy
 *
 * Makes it stricter, never milder, and says so in its trace.
 */
void
reeve_policy_advice_apply (const ReevePolicyAdvice *self, ReevePolicyDecision *decision)
{
  ReevePolicyEffect effect = reeve_policy_advice_get_effect (self);
  gboolean reached = self->kind != REEVE_POLICY_ADVICE_UNREACHABLE;
  guint at = MIN (decision->steps, REEVE_POLICY_DECISION_STEPS - 1);

  g_free (decision->advised);
  decision->advised = g_strdup (self->text);
  decision->trace[at]
      = (ReevePolicyStep){ .stage = "opa",
                           .rule = reached ? "decision" : "unreachable",
                           .source = "opa",
                           .effect = reached || self->closed ? reeve_policy_get_effect_name (effect)
                                                             : "unchecked",
                           .reason = decision->advised };
  decision->steps = at + 1;
  if (effect <= decision->effect)
    return;
  decision->effect = effect;
  decision->reason = reeve_policy_advice_get_word (self);
}
