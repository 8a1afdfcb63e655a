/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* At start: what the store keeps of budgets, and from the log what it does not have yet. An intent
 * without an outcome was under way when an earlier host ended: nobody knows what it took, so it has
 * taken what was reserved. */
#include "budgets-private.h"

#include "base/log.h"
#include "base/times.h"
#include "store/store-counters.h"

#include "directory.h"
#include "ledger-record.h"
#include "usage-event.h"

#include <string.h>

#define REEVE_BUDGETS_PAGE 500

/* One tenant's log while it is read. */
typedef struct
{
  ReeveBudgets *budgets;
  ReeveBudgetBook *book;
  guint64 seq;
  guint64 after;        /* what is pending may have ended since here */
  GHashTable *open;     /* intent -> ReeveReservation */
  GHashTable *finished; /* intents that are in the counters */
} ReeveBudgetsLoad;

static gpointer
reeve_budgets_load_key (guint64 intent)
{
  return GSIZE_TO_POINTER (intent);
}

ReeveBudget *
reeve_budgets_new_configured (ReeveBudgets *self)
{
  g_autoptr (ReeveBudget) budget = NULL;

  if (self->org == NULL)
    return NULL;
  budget = reeve_budget_new (REEVE_BUDGET_ORG, REEVE_BUDGET_CONFIGURED);
  return reeve_budget_set_limits (budget, self->org, 0, NULL) ? g_steal_pointer (&budget) : NULL;
}

/* Those of a window count from when it was set. */
static gboolean
reeve_budgets_read_windows (ReeveBudgets *self, ReeveBudgetBook *book, ReeveBudget *budget,
                            GError **error)
{
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    if (budget->windows[i] != NULL
        && !reeve_budgets_read_counters (self, book, budget->windows[i], error))
      return FALSE;
  return TRUE;
}

/* One currency's. */
static gboolean
reeve_budgets_read_money (ReeveBudgets *self, const char *tenant_id, ReeveBudget *budget,
                          const char *currency, GError **error)
{
  g_autofree char *counter = reeve_budget_book_money_counter (budget, budget->period, currency);
  gint64 used = 0;

  if (!reeve_store_counters_get (self->store, tenant_id, counter, &used, error))
    return FALSE;
  if (used > 0)
    reeve_budget_money_need (&budget->money, currency)->used = used;
  return TRUE;
}

gboolean
reeve_budgets_read_counters (ReeveBudgets *self, ReeveBudgetBook *book, ReeveBudget *budget,
                             GError **error)
{
  const char *tenant_id = reeve_budget_book_get_tenant_id (book);
  g_autoptr (GList) currencies = reeve_budget_book_list_currencies (book);
  g_autofree char *name = g_strconcat ("budget/", budget->id, "/period", NULL);
  g_autofree char *tokens = NULL;
  gint64 period = 0;

  if (!reeve_budgets_read_windows (self, book, budget, error)
      || !reeve_store_counters_get (self->store, tenant_id, name, &period, error))
    return FALSE;
  if (budget->window != REEVE_BUDGET_WINDOW_NONE)
    period += budget->base;
  budget->period = MAX (budget->period, period);
  tokens = reeve_budget_book_counter (budget, budget->period, "tokens");
  if (!reeve_store_counters_get (self->store, tenant_id, tokens, &budget->tokens_used, error)
      || !reeve_budgets_read_money (self, tenant_id, budget, REEVE_BUDGET_MONEY_ANY, error))
    return FALSE;
  for (GList *link = currencies; link != NULL; link = link->next)
    if (!reeve_budgets_read_money (self, tenant_id, budget, link->data, error))
      return FALSE;
  /* it was told before it was saved */
  reeve_budget_notice (budget);
  return TRUE;
}

gboolean
reeve_budgets_save_book (ReeveBudgets *self, ReeveBudgetBook *book, gboolean even_nothing,
                         GError **error)
{
  const char *tenant_id = reeve_budget_book_get_tenant_id (book);
  g_autoptr (ReeveBatch) batch = reeve_budget_book_save (
      book, reeve_ledger_get_size (self->ledger, tenant_id), even_nothing);
  g_autoptr (ReeveBatchResult) result = NULL;

  if (batch == NULL)
    return TRUE;
  result = reeve_store_commit (self->store, batch, error);
  reeve_budget_book_saved (book, result != NULL);
  return result != NULL;
}

/* ---- the log ---- */

static const char *
reeve_budgets_load_actor (JsonObject *record)
{
  JsonObject *actor = reeve_json_get_object (record, "actor");

  return actor != NULL ? reeve_json_get_string (actor, "id", NULL) : NULL;
}

