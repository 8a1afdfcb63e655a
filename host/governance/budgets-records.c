/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Budgets are shown from memory and changed in the store first: a change holds when it returns. */
#include "budgets-private.h"

#include "base/ids.h"
#include "base/times.h"

#include "budget-window.h"

#include <string.h>

#define REEVE_BUDGETS_TRIES 16
/* for a batch that is on its way, so often */
#define REEVE_BUDGETS_WAIT G_TIME_SPAN_SECOND

/* What is to be changed. */
typedef struct
{
  const char *operation;
  const char *key;
  JsonObject *params;
  JsonObject *limits;
  gboolean consumed;
  gint64 now;
  ReeveBudget *budget; /* set: as it will be */
} ReeveBudgetsChange;

static void
reeve_budgets_set_absent (const char *key, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no budget is set for %s", key);
}

/* The id under which its record lies. */
static char *
reeve_budgets_record_id (const char *key)
{
  return g_strdelimit (g_strdup (key), "/", ':');
}

/* ---- reading ---- */

/**
 * reeve_budgets_get:
 * @self: budgets
 * @tenant_id: whose
 * @key: org, agents/ID, users/ID, keys/ID or workspaces/ID
 * @error: return location
 *
 * Returns: (transfer full): the budget with what is used, reserved and left; %NULL with
 * %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_budgets_get (ReeveBudgets *self, const char *tenant_id, const char *key, GError **error)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budgets_find_book (self, tenant_id);
  JsonObject *shown = book != NULL ? reeve_budget_book_show (book, key, reeve_times_now ()) : NULL;

  if (shown == NULL)
    reeve_budgets_set_absent (key, error);
  return shown;
}

/**
 * reeve_budgets_list:
 * @self: budgets
 * @tenant_id: whose
 *
 * Returns: (transfer full): all of the tenant's budgets, by scope
 */
JsonArray *
reeve_budgets_list (ReeveBudgets *self, const char *tenant_id)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budgets_find_book (self, tenant_id);

  return book != NULL ? reeve_budget_book_list (book, reeve_times_now ()) : json_array_new ();
}

/**
 * reeve_budgets_get_platform:
 * @self: budgets
 * @error: return location
 *
 * Returns: (transfer full): the platform's budget, with what each tenant was given of it; %NULL
 * with %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_budgets_get_platform (ReeveBudgets *self, GError **error)
{
  if (self->leases != NULL)
    return reeve_budget_leases_show (self->leases, error);
  reeve_budgets_set_absent (REEVE_BUDGET_PLATFORM, error);
  return NULL;
}

/* ---- changing ---- */

