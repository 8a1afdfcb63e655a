/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveBudgetMoney: what a budget has spent and reserved of money in its period, in each currency
 * by itself. Nothing is ever converted. No lock of its own. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* of which nobody knows: written before currencies were. It counts in each. */
#define REEVE_BUDGET_MONEY_ANY ""

typedef struct
{
  char currency[4]; /* ISO 4217 */
  gint64 used;      /* nano-units */
  gint64 reserved;
} ReeveBudgetAmount;

typedef struct
{
  ReeveBudgetAmount *rows;
  guint n;
} ReeveBudgetMoney;

void reeve_budget_money_clear (ReeveBudgetMoney *self);
void reeve_budget_money_copy (ReeveBudgetMoney *self, const ReeveBudgetMoney *from);
/* (nullable): the row of that currency alone */
ReeveBudgetAmount *reeve_budget_money_find (const ReeveBudgetMoney *self, const char *currency);
/* The same; where there is none, one of nothing. Holds until the next call. */
ReeveBudgetAmount *reeve_budget_money_need (ReeveBudgetMoney *self, const char *currency);
/* Both with what may be of that currency too: %REEVE_BUDGET_MONEY_ANY. */
gint64 reeve_budget_money_get_used (const ReeveBudgetMoney *self, const char *currency);
gint64 reeve_budget_money_get_reserved (const ReeveBudgetMoney *self, const char *currency);
/* What another one has spent and reserved is spent here, unless so much is already. */
void reeve_budget_money_carry (ReeveBudgetMoney *self, const ReeveBudgetMoney *old);

G_END_DECLS
