/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be reserved of a book's budgets: all of them leave so much, or none is taken. */
#include "budget-book-private.h"

#include <string.h>

#include "budget-refusal.h"
#include "budget-wait.h"
#include "money.h"

/* A price that is not known is not the price zero: such a call cannot be bounded. */
static gboolean
reeve_budget_book_check_price (const ReeveBudget *budget, const ReeveBudgetAsk *ask, GError **error)
{
  if (budget->cost_limit == REEVE_BUDGET_NONE
      || (ask->price != NULL
          && (strcmp (ask->price->currency, budget->currency) == 0 || ask->price->embedded)))
    return TRUE;
  return reeve_budget_refusal_set_price (error, budget, ask->model,
                                         ask->price != NULL ? ask->price->currency : NULL);
}

/* Is there so much in the slice? What it has not, the platform may have. */
static gboolean
reeve_budget_book_is_prepaid (const ReeveBudget *budget, const ReeveBudgetAsk *ask, gint64 output,
                              GError **error)
{
  gint64 cost = reeve_budget_get_cost_left (budget);

  if (budget->pool == NULL || ask->last
      || (reeve_budget_get_tokens_left (budget) >= ask->input + output
          && (cost == G_MAXINT64 || cost >= reeve_prices_cost (ask->price, ask->input, output))))
    return TRUE;
  g_set_error (error, REEVE_BUDGET_SHORT, 0, "the slice of the budget %s is used up", budget->key);
  return FALSE;
}

static gboolean
reeve_budget_book_fit_cost (const ReeveBudget *budget, const ReeveBudgetAsk *ask, gint64 least,
                            GError **error)
{
  gint64 cost = reeve_budget_get_cost_left (budget);
  gint64 need = 0;

  if (cost == G_MAXINT64)
    return TRUE;
  need = reeve_prices_cost (ask->price, ask->input, least);
  return (cost >= need && (cost > 0 || reeve_prices_is_free (ask->price)))
         || reeve_budget_refusal_set_cost (error, budget, need, ask->now);
}

/* What there is too little of for longer is what is told. */
static gboolean
reeve_budget_book_refuse_tokens (const ReeveBudget *budget, const ReeveBudgetAsk *ask, gint64 least,
                                 GError **error)
{
  GError *tokens = NULL;
  GError *cost = NULL;
  gboolean longer = FALSE;

  (void) reeve_budget_refusal_set_tokens (&tokens, budget, ask->input + MAX (least, 1), ask->now);
  longer = !reeve_budget_book_fit_cost (budget, ask, least, &cost)
           && reeve_error_get_wait (cost) > reeve_error_get_wait (tokens);
  g_propagate_error (error, longer ? g_steal_pointer (&cost) : g_steal_pointer (&tokens));
  g_clear_error (&cost);
  g_clear_error (&tokens);
  return FALSE;
}

gboolean
reeve_budget_book_fit (const ReeveBudget *budget, const ReeveBudgetAsk *ask, gint64 *output,
                       GError **error)
{
  gint64 least = MIN (ask->output, REEVE_BUDGET_LEAST);
  gint64 tokens = reeve_budget_get_tokens_left (budget);
  gint64 cost = reeve_budget_get_cost_left (budget);
  gint64 input_cost = 0;

  if (!reeve_budget_book_check_price (budget, ask, error)
      || !reeve_budget_book_is_prepaid (budget, ask, *output, error))
    return FALSE;
  if (budget->request_limit != REEVE_BUDGET_NONE
      && budget->request_limit < ask->input + MAX (least, 1))
    return reeve_budget_refusal_set_request (error, budget, ask->input + MAX (least, 1));
  if (budget->request_limit != REEVE_BUDGET_NONE)
    *output = MIN (*output, budget->request_limit - ask->input);
  if (tokens != G_MAXINT64 && tokens < ask->input + MAX (least, 1))
    return reeve_budget_book_refuse_tokens (budget, ask, least, error);
  if (tokens != G_MAXINT64)
    *output = MIN (*output, tokens - ask->input);
  if (cost == G_MAXINT64)
    return TRUE;
  if (!reeve_budget_book_fit_cost (budget, ask, least, error))
    return FALSE;
  input_cost = reeve_money_cost (ask->input, ask->price->input);
  *output = MIN (*output, reeve_money_tokens (cost - input_cost, ask->price->output));
  return TRUE;
}

/* The member of a call that makes it so dear; what has no answer is an embedding. */
static const char *
reeve_budget_book_name_longest (const ReeveBudgetAsk *ask)
{
  if (ask->output == 0)
    return "/input";
  return reeve_prices_cost (ask->price, ask->input, 0) >= REEVE_MONEY_TOO_MUCH ? "/messages"
                                                                               : "/max_tokens";
}

