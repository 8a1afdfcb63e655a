/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits of a day and of a month beside that of the period. Each counts from when it was set: one
 * that is taken away and set again is another one, with counters of its own. */
#include "budget-window.h"

#include "base/ids.h"
#include "base/times.h"

#include <string.h>

#define REEVE_BUDGET_WINDOW_REQUEST "tokens_per_request"
#define REEVE_BUDGET_WINDOW_FIELD   "windows"
/* years behind 9999 are all the same one */
#define REEVE_BUDGET_WINDOW_LAST G_GINT64_CONSTANT (253402300799000000)

static const struct
{
  const char *name;
  const char *member;
} reeve_budget_windows[] = { [REEVE_BUDGET_WINDOW_NONE] = { NULL, "token_limit" },
                             [REEVE_BUDGET_WINDOW_DAY] = { "day", "tokens_per_day" },
                             [REEVE_BUDGET_WINDOW_MONTH] = { "month", "tokens_per_month" } };

/**
 * reeve_budget_window_find:
 * @window: day or month
 * @now: µs since 1970
 *
 * Returns: number of the day since 1970-01-01, or of the month since January 1970, in UTC
 */
gint64
reeve_budget_window_find (ReeveBudgetWindow window, gint64 now)
{
  gint64 time = CLAMP (now, 0, REEVE_BUDGET_WINDOW_LAST);
  g_autoptr (GDateTime) date = NULL;

  if (window == REEVE_BUDGET_WINDOW_DAY)
    return time / REEVE_TIMES_DAY;
  date = g_date_time_new_from_unix_utc (time / REEVE_TIMES_SECOND);
  return ((gint64) g_date_time_get_year (date) - 1970) * 12 + g_date_time_get_month (date) - 1;
}

/**
 * reeve_budget_window_get_begin:
 * @window: day or month
 * @number: which
 *
 * Returns: when it begins, in µs since 1970
 */
gint64
reeve_budget_window_get_begin (ReeveBudgetWindow window, gint64 number)
{
  g_autoptr (GDateTime) date = NULL;

  if (window == REEVE_BUDGET_WINDOW_DAY)
    return number * REEVE_TIMES_DAY;
  date = g_date_time_new_utc ((gint) (1970 + number / 12), (gint) (1 + number % 12), 1, 0, 0, 0);
  return date != NULL ? g_date_time_to_unix (date) * REEVE_TIMES_SECOND : G_MAXINT64;
}

/**
 * reeve_budget_window_get_member:
 * @budget: a budget
 *
 * Returns: (transfer none): the member that sets its limit of tokens
 */
const char *
reeve_budget_window_get_member (const ReeveBudget *budget)
{
  return reeve_budget_windows[budget->window].member;
}

/**
 * reeve_budget_window_dup_name:
 * @budget: a budget
 *
 * Returns: (transfer full): its scope, and of a window which one it is: `org/day`
 */
char *
reeve_budget_window_dup_name (const ReeveBudget *budget)
{
  const char *name = reeve_budget_windows[budget->window].name;

  return name != NULL ? g_strconcat (budget->key, "/", name, NULL) : g_strdup (budget->key);
}

/* ---- limits ---- */

static ReeveBudget *
reeve_budget_window_new (const ReeveBudget *parent, ReeveBudgetWindow window, const char *id)
{
  ReeveBudget *self = reeve_budget_new (parent->key, id);

  self->window = window;
  self->period_days = 0;
  return self;
}

/* That of the configuration is there from the beginning; any other one from when it is set. */
static ReeveBudget *
reeve_budget_window_begin (const ReeveBudget *parent, ReeveBudgetWindow window, gint64 now)
{
  gboolean configured = strcmp (parent->id, REEVE_BUDGET_CONFIGURED) == 0;
  g_autofree char *id = configured
                            ? g_strconcat (parent->id, "-", reeve_budget_windows[window].name, NULL)
                            : reeve_ids_new ("bud");
  ReeveBudget *self = reeve_budget_window_new (parent, window, id);

  if (configured)
    return self;
  self->created_at = now;
  self->from_seq = REEVE_BUDGET_NEW;
  self->base = self->period = reeve_budget_window_find (window, now);
  return self;
}

