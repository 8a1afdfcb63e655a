/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of the whole host and that of the tenant must both allow it. A list that cannot be read
 * allows nothing. */
#include "network.h"

#include "base/address-list.h"

#define REEVE_NETWORK_SETTING "ip_allow"

struct _ReeveNetwork
{
  ReeveAddressList *allow;
  ReeveTenants *tenants;
};

/**
 * reeve_network_new:
 * @allow: addresses and networks that the whole host may be asked from; none: any
 * @tenants: tenants, whose setting ip_allow is the list of each
 * @error: return location
 *
 * Returns: (transfer full): conditions; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
ReeveNetwork *
reeve_network_new (const char *const *allow, ReeveTenants *tenants, GError **error)
{
  ReeveAddressList *list = reeve_address_list_new (allow, error);
  ReeveNetwork *self = NULL;

  if (list == NULL)
    return NULL;
  self = g_new0 (ReeveNetwork, 1);
  self->allow = list;
  self->tenants = g_object_ref (tenants);
  return self;
}

/**
 * reeve_network_free:
 * @self: (transfer full): conditions
 */
void
reeve_network_free (ReeveNetwork *self)
{
  reeve_address_list_free (self->allow);
  g_object_unref (self->tenants);
  g_free (self);
}

static gboolean
reeve_network_allows (const ReeveAddressList *list, const char *address)
{
  return reeve_address_list_is_empty (list) || reeve_address_list_contains (list, address);
}

static gboolean
reeve_network_tenant_allows (ReeveNetwork *self, const char *tenant_id, const char *address)
{
  g_auto (GStrv) texts
      = reeve_tenants_get_strings (self->tenants, tenant_id, REEVE_NETWORK_SETTING);
  g_autoptr (ReeveAddressList) list = NULL;

  if (texts[0] == NULL)
    return TRUE;
  list = reeve_address_list_new ((const char *const *) texts, NULL);
  return list != NULL && reeve_network_allows (list, address);
}

/**
 * reeve_network_check:
 * @self: conditions
 * @tenant_id: whose caller it is
 * @address: (nullable): where it comes from; %NULL is in no list
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED, which does not tell what is allowed
 */
gboolean
reeve_network_check (ReeveNetwork *self, const char *tenant_id, const char *address, GError **error)
{
  if (reeve_network_allows (self->allow, address)
      && reeve_network_tenant_allows (self, tenant_id, address))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                       "requests from this network are not allowed");
  return FALSE;
}

static gboolean
reeve_network_on_identity (ReeveAuthenticationDraft *draft, gpointer user_data, GError **error)
{
  return reeve_network_check (user_data, draft->tenant_id, draft->credentials->peer_address, error);
}

/**
 * reeve_network_guard:
 * @self: conditions, which outlive @authentication
 * @authentication: gets a step on the way in
 */
void
reeve_network_guard (ReeveNetwork *self, ReeveAuthentication *authentication)
{
  reeve_authentication_admit_add_step (reeve_authentication_get_admit (authentication),
                                       REEVE_ADMIT_NETWORK, reeve_network_on_identity, self);
}
