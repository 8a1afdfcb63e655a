/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of the whole host, of the tenant and of the key must all allow it; that of a workspace
 * is asked by who knows which one it is. A rule that cannot be read allows nothing, and an address
 * of which nobody can say in which country it is, is in none. */
#include "network.h"

#include "directory.h"

struct _ReeveNetwork
{
  ReeveNetworkRule *rule;
  ReeveAddressList *local;
  ReeveGeography *geography; /* (nullable) */
  gboolean unknown_allowed;
  ReeveTenants *tenants;
  ReeveStore *store;
  ReeveAuthentication *authentication; /* not owned: it keeps this alive, by the step */
};

/* Each setting can be read, or @faulty says which cannot. */
static gboolean
reeve_network_check_settings (const ReeveNetworkSettings *settings, const char **faulty,
                              GError **error)
{
  static const char *const none[] = { NULL };
  const struct
  {
    const char *const *list;
    const char *name;
    gboolean countries;
  } lists[] = {
    { settings->ip_allow, "ip_allow", FALSE },
    { settings->local_networks, "geography.local_networks", FALSE },
    { settings->countries_allow, "geography.countries_allow", TRUE },
    { settings->countries_deny, "geography.countries_deny", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autoptr (ReeveAddressList) list = NULL;
      g_autoptr (JsonObject) fields = json_object_new ();

      *faulty = lists[i].name;
      if (lists[i].countries)
        reeve_directory_set_strings (fields, "countries_allow",
                                     lists[i].list != NULL ? lists[i].list : none);
      else
        list = reeve_address_list_new (lists[i].list, error);
      if (lists[i].countries ? !reeve_network_rule_check (fields, error) : list == NULL)
        return FALSE;
      if (!lists[i].countries || lists[i].list == NULL || lists[i].list[0] == NULL
          || settings->database != NULL)
        continue;
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "countries are named, and server.geography.database is not set");
      return FALSE;
    }
  return TRUE;
}

/**
 * reeve_network_new:
 * @settings: what is configured
 * @tenants: tenants, whose settings ip_allow, countries_allow and countries_deny are the rule of
 * each
 * @store: where keys are
 * @faulty: (out): which of the settings an error is about
 * @error: return location
 *
 * Returns: (transfer full): conditions; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
ReeveNetwork *
reeve_network_new (const ReeveNetworkSettings *settings, ReeveTenants *tenants, ReeveStore *store,
                   const char **faulty, GError **error)
{
  g_autoptr (ReeveGeography) geography = NULL;
  ReeveNetwork *self = NULL;

  if (!reeve_network_check_settings (settings, faulty, error))
    return NULL;
  *faulty = "geography.database";
  if (settings->database != NULL)
    {
      geography = reeve_geography_new (settings->database, error);
      if (geography == NULL)
        return NULL;
    }
  self = g_new0 (ReeveNetwork, 1);
  self->rule = reeve_network_rule_new_from_lists (settings->ip_allow, settings->countries_allow,
                                                  settings->countries_deny);
  self->local = reeve_address_list_new (settings->local_networks, NULL);
  self->geography = g_steal_pointer (&geography);
  self->unknown_allowed = settings->unknown_allowed;
  self->tenants = g_object_ref (tenants);
  self->store = g_object_ref (store);
  return self;
}

/**
 * reeve_network_free:
 * @self: (transfer full): conditions
 */
void
reeve_network_free (ReeveNetwork *self)
{
  reeve_network_rule_free (self->rule);
  reeve_address_list_free (self->local);
  g_clear_pointer (&self->geography, reeve_geography_free);
  g_object_unref (self->tenants);
  g_object_unref (self->store);
  g_free (self);
}

/* ---- one rule ---- */

/* Without a database nobody can be in a country, whatever stands in unknown_allowed: that is for
 * addresses that a database does not know. */
static gboolean
reeve_network_allows_country (ReeveNetwork *self, const ReeveNetworkRule *rule, const char *address)
{
  g_autoptr (GInetAddress) parsed = NULL;
  char country[REEVE_GEOGRAPHY_CODE] = { 0 };

  if (!reeve_network_rule_asks_country (rule)
      || (address != NULL && reeve_address_list_contains (self->local, address)))
    return TRUE;
  parsed = reeve_address_list_parse (address);
  if (parsed == NULL || self->geography == NULL)
    return FALSE;
  return reeve_network_rule_allows_country (
      rule, reeve_geography_find (self->geography, parsed, country) ? country : NULL,
      self->unknown_allowed);
}

