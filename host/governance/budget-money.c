/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A handful of rows, in the order in which currencies came: there are hardly ever two. A limit is
 * of one currency; that the others are counted too is why one that is set later finds the right
 * sum. */
#include "budget-money.h"

#include "budget.h"

#include <string.h>

/**
 * reeve_budget_money_clear:
 * @self: amounts, which are none from here on
 */
void
reeve_budget_money_clear (ReeveBudgetMoney *self)
{
  g_clear_pointer (&self->rows, g_free);
  self->n = 0;
}

/**
 * reeve_budget_money_copy:
 * @self: (out caller-allocates): what it was before is not freed
 * @from: amounts
 */
void
reeve_budget_money_copy (ReeveBudgetMoney *self, const ReeveBudgetMoney *from)
{
  self->n = from->n;
  self->rows = g_memdup2 (from->rows, from->n * sizeof *from->rows);
}

/**
 * reeve_budget_money_find:
 * @self: amounts
 * @currency: ISO 4217
 *
 * Returns: (transfer none) (nullable): what is of that currency for certain
 */
ReeveBudgetAmount *
reeve_budget_money_find (const ReeveBudgetMoney *self, const char *currency)
{
  for (guint i = 0; i < self->n; i++)
    if (strncmp (self->rows[i].currency, currency, sizeof self->rows[i].currency) == 0)
      return &self->rows[i];
  return NULL;
}

/**
 * reeve_budget_money_need:
 * @self: amounts
 * @currency: ISO 4217, or %REEVE_BUDGET_MONEY_ANY
 *
 * Returns: (transfer none): its row, until the next call
 */
ReeveBudgetAmount *
reeve_budget_money_need (ReeveBudgetMoney *self, const char *currency)
{
  ReeveBudgetAmount *row = reeve_budget_money_find (self, currency);

  if (row != NULL)
    return row;
  self->rows = g_renew (ReeveBudgetAmount, self->rows, self->n + 1);
  row = &self->rows[self->n++];
  *row = (ReeveBudgetAmount){ 0 };
  g_strlcpy (row->currency, currency, sizeof row->currency);
  return row;
}

/**
 * reeve_budget_money_get_used:
 * @self: amounts
 * @currency: ISO 4217
 *
 * Returns: what is spent and may be of that currency, in nano-units
 */
gint64
reeve_budget_money_get_used (const ReeveBudgetMoney *self, const char *currency)
{
  const ReeveBudgetAmount *own = reeve_budget_money_find (self, currency);
  const ReeveBudgetAmount *any
      = *currency != '\0' ? reeve_budget_money_find (self, REEVE_BUDGET_MONEY_ANY) : NULL;

  return reeve_budget_sum (own != NULL ? own->used : 0, any != NULL ? any->used : 0);
}

/**
 * reeve_budget_money_get_reserved:
 * @self: amounts
 * @currency: ISO 4217
 *
 * Returns: what is reserved and may be of that currency, in nano-units
 */
gint64
reeve_budget_money_get_reserved (const ReeveBudgetMoney *self, const char *currency)
{
  const ReeveBudgetAmount *own = reeve_budget_money_find (self, currency);
  const ReeveBudgetAmount *any
      = *currency != '\0' ? reeve_budget_money_find (self, REEVE_BUDGET_MONEY_ANY) : NULL;

  return reeve_budget_sum (own != NULL ? own->reserved : 0, any != NULL ? any->reserved : 0);
}

/**
 * reeve_budget_money_carry:
 * @self: amounts of what takes the place of another
 * @old: of that one
 */
void
reeve_budget_money_carry (ReeveBudgetMoney *self, const ReeveBudgetMoney *old)
{
  for (guint i = 0; i < old->n; i++)
    {
      gint64 taken = reeve_budget_sum (old->rows[i].used, old->rows[i].reserved);
      ReeveBudgetAmount *row
          = taken > 0 ? reeve_budget_money_need (self, old->rows[i].currency) : NULL;

      if (row != NULL)
        row->used = MAX (row->used, taken);
    }
}
