/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface of authentication providers. */
#include "reeve-auth.h"

#include "reeve-outcome.h"

/**
 * ReeveAuth:
 *
 * Says who a caller is. Runs in the host and means full trust.
 *
 * Since: 0.1
 */
G_DEFINE_INTERFACE (ReeveAuth, reeve_auth, G_TYPE_OBJECT)

static void
reeve_auth_default_init (ReeveAuthInterface *iface)
{
}

/**
 * reeve_auth_authenticate:
 * @self: an authentication provider
 * @credentials: what the caller showed
 * @context: context of the call
 * @error: return location
 *
 * Blocks; may be called from several threads at once. Any error refuses the caller: authentication
 * fails closed.
 *
 * Returns: (transfer full) (nullable): the identity; %NULL without error when @credentials are not
 * of its kind, so that the next provider is asked; %NULL with %REEVE_ERROR_UNAUTHENTICATED when
 * they are, and are bad
 *
 * Since: 0.1
 */
ReeveIdentity *
reeve_auth_authenticate (ReeveAuth *self, const ReeveCredentials *credentials,
                         ReeveContext *context, GError **error)
{
  g_autoptr (ReeveIdentity) identity = NULL;
  GError *problem = NULL;
  ReeveAuthInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_AUTH (self) && REEVE_IS_CONTEXT (context), NULL);
  g_return_val_if_fail (credentials != NULL, NULL);

  iface = REEVE_AUTH_GET_IFACE (self);
  if (iface->authenticate == NULL)
    {
      reeve_outcome_unsupported (self, "authenticate", error);
      return NULL;
    }
  identity = iface->authenticate (self, credentials, context, &problem);
  /* an identity beside an error is no identity: who knows which of the two was meant */
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  return g_steal_pointer (&identity);
}
