/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The conditions of the network with the lists of the configuration and the database of countries.
 */
#include "startup-network.h"

gboolean
reeve_startup_network_open (ReeveServices *services, char **faulty, GError **error)
{
  ReeveConfig *config = services->config;
  g_auto (GStrv) allow = reeve_config_get_strv (config, "server.ip_allow");
  g_auto (GStrv) local = reeve_config_get_strv (config, "server.geography.local_networks");
  g_auto (GStrv) from = reeve_config_get_strv (config, "server.geography.countries_allow");
  g_auto (GStrv) not_from = reeve_config_get_strv (config, "server.geography.countries_deny");
  const ReeveNetworkSettings settings = {
    .ip_allow = (const char *const *) allow,
    .countries_allow = (const char *const *) from,
    .countries_deny = (const char *const *) not_from,
    .local_networks = (const char *const *) local,
    .database = reeve_config_get_string (config, "server.geography.database"),
    .unknown_allowed
    = g_strcmp0 (reeve_config_get_string (config, "server.geography.unknown"), "allow") == 0,
  };
  const char *name = NULL;

  services->network
      = reeve_network_new (&settings, services->tenants, services->store, &name, error);
  if (services->network == NULL)
    {
      *faulty = g_strconcat ("server.", name, NULL);
      return FALSE;
    }
  reeve_network_guard (services->network, services->authentication);
  reeve_workspaces_set_network (services->workspaces, services->network);
  return TRUE;
}