static gboolean
reeve_budgets_find_record (ReeveBudgets *self, const char *tenant_id, const char *key,
                           ReeveRecord **record, GError **error)
{
  g_autofree char *id = reeve_budgets_record_id (key);
  g_autoptr (GError) local = NULL;

  *record = reeve_store_get (self->store, tenant_id, REEVE_STORE_BUDGETS, id, &local);
  if (local == NULL || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* How it stands, or a new one; that of the configuration, which it takes the place of, has spent
 * already. */
static gboolean
reeve_budgets_draft (ReeveBudgets *self, ReeveBudgetBook *book, ReeveBudgetsChange *change,
                     ReeveRecord *record, GError **error)
{
  g_autofree char *id = NULL;

  g_autoptr (ReeveBudget) old = reeve_budget_book_copy (book, change->key, change->now);

  g_clear_pointer (&change->budget, reeve_budget_unref);
  if (old != NULL && record != NULL)
    {
      change->budget = g_steal_pointer (&old);
      return reeve_budget_set_limits (change->budget, change->limits, change->now, error);
    }
  id = reeve_ids_new ("bud");
  change->budget = reeve_budget_new (change->key, id);
  change->budget->anchor = change->budget->created_at = change->now;
  change->budget->from_seq = REEVE_BUDGET_NEW;
  if (old == NULL)
    return reeve_budget_set_limits (change->budget, change->limits, change->now, error);
  g_strlcpy (change->budget->currency, old->currency, sizeof old->currency);
  reeve_budget_window_carry (change->budget, old);
  if (!reeve_budget_set_limits (change->budget, change->limits, change->now, error))
    return FALSE;
  /* its windows are there by now */
  reeve_budget_window_carry (change->budget, old);
  return TRUE;
}

static gboolean
reeve_budgets_commit (ReeveBudgets *self, ReeveBudgetBook *book, ReeveBatch *batch, GError **error)
{
  g_autoptr (ReeveBatchResult) result = reeve_store_commit (self->store, batch, error);

  reeve_budget_book_saved (book, result != NULL);
  return result != NULL;
}

/* What the store keeps of the book goes along, so that there is such a record from the first budget
 * on. */
static ReeveBatch *
reeve_budgets_new_batch (ReeveBudgets *self, ReeveBudgetBook *book, GError **error)
{
  const char *tenant_id = reeve_budget_book_get_tenant_id (book);

  for (guint i = 0; i < REEVE_BUDGETS_TRIES; i++)
    {
      ReeveBatch *batch
          = reeve_budget_book_save (book, reeve_ledger_get_size (self->ledger, tenant_id), TRUE);

      if (batch != NULL)
        return batch;
      reeve_budget_book_wait (book, REEVE_BUDGETS_WAIT);
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
               "what the budgets of %s have spent is still being saved", tenant_id);
  return NULL;
}

static void
reeve_budgets_count_more (const char *counter, gint64 before, gint64 after, ReeveBatch *batch)
{
  if (after > before)
    reeve_batch_count (batch, counter, after - before, 0, G_MAXINT64);
}

/* What it takes over, in each currency. @before (nullable): as the store has it. */
static void
reeve_budgets_count_carried (const ReeveBudget *before, const ReeveBudget *after, ReeveBatch *batch)
{
  gboolean same = before != NULL && before->period == after->period;
  g_autofree char *period = g_strconcat ("budget/", after->id, "/period", NULL);
  g_autofree char *tokens = reeve_budget_book_counter (after, after->period, "tokens");

  if (before != NULL)
    reeve_budgets_count_more (period, before->period, after->period, batch);
  reeve_budgets_count_more (tokens, same ? before->tokens_used : 0, after->tokens_used, batch);
  for (guint i = 0; i < after->money.n; i++)
    {
      const ReeveBudgetAmount *row = &after->money.rows[i];
      const ReeveBudgetAmount *there
          = same ? reeve_budget_money_find (&before->money, row->currency) : NULL;
      g_autofree char *cost = reeve_budget_book_money_counter (after, after->period, row->currency);

      reeve_budgets_count_more (cost, there != NULL ? there->used : 0, row->used, batch);
    }
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    if (after->windows[i] != NULL)
      reeve_budgets_count_carried (before != NULL ? before->windows[i] : NULL, after->windows[i],
                                   batch);
}

/* Writes what is drafted; what it takes the place of goes on meanwhile. */
static gboolean
reeve_budgets_write (ReeveBudgets *self, ReeveBudgetBook *book, ReeveBudgetsChange *change,
                     ReeveRecord *record, GError **error)
{
  g_autofree char *id = reeve_budgets_record_id (change->key);
  guint64 size = reeve_ledger_get_size (self->ledger, reeve_budget_book_get_tenant_id (book));
  ReeveBudget *heir = record == NULL
                          ? reeve_budget_book_begin_heir (book, change->budget, size, change->now)
                          : NULL;
  g_autoptr (ReeveBatch) batch = reeve_budgets_new_batch (self, book, error);
  g_autoptr (JsonObject) fields = NULL;
  gboolean good = FALSE;

  /* whatever is reserved behind here is its own */
  reeve_budget_begin_at (change->budget, size + 1);
  fields = reeve_budget_save (heir != NULL ? heir : change->budget);
  if (batch != NULL && heir != NULL)
    reeve_budgets_count_carried (NULL, heir, batch);
  if (batch != NULL)
    {
      reeve_batch_put (batch, REEVE_STORE_BUDGETS, id, fields,
                       record != NULL ? reeve_record_get_revision (record) : REEVE_REVISION_ABSENT);
      good = reeve_budgets_commit (self, book, batch, error);
    }
  if (heir != NULL)
    reeve_budget_book_end_heir (book, change->key, good);
  else if (good)
    reeve_budget_book_take (book, g_steal_pointer (&change->budget));
  g_clear_pointer (&heir, reeve_budget_unref);
  return good;
}

/* One try. */
static gboolean
reeve_budgets_try_set (ReeveBudgets *self, ReeveBudgetBook *book, ReeveAdmitted *admitted,
                       ReeveBudgetsChange *change, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  g_autoptr (ReeveRecord) record = NULL;

  if (!reeve_budgets_find_record (self, reeve_budget_book_get_tenant_id (book), change->key,
                                  &record, error)
      || !reeve_budgets_draft (self, book, change, record, error))
    return FALSE;
  reeve_budget_window_set_author (change->budget, reeve_caller_get_user_id (caller));
  change->budget->revision++;
  change->budget->updated_at = change->now;
  if (!change->consumed)
    reeve_admitted_consume_exactly (admitted, change->operation, NULL, change->params);
  change->consumed = TRUE;
  return reeve_budgets_write (self, book, change, record, error);
}

static gboolean
reeve_budgets_begin_change (ReeveBudgetBook *book, GError **error)
{
  if (reeve_budget_book_begin_change (book, REEVE_BUDGETS_TRIES * REEVE_BUDGETS_WAIT))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
               "another budget of %s is still being set", reeve_budget_book_get_tenant_id (book));
  return FALSE;
}

static gboolean
reeve_budgets_is_race (const GError *error)
{
  return g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CONFLICT)
         || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
}

