/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One budget takes the place of another: a tenant's own of that of the configuration, or the other
 * way round. That takes a batch of the store, and calls go on meanwhile. So the one that comes is
 * there before the batch is: what is reserved from then on is of both, and so is what was reserved
 * before where a restart would count it for the one that comes. The rest it takes over as spent, in
 * the batch. Whatever happens then, each call is counted once. One that takes nobody's place comes
 * in the same way, with nothing to take over. */
#include "budget-book-private.h"

#include <string.h>

#include "budget-window.h"

/**
 * reeve_budget_book_begin_change:
 * @self: a book
 * @most: µs
 *
 * Changes of a book's budgets come one behind the other; each ends with
 * reeve_budget_book_end_change(). Waits no longer than @most. Blocks.
 *
 * Returns: whether it is this one's turn
 */
gboolean
reeve_budget_book_begin_change (ReeveBudgetBook *self, gint64 most)
{
  gint64 end = g_get_monotonic_time () + most;
  gboolean free = FALSE;

  g_mutex_lock (&self->lock);
  while (self->changing && g_cond_wait_until (&self->saved, &self->lock, end))
    continue;
  free = !self->changing;
  self->changing = TRUE;
  g_mutex_unlock (&self->lock);
  return free;
}

/**
 * reeve_budget_book_end_change:
 * @self: a book of which reeve_budget_book_begin_change() said %TRUE
 */
void
reeve_budget_book_end_change (ReeveBudgetBook *self)
{
  g_mutex_lock (&self->lock);
  self->changing = FALSE;
  g_cond_broadcast (&self->saved);
  g_mutex_unlock (&self->lock);
}

/* ---- what is under way: under the lock ---- */

/* Behind which record of the log is all that is on its way to it? */
static guint64
reeve_budget_book_heir_find_first (ReeveBudgetBook *self, guint64 size)
{
  for (const ReeveReservation *r = self->reservations; r != NULL; r = r->next)
    if (r->intent == 0)
      size = MIN (size, r->size);
  return size + 1;
}

/* Where a restart reads it for @heir; what could not be written stays as it was settled. */
static gboolean
reeve_budget_book_heir_owns (const ReeveBudget *heir, const ReeveReservation *r)
{
  return r->state != REEVE_RESERVATION_LOST
         && (r->intent == 0 || reeve_budget_owns (heir, r->intent, r->time));
}

static void
reeve_budget_book_heir_count (ReeveBudget *budget, const ReeveReservation *r, gint64 by)
{
  gboolean ended = r->state == REEVE_RESERVATION_SETTLING;
  gint64 *tokens = ended ? &budget->tokens_used : &budget->tokens_reserved;
  gint64 cost = ended ? r->ended_cost : r->cost;
  ReeveBudgetAmount *row = NULL;
  gint64 *money = NULL;

  *tokens
      = MAX (reeve_budget_sum (*tokens, by * (ended ? r->ended_tokens : r->input + r->output)), 0);
  if (cost == 0 || budget->window != REEVE_BUDGET_WINDOW_NONE)
    return;
  row = reeve_budget_money_need (&budget->money, ended ? r->spent_in : r->currency);
  money = ended ? &row->used : &row->reserved;
  *money = MAX (reeve_budget_sum (*money, by * cost), 0);
}

/* @copy of a budget has no part in what @heir takes for itself. */
static void
reeve_budget_book_heir_leave_out (ReeveBudget *copy, const ReeveReservation *r)
{
  for (guint i = 0; i < r->n_budgets; i++)
    {
      if (strcmp (r->budgets[i]->id, copy->id) == 0 && r->periods[i] == copy->period)
        reeve_budget_book_heir_count (copy, r, -1);
      for (guint w = 0; w < REEVE_BUDGET_WINDOWS; w++)
        if (copy->windows[w] != NULL && strcmp (r->budgets[i]->id, copy->windows[w]->id) == 0
            && r->periods[i] == copy->windows[w]->period)
          reeve_budget_book_heir_count (copy->windows[w], r, -1);
    }
}

static void
reeve_budget_book_heir_take_one (ReeveBudget *budget, ReeveReservation *r)
{
  guint slot = r->n_budgets++;

  r->budgets[slot] = reeve_budget_ref (budget);
  r->periods[slot] = budget->period;
  r->spent_tokens[slot] = r->state == REEVE_RESERVATION_SETTLING ? r->ended_tokens : 0;
  r->spent_cost[slot]
      = r->state == REEVE_RESERVATION_SETTLING && budget->window == REEVE_BUDGET_WINDOW_NONE
            ? r->ended_cost
            : 0;
  reeve_budget_book_heir_count (budget, r, 1);
}

static gboolean
reeve_budget_book_heir_is_held (const ReeveBudget *budget, const ReeveReservation *r)
{
  for (guint i = 0; i < r->n_budgets; i++)
    if (r->budgets[i] == budget)
      return TRUE;
  return FALSE;
}

static void
reeve_budget_book_heir_take (ReeveBudget *heir, ReeveReservation *r)
{
  reeve_budget_book_heir_take_one (heir, r);
  for (guint w = 0; w < REEVE_BUDGET_WINDOWS; w++)
    if (heir->windows[w] != NULL)
      reeve_budget_book_heir_take_one (heir->windows[w], r);
}

static gboolean
reeve_budget_book_heir_has_room (const ReeveReservation *r)
{
  return r->n_budgets + 1 + REEVE_BUDGET_WINDOWS <= REEVE_RESERVATION_SCOPES;
}

