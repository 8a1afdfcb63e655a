/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate's part of budgets: a look into a table in memory, no I/O. */
#include "admission-records.h"
#include "budgets-private.h"

#include "base/log.h"
#include "base/times.h"

#include "money.h"
#include "usage-event.h"

#include <string.h>

/* the store is brought up to date behind so many changes: as many records a restart has to read */
#define REEVE_BUDGETS_UNSAVED 256

G_DEFINE_FINAL_TYPE (ReeveBudgets, reeve_budgets, G_TYPE_OBJECT)

static void
reeve_budgets_finalize (GObject *object)
{
  ReeveBudgets *self = REEVE_BUDGETS (object);

  g_clear_pointer (&self->leases, reeve_budget_leases_free);
  g_clear_object (&self->store);
  g_clear_object (&self->ledger);
  g_clear_pointer (&self->org, json_object_unref);
  g_clear_pointer (&self->prices, reeve_prices_free);
  g_hash_table_unref (self->books);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (reeve_budgets_parent_class)->finalize (object);
}

static void
reeve_budgets_class_init (ReeveBudgetsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_budgets_finalize;
}

static void
reeve_budgets_init (ReeveBudgets *self)
{
  g_mutex_init (&self->lock);
  self->prices = reeve_prices_new (NULL, NULL);
  self->books = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) reeve_budget_book_unref);
}

/**
 * reeve_budgets_new:
 * @store: where budgets are kept
 * @ledger: what was reserved and spent
 *
 * Returns: (transfer full): budgets; none is known yet
 */
ReeveBudgets *
reeve_budgets_new (ReeveStore *store, ReeveLedger *ledger)
{
  ReeveBudgets *self = g_object_new (REEVE_TYPE_BUDGETS, NULL);

  self->store = g_object_ref (store);
  self->ledger = g_object_ref (ledger);
  return self;
}

/**
 * reeve_budgets_configure:
 * @self: budgets
 * @org: (nullable): {token_limit?, cost_limit?, reset_period_days?, alert_at?} of every tenant that
 * has set no budget of its own
 * @prices: (nullable): the price table
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
reeve_budgets_configure (ReeveBudgets *self, JsonObject *org, JsonObject *prices, GError **error)
{
  g_autoptr (ReevePrices) table = reeve_prices_new (prices, error);
  g_autoptr (ReeveBudget) tried = reeve_budget_new (REEVE_BUDGET_ORG, REEVE_BUDGET_CONFIGURED);

  if (table == NULL)
    return FALSE;
  g_clear_pointer (&self->prices, reeve_prices_free);
  self->prices = g_steal_pointer (&table);
  if (org == NULL)
    return TRUE;
  if (!reeve_budget_set_limits (tried, org, 0, error))
    return FALSE;
  if (tried->token_limit != REEVE_BUDGET_NONE || tried->cost_limit != REEVE_BUDGET_NONE
      || tried->request_limit != REEVE_BUDGET_NONE || tried->windows[0] != NULL
      || tried->windows[1] != NULL)
    self->org = json_object_ref (org);
  return TRUE;
}

GPtrArray *
reeve_budgets_list_books (gpointer user_data)
{
  ReeveBudgets *self = user_data;
  GPtrArray *books = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_budget_book_unref);
  GHashTableIter iter;
  gpointer book = NULL;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->books);
  while (g_hash_table_iter_next (&iter, NULL, &book))
    g_ptr_array_add (books, reeve_budget_book_ref (book));
  g_mutex_unlock (&self->lock);
  return books;
}

/**
 * reeve_budgets_configure_platform:
 * @self: budgets
 * @platform: {token_limit?, cost_limit?, reset_period_days?, alert_at?} of all tenants together
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
reeve_budgets_configure_platform (ReeveBudgets *self, JsonObject *platform, GError **error)
{
  g_autoptr (GError) local = NULL;

  self->leases = reeve_budget_leases_new (self->store, self->ledger, platform,
                                          reeve_budgets_list_books, self, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/**
 * reeve_budgets_get_prices:
 * @self: budgets
 *
 * Returns: (transfer none): the price table
 */
