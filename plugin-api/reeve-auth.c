/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface of authentication providers. */
#include "reeve-auth.h"

#include "reeve-outcome.h"

/**
 * ReeveAuth:
 *
 * Says who a caller is. Runs in the host and means full trust.
 *
 * Since: 1.0
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
 * fails closed. With %REEVE_ERROR_BUSY a provider says that it cannot answer as yet; the host asks
 * again a little later, for as long as the caller waits.
 *
 * Returns: (transfer full) (nullable): the identity; %NULL without error when @credentials are not
 * of its kind, so that the next provider is asked; %NULL with %REEVE_ERROR_UNAUTHENTICATED when
 * they are, and are bad
 *
 * Since: 1.0
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

/**
 * reeve_auth_warm:
 * @self: an authentication provider
 * @context: context of the call
 * @error: return location
 *
 * Lets the provider get ready for its first caller, such as by fetching keys. Blocks; callers may
 * come meanwhile.
 *
 * Returns: whether it is ready; %TRUE for one that needs nothing
 *
 * Since: 1.0
 */
gboolean
reeve_auth_warm (ReeveAuth *self, ReeveContext *context, GError **error)
{
  ReeveAuthInterface *iface = NULL;
  GError *problem = NULL;
  gboolean ready = TRUE;

  g_return_val_if_fail (REEVE_IS_AUTH (self) && REEVE_IS_CONTEXT (context), FALSE);

  iface = REEVE_AUTH_GET_IFACE (self);
  if (iface->warm == NULL)
    return TRUE;
  ready = iface->warm (self, context, &problem);
  return reeve_outcome_settle (ready, problem, self, "warm", error);
}

/**
 * reeve_auth_knows:
 * @self: an authentication provider
 * @credentials: what a caller showed
 *
 * Asks without waiting whether @credentials could be of the provider's kind. It proves nothing:
 * reeve_auth_authenticate() still says who that is.
 *
 * Returns: %FALSE when reeve_auth_authenticate() would return %NULL without error
 *
 * Since: 1.0
 */
gboolean
reeve_auth_knows (ReeveAuth *self, const ReeveCredentials *credentials)
{
  ReeveAuthInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_AUTH (self) && credentials != NULL, FALSE);

  iface = REEVE_AUTH_GET_IFACE (self);
  return iface->knows == NULL || iface->knows (self, credentials);
}
