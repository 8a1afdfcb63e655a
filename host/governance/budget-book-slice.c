/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tenant's slice of the platform's budget is a budget like the others of its book, but that its
 * limits are what the tenant was given so far. They rise when the store has it and fall before. */
#include "budget-book-private.h"

/* Under the lock. (nullable) */
static ReeveBudget *
reeve_budget_book_slice (ReeveBudgetBook *self)
{
  return self->blind ? NULL : g_hash_table_lookup (self->budgets, REEVE_BUDGET_PLATFORM);
}

/* Under the lock. */
static void
reeve_budget_book_read_slice (const ReeveBudget *budget, ReeveBudgetSlice *slice)
{
  *slice = (ReeveBudgetSlice){
    .period = budget->period,
    .tokens = budget->token_limit,
    .tokens_taken = budget->tokens_used + budget->tokens_reserved,
    .tokens_spent = budget->tokens_used,
    .cost = budget->cost_limit,
    .cost_taken = reeve_budget_sum (reeve_budget_get_cost_used (budget),
                                    reeve_budget_get_cost_reserved (budget)),
    .cost_spent = reeve_budget_get_cost_used (budget),
    .touched = budget->touched,
  };
}

/**
 * reeve_budget_book_get_slice:
 * @self: a book
 * @now: µs since 1970, of a call; %REEVE_BUDGET_AS_IT_IS where nobody calls: a clock alone, which
 * may be wrong, begins no period
 * @slice: (out): how it stands
 *
 * Returns: whether the platform has a budget, and that of this tenant is known
 */
gboolean
reeve_budget_book_get_slice (ReeveBudgetBook *self, gint64 now, ReeveBudgetSlice *slice)
{
  ReeveBudget *budget = NULL;

  g_mutex_lock (&self->lock);
  budget = reeve_budget_book_slice (self);
  if (budget != NULL)
    {
      reeve_budget_book_roll (self, budget, now);
      reeve_budget_book_read_slice (budget, slice);
    }
  g_mutex_unlock (&self->lock);
  return budget != NULL;
}

/**
 * reeve_budget_book_see_slice:
 * @self: a book
 * @now: µs since 1970
 * @slice: (out): how it would stand then
 *
 * Returns: as of reeve_budget_book_get_slice()
 */
gboolean
reeve_budget_book_see_slice (ReeveBudgetBook *self, gint64 now, ReeveBudgetSlice *slice)
{
  ReeveBudget *budget = NULL;

  g_mutex_lock (&self->lock);
  budget = reeve_budget_book_slice (self);
  if (budget != NULL)
    {
      ReeveBudget *then = reeve_budget_book_look (budget, now);

      reeve_budget_book_read_slice (then, slice);
      reeve_budget_unref (then);
    }
  g_mutex_unlock (&self->lock);
  return budget != NULL;
}

/**
 * reeve_budget_book_begin_slice:
 * @self: a book
 * @period: number of a period of which the tenant was given something
 *
 * What was given and never taken stands in no log: the store alone knows that it was.
 */
void
reeve_budget_book_begin_slice (ReeveBudgetBook *self, gint64 period)
{
  ReeveBudget *budget = NULL;

  g_mutex_lock (&self->lock);
  budget = reeve_budget_book_slice (self);
  if (budget != NULL)
    {
      gint64 before = budget->period;

      reeve_budget_go_on (budget, period);
      reeve_budget_book_note_period (self, budget, before);
    }
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_budget_book_cut_slice:
 * @self: a book
 * @slice: (out): how it stands then: what was given is what is taken
 *
 * Returns: whether the platform has a budget, and that of this tenant is known
 */
gboolean
reeve_budget_book_cut_slice (ReeveBudgetBook *self, ReeveBudgetSlice *slice)
{
  ReeveBudget *budget = NULL;

  g_mutex_lock (&self->lock);
  budget = reeve_budget_book_slice (self);
  if (budget != NULL)
    {
      if (budget->token_limit != REEVE_BUDGET_NONE)
        budget->token_limit = budget->tokens_used + budget->tokens_reserved;
      if (budget->cost_limit != REEVE_BUDGET_NONE)
        budget->cost_limit = reeve_budget_sum (reeve_budget_get_cost_used (budget),
                                               reeve_budget_get_cost_reserved (budget));
      reeve_budget_book_read_slice (budget, slice);
    }
  g_mutex_unlock (&self->lock);
  return budget != NULL;
}

/**
 * reeve_budget_book_put_slice:
 * @self: a book
 * @slice: its period, and what was given in it
 */
void
reeve_budget_book_put_slice (ReeveBudgetBook *self, const ReeveBudgetSlice *slice)
{
  ReeveBudget *budget = NULL;

  g_mutex_lock (&self->lock);
  budget = reeve_budget_book_slice (self);
  if (budget != NULL && budget->period == slice->period)
    {
      budget->token_limit = slice->tokens;
      budget->cost_limit = slice->cost;
      /* whoever waited for it is about to take it */
      budget->touched = g_get_monotonic_time ();
    }
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_budget_book_is_low:
 * @self: a book
 * @tokens: how many should be left
 * @cost: the same in nano-units
 *
 * Returns: whether less is left of its slice; %FALSE too while somebody sees to it
 */
gboolean
reeve_budget_book_is_low (ReeveBudgetBook *self, gint64 tokens, gint64 cost)
{
  ReeveBudget *budget = NULL;
  gboolean low = FALSE;

  g_mutex_lock (&self->lock);
  budget = self->refilling ? NULL : reeve_budget_book_slice (self);
  if (budget != NULL)
    low = reeve_budget_get_tokens_left (budget) < tokens
          || reeve_budget_get_cost_left (budget) < cost;
  self->refilling = self->refilling || low;
  g_mutex_unlock (&self->lock);
  return low;
}

/**
 * reeve_budget_book_was_refilled:
 * @self: a book of which reeve_budget_book_is_low() was said
 */
void
reeve_budget_book_was_refilled (ReeveBudgetBook *self)
{
  g_mutex_lock (&self->lock);
  self->refilling = FALSE;
  g_mutex_unlock (&self->lock);
}