static void
reeve_budgets_load_intent (ReeveBudgetsLoad *self, JsonObject *record, gboolean pending)
{
  guint64 seq = (guint64) reeve_json_get_int (record, "seq", 0);
  /* a report is about an agent, whoever tells it */
  gboolean report
      = g_str_equal (reeve_json_get_string (record, "action", ""), REEVE_USAGE_ACTION_REPORT);
  const ReeveBudgetWho about = { .agent_id = reeve_json_get_string (record, "agent_id", NULL) };
  const ReeveBudgetWho who = {
    .agent_id = about.agent_id,
    .user_id = reeve_budgets_load_actor (record),
    .delegated_user_id = reeve_json_get_string (record, "delegated_user_id", NULL),
    .key_id = reeve_json_get_string (record, "key_id", NULL),
    .workspace_id = reeve_json_get_string (record, "workspace_id", NULL),
  };
  gint64 tokens = reeve_json_get_int (record, "reserved_tokens", 0);
  gint64 cost = reeve_ledger_record_get_amount (record, "reserved_cost", "reserved_cost_wide");
  ReeveReservation *reservation = NULL;
  gint64 time = 0;

  /* those up to there are in the counters, or were pending; a report may be of money alone */
  if ((tokens == 0 && cost == 0) || (!pending && seq <= self->seq)
      || g_hash_table_contains (self->finished, reeve_budgets_load_key (seq))
      || g_hash_table_contains (self->open, reeve_budgets_load_key (seq))
      || !reeve_times_parse (reeve_json_get_string (record, "time", ""), &time, NULL))
    return;
  reservation = reeve_budget_book_recall (self->book, report ? &about : &who, time, tokens, cost,
                                          reeve_json_get_string (record, "currency", NULL), seq);
  if (reservation != NULL)
    g_hash_table_insert (self->open, reeve_budgets_load_key (seq), reservation);
}

static void
reeve_budgets_load_end (ReeveBudgetsLoad *self, ReeveReservation *reservation, gint64 tokens,
                        gint64 cost, const char *currency)
{
  ReeveBudgetNotice notices[REEVE_RESERVATION_SCOPES];
  guint n = reeve_reservation_settle (reservation, tokens, cost, currency, 0, notices);

  for (guint i = 0; i < n; i++)
    g_free (notices[i].key);
  reeve_reservation_finish (reservation, TRUE);
}

static void
reeve_budgets_load_unknown (ReeveBudgetsLoad *self, ReeveReservation *reservation)
{
  reeve_budgets_load_end (self, reservation,
                          reeve_reservation_get_input (reservation)
                              + reeve_reservation_get_output (reservation),
                          reeve_reservation_get_cost (reservation), NULL);
}

static void
reeve_budgets_load_outcome (ReeveBudgetsLoad *self, JsonObject *record)
{
  gpointer intent = reeve_budgets_load_key ((guint64) reeve_json_get_int (record, "intent", 0));
  ReeveReservation *reservation = g_hash_table_lookup (self->open, intent);
  gint64 tokens = reeve_json_get_int (record, "input_tokens", 0)
                  + reeve_json_get_int (record, "output_tokens", 0);

  if (reservation == NULL)
    return;
  g_hash_table_remove (self->open, intent);
  if (tokens == 0 && g_str_equal (reeve_json_get_string (record, "outcome", ""), "unknown"))
    reeve_budgets_load_unknown (self, reservation);
  else
    reeve_budgets_load_end (self, reservation, tokens,
                            reeve_ledger_record_get_amount (record, "cost", "cost_wide"),
                            reeve_json_get_string (record, "currency", NULL));
}

static void
reeve_budgets_load_record (ReeveBudgetsLoad *self, JsonObject *record)
{
  const char *kind = reeve_json_get_string (record, "kind", "");

  if (strcmp (kind, "intent") == 0)
    reeve_budgets_load_intent (self, record, FALSE);
  else if (strcmp (kind, "outcome") == 0)
    reeve_budgets_load_outcome (self, record);
}

static gint
reeve_budgets_load_compare (gconstpointer a, gconstpointer b)
{
  gint64 left = reeve_json_get_int (*(JsonObject *const *) a, "seq", 0);
  gint64 right = reeve_json_get_int (*(JsonObject *const *) b, "seq", 0);

  return left < right ? -1 : left > right;
}

static gboolean
reeve_budgets_load_actions (ReeveBudgetsLoad *self, const char *action, GPtrArray *all,
                            GError **error)
{
  const char *tenant_id = reeve_budget_book_get_tenant_id (self->book);
  ReeveLedgerFilter filter
      = { .action = action, .after = self->after, .limit = REEVE_BUDGETS_PAGE };

  do
    {
      g_autoptr (GPtrArray) page
          = reeve_ledger_list (self->budgets->ledger, tenant_id, &filter, &filter.before, error);

      if (page == NULL)
        return FALSE;
      for (guint i = 0; i < page->len; i++)
        g_ptr_array_add (all, json_object_ref (g_ptr_array_index (page, i)));
    }
  while (filter.before != 0);
  return TRUE;
}

