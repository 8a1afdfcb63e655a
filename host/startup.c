/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From left to right: plugins, store, governance, runtime. Each gets what stands left of it. */
#include "startup-private.h"

#include <string.h>

#include "base/times.h"
#include "governance/bootstrap.h"
#include "operations/audit-sinks.h"
#include "operations/plugin-switch.h"
#include "startup-budgets.h"
#include "startup-capabilities.h"
#include "startup-development.h"
#include "startup-grants.h"
#include "startup-keys.h"
#include "startup-ledger.h"
#include "startup-metrics.h"
#include "startup-plugins.h"
#include "startup-policy.h"

/* ---- plugins and store ---- */

static gboolean
reeve_startup_open_plugins (ReeveStartup *self, const char *const *folders, GError **error)
{
  reeve_capabilities_provide (self->capabilities, "host.profile",
                              reeve_startup_development_tell_profile, self->services.config);
  self->services.registry = reeve_startup_plugins_open (&self->services, self->state,
                                                        self->capabilities, folders, error);
  return self->services.registry != NULL;
}

gboolean
reeve_startup_blame (ReeveStartup *self, const char *path, GError *reason, GError **error)
{
  g_autofree char *text = reeve_config_blame (self->services.config, path, reason->message);

  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text);
  g_error_free (reason);
  return FALSE;
}

gboolean
reeve_startup_blame_plugin (ReeveStartup *self, const char *path, GError *reason, GError **error)
{
  gboolean settings = g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_autofree char *member = g_strconcat (path, settings ? ".settings" : ".plugin", NULL);

  return reeve_startup_blame (self, member, reason, error);
}

/* One that nobody asked for by name is left out. */
static void
reeve_startup_leave_out (ReeveStartup *self, const char *plugin_id, const GError *reason)
{
  g_autofree char *path = g_strconcat ("plugins.settings.", plugin_id, NULL);
  g_autofree char *text = g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_CONFIGURATION)
                              ? reeve_config_blame (self->services.config, path, reason->message)
                              : g_strdup (reason->message);

  g_warning ("starting without plugin %s: %s", plugin_id, text);
}

static gboolean
reeve_startup_open_store (ReeveStartup *self, GError **error)
{
  ReeveServices *services = &self->services;
  JsonNode *settings = reeve_config_get_json (services->config, "store.settings");
  g_autofree char *folder = reeve_state_make_folder (self->state, "store", error);
  ReevePlugin *plugin = NULL;
  GError *reason = NULL;

  if (folder == NULL)
    return FALSE;
  plugin = reeve_registry_instantiate (
      services->registry, "store", reeve_config_get_string (services->config, "store.plugin"),
      REEVE_TYPE_STORAGE, settings != NULL ? json_node_get_object (settings) : NULL, &reason);
  if (plugin == NULL)
    return reeve_startup_blame_plugin (self, "store", reason, error);
  services->store = reeve_store_new (REEVE_STORAGE (plugin));
  if (self->keys != NULL && !reeve_store_set_keys (services->store, self->keys, &reason))
    return reeve_startup_blame (self, "store.plugin", reason, error);
  self->store_open = reeve_store_open (services->store, folder, &reason);
  if (self->store_open)
    return TRUE;
  g_prefix_error (&reason, "opening the store: ");
  if (g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED))
    return reeve_startup_blame (self, "store.plugin", reason, error);
  g_propagate_error (error, reason);
  return FALSE;
}

/* ---- governance ---- */

