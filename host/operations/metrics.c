/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics and service levels, over base/metrics.h and governance/service-levels.h. What has a
 * tenant_id is that tenant's; all else is the platform's. */
#include "base/metrics-text.h"
#include "operation-functions.h"

#include <string.h>

/* label by which tenants are told apart */
#define REEVE_OP_METRICS_TENANT "tenant_id"

typedef struct
{
  JsonArray *items;
  const char *name;      /* (nullable) */
  const char *tenant_id; /* (nullable): all */
} ReeveOpMetricsList;

/* ---- whose ---- */

static gboolean
reeve_op_metrics_check (ReeveServices *services, GError **error)
{
  if (services->instruments != NULL)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                       "nothing is counted: metrics.enabled is false");
  return FALSE;
}

/* (nullable): %NULL for everybody's */
static const char *
reeve_op_metrics_get_tenant (ReeveCall *call)
{
  return reeve_call_get_boolean (call, "platform") ? NULL : reeve_call_get_tenant_id (call);
}

/* A tenant of that name is not told from those that have no label of their own: no tenant has what
 * is shown to it. */
static const char *
reeve_op_metrics_get_value (const char *tenant_id)
{
  return g_strcmp0 (tenant_id, REEVE_METRICS_OTHER) == 0 ? "@" : tenant_id;
}

/* ---- as text ---- */

void
reeve_op_metrics_scrape (ReeveCall *call, ReeveServices *services)
{
  ReeveCaller *caller = reeve_call_get_caller (call);
  gboolean whole = caller == NULL || reeve_caller_is_platform_admin (caller);
  ReeveMetricsTextFormat format = reeve_metrics_text_choose (reeve_call_get_accept (call));
  g_autoptr (GBytes) bytes = NULL;
  char *text = NULL;
  GError *error = NULL;

  if (!reeve_op_metrics_check (services, &error))
    {
      reeve_call_fail (call, error);
      return;
    }
  if (!reeve_config_get_boolean (services->config, "metrics.export.prometheus"))
    {
      reeve_call_fail (call, g_error_new_literal (REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                                                  "metrics.export.prometheus is false"));
      return;
    }
  text = reeve_metrics_text_format (
      services->metrics, format, whole ? NULL : REEVE_OP_METRICS_TENANT,
      whole ? NULL : reeve_op_metrics_get_value (reeve_call_get_tenant_id (call)));
  bytes = g_bytes_new_take (text, strlen (text));
  reeve_call_complete_bytes (call, 0, reeve_metrics_text_get_media_type (format), bytes);
}

/* ---- as JSON ---- */

static JsonArray *
reeve_op_metrics_show_buckets (const ReeveMetricInfo *info, const ReeveMetricPoint *point)
{
  JsonArray *buckets = json_array_new ();
  guint64 below = 0;

  for (guint i = 0; i < info->n_bounds; i++)
    {
      JsonObject *bucket = json_object_new ();

      below += point->buckets[i];
      json_object_set_double_member (bucket, "le", info->bounds[i]);
      json_object_set_int_member (bucket, "count", (gint64) below);
      json_array_add_object_element (buckets, bucket);
    }
  return buckets;
}

static JsonObject *
reeve_op_metrics_show_point (const ReeveMetricInfo *info, const ReeveMetricPoint *point)
{
  JsonObject *shown = json_object_new ();
  JsonObject *labels = json_object_new ();

  for (guint i = 0; i < info->n_labels; i++)
    json_object_set_string_member (labels, info->labels[i], point->values[i]);
  json_object_set_object_member (shown, "labels", labels);
  if (info->kind != REEVE_METRIC_HISTOGRAM)
    {
      json_object_set_double_member (shown, "value", point->value);
      return shown;
    }
  json_object_set_int_member (shown, "count", (gint64) point->count);
  json_object_set_double_member (shown, "sum", point->sum);
  json_object_set_array_member (shown, "buckets", reeve_op_metrics_show_buckets (info, point));
  return shown;
}

