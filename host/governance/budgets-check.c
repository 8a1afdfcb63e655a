/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a call would be told, to whoever asks before he calls. */
#include "budgets-private.h"

#include "base/times.h"

/* The least that the budgets leave; null when none has a limit. */
static void
reeve_budgets_check_show_remaining (JsonObject *answer, JsonArray *budgets)
{
  gint64 least = G_MAXINT64;

  for (guint i = 0; i < json_array_get_length (budgets); i++)
    {
      JsonObject *budget = json_array_get_object_element (budgets, i);
      JsonArray *windows = reeve_json_get_array (budget, "windows");

      least = MIN (least, reeve_json_get_int (budget, "tokens_remaining", G_MAXINT64));
      least = MIN (least, reeve_json_get_int (budget, "tokens_per_request", G_MAXINT64));
      for (guint w = 0; windows != NULL && w < json_array_get_length (windows); w++)
        least = MIN (least, reeve_json_get_int (json_array_get_object_element (windows, w),
                                                "tokens_remaining", G_MAXINT64));
    }
  if (least == G_MAXINT64)
    json_object_set_null_member (answer, "remaining");
  else
    json_object_set_int_member (answer, "remaining", least);
}

/* What other tenants were given of the platform's budget in this period and have not taken: a call
 * would get it. */
static void
reeve_budgets_check_add_spare (ReeveBudgets *self, ReeveBudgetBook *but, ReeveBudgetAsk *ask)
{
  g_autoptr (GPtrArray) books = NULL;
  ReeveBudgetSlice own = { 0 };

  if (self->leases == NULL || !reeve_budget_book_see_slice (but, ask->now, &own))
    return;
  books = reeve_budgets_list_books (self);
  for (guint i = 0; i < books->len; i++)
    {
      ReeveBudgetSlice slice = { 0 };

      if (books->pdata[i] == but || !reeve_budget_book_see_slice (books->pdata[i], ask->now, &slice)
          || slice.period != own.period)
        continue;
      ask->spare_tokens
          = reeve_budget_sum (ask->spare_tokens, MAX (slice.tokens - slice.tokens_taken, 0));
      ask->spare_cost = reeve_budget_sum (ask->spare_cost, MAX (slice.cost - slice.cost_taken, 0));
    }
}

/* FALSE: what a call would be refused with */
static gboolean
reeve_budgets_check_call (ReeveBudgets *self, ReeveBudgetBook *book, const ReeveBudgetWho *who,
                          const char *model, gint64 tokens, GError **error)
{
  ReevePrice price = { 0 };
  ReeveBudgetAsk ask = { .input = MAX (tokens - REEVE_BUDGET_LEAST, 0),
                         .output = MIN (MAX (tokens, 1), REEVE_BUDGET_LEAST),
                         .model = model,
                         .free = model == NULL,
                         .now = reeve_times_now () };

  if (book == NULL || reeve_budget_book_is_empty (book))
    return reeve_budgets_is_free (self, error);
  if (model != NULL && reeve_prices_find (self->prices, model, &price))
    ask.price = &price;
  reeve_budgets_check_add_spare (self, book, &ask);
  return reeve_budget_book_check (book, who, &ask, error);
}

/**
 * reeve_budgets_can_begin_run:
 * @self: budgets
 * @tenant_id: whose
 * @who: who would spend
 * @model: (nullable): its model; %NULL: that is not known yet, and it may cost nothing
 * @error: return location
 *
 * A run is not begun that could not ask its model once.
 *
 * Returns: %FALSE with %REEVE_ERROR_BUDGET_EXCEEDED
 */
gboolean
reeve_budgets_can_begin_run (ReeveBudgets *self, const char *tenant_id, const ReeveBudgetWho *who,
                             const char *model, GError **error)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budgets_find_book (self, tenant_id);
  ReevePrice price = { 0 };
  const ReeveBudgetAsk ask = { .output = REEVE_BUDGET_LEAST,
                               .free = model == NULL
                                       || (reeve_prices_find (self->prices, model, &price)
                                           && reeve_prices_is_free (&price)),
                               .now = reeve_times_now () };

  if (book == NULL || reeve_budget_book_is_empty (book))
    return reeve_budgets_is_free (self, error);
  return reeve_budget_book_check (book, who, &ask, error);
}

/**
 * reeve_budgets_check:
 * @self: budgets
 * @tenant_id: whose
 * @who: who would spend
 * @model: (nullable): of which model; %NULL: of one that is priced
 * @tokens: how many
 *
 * Returns: (transfer full): {allowed, remaining, reason, detail?, budgets[]}: every cap there is
 */
JsonObject *
reeve_budgets_check (ReeveBudgets *self, const char *tenant_id, const ReeveBudgetWho *who,
                     const char *model, gint64 tokens)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budgets_find_book (self, tenant_id);
  JsonObject *answer = json_object_new ();
  JsonArray *budgets = NULL;
  g_autoptr (GError) refused = NULL;
  gboolean allowed = reeve_budgets_check_call (self, book, who, model, tokens, &refused);

  budgets = book != NULL ? reeve_budget_book_explain (book, who, reeve_times_now ())
                         : json_array_new ();
  json_object_set_boolean_member (answer, "allowed", allowed);
  reeve_budgets_check_show_remaining (answer, budgets);
  json_object_set_string_member (answer, "reason",
                                 !allowed ? reeve_error_get_name (refused->code)
                                 : json_array_get_length (budgets) == 0 ? "no_budget"
                                                                        : "within_budget");
  if (refused != NULL)
    json_object_set_string_member (answer, "detail", refused->message);
  json_object_set_array_member (answer, "budgets", budgets);
  return answer;
}
