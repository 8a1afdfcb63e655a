/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both text formats, and which of the two is asked for. */
#include "base/metrics-text.h"

#include <string.h>

static const char *const by_tenant[] = { "path", "tenant_id", NULL };
static const gint64 bounds[] = { 500000, 1000000, 2500000 };

static ReeveMetrics *
make_metrics (void)
{
  ReeveMetrics *metrics = reeve_metrics_new ("reeve");
  ReeveMetric *counter
      = reeve_metrics_add (metrics, &(ReeveMetricSetup){ .name = "sent_bytes",
                                                         .help = "What \"we\" sent\\\n(in all",
                                                         .unit = "bytes",
                                                         .labels = by_tenant });
  ReeveMetric *histogram
      = reeve_metrics_add (metrics, &(ReeveMetricSetup){ .name = "took_seconds",
                                                         .help = "Time",
                                                         .unit = "seconds",
                                                         .kind = REEVE_METRIC_HISTOGRAM,
                                                         .scale = 1e-6,
                                                         .bounds = bounds,
                                                         .n_bounds = G_N_ELEMENTS (bounds) });

  reeve_metrics_count (counter, 7, REEVE_LABELS ("a\"b\\c\n:", "one"));
  reeve_metrics_count (counter, 8, REEVE_LABELS ("/", "two"));
  reeve_metrics_observe (histogram, 100000, REEVE_LABELS (NULL));
  reeve_metrics_observe (histogram, 1000000, REEVE_LABELS (NULL));
  reeve_metrics_observe (histogram, 9000000, REEVE_LABELS (NULL));
  return metrics;
}

#define OVERFLOWS_HELP                                                                             \
  "Counts that went to the value other, because a label has as many values as it may\n"

static void
test_text_prometheus (void)
{
  g_autoptr (ReeveMetrics) metrics = make_metrics ();
  g_autofree char *text
      = reeve_metrics_text_format (metrics, REEVE_METRICS_TEXT_PROMETHEUS, NULL, NULL);

  g_assert_cmpstr (text, ==,
                   "# HELP reeve_metrics_label_overflows_total " OVERFLOWS_HELP
                   "# TYPE reeve_metrics_label_overflows_total counter\n"
                   "# HELP reeve_sent_bytes_total What \"we\" sent\\\\\\n(in all\n"
                   "# TYPE reeve_sent_bytes_total counter\n"
                   "reeve_sent_bytes_total{path=\"a\\\"b\\\\c\\n:\",tenant_id=\"one\"} 7\n"
                   "reeve_sent_bytes_total{path=\"/\",tenant_id=\"two\"} 8\n"
                   "# HELP reeve_took_seconds Time\n"
                   "# TYPE reeve_took_seconds histogram\n"
                   "reeve_took_seconds_bucket{le=\"0.5\"} 1\n"
                   "reeve_took_seconds_bucket{le=\"1.0\"} 2\n"
                   "reeve_took_seconds_bucket{le=\"2.5\"} 2\n"
                   "reeve_took_seconds_bucket{le=\"+Inf\"} 3\n"
                   "reeve_took_seconds_sum 10.1\n"
                   "reeve_took_seconds_count 3\n");
}

static void
test_text_openmetrics (void)
{
  g_autoptr (ReeveMetrics) metrics = make_metrics ();
  g_autofree char *text
      = reeve_metrics_text_format (metrics, REEVE_METRICS_TEXT_OPENMETRICS, NULL, NULL);

  g_assert_nonnull (strstr (text, "# HELP reeve_sent_bytes What \\\"we\\\" sent\\\\\\n(in all\n"
                                  "# TYPE reeve_sent_bytes counter\n"
                                  "# UNIT reeve_sent_bytes bytes\n"
                                  "reeve_sent_bytes_total{"));
  g_assert_nonnull (strstr (text, "# UNIT reeve_took_seconds seconds\n"));
  g_assert_true (g_str_has_suffix (text, "reeve_took_seconds_count 3\n# EOF\n"));
}

