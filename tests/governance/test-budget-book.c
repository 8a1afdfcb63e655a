/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Budgets in memory: money is exact, periods never go back, all scopes are reserved together, and
 * callers at once never pass a limit. */
#include "base/times.h"
#include "governance/budget-book.h"
#include "governance/budget-window.h"
#include "governance/money.h"

#include "budget-book-fixture.h"

#define DAY G_TIME_SPAN_DAY

typedef struct
{
  ReeveBudgetBook *book;
  gint64 spent; /* atomic enough: under the book's own settlement */
  gint refused;
} Shared;

static void
test_money (void)
{
  const struct
  {
    const char *text;
    gint64 nano; /* -1: refused */
    const char *shown;
  } rows[] = {
    { "0", 0, "0" },
    { "12.50", G_GINT64_CONSTANT (12500000000), "12.5" },
    { "0.000000001", 1, "0.000000001" },
    { "1.0000000000", G_GINT64_CONSTANT (1000000000), "1" },
    { "0.0000000001", -1, NULL },
    { "9223372036.854775807", G_MAXINT64, "9223372036.854775807" },
    { "9223372037", -1, NULL },
    { "", -1, NULL },
    { ".5", -1, NULL },
    { "5.", -1, NULL },
    { "-1", -1, NULL },
    { "1e3", -1, NULL },
    { "1.2.3", -1, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      gint64 nano = 0;
      gboolean good = reeve_money_parse (rows[i].text, 9, &nano, NULL);
      g_autofree char *shown = good ? reeve_money_format (nano) : NULL;

      g_assert_cmpint (good, ==, rows[i].nano >= 0);
      g_assert_cmpint (nano, ==, MAX (rows[i].nano, 0));
      g_assert_cmpstr (shown, ==, rows[i].shown);
    }
  /* 0.00015 for a thousand: 150 nano a token; 0.0000001: rounded up */
  g_assert_cmpint (reeve_money_cost (3, 150000000), ==, 450);
  g_assert_cmpint (reeve_money_cost (3, 100000), ==, 1);
  g_assert_cmpint (reeve_money_tokens (450, 150000000), ==, 3);
  g_assert_cmpint (reeve_money_tokens (449, 150000000), ==, 2);
  g_assert_cmpint (reeve_money_tokens (1, 0), ==, G_MAXINT64);
  g_assert_cmpint (reeve_money_cost (G_MAXINT64, G_MAXINT64), ==, REEVE_MONEY_TOO_MUCH);
}

/* A run that may have so many tokens. */
static gboolean
check (ReeveBudgetBook *book, gint64 tokens, gint64 now, GError **error)
{
  const ReeveBudgetWho who = { .agent_id = "a", .user_id = "u", .delegated_user_id = "u" };
  const ReeveBudgetAsk ask = { .input = tokens - 1, .output = 1, .now = now };

  return reeve_budget_book_check (book, &who, &ask, error);
}

static void
test_all_or_none (void)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  ReeveReservation *first = NULL;
  ReeveReservation *second = NULL;

  g_assert_null (budget_book_fixture_reserve (book, 10, 10, 1));
  budget_book_fixture_set (book, "org", "{\"token_limit\":100}", 1);
  budget_book_fixture_set (book, "agents/a", "{\"token_limit\":70}", 1);
  budget_book_fixture_set (book, "users/u", "{}", 1);
  first = budget_book_fixture_reserve (book, 20, 1000, 1);
  g_assert_cmpint (reeve_reservation_get_output (first), ==, 50);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_reserved", 1), ==, 70);
  /* the agent has nothing left: nothing of the organisation's is taken */
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, 1));
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_reserved", 1), ==, 70);
  budget_book_fixture_end (first, 40);
  g_assert_cmpint (budget_book_fixture_look (book, "users/u", "tokens_used", 1), ==, 40);
  g_assert_null (budget_book_fixture_reserve (book, 15, 16, 1));
  second = budget_book_fixture_reserve (book, 14, 16, 1);
  g_assert_cmpint (budget_book_fixture_look (book, "agents/a", "tokens_remaining", 1), ==, 0);
  reeve_reservation_release (second);
  g_assert_cmpint (budget_book_fixture_look (book, "agents/a", "tokens_remaining", 1), ==, 30);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_remaining", 1), ==, 60);
}

