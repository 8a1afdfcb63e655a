/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of things named by a few strings: read without a lock, only ever added to, of a fixed
 * size. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_METRICS_TABLE_MAX_VALUES 8

typedef struct _ReeveMetricsTable ReeveMetricsTable;

/* What is in a table begins with this. */
typedef struct
{
  guint32 hash;
  guint length;
  char **values; /* NULL-terminated */
} ReeveMetricsKey;

/* most: how many it takes; length: how many strings name one; free_func: of an element, which frees
 * the key's values too (reeve_metrics_table_key_clear()) */
ReeveMetricsTable *reeve_metrics_table_new (guint most, guint length, GDestroyNotify free_func);
void reeve_metrics_table_free (ReeveMetricsTable *self);
/* (nullable). Any thread, without a lock and without an allocation. */
gpointer reeve_metrics_table_lookup (ReeveMetricsTable *self, const char *const *values);
/* One thread at a time. FALSE: it is full. (transfer full) when TRUE; element: its key is filled in
 * by reeve_metrics_table_key_init() and not in the table yet. */
gboolean reeve_metrics_table_add (ReeveMetricsTable *self, gpointer element);
gboolean reeve_metrics_table_is_full (ReeveMetricsTable *self);
/* How many there are; the element of each place below that number stays what it is. Any thread. */
guint reeve_metrics_table_get_length (ReeveMetricsTable *self);
gpointer reeve_metrics_table_get (ReeveMetricsTable *self, guint place);

void reeve_metrics_table_key_init (ReeveMetricsKey *key, const char *const *values, guint length);
void reeve_metrics_table_key_clear (ReeveMetricsKey *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveMetricsTable, reeve_metrics_table_free)

G_END_DECLS
