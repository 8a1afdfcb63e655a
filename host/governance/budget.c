/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One budget. Its reset is no job that could be late: the number of the period is a function of the
 * time, and counters are named by it. The number never falls: a clock that is set back gives
 * nothing a second time, and one that jumps ahead gives each period once. */
#include "budget.h"

#include "base/times.h"

#include "budget-window.h"
#include "directory.h"
#include "money.h"

#include <string.h>

#define REEVE_BUDGET_DIGITS 9

__extension__ typedef __int128 ReeveBudgetWide;

/**
 * reeve_budget_new:
 * @key: whose it is: org, agents/ID …
 * @id: names its counters
 *
 * Returns: (transfer full): a budget without limits
 */
ReeveBudget *
reeve_budget_new (const char *key, const char *id)
{
  ReeveBudget *self = g_new0 (ReeveBudget, 1);

  self->references = 1;
  self->key = g_strdup (key);
  self->id = g_strdup (id);
  self->token_limit = self->cost_limit = self->request_limit = REEVE_BUDGET_NONE;
  self->period_days = REEVE_BUDGET_PERIOD_DAYS;
  self->alert_at = REEVE_BUDGET_ALERT;
  return self;
}

/**
 * reeve_budget_ref:
 * @self: a budget; the book's lock is held
 *
 * Returns: (transfer full): it
 */
ReeveBudget *
reeve_budget_ref (ReeveBudget *self)
{
  self->references++;
  return self;
}

/**
 * reeve_budget_unref:
 * @self: (transfer full): a budget; the book's lock is held
 */
void
reeve_budget_unref (ReeveBudget *self)
{
  if (--self->references > 0)
    return;
  g_free (self->key);
  g_free (self->id);
  g_free (self->set_by);
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    g_clear_pointer (&self->windows[i], reeve_budget_unref);
  g_clear_pointer (&self->heir, reeve_budget_unref);
  g_clear_pointer (&self->pool, reeve_budget_pool_unref);
  reeve_budget_money_clear (&self->money);
  g_free (self);
}

/**
 * reeve_budget_dup:
 * @self: a budget; the book's lock is held
 *
 * Returns: (transfer full): a copy
 */
ReeveBudget *
reeve_budget_dup (const ReeveBudget *self)
{
  ReeveBudget *copy = g_new0 (ReeveBudget, 1);

  *copy = *self;
  copy->references = 1;
  copy->heir = NULL;
  copy->key = g_strdup (self->key);
  copy->id = g_strdup (self->id);
  copy->set_by = g_strdup (self->set_by);
  reeve_budget_money_copy (&copy->money, &self->money);
  if (self->pool != NULL)
    copy->pool = reeve_budget_pool_ref (self->pool);
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    copy->windows[i] = self->windows[i] != NULL ? reeve_budget_dup (self->windows[i]) : NULL;
  return copy;
}

/* Which of what was told is about a threshold that both have: it is told of once. */
static guint
reeve_budget_get_same (const ReeveBudget *self, const ReeveBudget *other)
{
  if (self->token_limit != other->token_limit || self->cost_limit != other->cost_limit
      || strcmp (self->currency, other->currency) != 0)
    return 0;
  return self->alert_at == other->alert_at ? REEVE_BUDGET_TOLD_ALERT | REEVE_BUDGET_TOLD_EXHAUSTED
                                           : REEVE_BUDGET_TOLD_EXHAUSTED;
}

/**
 * reeve_budget_adopt:
 * @self: a budget; the book's lock is held
 * @from: what was set
 *
 * What was told is told again where it is about another limit or share of it.
 */
