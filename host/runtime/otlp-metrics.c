/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything is cumulative since a series was new, as the registry counts. */
#include "otlp-metrics.h"

#include "otlp-encode.h"

#include <string.h>

#define REEVE_OTLP_METRICS_CUMULATIVE 2 /* AGGREGATION_TEMPORALITY_CUMULATIVE */

typedef struct
{
  GString *out;
  gint64 now;
  guint points;
  gboolean first; /* no family has been written */
} ReeveOtlpMetrics;

/* UCUM, as OpenTelemetry wants units */
static void
reeve_otlp_metrics_write_unit (GString *out, const char *unit)
{
  static const struct
  {
    const char *ours;
    const char *theirs;
  } units[] = { { "seconds", "s" }, { "bytes", "By" }, { "ratio", "1" }, { "tokens", "{token}" } };

  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    if (strcmp (unit, units[i].ours) == 0)
      {
        reeve_otlp_encode_text (out, units[i].theirs);
        return;
      }
  reeve_otlp_encode_text (out, unit);
}

/* The conventions have no number among the attributes of metrics but a port. */
static void
reeve_otlp_metrics_write_attribute (ReeveOtlpMetrics *self, const ReeveMetricInfo *info,
                                    guint label, const char *value)
{
  const char *key = info->attributes != NULL ? info->attributes[label] : info->labels[label];

  if (info->attributes != NULL && g_str_has_suffix (key, ".port") && g_ascii_isdigit (*value))
    reeve_otlp_encode_integer_pair (self->out, key, g_ascii_strtoll (value, NULL, 10));
  else
    reeve_otlp_encode_pair (self->out, key, value);
}

/* Labels of no value are not there; the times. */
static void
reeve_otlp_metrics_begin_point (ReeveOtlpMetrics *self, const ReeveMetricInfo *info,
                                const ReeveMetricPoint *point, gboolean first)
{
  gboolean comma = FALSE;

  g_string_append (self->out, first ? "{\"attributes\":[" : ",{\"attributes\":[");
  for (guint i = 0; i < info->n_labels; i++)
    if (*point->values[i] != '\0')
      {
        if (comma)
          g_string_append_c (self->out, ',');
        comma = TRUE;
        reeve_otlp_metrics_write_attribute (self, info, i, point->values[i]);
      }
  g_string_append_printf (self->out,
                          "],\"startTimeUnixNano\":\"%" G_GINT64_FORMAT
                          "000\",\"timeUnixNano\":\"%" G_GINT64_FORMAT "000\",",
                          MIN (point->began, self->now), self->now);
}

static void
reeve_otlp_metrics_write_histogram (ReeveOtlpMetrics *self, const ReeveMetricInfo *info,
                                    const ReeveMetricPoint *point)
{
  g_string_append_printf (self->out, "\"count\":\"%" G_GUINT64_FORMAT "\",\"sum\":", point->count);
  reeve_otlp_encode_number (self->out, point->sum);
  g_string_append (self->out, ",\"bucketCounts\":[");
  for (guint i = 0; i <= info->n_bounds; i++)
    g_string_append_printf (self->out, "%s\"%" G_GUINT64_FORMAT "\"", i > 0 ? "," : "",
                            point->buckets[i]);
  g_string_append (self->out, "],\"explicitBounds\":[");
  for (guint i = 0; i < info->n_bounds; i++)
    {
      if (i > 0)
        g_string_append_c (self->out, ',');
      reeve_otlp_encode_number (self->out, info->bounds[i]);
    }
  g_string_append (self->out, "]}");
}

static void
reeve_otlp_metrics_visit (const ReeveMetricInfo *info, const ReeveMetricPoint *points,
                          guint n_points, gpointer user_data)
{
  ReeveOtlpMetrics *self = user_data;
  gboolean histogram = info->kind == REEVE_METRIC_HISTOGRAM;

  if (n_points == 0)
    return;
  g_string_append (self->out, self->first ? "{\"name\":" : ",{\"name\":");
  self->first = FALSE;
  reeve_otlp_encode_text (self->out, info->attributes != NULL ? info->name : info->shown);
  g_string_append (self->out, ",\"description\":");
  reeve_otlp_encode_text (self->out, info->help);
  g_string_append (self->out, ",\"unit\":");
  reeve_otlp_metrics_write_unit (self->out, info->unit != NULL ? info->unit : "");
  g_string_append (self->out, histogram                          ? ",\"histogram\":{"
                              : info->kind == REEVE_METRIC_GAUGE ? ",\"gauge\":{"
                                                                 : ",\"sum\":{");
  if (info->kind != REEVE_METRIC_GAUGE)
    g_string_append_printf (self->out, "\"aggregationTemporality\":%d,",
                            REEVE_OTLP_METRICS_CUMULATIVE);
  if (info->kind == REEVE_METRIC_COUNTER)
    g_string_append (self->out, "\"isMonotonic\":true,");
  g_string_append (self->out, "\"dataPoints\":[");
  for (guint i = 0; i < n_points; i++)
    {
      reeve_otlp_metrics_begin_point (self, info, &points[i], i == 0);
      if (histogram)
        reeve_otlp_metrics_write_histogram (self, info, &points[i]);
      else
        {
          g_string_append (self->out, "\"asDouble\":");
          reeve_otlp_encode_number (self->out, points[i].value);
          g_string_append_c (self->out, '}');
        }
    }
  g_string_append (self->out, "]}}");
  self->points += n_points;
}

/**
 * reeve_otlp_metrics_encode:
 * @resource: from reeve_otlp_encode_resource()
 * @registries: (element-type ReeveMetrics): each nullable
 * @n: how many
 * @now: µs since the epoch
 * @n_points: (out): points in it
 *
 * Returns: (transfer full) (nullable): a request to `/v1/metrics`
 */
GBytes *
reeve_otlp_metrics_encode (const char *resource, ReeveMetrics *const *registries, guint n,
                           gint64 now, guint *n_points)
{
  g_autoptr (GString) out = g_string_sized_new (16384);
  ReeveOtlpMetrics self = { .out = out, .now = now, .first = TRUE };

  g_string_append (out, "{\"resourceMetrics\":[{");
  g_string_append (out, resource);
  g_string_append (out, "\"scopeMetrics\":[{");
  reeve_otlp_encode_scope (out);
  g_string_append (out, "\"metrics\":[");
  for (guint i = 0; i < n; i++)
    if (registries[i] != NULL)
      reeve_metrics_visit (registries[i], reeve_otlp_metrics_visit, &self);
  g_string_append (out, "]}]}]}");
  *n_points = self.points;
  return self.points > 0 ? g_string_free_to_bytes (g_steal_pointer (&out)) : NULL;
}