static void
test_periods (void)
{
  const gint64 start = 1000 * DAY;
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  ReeveReservation *late = NULL;

  budget_book_fixture_set (book, "org", "{\"token_limit\":100,\"reset_period_days\":10}", start);
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 20, start), 30);
  late = budget_book_fixture_reserve (book, 10, 20, start + 9 * DAY);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_remaining", start + 10 * DAY - 1),
                   ==, 40);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_remaining", start + 10 * DAY), ==,
                   100);
  /* what was reserved before is not of this period */
  budget_book_fixture_end (late, 30);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", start + 10 * DAY), ==, 0);
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 90, start + 11 * DAY), 100);
  /* a clock that is set back gives nothing */
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, start));
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, 0));
  g_assert_cmpint (budget_book_fixture_look (book, "org", "period", start), ==, 1);
  /* one that jumps ahead gives each period once */
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 90, start + 500 * DAY), 100);
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, start + 21 * DAY));
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, start + 501 * DAY));
  late = budget_book_fixture_reserve (book, 1, 16, start + 510 * DAY);
  g_assert_nonnull (late);
  reeve_reservation_release (late);
}

static void
test_another_length (void)
{
  const gint64 start = 1000 * DAY;
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");

  budget_book_fixture_set (book, "org", "{\"token_limit\":100,\"reset_period_days\":1}", start);
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 20, start + 100 * DAY), 30);
  /* the present period goes on, and ends ten days behind its beginning */
  budget_book_fixture_set (book, "org", "{\"token_limit\":50,\"reset_period_days\":10}",
                           start + 100 * DAY + 1);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_remaining", start + 101 * DAY),
                   ==, 20);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_remaining", start + 110 * DAY),
                   ==, 50);
  budget_book_fixture_set (book, "org", "{\"token_limit\":50,\"reset_period_days\":0}",
                           start + 111 * DAY);
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 40, start + 111 * DAY), 50);
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, start + 10000 * DAY));
}

/* What one of the windows of a budget says. */
static gint64
look_window (ReeveBudgetBook *book, const char *window, const char *member, gint64 now)
{
  g_autoptr (JsonObject) shown = reeve_budget_book_show (book, "org", now);
  JsonArray *windows = json_object_get_array_member (shown, "windows");

  for (guint i = 0; i < json_array_get_length (windows); i++)
    {
      JsonObject *one = json_array_get_object_element (windows, i);

      if (g_str_equal (json_object_get_string_member (one, "window"), window))
        return json_object_get_int_member (one, member);
    }
  return -1;
}

