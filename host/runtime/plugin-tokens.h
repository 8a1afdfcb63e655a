/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The token budgets of grants: what models may take for a plugin, counted in the tenant's store, so
 * that it holds through restarts. What is reserved counts as taken until it is settled. */
#pragma once

#include "governance/delegation.h"
#include "store/store.h"

G_BEGIN_DECLS

/* Those of the call itself, and of each level above. */
#define REEVE_PLUGIN_TOKENS_MAX (10 * REEVE_DELEGATION_BOUNDS)

/* The bounds that one call of a model is under; counters are borrowed. */
typedef struct
{
  ReeveDelegationBound bounds[REEVE_PLUGIN_TOKENS_MAX];
  guint length;
  gint64 reserved; /* in each of them */
} ReevePluginTokens;

void reeve_plugin_tokens_add (ReevePluginTokens *self, const ReeveDelegationBound *bound);
/* All of one call, which may be none. */
void reeve_plugin_tokens_add_bounds (ReevePluginTokens *self, const ReeveDelegationBound *bounds);
/* (transfer full) the counter of a grant; NULL: of all that the deployment lets the plugin take */
char *reeve_plugin_tokens_name (const char *plugin_id,
                                const char *grant_id) G_GNUC_WARN_UNUSED_RESULT;
/* What is left of all of them; G_MAXINT64 where there are none. Blocks, as the rest does. */
gboolean reeve_plugin_tokens_measure (const ReevePluginTokens *self, ReeveStore *store,
                                      const char *tenant_id, gint64 *left, GError **error);
/* At least @least, at most @most in each of them, or in none. %REEVE_ERROR_BUDGET_EXCEEDED */
gboolean reeve_plugin_tokens_reserve (ReevePluginTokens *self, ReeveStore *store,
                                      const char *tenant_id, gint64 least, gint64 most,
                                      GError **error);
/* What was reserved becomes what was taken. Where that cannot be written it stays reserved. */
void reeve_plugin_tokens_settle (ReevePluginTokens *self, ReeveStore *store, const char *tenant_id,
                                 gint64 taken);

G_END_DECLS
