/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Governance, its second half: who comes in, and by which rules. */
#include "startup-private.h"

#include "startup-budgets.h"
#include "startup-development.h"
#include "startup-network.h"
#include "startup-policy.h"
#include "startup-roles.h"

static gboolean
reeve_startup_add_authentication (ReeveStartup *self, guint row, JsonObject *provider,
                                  GError **error)
{
  ReeveServices *services = &self->services;
  const char *id = reeve_json_get_string (provider, "id", "");
  g_autofree char *instance = g_strconcat ("auth/", id, NULL);
  g_autofree char *path = g_strdup_printf ("authentication.providers.%u", row);
  ReevePlugin *plugin = NULL;
  GError *reason = NULL;

  if (!reeve_json_get_boolean (provider, "enabled", TRUE))
    return TRUE;
  plugin = reeve_registry_instantiate (
      services->registry, instance, reeve_json_get_string (provider, "plugin", ""), REEVE_TYPE_AUTH,
      reeve_json_get_object (provider, "settings"), &reason);
  if (plugin == NULL)
    return reeve_startup_blame_plugin (self, path, reason, error);
  reeve_authentication_add_provider (services->authentication, id, services->registry, plugin);
  return TRUE;
}

/* Whoever was let in is asked again; what runs in a tenant that is not active any more is ended. */
static void
reeve_startup_on_tenant (const char *tenant_id, ReeveTenantStatus status, gpointer data)
{
  ReeveStartup *self = data;
  ReeveServices *services = &self->services;

  if (status == REEVE_TENANT_ACTIVE)
    reeve_authentication_invalidate (services->authentication);
  else
    reeve_authentication_revoke_tenant (services->authentication, tenant_id);
  if (status != REEVE_TENANT_ACTIVE)
    reeve_policies_forget (services->policies, tenant_id);
  reeve_startup_budgets_learn (services, tenant_id, status);
  if (status != REEVE_TENANT_ACTIVE && services->runs != NULL)
    reeve_runs_end_tenant (services->runs, tenant_id);
}

/* Where a tenant's settings say nothing. */
static void
reeve_startup_set_default (ReeveStartup *self, const char *name)
{
  g_autofree char *path = g_strconcat ("agents.", name, NULL);
  JsonNode *node = reeve_config_get_json (self->services.config, path);

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node))
    reeve_tenants_set_default (self->services.tenants, name,
                               reeve_config_get_int (self->services.config, path));
}

static void
reeve_startup_open_tenants (ReeveStartup *self)
{
  ReeveServices *services = &self->services;

  reeve_startup_policy_open (services);
  services->tenants = reeve_tenants_new (services->store);
  services->authentication = reeve_authentication_new (services->store);
  reeve_authentication_set_tenants (services->authentication, services->tenants);
  if (reeve_config_get_boolean (services->config, "rbac.zero_trust.verify_every_request"))
    reeve_authentication_verify_every_request (services->authentication);
  reeve_tenants_set_ledger (services->tenants, services->ledger);
  reeve_tenants_add_watch (services->tenants, reeve_startup_on_tenant, self);
  reeve_startup_set_default (self, "max_agents");
  reeve_startup_set_default (self, "max_concurrent_sessions");
  reeve_startup_set_default (self, "max_concurrent_runs");
}

/* What was kept before can be read, and erased, also where nothing more is to be kept. */
static void
reeve_startup_open_kept_values (ReeveStartup *self, const char *keys_folder)
{
  ReeveServices *services = &self->services;
  g_autoptr (ReeveSubjectKeys) keys = reeve_subject_keys_new (services->store, keys_folder);
  g_autoptr (GError) error = NULL;

  /* what is left counts for nothing all the same */
  if (!reeve_subject_keys_recover (keys, &error))
    g_warning ("%s", error->message);

  services->kept_values = reeve_kept_values_new (
      services->store, keys,
      reeve_config_get_boolean (services->config, "audit.include_request_body"),
      reeve_config_get_boolean (services->config, "audit.include_address"));
  reeve_kept_values_set_kinds (
      services->kept_values, reeve_config_get_boolean (services->config, "audit.log_all_queries"),
      reeve_config_get_boolean (services->config, "audit.log_tool_results"));
  reeve_admission_set_kept_values (services->admission, services->kept_values, services->workers);
  reeve_tenants_set_subject_keys (services->tenants, keys);
}