/* The calendar is that of UTC. */
static void
test_calendar (void)
{
  const struct
  {
    const char *time;
    gint64 day;
    gint64 month;
  } rows[]
      = { { "1970-01-01T00:00:00.000Z", 0, 0 },       { "1970-01-31T23:59:59.999Z", 30, 0 },
          { "1970-02-01T00:00:00.000Z", 31, 1 },      { "2024-02-29T23:59:59.999Z", 19782, 649 },
          { "2024-03-01T00:00:00.000Z", 19783, 650 }, { "2026-12-31T23:59:59.999Z", 20818, 683 },
          { "2027-01-01T00:00:00.000Z", 20819, 684 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      gint64 now = 0;
      gint64 month = 0;

      g_assert_true (reeve_times_parse (rows[i].time, &now, NULL));
      month = reeve_budget_window_find (REEVE_BUDGET_WINDOW_MONTH, now);
      g_assert_cmpint (reeve_budget_window_find (REEVE_BUDGET_WINDOW_DAY, now), ==, rows[i].day);
      g_assert_cmpint (month, ==, rows[i].month);
      g_assert_cmpint (reeve_budget_window_get_begin (REEVE_BUDGET_WINDOW_MONTH, month), <=, now);
      g_assert_cmpint (reeve_budget_window_get_begin (REEVE_BUDGET_WINDOW_MONTH, month + 1), >,
                       now);
    }
  /* times that are none do no harm */
  g_assert_cmpint (reeve_budget_window_find (REEVE_BUDGET_WINDOW_MONTH, -1), ==, 0);
  g_assert_cmpint (reeve_budget_window_find (REEVE_BUDGET_WINDOW_MONTH, G_MAXINT64), ==,
                   (9999 - 1970) * 12 + 11);
}

/* A day and a month bound besides the period, and each begins anew by itself. */
static void
test_windows (void)
{
  const gint64 start = 20481 * DAY + DAY / 2; /* 2026-01-28, noon */
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  ReeveReservation *open = NULL;

  budget_book_fixture_set (
      book, "org", "{\"token_limit\":1000,\"tokens_per_day\":100,\"tokens_per_month\":150}", start);
  open = budget_book_fixture_reserve (book, 10, 1000, start);
  g_assert_cmpint (reeve_reservation_get_output (open), ==, 90);
  g_assert_cmpint (look_window (book, "day", "tokens_reserved", start), ==, 100);
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, start));
  budget_book_fixture_end (open, 80);
  g_assert_cmpint (look_window (book, "day", "tokens_remaining", start), ==, 20);
  g_assert_cmpint (look_window (book, "month", "tokens_used", start), ==, 80);
  /* midnight; what the month leaves is less than a day */
  g_assert_cmpint (look_window (book, "day", "tokens_remaining", start + DAY / 2 - 1), ==, 20);
  g_assert_cmpint (look_window (book, "day", "tokens_remaining", start + DAY / 2), ==, 100);
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 1000, start + DAY), 70);
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, start + 2 * DAY));
  g_assert_cmpint (look_window (book, "month", "tokens_remaining", start + 2 * DAY), ==, 0);
  /* February; the period goes on */
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 1000, start + 4 * DAY), 100);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", start + 4 * DAY), ==, 250);
  g_assert_cmpint (look_window (book, "month", "tokens_used", start + 4 * DAY), ==, 100);
  /* a clock that is set back gives nothing */
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, start));
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, 0));
  /* one that jumps ahead gives each day once */
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 40, start + 400 * DAY), 50);
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 40, start + 300 * DAY), 50);
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, start + 399 * DAY));
  g_assert_cmpint (look_window (book, "day", "tokens_remaining", start + 400 * DAY), ==, 0);
}

/* A limit that goes on keeps what was spent; one that is set anew counts from then on. */
static void
test_windows_change (void)
{
  const gint64 start = 20481 * DAY;
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  ReeveReservation *late = NULL;

  budget_book_fixture_set (book, "org", "{\"tokens_per_day\":100}", start);
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 30, start), 40);
  late = budget_book_fixture_reserve (book, 10, 20, start);
  budget_book_fixture_set (book, "org", "{\"tokens_per_day\":90,\"tokens_per_month\":1000}", start);
  g_assert_cmpint (look_window (book, "day", "tokens_remaining", start), ==, 20);
  g_assert_cmpint (look_window (book, "month", "tokens_used", start), ==, 0);
  budget_book_fixture_set (book, "org", "{}", start);
  g_assert_cmpint (look_window (book, "day", "tokens_remaining", start), ==, -1);
  budget_book_fixture_set (book, "org", "{\"tokens_per_day\":90}", start);
  /* what was reserved of the one before is not of this one */
  budget_book_fixture_end (late, 30);
  g_assert_cmpint (look_window (book, "day", "tokens_remaining", start), ==, 90);
}

/* Who looks, or is refused, begins no period: no record would say so at a restart. */
static void
test_looking (void)
{
  const gint64 start = 20481 * DAY;
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");

  budget_book_fixture_set (
      book, "org", "{\"token_limit\":100,\"reset_period_days\":1,\"tokens_per_day\":100}", start);
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 90, start), 100);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_remaining", start + DAY), ==,
                   100);
  g_assert_cmpint (look_window (book, "day", "tokens_remaining", start + DAY), ==, 100);
  g_assert_true (check (book, 50, start + DAY, NULL));
  g_assert_null (budget_book_fixture_reserve (book, 200, 90, start + DAY));
  g_assert_null (budget_book_fixture_reserve (book, 1, 16, start));
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", start), ==, 100);
  g_assert_cmpint (look_window (book, "day", "tokens_used", start), ==, 100);
}