static void
reeve_budget_window_set_one (ReeveBudget *parent, ReeveBudgetWindow window, JsonObject *limits,
                             gint64 now)
{
  ReeveBudget **place = &parent->windows[window - 1];
  gint64 limit
      = reeve_json_get_int (limits, reeve_budget_windows[window].member, REEVE_BUDGET_NONE);

  if (limit == REEVE_BUDGET_NONE)
    {
      g_clear_pointer (place, reeve_budget_unref);
      return;
    }
  if (*place == NULL)
    *place = reeve_budget_window_begin (parent, window, now);
  (*place)->token_limit = limit;
  (*place)->alert_at = parent->alert_at;
}

/**
 * reeve_budget_window_set_limits:
 * @self: a budget that is not a window
 * @limits: {tokens_per_request?, tokens_per_day?, tokens_per_month?}
 * @now: µs since 1970
 *
 * What was spent of a limit that goes on stays.
 */
void
reeve_budget_window_set_limits (ReeveBudget *self, JsonObject *limits, gint64 now)
{
  self->request_limit = reeve_json_get_int (limits, REEVE_BUDGET_WINDOW_REQUEST, REEVE_BUDGET_NONE);
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    reeve_budget_window_set_one (self, REEVE_BUDGET_WINDOW_DAY + i, limits, now);
}

/**
 * reeve_budget_window_set_author:
 * @self: a budget
 * @user_id: who has set it
 */
void
reeve_budget_window_set_author (ReeveBudget *self, const char *user_id)
{
  g_free (self->set_by);
  self->set_by = g_strdup (user_id);
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    if (self->windows[i] != NULL)
      reeve_budget_window_set_author (self->windows[i], user_id);
}

/**
 * reeve_budget_window_adopt:
 * @self: a budget; the book's lock is held
 * @from: what was set
 *
 * What is spent and reserved of those that go on stays.
 */
void
reeve_budget_window_adopt (ReeveBudget *self, ReeveBudget *from)
{
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    {
      ReeveBudget *there = self->windows[i];
      ReeveBudget *set = from->windows[i];

      if (there != NULL && set != NULL && strcmp (there->id, set->id) == 0)
        {
          reeve_budget_adopt (there, set);
          continue;
        }
      self->windows[i] = set != NULL ? reeve_budget_ref (set) : NULL;
      g_clear_pointer (&there, reeve_budget_unref);
    }
}

/**
 * reeve_budget_window_carry:
 * @self: a budget that is new
 * @old: whose place it takes
 *
 * What is reserved counts as spent.
 */
void
reeve_budget_window_carry (ReeveBudget *self, const ReeveBudget *old)
{
  self->tokens_used
      = MAX (self->tokens_used, reeve_budget_sum (old->tokens_used, old->tokens_reserved));
  reeve_budget_money_carry (&self->money, &old->money);
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    {
      ReeveBudget *window = self->windows[i];

      if (window == NULL || old->windows[i] == NULL || old->windows[i]->period < window->period)
        continue;
      /* a clock was ahead: neither goes back */
      if (old->windows[i]->period > window->period)
        window->tokens_used = 0;
      window->period = old->windows[i]->period;
      window->base = MAX (window->base, window->period);
      reeve_budget_window_carry (window, old->windows[i]);
    }
}

/* ---- outside ---- */

static void
reeve_budget_window_set_int (JsonObject *shown, const char *member, gint64 limit)
{
  if (limit == REEVE_BUDGET_NONE)
    json_object_set_null_member (shown, member);
  else
    json_object_set_int_member (shown, member, limit);
}

static JsonObject *
reeve_budget_window_show_one (const ReeveBudget *self)
{
  JsonObject *shown = json_object_new ();
  g_autofree char *began
      = reeve_times_format (reeve_budget_window_get_begin (self->window, self->period));
  g_autofree char *ends
      = reeve_times_format (reeve_budget_window_get_begin (self->window, self->period + 1));

  json_object_set_string_member (shown, "window", reeve_budget_windows[self->window].name);
  json_object_set_int_member (shown, "token_limit", self->token_limit);
  json_object_set_int_member (shown, "tokens_used", self->tokens_used);
  json_object_set_int_member (shown, "tokens_reserved", self->tokens_reserved);
  json_object_set_int_member (shown, "tokens_remaining", reeve_budget_get_tokens_left (self));
  json_object_set_string_member (shown, "last_reset_at", began);
  json_object_set_string_member (shown, "next_reset_at", ends);
  return shown;
}

