/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveBudgetLeases: hands tenants slices of the platform's budget, and takes back what they do not
 * use. One thread of its own does all that blocks. */
#pragma once

#include "budget-book.h"
#include "ledger.h"
#include "store/store.h"

G_BEGIN_DECLS

typedef struct _ReeveBudgetLeases ReeveBudgetLeases;

/* (transfer full) (element-type ReeveBudgetBook) of all tenants */
typedef GPtrArray *(*ReeveBudgetLeasesList) (gpointer user_data);

/* limits: {token_limit?, cost_limit?, reset_period_days?, alert_at?}. NULL without an error: there
 * is no limit. */
ReeveBudgetLeases *reeve_budget_leases_new (ReeveStore *store, ReeveLedger *ledger,
                                            JsonObject *limits, ReeveBudgetLeasesList list,
                                            gpointer user_data, GError **error);
/* Blocks until its thread has ended. */
void reeve_budget_leases_free (ReeveBudgetLeases *self);
/* (transfer full) a tenant's budget with an empty slice */
ReeveBudget *reeve_budget_leases_new_budget (ReeveBudgetLeases *self);
/* At start, when the books are read: what an earlier host gave and nobody spent comes back. Blocks.
 */
gboolean reeve_budget_leases_start (ReeveBudgetLeases *self, GError **error);
/* Nothing is given any more; what is not used comes back. Blocks. */
void reeve_budget_leases_stop (ReeveBudgetLeases *self);
/* A tenant that goes takes nothing along but what it spent. Any thread. */
void reeve_budget_leases_let_go (ReeveBudgetLeases *self, ReeveBudgetBook *book);
/* Any thread: so much was just reserved, at @now. Refills ahead where it is needed. */
void reeve_budget_leases_note (ReeveBudgetLeases *self, ReeveBudgetBook *book, gint64 tokens,
                               gint64 cost, gint64 now);
/* Waits for a refill. Any thread; the callback comes in the caller's thread-default context. */
void reeve_budget_leases_refill_async (ReeveBudgetLeases *self, ReeveBudgetBook *book,
                                       gint64 tokens, gint64 cost, gint64 now,
                                       GAsyncReadyCallback callback, gpointer user_data);
/* FALSE: there is not so much; what the slice has is all there is. */
gboolean reeve_budget_leases_refill_finish (GAsyncResult *result);
/* (transfer full) limits, what is given and what of it is spent. Blocks. */
JsonObject *reeve_budget_leases_show (ReeveBudgetLeases *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveBudgetLeases, reeve_budget_leases_free)

G_END_DECLS
