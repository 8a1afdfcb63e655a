/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several grants do not make a sum: the one that allows most counts. */
#include "plugin-quota.h"

/* Of one grant; (nullable) @terms: of no grant, as in an author's check */
static gint64
reeve_plugin_quota_get (const ReeveCapabilityTerms *terms, const ReeveCapabilityTerms *ceiling,
                        gint64 usual)
{
  gint64 limit = terms != NULL && terms->max_bytes > 0 ? terms->max_bytes : usual;

  return ceiling != NULL && ceiling->store_bytes > 0 ? MIN (limit, ceiling->store_bytes) : limit;
}

/**
 * reeve_plugin_quota_claim:
 * @caller: a call of a capability
 * @usual: bytes of a grant that does not say how many
 * @needed: bytes that are to be kept in all
 * @error: return location
 *
 * Returns: bytes that may be kept, at least @needed; -1 with %REEVE_ERROR_TOO_LARGE where no grant
 * is for so many, with %REEVE_ERROR_CAPABILITY_REVOKED where those that are have ended
 */
gint64
reeve_plugin_quota_claim (const ReeveCapabilityCaller *caller, gint64 usual, gint64 needed,
                          GError **error)
{
  const ReeveCapabilityTerms *ceiling
      = caller->lease != NULL ? reeve_capability_lease_get_ceiling (caller->lease) : NULL;
  guint grants = caller->lease != NULL ? reeve_capability_lease_get_length (caller->lease) : 0;
  gint64 most = grants == 0 ? reeve_plugin_quota_get (NULL, ceiling, usual) : 0;
  guint64 mask = 0;

  for (guint i = 0; i < grants; i++)
    {
      gint64 limit = reeve_plugin_quota_get (reeve_capability_lease_get_terms (caller->lease, i),
                                             ceiling, usual);

      most = MAX (most, limit);
      if (limit >= needed)
        mask |= G_GUINT64_CONSTANT (1) << i;
    }
  if (most < needed)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "plugin %s would keep %" G_GINT64_FORMAT " bytes in this tenant, and may keep "
                   "%" G_GINT64_FORMAT,
                   caller->plugin_id, needed, most);
      return -1;
    }
  return grants == 0 || reeve_capability_lease_rest_on (caller->lease, mask, error) ? most : -1;
}