/* What spends, behind @seq, and the outcomes of what is pending; oldest first. */
static GPtrArray *
reeve_budgets_load_calls (ReeveBudgetsLoad *self, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);

  if (!reeve_budgets_load_actions (self, "model.call", all, error)
      || !reeve_budgets_load_actions (self, REEVE_USAGE_ACTION_REPORT, all, error))
    return NULL;
  g_ptr_array_sort (all, reeve_budgets_load_compare);
  return g_steal_pointer (&all);
}

/* Those that had no outcome when the book was saved. */
static gboolean
reeve_budgets_load_pending (ReeveBudgetsLoad *self, JsonArray *pending, GError **error)
{
  const char *tenant_id = reeve_budget_book_get_tenant_id (self->book);
  guint64 base = reeve_ledger_get_base (self->budgets->ledger, tenant_id);

  for (guint i = 0; pending != NULL && i < json_array_get_length (pending); i++)
    {
      guint64 seq = (guint64) json_array_get_int_element (pending, i);
      g_autoptr (JsonObject) intent = NULL;

      /* retention drops no intent without its outcome: it has ended long ago */
      if (seq <= base)
        continue;
      intent = reeve_ledger_get (self->budgets->ledger, tenant_id, seq, error);
      if (intent == NULL)
        return FALSE;
      reeve_budgets_load_intent (self, intent, TRUE);
      self->after = MIN (self->after, seq);
    }
  return TRUE;
}

static gboolean
reeve_budgets_load_log (ReeveBudgetsLoad *self, JsonObject *state, GError **error)
{
  JsonArray *finished = reeve_json_get_array (state, "finished");
  g_autoptr (GPtrArray) calls = NULL;
  GHashTableIter iter;
  gpointer reservation = NULL;

  self->seq = self->after = (guint64) reeve_json_get_int (state, "seq", 0);
  if (!reeve_budgets_load_pending (self, reeve_json_get_array (state, "pending"), error))
    return FALSE;
  for (guint i = 0; finished != NULL && i < json_array_get_length (finished); i++)
    g_hash_table_add (self->finished,
                      reeve_budgets_load_key ((guint64) json_array_get_int_element (finished, i)));
  calls = reeve_budgets_load_calls (self, error);
  if (calls == NULL)
    return FALSE;
  for (guint i = 0; i < calls->len; i++)
    reeve_budgets_load_record (self, g_ptr_array_index (calls, i));
  g_hash_table_iter_init (&iter, self->open);
  while (g_hash_table_iter_next (&iter, NULL, &reservation))
    reeve_budgets_load_unknown (self, reservation);
  return TRUE;
}

/* ---- a tenant ---- */

/* The key of a record: kind, a slash, subject. */
static char *
reeve_budgets_load_name (JsonObject *fields)
{
  const char *kind = reeve_json_get_string (fields, "kind", "");
  const char *subject = reeve_json_get_string (fields, "subject", "");

  return *subject != '\0' ? g_strconcat (kind, "/", subject, NULL) : g_strdup (kind);
}

/* (transfer full) budget (nullable) */
static gboolean
reeve_budgets_load_one (ReeveBudgets *self, ReeveBudgetBook *book, ReeveBudget *budget,
                        GError **error)
{
  g_autoptr (ReeveBudget) owned = budget;

  if (owned == NULL)
    return TRUE;
  if (!reeve_budgets_read_counters (self, book, owned, error))
    return FALSE;
  reeve_budget_book_take (book, g_steal_pointer (&owned));
  return TRUE;
}

/* (transfer none) (nullable): how far the counters reach, and in which currencies they are */
static JsonObject *
reeve_budgets_load_state (GPtrArray *records)
{
  for (guint i = 0; i < records->len; i++)
    {
      JsonObject *fields = reeve_record_get_fields (g_ptr_array_index (records, i));

      if (strcmp (reeve_json_get_string (fields, "kind", ""), REEVE_BUDGET_STATE) == 0)
        return fields;
    }
  return NULL;
}

static gboolean
reeve_budgets_load_records (ReeveBudgets *self, ReeveBudgetBook *book, GPtrArray *records,
                            GError **error)
{
  gboolean org = FALSE;

  for (guint i = 0; i < records->len; i++)
    {
      JsonObject *fields = reeve_record_get_fields (g_ptr_array_index (records, i));
      g_autofree char *key = reeve_budgets_load_name (fields);

      if (strcmp (key, REEVE_BUDGET_STATE) != 0
          && !reeve_budgets_load_one (self, book, reeve_budget_load (key, fields), error))
        return FALSE;
      org = org || strcmp (key, REEVE_BUDGET_ORG) == 0;
    }
  return org || reeve_budgets_load_one (self, book, reeve_budgets_new_configured (self), error);
}

