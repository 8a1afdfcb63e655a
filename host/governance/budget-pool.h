/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveBudgetPool: the platform's limits, and what no tenant has been given of them when somebody
 * looked last. Reference-counted; any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveBudgetPool ReeveBudgetPool;

/* REEVE_BUDGET_NONE: no such limit */
ReeveBudgetPool *reeve_budget_pool_new (gint64 token_limit, gint64 cost_limit);
ReeveBudgetPool *reeve_budget_pool_ref (ReeveBudgetPool *self);
void reeve_budget_pool_unref (ReeveBudgetPool *self);
gint64 reeve_budget_pool_get_token_limit (ReeveBudgetPool *self);
gint64 reeve_budget_pool_get_cost_limit (ReeveBudgetPool *self);
/* Of a period; one that nobody has seen yet has all of it. Where there is no limit, nothing is
 * said. tokens, cost (nullable) */
void reeve_budget_pool_get_left (ReeveBudgetPool *self, gint64 period, gint64 *tokens,
                                 gint64 *cost);
gboolean reeve_budget_pool_has (ReeveBudgetPool *self, gint64 period, gint64 tokens, gint64 cost);
void reeve_budget_pool_set_left (ReeveBudgetPool *self, gint64 period, gint64 tokens, gint64 cost);
/* With that, what tenants hold and have not spent: it may come back. */
void reeve_budget_pool_get_hope (ReeveBudgetPool *self, gint64 period, gint64 *tokens,
                                 gint64 *cost);
/* Nobody has anything to give until then: monotonic µs. So much tenants have not spent. */
void reeve_budget_pool_set_dry (ReeveBudgetPool *self, gint64 until, gint64 tokens_held,
                                gint64 cost_held);
gboolean reeve_budget_pool_is_dry (ReeveBudgetPool *self, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveBudgetPool, reeve_budget_pool_unref)

G_END_DECLS
