/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the store keeps of a book: counters, and how far in the log they reach. A batch says of each
 * intent either that it is in the counters or that it is not, so that a restart reads the rest from
 * the log and counts nothing twice:
 *
 *   seq       intents up to here are in the counters, but for …
 *   pending   … these, which have no outcome yet, or none that is known to be durable
 *   finished  intents behind seq that are in the counters already
 *
 * Money has a counter for each currency; which there are is in
 *
 *   currencies  those that anything was spent or reserved in */
#include "budget-book-private.h"

#include "store/store.h"

#include <string.h>

void
reeve_budget_book_change (GHashTable *deltas, const char *counter, gint64 by)
{
  gint64 *delta = g_hash_table_lookup (deltas, counter);

  if (delta == NULL)
    {
      delta = g_new0 (gint64, 1);
      g_hash_table_insert (deltas, g_strdup (counter), delta);
    }
  *delta = reeve_budget_sum (*delta, by);
}

/**
 * reeve_budget_book_counter:
 * @budget: a budget
 * @period: number of a period
 * @what: tokens
 *
 * Returns: (transfer full): name of the counter
 */
char *
reeve_budget_book_counter (const ReeveBudget *budget, gint64 period, const char *what)
{
  return g_strdup_printf ("budget/%s/%" G_GINT64_FORMAT "/%s", budget->id, period, what);
}

/**
 * reeve_budget_book_money_counter:
 * @budget: a budget
 * @period: number of a period
 * @currency: ISO 4217; %REEVE_BUDGET_MONEY_ANY: what was written before currencies were
 *
 * Returns: (transfer full): name of the counter of what was spent in it
 */
char *
reeve_budget_book_money_counter (const ReeveBudget *budget, gint64 period, const char *currency)
{
  g_autofree char *what = *currency != '\0' ? g_strconcat ("cost/", currency, NULL) : NULL;

  return reeve_budget_book_counter (budget, period, what != NULL ? what : "cost");
}

void
reeve_budget_book_note_currency (ReeveBudgetBook *self, const char *currency)
{
  /* the counter without one is always read */
  if (*currency != '\0')
    g_hash_table_add (self->currencies, (gpointer) g_intern_string (currency));
}

/**
 * reeve_budget_book_set_currencies:
 * @self: a book
 * @currencies: (nullable): of the record that says how far the counters reach
 */
void
reeve_budget_book_set_currencies (ReeveBudgetBook *self, JsonArray *currencies)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; currencies != NULL && i < json_array_get_length (currencies); i++)
    reeve_budget_book_note_currency (self, json_array_get_string_element (currencies, i));
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_budget_book_list_currencies:
 * @self: a book
 *
 * Returns: (transfer container): static texts, by name
 */
GList *
reeve_budget_book_list_currencies (ReeveBudgetBook *self)
{
  GList *all = NULL;

  g_mutex_lock (&self->lock);
  all = g_list_sort (g_hash_table_get_keys (self->currencies), (GCompareFunc) strcmp);
  g_mutex_unlock (&self->lock);
  return all;
}

/* Under the lock. */
static JsonArray *
reeve_budget_book_describe_currencies (ReeveBudgetBook *self)
{
  JsonArray *currencies = json_array_new ();
  g_autoptr (GList) all
      = g_list_sort (g_hash_table_get_keys (self->currencies), (GCompareFunc) strcmp);

  for (GList *link = all; link != NULL; link = link->next)
    json_array_add_string_element (currencies, link->data);
  return currencies;
}

void
reeve_budget_book_add (ReeveBudgetBook *self, const ReeveBudget *budget, gint64 period,
                       gint64 tokens, gint64 cost, const char *currency)
{
  g_autofree char *counter = reeve_budget_book_counter (budget, period, "tokens");
  g_autofree char *money = NULL;

  reeve_budget_book_change (self->deltas, counter, tokens);
  if (cost == 0)
    return;
  money = reeve_budget_book_money_counter (budget, period, currency);
  reeve_budget_book_change (self->deltas, money, cost);
}

/**
 * reeve_budget_book_get_unsaved:
 * @self: a book
 *
 * Returns: how many changes the store does not have
 */
guint
reeve_budget_book_get_unsaved (ReeveBudgetBook *self)
{
  guint unsaved = 0;

  g_mutex_lock (&self->lock);
  unsaved = self->unsaved;
  g_mutex_unlock (&self->lock);
  return unsaved;
}

/* Under the lock: behind which record of the log everything has still to be read? A record that is
 * on its way comes behind those that were there when it set out. */