/* A clock may be set between a budget and what it counts; the numbers of the log only grow. */
static void
test_since (void)
{
  const gint64 start = 20481 * DAY;
  const ReeveBudgetWho who = { .agent_id = "a" };
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  ReeveBudget *budget = reeve_budget_new ("org", "org");

  budget->token_limit = 100;
  budget->created_at = start;
  budget->from_seq = REEVE_BUDGET_NEW;
  reeve_budget_begin_at (budget, 7);
  reeve_budget_book_take (book, budget);
  g_assert_null (reeve_budget_book_recall (book, &who, start + DAY, 30, 0, NULL, 6));
  budget_book_fixture_end (reeve_budget_book_recall (book, &who, start - DAY, 30, 0, NULL, 7), 30);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", start), ==, 30);
}

/* What is spent stays spent, however much it is. */
static void
test_most (void)
{
  const ReeveBudgetWho who = { .agent_id = "a" };
  const ReeveBudgetAsk ask = { .input = G_MAXINT64 / 3, .now = 1 };
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");

  budget_book_fixture_set (book, "org", "{\"token_limit\":100}", 1);
  for (guint i = 0; i < 9; i++)
    {
      budget_book_fixture_end (reeve_budget_book_charge (book, &who, &ask, 0, NULL, NULL),
                               G_MAXINT64 / 3);
      g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_remaining", 1), ==, 0);
    }
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", 1), ==, REEVE_BUDGET_MOST);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_reserved", 1), ==, 0);
}

/* The decimal text of one of a budget's amounts; `-` where it has none. */
static void
look_cost (ReeveBudgetBook *book, const char *member, const char *amount, const char *currency)
{
  g_autoptr (JsonObject) shown = reeve_budget_book_show (book, "org", 1);
  JsonObject *money = reeve_json_get_object (shown, member);

  g_assert_cmpstr (money != NULL ? json_object_get_string_member (money, "amount") : "-", ==,
                   amount);
  if (money != NULL)
    g_assert_cmpstr (json_object_get_string_member (money, "currency"), ==, currency);
}

static void
end_cost (ReeveReservation *reservation, gint64 cost, const char *currency)
{
  ReeveBudgetNotice notices[REEVE_RESERVATION_SCOPES];
  guint n = 0;

  reeve_reservation_number (reservation, 1);
  n = reeve_reservation_settle (reservation, 0, cost, currency, 1, notices);
  for (guint i = 0; i < n; i++)
    g_free (notices[i].key);
  reeve_reservation_finish (reservation, TRUE);
}