/* OpenTelemetry's names: no prefix, no points, the unit behind; one in braces is none */
static void
test_text_convention (void)
{
  static const char *const labels[] = { "gen_ai.token.type", NULL };
  g_autoptr (ReeveMetrics) metrics = reeve_metrics_new ("reeve");
  ReeveMetric *tokens = reeve_metrics_add (metrics, &(ReeveMetricSetup){ .name = "a.tokens.usage",
                                                                         .unit = "tokens",
                                                                         .kind = REEVE_METRIC_GAUGE,
                                                                         .labels = labels,
                                                                         .convention = TRUE });
  ReeveMetric *time = reeve_metrics_add (metrics, &(ReeveMetricSetup){ .name = "a.duration",
                                                                       .unit = "seconds",
                                                                       .kind = REEVE_METRIC_GAUGE,
                                                                       .convention = TRUE });
  g_autofree char *text = NULL;

  reeve_metrics_set (tokens, 7, REEVE_LABELS ("input"));
  reeve_metrics_set (time, 3, REEVE_LABELS (NULL));
  text = reeve_metrics_text_format (metrics, REEVE_METRICS_TEXT_OPENMETRICS, NULL, NULL);
  g_assert_nonnull (strstr (text, "# TYPE a_tokens_usage gauge\n"
                                  "a_tokens_usage{gen_ai_token_type=\"input\"} 7\n"));
  g_assert_nonnull (strstr (text, "# TYPE a_duration_seconds gauge\n"
                                  "# UNIT a_duration_seconds seconds\n"
                                  "a_duration_seconds 3\n"));
}

/* what others count, and what nobody's label says, is not shown */
static void
test_text_tenant (void)
{
  g_autoptr (ReeveMetrics) metrics = make_metrics ();
  g_autofree char *text
      = reeve_metrics_text_format (metrics, REEVE_METRICS_TEXT_PROMETHEUS, "tenant_id", "two");

  g_assert_cmpstr (text, ==,
                   "# HELP reeve_sent_bytes_total What \"we\" sent\\\\\\n(in all\n"
                   "# TYPE reeve_sent_bytes_total counter\n"
                   "reeve_sent_bytes_total{path=\"/\",tenant_id=\"two\"} 8\n");
}

static void
test_text_choose (void)
{
  static const struct
  {
    const char *accept;
    gboolean open;
  } rows[] = {
    { NULL, FALSE },
    { "", FALSE },
    { "*/*", FALSE },
    { ",;,;;q", FALSE },
    { "text/plain", FALSE },
    { "application/openmetrics-text", TRUE },
    { "application/openmetrics-text; version=1.0.0; charset=utf-8", TRUE },
    { "Application/OpenMetrics-Text;version=0.0.1", TRUE },
    { "application/openmetrics-text;version=2.0.0", FALSE },
    { "application/openmetrics-text;q=0", FALSE },
    { "application/openmetrics-text;q=x", FALSE },
    { "text/plain;q=0.6,application/openmetrics-text;q=0.5", FALSE },
    { "text/plain;q=0.5,application/openmetrics-text;q=0.5", TRUE },
    /* as Prometheus 2.42 asks */
    { "application/openmetrics-text;version=1.0.0,application/"
      "openmetrics-text;version=0.0.1;q=0.75,"
      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      TRUE },
    /* as Prometheus 3 asks */
    { "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;"
      "version=1.0.0;escaping=allow-utf-8;q=0.3,*/*;q=0.1",
      TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpint (reeve_metrics_text_choose (rows[i].accept), ==,
                     rows[i].open ? REEVE_METRICS_TEXT_OPENMETRICS : REEVE_METRICS_TEXT_PROMETHEUS);
  g_assert_cmpstr (reeve_metrics_text_get_media_type (REEVE_METRICS_TEXT_PROMETHEUS), ==,
                   "text/plain; version=0.0.4; charset=utf-8");
  g_assert_cmpstr (reeve_metrics_text_get_media_type (REEVE_METRICS_TEXT_OPENMETRICS), ==,
                   "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics-text/prometheus", test_text_prometheus);
  g_test_add_func ("/metrics-text/convention", test_text_convention);
  g_test_add_func ("/metrics-text/openmetrics", test_text_openmetrics);
  g_test_add_func ("/metrics-text/tenant", test_text_tenant);
  g_test_add_func ("/metrics-text/choose", test_text_choose);
  return g_test_run ();
}