static gboolean
reeve_budgets_load_book (ReeveBudgets *self, ReeveBudgetBook *book, GError **error)
{
  const char *tenant_id = reeve_budget_book_get_tenant_id (book);
  ReeveBudgetsLoad load = { .budgets = self, .book = book };
  g_autoptr (GPtrArray) records
      = reeve_directory_read_all (self->store, tenant_id, REEVE_STORE_BUDGETS, NULL, NULL, error);
  JsonObject *state = records != NULL ? reeve_budgets_load_state (records) : NULL;
  gboolean good = FALSE;

  if (state != NULL)
    reeve_budget_book_set_currencies (book, reeve_json_get_array (state, "currencies"));
  if (records == NULL || !reeve_budgets_load_records (self, book, records, error)
      || !reeve_budgets_load_one (
          self, book, self->leases != NULL ? reeve_budget_leases_new_budget (self->leases) : NULL,
          error))
    return FALSE;
  if (reeve_budget_book_is_empty (book))
    return TRUE;
  load.open = g_hash_table_new (g_direct_hash, g_direct_equal);
  load.finished = g_hash_table_new (g_direct_hash, g_direct_equal);
  /* without a state nothing was ever reserved here */
  good = state == NULL || reeve_budgets_load_log (&load, state, error);
  g_hash_table_unref (load.open);
  g_hash_table_unref (load.finished);
  return good && reeve_budgets_save_book (self, book, state == NULL, error);
}

static gboolean
reeve_budgets_learn (ReeveBudgets *self, const char *tenant_id, GError **error)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new (tenant_id);

  if (!reeve_budgets_load_book (self, book, error))
    {
      g_prefix_error (error, "reading the budgets of %s: ", tenant_id);
      return FALSE;
    }
  g_mutex_lock (&self->lock);
  if (!g_hash_table_contains (self->books, tenant_id))
    g_hash_table_insert (self->books, g_strdup (tenant_id), reeve_budget_book_ref (book));
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/**
 * reeve_budgets_prepare:
 * @self: budgets
 * @tenant_id: a tenant
 *
 * Learns the budgets of a tenant unless they are known. Where they cannot be read, nothing is
 * reserved: a tenant that cannot be read keeps no other from being served. Blocks.
 */
void
reeve_budgets_prepare (ReeveBudgets *self, const char *tenant_id)
{
  g_autoptr (ReeveBudgetBook) known = reeve_budgets_find_book (self, tenant_id);
  g_autoptr (ReeveBudgetBook) book = NULL;
  g_autoptr (GError) error = NULL;

  if (known != NULL || reeve_budgets_learn (self, tenant_id, &error))
    return;
  g_warning ("%s; no model is called for it", error->message);
  book = reeve_budgets_need_book (self, tenant_id);
  reeve_budget_book_set_blind (book);
}

/**
 * reeve_budgets_load:
 * @self: budgets
 * @error: return location
 *
 * Learns the budgets of all tenants. At start, before anything is reserved. Where they cannot be
 * read, nothing is reserved either. Blocks.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_budgets_load (ReeveBudgets *self, GError **error)
{
  g_auto (GStrv) scopes = reeve_store_list_scopes (self->store, error);

  for (guint i = 0; scopes != NULL && scopes[i] != NULL; i++)
    if (strcmp (scopes[i], REEVE_SCOPE_PLATFORM) != 0)
      reeve_budgets_prepare (self, scopes[i]);
  return scopes != NULL
         && (self->leases == NULL || reeve_budget_leases_start (self->leases, error));
}

/**
 * reeve_budgets_flush:
 * @self: budgets
 *
 * Saves what is not saved yet, so that the next start has nothing to read. Blocks.
 */
void
reeve_budgets_flush (ReeveBudgets *self)
{
  GHashTableIter iter;
  gpointer book = NULL;

  if (self->leases != NULL)
    reeve_budget_leases_stop (self->leases);
  g_hash_table_iter_init (&iter, self->books);
  while (g_hash_table_iter_next (&iter, NULL, &book))
    {
      g_auto (ReeveLogScope) about
          = reeve_log_scope_tenant (reeve_budget_book_get_tenant_id (book));
      g_autoptr (GError) error = NULL;

      if (!reeve_budgets_save_book (self, book, FALSE, &error))
        g_warning ("saving the budgets of %s: %s", reeve_budget_book_get_tenant_id (book),
                   error->message);
    }
}
