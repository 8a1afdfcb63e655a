/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When it is worth to ask a budget again: at the end of its period, unless what is reserved may be
 * enough. A slice ends with the period of the platform, and until then lives on what others do not
 * use. */
#include "budget-wait.h"

#include "base/times.h"

/* µs since 1970; 0: never */
static gint64
reeve_budget_wait_get_end (const ReeveBudget *budget)
{
  gint64 length = budget->period_days * REEVE_TIMES_DAY;

  if (budget->window != REEVE_BUDGET_WINDOW_NONE)
    return budget->ends;
  return length > 0 ? budget->anchor + (budget->period - budget->base + 1) * length : 0;
}

/* @limit: in a period; @possible: of it, where all that is reserved comes back */
static guint
reeve_budget_wait_find (const ReeveBudget *budget, gint64 limit, gint64 possible, gint64 need,
                        gint64 now)
{
  gint64 ends = reeve_budget_wait_get_end (budget);

  /* a reservation ends, and others give back: nobody knows when */
  if (possible >= need)
    return 1;
  if (need > limit || ends <= 0)
    return REEVE_ERROR_WAIT_NEVER;
  return (guint) CLAMP ((ends - now + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC, 1, G_MAXINT32);
}

/**
 * reeve_budget_wait_for_tokens:
 * @budget: a budget
 * @need: tokens
 * @now: µs since 1970
 *
 * Returns: in how many seconds so many may be there; %REEVE_ERROR_WAIT_NEVER
 */
guint
reeve_budget_wait_for_tokens (const ReeveBudget *budget, gint64 need, gint64 now)
{
  gint64 possible = budget->token_limit - budget->tokens_used;

  if (budget->pool != NULL)
    reeve_budget_pool_get_hope (budget->pool, budget->period, &possible, NULL);
  return reeve_budget_wait_find (budget, reeve_budget_get_token_limit (budget), possible, need,
                                 now);
}

/**
 * reeve_budget_wait_for_cost:
 * @budget: a budget
 * @need: nano-units
 * @now: µs since 1970
 *
 * Returns: in how many seconds so many may be there; %REEVE_ERROR_WAIT_NEVER
 */
guint
reeve_budget_wait_for_cost (const ReeveBudget *budget, gint64 need, gint64 now)
{
  gint64 possible = budget->cost_limit - reeve_budget_get_cost_used (budget);

  if (budget->pool != NULL)
    reeve_budget_pool_get_hope (budget->pool, budget->period, NULL, &possible);
  return reeve_budget_wait_find (budget, reeve_budget_get_cost_limit (budget), possible, need, now);
}

/**
 * reeve_budget_wait_keep_longest:
 * @kept: (inout) (nullable): what is told
 * @other: (transfer full) (nullable): what would stop it besides
 *
 * Whoever comes back when the first of two budgets is there again is refused by the other one.
 */
void
reeve_budget_wait_keep_longest (GError **kept, GError *other)
{
  guint wait = 0;

  if (other == NULL)
    return;
  if (*kept == NULL)
    {
      *kept = other;
      return;
    }
  wait = reeve_error_get_wait (*kept);
  reeve_error_set_wait (*kept, MAX (wait, reeve_error_get_wait (other)));
  g_error_free (other);
}
