/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What has been used already: elsewhere, or before this host was started. No limit is asked. */
#include "budget-book-private.h"

#include "budget-refusal.h"

/* Under the lock. */
static gboolean
reeve_budget_book_counts (ReeveBudget **found, guint n, gint64 cost, const char *currency,
                          GError **error)
{
  for (guint i = 0; cost > 0 && i < n; i++)
    if (found[i]->cost_limit != REEVE_BUDGET_NONE && g_strcmp0 (found[i]->currency, currency) != 0)
      return reeve_budget_refusal_set_currency (error, found[i], currency);
  return TRUE;
}

/**
 * reeve_budget_book_charge:
 * @self: a book
 * @who: who has used it
 * @ask: how much
 * @cost: of it, in nano-units
 * @currency: (nullable): of @cost
 * @error: return location
 *
 * Returns: (transfer full) (nullable): all of it, beyond the limits if need be; %NULL without an
 * error when no budget bounds it; else %REEVE_ERROR_INVALID_ARGUMENT
 */
ReeveReservation *
reeve_budget_book_charge (ReeveBudgetBook *self, const ReeveBudgetWho *who,
                          const ReeveBudgetAsk *ask, gint64 cost, const char *currency,
                          GError **error)
{
  ReeveBudget *found[REEVE_RESERVATION_SCOPES];
  ReeveReservation *made = NULL;
  gint64 now = 0;
  guint n = 0;

  g_mutex_lock (&self->lock);
  n = reeve_budget_book_can_see (self, error) ? reeve_budget_book_find (self, who, found) : 0;
  if (n > 0 && reeve_budget_book_counts (found, n, cost, currency, error))
    {
      now = reeve_budget_book_find_time (found, n, ask->now);
      for (guint i = 0; i < n; i++)
        reeve_budget_book_roll (self, found[i], now);
      made = reeve_budget_book_make (self, who, found, n, ask->input, ask->output, cost, currency);
      made->size = ask->size;
      made->time = now;
    }
  g_mutex_unlock (&self->lock);
  return made;
}

/**
 * reeve_budget_book_recall:
 * @self: a book
 * @who: who spends
 * @time: of the intent, µs since 1970; records say it to the millisecond
 * @tokens: what is reserved
 * @cost: the same in nano-units
 * @currency: (nullable): of @cost; %NULL: nobody knows
 * @intent: its sequence number
 *
 * For what stands in the log already. A budget that is younger has no part in it.
 *
 * Returns: (transfer full) (nullable): what is reserved; %NULL when no budget bounds it
 */
ReeveReservation *
reeve_budget_book_recall (ReeveBudgetBook *self, const ReeveBudgetWho *who, gint64 time,
                          gint64 tokens, gint64 cost, const char *currency, guint64 intent)
{
  ReeveBudget *found[REEVE_RESERVATION_SCOPES];
  ReeveReservation *made = NULL;
  guint all = 0;
  guint n = 0;

  g_mutex_lock (&self->lock);
  all = reeve_budget_book_find (self, who, found);
  for (guint i = 0; i < all; i++)
    if (reeve_budget_owns (found[i], intent, time + 999))
      {
        reeve_budget_book_roll (self, found[i], time);
        found[i]->unrecorded = 0;
        found[n++] = found[i];
      }
  if (n > 0)
    {
      made = reeve_budget_book_make (self, who, found, n, tokens, 0, cost, currency);
      made->time = time;
      made->intent = intent;
      made->state = REEVE_RESERVATION_OPEN;
    }
  g_mutex_unlock (&self->lock);
  return made;
}
