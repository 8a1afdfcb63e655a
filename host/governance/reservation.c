/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is reserved of the budgets of a book, from the intent to the outcome. */
#include "budget-book-private.h"

#include "budget-window.h"

#include <string.h>

#define REEVE_RESERVATION_NAMES 5

/* In the order in which a reservation keeps them. */
static void
reeve_reservation_list_names (const ReeveBudgetWho *who, const char *names[REEVE_RESERVATION_NAMES])
{
  const char *const all[REEVE_RESERVATION_NAMES]
      = { who->agent_id, who->key_id, who->user_id, who->delegated_user_id, who->workspace_id };

  for (guint i = 0; i < REEVE_RESERVATION_NAMES; i++)
    names[i] = all[i] != NULL ? all[i] : "";
}

/* (transfer full): of nothing yet. Who it is for is in it: that costs no more than one without. */
ReeveReservation *
reeve_reservation_new (const ReeveBudgetWho *who)
{
  const char *names[REEVE_RESERVATION_NAMES];
  ReeveReservation *self = NULL;
  gsize length = 0;

  reeve_reservation_list_names (who, names);
  for (guint i = 0; i < REEVE_RESERVATION_NAMES; i++)
    length += strlen (names[i]) + 1;
  self = g_malloc0 (sizeof *self + length);
  length = 0;
  for (guint i = 0; i < REEVE_RESERVATION_NAMES; i++)
    {
      gsize size = strlen (names[i]) + 1;

      memcpy (self->who + length, names[i], size);
      length += size;
    }
  return self;
}

gboolean
reeve_reservation_is_of (const ReeveReservation *self, const char *key)
{
  static const char *const kinds[REEVE_RESERVATION_NAMES]
      = { "agents/", "keys/", "users/", "users/", "workspaces/" };
  const char *name = self->who;

  if (strcmp (key, REEVE_BUDGET_ORG) == 0)
    return TRUE;
  for (guint i = 0; i < REEVE_RESERVATION_NAMES; i++)
    {
      if (g_str_has_prefix (key, kinds[i]) && strcmp (key + strlen (kinds[i]), name) == 0)
        return TRUE;
      name += strlen (name) + 1;
    }
  return FALSE;
}

void
reeve_reservation_free (ReeveReservation *self)
{
  for (guint i = 0; i < self->n_budgets; i++)
    reeve_budget_unref (self->budgets[i]);
  g_free (self);
}

/**
 * reeve_reservation_number:
 * @self: a reservation
 * @intent: sequence number of its intent, which is durable
 */
void
reeve_reservation_number (ReeveReservation *self, guint64 intent)
{
  g_mutex_lock (&self->book->lock);
  self->intent = intent;
  self->state = REEVE_RESERVATION_OPEN;
  /* what takes nothing is not looked for at a restart */
  for (guint i = 0; i < self->n_budgets && self->input + self->output + self->cost > 0; i++)
    if (self->time >= self->budgets[i]->unrecorded)
      self->budgets[i]->unrecorded = 0;
  g_mutex_unlock (&self->book->lock);
}

/**
 * reeve_reservation_dup_book:
 * @self: a reservation
 *
 * Returns: (transfer full): the book that it is of
 */
ReeveBudgetBook *
reeve_reservation_dup_book (ReeveReservation *self)
{
  return reeve_budget_book_ref (self->book);
}

/**
 * reeve_reservation_get_input:
 * @self: a reservation
 *
 * Returns: how many tokens are reserved for what the model reads
 */
gint64
reeve_reservation_get_input (ReeveReservation *self)
{
  return self->input;
}

/**
 * reeve_reservation_get_output:
 * @self: a reservation
 *
 * Returns: how many tokens the answer may have
 */
gint64
reeve_reservation_get_output (ReeveReservation *self)
{
  return self->output;
}

/**
 * reeve_reservation_get_cost:
 * @self: a reservation
 *
 * Returns: what is reserved of money, in nano-units
 */
gint64
reeve_reservation_get_cost (ReeveReservation *self)
{
  return self->cost;
}

/**
 * reeve_reservation_get_currency:
 * @self: a reservation
 *
 * Returns: (transfer none) (nullable): static: of what it costs; %NULL: nothing, or nobody knows
 */
const char *
reeve_reservation_get_currency (ReeveReservation *self)
{
  return self->cost > 0 && *self->currency != '\0' ? g_intern_string (self->currency) : NULL;
}

/**
 * reeve_reservation_get_time:
 * @self: a reservation
 *
 * Returns: when it was made, which is what its intent says: so a restart finds the periods that the
 * gate took it of; µs since 1970, whole milliseconds
 */
gint64
reeve_reservation_get_time (ReeveReservation *self)
{
  return self->time;
}

/**
 * reeve_reservation_get_price:
 * @self: a reservation
 *
 * Prices change while a call is under way; what it costs does not, or it could cost more than was
 * reserved.
 *
 * Returns: (transfer none) (nullable): the price that was in force when it was reserved
 */
const ReevePrice *
reeve_reservation_get_price (ReeveReservation *self)
{
  return self->priced ? &self->price : NULL;
}