void
reeve_budget_adopt (ReeveBudget *self, ReeveBudget *from)
{
  reeve_budget_window_adopt (self, from);
  self->told &= reeve_budget_get_same (self, from);
  self->request_limit = from->request_limit;
  self->token_limit = from->token_limit;
  self->cost_limit = from->cost_limit;
  memcpy (self->currency, from->currency, sizeof self->currency);
  self->period_days = from->period_days;
  self->anchor = from->anchor;
  self->base = from->base;
  self->alert_at = from->alert_at;
  g_free (self->set_by);
  self->set_by = g_strdup (from->set_by);
  self->revision = from->revision;
  self->updated_at = from->updated_at;
}

/* ---- sums, and since when ---- */

/**
 * reeve_budget_sum:
 * @a: not negative
 * @b: not negative
 *
 * Returns: both together; what is spent stays spent, however much it is
 */
gint64
reeve_budget_sum (gint64 a, gint64 b)
{
  gint64 sum = 0;

  return __builtin_add_overflow (a, b, &sum) || sum > REEVE_BUDGET_MOST ? REEVE_BUDGET_MOST : sum;
}

/**
 * reeve_budget_begin_at:
 * @self: a budget that is about to be set
 * @seq: number of the next record of the log
 *
 * A clock may be set; the numbers of the log only grow.
 */
void
reeve_budget_begin_at (ReeveBudget *self, guint64 seq)
{
  if (self->from_seq == REEVE_BUDGET_NEW)
    self->from_seq = (gint64) seq;
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    if (self->windows[i] != NULL)
      reeve_budget_begin_at (self->windows[i], seq);
}

/**
 * reeve_budget_owns:
 * @self: a budget
 * @seq: number of an intent
 * @time: when it was made, µs since 1970
 *
 * Returns: whether the budget was there before it
 */
gboolean
reeve_budget_owns (const ReeveBudget *self, guint64 seq, gint64 time)
{
  return self->from_seq > 0 ? seq >= (guint64) self->from_seq : time >= self->created_at;
}

/* ---- limits ---- */

static gboolean
reeve_budget_has (JsonObject *limits, const char *member)
{
  return json_object_has_member (limits, member) && !json_object_get_null_member (limits, member);
}

static gboolean
reeve_budget_set_cost (ReeveBudget *self, JsonObject *limits, GError **error)
{
  JsonObject *money = reeve_json_get_object (limits, "cost_limit");
  const char *currency = money != NULL ? reeve_json_get_string (money, "currency", "") : "";
  gint64 amount = REEVE_BUDGET_NONE;

  if (money == NULL)
    {
      self->cost_limit = REEVE_BUDGET_NONE;
      return TRUE;
    }
  if (!reeve_money_parse (reeve_json_get_string (money, "amount", ""), REEVE_BUDGET_DIGITS, &amount,
                          error)
      || amount > REEVE_MONEY_MAX)
    {
      g_clear_error (error);
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "/cost_limit/amount: needs a decimal number up to a milliard with at "
                           "most nine decimals");
      return FALSE;
    }
  /* what was held to a limit is not let go by another currency, with or without a limit between */
  if (*self->currency != '\0' && strcmp (self->currency, currency) != 0
      && (reeve_budget_get_cost_used (self) > 0 || reeve_budget_get_cost_reserved (self) > 0))
    {
      g_set_error (
          error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
          "/cost_limit/currency: the budget %s has spent %s in this period: a limit in %s needs "
          "another period, or delete it to begin anew",
          self->key, self->currency, currency);
      return FALSE;
    }
  self->cost_limit = amount;
  g_strlcpy (self->currency, currency, sizeof self->currency);
  return TRUE;
}

/* The present period keeps its number, and what was spent in it. The new length counts from its
 * beginning; where it is over by that already, from so many lengths later. */
static void
reeve_budget_set_period (ReeveBudget *self, gint64 days, gint64 now)
{
  gint64 length = days * REEVE_TIMES_DAY;

  if (self->period_days > 0)
    self->anchor += (self->period - self->base) * self->period_days * REEVE_TIMES_DAY;
  if (length > 0 && now > self->anchor)
    self->anchor += (now - self->anchor) / length * length;
  self->base = self->period;
  self->period_days = days;
}

