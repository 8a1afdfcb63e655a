/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In how many seconds a budget may have again what it has not now. */
#pragma once

#include "budget.h"

G_BEGIN_DECLS

/* %REEVE_ERROR_WAIT_NEVER */
guint reeve_budget_wait_for_tokens (const ReeveBudget *budget, gint64 need, gint64 now);
/* The same for money, in nano-units. */
guint reeve_budget_wait_for_cost (const ReeveBudget *budget, gint64 need, gint64 now);
/* @other: (transfer full) (nullable): *@kept, which is told, waits for it too. */
void reeve_budget_wait_keep_longest (GError **kept, GError *other);

G_END_DECLS
