/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What in a policy document has no effect, or more than one may think. */
#pragma once

#include "policy-document.h"

G_BEGIN_DECLS

/* Adds warnings to the findings of @document. */
void reeve_policy_lint_run (ReevePolicyDocument *document);

G_END_DECLS
