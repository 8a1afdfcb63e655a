/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One host appends to a tenant's log, so one table in its memory decides what may be reserved,
 * under one lock and in no more than a microsecond or two. What makes it durable is the log: the
 * intent says what is reserved, the outcome what was spent, and the counters in the store are a sum
 * of the log that is brought up to date from time to time (budget-book-save.c). */
#include "budget-book-private.h"

#include <string.h>

#include "budget-refusal.h"
#include "money.h"

G_DEFINE_QUARK (reeve - budget - short, reeve_budget_short)

/**
 * reeve_budget_book_new:
 * @tenant_id: whose
 *
 * Returns: (transfer full): a book without budgets
 */
ReeveBudgetBook *
reeve_budget_book_new (const char *tenant_id)
{
  ReeveBudgetBook *self = g_new0 (ReeveBudgetBook, 1);

  g_atomic_ref_count_init (&self->references);
  self->tenant_id = g_strdup (tenant_id);
  g_mutex_init (&self->lock);
  g_cond_init (&self->saved);
  self->budgets
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) reeve_budget_unref);
  self->deltas = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->currencies = g_hash_table_new (g_direct_hash, g_direct_equal);
  self->finished = g_array_new (FALSE, FALSE, sizeof (guint64));
  return self;
}

/**
 * reeve_budget_book_ref:
 * @self: a book
 *
 * Returns: (transfer full): it
 */
ReeveBudgetBook *
reeve_budget_book_ref (ReeveBudgetBook *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * reeve_budget_book_unref:
 * @self: (transfer full): a book
 */
void
reeve_budget_book_unref (ReeveBudgetBook *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  while (self->reservations != NULL)
    {
      ReeveReservation *lost = self->reservations;

      self->reservations = lost->next;
      reeve_reservation_free (lost);
    }
  g_hash_table_unref (self->budgets);
  g_hash_table_unref (self->deltas);
  g_clear_pointer (&self->sent, g_hash_table_unref);
  g_hash_table_unref (self->currencies);
  g_array_unref (self->finished);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->saved);
  g_free (self->tenant_id);
  g_free (self);
}

/**
 * reeve_budget_book_get_tenant_id:
 * @self: a book
 *
 * Returns: (transfer none): whose it is
 */
const char *
reeve_budget_book_get_tenant_id (ReeveBudgetBook *self)
{
  return self->tenant_id;
}

/**
 * reeve_budget_book_is_empty:
 * @self: a book
 *
 * Returns: whether there is no budget at all
 */
gboolean
reeve_budget_book_is_empty (ReeveBudgetBook *self)
{
  gboolean empty = FALSE;

  g_mutex_lock (&self->lock);
  empty = g_hash_table_size (self->budgets) == 0 && !self->blind;
  g_mutex_unlock (&self->lock);
  return empty;
}

/**
 * reeve_budget_book_set_blind:
 * @self: a book
 *
 * In doubt nothing is spent.
 */
void
reeve_budget_book_set_blind (ReeveBudgetBook *self)
{
  g_mutex_lock (&self->lock);
  self->blind = TRUE;
  g_mutex_unlock (&self->lock);
}

gboolean
reeve_budget_book_can_see (ReeveBudgetBook *self, GError **error)
{
  if (self->blind)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                 "the budgets of %s could not be read at the start", self->tenant_id);
  return !self->blind;
}

/* ---- budgets ---- */

/* Under the lock: it was in another period before. */
void
reeve_budget_book_note_period (ReeveBudgetBook *self, const ReeveBudget *budget, gint64 before)
{
  g_autofree char *counter = NULL;

  if (budget->period == before)
    return;
  counter = g_strconcat ("budget/", budget->id, "/period", NULL);
  reeve_budget_book_change (self->deltas, counter, budget->period - before);
  self->unsaved++;
}

/* Under the lock: what is set says in which period, so that a restart knows it too. */
static void
reeve_budget_book_go_on (ReeveBudgetBook *self, ReeveBudget *there, const ReeveBudget *set)
{
  gint64 before = there->period;

  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    if (there->windows[i] != NULL && set->windows[i] != NULL
        && strcmp (there->windows[i]->id, set->windows[i]->id) == 0)
      reeve_budget_book_go_on (self, there->windows[i], set->windows[i]);
  reeve_budget_go_on (there, set->period);
  reeve_budget_book_note_period (self, there, before);
}

