/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Grants do not add up: a call rests on all that allow it without a bound of tokens, or else on the
 * one that has most left. */
#include "plugin-calls-private.h"

#include <string.h>

typedef struct
{
  guint64 allowed; /* by their lists */
  guint64 free;    /* of these: deep enough, and without a bound */
  guint depth;     /* the deepest of these */
  guint best;      /* of those with a bound: which one has most left */
  guint best_depth;
  gint64 most; /* -1: there is none */
} ReevePluginClaimSum;

/* (nullable) */
static const ReeveCapabilityTerms *
reeve_plugin_calls_get_ceiling (ReevePluginAsk *ask)
{
  return ask->caller->lease != NULL ? reeve_capability_lease_get_ceiling (ask->caller->lease)
                                    : NULL;
}

static guint
reeve_plugin_calls_get_depth (ReevePluginAsk *ask, const ReeveCapabilityTerms *terms)
{
  const ReeveCapabilityTerms *ceiling = reeve_plugin_calls_get_ceiling (ask);
  gint64 depth = MAX (terms->depth, 1);

  if (ceiling != NULL && ceiling->depth > 0)
    depth = MIN (depth, ceiling->depth);
  return MIN (reeve_delegation_get_left (ask->above), (guint) depth);
}

/* What the plugin may take at all, by whatever grants: one that is taken back and given anew begins
 * no new count. */
static void
reeve_plugin_calls_bound_all (ReevePluginAsk *ask, ReevePluginClaim *claim)
{
  const ReeveCapabilityTerms *ceiling = reeve_plugin_calls_get_ceiling (ask);

  if (ceiling == NULL || ceiling->tokens == 0)
    return;
  claim->bounds[1]
      = (ReeveDelegationBound){ reeve_plugin_tokens_name (ask->caller->plugin_id, NULL),
                                ceiling->tokens };
}

void
reeve_plugin_calls_claim_clear (ReevePluginClaim *self)
{
  for (guint i = 0; i < REEVE_DELEGATION_BOUNDS; i++)
    g_clear_pointer (&self->bounds[i].counter, g_free);
}

/* Of one grant, number @i. */
static gboolean
reeve_plugin_calls_weigh (ReevePluginAsk *ask, const ReeveCapabilityTerms *terms, guint i,
                          ReevePluginClaimSum *sum, GError **error)
{
  guint depth = reeve_plugin_calls_get_depth (ask, terms);
  g_autofree char *counter = NULL;
  ReevePluginTokens tokens = { 0 };
  gint64 left = 0;

  sum->allowed |= G_GUINT64_CONSTANT (1) << i;
  if (depth == 0)
    return TRUE;
  if (terms->tokens == 0)
    {
      sum->free |= G_GUINT64_CONSTANT (1) << i;
      sum->depth = MAX (sum->depth, depth);
      return TRUE;
    }
  counter = reeve_plugin_tokens_name (ask->caller->plugin_id, terms->grant_id);
  reeve_plugin_tokens_add (&tokens, &(ReeveDelegationBound){ counter, terms->tokens });
  if (!reeve_plugin_tokens_measure (&tokens, ask->calls->store, ask->info.tenant_id, &left, error))
    return FALSE;
  if (left > sum->most)
    {
      sum->most = left;
      sum->best = i;
      sum->best_depth = depth;
    }
  return TRUE;
}

/* The call rests on what was found. */
static gboolean
reeve_plugin_calls_settle_claim (ReevePluginAsk *ask, const ReevePluginClaimSum *sum,
                                 ReevePluginClaim *claim, GError **error)
{
  ReeveCapabilityLease *lease = ask->caller->lease;
  const ReeveCapabilityTerms *terms = NULL;

  reeve_plugin_calls_bound_all (ask, claim);
  if (sum->free != 0)
    {
      claim->left = sum->depth - 1;
      return reeve_capability_lease_rest_on (lease, sum->free, error);
    }
  terms = reeve_capability_lease_get_terms (lease, sum->best);
  claim->left = sum->best_depth - 1;
  claim->bounds[0].counter = reeve_plugin_tokens_name (ask->caller->plugin_id, terms->grant_id);
  claim->bounds[0].limit = terms->tokens;
  return reeve_capability_lease_rest_on (lease, G_GUINT64_CONSTANT (1) << sum->best, error);
}

static gboolean
reeve_plugin_calls_refuse_claim (ReevePluginAsk *ask, const char *what, gboolean allowed,
                                 GError **error)
{
  const ReeveCapabilityTerms *ceiling = reeve_plugin_calls_get_ceiling (ask);

  if (allowed && ceiling != NULL && ceiling->depth > 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                 "%s: plugin %s calls from within a call that a plugin asked for, and nothing that "
                 "was granted goes deeper (depth), or plugins.ceiling.depth, %" G_GINT64_FORMAT
                 ", lets it",
                 ask->capability, ask->caller->plugin_id, ceiling->depth);
  else if (allowed)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                 "%s: plugin %s calls from within a call that a plugin asked for, and nothing that "
                 "was granted goes deeper (depth)",
                 ask->capability, ask->caller->plugin_id);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                 "%s: %s is not granted to plugin %s", ask->capability, what,
                 ask->caller->plugin_id);
  return FALSE;
}

/**
 * reeve_plugin_calls_claim:
 * @ask: a question
 * @what: it is about, for errors
 * @allows: whether the list of a grant has it
 * @data: for @allows
 * @claim: (out caller-allocates): what the grants give; to be cleared
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED, with %REEVE_ERROR_CAPABILITY_REVOKED where
 * the grants have ended, or with an error of the store
 */
gboolean
reeve_plugin_calls_claim (ReevePluginAsk *ask, const char *what, ReevePluginAllows allows,
                          gpointer data, ReevePluginClaim *claim, GError **error)
{
  ReeveCapabilityLease *lease = ask->caller->lease;
  guint grants = lease != NULL ? reeve_capability_lease_get_length (lease) : 0;
  const ReeveCapabilityTerms *ceiling = reeve_plugin_calls_get_ceiling (ask);
  ReevePluginClaimSum sum = { .most = -1 };

  *claim = (ReevePluginClaim){ 0 };
  if (ceiling != NULL && !allows (ceiling, data))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                   "%s: %s is beyond what this deployment lets plugins call (plugins.ceiling.%s)",
                   ask->capability, what,
                   strcmp (ask->capability, "model.call") == 0 ? "models" : "tools");
      return FALSE;
    }
  for (guint i = 0; i < grants; i++)
    {
      const ReeveCapabilityTerms *terms = reeve_capability_lease_get_terms (lease, i);

      if (allows (terms, data) && !reeve_plugin_calls_weigh (ask, terms, i, &sum, error))
        return FALSE;
    }
  if (sum.free != 0 || sum.most >= 0)
    return reeve_plugin_calls_settle_claim (ask, &sum, claim, error);
  /* an author's check, which keeps no grants */
  if (lease == NULL && reeve_delegation_get_left (ask->above) > 0)
    {
      claim->left = reeve_delegation_get_left (ask->above) - 1;
      return TRUE;
    }
  return reeve_plugin_calls_refuse_claim (ask, what, sum.allowed != 0 || lease == NULL, error);
}
