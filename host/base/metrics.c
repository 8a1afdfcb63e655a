/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of label values and of series are only added to, so that whoever counts needs no lock;
 * what is added is added under one. Cells are added to with relaxed atomics: on the few threads of
 * a host that is cheaper than a cell for each, and it is exact. */
#include "metrics.h"

#include "metrics-table.h"

#include <math.h>
#include <string.h>

#define REEVE_METRICS_MAX_SERIES 1000
#define REEVE_METRICS_MAX_VALUES 200
/* series beyond max_series whose last label is "other": one for every so many */
#define REEVE_METRICS_SPARE 4

/* A label: the values that it may have. */
typedef struct
{
  char *name;
  ReeveMetricsTable *values; /* of ReeveMetricsKey */
} ReeveMetricsLabel;

typedef struct
{
  ReeveMetricsKey key;
  gint64 began;
  gint64 value;     /* atomic; of a histogram: the sum */
  guint64 counts[]; /* atomic; of a histogram */
} ReeveMetricSeries;

struct _ReeveMetric
{
  ReeveMetrics *registry; /* not owned */
  char *name;
  char *full; /* as it is shown */
  char *help;
  char *unit;
  ReeveMetricKind kind;
  char **labels;
  char **attributes;                                  /* (nullable): of a convention */
  ReeveMetricsLabel *known[REEVE_METRICS_MAX_LABELS]; /* of the registry */
  guint n_labels;
  guint max_series;
  double scale;
  double per; /* where that is less than 1: its reciprocal. x / 1e6 is exact, x * 1e-6 is not */
  gint64 *bounds;
  double *shown; /* bounds in units */
  guint n_bounds;
  ReeveMetricsTable *series;
};

typedef struct
{
  ReeveMetricsCollect collect;
  gpointer user_data;
} ReeveMetricsCollector;

struct _ReeveMetrics
{
  gatomicrefcount references;
  char *prefix;
  GMutex lock;         /* of what is added */
  GPtrArray *families; /* (element-type ReeveMetric) */
  GHashTable *labels;  /* name -> ReeveMetricsLabel */
  GArray *collectors;
  guint collecting; /* readers whose collectors run */
  GCond collected;
  ReeveMetric *overflows;
};

static const char *const reeve_metrics_no_values[] = { NULL };

static ReeveMetricSeries *reeve_metrics_family_find (ReeveMetric *self, const char *const *given);

/* ---- making ---- */

static void
reeve_metrics_label_free (gpointer data)
{
  ReeveMetricsLabel *self = data;

  g_free (self->name);
  reeve_metrics_table_free (self->values);
  g_free (self);
}

static void
reeve_metrics_value_free (gpointer data)
{
  reeve_metrics_table_key_clear (data);
  g_free (data);
}

static void
reeve_metrics_family_free (gpointer data)
{
  ReeveMetric *self = data;

  g_free (self->name);
  g_free (self->full);
  g_free (self->help);
  g_free (self->unit);
  g_strfreev (self->labels);
  g_strfreev (self->attributes);
  g_free (self->bounds);
  g_free (self->shown);
  reeve_metrics_table_free (self->series);
  g_free (self);
}

/**
 * reeve_metrics_new:
 * @prefix: what names begin with where they are shown; the `_` behind it may be a part of it
 *
 * Returns: (transfer full): a registry with the counter of its own overflows
 */
ReeveMetrics *
reeve_metrics_new (const char *prefix)
{
  static const char *const labels[] = { "label", NULL };
  const ReeveMetricSetup overflows = {
    .name = "metrics_label_overflows",
    .help = "Counts that went to the value other, because a label has as many values as it may",
    .kind = REEVE_METRIC_COUNTER,
    .labels = labels,
  };
  ReeveMetrics *self = g_new0 (ReeveMetrics, 1);

  g_atomic_ref_count_init (&self->references);
  self->prefix
      = g_strconcat (prefix, *prefix == '\0' || g_str_has_suffix (prefix, "_") ? "" : "_", NULL);
  g_mutex_init (&self->lock);
  g_cond_init (&self->collected);
  self->families = g_ptr_array_new_with_free_func (reeve_metrics_family_free);
  self->labels = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, reeve_metrics_label_free);
  self->collectors = g_array_new (FALSE, FALSE, sizeof (ReeveMetricsCollector));
  self->overflows = reeve_metrics_add (self, &overflows);
  return self;
}