/**
 * reeve_budget_book_take:
 * @self: a book
 * @budget: (transfer full): as it is in the store
 *
 * Takes up what was set. Where the same budget is there already, what it has spent and reserved
 * stays.
 */
void
reeve_budget_book_take (ReeveBudgetBook *self, ReeveBudget *budget)
{
  ReeveBudget *there = NULL;

  g_mutex_lock (&self->lock);
  there = g_hash_table_lookup (self->budgets, budget->key);
  if (there != NULL && strcmp (there->id, budget->id) == 0)
    {
      reeve_budget_book_go_on (self, there, budget);
      reeve_budget_adopt (there, budget);
      reeve_budget_unref (budget);
    }
  else
    g_hash_table_replace (self->budgets, budget->key, budget);
  g_mutex_unlock (&self->lock);
}

ReeveBudget *
reeve_budget_book_dup (const ReeveBudget *budget, gint64 now)
{
  ReeveBudget *copy = reeve_budget_dup (budget);

  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    if (copy->windows[i] != NULL)
      reeve_budget_roll (copy->windows[i], now);
  reeve_budget_roll (copy, now);
  return copy;
}

ReeveBudget *
reeve_budget_book_look (ReeveBudget *budget, gint64 now)
{
  ReeveBudget *copy = NULL;

  if (reeve_budget_find_period (budget, now) == budget->period)
    {
      /* says when its period ends */
      if (budget->window != REEVE_BUDGET_WINDOW_NONE && budget->ends == 0)
        reeve_budget_roll (budget, now);
      return reeve_budget_ref (budget);
    }
  copy = reeve_budget_dup (budget);
  reeve_budget_roll (copy, now);
  return copy;
}

ReeveBudget *
reeve_budget_book_get (ReeveBudgetBook *self, const char *key)
{
  ReeveBudget *budget = g_hash_table_lookup (self->budgets, key);

  return budget != NULL && !budget->coming ? budget : NULL;
}

/**
 * reeve_budget_book_copy:
 * @self: a book
 * @key: of a budget
 * @now: µs since 1970
 *
 * Returns: (transfer full) (nullable): a copy that belongs to no book
 */
ReeveBudget *
reeve_budget_book_copy (ReeveBudgetBook *self, const char *key, gint64 now)
{
  ReeveBudget *copy = NULL;
  ReeveBudget *budget = NULL;

  g_mutex_lock (&self->lock);
  budget = reeve_budget_book_get (self, key);
  if (budget != NULL)
    copy = reeve_budget_book_dup (budget, now);
  g_mutex_unlock (&self->lock);
  return copy;
}

/**
 * reeve_budget_book_remove:
 * @self: a book
 * @key: of a budget
 *
 * Returns: whether there was one
 */
gboolean
reeve_budget_book_remove (ReeveBudgetBook *self, const char *key)
{
  gboolean removed = FALSE;

  g_mutex_lock (&self->lock);
  removed = g_hash_table_remove (self->budgets, key);
  g_mutex_unlock (&self->lock);
  return removed;
}

/* Records tell the time in whole milliseconds. */
static gint64
reeve_budget_book_round (gint64 time)
{
  return (time + 999) / 1000 * 1000;
}

void
reeve_budget_book_roll (ReeveBudgetBook *self, ReeveBudget *budget, gint64 now)
{
  gint64 before = budget->period;

  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    if (budget->windows[i] != NULL)
      reeve_budget_book_roll (self, budget->windows[i], now);
  if (budget->window == REEVE_BUDGET_WINDOW_NONE || budget->ends == 0 || now >= budget->ends)
    reeve_budget_roll (budget, now);
  if (budget->period != before)
    budget->unrecorded = reeve_budget_book_round (now);
  reeve_budget_book_note_period (self, budget, before);
}

gint64
reeve_budget_book_find_time (ReeveBudget **found, guint n, gint64 now)
{
  for (guint i = 0; i < n; i++)
    now = MAX (now, found[i]->unrecorded);
  return now;
}

/**
 * reeve_budget_book_show:
 * @self: a book
 * @key: of a budget
 * @now: µs since 1970
 *
 * Returns: (transfer full) (nullable): it as it is shown outside
 */