/**
 * reeve_network_judge:
 * @self: conditions
 * @rule: a rule
 * @address: (nullable): where somebody comes from; %NULL is in no list and no country
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NETWORK_DENIED or %REEVE_ERROR_COUNTRY_DENIED, which do not
 * tell what is allowed
 */
gboolean
reeve_network_judge (ReeveNetwork *self, const ReeveNetworkRule *rule, const char *address,
                     GError **error)
{
  if (!reeve_network_rule_allows_address (rule, address))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NETWORK_DENIED,
                         "requests from this network are not allowed");
  else if (!reeve_network_allows_country (self, rule, address))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_COUNTRY_DENIED,
                         "requests from this country are not allowed");
  else
    return TRUE;
  return FALSE;
}

/* ---- the host's, the tenant's, the key's ---- */

static gboolean
reeve_network_check_tenant (ReeveNetwork *self, const char *tenant_id, const char *address,
                            GError **error)
{
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autoptr (ReeveNetworkRule) rule = NULL;

  for (guint i = 0; reeve_network_rule_members[i] != NULL; i++)
    {
      g_auto (GStrv) texts
          = reeve_tenants_get_strings (self->tenants, tenant_id, reeve_network_rule_members[i]);

      reeve_directory_set_strings (fields, reeve_network_rule_members[i],
                                   (const char *const *) texts);
    }
  rule = reeve_network_rule_new (fields);
  return reeve_network_judge (self, rule, address, error);
}

/**
 * reeve_network_check:
 * @self: conditions
 * @tenant_id: whose caller it is
 * @address: (nullable): where it comes from; %NULL is in no list
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NETWORK_DENIED or %REEVE_ERROR_COUNTRY_DENIED, which do not
 * tell what is allowed
 */
gboolean
reeve_network_check (ReeveNetwork *self, const char *tenant_id, const char *address, GError **error)
{
  return reeve_network_judge (self, self->rule, address, error)
         && reeve_network_check_tenant (self, tenant_id, address, error);
}

/* The provider has asked for its addresses; in which country they are it does not know. */
static gboolean
reeve_network_check_key (ReeveNetwork *self, const char *key_id, const char *address,
                         GError **error)
{
  g_autoptr (ReeveRecord) record = NULL;
  g_autoptr (ReeveNetworkRule) rule = NULL;
  g_autoptr (GError) local = NULL;

  if (key_id == NULL)
    return TRUE;
  record
      = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS, key_id, &local);
  if (record == NULL && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE; /* a key of somebody else's provider */
  if (record == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  rule = reeve_network_rule_new (reeve_record_get_fields (record));
  return reeve_network_judge (self, rule, address, error);
}

static gboolean
reeve_network_on_identity (ReeveAuthenticationDraft *draft, gpointer user_data, GError **error)
{
  const char *address = draft->credentials->peer_address;

  return reeve_network_check (user_data, draft->tenant_id, address, error)
         && reeve_network_check_key (user_data, reeve_identity_get_key_id (draft->identity),
                                     address, error);
}

/**
 * reeve_network_guard:
 * @self: conditions, which outlive @authentication
 * @authentication: gets a step on the way in
 */
void
reeve_network_guard (ReeveNetwork *self, ReeveAuthentication *authentication)
{
  self->authentication = authentication;
  reeve_authentication_admit_add_step (reeve_authentication_get_admit (authentication),
                                       REEVE_ADMIT_NETWORK, reeve_network_on_identity, self);
}

/* ---- the database ---- */

/**
 * reeve_network_get_geography:
 * @self: conditions
 *
 * Returns: (transfer none) (nullable): the database of countries
 */
ReeveGeography *
reeve_network_get_geography (ReeveNetwork *self)
{
  return self->geography;
}

/**
 * reeve_network_has_news:
 * @self: conditions
 *
 * Returns: whether there is a database, and it has changed
 */
gboolean
reeve_network_has_news (ReeveNetwork *self)
{
  return self->geography != NULL && reeve_geography_has_news (self->geography);
}

/**
 * reeve_network_reload:
 * @self: conditions
 * @error: return location
 *
 * Returns: %FALSE when the new database is not good: the old one stays
 */
gboolean
reeve_network_reload (ReeveNetwork *self, GError **error)
{
  if (self->geography == NULL)
    return TRUE;
  if (!reeve_geography_reload (self->geography, error))
    return FALSE;
  if (self->authentication != NULL)
    reeve_authentication_invalidate (self->authentication);
  return TRUE;
}