static gboolean
reeve_startup_open_ledger (ReeveStartup *self, GError **error)
{
  ReeveServices *services = &self->services;
  g_autofree char *folder = reeve_state_make_folder (self->state, "ledger", error);
  g_autofree char *keys
      = folder != NULL ? reeve_state_make_folder (self->state, "keys", error) : NULL;
  GError *reason = NULL;

  if (keys == NULL)
    return FALSE;
  services->ledger = reeve_ledger_new (folder, keys);
  reeve_ledger_set_keys (services->ledger, self->keys);
  reeve_ledger_set_instruments (services->ledger, services->instruments);
  if (!reeve_startup_ledger_configure (services->ledger, services->config, &reason))
    return reeve_startup_blame (self, "audit.when_unavailable", reason, error);
  self->ledger_open = reeve_ledger_open (services->ledger, error);
  g_prefix_error (error, "opening the ledger: ");
  if (!self->ledger_open)
    return FALSE;
  services->admission = reeve_admission_new (services->ledger);
  reeve_admission_set_instruments (services->admission, services->instruments);
  return TRUE;
}

static gboolean
reeve_startup_bootstrap (ReeveStartup *self, GError **error)
{
  ReeveServices *services = &self->services;
  const ReeveBootstrap bootstrap = {
    .admission = services->admission,
    .tenants = services->tenants,
    .users = services->users,
    .api_keys = services->api_keys,
    .authentication = services->authentication,
    .grants = services->grants,
    .state_folder = reeve_state_get_folder (self->state),
  };
  g_autoptr (GError) local = NULL;

  if (!reeve_bootstrap_run (&bootstrap, error) || !reeve_tenants_load (services->tenants, error))
    return FALSE;
  reeve_admission_add_check (services->admission, REEVE_STAGE_AUTHORISE, reeve_authentication_check,
                             services->authentication);
  reeve_admission_add_check (services->admission, REEVE_STAGE_AUTHORISE, reeve_tenants_check,
                             services->tenants);
  /* nobody gets into a tenant whose removal cannot be ended; all others are served */
  if (!reeve_tenants_finish_removals (services->tenants, services->admission, &local))
    g_warning ("%s", local->message);
  return TRUE;
}

/* ---- runtime ---- */

static void
reeve_startup_add_tools (ReeveStartup *self)
{
  ReeveServices *services = &self->services;
  g_auto (GStrv) ids = reeve_registry_list_kind (services->registry, REEVE_KIND_TOOL);

  services->tools = reeve_tools_new (services->registry, services->workers);
  for (guint i = 0; ids[i] != NULL; i++)
    {
      g_autoptr (GError) reason = NULL;

      if (!reeve_registry_is_off (services->registry, ids[i])
          && !reeve_tools_add (services->tools, ids[i],
                               reeve_plugin_switch_find_settings (services->config, ids[i]),
                               &reason))
        reeve_startup_leave_out (self, ids[i], reason);
    }
}

static void
reeve_startup_add_extractors (ReeveStartup *self)
{
  ReeveServices *services = &self->services;
  g_auto (GStrv) ids = reeve_registry_list_kind (services->registry, REEVE_KIND_EXTRACTOR);

  self->extraction = services->extraction = reeve_extraction_new (services->registry);
  for (guint i = 0; ids[i] != NULL; i++)
    {
      g_autoptr (GError) reason = NULL;

      if (!reeve_registry_is_off (services->registry, ids[i])
          && !reeve_extraction_add (self->extraction, ids[i],
                                    reeve_plugin_switch_find_settings (services->config, ids[i]),
                                    &reason))
        reeve_startup_leave_out (self, ids[i], reason);
    }
  services->knowledge = reeve_knowledge_new (
      services->store, self->extraction,
      (guint) reeve_config_get_int (services->config, "knowledge.chunk_size_tokens"),
      (guint) reeve_config_get_int (services->config, "knowledge.chunk_overlap_tokens"));
  reeve_knowledge_set_workspaces (services->knowledge, services->workspaces);
  reeve_knowledge_provide (services->knowledge, self->capabilities);
}

/* Which models records name: those that are configured or have a price. */
static gsize
reeve_startup_measure_model (const char *model, gpointer user_data)
{
  ReeveServices *services = user_data;

  return reeve_prices_has_name (reeve_budgets_get_prices (services->budgets), model)
             ? strlen (model)
             : reeve_models_measure (services->models, model);
}

/* a ReeveAdmissionKnown */
static gsize
reeve_startup_measure_configured (const char *model, gpointer models)
{
  return reeve_models_measure (models, model);
}