/* Under the lock. */
static void
reeve_reservation_give_back_money (ReeveReservation *self, ReeveBudget *budget)
{
  ReeveBudgetAmount *row = reeve_budget_money_find (&budget->money, self->currency);

  if (row != NULL)
    row->reserved -= MIN (row->reserved, self->cost);
}

/* Under the lock: what the outcome adds to a budget whose period is that of the reservation. */
static void
reeve_reservation_spend (ReeveReservation *self, guint i)
{
  ReeveBudget *budget = self->budgets[i];
  ReeveBudgetAmount *row
      = self->spent_cost[i] > 0 ? reeve_budget_money_need (&budget->money, self->spent_in) : NULL;

  /* a counter in the store fails where it would pass what it can hold */
  self->spent_tokens[i] = MAX (
      reeve_budget_sum (budget->tokens_used, self->spent_tokens[i]) - budget->tokens_used, 0);
  budget->tokens_used += self->spent_tokens[i];
  if (row == NULL)
    return;
  self->spent_cost[i] = MAX (reeve_budget_sum (row->used, self->spent_cost[i]) - row->used, 0);
  row->used += self->spent_cost[i];
}

/* Under the lock: gives back what is reserved of the present periods. */
static void
reeve_reservation_give_back (ReeveReservation *self)
{
  for (guint i = 0; i < self->n_budgets; i++)
    if (self->budgets[i]->period == self->periods[i])
      {
        ReeveBudget *budget = self->budgets[i];

        budget->tokens_reserved
            -= MIN (budget->tokens_reserved, reeve_budget_sum (self->input, self->output));
        reeve_reservation_give_back_money (self, budget);
      }
}

/* Under the lock. */
static void
reeve_reservation_unlink (ReeveReservation *self)
{
  if (self->previous != NULL)
    self->previous->next = self->next;
  else
    self->book->reservations = self->next;
  if (self->next != NULL)
    self->next->previous = self->previous;
}

/**
 * reeve_reservation_settle:
 * @self: a reservation
 * @tokens: what was spent
 * @cost: what was spent, in nano-units
 * @currency: (nullable): of @cost; %NULL: that of what is reserved
 * @size: records in the log
 * @notices: (out caller-allocates): what is to be told; their keys are owned
 *
 * Returns: how many notices there are
 */
guint
reeve_reservation_settle (ReeveReservation *self, gint64 tokens, gint64 cost, const char *currency,
                          guint64 size, ReeveBudgetNotice *notices)
{
  guint n = 0;

  g_mutex_lock (&self->book->lock);
  reeve_reservation_give_back (self);
  self->state = REEVE_RESERVATION_SETTLING;
  g_strlcpy (self->spent_in, currency != NULL ? currency : self->currency, sizeof self->spent_in);
  if (cost > 0)
    reeve_budget_book_note_currency (self->book, self->spent_in);
  self->size = size;
  self->ended_tokens = tokens;
  self->ended_cost = cost;
  for (guint i = 0; i < self->n_budgets; i++)
    {
      ReeveBudget *budget = self->budgets[i];
      guint told = 0;

      self->spent_tokens[i] = tokens;
      self->spent_cost[i] = budget->window == REEVE_BUDGET_WINDOW_NONE ? cost : 0;
      if (budget->period != self->periods[i])
        continue;
      reeve_reservation_spend (self, i);
      told = reeve_budget_notice (budget);
      if (told != 0)
        notices[n++] = (ReeveBudgetNotice){ reeve_budget_window_dup_name (budget), told };
    }
  g_mutex_unlock (&self->book->lock);
  return n;
}

/**
 * reeve_reservation_finish:
 * @self: (transfer full): a reservation that was settled
 * @durable: whether its outcome is in the log
 *
 * What could not be recorded stays on the list of what a restart has to find out.
 */
void
reeve_reservation_finish (ReeveReservation *self, gboolean durable)
{
  ReeveBudgetBook *book = self->book;

  g_mutex_lock (&book->lock);
  if (durable)
    {
      for (guint i = 0; i < self->n_budgets; i++)
        reeve_budget_book_add (book, self->budgets[i], self->periods[i], self->spent_tokens[i],
                               self->spent_cost[i], self->spent_in);
      g_array_append_val (book->finished, self->intent);
      book->unsaved++;
      reeve_reservation_unlink (self);
      reeve_reservation_free (self);
    }
  else
    self->state = REEVE_RESERVATION_LOST;
  g_mutex_unlock (&book->lock);
  /* what is lost stays, and has no hold on the book any more */
  reeve_budget_book_unref (book);
}

/**
 * reeve_reservation_release:
 * @self: (transfer full): a reservation whose intent was not written
 */
void
reeve_reservation_release (ReeveReservation *self)
{
  ReeveBudgetBook *book = self->book;

  g_mutex_lock (&book->lock);
  reeve_reservation_give_back (self);
  reeve_reservation_unlink (self);
  reeve_reservation_free (self);
  g_mutex_unlock (&book->lock);
  reeve_budget_book_unref (book);
}
