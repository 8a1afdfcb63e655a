/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry: counting from many threads, bounds of labels and series, collectors, reading. */
#include "base/metrics.h"

#include <reeve-plugin-1.h>

#include <string.h>

#define THREADS 4
#define ROUNDS  20000

static const char *const by_tenant[] = { "path", "tenant_id", NULL };

/* one family as it was read */
typedef struct
{
  const char *name;
  GString *text; /* "a|b=value " of each point */
  guint points;
  guint64 count;
  double sum;
} Seen;

static void
seen_visit (const ReeveMetricInfo *info, const ReeveMetricPoint *points, guint n_points,
            gpointer user_data)
{
  Seen *seen = user_data;

  if (strcmp (info->name, seen->name) != 0)
    return;
  seen->points = n_points;
  for (guint i = 0; i < n_points; i++)
    {
      g_autofree char *values = g_strjoinv ("|", (char **) points[i].values);

      g_assert_cmpint (points[i].began, >, 0);
      g_string_append_printf (seen->text, "%s=%g ", values, points[i].value);
      seen->count += points[i].count;
      seen->sum += points[i].sum;
      for (guint b = 0; info->kind == REEVE_METRIC_HISTOGRAM && b <= info->n_bounds; b++)
        g_string_append_printf (seen->text, "%" G_GUINT64_FORMAT ",", points[i].buckets[b]);
    }
}

static char *
read_family (ReeveMetrics *metrics, const char *name, Seen *out)
{
  Seen seen = { .name = name, .text = g_string_new (NULL) };

  reeve_metrics_visit (metrics, seen_visit, &seen);
  if (out != NULL)
    *out = seen;
  return g_string_free (seen.text, FALSE);
}

