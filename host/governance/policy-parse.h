/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What policy.c needs of the reader of documents. */
#pragma once

#include "policy-private.h"

G_BEGIN_DECLS

gboolean reeve_policy_parse (ReevePolicy *self, JsonObject *document, GError **error);
gboolean reeve_policy_parse_rule (GArray *rules, ReevePolicyRuleKind kind, ReevePolicyEffect effect,
                                  const char *name, ReevePolicyConstraints *constraints,
                                  GError **error);

G_END_DECLS