ReeveMetrics *
reeve_metrics_ref (ReeveMetrics *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_metrics_unref (ReeveMetrics *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_ptr_array_unref (self->families);
  g_hash_table_unref (self->labels);
  g_array_unref (self->collectors);
  g_cond_clear (&self->collected);
  g_mutex_clear (&self->lock);
  g_free (self->prefix);
  g_free (self);
}

/* Locked. */
static ReeveMetricsLabel *
reeve_metrics_know_label (ReeveMetrics *self, const char *name, guint most)
{
  ReeveMetricsLabel *label = g_hash_table_lookup (self->labels, name);

  if (label == NULL)
    {
      label = g_new0 (ReeveMetricsLabel, 1);
      label->name = g_strdup (name);
      label->values = reeve_metrics_table_new (most, 1, reeve_metrics_value_free);
      g_hash_table_insert (self->labels, label->name, label);
    }
  return label;
}

/**
 * reeve_metrics_bound_label:
 * @self: a registry
 * @label: name of a label that no family has yet
 * @most: how many values are told apart, in all families together
 */
void
reeve_metrics_bound_label (ReeveMetrics *self, const char *label, guint most)
{
  g_mutex_lock (&self->lock);
  reeve_metrics_know_label (self, label, most);
  g_mutex_unlock (&self->lock);
}

static double
reeve_metrics_family_scale (ReeveMetric *self, gint64 value)
{
  return self->scale < 1 ? (double) value / self->per : (double) value * self->scale;
}

static void
reeve_metrics_family_set_bounds (ReeveMetric *self, const ReeveMetricSetup *setup)
{
  if (setup->kind != REEVE_METRIC_HISTOGRAM)
    return;
  self->n_bounds = setup->n_bounds;
  self->bounds = g_memdup2 (setup->bounds, setup->n_bounds * sizeof *setup->bounds);
  self->shown = g_new0 (double, setup->n_bounds);
  for (guint i = 0; i < setup->n_bounds; i++)
    self->shown[i] = reeve_metrics_family_scale (self, setup->bounds[i]);
}

/* Names of a convention have points where those in text must not. The suffix is what OpenTelemetry
 * prescribes for Prometheus; a unit in braces, such as {token}, has none. */
static void
reeve_metrics_family_set_names (ReeveMetric *self, const ReeveMetricSetup *setup)
{
  gboolean suffix = g_strcmp0 (setup->unit, "seconds") == 0;

  self->name = g_strdup (setup->name);
  self->labels = setup->labels != NULL ? g_strdupv ((char **) setup->labels) : g_new0 (char *, 1);
  self->n_labels = g_strv_length (self->labels);
  if (!setup->convention)
    {
      self->full = g_strconcat (self->registry->prefix, setup->name, NULL);
      return;
    }
  self->full = g_strconcat (setup->name, suffix ? "_seconds" : NULL, NULL);
  g_strdelimit (self->full, ".", '_');
  self->attributes = g_strdupv (self->labels);
  for (guint i = 0; i < self->n_labels; i++)
    g_strdelimit (self->labels[i], ".", '_');
}

/**
 * reeve_metrics_add:
 * @self: a registry
 * @setup: a family of a name that there is not yet, with at most %REEVE_METRICS_MAX_LABELS labels
 *
 * A family without labels has its point from the start.
 *
 * Returns: (transfer none): the family, to be counted in
 */
ReeveMetric *
reeve_metrics_add (ReeveMetrics *self, const ReeveMetricSetup *setup)
{
  ReeveMetric *metric = g_new0 (ReeveMetric, 1);
  guint spare = 0;

  metric->registry = self;
  reeve_metrics_family_set_names (metric, setup);
  metric->help = g_strdup (setup->help);
  metric->unit = g_strdup (setup->unit);
  metric->kind = setup->kind;
  g_assert (metric->n_labels <= REEVE_METRICS_MAX_LABELS);
  metric->max_series = metric->n_labels == 0   ? 1
                       : setup->max_series > 0 ? setup->max_series
                                               : REEVE_METRICS_MAX_SERIES;
  metric->scale = setup->scale > 0 ? setup->scale : 1;
  metric->per = metric->scale < 1 ? round (1 / metric->scale) : 1;
  reeve_metrics_family_set_bounds (metric, setup);
  /* those whose last label gave way, and the one where all did */
  spare = metric->n_labels > 0 ? metric->max_series / REEVE_METRICS_SPARE + 1 : 0;
  metric->series = reeve_metrics_table_new (metric->max_series + spare, metric->n_labels,
                                            reeve_metrics_value_free);
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->families->len; i++)
    g_assert (strcmp (((ReeveMetric *) self->families->pdata[i])->name, setup->name) != 0);
  for (guint i = 0; i < metric->n_labels; i++)
    metric->known[i] = reeve_metrics_know_label (self, metric->labels[i], REEVE_METRICS_MAX_VALUES);
  g_ptr_array_add (self->families, metric);
  g_mutex_unlock (&self->lock);
  if (metric->n_labels == 0)
    (void) reeve_metrics_family_find (metric, reeve_metrics_no_values);
  return metric;
}

