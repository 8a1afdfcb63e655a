/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Budgets and rates of the configuration, the price table, and the gate that keeps to them. */
#include "startup-budgets.h"

#include <string.h>

#include "governance/price-imports.h"

/* data/prices.json, as the build found it */
extern const char reeve_built_in_prices[];

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

/* Which service each provider stands for: the host of the address that it asks. */
static void
reeve_startup_budgets_name_services (ReeveServices *services, ReevePrices *prices)
{
  JsonNode *node = reeve_config_get_json (services->config, "llm.providers");
  JsonArray *rows
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      JsonObject *settings = reeve_json_get_object (row, "settings");
      const char *id = reeve_json_get_string (row, "id", NULL);
      const char *url
          = settings != NULL ? reeve_json_get_string (settings, "base_url", NULL) : NULL;
      g_autoptr (GUri) uri = url != NULL ? g_uri_parse (url, G_URI_FLAGS_NONE, NULL) : NULL;

      if (id != NULL && uri != NULL && g_uri_get_host (uri) != NULL)
        reeve_prices_set_service (prices, id, g_uri_get_host (uri));
    }
}

/* The file that is named, else the one that was built in. */
static gboolean
reeve_startup_budgets_read_prices (ReeveServices *services, ReevePrices *prices, GError **error)
{
  const char *path = reeve_config_get_string (services->config, "llm.prices_file");
  g_autofree char *text = NULL;
  gsize length = strlen (reeve_built_in_prices);
  g_autoptr (ReevePriceList) list = NULL;
  g_autoptr (GError) local = NULL;

  if (path != NULL && !g_file_get_contents (path, &text, &length, &local))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, local->message);
  else
    list = reeve_price_list_parse (path != NULL ? text : reeve_built_in_prices, length, error);
  if (list == NULL)
    {
      g_prefix_error (error, "%s: ", path != NULL ? path : "the built-in prices");
      return FALSE;
    }
  reeve_prices_set_list (prices, REEVE_PRICES_BUILT_IN, list, 0);
  return TRUE;
}

/**
 * reeve_startup_budgets_open:
 * @services: with configuration, store, ledger and gate
 * @faulty: (out) (transfer full): on failure, which key is to blame
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
reeve_startup_budgets_open (ReeveServices *services, char **faulty, GError **error)
{
  JsonObject *platform = reeve_startup_budgets_section (services, "budgets.platform");
  ReevePrices *prices = NULL;

  *faulty = g_strdup ("budgets");
  reeve_startup_budgets_limit_rates (services);
  services->budgets = reeve_budgets_new (services->store, services->ledger);
  if (!reeve_budgets_configure (services->budgets,
                                reeve_startup_budgets_section (services, "budgets.org"),
                                reeve_startup_budgets_section (services, "llm.prices"), error)
      || (platform != NULL
          && !reeve_budgets_configure_platform (services->budgets, platform, error)))
    return FALSE;
  prices = reeve_budgets_get_prices (services->budgets);
  reeve_startup_budgets_name_services (services, prices);
  g_free (*faulty);
  *faulty = g_strdup ("llm.prices_file");
  if (!reeve_startup_budgets_read_prices (services, prices, error)
      || !reeve_price_imports_load (services->store, prices, error))
    return FALSE;
  services->usage = reeve_usage_new (services->store, services->ledger, prices);
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