static guint64
reeve_budget_book_find_seq (ReeveBudgetBook *self, guint64 size)
{
  for (const ReeveReservation *r = self->reservations; r != NULL; r = r->next)
    if (r->state == REEVE_RESERVATION_UNNUMBERED || r->state == REEVE_RESERVATION_SETTLING)
      size = MIN (size, r->size);
  /* who was not on the list when it was saved last, sets out behind what was there then */
  self->seq = MAX (self->seq, size);
  return self->seq;
}

/* Under the lock. */
static JsonObject *
reeve_budget_book_describe (ReeveBudgetBook *self, guint64 seq)
{
  JsonObject *fields = json_object_new ();
  JsonArray *pending = json_array_new ();
  JsonArray *finished = json_array_new ();
  guint kept = 0;

  for (const ReeveReservation *r = self->reservations; r != NULL; r = r->next)
    if (r->intent != 0 && r->intent <= seq)
      json_array_add_int_element (pending, (gint64) r->intent);
  for (guint i = 0; i < self->finished->len; i++)
    {
      guint64 intent = g_array_index (self->finished, guint64, i);

      if (intent <= seq)
        continue;
      json_array_add_int_element (finished, (gint64) intent);
      g_array_index (self->finished, guint64, kept++) = intent;
    }
  g_array_set_size (self->finished, kept);
  json_object_set_string_member (fields, "kind", REEVE_BUDGET_STATE);
  json_object_set_string_member (fields, "subject", "");
  json_object_set_int_member (fields, "created_at", 0);
  json_object_set_int_member (fields, "seq", (gint64) seq);
  json_object_set_array_member (fields, "pending", pending);
  json_object_set_array_member (fields, "finished", finished);
  json_object_set_array_member (fields, "currencies", reeve_budget_book_describe_currencies (self));
  return fields;
}

/**
 * reeve_budget_book_save:
 * @self: a book
 * @size: number of records in the tenant's log
 * @even_nothing: also when nothing has changed
 *
 * Returns: (transfer full) (nullable): a batch that brings the store up to date, to be answered by
 * reeve_budget_book_saved(); %NULL when there is nothing to save or one is on its way
 */
ReeveBatch *
reeve_budget_book_save (ReeveBudgetBook *self, guint64 size, gboolean even_nothing)
{
  g_autoptr (JsonObject) fields = NULL;
  ReeveBatch *batch = NULL;
  GHashTableIter iter;
  gpointer counter = NULL;
  gpointer delta = NULL;

  g_mutex_lock (&self->lock);
  if (!self->saving && (self->unsaved > 0 || even_nothing))
    {
      self->saving = TRUE;
      self->unsaved = 0;
      fields = reeve_budget_book_describe (self, reeve_budget_book_find_seq (self, size));
      self->sent = g_steal_pointer (&self->deltas);
      self->deltas = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      batch = reeve_batch_new (self->tenant_id);
      reeve_batch_put (batch, REEVE_STORE_BUDGETS, REEVE_BUDGET_STATE, fields, REEVE_REVISION_ANY);
      g_hash_table_iter_init (&iter, self->sent);
      while (g_hash_table_iter_next (&iter, &counter, &delta))
        reeve_batch_count (batch, counter, *(gint64 *) delta, 0, G_MAXINT64);
    }
  g_mutex_unlock (&self->lock);
  return batch;
}

/**
 * reeve_budget_book_saved:
 * @self: a book
 * @good: whether the store has taken the batch
 */
void
reeve_budget_book_saved (ReeveBudgetBook *self, gboolean good)
{
  GHashTableIter iter;
  gpointer counter = NULL;
  gpointer delta = NULL;

  g_mutex_lock (&self->lock);
  self->saving = FALSE;
  if (!good)
    {
      g_hash_table_iter_init (&iter, self->sent);
      while (g_hash_table_iter_next (&iter, &counter, &delta))
        reeve_budget_book_change (self->deltas, counter, *(gint64 *) delta);
      self->unsaved++;
    }
  g_clear_pointer (&self->sent, g_hash_table_unref);
  g_cond_broadcast (&self->saved);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_budget_book_wait:
 * @self: a book
 * @most: µs
 *
 * Waits until reeve_budget_book_save() may have a batch, but no longer than @most. Blocks.
 */
void
reeve_budget_book_wait (ReeveBudgetBook *self, gint64 most)
{
  gint64 end = g_get_monotonic_time () + most;

  g_mutex_lock (&self->lock);
  while (self->saving && g_cond_wait_until (&self->saved, &self->lock, end))
    continue;
  g_mutex_unlock (&self->lock);
}
