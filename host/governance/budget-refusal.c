/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of a refusal stand in one place, so that every door and every record says the same. */
#include "budget-refusal.h"

#include "budget-wait.h"
#include "budget-window.h"
#include "money.h"

static const char *
reeve_budget_refusal_setter (const ReeveBudget *budget)
{
  return budget->set_by != NULL && *budget->set_by != '\0' ? budget->set_by : "the configuration";
}

/* (transfer full) made: also says when it may be asked again */
static gboolean
reeve_budget_refusal_set (GError **error, GError *made, guint wait)
{
  reeve_error_set_wait (made, wait);
  g_propagate_error (error, made);
  return FALSE;
}

/**
 * reeve_budget_refusal_set_tokens:
 * @error: return location
 * @budget: what does not leave enough
 * @need: how many tokens are needed at least
 * @now: µs since 1970
 *
 * Returns: %FALSE
 */
gboolean
reeve_budget_refusal_set_tokens (GError **error, const ReeveBudget *budget, gint64 need, gint64 now)
{
  return reeve_budget_refusal_set (
      error,
      g_error_new (REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED,
                   "the budget %s (%s %" G_GINT64_FORMAT ", set by %s) has %" G_GINT64_FORMAT
                   " tokens left, %" G_GINT64_FORMAT
                   " of it reserved, and at least %" G_GINT64_FORMAT " are needed",
                   budget->key, reeve_budget_window_get_member (budget),
                   reeve_budget_get_token_limit (budget), reeve_budget_refusal_setter (budget),
                   reeve_budget_get_tokens_open (budget), budget->tokens_reserved, need),
      reeve_budget_wait_for_tokens (budget, need, now));
}

/**
 * reeve_budget_refusal_set_request:
 * @error: return location
 * @budget: what allows no call so long
 * @need: how many tokens are needed at least
 *
 * Returns: %FALSE
 */
gboolean
reeve_budget_refusal_set_request (GError **error, const ReeveBudget *budget, gint64 need)
{
  return reeve_budget_refusal_set (
      error,
      g_error_new (REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED,
                   "the budget %s (tokens_per_request %" G_GINT64_FORMAT
                   ", set by %s) allows no call that needs at least %" G_GINT64_FORMAT " tokens",
                   budget->key, budget->request_limit, reeve_budget_refusal_setter (budget), need),
      REEVE_ERROR_WAIT_NEVER);
}

/**
 * reeve_budget_refusal_set_cost:
 * @error: return location
 * @budget: what does not leave enough
 * @need: how much is needed at least, in nano-units
 * @now: µs since 1970
 *
 * Returns: %FALSE
 */
gboolean
reeve_budget_refusal_set_cost (GError **error, const ReeveBudget *budget, gint64 need, gint64 now)
{
  g_autofree char *limit = reeve_money_format (reeve_budget_get_cost_limit (budget));
  g_autofree char *left = reeve_money_format (reeve_budget_get_cost_open (budget));
  g_autofree char *text = reeve_money_format (need);

  return reeve_budget_refusal_set (
      error,
      g_error_new (
          REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED,
          "the budget %s (cost_limit %s %s, set by %s) has %s left, and at least %s is needed",
          budget->key, limit, budget->currency, reeve_budget_refusal_setter (budget), left, text),
      reeve_budget_wait_for_cost (budget, need, now));
}

/**
 * reeve_budget_refusal_set_price:
 * @error: return location
 * @budget: one with a limit of money
 * @model: (nullable): what has no price in its currency
 * @currency: (nullable): of the price that it has
 *
 * Returns: %FALSE
 */
gboolean
reeve_budget_refusal_set_price (GError **error, const ReeveBudget *budget, const char *model,
                                const char *currency)
{
  return reeve_budget_refusal_set (
      error,
      g_error_new (REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED,
                   "the budget %s (cost_limit in %s, set by %s) cannot be kept: the price of %s is "
                   "%s%s",
                   budget->key, budget->currency, reeve_budget_refusal_setter (budget),
                   model != NULL ? model : "the model", currency != NULL ? "in " : "not known",
                   currency != NULL ? currency : ""),
      REEVE_ERROR_WAIT_NEVER);
}

/**
 * reeve_budget_refusal_set_currency:
 * @error: return location
 * @budget: what counts another currency
 * @currency: of a cost that is told
 *
 * Returns: %FALSE
 */
gboolean
reeve_budget_refusal_set_currency (GError **error, const ReeveBudget *budget, const char *currency)
{
  reeve_error_set_member (error, "/cost", "is in %s; the budget %s (set by %s) counts %s", currency,
                          budget->key, reeve_budget_refusal_setter (budget), budget->currency);
  return FALSE;
}