/**
 * reeve_budget_set_limits:
 * @self: a budget
 * @limits: {token_limit?, cost_limit?, reset_period_days?, alert_at?}
 * @now: µs since 1970
 * @error: return location
 *
 * What was spent stays.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT or, for another currency while something is
 * spent, %REEVE_ERROR_CONFLICT; then nothing has changed
 */
gboolean
reeve_budget_set_limits (ReeveBudget *self, JsonObject *limits, gint64 now, GError **error)
{
  gint64 days = REEVE_BUDGET_PERIOD_DAYS;

  if (!reeve_budget_set_cost (self, limits, error))
    return FALSE;
  reeve_budget_roll (self, now);
  self->token_limit = reeve_json_get_int (limits, "token_limit", REEVE_BUDGET_NONE);
  if (reeve_budget_has (limits, "reset_period_days"))
    days = json_object_get_int_member (limits, "reset_period_days");
  if (days != self->period_days)
    reeve_budget_set_period (self, days, now);
  self->alert_at = REEVE_BUDGET_ALERT;
  if (reeve_budget_has (limits, "alert_at"))
    self->alert_at = (gint64) (json_object_get_double_member (limits, "alert_at") * 1000 + 0.5);
  reeve_budget_window_set_limits (self, limits, now);
  return TRUE;
}

/* ---- periods ---- */

/**
 * reeve_budget_find_period:
 * @self: a budget
 * @now: µs since 1970
 *
 * Returns: number of the period, no less than the present one's
 */
gint64
reeve_budget_find_period (const ReeveBudget *self, gint64 now)
{
  gint64 length = self->period_days * REEVE_TIMES_DAY;

  if (self->window != REEVE_BUDGET_WINDOW_NONE)
    return now < self->ends ? self->period
                            : MAX (self->period, reeve_budget_window_find (self->window, now));
  if (length <= 0 || now <= self->anchor)
    return self->period;
  return MAX (self->period, self->base + (now - self->anchor) / length);
}

/**
 * reeve_budget_roll:
 * @self: a budget
 * @now: µs since 1970
 *
 * What is reserved in an earlier period is of that period's limit: the new one begins empty.
 */
void
reeve_budget_roll (ReeveBudget *self, gint64 now)
{
  reeve_budget_go_on (self, reeve_budget_find_period (self, now));
}

/**
 * reeve_budget_go_on:
 * @self: a budget
 * @period: number of the one that it is in now
 */
void
reeve_budget_go_on (ReeveBudget *self, gint64 period)
{
  period = MAX (period, self->period);
  if (self->window != REEVE_BUDGET_WINDOW_NONE)
    self->ends = reeve_budget_window_get_begin (self->window, period + 1);
  if (period == self->period)
    return;
  self->period = period;
  self->tokens_used = self->tokens_reserved = 0;
  reeve_budget_money_clear (&self->money);
  self->told = 0;
  /* a slice is of its period */
  if (self->pool != NULL && self->token_limit != REEVE_BUDGET_NONE)
    self->token_limit = 0;
  if (self->pool != NULL && self->cost_limit != REEVE_BUDGET_NONE)
    self->cost_limit = 0;
}

/* ---- what is left ---- */

/**
 * reeve_budget_get_cost_used:
 * @self: a budget
 *
 * Returns: what was spent in the currency of its limit, in nano-units
 */
gint64
reeve_budget_get_cost_used (const ReeveBudget *self)
{
  return reeve_budget_money_get_used (&self->money, self->currency);
}

/**
 * reeve_budget_get_cost_reserved:
 * @self: a budget
 *
 * Returns: what is reserved in the currency of its limit, in nano-units
 */
gint64
reeve_budget_get_cost_reserved (const ReeveBudget *self)
{
  return reeve_budget_money_get_reserved (&self->money, self->currency);
}

static gint64
reeve_budget_get_left (gint64 limit, gint64 used, gint64 reserved)
{
  return limit == REEVE_BUDGET_NONE ? G_MAXINT64 : MAX (limit - used - reserved, 0);
}

