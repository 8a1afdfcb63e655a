/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Budgets and rates of the configuration, the price table, and the gate that keeps to them. */
#include "startup-budgets.h"

static JsonObject *
reeve_startup_budgets_section (ReeveServices *services, const char *path)
{
  JsonNode *node = reeve_config_get_json (services->config, path);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static void
reeve_startup_budgets_limit_rates (ReeveServices *services)
{
  g_auto (GStrv) kinds = reeve_config_get_strv (services->config, "limits.per");
  JsonNode *burst = reeve_config_get_json (services->config, "limits.burst");

  services->rate_limits = reeve_rate_limits_new ();
  reeve_rate_limits_configure (
      services->rate_limits,
      (guint) reeve_config_get_int (services->config, "limits.requests_per_minute"),
      burst != NULL && JSON_NODE_HOLDS_VALUE (burst) ? (guint) json_node_get_int (burst) : 0,
      (guint) reeve_config_get_int (services->config, "limits.requests_per_hour"),
      (const char *const *) kinds);
}

/**
 * reeve_startup_budgets_open:
 * @services: with configuration, store, ledger and gate
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
reeve_startup_budgets_open (ReeveServices *services, GError **error)
{
  JsonObject *platform = reeve_startup_budgets_section (services, "budgets.platform");

  reeve_startup_budgets_limit_rates (services);
  services->budgets = reeve_budgets_new (services->store, services->ledger);
  if (!reeve_budgets_configure (services->budgets,
                                reeve_startup_budgets_section (services, "budgets.org"),
                                reeve_startup_budgets_section (services, "llm.prices"), error)
      || (platform != NULL
          && !reeve_budgets_configure_platform (services->budgets, platform, error)))
    return FALSE;
  services->usage = reeve_usage_new (services->store, services->ledger,
                                     reeve_budgets_get_prices (services->budgets));
  reeve_admission_set_budgets (services->admission, services->budgets);
  return TRUE;
}

/**
 * reeve_startup_budgets_learn:
 * @services: with budgets
 * @tenant_id: a tenant
 * @status: how it stands now
 *
 * A suspended tenant keeps its budgets; one that goes has none.
 */
void
reeve_startup_budgets_learn (ReeveServices *services, const char *tenant_id,
                             ReeveTenantStatus status)
{
  if (status == REEVE_TENANT_DELETING || status == REEVE_TENANT_ABSENT)
    reeve_budgets_forget (services->budgets, tenant_id);
  else
    reeve_budgets_prepare (services->budgets, tenant_id);
}

/**
 * reeve_startup_budgets_close:
 * @services: with budgets, or without
 *
 * Saves what is not saved.
 */
void
reeve_startup_budgets_close (ReeveServices *services)
{
  g_clear_object (&services->usage);
  if (services->budgets != NULL)
    reeve_budgets_flush (services->budgets);
}
