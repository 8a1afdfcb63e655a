/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ceiling is the configuration's, the grants are the store's. */
#include "startup-grants.h"

#include "runtime/secret-slots.h"

gboolean
reeve_startup_grants_open (ReeveStartup *self, GError **error)
{
  ReeveServices *services = &self->services;
  JsonNode *node = reeve_config_get_json (services->config, "plugins.ceiling");
  JsonObject *section
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  GError *reason = NULL;
  ReeveGrantsCeiling *ceiling = reeve_grants_ceiling_new (section, &reason);

  if (ceiling == NULL)
    return reeve_startup_blame (self, "plugins.ceiling", reason, error);
  services->capabilities = self->capabilities;
  services->grants = reeve_grants_new (services->store, services->registry, ceiling);
  reeve_grants_provide (services->grants, self->capabilities);
  services->plugin_secrets = reeve_plugin_secrets_new (services->store, services->registry);
  reeve_secret_slots_provide (services->plugin_secrets, self->capabilities);
  return reeve_grants_load (services->grants, error);
}

void
reeve_startup_grants_close (ReeveServices *services)
{
  g_clear_object (&services->grants);
  g_clear_object (&services->plugin_secrets);
}