JsonObject *
reeve_budget_book_show (ReeveBudgetBook *self, const char *key, gint64 now)
{
  JsonObject *shown = NULL;
  ReeveBudget *budget = NULL;

  g_mutex_lock (&self->lock);
  budget = reeve_budget_book_get (self, key);
  if (budget != NULL)
    {
      ReeveBudget *copy = reeve_budget_book_dup (budget, now);

      shown = reeve_budget_show (copy, self->tenant_id);
      reeve_budget_unref (copy);
    }
  g_mutex_unlock (&self->lock);
  return shown;
}

/**
 * reeve_budget_book_list:
 * @self: a book
 * @now: µs since 1970
 *
 * Returns: (transfer full): all budgets as they are shown outside, by their keys
 */
JsonArray *
reeve_budget_book_list (ReeveBudgetBook *self, gint64 now)
{
  JsonArray *shown = json_array_new ();
  GList *keys = NULL;

  g_mutex_lock (&self->lock);
  keys = g_list_sort (g_hash_table_get_keys (self->budgets), (GCompareFunc) strcmp);
  for (GList *l = keys; l != NULL; l = l->next)
    {
      ReeveBudget *budget = reeve_budget_book_get (self, l->data);
      ReeveBudget *copy = NULL;

      if (budget == NULL)
        continue;
      copy = reeve_budget_book_dup (budget, now);
      json_array_add_object_element (shown, reeve_budget_show (copy, self->tenant_id));
      reeve_budget_unref (copy);
    }
  g_mutex_unlock (&self->lock);
  g_list_free (keys);
  return shown;
}

static guint
reeve_budget_book_find_one (ReeveBudget *budget, ReeveBudget **found, guint n)
{
  found[n++] = budget;
  for (guint w = 0; w < REEVE_BUDGET_WINDOWS; w++)
    if (budget->windows[w] != NULL)
      found[n++] = budget->windows[w];
  return n;
}

guint
reeve_budget_book_find (ReeveBudgetBook *self, const ReeveBudgetWho *who, ReeveBudget **found)
{
  const struct
  {
    const char *kind;
    const char *id;
  } rows[]
      = { { "agents", who->agent_id },
          { "keys", who->key_id },
          { "users", who->user_id },
          { "users",
            g_strcmp0 (who->user_id, who->delegated_user_id) != 0 ? who->delegated_user_id : NULL },
          { "workspaces", who->workspace_id },
          { REEVE_BUDGET_ORG, "" },
          { REEVE_BUDGET_PLATFORM, "" } };
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      char key[256];
      ReeveBudget *budget = NULL;

      if (rows[i].id == NULL)
        continue;
      g_snprintf (key, sizeof key, "%s%s%s", rows[i].kind, *rows[i].id != '\0' ? "/" : "",
                  rows[i].id);
      budget = g_hash_table_lookup (self->budgets, key);
      if (budget == NULL)
        continue;
      n = reeve_budget_book_find_one (budget, found, n);
      if (budget->heir != NULL && n + 1 + REEVE_BUDGET_WINDOWS <= REEVE_RESERVATION_SCOPES)
        n = reeve_budget_book_find_one (budget->heir, found, n);
    }
  return n;
}

/**
 * reeve_budget_book_explain:
 * @self: a book
 * @who: who would spend
 * @now: µs since 1970
 *
 * Returns: (transfer full): every budget that bounds it, as it is shown outside: there is no other
 */
JsonArray *
reeve_budget_book_explain (ReeveBudgetBook *self, const ReeveBudgetWho *who, gint64 now)
{
  JsonArray *shown = json_array_new ();
  ReeveBudget *found[REEVE_RESERVATION_SCOPES];
  guint n = 0;

  g_mutex_lock (&self->lock);
  n = reeve_budget_book_find (self, who, found);
  for (guint i = 0; i < n; i++)
    {
      ReeveBudget *copy = NULL;

      /* a window is shown with the budget that it is of; what is about to come is not there yet */
      if (found[i]->window != REEVE_BUDGET_WINDOW_NONE
          || reeve_budget_book_get (self, found[i]->key) != found[i])
        continue;
      copy = reeve_budget_book_dup (found[i], now);
      json_array_add_object_element (shown, reeve_budget_show (copy, self->tenant_id));
      reeve_budget_unref (copy);
    }
  g_mutex_unlock (&self->lock);
  return shown;
}
