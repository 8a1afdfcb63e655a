/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One rule: a list of addresses that are allowed, one of countries that are, one of countries that
 * are not. Each that is empty says nothing. */
#include "network-rule.h"

#include <reeve-error.h>

#include "directory.h"

struct _ReeveNetworkRule
{
  ReeveAddressList *addresses; /* (nullable): cannot be read, so nothing is allowed */
  char **allow;
  char **deny;
};

const char *const reeve_network_rule_members[]
    = { "ip_allow", "countries_allow", "countries_deny", NULL };

static gboolean
reeve_network_rule_check_countries (const char *const *codes, GError **error)
{
  for (guint i = 0; codes != NULL && codes[i] != NULL; i++)
    if (!reeve_geography_is_country (codes[i]))
      {
        reeve_error_set_member (error, "", "%s is the code of no country in ISO 3166-1", codes[i]);
        reeve_error_prefix_member (error, "/%u", i);
        return FALSE;
      }
  return TRUE;
}

/**
 * reeve_network_rule_new_from_lists:
 * @ip_allow: (nullable): addresses and networks
 * @countries_allow: (nullable): codes of ISO 3166-1
 * @countries_deny: (nullable): the same
 *
 * Returns: (transfer full): the rule; where one of them is nothing of the kind, one that allows
 * nothing
 */
ReeveNetworkRule *
reeve_network_rule_new_from_lists (const char *const *ip_allow, const char *const *countries_allow,
                                   const char *const *countries_deny)
{
  ReeveNetworkRule *self = g_new0 (ReeveNetworkRule, 1);

  if (reeve_network_rule_check_countries (countries_allow, NULL)
      && reeve_network_rule_check_countries (countries_deny, NULL))
    self->addresses = reeve_address_list_new (ip_allow, NULL);
  self->allow
      = countries_allow != NULL ? g_strdupv ((char **) countries_allow) : g_new0 (char *, 1);
  self->deny = countries_deny != NULL ? g_strdupv ((char **) countries_deny) : g_new0 (char *, 1);
  return self;
}

/**
 * reeve_network_rule_new:
 * @fields: (nullable): of a record
 *
 * Returns: (transfer full): the rule that its members are
 */
ReeveNetworkRule *
reeve_network_rule_new (JsonObject *fields)
{
  g_auto (GStrv) addresses = NULL;
  g_auto (GStrv) allow = NULL;
  g_auto (GStrv) deny = NULL;

  if (fields == NULL)
    return reeve_network_rule_new_from_lists (NULL, NULL, NULL);
  addresses = reeve_directory_get_strings (fields, "ip_allow");
  allow = reeve_directory_get_strings (fields, "countries_allow");
  deny = reeve_directory_get_strings (fields, "countries_deny");
  return reeve_network_rule_new_from_lists (
      (const char *const *) addresses, (const char *const *) allow, (const char *const *) deny);
}

/**
 * reeve_network_rule_free:
 * @self: (transfer full): a rule
 */
void
reeve_network_rule_free (ReeveNetworkRule *self)
{
  g_clear_pointer (&self->addresses, reeve_address_list_free);
  g_strfreev (self->allow);
  g_strfreev (self->deny);
  g_free (self);
}

/**
 * reeve_network_rule_check:
 * @fields: of a record, or what is to be set in one
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT naming what is no address or no country
 */
gboolean
reeve_network_rule_check (JsonObject *fields, GError **error)
{
  g_auto (GStrv) addresses = reeve_directory_get_strings (fields, "ip_allow");

  for (guint i = 0; addresses[i] != NULL; i++)
    {
      const char *const one[] = { addresses[i], NULL };
      g_autoptr (ReeveAddressList) list = reeve_address_list_new (one, error);

      if (list != NULL)
        continue;
      reeve_error_prefix_member (error, "/ip_allow/%u", i);
      return FALSE;
    }
  for (guint i = 1; reeve_network_rule_members[i] != NULL; i++)
    {
      const char *member = reeve_network_rule_members[i];
      g_auto (GStrv) codes = reeve_directory_get_strings (fields, member);

      if (reeve_network_rule_check_countries ((const char *const *) codes, error))
        continue;
      reeve_error_prefix_member (error, "/%s", member);
      return FALSE;
    }
  return TRUE;
}

/**
 * reeve_network_rule_is_empty:
 * @self: a rule
 *
 * Returns: whether it says nothing: everybody may come from everywhere
 */
gboolean
reeve_network_rule_is_empty (const ReeveNetworkRule *self)
{
  return self->addresses != NULL && reeve_address_list_is_empty (self->addresses)
         && !reeve_network_rule_asks_country (self);
}

/**
 * reeve_network_rule_allows_address:
 * @self: a rule
 * @address: (nullable): an address; %NULL and what is none is in no list
 *
 * Returns: whether its list names the address, or is empty
 */
gboolean
reeve_network_rule_allows_address (const ReeveNetworkRule *self, const char *address)
{
  return self->addresses != NULL
         && (reeve_address_list_is_empty (self->addresses)
             || reeve_address_list_contains (self->addresses, address));
}

/**
 * reeve_network_rule_asks_country:
 * @self: a rule
 *
 * Returns: whether it says something of countries
 */
gboolean
reeve_network_rule_asks_country (const ReeveNetworkRule *self)
{
  return self->allow[0] != NULL || self->deny[0] != NULL;
}

/**
 * reeve_network_rule_allows_country:
 * @self: a rule
 * @country: (nullable): a code; %NULL: not known
 * @unknown_allowed: what it means that it is not known
 *
 * Returns: whether one may come from there
 */
gboolean
reeve_network_rule_allows_country (const ReeveNetworkRule *self, const char *country,
                                   gboolean unknown_allowed)
{
  if (!reeve_network_rule_asks_country (self))
    return TRUE;
  if (country == NULL)
    return unknown_allowed;
  return (self->allow[0] == NULL || g_strv_contains ((const char *const *) self->allow, country))
         && !g_strv_contains ((const char *const *) self->deny, country);
}