/**
 * reeve_metrics_add_collector:
 * @self: a registry
 * @collect: brings gauges, and counters of what is counted elsewhere, up to date; waits for nothing
 * @user_data: for @collect
 */
void
reeve_metrics_add_collector (ReeveMetrics *self, ReeveMetricsCollect collect, gpointer user_data)
{
  const ReeveMetricsCollector collector = { .collect = collect, .user_data = user_data };

  g_mutex_lock (&self->lock);
  g_array_append_val (self->collectors, collector);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_metrics_drop_collectors:
 * @self: a registry
 *
 * Waits for those that run.
 */
void
reeve_metrics_drop_collectors (ReeveMetrics *self)
{
  g_mutex_lock (&self->lock);
  g_array_set_size (self->collectors, 0);
  while (self->collecting > 0)
    g_cond_wait (&self->collected, &self->lock);
  g_mutex_unlock (&self->lock);
}

/* ---- counting ---- */

/* @value where it is known or may become it, else "other". Without a lock. */
static const char *
reeve_metrics_label_look (ReeveMetricsLabel *self, const char *value, gboolean *known)
{
  const char *const values[] = { value, NULL };

  *known = reeve_metrics_table_lookup (self->values, values) != NULL
           || strcmp (value, REEVE_METRICS_OTHER) == 0;
  if (*known)
    return value;
  *known = reeve_metrics_table_is_full (self->values) || strlen (value) > REEVE_METRICS_MAX_VALUE
           || !g_utf8_validate (value, -1, NULL);
  return *known ? REEVE_METRICS_OTHER : value;
}

/* Locked. */
static const char *
reeve_metrics_label_learn (ReeveMetricsLabel *self, const char *value)
{
  const char *const values[] = { value, NULL };
  gboolean known = FALSE;
  const char *looked = reeve_metrics_label_look (self, value, &known);
  ReeveMetricsKey *key = NULL;

  if (known)
    return looked;
  key = g_new0 (ReeveMetricsKey, 1);
  reeve_metrics_table_key_init (key, values, 1);
  reeve_metrics_table_add (self->values, key);
  return value;
}

/* Locked. */
static ReeveMetricSeries *
reeve_metrics_family_make (ReeveMetric *self, const char *const *values)
{
  gsize counts = self->kind == REEVE_METRIC_HISTOGRAM ? self->n_bounds + 1 : 0;
  ReeveMetricSeries *series = g_malloc0 (sizeof *series + counts * sizeof (guint64));
  gboolean added = FALSE;

  reeve_metrics_table_key_init (&series->key, values, self->n_labels);
  series->began = g_get_real_time ();
  added = reeve_metrics_table_add (self->series, series);
  g_assert (added);
  return series;
}

/* (nullable): the series of @values; where there are as many as may be the last label gives way,
 * then all do. Without a lock. */
static ReeveMetricSeries *
reeve_metrics_family_look (ReeveMetric *self, const char **values)
{
  ReeveMetricSeries *series = reeve_metrics_table_lookup (self->series, values);
  guint length = reeve_metrics_table_get_length (self->series);

  if (series == NULL && length >= self->max_series && self->n_labels > 0)
    {
      values[self->n_labels - 1] = REEVE_METRICS_OTHER;
      series = reeve_metrics_table_lookup (self->series, values);
    }
  if (series == NULL && length >= self->max_series + self->max_series / REEVE_METRICS_SPARE)
    {
      for (guint i = 0; i < self->n_labels; i++)
        values[i] = REEVE_METRICS_OTHER;
      series = reeve_metrics_table_lookup (self->series, values);
    }
  return series;
}

/* What is not known yet. */
static ReeveMetricSeries *
reeve_metrics_family_learn (ReeveMetric *self, const char **values)
{
  ReeveMetricSeries *series = NULL;

  g_mutex_lock (&self->registry->lock);
  for (guint i = 0; i < self->n_labels; i++)
    values[i] = reeve_metrics_label_learn (self->known[i], values[i]);
  series = reeve_metrics_family_look (self, values);
  if (series == NULL)
    series = reeve_metrics_family_make (self, values);
  g_mutex_unlock (&self->registry->lock);
  return series;
}

static void
reeve_metrics_family_note_overflow (ReeveMetric *self, const char *const *given,
                                    const char *const *values)
{
  if (self == self->registry->overflows)
    return;
  for (guint i = 0; i < MIN (self->n_labels, REEVE_METRICS_MAX_LABELS); i++)
    if (g_strcmp0 (given[i], values[i]) != 0 && strcmp (values[i], REEVE_METRICS_OTHER) == 0)
      {
        const char *label[REEVE_METRICS_MAX_LABELS] = { self->labels[i] };

        reeve_metrics_count (self->registry->overflows, 1, label);
      }
}

static ReeveMetricSeries *
reeve_metrics_family_find (ReeveMetric *self, const char *const *given)
{
  const char *values[REEVE_METRICS_MAX_LABELS + 1] = { NULL };
  ReeveMetricSeries *series = NULL;
  gboolean all = TRUE;
  guint length = MIN (self->n_labels, REEVE_METRICS_MAX_LABELS);

  for (guint i = 0; i < length; i++)
    values[i] = given[i] != NULL ? given[i] : "";
  series = reeve_metrics_table_lookup (self->series, values);
  if (series != NULL)
    return series;
  for (guint i = 0; i < length; i++)
    {
      gboolean known = FALSE;

      values[i] = reeve_metrics_label_look (self->known[i], values[i], &known);
      all = all && known;
    }
  series = all ? reeve_metrics_family_look (self, values) : NULL;
  if (series == NULL)
    series = reeve_metrics_family_learn (self, values);
  reeve_metrics_family_note_overflow (self, given, values);
  return series;
}

/* What cannot be said any more stays where it is: a counter that began anew at the other end would
 * be read as one of a host that was started again. */
static void
reeve_metrics_series_add (ReeveMetricSeries *series, gint64 n)
{
  gint64 before = __atomic_load_n (&series->value, __ATOMIC_RELAXED);
  gint64 after = 0;

  do
    if (__builtin_add_overflow (before, n, &after))
      after = n > 0 ? G_MAXINT64 : G_MININT64;
  while (!__atomic_compare_exchange_n (&series->value, &before, after, TRUE, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED));
}

/**
 * reeve_metrics_count:
 * @self: a counter or a gauge
 * @n: how many more; of a gauge also how many less
 * @values: of the labels
 *
 * Held to the greatest and the least that 64 bits can say.
 */
void
reeve_metrics_count (ReeveMetric *self, gint64 n, const char *const *values)
{
  ReeveMetricSeries *series = NULL;

  g_return_if_fail (self->kind == REEVE_METRIC_GAUGE
                    || (self->kind == REEVE_METRIC_COUNTER && n >= 0));
  series = reeve_metrics_family_find (self, values);
  reeve_metrics_series_add (series, n);
}

/**
 * reeve_metrics_set:
 * @self: a gauge; or a counter of something that is counted elsewhere
 * @value: how many there are now
 * @values: of the labels
 */
void
reeve_metrics_set (ReeveMetric *self, gint64 value, const char *const *values)
{
  g_return_if_fail (self->kind != REEVE_METRIC_HISTOGRAM);
  __atomic_store_n (&reeve_metrics_family_find (self, values)->value, value, __ATOMIC_RELAXED);
}

/**
 * reeve_metrics_observe:
 * @self: a histogram
 * @value: one more value, in the unit that is counted in
 * @values: of the labels
 */
void
reeve_metrics_observe (ReeveMetric *self, gint64 value, const char *const *values)
{
  ReeveMetricSeries *series = NULL;
  guint bucket = 0;

  g_return_if_fail (self->kind == REEVE_METRIC_HISTOGRAM);
  series = reeve_metrics_family_find (self, values);
  while (bucket < self->n_bounds && value > self->bounds[bucket])
    bucket++;
  reeve_metrics_series_add (series, value);
  __atomic_fetch_add (&series->counts[bucket], 1, __ATOMIC_RELAXED);
}

/* ---- reading ---- */

/* @buckets: room for those of this point */
static void
reeve_metrics_family_read (ReeveMetric *self, guint place, ReeveMetricPoint *point,
                           guint64 *buckets)
{
  ReeveMetricSeries *series = reeve_metrics_table_get (self->series, place);
  double value
      = reeve_metrics_family_scale (self, __atomic_load_n (&series->value, __ATOMIC_RELAXED));

  point->values = (const char *const *) series->key.values;
  point->began = series->began;
  if (buckets == NULL)
    {
      point->value = value;
      return;
    }
  point->sum = value;
  point->buckets = buckets;
  for (guint i = 0; i <= self->n_bounds; i++)
    {
      buckets[i] = __atomic_load_n (&series->counts[i], __ATOMIC_RELAXED);
      point->count += buckets[i];
    }
}

static void
reeve_metrics_family_visit (ReeveMetric *self, ReeveMetricsVisit visit, gpointer user_data)
{
  const ReeveMetricInfo info = {
    .name = self->name,
    .shown = self->full,
    .help = self->help,
    .unit = self->unit,
    .kind = self->kind,
    .labels = (const char *const *) self->labels,
    .n_labels = self->n_labels,
    .attributes = (const char *const *) self->attributes,
    .bounds = self->shown,
    .n_bounds = self->n_bounds,
  };
  guint length = reeve_metrics_table_get_length (self->series);
  gsize width = self->n_bounds + 1;
  g_autofree ReeveMetricPoint *points = g_new0 (ReeveMetricPoint, MAX (length, 1));
  g_autofree guint64 *buckets
      = self->kind == REEVE_METRIC_HISTOGRAM ? g_new0 (guint64, width * MAX (length, 1)) : NULL;

  for (guint i = 0; i < length; i++)
    reeve_metrics_family_read (self, i, &points[i], buckets != NULL ? buckets + i * width : NULL);
  visit (&info, points, length, user_data);
}

static void
reeve_metrics_run_collectors (ReeveMetrics *self)
{
  g_autoptr (GArray) collectors = NULL;

  g_mutex_lock (&self->lock);
  collectors = g_array_copy (self->collectors);
  self->collecting++;
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < collectors->len; i++)
    {
      const ReeveMetricsCollector *collector
          = &g_array_index (collectors, ReeveMetricsCollector, i);

      collector->collect (collector->user_data);
    }
  g_mutex_lock (&self->lock);
  self->collecting--;
  g_cond_broadcast (&self->collected);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_metrics_visit:
 * @self: a registry
 * @visit: called once for each family
 * @user_data: for @visit
 *
 * A histogram's count is the sum of its buckets; its sum may be ahead of them by what is being
 * counted meanwhile.
 */
void
reeve_metrics_visit (ReeveMetrics *self, ReeveMetricsVisit visit, gpointer user_data)
{
  g_autoptr (GPtrArray) families = g_ptr_array_new ();

  reeve_metrics_run_collectors (self);
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->families->len; i++)
    g_ptr_array_add (families, self->families->pdata[i]);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < families->len; i++)
    reeve_metrics_family_visit (families->pdata[i], visit, user_data);
}