/**
 * reeve_budget_window_show:
 * @self: a budget
 * @shown: as it is shown outside; its limits of a call, a day and a month are added
 */
void
reeve_budget_window_show (const ReeveBudget *self, JsonObject *shown)
{
  JsonArray *windows = json_array_new ();

  reeve_budget_window_set_int (shown, REEVE_BUDGET_WINDOW_REQUEST, self->request_limit);
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    {
      const ReeveBudget *window = self->windows[i];

      reeve_budget_window_set_int (shown, reeve_budget_windows[REEVE_BUDGET_WINDOW_DAY + i].member,
                                   window != NULL ? window->token_limit : REEVE_BUDGET_NONE);
      if (window != NULL)
        json_array_add_object_element (windows, reeve_budget_window_show_one (window));
    }
  json_object_set_array_member (shown, REEVE_BUDGET_WINDOW_FIELD, windows);
}

/* ---- in the store ---- */

/**
 * reeve_budget_window_save:
 * @self: a budget
 * @fields: of its record
 */
void
reeve_budget_window_save (const ReeveBudget *self, JsonObject *fields)
{
  JsonArray *windows = json_array_new ();

  json_object_set_int_member (fields, REEVE_BUDGET_WINDOW_REQUEST, self->request_limit);
  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    {
      const ReeveBudget *window = self->windows[i];
      JsonObject *kept = NULL;

      if (window == NULL)
        continue;
      kept = json_object_new ();
      json_object_set_string_member (kept, "window", reeve_budget_windows[window->window].name);
      json_object_set_string_member (kept, "budget_id", window->id);
      json_object_set_int_member (kept, "token_limit", window->token_limit);
      json_object_set_int_member (kept, "base", window->base);
      json_object_set_int_member (kept, "period", window->period);
      json_object_set_int_member (kept, "created_at", window->created_at);
      json_object_set_int_member (kept, "from_seq", window->from_seq);
      json_array_add_object_element (windows, kept);
    }
  json_object_set_array_member (fields, REEVE_BUDGET_WINDOW_FIELD, windows);
}

static void
reeve_budget_window_load_one (ReeveBudget *self, JsonObject *kept)
{
  const char *name = reeve_json_get_string (kept, "window", "");

  for (guint i = 0; i < REEVE_BUDGET_WINDOWS; i++)
    {
      ReeveBudgetWindow which = REEVE_BUDGET_WINDOW_DAY + i;
      ReeveBudget *window = NULL;

      if (strcmp (name, reeve_budget_windows[which].name) != 0 || self->windows[i] != NULL)
        continue;
      window
          = reeve_budget_window_new (self, which, reeve_json_get_string (kept, "budget_id", name));
      window->token_limit = reeve_json_get_int (kept, "token_limit", 0);
      window->base = reeve_json_get_int (kept, "base", 0);
      window->period = MAX (window->base, reeve_json_get_int (kept, "period", 0));
      window->created_at = reeve_json_get_int (kept, "created_at", 0);
      window->from_seq = reeve_json_get_int (kept, "from_seq", 0);
      window->alert_at = self->alert_at;
      window->set_by = g_strdup (self->set_by);
      self->windows[i] = window;
    }
}

/**
 * reeve_budget_window_load:
 * @self: a budget that was just read
 * @fields: of its record
 */
void
reeve_budget_window_load (ReeveBudget *self, JsonObject *fields)
{
  JsonArray *windows = reeve_json_get_array (fields, REEVE_BUDGET_WINDOW_FIELD);

  self->request_limit = reeve_json_get_int (fields, REEVE_BUDGET_WINDOW_REQUEST, REEVE_BUDGET_NONE);
  for (guint i = 0; windows != NULL && i < json_array_get_length (windows); i++)
    reeve_budget_window_load_one (self, json_array_get_object_element (windows, i));
}