/**
 * reeve_budget_get_tokens_left:
 * @self: a budget
 *
 * Returns: how many tokens may still be reserved; %G_MAXINT64 without a limit
 */
gint64
reeve_budget_get_tokens_left (const ReeveBudget *self)
{
  return reeve_budget_get_left (self->token_limit, self->tokens_used, self->tokens_reserved);
}

/**
 * reeve_budget_get_cost_left:
 * @self: a budget
 *
 * Returns: how many nano-units may still be reserved; %G_MAXINT64 without a limit
 */
gint64
reeve_budget_get_cost_left (const ReeveBudget *self)
{
  return reeve_budget_get_left (self->cost_limit, reeve_budget_get_cost_used (self),
                                reeve_budget_get_cost_reserved (self));
}

/**
 * reeve_budget_get_tokens_open:
 * @self: a budget
 *
 * Returns: reeve_budget_get_tokens_left(), and of a slice what the platform can add to it
 */
gint64
reeve_budget_get_tokens_open (const ReeveBudget *self)
{
  gint64 left = reeve_budget_get_tokens_left (self);
  gint64 more = 0;

  if (self->pool == NULL || left == G_MAXINT64)
    return left;
  reeve_budget_pool_get_left (self->pool, self->period, &more, NULL);
  return left + more;
}

/**
 * reeve_budget_get_cost_open:
 * @self: a budget
 *
 * Returns: reeve_budget_get_cost_left(), and of a slice what the platform can add to it
 */
gint64
reeve_budget_get_cost_open (const ReeveBudget *self)
{
  gint64 left = reeve_budget_get_cost_left (self);
  gint64 more = 0;

  if (self->pool == NULL || left == G_MAXINT64)
    return left;
  reeve_budget_pool_get_left (self->pool, self->period, NULL, &more);
  return left + more;
}

/**
 * reeve_budget_get_token_limit:
 * @self: a budget
 *
 * Returns: the limit that somebody set: of a slice the platform's
 */
gint64
reeve_budget_get_token_limit (const ReeveBudget *self)
{
  return self->pool != NULL ? reeve_budget_pool_get_token_limit (self->pool) : self->token_limit;
}

/**
 * reeve_budget_get_cost_limit:
 * @self: a budget
 *
 * Returns: the limit that somebody set, in nano-units: of a slice the platform's
 */
gint64
reeve_budget_get_cost_limit (const ReeveBudget *self)
{
  return self->pool != NULL ? reeve_budget_pool_get_cost_limit (self->pool) : self->cost_limit;
}

static gboolean
reeve_budget_has_reached (gint64 limit, gint64 used, gint64 thousandths)
{
  return limit != REEVE_BUDGET_NONE
         && (ReeveBudgetWide) used * 1000 >= (ReeveBudgetWide) limit * thousandths;
}

/**
 * reeve_budget_notice:
 * @self: a budget
 *
 * A slice that is used up is no news: another one is taken.
 *
 * Returns: what is to be told of it now, once in a period: REEVE_BUDGET_TOLD_…
 */
guint
reeve_budget_notice (ReeveBudget *self)
{
  gint64 spent = reeve_budget_get_cost_used (self);
  guint reached = 0;

  if (self->pool != NULL)
    return 0;
  if (self->alert_at > 0
      && (reeve_budget_has_reached (self->token_limit, self->tokens_used, self->alert_at)
          || reeve_budget_has_reached (self->cost_limit, spent, self->alert_at)))
    reached |= REEVE_BUDGET_TOLD_ALERT;
  if (reeve_budget_has_reached (self->token_limit, self->tokens_used, 1000)
      || reeve_budget_has_reached (self->cost_limit, spent, 1000))
    reached |= REEVE_BUDGET_TOLD_EXHAUSTED;
  reached &= ~self->told;
  self->told |= reached;
  return reached;
}