/* Which of them are @heir's own is decided before anything of it is changed. */
static gboolean
reeve_budget_book_heir_takes (const ReeveBudget *heir, const ReeveBudget *old,
                              const ReeveReservation *r)
{
  return reeve_budget_book_heir_has_room (r) && reeve_budget_book_heir_is_held (old, r)
         && reeve_budget_book_heir_owns (heir, r);
}

static void
reeve_budget_book_heir_empty (ReeveBudget *heir)
{
  heir->tokens_used = heir->tokens_reserved = 0;
  reeve_budget_money_clear (&heir->money);
  for (guint w = 0; w < REEVE_BUDGET_WINDOWS; w++)
    if (heir->windows[w] != NULL)
      reeve_budget_book_heir_empty (heir->windows[w]);
}

/* ---- the change ---- */

/* Under the lock (transfer full): as it is to be written */
static ReeveBudget *
reeve_budget_book_heir_replace (ReeveBudgetBook *self, ReeveBudget *old, ReeveBudget *heir,
                                gint64 now)
{
  g_autoptr (ReeveBudget) left = reeve_budget_book_dup (old, now);
  ReeveBudget *copy = NULL;

  for (ReeveReservation *r = self->reservations; r != NULL; r = r->next)
    if (reeve_budget_book_heir_takes (heir, old, r))
      reeve_budget_book_heir_leave_out (left, r);
  reeve_budget_window_carry (heir, left);
  copy = reeve_budget_dup (heir);
  for (ReeveReservation *r = self->reservations; r != NULL; r = r->next)
    if (reeve_budget_book_heir_takes (heir, old, r))
      reeve_budget_book_heir_take (heir, r);
  old->heir = heir;
  return copy;
}

/* Under the lock: the same of one that takes nobody's place. */
static ReeveBudget *
reeve_budget_book_heir_come (ReeveBudgetBook *self, ReeveBudget *heir)
{
  ReeveBudget *copy = reeve_budget_dup (heir);

  for (ReeveReservation *r = self->reservations; r != NULL; r = r->next)
    if (reeve_budget_book_heir_has_room (r) && reeve_reservation_is_of (r, heir->key)
        && reeve_budget_book_heir_owns (copy, r))
      reeve_budget_book_heir_take (heir, r);
  heir->coming = TRUE;
  g_hash_table_replace (self->budgets, heir->key, heir);
  return copy;
}

/**
 * reeve_budget_book_begin_heir:
 * @self: a book, of which a change has begun
 * @draft: what is to take the place of the budget of its key, if there is one; where it is new, it
 * is in force from here on, else it has spent what it says
 * @size: records in the log
 * @now: µs since 1970
 *
 * Returns: (transfer full): a copy of it with what it takes over, to be written
 */
ReeveBudget *
reeve_budget_book_begin_heir (ReeveBudgetBook *self, const ReeveBudget *draft, guint64 size,
                              gint64 now)
{
  ReeveBudget *old = NULL;
  ReeveBudget *heir = reeve_budget_dup (draft);
  ReeveBudget *copy = NULL;

  if (heir->from_seq == REEVE_BUDGET_NEW)
    reeve_budget_book_heir_empty (heir);
  g_mutex_lock (&self->lock);
  reeve_budget_begin_at (heir, reeve_budget_book_heir_find_first (self, size));
  old = g_hash_table_lookup (self->budgets, draft->key);
  copy = old != NULL ? reeve_budget_book_heir_replace (self, old, heir, now)
                     : reeve_budget_book_heir_come (self, heir);
  g_mutex_unlock (&self->lock);
  return copy;
}

/* Under the lock: what is under way has no part in it any more. */
static void
reeve_budget_book_heir_drop (ReeveReservation *r, const ReeveBudget *budget)
{
  guint kept = 0;

  for (guint i = 0; i < r->n_budgets; i++)
    {
      if (r->budgets[i] == budget)
        {
          reeve_budget_unref (r->budgets[i]);
          continue;
        }
      r->budgets[kept] = r->budgets[i];
      r->periods[kept] = r->periods[i];
      r->spent_tokens[kept] = r->spent_tokens[i];
      r->spent_cost[kept++] = r->spent_cost[i];
    }
  r->n_budgets = kept;
}

/* Under the lock: as if it had never been. */
static void
reeve_budget_book_heir_forget (ReeveBudgetBook *self, const ReeveBudget *heir)
{
  for (ReeveReservation *r = self->reservations; r != NULL; r = r->next)
    {
      for (guint w = 0; w < REEVE_BUDGET_WINDOWS; w++)
        if (heir->windows[w] != NULL)
          reeve_budget_book_heir_drop (r, heir->windows[w]);
      reeve_budget_book_heir_drop (r, heir);
    }
}

/**
 * reeve_budget_book_end_heir:
 * @self: a book
 * @key: of the budget that reeve_budget_book_begin_heir() was told of
 * @good: whether the store has it
 */
void
reeve_budget_book_end_heir (ReeveBudgetBook *self, const char *key, gboolean good)
{
  ReeveBudget *there = NULL;
  ReeveBudget *heir = NULL;

  g_mutex_lock (&self->lock);
  there = g_hash_table_lookup (self->budgets, key);
  heir = there != NULL ? g_steal_pointer (&there->heir) : NULL;
  if (there != NULL && there->coming)
    {
      there->coming = FALSE;
      if (!good)
        {
          reeve_budget_book_heir_forget (self, there);
          g_hash_table_remove (self->budgets, key);
        }
    }
  else if (heir != NULL && good)
    g_hash_table_replace (self->budgets, heir->key, heir);
  else if (heir != NULL)
    {
      reeve_budget_book_heir_forget (self, heir);
      reeve_budget_unref (heir);
    }
  g_mutex_unlock (&self->lock);
}