/* A unit of money is none of another; what nobody knows the currency of may be of any. */
static void
test_currencies (void)
{
  const ReeveBudgetWho who = { .agent_id = "a" };
  const ReeveBudgetAsk ask = { .now = 1 };
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  g_autoptr (JsonNode) other
      = json_from_string ("{\"cost_limit\":{\"amount\":\"9\",\"currency\":\"USD\"}}", NULL);
  g_autoptr (ReeveBudget) copy = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GList) currencies = NULL;
  ReeveReservation *open = NULL;

  budget_book_fixture_set (book, "org", "{\"token_limit\":100}", 1);
  end_cost (reeve_budget_book_charge (book, &who, &ask, 2000000000, "EUR", NULL), 2000000000, NULL);
  end_cost (reeve_budget_book_charge (book, &who, &ask, 3000000000, "USD", NULL), 3000000000, NULL);
  open = reeve_budget_book_charge (book, &who, &ask, 1000000000, "EUR", NULL);
  look_cost (book, "cost_used", "-", NULL);
  budget_book_fixture_set (book, "org", "{\"cost_limit\":{\"amount\":\"10\",\"currency\":\"EUR\"}}",
                           1);
  look_cost (book, "cost_used", "2", "EUR");
  look_cost (book, "cost_reserved", "1", "EUR");
  look_cost (book, "cost_remaining", "7", "EUR");
  end_cost (open, 1500000000, NULL);
  look_cost (book, "cost_reserved", "0", "EUR");
  look_cost (book, "cost_used", "3.5", "EUR");
  /* an intent of before says nothing of it; its outcome does, or nobody does */
  end_cost (reeve_budget_book_recall (book, &who, 1, 5, 4000000000, NULL, 7), 3000000000, "USD");
  look_cost (book, "cost_used", "3.5", "EUR");
  end_cost (reeve_budget_book_recall (book, &who, 1, 5, 4000000000, NULL, 8), 4000000000, NULL);
  look_cost (book, "cost_used", "7.5", "EUR");
  copy = reeve_budget_book_copy (book, "org", 1);
  g_assert_false (reeve_budget_set_limits (copy, json_node_get_object (other), 1, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  currencies = reeve_budget_book_list_currencies (book);
  g_assert_cmpuint (g_list_length (currencies), ==, 2);
  g_assert_cmpstr (currencies->data, ==, "EUR");
  g_assert_cmpstr (currencies->next->data, ==, "USD");
}

/* What a refusal says: which limit, and when to ask again. */
static void
test_refusals (void)
{
  const gint64 start = 20481 * DAY + DAY / 2;
  const struct
  {
    const char *limits;
    gint64 spend;
    const char *said;
    guint wait;
  } rows[] = {
    { "{\"tokens_per_request\":20}", 0, "*org (tokens_per_request 20, set by *", G_MAXUINT },
    { "{\"tokens_per_day\":100}", 90, "*org (tokens_per_day 100, set by *", 43200 },
    { "{\"tokens_per_month\":100}", 90, "*org (tokens_per_month 100, set by *", 43200 + 3 * 86400 },
    { "{\"token_limit\":100,\"reset_period_days\":2}", 90, "*org (token_limit 100, set by *",
      2 * 86400 },
    { "{\"token_limit\":100,\"reset_period_days\":0}", 90, "*org (token_limit 100*", G_MAXUINT },
    { "{\"tokens_per_day\":20}", 0, "*org (tokens_per_day 20*", G_MAXUINT },
    /* whoever came back the next day would be refused by the month */
    { "{\"tokens_per_day\":100,\"tokens_per_month\":100}", 90, "*org (tokens_per_day 100, set by *",
      43200 + 3 * 86400 },
    { "{\"tokens_per_day\":100,\"token_limit\":100,\"reset_period_days\":0}", 90, "*", G_MAXUINT },
  };
  const ReeveBudgetWho who = { .agent_id = "a" };
  const ReeveBudgetAsk ask = { .input = 10, .output = 100, .now = start };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) checked = NULL;

      budget_book_fixture_set (book, "org", rows[i].limits, start);
      if (rows[i].spend > 0)
        budget_book_fixture_end (budget_book_fixture_reserve (book, 10, rows[i].spend - 10, start),
                                 rows[i].spend);
      g_assert_null (reeve_budget_book_reserve (book, &who, &ask, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED);
      g_assert_true (g_pattern_match_simple (rows[i].said, error->message));
      g_assert_cmpuint (reeve_error_get_wait (error), ==, rows[i].wait);
      g_assert_false (check (book, 26, start, &checked));
      g_assert_cmpuint (reeve_error_get_wait (checked), ==, rows[i].wait);
    }
}

/* Once in a period and for each threshold, however often the same is set. */
static void
test_alert_again (void)
{
  static const struct
  {
    const char *limits;
    gint64 spend;
    guint told;
  } rows[] = {
    { "{\"token_limit\":1000,\"alert_at\":0.5}", 600, REEVE_BUDGET_TOLD_ALERT },
    { "{\"token_limit\":1000,\"alert_at\":0.5}", 20, 0 },
    { "{\"token_limit\":1000,\"alert_at\":0.5,\"tokens_per_month\":9000}", 20, 0 },
    { "{\"token_limit\":1000,\"alert_at\":0.9}", 20, 0 },
    { "{\"token_limit\":1100,\"alert_at\":0.5}", 20, REEVE_BUDGET_TOLD_ALERT },
    { "{\"token_limit\":700,\"alert_at\":0}", 20, REEVE_BUDGET_TOLD_EXHAUSTED },
    { "{\"token_limit\":700,\"alert_at\":0.5}", 0, REEVE_BUDGET_TOLD_ALERT },
    { "{\"token_limit\":700,\"alert_at\":0.5}", 0, 0 },
  };
  const gint64 start = 20481 * DAY;
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  ReeveReservation *made[8] = { NULL };

  G_STATIC_ASSERT (G_N_ELEMENTS (made) == G_N_ELEMENTS (rows));
  budget_book_fixture_set (book, "org", rows[0].limits, start);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    made[i] = budget_book_fixture_reserve (book, 1, 16, start);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      budget_book_fixture_set (book, "org", rows[i].limits, start);
      g_assert_cmpuint (budget_book_fixture_end (made[i], rows[i].spend), ==, rows[i].told);
    }
}

