/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveMetrics: what the host counts about itself. One registry holds families; a family has a name
 * and labels, and one series for each set of label values.
 *
 * Counting: reeve_metrics_count() and its like, any thread. Known label values cost a lookup
 * without a lock and an atomic addition; nothing is allocated. Values are integers in the unit that
 * the family declares (microseconds, bytes) and are multiplied by its scale when they are read.
 *
 * Bounds: each label name has room for so many values in the whole registry, and each family for so
 * many series. A value beyond that, one that is no UTF-8 and one that is too long is counted as
 * "other"; how often that was the case is a counter itself (metrics_label_overflows).
 *
 * Reading (text, JSON, OTLP): reeve_metrics_visit() calls back once for each family with all of its
 * points. Collectors run before: they bring up to date what is only looked at (queues, memory).
 *
 * Nothing is ever removed from a registry. It knows nothing of what is counted. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_METRICS_OTHER      "other"
#define REEVE_METRICS_MAX_LABELS 8
#define REEVE_METRICS_MAX_VALUE  128 /* bytes of a label's value */

typedef struct _ReeveMetrics ReeveMetrics; /* reference-counted */
typedef struct _ReeveMetric ReeveMetric;   /* a family; lives as long as its registry */

typedef enum
{
  REEVE_METRIC_COUNTER,  /* only grows; Prometheus adds _total to its name */
  REEVE_METRIC_GAUGE,    /* goes up and down */
  REEVE_METRIC_HISTOGRAM /* counts values by size */
} ReeveMetricKind;

/* What a family is; everything is copied. */
typedef struct
{
  const char *name; /* snake case, without prefix and without _total; ends with its unit */
  const char *help; /* one sentence without a full stop */
  const char *unit; /* (nullable): seconds, bytes, ratio … as the name says */
  ReeveMetricKind kind;
  const char *const *labels; /* (nullable): their names, NULL-terminated */
  guint max_series;          /* 0: 1 without labels, else 1000 */
  double scale;              /* of one that is counted, in units: 1e-6 for µs; 0: 1 */
  const gint64 *bounds;      /* histogram: highest value of each bucket, ascending, as counted */
  guint n_bounds;
  gboolean convention; /* name and labels are those of OpenTelemetry's conventions, with points and
                          without a unit: no prefix is put before it, and in text, where points may
                          not be, they are underscores, and its unit is put behind it */
} ReeveMetricSetup;

/* ---- making ---- */
/* prefix: what names begin with where they are shown, "reeve" */
ReeveMetrics *reeve_metrics_new (const char *prefix) G_GNUC_WARN_UNUSED_RESULT;
ReeveMetrics *reeve_metrics_ref (ReeveMetrics *self);
void reeve_metrics_unref (ReeveMetrics *self);
/* How many values a label may have before the others are "other"; before its first family. Else
 * 200. */
void reeve_metrics_bound_label (ReeveMetrics *self, const char *label, guint most);
/* (transfer none) A name that is taken is a programming error. */
ReeveMetric *reeve_metrics_add (ReeveMetrics *self, const ReeveMetricSetup *setup);
/* Called before each reading, on the reader's thread, be it on two at once; must not block. */
typedef void (*ReeveMetricsCollect) (gpointer user_data);
void reeve_metrics_add_collector (ReeveMetrics *self, ReeveMetricsCollect collect,
                                  gpointer user_data);
/* What collectors look at goes away: none is called any more once this has returned. */
void reeve_metrics_drop_collectors (ReeveMetrics *self);

/* ---- counting: values: as many strings as there are labels, NULL is "" ---- */
/* The values of labels: reeve_metrics_count (metric, 1, REEVE_LABELS ("GET", "200")) */
#define REEVE_LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* counter: n is not negative; gauge */
void reeve_metrics_count (ReeveMetric *self, gint64 n, const char *const *values);
/* gauge; a counter too, by collectors, of something that only grows */
void reeve_metrics_set (ReeveMetric *self, gint64 value, const char *const *values);
/* histogram */
void reeve_metrics_observe (ReeveMetric *self, gint64 value, const char *const *values);

/* ---- reading ---- */
typedef struct
{
  const char *name;  /* without prefix */
  const char *shown; /* as it is shown: with it */
  const char *help;
  const char *unit; /* (nullable) */
  ReeveMetricKind kind;
  const char *const *labels; /* NULL-terminated */
  guint n_labels;
  const char *const *attributes; /* (nullable): of a convention: what it calls them */
  const double *bounds;          /* histogram: in units */
  guint n_bounds;
} ReeveMetricInfo;

typedef struct
{
  const char *const *values; /* of the labels, NULL-terminated */
  gint64 began;              /* µs since the epoch: when the series was new */
  double value;              /* counter, gauge: in units */
  guint64 count;             /* histogram: how many */
  double sum;                /* histogram: of all, in units */
  const guint64 *buckets;    /* histogram: n_bounds + 1, each by itself; the last is beyond */
} ReeveMetricPoint;

/* Everything is the caller's during the call only. No lock is held. */
typedef void (*ReeveMetricsVisit) (const ReeveMetricInfo *info, const ReeveMetricPoint *points,
                                   guint n_points, gpointer user_data);
/* Families in the order they were added, also those without a point yet. Any thread. */
void reeve_metrics_visit (ReeveMetrics *self, ReeveMetricsVisit visit, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveMetrics, reeve_metrics_unref)

G_END_DECLS
