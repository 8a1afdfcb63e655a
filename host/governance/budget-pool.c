/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all tenants' slices are cut from. It decides nothing: that does the counter in the store. */
#include "budget-pool.h"

struct _ReeveBudgetPool
{
  gatomicrefcount references;
  gint64 token_limit;
  gint64 cost_limit;
  GMutex lock; /* what follows */
  gint64 period;
  gint64 tokens_left;
  gint64 cost_left;
  gint64 tokens_held;
  gint64 cost_held;
  gint64 dry_until;
};

/**
 * reeve_budget_pool_new:
 * @token_limit: tokens in a period
 * @cost_limit: nano-units in a period
 *
 * Returns: (transfer full): a pool of which nothing is known to be given
 */
ReeveBudgetPool *
reeve_budget_pool_new (gint64 token_limit, gint64 cost_limit)
{
  ReeveBudgetPool *self = g_new0 (ReeveBudgetPool, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->token_limit = token_limit;
  self->cost_limit = cost_limit;
  self->tokens_left = MAX (token_limit, 0);
  self->cost_left = MAX (cost_limit, 0);
  return self;
}

/**
 * reeve_budget_pool_ref:
 * @self: a pool
 *
 * Returns: (transfer full): it
 */
ReeveBudgetPool *
reeve_budget_pool_ref (ReeveBudgetPool *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * reeve_budget_pool_unref:
 * @self: (transfer full): a pool
 */
void
reeve_budget_pool_unref (ReeveBudgetPool *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * reeve_budget_pool_get_token_limit:
 * @self: a pool
 *
 * Returns: tokens in a period; -1: no limit
 */
gint64
reeve_budget_pool_get_token_limit (ReeveBudgetPool *self)
{
  return self->token_limit;
}

/**
 * reeve_budget_pool_get_cost_limit:
 * @self: a pool
 *
 * Returns: nano-units in a period; -1: no limit
 */
gint64
reeve_budget_pool_get_cost_limit (ReeveBudgetPool *self)
{
  return self->cost_limit;
}

/* Under the lock. */
static void
reeve_budget_pool_read (const ReeveBudgetPool *self, gint64 period, gboolean hope, gint64 *tokens,
                        gint64 *cost)
{
  gboolean seen = period <= self->period;

  if (tokens != NULL)
    *tokens
        = seen ? self->tokens_left + (hope ? self->tokens_held : 0) : MAX (self->token_limit, 0);
  if (cost != NULL)
    *cost = seen ? self->cost_left + (hope ? self->cost_held : 0) : MAX (self->cost_limit, 0);
}

/**
 * reeve_budget_pool_get_left:
 * @self: a pool
 * @period: number of a period
 * @tokens: (out) (nullable): tokens that no tenant had been given
 * @cost: (out) (nullable): the same in nano-units
 */
void
reeve_budget_pool_get_left (ReeveBudgetPool *self, gint64 period, gint64 *tokens, gint64 *cost)
{
  g_mutex_lock (&self->lock);
  reeve_budget_pool_read (self, period, FALSE, tokens, cost);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_budget_pool_has:
 * @self: a pool
 * @period: number of a period
 * @tokens: how many are wanted
 * @cost: the same in nano-units
 *
 * Returns: whether no tenant had been given so much: where one of the two is used up, who wants
 * none of it may still have the other
 */
gboolean
reeve_budget_pool_has (ReeveBudgetPool *self, gint64 period, gint64 tokens, gint64 cost)
{
  gint64 tokens_left = 0;
  gint64 cost_left = 0;

  reeve_budget_pool_get_left (self, period, &tokens_left, &cost_left);
  return (self->token_limit < 0 || tokens_left >= tokens)
         && (self->cost_limit < 0 || cost_left >= cost);
}

/**
 * reeve_budget_pool_set_left:
 * @self: a pool
 * @period: number of a period, no earlier one than before
 * @tokens: tokens that no tenant has been given
 * @cost: the same in nano-units
 */
void
reeve_budget_pool_set_left (ReeveBudgetPool *self, gint64 period, gint64 tokens, gint64 cost)
{
  g_mutex_lock (&self->lock);
  self->period = period;
  self->tokens_left = MAX (tokens, 0);
  self->cost_left = MAX (cost, 0);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_budget_pool_get_hope:
 * @self: a pool
 * @period: number of a period
 * @tokens: (out) (nullable): tokens that are not spent, as far as is known
 * @cost: (out) (nullable): the same in nano-units
 */
void
reeve_budget_pool_get_hope (ReeveBudgetPool *self, gint64 period, gint64 *tokens, gint64 *cost)
{
  g_mutex_lock (&self->lock);
  reeve_budget_pool_read (self, period, TRUE, tokens, cost);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_budget_pool_set_dry:
 * @self: a pool
 * @until: monotonic µs
 * @tokens_held: tokens that tenants were given and have not spent: reserved for what is under way
 * @cost_held: the same in nano-units
 *
 * All slices were looked through, and nobody could give anything.
 */
void
reeve_budget_pool_set_dry (ReeveBudgetPool *self, gint64 until, gint64 tokens_held,
                           gint64 cost_held)
{
  g_mutex_lock (&self->lock);
  self->dry_until = until;
  self->tokens_held = tokens_held;
  self->cost_held = cost_held;
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_budget_pool_is_dry:
 * @self: a pool
 * @now: monotonic µs
 *
 * Returns: whether it is of no use to ask again already
 */
gboolean
reeve_budget_pool_is_dry (ReeveBudgetPool *self, gint64 now)
{
  gboolean dry = FALSE;

  g_mutex_lock (&self->lock);
  dry = now < self->dry_until;
  g_mutex_unlock (&self->lock);
  return dry;
}
