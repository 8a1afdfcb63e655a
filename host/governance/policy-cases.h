/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tests of a policy document, decided as the host decides: no host is asked. */
#pragma once

#include "policy-document.h"

G_BEGIN_DECLS

/* (transfer full) [{name, file, line, agent, tool, passed, expect, decision, reason, trace[]}] in
 * the order of the document. decision: allowed, denied or approval_required. @failed (out): how
 * many. */
JsonArray *reeve_policy_cases_run (ReevePolicyDocument *document, guint *failed);
/* allowed, denied, approval_required: as people ask for it */
const char *reeve_policy_cases_get_word (ReevePolicyEffect effect);

G_END_DECLS
