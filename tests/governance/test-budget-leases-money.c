/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slices of a platform's budget that is of money, over a real store: each currency has its own sum,
 * whatever the limit was in between. */
#include "governance/budget-leases-private.h"

#include "base/times.h"

#include "directory-fixture.h"

#include <string.h>

/* One host, one tenant. */
typedef struct
{
  ReeveBudgetLeases *leases;
  ReeveBudgetBook *book;
} Host;

static GPtrArray *
list_books (gpointer user_data)
{
  Host *host = user_data;
  GPtrArray *books = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_budget_book_unref);

  g_ptr_array_add (books, reeve_budget_book_ref (host->book));
  return books;
}

static void
make_host (DirectoryFixture *fixture, Host *host, const char *limits)
{
  g_autoptr (JsonObject) object = directory_fixture_parse (limits);
  g_autoptr (GError) error = NULL;

  host->leases = reeve_budget_leases_new (fixture->store, fixture->ledger.ledger, object,
                                          list_books, host, &error);
  g_assert_no_error (error);
  host->book = reeve_budget_book_new ("t0");
  reeve_budget_book_take (host->book, reeve_budget_leases_new_budget (host->leases));
}

/* A tenant has spent so much, as its log says, and the host ends. */
static void
live_once (DirectoryFixture *fixture, const char *limits, const char *currency, gint64 euros,
           gint64 dollars, const char *total)
{
  const ReeveBudgetWho who = { .agent_id = "a" };
  const gint64 now = reeve_times_now ();
  const ReeveBudgetAsk ask = { .now = now };
  ReeveBudgetNotice notices[REEVE_RESERVATION_SCOPES];
  Host host = { 0 };
  ReeveReservation *made = NULL;
  g_autoptr (JsonObject) shown = NULL;
  JsonObject *used = NULL;

  make_host (fixture, &host, limits);
  for (guint i = 0; i < 2; i++)
    {
      gint64 cost = i == 0 ? euros : dollars;

      if (cost == 0)
        continue;
      made
          = reeve_budget_book_recall (host.book, &who, now, 0, cost, i == 0 ? "EUR" : "USD", i + 1);
      reeve_reservation_settle (made, 0, cost, NULL, 1, notices);
      reeve_reservation_finish (made, TRUE);
    }
  g_assert_true (reeve_budget_leases_start (host.leases, NULL));
  made = reeve_budget_book_charge (host.book, &who, &ask, 1000000000, currency, NULL);
  reeve_reservation_number (made, 9);
  reeve_reservation_settle (made, 0, 1000000000, NULL, 1, notices);
  reeve_reservation_finish (made, TRUE);
  reeve_budget_leases_stop (host.leases);
  shown = reeve_budget_leases_show (host.leases, NULL);
  used = json_object_get_object_member (shown, "cost_used");
  g_assert_cmpstr (json_object_get_string_member (used, "amount"), ==, total);
  g_assert_cmpstr (json_object_get_string_member (used, "currency"), ==, currency);
  reeve_budget_leases_free (host.leases);
  reeve_budget_book_unref (host.book);
}

/* A limit in another currency counts for itself, and one that comes back finds what it counted. */
static void
test_another_currency (DirectoryFixture *fixture, gconstpointer data)
{
  const char *euros = "{\"cost_limit\":{\"amount\":\"10\",\"currency\":\"EUR\"}}";
  const char *dollars = "{\"cost_limit\":{\"amount\":\"10\",\"currency\":\"USD\"}}";

  live_once (fixture, euros, "EUR", 0, 0, "1");
  live_once (fixture, dollars, "USD", 1000000000, 0, "1");
  live_once (fixture, euros, "EUR", 1000000000, 1000000000, "2");
  live_once (fixture, dollars, "USD", 2000000000, 1000000000, "2");
}

static void
on_refilled (GObject *source, GAsyncResult *result, gpointer data)
{
  *(gint *) data = reeve_budget_leases_refill_finish (result);
}

static gboolean
refill (Host *host, gint64 tokens, gint64 cost, gint64 now)
{
  gint full = -1;

  reeve_budget_leases_refill_async (host->leases, host->book, tokens, cost, now, on_refilled,
                                    &full);
  while (full < 0)
    g_main_context_iteration (NULL, TRUE);
  return full;
}

/* It stands in the log already. */
static void
spend (Host *host, gint64 now, gint64 tokens, gint64 cost, guint64 intent)
{
  const ReeveBudgetWho who = { .agent_id = "a" };
  ReeveBudgetNotice notices[REEVE_RESERVATION_SCOPES];
  ReeveReservation *made
      = reeve_budget_book_recall (host->book, &who, now, tokens, cost, "EUR", intent);

  reeve_reservation_settle (made, tokens, cost, "EUR", 1, notices);
  reeve_reservation_finish (made, TRUE);
}

/* Where the money is spent and tokens are left: whoever has to pay is told that, and when there is
 * some again; whoever pays nothing is served. */
static void
test_spent_money (DirectoryFixture *fixture, gconstpointer data)
{
  const gint64 now = reeve_times_now ();
  const gint64 length = 10 * REEVE_TIMES_DAY;
  const gint64 ends = (now / length + 1) * length;
  const ReeveBudgetWho who = { .agent_id = "a" };
  const ReevePrice price = { .input = 1000000, .output = 1000000, .currency = "EUR" };
  const ReeveBudgetAsk ask
      = { .input = 1, .output = 16, .model = "m", .price = &price, .now = now, .last = TRUE };
  ReeveBudgetSlice slice = { 0 };
  Host host = { 0 };
  g_autoptr (GError) error = NULL;

  make_host (fixture, &host,
             "{\"token_limit\":1000,\"reset_period_days\":10,"
             "\"cost_limit\":{\"amount\":\"1\",\"currency\":\"EUR\"}}");
  g_assert_true (reeve_budget_leases_start (host.leases, NULL));
  g_assert_true (refill (&host, 0, 1000000000, now));
  spend (&host, now, 0, 1000000000, 1);
  g_assert_false (refill (&host, 17, 17, now));
  g_assert_true (reeve_budget_book_get_slice (host.book, REEVE_BUDGET_AS_IT_IS, &slice));
  g_assert_cmpint (slice.tokens, <, 900);
  spend (&host, now, slice.tokens, 0, 2);
  /* no token is left in the slice either: the platform has them */
  g_assert_null (reeve_budget_book_reserve (host.book, &who, &ask, &error));
  g_assert_nonnull (strstr (error->message, "(cost_limit 1 EUR"));
  g_assert_cmpuint (reeve_error_get_wait (error), ==,
                    (ends - now + REEVE_TIMES_SECOND - 1) / REEVE_TIMES_SECOND);
  g_assert_true (refill (&host, 17, 0, now));
  reeve_budget_leases_stop (host.leases);
  reeve_budget_leases_free (host.leases);
  reeve_budget_book_unref (host.book);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* that a budget has reached its limit is a warning */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  g_test_add ("/budget-leases/another-currency", DirectoryFixture, NULL, directory_fixture_set_up,
              test_another_currency, directory_fixture_tear_down);
  g_test_add ("/budget-leases/spent-money", DirectoryFixture, NULL, directory_fixture_set_up,
              test_spent_money, directory_fixture_tear_down);
  return g_test_run ();
}