ReevePrices *
reeve_budgets_get_prices (ReeveBudgets *self)
{
  return self->prices;
}

/* ---- books ---- */

ReeveBudgetBook *
reeve_budgets_find_book (ReeveBudgets *self, const char *tenant_id)
{
  ReeveBudgetBook *book = NULL;

  g_mutex_lock (&self->lock);
  book = g_hash_table_lookup (self->books, tenant_id);
  if (book != NULL)
    reeve_budget_book_ref (book);
  g_mutex_unlock (&self->lock);
  return book;
}

ReeveBudgetBook *
reeve_budgets_need_book (ReeveBudgets *self, const char *tenant_id)
{
  ReeveBudgetBook *book = NULL;

  g_mutex_lock (&self->lock);
  book = g_hash_table_lookup (self->books, tenant_id);
  if (book == NULL)
    {
      book = reeve_budget_book_new (tenant_id);
      g_hash_table_insert (self->books, g_strdup (tenant_id), book);
    }
  reeve_budget_book_ref (book);
  g_mutex_unlock (&self->lock);
  return book;
}

/**
 * reeve_budgets_forget:
 * @self: budgets
 * @tenant_id: a tenant that is gone
 */
void
reeve_budgets_forget (ReeveBudgets *self, const char *tenant_id)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budgets_find_book (self, tenant_id);

  if (book != NULL && self->leases != NULL)
    reeve_budget_leases_let_go (self->leases, book);
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->books, tenant_id);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_budgets_is_active:
 * @self: budgets
 * @tenant_id: a tenant
 *
 * Returns: whether it has any budget, so that a request must say what it may take
 */
gboolean
reeve_budgets_is_active (ReeveBudgets *self, const char *tenant_id)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budgets_find_book (self, tenant_id);

  return book != NULL && !reeve_budget_book_is_empty (book);
}

/* ---- reserving ---- */

/* As records are read again: in whole milliseconds. */
static gint64
reeve_budgets_now (void)
{
  gint64 now = reeve_times_now ();

  return now - now % (REEVE_TIMES_SECOND / 1000);
}

static ReeveBudgetWho
reeve_budgets_who (const ReeveAdmissionRequest *request)
{
  ReeveCaller *caller = request->caller;

  return (ReeveBudgetWho){
    .agent_id = request->agent_id,
    .user_id = reeve_caller_get_user_id (caller),
    .delegated_user_id = request->delegated_user_id,
    .key_id = reeve_caller_get_key_id (caller),
    .workspace_id = request->workspace_id,
  };
}

/* A run is not begun that could not ask its model once. */
static gboolean
reeve_budgets_is_execution (const ReeveAdmissionRequest *request)
{
  static const char *const operations[] = { "agents.execute", "chat.create", NULL };

  return g_strv_contains (operations, request->operation);
}

/* What a report costs: as it tells, else at the price of the model it names. */
static void
reeve_budgets_price_report (ReeveBudgets *self, const ReeveAdmissionRequest *request, gint64 *cost,
                            const char **currency)
{
  gint64 tokens = request->reserve_input + request->reserve_output;
  ReevePrice price = { 0 };

  *cost = request->report_cost;
  *currency = request->report_currency;
  if (*currency != NULL || tokens == 0 || request->report_model == NULL
      || !reeve_prices_find (self->prices, request->report_model, &price))
    return;
  *cost = reeve_prices_cost (&price, request->reserve_input, request->reserve_output);
  *currency = g_intern_string (price.currency);
}

/* What was used elsewhere is in its intent before it is in a budget: so it is neither lost nor
 * counted twice, wherever the host stops. */