static void
assert_family (ReeveMetrics *metrics, const char *name, const char *expected)
{
  g_autofree char *text = read_family (metrics, name, NULL);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_metrics_kinds (void)
{
  static const gint64 bounds[] = { 500000, 1000000 };
  g_autoptr (ReeveMetrics) metrics = reeve_metrics_new ("reeve");
  ReeveMetric *counter = reeve_metrics_add (
      metrics,
      &(ReeveMetricSetup){ .name = "requests", .kind = REEVE_METRIC_COUNTER, .labels = by_tenant });
  ReeveMetric *plain = reeve_metrics_add (
      metrics, &(ReeveMetricSetup){ .name = "plain", .kind = REEVE_METRIC_COUNTER });
  ReeveMetric *gauge = reeve_metrics_add (
      metrics,
      &(ReeveMetricSetup){ .name = "age_seconds", .kind = REEVE_METRIC_GAUGE, .scale = 1e-6 });
  ReeveMetric *histogram = reeve_metrics_add (metrics, &(ReeveMetricSetup){
                                                           .name = "took_seconds",
                                                           .kind = REEVE_METRIC_HISTOGRAM,
                                                           .scale = 1e-6,
                                                           .bounds = bounds,
                                                           .n_bounds = G_N_ELEMENTS (bounds),
                                                       });
  Seen seen = { 0 };
  g_autofree char *text = NULL;

  /* without labels: there from the start */
  assert_family (metrics, "plain", "=0 ");
  assert_family (metrics, "requests", "");
  reeve_metrics_count (plain, 2, REEVE_LABELS (NULL));
  reeve_metrics_count (counter, 1, REEVE_LABELS ("/a", "t"));
  reeve_metrics_count (counter, 2, REEVE_LABELS ("/a", NULL));
  reeve_metrics_count (counter, 3, REEVE_LABELS ("/a", "t"));
  reeve_metrics_set (gauge, 1500000, REEVE_LABELS (NULL));
  reeve_metrics_count (gauge, -500000, REEVE_LABELS (NULL));
  assert_family (metrics, "plain", "=2 ");
  assert_family (metrics, "requests", "/a|t=4 /a|=2 ");
  assert_family (metrics, "age_seconds", "=1 ");
  /* a bound belongs to its bucket */
  reeve_metrics_observe (histogram, 500000, REEVE_LABELS (NULL));
  reeve_metrics_observe (histogram, 500001, REEVE_LABELS (NULL));
  reeve_metrics_observe (histogram, 3000000, REEVE_LABELS (NULL));
  text = read_family (metrics, "took_seconds", &seen);
  g_assert_cmpstr (text, ==, "=0 1,1,1,");
  g_assert_cmpuint (seen.count, ==, 3);
  g_assert_cmpfloat_with_epsilon (seen.sum, 4.000001, 1e-9);
}

/* tenants are told apart up to the bound, in all families the same ones */
static void
test_metrics_label_bound (void)
{
  g_autoptr (ReeveMetrics) metrics = reeve_metrics_new ("reeve");
  g_autofree char *longer = g_strnfill (REEVE_METRICS_MAX_VALUE + 1, 'x');
  ReeveMetric *one = NULL;
  ReeveMetric *two = NULL;

  reeve_metrics_bound_label (metrics, "tenant_id", 2);
  one = reeve_metrics_add (metrics, &(ReeveMetricSetup){ .name = "one", .labels = by_tenant });
  two = reeve_metrics_add (metrics, &(ReeveMetricSetup){ .name = "two", .labels = by_tenant });
  reeve_metrics_count (one, 1, REEVE_LABELS ("/a", "t1"));
  reeve_metrics_count (one, 1, REEVE_LABELS ("/a", "t2"));
  reeve_metrics_count (one, 1, REEVE_LABELS ("/a", "t3"));
  reeve_metrics_count (one, 1, REEVE_LABELS ("/a", "t4"));
  reeve_metrics_count (one, 1, REEVE_LABELS ("/a", REEVE_METRICS_OTHER));
  reeve_metrics_count (two, 1, REEVE_LABELS ("/a", "t3"));
  reeve_metrics_count (two, 1, REEVE_LABELS ("/a", "t2"));
  assert_family (metrics, "one", "/a|t1=1 /a|t2=1 /a|other=3 ");
  assert_family (metrics, "two", "/a|other=1 /a|t2=1 ");
  assert_family (metrics, "metrics_label_overflows", "tenant_id=3 ");
  /* what is no name */
  reeve_metrics_count (one, 1, REEVE_LABELS (longer, "t1"));
  reeve_metrics_count (one, 1, REEVE_LABELS ("\xff", "t1"));
  assert_family (metrics, "one", "/a|t1=1 /a|t2=1 /a|other=3 other|t1=2 ");
}

/* the last label gives way first, then all do */
static void
test_metrics_series_bound (void)
{
  g_autoptr (ReeveMetrics) metrics = reeve_metrics_new ("reeve");
  ReeveMetric *metric = reeve_metrics_add (
      metrics, &(ReeveMetricSetup){ .name = "one", .labels = by_tenant, .max_series = 4 });
  Seen seen = { 0 };
  g_autofree char *text = NULL;

  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *tenant = g_strdup_printf ("t%u", i);

      reeve_metrics_count (metric, 1, REEVE_LABELS ("/a", tenant));
    }
  reeve_metrics_count (metric, 1, REEVE_LABELS ("/a", "t4"));
  reeve_metrics_count (metric, 1, REEVE_LABELS ("/a", "t5"));
  reeve_metrics_count (metric, 1, REEVE_LABELS ("/b", "t5"));
  reeve_metrics_count (metric, 1, REEVE_LABELS ("/c", "t1"));
  reeve_metrics_count (metric, 1, REEVE_LABELS ("/a", "t1"));
  assert_family (metrics, "one", "/a|t0=1 /a|t1=2 /a|t2=1 /a|t3=1 /a|other=2 other|other=2 ");
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *path = g_strdup_printf ("/%u", i);

      reeve_metrics_count (metric, 1, REEVE_LABELS (path, path));
    }
  text = read_family (metrics, "one", &seen);
  g_assert_cmpuint (seen.points, ==, 6);
}

typedef struct
{
  ReeveMetric *counter;
  ReeveMetric *histogram;
} Load;

