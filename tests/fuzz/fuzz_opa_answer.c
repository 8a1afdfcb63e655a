/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a policy agent answers. Nothing but a decision that says so allows anything, and whatever is
 * told of it is one short line of text. The first byte is the status: 0 for 200.
 * covers: host/governance/opa-answer.c host/governance/policy-advice.c */
#include <string.h>

#include "governance/opa-answer.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static gboolean
contains (const char *body, gsize length, const char *word)
{
  return g_strstr_len (body, (gssize) length, word) != NULL;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint status = size > 0 && data[0] != 0 && data[0] != '\n' ? 200u + data[0] : 200u;
  gsize length = size > 0 ? size - 1 : 0;
  g_autofree char *body = g_strndup ((const char *) data + (size > 0), length);
  g_autoptr (ReevePolicyAdvice) advice = reeve_opa_answer_read (status, body, length);
  g_auto (ReevePolicyDecision) decision = { 0 };

  if (advice->text != NULL
      && (strlen (advice->text) > REEVE_POLICY_ADVICE_LONGEST
          || !g_utf8_validate (advice->text, -1, NULL) || strpbrk (advice->text, "\n\r\t") != NULL))
    g_error ("what is told is no line: %s", advice->text);
  if (advice->kind == REEVE_POLICY_ADVICE_ALLOW
      && (status != 200 || !contains (body, length, "true")))
    g_error ("allowed by status %u, %s", status, body);
  reeve_policy_decision_fail (&decision);
  reeve_policy_advice_apply (advice, &decision);
  if (decision.effect != REEVE_POLICY_DENY)
    g_error ("an advice has widened a decision: %s", body);
  return 0;
}
