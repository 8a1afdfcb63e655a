/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What it cost, over governance/cost-report.h. */
#include "governance/cost-report.h"
#include "governance/cost-reports.h"
#include "operation-functions.h"
#include "usage-sight.h"

#include <string.h>

/* (transfer full) (nullable): of the time, the currency and the allocation that are asked for. Who
 * is bound to a workspace is told of that workspace. */
static JsonObject *
reeve_op_costs_draft (ReeveCall *call, ReeveServices *services, GError **error)
{
  const char *by = reeve_call_get_string (call, "allocate_by");
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  ReeveUsageSight sight = { 0 };
  ReeveUsageAsk ask = { .filter = REEVE_USAGE_BY_DEPARTMENT };
  ReeveUsageSpread spread = { 0 };
  JsonObject *draft = NULL;

  if (by != NULL)
    (void) reeve_usage_series_find (by, &ask.filter);
  if (!reeve_usage_sight_open (&sight, call, services, error)
      || !reeve_usage_sight_read_times (call, &ask.begin, &ask.end, error))
    return NULL;
  if (sight.bound != NULL)
    {
      ask.filter = REEVE_USAGE_BY_WORKSPACE;
      ask.value = sight.bound;
    }
  sight.collection = reeve_usage_sight_collection (ask.filter);
  if (reeve_usage_sum (services->usage, reeve_call_get_tenant_id (call), &ask, table, &spread,
                       error))
    draft = reeve_cost_report_draft (
        table, &spread, ask.filter, reeve_call_get_string (call, "currency"),
        reeve_budgets_get_prices (services->budgets), reeve_usage_sight_sees, &sight);
  if (draft != NULL && sight.bound != NULL)
    json_object_set_string_member (draft, "workspace_id", sight.bound);
  reeve_usage_sight_close (&sight);
  return draft;
}

void
reeve_op_costs_show (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  g_autoptr (JsonObject) draft = reeve_op_costs_draft (call, services, &error);
  JsonObject *shown = NULL;

  if (draft != NULL)
    {
      shown = json_object_new ();
      reeve_cost_report_show (draft, shown);
    }
  reeve_usage_sight_answer (call, shown, reeve_cost_report_print_csv, error);
}

void
reeve_op_costs_report (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  g_autoptr (JsonObject) draft = reeve_op_costs_draft (call, services, &error);
  JsonObject *report = NULL;

  if (draft != NULL)
    report
        = reeve_cost_reports_create (services->store, reeve_call_get_admitted (call),
                                     "costs.report", reeve_call_get_params (call), draft, &error);
  reeve_call_answer (call, report, error);
}

/* ---- reports that are kept ---- */

/* Is this report shown to who asks? What is hidden from him has no name in it. */
static gboolean
reeve_op_costs_hide (ReeveUsageSight *sight, JsonObject *report)
{
  JsonArray *allocations = json_object_get_array_member (report, "allocations");
  ReeveUsageSeries series = REEVE_USAGE_BY_DEPARTMENT;

  if (sight->bound != NULL
      && g_strcmp0 (reeve_json_get_string (report, "workspace_id", NULL), sight->bound) != 0)
    return FALSE;
  (void) reeve_usage_series_find (json_object_get_string_member (report, "allocate_by"), &series);
  sight->collection = reeve_usage_sight_collection (series);
  for (guint i = 0; i < json_array_get_length (allocations); i++)
    {
      JsonObject *one = json_array_get_object_element (allocations, i);
      const char *key = reeve_json_get_string (one, "key", NULL);

      if (key != NULL && !reeve_usage_sight_sees (key, sight))
        json_object_set_null_member (one, "key");
    }
  return TRUE;
}

/* (transfer full) (nullable) */
static JsonObject *
reeve_op_costs_find (ReeveCall *call, ReeveServices *services, GError **error)
{
  ReeveUsageSight sight = { 0 };
  JsonObject *report = NULL;

  if (!reeve_usage_sight_open (&sight, call, services, error))
    return NULL;
  report = reeve_cost_reports_get (services->store, reeve_call_get_tenant_id (call),
                                   reeve_call_get_string (call, "report_id"), error);
  if (report != NULL && !reeve_op_costs_hide (&sight, report))
    {
      g_clear_pointer (&report, json_object_unref);
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING,
                   REEVE_STORE_COST_REPORTS);
    }
  reeve_usage_sight_close (&sight);
  return report;
}

void
reeve_op_costs_list (ReeveCall *call, ReeveServices *services)
{
  ReeveUsageSight sight = { 0 };
  GError *error = NULL;
  JsonObject *page = NULL;
  JsonArray *shown = NULL;
  JsonArray *items = NULL;

  if (reeve_usage_sight_open (&sight, call, services, &error))
    page = reeve_cost_reports_list (services->store, reeve_call_get_tenant_id (call),
                                    reeve_call_get_params (call), &error);
  if (page != NULL)
    {
      items = json_object_get_array_member (page, "items");
      shown = json_array_new ();
      for (guint i = 0; i < json_array_get_length (items); i++)
        if (reeve_op_costs_hide (&sight, json_array_get_object_element (items, i)))
          json_array_add_object_element (
              shown, json_object_ref (json_array_get_object_element (items, i)));
      json_object_set_array_member (page, "items", shown);
    }
  reeve_usage_sight_close (&sight);
  reeve_call_answer (call, page, error);
}

void
reeve_op_costs_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *report = reeve_op_costs_find (call, services, &error);

  reeve_usage_sight_answer (call, report, reeve_cost_report_print_csv, error);
}

void
reeve_op_costs_adjust (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  g_autoptr (JsonObject) found = reeve_op_costs_find (call, services, &error);
  g_autoptr (JsonObject) changed = NULL;
  JsonObject *report = NULL;

  if (found != NULL)
    changed = reeve_cost_reports_adjust (services->store, reeve_call_get_admitted (call),
                                         "costs.adjust", reeve_call_get_params (call), &error);
  if (changed != NULL)
    report = reeve_op_costs_find (call, services, &error);
  reeve_call_answer (call, report, error);
}