static void
test_blind (void)
{
  const ReeveBudgetWho who = { .agent_id = "a" };
  const ReeveBudgetAsk ask = { .input = 1, .output = 16, .now = 1 };
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_budget_book_is_empty (book));
  reeve_budget_book_set_blind (book);
  g_assert_false (reeve_budget_book_is_empty (book));
  g_assert_null (reeve_budget_book_reserve (book, &who, &ask, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_false (check (book, 1, 1, NULL));
}

static gpointer
spend (gpointer data)
{
  Shared *shared = data;

  for (guint i = 0; i < 2000; i++)
    {
      ReeveReservation *reservation = budget_book_fixture_reserve (shared->book, 10, 30, 1);

      if (reservation == NULL)
        g_atomic_int_inc (&shared->refused);
      else if (i % 3 == 0)
        reeve_reservation_release (reservation);
      else
        {
          gint64 tokens = 10 + (gint64) i % 20;

          tokens = MIN (tokens, reeve_reservation_get_input (reservation)
                                    + reeve_reservation_get_output (reservation));
          __atomic_fetch_add (&shared->spent, tokens, __ATOMIC_SEQ_CST);
          budget_book_fixture_end (reservation, tokens);
        }
    }
  return NULL;
}

static void
test_at_once (void)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  Shared shared = { .book = book };
  GThread *threads[8];
  g_autoptr (ReeveBatch) batch = NULL;

  budget_book_fixture_set (book, "org", "{\"token_limit\":20000}", 1);
  budget_book_fixture_set (book, "agents/a", "{\"token_limit\":15000}", 1);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("spend", spend, &shared);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (shared.refused, >, 0);
  g_assert_cmpint (shared.spent, <=, 15000);
  g_assert_cmpint (budget_book_fixture_look (book, "agents/a", "tokens_used", 1), ==, shared.spent);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", 1), ==, shared.spent);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_reserved", 1), ==, 0);
  batch = reeve_budget_book_save (book, 5, FALSE);
  g_assert_nonnull (batch);
  g_assert_cmpuint (reeve_batch_get_length (batch), ==, 3);
  g_assert_null (reeve_budget_book_save (book, 5, TRUE));
  reeve_budget_book_saved (book, TRUE);
  g_assert_null (reeve_budget_book_save (book, 5, FALSE));
}

static void
test_notices (void)
{
  g_autoptr (ReeveBudget) budget = reeve_budget_new ("org", "org");

  budget->token_limit = 100;
  budget->tokens_used = 79;
  g_assert_cmpuint (reeve_budget_notice (budget), ==, 0);
  budget->tokens_used = 80;
  g_assert_cmpuint (reeve_budget_notice (budget), ==, REEVE_BUDGET_TOLD_ALERT);
  g_assert_cmpuint (reeve_budget_notice (budget), ==, 0);
  budget->tokens_used = 100;
  g_assert_cmpuint (reeve_budget_notice (budget), ==, REEVE_BUDGET_TOLD_EXHAUSTED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/budget-book/money", test_money);
  g_test_add_func ("/budget-book/all-or-none", test_all_or_none);
  g_test_add_func ("/budget-book/periods", test_periods);
  g_test_add_func ("/budget-book/another-length", test_another_length);
  g_test_add_func ("/budget-book/calendar", test_calendar);
  g_test_add_func ("/budget-book/windows", test_windows);
  g_test_add_func ("/budget-book/looking", test_looking);
  g_test_add_func ("/budget-book/since", test_since);
  g_test_add_func ("/budget-book/most", test_most);
  g_test_add_func ("/budget-book/windows-change", test_windows_change);
  g_test_add_func ("/budget-book/currencies", test_currencies);
  g_test_add_func ("/budget-book/refusals", test_refusals);
  g_test_add_func ("/budget-book/alert-again", test_alert_again);
  g_test_add_func ("/budget-book/blind", test_blind);
  g_test_add_func ("/budget-book/at-once", test_at_once);
  g_test_add_func ("/budget-book/notices", test_notices);
  return g_test_run ();
}
