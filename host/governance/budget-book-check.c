/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking what reeve_budget_book_reserve() would say, by the same rules: whoever asks first is told
 * what he will get. */
#include "budget-book-private.h"

#include "budget-refusal.h"
#include "budget-wait.h"

#include <string.h>

static gint64
reeve_budget_book_check_add (gint64 limit, gint64 more)
{
  return limit == REEVE_BUDGET_NONE ? limit : reeve_budget_sum (limit, more);
}

/* (transfer full): as it stands then; a slice with what the platform and others could add to it */
static ReeveBudget *
reeve_budget_book_check_look (const ReeveBudget *budget, const ReeveBudgetAsk *ask)
{
  ReeveBudget *then = reeve_budget_dup (budget);
  gint64 tokens = 0;
  gint64 cost = 0;

  reeve_budget_roll (then, ask->now);
  if (then->pool == NULL)
    return then;
  reeve_budget_pool_get_left (then->pool, then->period, &tokens, &cost);
  then->token_limit = reeve_budget_book_check_add (then->token_limit,
                                                   reeve_budget_sum (tokens, ask->spare_tokens));
  then->cost_limit
      = reeve_budget_book_check_add (then->cost_limit, reeve_budget_sum (cost, ask->spare_cost));
  return then;
}

/* What its model takes is not known before it is asked: if it costs anything, nothing is too
 * little, and if not, nothing is enough. */
static gboolean
reeve_budget_book_check_run (const ReeveBudget *budget, const ReeveBudgetAsk *ask, GError **error)
{
  ReeveBudgetAsk run = *ask;
  ReevePrice free = { 0 };
  gint64 output = ask->output;

  g_strlcpy (free.currency, budget->currency, sizeof free.currency);
  run.price = &free;
  if (!reeve_budget_book_fit (budget, &run, &output, error))
    return FALSE;
  return ask->free || reeve_budget_get_cost_left (budget) > 0
         || reeve_budget_refusal_set_cost (error, budget, 1, ask->now);
}

static gboolean
reeve_budget_book_check_one (const ReeveBudget *budget, const ReeveBudgetAsk *ask, GError **error)
{
  gint64 output = ask->output;

  /* what others do not use may still come back */
  if (ask->model == NULL && budget->pool != NULL && ask->input + ask->output <= REEVE_BUDGET_LEAST
      && !reeve_budget_pool_is_dry (budget->pool, g_get_monotonic_time ()))
    return TRUE;
  return ask->model == NULL ? reeve_budget_book_check_run (budget, ask, error)
                            : reeve_budget_book_fit (budget, ask, &output, error)
                                  && reeve_budget_book_can_record (ask, output, error);
}

/**
 * reeve_budget_book_check:
 * @self: a book
 * @who: who would spend
 * @ask: how much; without a model: a run of whatever model
 * @error: return location
 *
 * Returns: whether all of its budgets leave so much now; %FALSE with what
 * reeve_budget_book_reserve() would refuse with
 */
gboolean
reeve_budget_book_check (ReeveBudgetBook *self, const ReeveBudgetWho *who,
                         const ReeveBudgetAsk *ask, GError **error)
{
  ReeveBudget *found[REEVE_RESERVATION_SCOPES];
  ReeveBudgetAsk last = *ask;
  GError *refused = NULL;
  gboolean seen = FALSE;
  guint n = 0;

  last.last = TRUE;
  g_mutex_lock (&self->lock);
  seen = reeve_budget_book_can_see (self, error);
  n = seen ? reeve_budget_book_find (self, who, found) : 0;
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ReeveBudget) then = reeve_budget_book_check_look (found[i], &last);
      GError *reason = NULL;

      if (!reeve_budget_book_check_one (then, &last, &reason))
        reeve_budget_wait_keep_longest (&refused, reason);
    }
  g_mutex_unlock (&self->lock);
  if (refused != NULL)
    g_propagate_error (error, refused);
  return seen && refused == NULL;
}