/**
 * reeve_budgets_set:
 * @self: budgets
 * @admitted: the right to @operation
 * @operation: what was admitted
 * @key: of which scope
 * @params: what was admitted with it
 * @limits: {token_limit?, cost_limit?, reset_period_days?, alert_at?}
 * @error: return location
 *
 * Creates or replaces the limits; what was spent in the period stays. Blocks.
 *
 * Returns: (transfer full): the budget; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
JsonObject *
reeve_budgets_set (ReeveBudgets *self, ReeveAdmitted *admitted, const char *operation,
                   const char *key, JsonObject *params, JsonObject *limits, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
  g_autoptr (ReeveBudgetBook) book = reeve_budgets_need_book (self, tenant_id);
  ReeveBudgetsChange change = { .operation = operation,
                                .key = key,
                                .params = params,
                                .limits = limits,
                                .now = reeve_times_now () };
  g_autoptr (GError) local = NULL;
  gboolean good = FALSE;

  if (!reeve_budgets_begin_change (book, error))
    return NULL;
  for (guint i = 0; i == 0 || (!good && i < REEVE_BUDGETS_TRIES && reeve_budgets_is_race (local));
       i++)
    {
      g_clear_error (&local);
      good = reeve_budgets_try_set (self, book, admitted, &change, &local);
    }
  reeve_budget_book_end_change (book);
  g_clear_pointer (&change.budget, reeve_budget_unref);
  if (good)
    return reeve_budgets_get (self, tenant_id, key, error);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

/* That of the configuration goes on where the tenant's own is. */
static void
reeve_budgets_go_on (ReeveBudget *configured, const ReeveBudget *own)
{
  reeve_budget_roll (configured, reeve_times_now ());
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    if (configured->windows[i] != NULL && own->windows[i] != NULL)
      {
        reeve_budget_roll (configured->windows[i], reeve_times_now ());
        reeve_budget_go_on (configured->windows[i], own->windows[i]->period);
      }
}

/* What the tenant's own has spent in its period is spent of that of the configuration (nullable)
 * too. */
static gboolean
reeve_budgets_hand_back (ReeveBudgets *self, ReeveBudgetBook *book, const char *key,
                         ReeveRecord *record, const ReeveBudget *configured, GError **error)
{
  g_autofree char *id = reeve_budgets_record_id (key);
  guint64 size = reeve_ledger_get_size (self->ledger, reeve_budget_book_get_tenant_id (book));
  g_autoptr (ReeveBudget) own = reeve_budget_book_copy (book, key, reeve_times_now ());
  g_autoptr (ReeveBudget) draft = configured != NULL ? reeve_budget_dup (configured) : NULL;
  g_autoptr (ReeveBudget) heir = NULL;
  g_autoptr (ReeveBatch) batch = NULL;
  gboolean good = FALSE;

  if (draft != NULL && own != NULL)
    {
      reeve_budgets_go_on (draft, own);
      heir = reeve_budget_book_begin_heir (book, draft, size, reeve_times_now ());
    }
  batch = reeve_budgets_new_batch (self, book, error);
  if (batch != NULL && heir != NULL)
    reeve_budgets_count_carried (configured, heir, batch);
  if (batch != NULL)
    {
      reeve_batch_delete (batch, REEVE_STORE_BUDGETS, id, reeve_record_get_revision (record));
      good = reeve_budgets_commit (self, book, batch, error);
    }
  if (heir != NULL)
    reeve_budget_book_end_heir (book, key, good);
  else if (good && configured != NULL)
    reeve_budget_book_take (book, reeve_budget_dup (configured));
  else if (good)
    reeve_budget_book_remove (book, key);
  return good;
}

/* The tenant's own, in its turn. */
static gboolean
reeve_budgets_do_unset (ReeveBudgets *self, ReeveBudgetBook *book, ReeveAdmitted *admitted,
                        const ReeveBudgetsChange *change, GError **error)
{
  g_autoptr (ReeveRecord) record = NULL;
  g_autoptr (ReeveBudget) configured = NULL;

  if (!reeve_budgets_find_record (self, reeve_budget_book_get_tenant_id (book), change->key,
                                  &record, error))
    return FALSE;
  if (record == NULL)
    {
      reeve_budgets_set_absent (change->key, error);
      return FALSE;
    }
  if (strcmp (change->key, REEVE_BUDGET_ORG) == 0)
    configured = reeve_budgets_new_configured (self);
  if (configured != NULL && !reeve_budgets_read_counters (self, book, configured, error))
    return FALSE;
  reeve_admitted_consume_exactly (admitted, change->operation, NULL, change->params);
  return reeve_budgets_hand_back (self, book, change->key, record, configured, error);
}

/**
 * reeve_budgets_unset:
 * @self: budgets
 * @admitted: the right to @operation
 * @operation: what was admitted
 * @key: of which scope
 * @params: what was admitted with it
 * @error: return location
 *
 * The tenant's own gives way to that of the configuration. Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_budgets_unset (ReeveBudgets *self, ReeveAdmitted *admitted, const char *operation,
                     const char *key, JsonObject *params, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
  g_autoptr (ReeveBudgetBook) book = reeve_budgets_need_book (self, tenant_id);
  const ReeveBudgetsChange change = { .operation = operation, .key = key, .params = params };
  gboolean good = FALSE;

  if (!reeve_budgets_begin_change (book, error))
    return FALSE;
  good = reeve_budgets_do_unset (self, book, admitted, &change, error);
  reeve_budget_book_end_change (book);
  return good;
}