static gboolean
reeve_budgets_reserve_report (ReeveBudgets *self, const ReeveAdmissionRequest *request,
                              ReeveReservation **reservation, GError **error)
{
  g_autoptr (ReeveBudgetBook) book
      = reeve_budgets_find_book (self, reeve_caller_get_tenant_id (request->caller));
  const ReeveBudgetWho who = { .agent_id = request->agent_id };
  g_autoptr (GError) local = NULL;
  const char *currency = NULL;
  gint64 cost = 0;
  ReeveBudgetAsk ask = { .input = request->reserve_input,
                         .output = request->reserve_output,
                         .now = reeve_budgets_now () };

  reeve_budgets_price_report (self, request, &cost, &currency);
  if (cost >= REEVE_MONEY_TOO_MUCH)
    {
      reeve_error_set_member (
          error, request->report_currency != NULL ? "/cost/amount" : "/tokens_used",
          "costs more than a record can say, which is " REEVE_MONEY_MOST_TEXT " %s", currency);
      return FALSE;
    }
  if (book == NULL || reeve_budget_book_is_empty (book))
    return TRUE;
  ask.size = reeve_ledger_get_size (self->ledger, reeve_budget_book_get_tenant_id (book));
  *reservation = reeve_budget_book_charge (book, &who, &ask, cost, currency, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

gboolean
reeve_budgets_is_free (ReeveBudgets *self, GError **error)
{
  if (self->leases != NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                         "the budgets of the tenant are not known yet");
  return self->leases == NULL;
}

/**
 * reeve_budgets_reserve:
 * @self: budgets
 * @request: what is asked for
 * @reservation: (out) (transfer full) (nullable): what is reserved for it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_BUDGET_EXCEEDED
 */
gboolean
reeve_budgets_reserve (ReeveBudgets *self, const ReeveAdmissionRequest *request,
                       ReeveReservation **reservation, GError **error)
{
  gboolean execution = reeve_budgets_is_execution (request);
  g_autoptr (ReeveBudgetBook) book = NULL;
  g_autoptr (GError) local = NULL;
  ReeveBudgetWho who = { 0 };
  ReevePrice price = { 0 };
  ReeveBudgetAsk ask = { .input = request->reserve_input,
                         .output = request->reserve_output,
                         .model = request->model,
                         .now = reeve_budgets_now (),
                         .last = request->refills >= REEVE_BUDGETS_REFILLS };

  *reservation = NULL;
  if (strcmp (request->operation, REEVE_USAGE_ACTION_REPORT) == 0)
    return reeve_budgets_reserve_report (self, request, reservation, error);
  if (!execution && strcmp (request->operation, "model.call") != 0)
    return TRUE;
  book = reeve_budgets_find_book (self, reeve_caller_get_tenant_id (request->caller));
  if (book == NULL || reeve_budget_book_is_empty (book))
    return reeve_budgets_is_free (self, error);
  who = reeve_budgets_who (request);
  if (execution)
    return reeve_budgets_can_begin_run (self, reeve_budget_book_get_tenant_id (book), &who, NULL,
                                        error);
  ask.price = reeve_prices_find (self->prices, request->model, &price) ? &price : NULL;
  ask.size = reeve_ledger_get_size (self->ledger, reeve_budget_book_get_tenant_id (book));
  *reservation = reeve_budget_book_reserve (book, &who, &ask, &local);
  if (local == NULL)
    {
      if (self->leases != NULL && *reservation != NULL)
        reeve_budget_leases_note (self->leases, book,
                                  reeve_reservation_get_input (*reservation)
                                      + reeve_reservation_get_output (*reservation),
                                  reeve_reservation_get_cost (*reservation), ask.now);
      return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/**
 * reeve_budgets_refill_async:
 * @self: budgets
 * @request: which reeve_budgets_reserve() could not reserve for
 * @callback: called in the caller's thread-default context
 * @user_data: for @callback
 *
 * Waits until the tenant has been given a slice of the platform's budget that @request fits in, or
 * it is known that there is none.
 */
void
reeve_budgets_refill_async (ReeveBudgets *self, const ReeveAdmissionRequest *request,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  ReevePrice price = { 0 };
  gboolean priced = reeve_prices_find (self->prices, request->model, &price);
  g_autoptr (ReeveBudgetBook) book
      = reeve_budgets_need_book (self, reeve_caller_get_tenant_id (request->caller));

  reeve_budget_leases_refill_async (
      self->leases, book, request->reserve_input + request->reserve_output,
      priced ? reeve_prices_cost (&price, request->reserve_input, request->reserve_output) : 0,
      reeve_budgets_now (), callback, user_data);
}

/**
 * reeve_budgets_refill_finish:
 * @self: budgets
 * @result: what the callback got
 *
 * Returns: whether there was so much; else what the tenant has is all there is
 */
gboolean
reeve_budgets_refill_finish (ReeveBudgets *self, GAsyncResult *result)
{
  return reeve_budget_leases_refill_finish (result);
}

/* ---- settling ---- */

static void
reeve_budgets_tell (ReeveBudgets *self, const char *tenant_id, const ReeveBudgetNotice *notice)
{
  static const struct
  {
    guint told;
    const char *action;
    const char *reason;
  } rows[] = { { REEVE_BUDGET_TOLD_ALERT, REEVE_BUDGETS_ACTION_ALERT, "alert_at" },
               { REEVE_BUDGET_TOLD_EXHAUSTED, REEVE_BUDGETS_ACTION_EXHAUSTED, "exhausted" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      ReeveLedgerRecord record = { .kind = REEVE_LEDGER_EVENT,
                                   .scope = tenant_id,
                                   .action = rows[i].action,
                                   .resource_type = "budget",
                                   .resource_id = notice->key,
                                   .reason = rows[i].reason,
                                   .door = "internal" };

      if ((notice->told & rows[i].told) == 0)
        continue;
      g_warning ("tenant %s: the budget %s has reached its %s", tenant_id, notice->key,
                 notice->told == REEVE_BUDGET_TOLD_ALERT ? "alert" : "limit");
      reeve_ledger_append_async (self->ledger, &record, NULL, NULL);
    }
}

static void
reeve_budgets_spend (ReeveBudgets *self, const char *tenant_id, ReeveReservation *reservation,
                     gint64 tokens, gint64 cost)
{
  ReeveBudgetNotice notices[REEVE_RESERVATION_SCOPES];
  guint n = reeve_reservation_settle (reservation, tokens, cost, NULL,
                                      reeve_ledger_get_size (self->ledger, tenant_id), notices);

  for (guint i = 0; i < n; i++)
    {
      reeve_budgets_tell (self, tenant_id, &notices[i]);
      g_free (notices[i].key);
    }
}

/**
 * reeve_budgets_describe_report:
 * @self: budgets
 * @request: a report
 * @record: its intent
 *
 * Writes down what it tells, so that it counts also where its host ended before its outcome.
 */
void
reeve_budgets_describe_report (ReeveBudgets *self, const ReeveAdmissionRequest *request,
                               ReeveLedgerRecord *record)
{
  record->input_tokens = request->reserve_input;
  record->output_tokens = request->reserve_output;
  reeve_budgets_price_report (self, request, &record->cost, &record->currency);
  record->reason = request->report_what;
  reeve_admission_records_label_report (request, record);
}

/* A report that was taken has been spent in full; so has one of which nobody knows. */
static void
reeve_budgets_settle_report (ReeveBudgets *self, ReeveReservation *reservation,
                             const ReeveAdmissionRequest *request,
                             const ReeveSettlement *settlement, ReeveLedgerRecord *record)
{
  gboolean taken = settlement->outcome == REEVE_OUTCOME_SUCCEEDED
                   || settlement->outcome == REEVE_OUTCOME_UNKNOWN;
  gint64 tokens = request->reserve_input + request->reserve_output;
  const char *currency = NULL;
  gint64 cost = 0;

  reeve_budgets_price_report (self, request, &cost, &currency);
  if (reservation != NULL)
    cost = reeve_reservation_get_cost (reservation);
  if (taken)
    {
      record->input_tokens = request->reserve_input;
      record->output_tokens = request->reserve_output;
      record->cost = cost;
      record->currency = currency;
      reeve_admission_records_label_report (request, record);
      if (settlement->outcome == REEVE_OUTCOME_SUCCEEDED)
        record->reason = request->report_what;
    }
  if (reservation != NULL)
    reeve_budgets_spend (self, reeve_caller_get_tenant_id (request->caller), reservation,
                         taken ? tokens : 0, taken ? cost : 0);
}

/* The price that was in force when it was admitted; of what no budget bounds, now's. FALSE: it is
 * not known. */
static gboolean
reeve_budgets_find_price (ReeveBudgets *self, ReeveReservation *reservation, const char *model,
                          ReevePrice *price)
{
  const ReevePrice *reserved = NULL;

  if (reservation == NULL)
    return reeve_prices_find (self->prices, model, price);
  reserved = reeve_reservation_get_price (reservation);
  if (reserved != NULL)
    *price = *reserved;
  return reserved != NULL;
}

/**
 * reeve_budgets_settle:
 * @self: budgets
 * @reservation: (nullable): what was reserved; to be finished when the outcome is durable
 * @request: what was admitted
 * @settlement: how it ended
 * @consumed: whether the effect was begun
 * @record: of the outcome: its cost and currency are filled in
 *
 * An effect of which nobody knows what it took, has taken what was reserved.
 */
void
reeve_budgets_settle (ReeveBudgets *self, ReeveReservation *reservation,
                      const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                      gboolean consumed, ReeveLedgerRecord *record)
{
  const char *tenant_id = reeve_caller_get_tenant_id (request->caller);
  gint64 input = record->input_tokens;
  gint64 output = record->output_tokens;
  gint64 tokens = input + output;
  ReevePrice price = { 0 };
  gboolean priced = FALSE;

  if (strcmp (request->operation, REEVE_USAGE_ACTION_REPORT) == 0)
    reeve_budgets_settle_report (self, reservation, request, settlement, record);
  if (strcmp (request->operation, "model.call") != 0)
    return;
  priced = reeve_budgets_find_price (self, reservation, request->model, &price);
  record->cost = priced ? reeve_prices_cost (&price, input, output) : 0;
  /* it has happened, whatever a record can say: better less than nothing */
  if (record->cost >= REEVE_MONEY_TOO_MUCH && record->reason == NULL)
    record->reason = "more_than_recorded";
  /* there are not many currencies, and the record outlives this */
  record->currency = priced && tokens > 0 ? g_intern_string (price.currency) : NULL;
  if (reservation == NULL)
    return;
  if (tokens == 0 && settlement->outcome == REEVE_OUTCOME_UNKNOWN && consumed)
    {
      tokens
          = reeve_reservation_get_input (reservation) + reeve_reservation_get_output (reservation);
      record->cost = reeve_reservation_get_cost (reservation);
      record->currency = priced ? g_intern_string (price.currency) : NULL;
    }
  reeve_budgets_spend (self, tenant_id, reservation, tokens, record->cost);
}

static void
reeve_budgets_on_saved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ReeveBudgetBook) book = user_data;
  /* of all who spent: nobody's request */
  g_auto (ReeveLogScope) about = reeve_log_scope_tenant (reeve_budget_book_get_tenant_id (book));
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveBatchResult) saved
      = reeve_store_commit_finish (REEVE_STORE (source), result, &error);

  /* nothing is lost: the log has it, and the next one tries again */
  if (saved == NULL)
    g_warning ("saving the budgets of %s: %s", reeve_budget_book_get_tenant_id (book),
               error->message);
  reeve_budget_book_saved (book, saved != NULL);
}

/**
 * reeve_budgets_finish:
 * @self: budgets
 * @reservation: (transfer full): what was settled
 * @durable: whether the outcome is in the log
 *
 * In a thread with a main context that goes on.
 */
void
reeve_budgets_finish (ReeveBudgets *self, ReeveReservation *reservation, gboolean durable)
{
  g_autoptr (ReeveBudgetBook) book = reeve_reservation_dup_book (reservation);
  g_autoptr (ReeveBatch) batch = NULL;

  reeve_reservation_finish (reservation, durable);
  if (reeve_budget_book_get_unsaved (book) < REEVE_BUDGETS_UNSAVED)
    return;
  batch = reeve_budget_book_save (
      book, reeve_ledger_get_size (self->ledger, reeve_budget_book_get_tenant_id (book)), FALSE);
  if (batch != NULL)
    reeve_store_commit_async (self->store, batch, NULL, reeve_budgets_on_saved,
                              g_steal_pointer (&book));
}
