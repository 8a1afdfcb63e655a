/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* https://github.com/prometheus/docs/blob/main/content/docs/instrumenting/exposition_formats.md and
 * https://github.com/OpenObservability/OpenMetrics/blob/main/specification/OpenMetrics.md: they
 * differ in how a counter is announced, in units, in what is escaped in help, and in the end. */
#include "metrics-text.h"

#include <math.h>
#include <string.h>

typedef struct
{
  GString *text;
  ReeveMetricsTextFormat format;
  const char *label;
  const char *value;
} ReeveMetricsText;

/* ---- which of the two ---- */

/* Quality of one range of an Accept header, RFC 9110 12.4.2; what is malformed is 0. */
static double
reeve_metrics_text_read_quality (char *const *parameters)
{
  for (guint i = 0; parameters[i] != NULL; i++)
    {
      const char *parameter = g_strstrip (parameters[i]);

      if (g_ascii_strncasecmp (parameter, "q=", 2) == 0)
        return CLAMP (g_ascii_strtod (parameter + 2, NULL), 0, 1);
    }
  return 1;
}

/* One that nobody asked for by name is not sent. */
static gboolean
reeve_metrics_text_is_known (char *const *parameters)
{
  for (guint i = 0; parameters[i] != NULL; i++)
    {
      const char *parameter = g_strstrip (parameters[i]);

      if (g_ascii_strncasecmp (parameter, "version=", 8) == 0)
        return strcmp (parameter + 8, "1.0.0") == 0 || strcmp (parameter + 8, "0.0.1") == 0;
    }
  return TRUE;
}

/**
 * reeve_metrics_text_choose:
 * @accept: (nullable): an Accept header
 *
 * Returns: OpenMetrics to who asks for it by name and not less gladly than for text/plain
 */