/* An intent that cannot say what it reserves holds nobody to anything. */
gboolean
reeve_budget_book_can_record (const ReeveBudgetAsk *ask, gint64 output, GError **error)
{
  if (ask->price == NULL
      || reeve_prices_cost (ask->price, ask->input, output) < REEVE_MONEY_TOO_MUCH)
    return TRUE;
  reeve_error_set_member (error, reeve_budget_book_name_longest (ask),
                          "may cost more than a record can say, which is " REEVE_MONEY_MOST_TEXT
                          " %s: allow the call fewer tokens",
                          ask->price->currency);
  return FALSE;
}

/* Under the lock. */
static gboolean
reeve_budget_book_grant (ReeveBudgetBook *self, ReeveBudget **found, guint n,
                         const ReeveBudgetAsk *ask, gint64 *output, GError **error)
{
  GError *refused = NULL;

  *output = ask->output;
  for (guint i = 0; i < n; i++)
    {
      ReeveBudget *then = reeve_budget_book_look (found[i], ask->now);
      GError *reason = NULL;

      if (!reeve_budget_book_fit (then, ask, output, &reason))
        reeve_budget_wait_keep_longest (&refused, reason);
      reeve_budget_unref (then);
    }
  /* who is refused begins no period */
  if (refused == NULL)
    (void) reeve_budget_book_can_record (ask, *output, &refused);
  for (guint i = 0; refused == NULL && i < n; i++)
    reeve_budget_book_roll (self, found[i], ask->now);
  if (refused != NULL)
    g_propagate_error (error, refused);
  return refused == NULL;
}

ReeveReservation *
reeve_budget_book_make (ReeveBudgetBook *self, const ReeveBudgetWho *who, ReeveBudget **found,
                        guint n, gint64 input, gint64 output, gint64 cost, const char *currency)
{
  ReeveReservation *made = reeve_reservation_new (who);

  made->book = reeve_budget_book_ref (self);
  made->state = REEVE_RESERVATION_UNNUMBERED;
  made->input = input;
  made->output = output;
  made->cost = cost;
  if (currency != NULL)
    g_strlcpy (made->currency, currency, sizeof made->currency);
  if (cost > 0)
    reeve_budget_book_note_currency (self, made->currency);
  made->n_budgets = n;
  for (guint i = 0; i < n; i++)
    {
      made->budgets[i] = reeve_budget_ref (found[i]);
      made->periods[i] = found[i]->period;
      found[i]->tokens_reserved
          = reeve_budget_sum (found[i]->tokens_reserved, reeve_budget_sum (input, output));
      if (cost > 0 && found[i]->window == REEVE_BUDGET_WINDOW_NONE)
        {
          ReeveBudgetAmount *row = reeve_budget_money_need (&found[i]->money, made->currency);

          row->reserved = reeve_budget_sum (row->reserved, cost);
        }
      if (found[i]->pool != NULL)
        found[i]->touched = g_get_monotonic_time ();
    }
  made->next = self->reservations;
  if (made->next != NULL)
    made->next->previous = made;
  self->reservations = made;
  return made;
}

/**
 * reeve_budget_book_reserve:
 * @self: a book
 * @who: who would spend
 * @ask: how much
 * @error: return location
 *
 * Reserves of all its budgets or of none.
 *
 * Returns: (transfer full) (nullable): what is reserved; %NULL without an error when no budget
 * bounds it; else %REEVE_ERROR_BUDGET_EXCEEDED naming budget, limit and who set it, or
 * %REEVE_BUDGET_SHORT while the tenant's slice of the platform's budget is to be refilled
 */
ReeveReservation *
reeve_budget_book_reserve (ReeveBudgetBook *self, const ReeveBudgetWho *who,
                           const ReeveBudgetAsk *ask, GError **error)
{
  ReeveBudget *found[REEVE_RESERVATION_SCOPES];
  ReeveReservation *made = NULL;
  ReeveBudgetAsk then = *ask;
  gint64 output = 0;
  guint n = 0;

  g_mutex_lock (&self->lock);
  n = reeve_budget_book_can_see (self, error) ? reeve_budget_book_find (self, who, found) : 0;
  then.now = reeve_budget_book_find_time (found, n, ask->now);
  if (n > 0 && reeve_budget_book_grant (self, found, n, &then, &output, error))
    {
      made = reeve_budget_book_make (
          self, who, found, n, ask->input, output,
          ask->price != NULL ? reeve_prices_cost (ask->price, ask->input, output) : 0,
          ask->price != NULL ? ask->price->currency : NULL);
      made->size = ask->size;
      made->time = then.now;
      made->priced = ask->price != NULL;
      if (made->priced)
        made->price = *ask->price;
    }
  g_mutex_unlock (&self->lock);
  return made;
}