static guint
reeve_startup_get_of_passwords (ReeveStartup *self, const char *name)
{
  g_autofree char *path = g_strconcat ("authentication.passwords.", name, NULL);

  return (guint) reeve_config_get_int (self->services.config, path);
}

static void
reeve_startup_open_passwords (ReeveStartup *self)
{
  ReeveServices *services = &self->services;
  const ReevePasswordsSettings settings = {
    .memory = reeve_startup_get_of_passwords (self, "memory"),
    .iterations = reeve_startup_get_of_passwords (self, "iterations"),
    .parallel = reeve_startup_get_of_passwords (self, "parallel"),
    .min_length = reeve_startup_get_of_passwords (self, "min_length"),
    .lock_failures = reeve_startup_get_of_passwords (self, "lock_failures"),
    .lock_address = reeve_startup_get_of_passwords (self, "lock_address_failures"),
    .lock_seconds = reeve_startup_get_of_passwords (self, "lock_duration"),
  };

  services->passwords
      = reeve_passwords_new (services->store, services->users, services->authentication, &settings);
  reeve_passwords_set_workers (services->passwords, services->workers, services->admission);
  reeve_passwords_provide (services->passwords, self->capabilities);
}

/* Who comes in: tenants, users, keys, passwords, providers. */
gboolean
reeve_startup_open_identity (ReeveStartup *self, GError **error)
{
  ReeveServices *services = &self->services;
  JsonNode *node = reeve_config_get_json (services->config, "authentication.providers");
  JsonArray *providers = node != NULL ? json_node_get_array (node) : NULL;
  g_autofree char *keys = reeve_state_make_folder (self->state, "keys", error);
  g_autofree char *faulty = NULL;
  GError *reason = NULL;

  if (keys == NULL)
    return FALSE;
  if (!reeve_startup_budgets_open (services, &faulty, &reason))
    return reeve_startup_blame (self, faulty, reason, error);
  g_clear_pointer (&faulty, g_free);
  reeve_startup_open_tenants (self);
  reeve_startup_open_kept_values (self, keys);
  services->protection = reeve_protection_new (
      services->store, reeve_config_get_string (services->config, "encryption.key_source"),
      self->key_beside);
  services->users = reeve_users_new (services->store);
  if (!reeve_startup_roles_open (services, &faulty, &reason))
    return reeve_startup_blame (self, faulty, reason, error);
  services->api_keys
      = reeve_api_keys_new (services->store, services->users, services->authentication);
  services->idempotency = reeve_idempotency_new (services->store, services->workers);
  services->workspaces
      = reeve_workspaces_new (services->store, services->users, services->authentication);
  reeve_api_keys_set_workspaces (services->api_keys, services->workspaces);
  if (!reeve_startup_network_open (services, &faulty, &reason))
    return reeve_startup_blame (self, faulty, reason, error);
  if (!reeve_api_keys_open (services->api_keys, keys, error))
    return FALSE;
  reeve_api_keys_note_uses (services->api_keys, services->workers);
  reeve_api_keys_set_warning_days (
      services->api_keys,
      (guint) reeve_config_get_int (services->config, "authentication.api_keys.warning_days"));
  reeve_api_keys_provide (services->api_keys, self->capabilities);
  reeve_startup_open_passwords (self);
  for (guint i = 0; providers != NULL && i < json_array_get_length (providers); i++)
    if (!reeve_startup_add_authentication (self, i, json_array_get_object_element (providers, i),
                                           error))
      return FALSE;
  if (!reeve_startup_development_open (services, error))
    return FALSE;
  self->provision = reeve_authentication_provision_new (services->users, services->admission,
                                                        services->authentication);
  if (reeve_authentication_has_provider (services->authentication))
    return TRUE;
  return reeve_startup_blame (
      self, "authentication.providers",
      g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                           "no authentication provider is enabled, and the host is never open to "
                           "everybody: enable one, such as {id: keys, plugin: auth-api-key}"),
      error);
}
