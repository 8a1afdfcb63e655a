/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveBudgetLeasesRow: what the store keeps of one tenant's slice of the platform's budget. A row
 * and the platform's counters change in one batch. All functions block. */
#pragma once

#include "store/store.h"

#include "budget-book.h"

G_BEGIN_DECLS

/* What all rows have in common. */
typedef struct
{
  ReeveStore *store;
  char *host;
  gint64 epoch; /* number of this host's start: a row of a later one is not touched */
  gint64 days;  /* length of a period; counters are named by it */
  gint64 token_limit;
  gint64 cost_limit;
  char currency[4]; /* of it: each has a counter of its own */
} ReeveBudgetLeasesTable;

typedef struct
{
  const char *tenant_id;
  gint64 period;
  gint64 revision;
  gint64 created_at;
  gint64 tokens;       /* given to the tenant in the period */
  gint64 cost;         /* in the currency of the table */
  gint64 tokens_total; /* given to all tenants */
  gint64 cost_total;
  gint64 given_period; /* in which it was given something last, whatever @period is; -1: none */
} ReeveBudgetLeasesRow;

/* One more start of a host: sets @table's epoch. */
gboolean reeve_budget_leases_row_begin (ReeveBudgetLeasesTable *table, GError **error);
/* %REEVE_ERROR_UNAVAILABLE: another host was started since. */
gboolean reeve_budget_leases_row_read (const ReeveBudgetLeasesTable *table, const char *tenant_id,
                                       gint64 period, ReeveBudgetLeasesRow *row, GError **error);
/* Gives or takes back: so much is the tenant's from here on; what it has taken already needs no
 * leave of the limit. %REEVE_ERROR_OUT_OF_RANGE: there is not so much; %REEVE_ERROR_CONFLICT */
gboolean reeve_budget_leases_row_write (const ReeveBudgetLeasesTable *table,
                                        ReeveBudgetLeasesRow *row, const ReeveBudgetSlice *slice,
                                        gint64 tokens, gint64 cost, GError **error);
/* What a row gives of money in the currency of @table. */
gint64 reeve_budget_leases_row_get_cost (const ReeveBudgetLeasesTable *table, JsonObject *fields);
/* The tenant is gone: so is its row, and what it spent stays counted. */
gboolean reeve_budget_leases_row_end (const ReeveBudgetLeasesTable *table, const char *tenant_id,
                                      GError **error);

G_END_DECLS
