/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tenants want of the platform's budget: wishes that its thread sees to. Any thread, no I/O.
 */
#include "budget-leases-private.h"

#include "money.h"

/* refilled when there are fewer than so many calls in it */
#define REEVE_BUDGET_LEASES_LOW 4

void
reeve_budget_leases_wish_free (ReeveBudgetLeasesWish *wish)
{
  g_clear_pointer (&wish->book, reeve_budget_book_unref);
  g_clear_object (&wish->task);
  g_free (wish);
}

/* (transfer full) wish; FALSE: nobody is there to see to it */
static gboolean
reeve_budget_leases_push (ReeveBudgetLeases *self, ReeveBudgetLeasesWish *wish)
{
  gboolean open = FALSE;

  g_mutex_lock (&self->lock);
  open = !self->stopped && self->thread != NULL;
  if (open)
    g_async_queue_push (self->wishes, wish);
  g_mutex_unlock (&self->lock);
  if (!open)
    reeve_budget_leases_wish_free (wish);
  return open;
}

static ReeveBudgetLeasesWish *
reeve_budget_leases_wish_new (ReeveBudgetBook *book, gint64 tokens, gint64 cost, gint64 now)
{
  ReeveBudgetLeasesWish *wish = g_new0 (ReeveBudgetLeasesWish, 1);

  wish->book = reeve_budget_book_ref (book);
  wish->tokens = tokens;
  wish->cost = cost;
  wish->now = now;
  return wish;
}

/**
 * reeve_budget_leases_let_go:
 * @self: the platform's budget
 * @book: of a tenant that goes
 *
 * What it has not spent comes back, soon.
 */
void
reeve_budget_leases_let_go (ReeveBudgetLeases *self, ReeveBudgetBook *book)
{
  ReeveBudgetLeasesWish *wish = reeve_budget_leases_wish_new (book, 0, 0, REEVE_BUDGET_AS_IT_IS);

  wish->going = TRUE;
  reeve_budget_leases_push (self, wish);
}

/**
 * reeve_budget_leases_note:
 * @self: the platform's budget
 * @book: of a tenant
 * @tokens: what was just reserved
 * @cost: the same in nano-units
 * @now: µs since 1970: of the call
 *
 * Asks for the next slice before the present one is used up.
 */
void
reeve_budget_leases_note (ReeveBudgetLeases *self, ReeveBudgetBook *book, gint64 tokens,
                          gint64 cost, gint64 now)
{
  ReeveBudgetLeasesWish *wish = NULL;

  tokens *= REEVE_BUDGET_LEASES_LOW;
  cost = MIN (cost, REEVE_MONEY_MAX) * REEVE_BUDGET_LEASES_LOW;
  if (reeve_budget_pool_is_dry (self->pool, g_get_monotonic_time ())
      || !reeve_budget_book_is_low (book, tokens, cost))
    return;
  wish = reeve_budget_leases_wish_new (book, tokens, cost, now);
  wish->ahead = TRUE;
  if (!reeve_budget_leases_push (self, wish))
    reeve_budget_book_was_refilled (book);
}

/**
 * reeve_budget_leases_refill_async:
 * @self: the platform's budget
 * @book: of a tenant
 * @tokens: how many it needs
 * @cost: the same in nano-units
 * @now: µs since 1970: of the call
 * @callback: called in the caller's thread-default context
 * @user_data: for @callback
 *
 * Waits for what others can give, if it is not known that they can give nothing.
 */
void
reeve_budget_leases_refill_async (ReeveBudgetLeases *self, ReeveBudgetBook *book, gint64 tokens,
                                  gint64 cost, gint64 now, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  ReeveBudgetLeasesWish *wish = NULL;

  g_task_set_source_tag (task, reeve_budget_leases_refill_async);
  if (!reeve_budget_pool_is_dry (self->pool, g_get_monotonic_time ())
      || reeve_budget_pool_has (self->pool, reeve_budget_find_period (self->model, now), tokens,
                                cost))
    {
      wish = reeve_budget_leases_wish_new (book, tokens, cost, now);
      wish->task = g_object_ref (task);
      if (reeve_budget_leases_push (self, wish))
        return;
    }
  g_task_return_boolean (task, FALSE);
}

/**
 * reeve_budget_leases_refill_finish:
 * @result: what the callback got
 *
 * Returns: whether there was so much; %FALSE: what the slice has is all there is
 */
gboolean
reeve_budget_leases_refill_finish (GAsyncResult *result)
{
  return g_task_propagate_boolean (G_TASK (result), NULL);
}
