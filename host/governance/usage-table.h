/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUsageTable: what was used in one period, summed up by one member of the records and by
 * model. A plain value of one thread; its bytes lie in the tenant's store. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* what is told apart no more once a table has so many rows */
#define REEVE_USAGE_TABLE_ROWS  20000
#define REEVE_USAGE_TABLE_OTHER "@other"

/* Sums, but for the last two. New ones go before REEVE_USAGE_FIRST, and get a new version. */
typedef enum
{
  REEVE_USAGE_RECORDS,         /* outcomes, reads and refusals that were counted */
  REEVE_USAGE_API_CALLS,       /* asked from outside */
  REEVE_USAGE_RUNS,            /* executions of agents */
  REEVE_USAGE_MODEL_CALLS,     /* requests to models */
  REEVE_USAGE_TOOL_CALLS,      /* */
  REEVE_USAGE_REPORTS,         /* told by others */
  REEVE_USAGE_INPUT,           /* tokens */
  REEVE_USAGE_OUTPUT,          /* tokens */
  REEVE_USAGE_ESTIMATED,       /* those of them that the service did not count */
  REEVE_USAGE_COST,            /* 10^-9 units of the row's currency */
  REEVE_USAGE_INPUT_COST,      /* the part of it that is of the input */
  REEVE_USAGE_UNPRICED,        /* model calls whose price is not known */
  REEVE_USAGE_UNPRICED_TOKENS, /* tokens of those, and of reports without a price */
  REEVE_USAGE_RAG_QUERIES,     /* searches in documents */
  REEVE_USAGE_RUN_TIME,        /* µs, of runs */
  REEVE_USAGE_MODEL_TIME,      /* µs, of model calls */
  REEVE_USAGE_FAILED,          /* effects that failed, or of which nobody knows */
  REEVE_USAGE_REFUSED,         /* what the gate did not let through */
  REEVE_USAGE_FIRST,           /* number of the first record that was counted */
  REEVE_USAGE_LAST,            /* of the last */
  REEVE_USAGE_N_COUNTERS
} ReeveUsageCounter;

/**
 * ReeveUsageRow:
 * @value: what it is of: an agent, a user, …; empty: of none
 * @model: empty: of no model
 * @currency: empty: no price is known
 * @n: by #ReeveUsageCounter
 */
typedef struct
{
  const char *value;
  const char *model;
  const char *currency;
  gint64 n[REEVE_USAGE_N_COUNTERS];
} ReeveUsageRow;

typedef struct _ReeveUsageTable ReeveUsageTable;

/**
 * ReeveUsageChoice:
 * @value: (nullable): only rows of this value
 * @model: (nullable): only rows of this model
 * @flat: models are not told apart
 *
 * Which rows are meant.
 */
typedef struct
{
  const char *value;
  const char *model;
  gboolean flat;
} ReeveUsageChoice;

typedef void (*ReeveUsageTableFunc) (const ReeveUsageRow *row, gpointer user_data);

ReeveUsageTable *reeve_usage_table_new (void) G_GNUC_WARN_UNUSED_RESULT;
void reeve_usage_table_free (ReeveUsageTable *self);
/* Adds to the row of the same value, model and currency. */
void reeve_usage_table_add (ReeveUsageTable *self, const ReeveUsageRow *row);
/* @choice (nullable): all as they are */
void reeve_usage_table_merge (ReeveUsageTable *self, ReeveUsageTable *other,
                              const ReeveUsageChoice *choice);
/* In no order. */
void reeve_usage_table_foreach (ReeveUsageTable *self, ReeveUsageTableFunc func,
                                gpointer user_data);
guint reeve_usage_table_get_size (ReeveUsageTable *self);
/* (nullable) strings are borrowed */
const ReeveUsageRow *reeve_usage_table_find (ReeveUsageTable *self, const char *value,
                                             const char *model, const char *currency);
/* One row into another: sums, least and greatest. */
void reeve_usage_row_add (gint64 *to, const gint64 *n);

GBytes *reeve_usage_table_write (ReeveUsageTable *self) G_GNUC_WARN_UNUSED_RESULT;
/* Adds what was written to a table. %REEVE_ERROR_CORRUPT, and the table is of no use. */
gboolean reeve_usage_table_read (ReeveUsageTable *self, GBytes *bytes,
                                 const ReeveUsageChoice *choice, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveUsageTable, reeve_usage_table_free)

G_END_DECLS
