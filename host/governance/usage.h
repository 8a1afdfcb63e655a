/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUsage: what tenants use, summed up from their logs. It follows each log: what it has added
 * and how far it is lie in one batch of the tenant's store, so a record is in the sums once and
 * nothing is written when something is used. */
#pragma once

#include "store/store.h"

#include "ledger.h"
#include "prices.h"
#include "usage-event.h"

G_BEGIN_DECLS

/* records that a question sums up at most before it is answered */
#define REEVE_USAGE_MOST 40000

#define REEVE_TYPE_USAGE (reeve_usage_get_type ())
G_DECLARE_FINAL_TYPE (ReeveUsage, reeve_usage, REEVE, USAGE, GObject)

/* What is asked. Strings are borrowed; NULL is no filter. */
typedef struct
{
  gint64 begin; /* µs; 0: from the first on */
  gint64 end;   /* µs; 0: until now */
  ReeveUsageSeries filter;
  const char *value; /* of @filter; NULL: all */
  const char *model;
  gboolean flat; /* models need not be told apart */
} ReeveUsageAsk;

/* The answer; begin and end are those of whole hours. */
typedef struct
{
  gint64 begin;
  gint64 end;
  gboolean complete; /* everything that is in the log is in it */
  guint64 skipped;   /* records that were dropped before they were summed up */
} ReeveUsageSpread;

/* prices of @budgets (nullable) */
ReeveUsage *reeve_usage_new (ReeveStore *store, ReeveLedger *ledger,
                             ReevePrices *prices) G_GNUC_WARN_UNUSED_RESULT;
/* A thread that follows all logs, so that questions find little to do. */
void reeve_usage_start (ReeveUsage *self);
void reeve_usage_stop (ReeveUsage *self);
/* Worker threads: blocks. Sums up at most @most records more. */
gboolean reeve_usage_catch_up (ReeveUsage *self, const char *tenant_id, guint64 most,
                               gboolean *complete, GError **error);
/* The same. Adds rows of @ask's filter to @table; catches up first. */
gboolean reeve_usage_sum (ReeveUsage *self, const char *tenant_id, const ReeveUsageAsk *ask,
                          ReeveUsageTable *table, ReeveUsageSpread *spread, GError **error);
/* The same, by whole hours or days: a table each; (element-type ReeveUsageTable), from
 * spread->begin on. %REEVE_ERROR_INVALID_ARGUMENT: more than REEVE_USAGE_MOST_PARTS. */
#define REEVE_USAGE_MOST_PARTS 800
GPtrArray *reeve_usage_sum_parts (ReeveUsage *self, const char *tenant_id, const ReeveUsageAsk *ask,
                                  gboolean days, ReeveUsageSpread *spread, GError **error);

G_END_DECLS