ReeveMetricsTextFormat
reeve_metrics_text_choose (const char *accept)
{
  g_auto (GStrv) ranges = g_strsplit (accept != NULL ? accept : "", ",", 32);
  double open = 0;
  double plain = 0;

  for (guint i = 0; ranges[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (ranges[i], ";", 16);
      const char *type = parts[0] != NULL ? g_strstrip (parts[0]) : "";
      double quality = parts[0] != NULL ? reeve_metrics_text_read_quality (parts + 1) : 0;

      if (g_ascii_strcasecmp (type, "application/openmetrics-text") == 0)
        open = reeve_metrics_text_is_known (parts + 1) ? MAX (open, quality) : open;
      else if (g_ascii_strcasecmp (type, "text/plain") == 0)
        plain = MAX (plain, quality);
    }
  return open > 0 && open >= plain ? REEVE_METRICS_TEXT_OPENMETRICS : REEVE_METRICS_TEXT_PROMETHEUS;
}

const char *
reeve_metrics_text_get_media_type (ReeveMetricsTextFormat format)
{
  return format == REEVE_METRICS_TEXT_OPENMETRICS
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

/* ---- words and numbers ---- */

static void
reeve_metrics_text_append_escaped (GString *text, const char *value, gboolean quotes)
{
  for (const char *p = value; *p != '\0'; p++)
    if (*p == '\n')
      g_string_append (text, "\\n");
    else if (*p == '\\' || (*p == '"' && quotes))
      g_string_append_printf (text, "\\%c", *p);
    else
      g_string_append_c (text, *p);
}

/* The shortest of two that is read back as the same number. */
static void
reeve_metrics_text_append_number (GString *text, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE] = "";

  if (isinf (value))
    g_string_append (text, value > 0 ? "+Inf" : "-Inf");
  else if (isnan (value))
    g_string_append (text, "NaN");
  else
    {
      g_ascii_formatd (buffer, sizeof buffer, "%.15g", value);
      /* exactly: it is the same number or it is not */
      if (fabs (g_ascii_strtod (buffer, NULL) - value) > 0)
        g_ascii_dtostr (buffer, sizeof buffer, value);
      g_string_append (text, buffer);
    }
}

/* A bound is a label: the same word in both formats, with a point, as OpenMetrics wants it. */
static void
reeve_metrics_text_append_bound (GString *text, double bound)
{
  gsize start = text->len;

  reeve_metrics_text_append_number (text, bound);
  if (!isinf (bound) && strpbrk (text->str + start, ".e") == NULL)
    g_string_append (text, ".0");
}

/* ---- one series ---- */

static void
reeve_metrics_text_append_name (ReeveMetricsText *self, const ReeveMetricInfo *info,
                                const char *suffix)
{
  g_string_append_printf (self->text, "%s%s", info->shown, suffix);
}

/* @bound: of a bucket, else NULL */
static void
reeve_metrics_text_append_labels (ReeveMetricsText *self, const ReeveMetricInfo *info,
                                  const ReeveMetricPoint *point, const double *bound)
{
  char separator = '{';

  for (guint i = 0; i < info->n_labels; i++)
    {
      g_string_append_printf (self->text, "%c%s=\"", separator, info->labels[i]);
      reeve_metrics_text_append_escaped (self->text, point->values[i], TRUE);
      g_string_append_c (self->text, '"');
      separator = ',';
    }
  if (bound != NULL)
    {
      g_string_append_printf (self->text, "%cle=\"", separator);
      reeve_metrics_text_append_bound (self->text, *bound);
      g_string_append_c (self->text, '"');
      separator = ',';
    }
  g_string_append (self->text, separator == ',' ? "} " : " ");
}

static void
reeve_metrics_text_append_sample (ReeveMetricsText *self, const ReeveMetricInfo *info,
                                  const ReeveMetricPoint *point, const char *suffix, double value)
{
  reeve_metrics_text_append_name (self, info, suffix);
  reeve_metrics_text_append_labels (self, info, point, NULL);
  reeve_metrics_text_append_number (self->text, value);
  g_string_append_c (self->text, '\n');
}

static void
reeve_metrics_text_append_histogram (ReeveMetricsText *self, const ReeveMetricInfo *info,
                                     const ReeveMetricPoint *point)
{
  guint64 below = 0;

  for (guint i = 0; i <= info->n_bounds; i++)
    {
      double bound = i < info->n_bounds ? info->bounds[i] : INFINITY;

      below += point->buckets[i];
      reeve_metrics_text_append_name (self, info, "_bucket");
      reeve_metrics_text_append_labels (self, info, point, &bound);
      g_string_append_printf (self->text, "%" G_GUINT64_FORMAT "\n", below);
    }
  reeve_metrics_text_append_sample (self, info, point, "_sum", point->sum);
  reeve_metrics_text_append_sample (self, info, point, "_count", (double) point->count);
}

static void
reeve_metrics_text_append_point (ReeveMetricsText *self, const ReeveMetricInfo *info,
                                 const ReeveMetricPoint *point)
{
  if (info->kind == REEVE_METRIC_HISTOGRAM)
    reeve_metrics_text_append_histogram (self, info, point);
  else
    reeve_metrics_text_append_sample (
        self, info, point, info->kind == REEVE_METRIC_COUNTER ? "_total" : "", point->value);
}

/* ---- one family ---- */

static void
reeve_metrics_text_append_head (ReeveMetricsText *self, const ReeveMetricInfo *info)
{
  static const char *const kinds[] = { "counter", "gauge", "histogram" };
  gboolean open = self->format == REEVE_METRICS_TEXT_OPENMETRICS;
  const char *suffix = info->kind == REEVE_METRIC_COUNTER && !open ? "_total" : "";

  g_string_append (self->text, "# HELP ");
  reeve_metrics_text_append_name (self, info, suffix);
  g_string_append_c (self->text, ' ');
  reeve_metrics_text_append_escaped (self->text, info->help != NULL ? info->help : "", open);
  g_string_append (self->text, "\n# TYPE ");
  reeve_metrics_text_append_name (self, info, suffix);
  g_string_append_printf (self->text, " %s\n", kinds[info->kind]);
  /* a unit that its name does not end with is none to OpenMetrics */
  if (open && info->unit != NULL && g_str_has_suffix (info->shown, info->unit))
    {
      g_string_append (self->text, "# UNIT ");
      reeve_metrics_text_append_name (self, info, "");
      g_string_append_printf (self->text, " %s\n", info->unit);
    }
}

gint
reeve_metrics_text_find_label (const ReeveMetricInfo *info, const char *label)
{
  for (guint i = 0; i < info->n_labels; i++)
    if (strcmp (info->labels[i], label) == 0)
      return (gint) i;
  return -1;
}

static void
reeve_metrics_text_visit (const ReeveMetricInfo *info, const ReeveMetricPoint *points,
                          guint n_points, gpointer user_data)
{
  ReeveMetricsText *self = user_data;
  gint place = self->label != NULL ? reeve_metrics_text_find_label (info, self->label) : -1;

  if (self->label != NULL && place < 0)
    return;
  reeve_metrics_text_append_head (self, info);
  for (guint i = 0; i < n_points; i++)
    if (place < 0 || strcmp (points[i].values[place], self->value) == 0)
      reeve_metrics_text_append_point (self, info, &points[i]);
}

/**
 * reeve_metrics_text_format:
 * @metrics: a registry
 * @format: which of the two
 * @label: (nullable): a label, or %NULL for everything
 * @value: (nullable): the value that it must have
 *
 * Returns: (transfer full): the text, which ends with a line feed
 */
char *
reeve_metrics_text_format (ReeveMetrics *metrics, ReeveMetricsTextFormat format, const char *label,
                           const char *value)
{
  ReeveMetricsText self = {
    .text = g_string_sized_new (16384),
    .format = format,
    .label = label,
    .value = value,
  };

  reeve_metrics_visit (metrics, reeve_metrics_text_visit, &self);
  if (format == REEVE_METRICS_TEXT_OPENMETRICS)
    g_string_append (self.text, "# EOF\n");
  return g_string_free (self.text, FALSE);
}
