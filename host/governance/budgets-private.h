/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of ReeveBudgets share: budgets.c (the gate's part), budgets-check.c (asking
 * before), budgets-records.c (changes), budgets-load.c (start). */
#pragma once

#include "budget-leases.h"
#include "budgets.h"

G_BEGIN_DECLS

struct _ReeveBudgets
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveLedger *ledger;
  JsonObject *org; /* (nullable): limits of the configuration */
  ReevePrices *prices;
  ReeveBudgetLeases *leases; /* (nullable): of the platform's budget */
  GMutex lock;
  GHashTable *books; /* tenant id -> ReeveBudgetBook */
};

/* (transfer full) (nullable) */
ReeveBudgetBook *reeve_budgets_find_book (ReeveBudgets *self, const char *tenant_id);
/* (transfer full) makes an empty one where there is none */
ReeveBudgetBook *reeve_budgets_need_book (ReeveBudgets *self, const char *tenant_id);
/* (transfer full) (element-type ReeveBudgetBook): of all tenants that are known */
GPtrArray *reeve_budgets_list_books (gpointer user_data);
/* A tenant of which nothing is known has no part in what the platform may spend. */
gboolean reeve_budgets_is_free (ReeveBudgets *self, GError **error);
/* (transfer full) (nullable): the tenant's budget of the configuration */
ReeveBudget *reeve_budgets_new_configured (ReeveBudgets *self);
/* Sets what its counters say. Blocks. */
gboolean reeve_budgets_read_counters (ReeveBudgets *self, ReeveBudgetBook *book,
                                      ReeveBudget *budget, GError **error);
/* Blocks. */
gboolean reeve_budgets_save_book (ReeveBudgets *self, ReeveBudgetBook *book, gboolean even_nothing,
                                  GError **error);

G_END_DECLS