/* Behind the providers, which its rows name. */
static gboolean
reeve_startup_allow_models (ReeveStartup *self, JsonObject *llm, GError **error)
{
  ReeveServices *services = &self->services;
  g_autofree char *faulty = NULL;
  g_autofree char *path = NULL;
  g_autofree char *strangers = NULL;
  GError *reason = NULL;

  services->model_allow = reeve_model_allow_new (reeve_json_get_array (llm, "allow"),
                                                 reeve_startup_measure_configured, services->models,
                                                 &faulty, &reason);
  if (services->model_allow == NULL)
    {
      path = g_strconcat ("llm.", faulty, NULL);
      return reeve_startup_blame (self, path, reason, error);
    }
  reeve_model_allow_guard (services->model_allow, services->admission);
  strangers = reeve_model_allow_dup_strangers (services->model_allow, services->tenants);
  if (strangers != NULL)
    g_warning ("llm.allow: rows of nobody: there is no tenant %s, so they hold for none",
               strangers);
  return TRUE;
}

/* What this machine computes costs nothing, and a budget of money lets it through. */
static void
reeve_startup_price_embedded (ReeveServices *services)
{
  g_auto (GStrv) ids = reeve_models_list_embedded (services->models);

  for (guint i = 0; ids[i] != NULL; i++)
    reeve_prices_set_embedded (reeve_budgets_get_prices (services->budgets), ids[i]);
}

static gboolean
reeve_startup_open_runtime (ReeveStartup *self, GError **error)
{
  ReeveServices *services = &self->services;
  JsonNode *llm = reeve_config_get_json (services->config, "llm");
  g_autofree char *faulty = NULL;
  g_autofree char *path = NULL;
  GError *reason = NULL;

  services->models = reeve_models_new (services->registry, services->workers);
  self->net = reeve_net_http_new (reeve_models_get_trust (services->models));
  reeve_net_http_set_secrets (self->net, services->plugin_secrets);
  reeve_capabilities_provide_http (self->capabilities, reeve_net_http_perform, self->net);
  reeve_startup_capabilities_open (self);
  if (!reeve_models_configure (services->models, json_node_get_object (llm), &faulty, &reason))
    {
      path = g_strconcat ("llm.", faulty, NULL);
      return reeve_startup_blame (self, path, reason, error);
    }
  reeve_startup_price_embedded (services);
  if (!reeve_startup_allow_models (self, json_node_get_object (llm), error))
    return FALSE;
  reeve_admission_set_known_models (services->admission, reeve_startup_measure_model, services);
  if (!reeve_startup_telemetry_open (&self->telemetry, services, self->net, error))
    return FALSE;
  reeve_startup_add_extractors (self);
  reeve_startup_add_tools (self);
  reeve_plugin_calls_set_tools (self->calls, services->tools,
                                reeve_config_get_int (services->config, "tools.timeout"));
  services->conversations = reeve_conversations_new (services->store);
  services->agents = reeve_agents_new (
      services->store, reeve_config_get_boolean (services->config, "agents.auto_publish"));
  self->environment = (ReeveRunEnvironment){
    .store = services->store,
    .admission = services->admission,
    .models = services->models,
    .tools = services->tools,
    .conversations = services->conversations,
    .workers = services->workers,
    .max_iterations = reeve_config_get_int (services->config, "agents.max_iterations"),
    .max_tokens = reeve_config_get_int (services->config, "agents.max_tokens"),
    .timeout_seconds = reeve_config_get_int (services->config, "agents.execution_timeout"),
    .tool_seconds = reeve_config_get_int (services->config, "tools.timeout"),
    .queue_length = reeve_config_get_int (services->config, "agents.queue_length"),
    .queue_seconds = reeve_config_get_int (services->config, "agents.queue_timeout"),
    .authentication = services->authentication,
    .tenants = services->tenants,
    .policies = services->policies,
    .workspaces = services->workspaces,
    .prices = reeve_budgets_get_prices (services->budgets),
    .tracer = services->tracer,
  };
  reeve_agents_set_tenants (services->agents, services->tenants);
  reeve_agents_set_workspaces (services->agents, services->workspaces);
  reeve_agent_book_guard (reeve_agents_get_book (services->agents), services->admission);
  reeve_startup_policy_advise (services);
  services->runs = reeve_runs_new (&self->environment, services->agents);
  return TRUE;
}