static gpointer
count_much (gpointer data)
{
  static const char *const tenants[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
  Load *load = data;

  for (guint i = 0; i < ROUNDS; i++)
    {
      reeve_metrics_count (load->counter, 1, REEVE_LABELS ("/a", tenants[i % 8]));
      reeve_metrics_observe (load->histogram, i % 4, REEVE_LABELS (NULL));
    }
  return NULL;
}

/* nothing is lost while others count and read */
static void
test_metrics_threads (void)
{
  static const gint64 bounds[] = { 0, 1, 2 };
  g_autoptr (ReeveMetrics) metrics = reeve_metrics_new ("reeve");
  Load load = { 0 };
  GThread *threads[THREADS] = { NULL };
  Seen seen = { 0 };
  g_autofree char *text = NULL;

  reeve_metrics_bound_label (metrics, "tenant_id", 6);
  load.counter
      = reeve_metrics_add (metrics, &(ReeveMetricSetup){ .name = "one", .labels = by_tenant });
  load.histogram
      = reeve_metrics_add (metrics, &(ReeveMetricSetup){ .name = "sizes",
                                                         .kind = REEVE_METRIC_HISTOGRAM,
                                                         .bounds = bounds,
                                                         .n_bounds = G_N_ELEMENTS (bounds) });
  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("count", count_much, &load);
  for (guint i = 0; i < 50; i++)
    g_free (read_family (metrics, "sizes", NULL));
  for (guint i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);
  text = read_family (metrics, "sizes", &seen);
  g_assert_cmpuint (seen.count, ==, THREADS * ROUNDS);
  g_assert_cmpfloat (seen.sum, ==, THREADS * ROUNDS * 1.5);
  g_clear_pointer (&text, g_free);
  text = read_family (metrics, "one", &seen);
  g_assert_cmpuint (seen.points, ==, 7);
  g_assert_nonnull (strstr (text, "/a|other=20000 "));
  assert_family (metrics, "metrics_label_overflows", "tenant_id=20000 ");
}

static void
collect (gpointer user_data)
{
  ReeveMetric *gauge = user_data;

  reeve_metrics_count (gauge, 1, REEVE_LABELS (NULL));
}

static void
test_metrics_collectors (void)
{
  g_autoptr (ReeveMetrics) metrics = reeve_metrics_new ("reeve");
  ReeveMetric *gauge = reeve_metrics_add (
      metrics, &(ReeveMetricSetup){ .name = "depth", .kind = REEVE_METRIC_GAUGE });

  reeve_metrics_add_collector (metrics, collect, gauge);
  assert_family (metrics, "depth", "=1 ");
  assert_family (metrics, "depth", "=2 ");
  reeve_metrics_drop_collectors (metrics);
  assert_family (metrics, "depth", "=2 ");
}

/* Beyond the end nothing begins anew. */
static void
test_metrics_ends (void)
{
  const gint64 few[] = { 1 };
  g_autofree char *text = NULL;
  Seen seen = { 0 };
  g_autoptr (ReeveMetrics) metrics = reeve_metrics_new ("reeve");
  ReeveMetric *cost = reeve_metrics_add (metrics, &(ReeveMetricSetup){ .name = "cost" });
  ReeveMetric *level = reeve_metrics_add (
      metrics, &(ReeveMetricSetup){ .name = "level", .kind = REEVE_METRIC_GAUGE });
  ReeveMetric *times = reeve_metrics_add (
      metrics, &(ReeveMetricSetup){
                   .name = "times", .kind = REEVE_METRIC_HISTOGRAM, .bounds = few, .n_bounds = 1 });

  reeve_metrics_count (cost, G_MAXINT64 - 1, REEVE_LABELS (NULL));
  reeve_metrics_count (cost, 1, REEVE_LABELS (NULL));
  reeve_metrics_count (cost, 1, REEVE_LABELS (NULL));
  reeve_metrics_count (cost, G_MAXINT64, REEVE_LABELS (NULL));
  assert_family (metrics, "cost", "=9.22337e+18 ");
  reeve_metrics_count (level, G_MININT64, REEVE_LABELS (NULL));
  reeve_metrics_count (level, -1, REEVE_LABELS (NULL));
  assert_family (metrics, "level", "=-9.22337e+18 ");
  reeve_metrics_count (level, 1, REEVE_LABELS (NULL));
  reeve_metrics_count (level, G_MAXINT64, REEVE_LABELS (NULL));
  assert_family (metrics, "level", "=0 ");
  for (guint i = 0; i < 2; i++)
    reeve_metrics_observe (times, G_MAXINT64, REEVE_LABELS (NULL));
  assert_family (metrics, "times", "=0 0,2,");
  text = read_family (metrics, "times", &seen);
  g_assert_true (seen.sum > 9.2e18);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics/kinds", test_metrics_kinds);
  g_test_add_func ("/metrics/label-bound", test_metrics_label_bound);
  g_test_add_func ("/metrics/series-bound", test_metrics_series_bound);
  g_test_add_func ("/metrics/ends", test_metrics_ends);
  g_test_add_func ("/metrics/threads", test_metrics_threads);
  g_test_add_func ("/metrics/collectors", test_metrics_collectors);
  return g_test_run ();
}
