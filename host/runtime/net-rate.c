/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A grant counts in each tenant by itself, so that no tenant takes another's turn; the ceiling
 * counts each plugin over all of them. Several grants add up: the first with room is taken, and one
 * that says nothing has room always. */
#include "net-rate.h"

#define REEVE_NET_RATE_ASKS 4

/* Adds what @terms say. */
static guint
reeve_net_rate_add (const ReeveCapabilityTerms *terms, const char *kind, const char *subject,
                    const char *const names[2], ReeveRateLimitsAsk *asks, guint n)
{
  const gint64 limits[] = { terms->max_per_second, terms->max_per_minute };
  static const guint spans[] = { 1, 60 };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    if (limits[i] > 0)
      asks[n++] = (ReeveRateLimitsAsk){ .kind = kind,
                                        .subject = subject,
                                        .limit = (guint) MIN (limits[i], G_MAXINT),
                                        .seconds = spans[i],
                                        .name = names[i] };
  return n;
}

/* *state: of what refused. Does a grant have room, and the ceiling? */
static gboolean
reeve_net_rate_try (ReeveRateLimits *limits, const ReeveCapabilityCaller *caller,
                    const ReeveCapabilityTerms *terms, ReeveRateLimitsState *state)
{
  static const char *const names[]
      = { "max_per_second of its grant", "max_per_minute of its grant" };
  static const char *const above[]
      = { "plugins.ceiling.max_per_second", "plugins.ceiling.max_per_minute" };
  const ReeveCapabilityTerms *ceiling = reeve_capability_lease_get_ceiling (caller->lease);
  const char *tenant_id = reeve_context_get_tenant_id (caller->context);
  g_autofree char *subject
      = g_strdup_printf ("%s/%s", terms->grant_id, tenant_id != NULL ? tenant_id : "");
  ReeveRateLimitsAsk asks[REEVE_NET_RATE_ASKS];
  guint n = reeve_net_rate_add (terms, "plugin", subject, names, asks, 0);

  if (ceiling != NULL)
    n = reeve_net_rate_add (ceiling, "plugin", caller->plugin_id, above, asks, n);
  return n == 0 || reeve_rate_limits_take_all (limits, asks, n, g_get_monotonic_time (), state);
}

/**
 * reeve_net_rate_take:
 * @limits: where it is counted
 * @caller: which plugin, in whose call, with a lease
 * @mask: the grants that allow the request
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_RATE_LIMITED
 */
gboolean
reeve_net_rate_take (ReeveRateLimits *limits, const ReeveCapabilityCaller *caller, guint64 mask,
                     GError **error)
{
  ReeveRateLimitsState state = { 0 };

  for (guint i = 0; i < reeve_capability_lease_get_length (caller->lease); i++)
    if ((mask >> i & 1) != 0
        && reeve_net_rate_try (limits, caller, reeve_capability_lease_get_terms (caller->lease, i),
                               &state))
      return TRUE;
  reeve_rate_limits_refuse (&state, error);
  return FALSE;
}