static gboolean
reeve_startup_open_sinks (ReeveStartup *self, GError **error)
{
  g_autofree char *folder = reeve_state_make_folder (self->state, "sinks", error);

  return folder != NULL && reeve_audit_sinks_open (&self->services, folder, error)
         && reeve_audit_sinks_open_witnesses (&self->services, error);
}

/* ---- all of it ---- */

/**
 * reeve_startup_open_storage:
 * @config: (transfer none): what is configured
 * @state: (transfer none): the state folder
 * @folders: of plugins
 * @error: return location
 *
 * Opens plugins and store alone: for work on the store while no host runs.
 *
 * Returns: (transfer full) (nullable): what was opened
 */
ReeveStartup *
reeve_startup_open_storage (ReeveConfig *config, ReeveState *state, const char *const *folders,
                            GError **error)
{
  g_autoptr (ReeveStartup) self = g_new0 (ReeveStartup, 1);

  self->state = state;
  self->capabilities = reeve_capabilities_new ();
  self->services.config = reeve_config_ref (config);
  self->services.started_at = reeve_times_now ();
  self->services.started = g_get_monotonic_time ();
  if (!reeve_startup_keys_open (config, state, &self->keys, &self->key_beside, error))
    return NULL;
  if (!reeve_startup_open_plugins (self, folders, error) || !reeve_startup_open_store (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * reeve_startup_open:
 * @config: (transfer none): what is configured
 * @state: (transfer none): the locked folder; outlives this
 * @folders: of plugins
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a host without doors
 */
ReeveStartup *
reeve_startup_open (ReeveConfig *config, ReeveState *state, const char *const *folders,
                    GError **error)
{
  g_autoptr (ReeveStartup) self = reeve_startup_open_storage (config, state, folders, error);
  ReeveServices *services = self != NULL ? &self->services : NULL;

  if (self == NULL)
    return NULL;
  reeve_startup_metrics_open (services);
  services->schemas = reeve_schema_cache_new (reeve_operations);
  services->workers = reeve_workers_new (
      "worker", REEVE_WORKERS_MIN,
      (guint) MAX (reeve_config_get_int (config, "server.workers"), REEVE_WORKERS_MIN),
      (guint) MAX (reeve_config_get_int (config, "server.queue"), REEVE_WORKERS_QUEUE));
  if (!reeve_startup_open_ledger (self, error) || !reeve_startup_grants_open (self, error)
      || !reeve_startup_open_identity (self, error) || !reeve_startup_bootstrap (self, error)
      || !reeve_startup_open_runtime (self, error) || !reeve_startup_open_sinks (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

gboolean
reeve_startup_recover (ReeveStartup *self, GError **error)
{
  gboolean good = reeve_budgets_load (self->services.budgets, error)
                  && reeve_runs_recover (self->services.runs, error)
                  && reeve_admission_recover (self->services.admission, error);

  g_prefix_error (error, "recovering what was under way: ");
  if (!good)
    return FALSE;
  self->metrics = reeve_startup_metrics_watch (&self->services);
  reeve_startup_plugins_note (&self->services);
  reeve_startup_capabilities_sweep (self);
  reeve_authentication_warm (self->services.authentication);
  reeve_sinks_start (self->services.sinks);
  reeve_witnesses_start (self->services.witnesses);
  reeve_usage_start (self->services.usage);
  return TRUE;
}

ReeveServices *
reeve_startup_get_services (ReeveStartup *self)
{
  return &self->services;
}

/* What is left when all rooms are closed. */
static void
reeve_startup_free (ReeveStartup *self)
{
  ReeveServices *services = &self->services;

  reeve_startup_metrics_close (services);
  g_clear_pointer (&services->schemas, reeve_schema_cache_free);
  g_clear_pointer (&services->config, reeve_config_unref);
  g_free (services->address);
  g_free (self);
}

/* Nothing goes out any more, and no plugin's process is waited for. */
static void
reeve_startup_fall_silent (ReeveStartup *self)
{
  reeve_startup_telemetry_stop (&self->telemetry);
  reeve_startup_metrics_unwatch (&self->services, g_steal_pointer (&self->metrics));
  g_clear_pointer (&self->services.sinks, reeve_audit_sinks_close);
  g_clear_pointer (&self->services.witnesses, reeve_audit_sinks_close_witnesses);
  if (self->net != NULL)
    reeve_net_http_shutdown (self->net);
  if (self->tcp != NULL)
    reeve_net_tcp_shutdown (self->tcp);
  if (self->services.registry != NULL)
    reeve_registry_cut (self->services.registry);
  /* workers may wait for them */
  if (self->calls != NULL)
    reeve_plugin_calls_shutdown (self->calls);
}

static void
reeve_startup_close_gate (ReeveStartup *self)
{
  ReeveServices *services = &self->services;

  if (self->ledger_open && services->admission != NULL)
    reeve_admission_flush_refusals (services->admission);
  if (self->ledger_open)
    reeve_ledger_close (services->ledger);
  g_clear_object (&services->admission);
  g_clear_pointer (&services->model_allow, reeve_model_allow_free);
}

void
reeve_startup_close (ReeveStartup *self)
{
  ReeveServices *services = &self->services;

  reeve_startup_fall_silent (self);
  if (services->grants != NULL)
    reeve_grants_stop (services->grants);
  reeve_authentication_shutdown (services->authentication);
  reeve_startup_policy_close (services);
  if (services->workers != NULL)
    reeve_workers_shutdown (services->workers);
  g_clear_object (&services->audit_retention);
  if (services->models != NULL)
    reeve_models_leave (services->models);
  g_clear_object (&services->runs);
  g_clear_object (&services->agents);
  g_clear_object (&services->conversations);
  g_clear_object (&services->tools);
  g_clear_object (&services->knowledge);
  g_clear_object (&self->extraction);
  g_clear_object (&services->models);
  g_clear_object (&services->idempotency);
  g_clear_object (&services->passwords);
  g_clear_object (&services->api_keys);
  g_clear_object (&services->workspaces);
  g_clear_pointer (&services->rate_limits, reeve_rate_limits_free);
  g_clear_object (&services->authentication);
  g_clear_pointer (&self->provision, reeve_authentication_provision_free);
  g_clear_object (&services->users);
  g_clear_object (&services->overrides);
  g_clear_object (&services->elevations);
  g_clear_object (&services->role_book);
  g_clear_object (&services->protection);
  g_clear_object (&services->policies);
  reeve_startup_budgets_close (services);
  g_clear_object (&services->tenants);
  reeve_startup_close_gate (self);
  g_clear_object (&services->kept_values);
  g_clear_object (&services->budgets);
  g_clear_object (&services->ledger);
  if (self->store_open)
    reeve_store_close (services->store);
  g_clear_object (&services->store);
  g_clear_object (&self->keys);
  if (services->registry != NULL)
    reeve_registry_shutdown (services->registry);
  g_clear_pointer (&services->registry, reeve_registry_unref);
  g_clear_pointer (&self->capabilities, reeve_capabilities_unref);
  reeve_startup_capabilities_close (self);
  reeve_startup_grants_close (services);
  g_clear_pointer (&self->net, reeve_net_http_free);
  g_clear_pointer (&self->records, reeve_net_records_free);
  reeve_startup_telemetry_close (&self->telemetry);
  g_clear_pointer (&services->network, reeve_network_free);
  g_clear_pointer (&services->workers, reeve_workers_unref);
  reeve_startup_free (self);
}