static void
reeve_op_metrics_visit (const ReeveMetricInfo *info, const ReeveMetricPoint *points, guint n_points,
                        gpointer user_data)
{
  static const char *const kinds[] = { "counter", "gauge", "histogram" };
  ReeveOpMetricsList *self = user_data;
  gint place = reeve_metrics_text_find_label (info, REEVE_OP_METRICS_TENANT);
  JsonObject *shown = NULL;
  JsonArray *list = NULL;

  if ((self->tenant_id != NULL && place < 0)
      || (self->name != NULL && !g_str_has_prefix (info->shown, self->name)))
    return;
  shown = json_object_new ();
  list = json_array_new ();
  json_object_set_string_member (shown, "name", info->shown);
  json_object_set_string_member (shown, "type", kinds[info->kind]);
  json_object_set_string_member (shown, "help", info->help);
  if (info->unit != NULL)
    json_object_set_string_member (shown, "unit", info->unit);
  for (guint i = 0; i < n_points; i++)
    if (self->tenant_id == NULL || strcmp (points[i].values[place], self->tenant_id) == 0)
      json_array_add_object_element (list, reeve_op_metrics_show_point (info, &points[i]));
  json_object_set_array_member (shown, "points", list);
  json_array_add_object_element (self->items, shown);
}

void
reeve_op_metrics_list (ReeveCall *call, ReeveServices *services)
{
  ReeveOpMetricsList list = { 0 };
  const char *tenant_id = reeve_op_metrics_get_tenant (call);
  JsonObject *shown = NULL;
  GError *error = NULL;

  if (!reeve_op_metrics_check (services, &error))
    {
      reeve_call_fail (call, error);
      return;
    }
  list.items = json_array_new ();
  list.name = reeve_call_get_string (call, "name");
  list.tenant_id = reeve_op_metrics_get_value (tenant_id);
  reeve_metrics_visit (services->metrics, reeve_op_metrics_visit, &list);
  shown = json_object_new ();
  json_object_set_array_member (shown, "items", list.items);
  reeve_call_answer (call, shown, NULL);
}

/* ---- service levels ---- */

/* @tenant_id: (nullable): all together */
static JsonObject *
reeve_op_metrics_show_level (ReeveServices *services, const char *tenant_id, gint64 window)
{
  ReeveServiceLevel level = { 0 };
  JsonObject *shown = json_object_new ();

  (void) reeve_service_levels_get (reeve_instruments_get_levels (services->instruments), tenant_id,
                                   window * G_USEC_PER_SEC, g_get_monotonic_time (), &level);
  if (tenant_id != NULL && *tenant_id != '\0')
    json_object_set_string_member (shown, "tenant_id", tenant_id);
  else
    json_object_set_null_member (shown, "tenant_id");
  json_object_set_int_member (shown, "total_requests", (gint64) level.requests);
  json_object_set_int_member (shown, "total_errors", (gint64) level.errors);
  json_object_set_double_member (
      shown, "error_rate_percent",
      level.requests > 0 ? 100.0 * (double) level.errors / (double) level.requests : 0);
  json_object_set_double_member (shown, "latency_p50_seconds", level.p50_us / G_USEC_PER_SEC);
  json_object_set_double_member (shown, "latency_p95_seconds", level.p95_us / G_USEC_PER_SEC);
  json_object_set_double_member (shown, "latency_p99_seconds", level.p99_us / G_USEC_PER_SEC);
  json_object_set_double_member (shown, "covered_seconds",
                                 (double) level.covered_us / G_USEC_PER_SEC);
  return shown;
}

static void
reeve_op_metrics_add_tenants (ReeveServices *services, gint64 window, JsonObject *shown)
{
  g_auto (GStrv) ids
      = reeve_service_levels_list (reeve_instruments_get_levels (services->instruments));
  JsonArray *list = json_array_new ();

  for (guint i = 0; ids[i] != NULL; i++)
    json_array_add_object_element (list, reeve_op_metrics_show_level (services, ids[i], window));
  json_object_set_array_member (shown, "tenants", list);
}

void
reeve_op_metrics_sla (ReeveCall *call, ReeveServices *services)
{
  gint64 window = reeve_call_get_int (call, "window", 0);
  const char *tenant_id = reeve_op_metrics_get_tenant (call);
  JsonObject *shown = NULL;
  GError *error = NULL;

  if (!reeve_op_metrics_check (services, &error))
    {
      reeve_call_fail (call, error);
      return;
    }
  shown = reeve_op_metrics_show_level (services, tenant_id, window);
  if (window > 0)
    json_object_set_int_member (shown, "window_seconds", window);
  else
    json_object_set_null_member (shown, "window_seconds");
  json_object_set_double_member (shown, "relative_error", REEVE_QUANTILES_ERROR);
  if (tenant_id == NULL)
    reeve_op_metrics_add_tenants (services, window, shown);
  reeve_call_answer (call, shown, NULL);
}
