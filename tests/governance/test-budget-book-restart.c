/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a restart finds in the log is what the host before it had counted, whatever disks, clocks
 * and changes of limits did. */
#include "base/times.h"
#include "governance/budget-book.h"

#define DAY G_TIME_SPAN_DAY

static void
set (ReeveBudgetBook *book, const char *key, const char *limits, gint64 now)
{
  g_autoptr (JsonNode) node = json_from_string (limits, NULL);
  g_autoptr (ReeveBudget) budget = reeve_budget_book_copy (book, key, now);
  g_autoptr (GError) error = NULL;

  if (budget == NULL)
    {
      budget = reeve_budget_new (key, key);
      budget->anchor = budget->created_at = now;
    }
  g_assert_true (reeve_budget_set_limits (budget, json_node_get_object (node), now, &error));
  g_assert_no_error (error);
  reeve_budget_book_take (book, g_steal_pointer (&budget));
}

static gint64
look (ReeveBudgetBook *book, const char *key, const char *member, gint64 now)
{
  g_autoptr (JsonObject) shown = reeve_budget_book_show (book, key, now);

  return json_object_get_int_member (shown, member);
}

static ReeveReservation *
reserve (ReeveBudgetBook *book, gint64 input, gint64 output, gint64 now)
{
  const ReeveBudgetWho who = { .agent_id = "a", .user_id = "u", .delegated_user_id = "u" };
  const ReeveBudgetAsk ask = { .input = input, .output = output, .now = now };

  return reeve_budget_book_reserve (book, &who, &ask, NULL);
}

static void
end (ReeveReservation *reservation, gint64 tokens)
{
  ReeveBudgetNotice notices[REEVE_RESERVATION_SCOPES];
  guint n = 0;

  reeve_reservation_number (reservation, 1);
  n = reeve_reservation_settle (reservation, tokens, 0, NULL, 1, notices);
  for (guint i = 0; i < n; i++)
    g_free (notices[i].key);
  reeve_reservation_finish (reservation, TRUE);
}

/* What began a period never came to the disk, and the clock was set back: what spends next says in
 * its record which period it is of, so that a host that is killed then finds the same one. */
static void
test_unrecorded (void)
{
  const gint64 start = 20481 * DAY;
  const ReeveBudgetWho who = { .agent_id = "a" };
  const ReeveBudgetAsk back = { .input = 10, .output = 80, .now = start + 5 };
  const char *limits = "{\"token_limit\":100,\"reset_period_days\":1,\"tokens_per_day\":100}";
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  g_autoptr (ReeveBudgetBook) again = reeve_budget_book_new ("t");
  ReeveReservation *made = NULL;
  gint64 time = 0;

  set (book, "org", limits, start);
  set (book, "agents/a", limits, start);
  end (reserve (book, 10, 90, start), 100);
  /* only of the organisation: the agent's begins its own with another */
  made = reeve_budget_book_reserve (book, &(ReeveBudgetWho){ .agent_id = "b" },
                                    &(ReeveBudgetAsk){ .input = 9, .now = start + DAY }, NULL);
  reeve_reservation_release (made);
  made = reeve_budget_book_reserve (book, &who, &back, NULL);
  time = reeve_reservation_get_time (made);
  g_assert_cmpint (time, ==, start + DAY);
  end (made, 90);
  g_assert_null (reeve_budget_book_reserve (book, &who, &back, NULL));
  /* killed: the log has these */
  set (again, "org", limits, start);
  set (again, "agents/a", limits, start);
  end (reeve_budget_book_recall (again, &who, start, 100, 0, NULL, 1), 100);
  end (reeve_budget_book_recall (again, &who, time, 90, 0, NULL, 2), 90);
  for (guint i = 0; i < 2; i++)
    {
      const char *key = i == 0 ? "org" : "agents/a";

      g_assert_cmpint (look (again, key, "tokens_used", start), ==, 90);
      g_assert_cmpint (look (book, key, "tokens_used", start), ==, 90);
      g_assert_cmpint (look (again, key, "period", start), ==, 1);
    }
  g_assert_null (reeve_budget_book_reserve (again, &who, &back, NULL));
  /* one record says it: the clock's time is told again */
  made = reeve_budget_book_charge (book, &who, &back, 0, NULL, NULL);
  g_assert_cmpint (reeve_reservation_get_time (made), ==, back.now);
  reeve_reservation_release (made);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/budget-book/unrecorded", test_unrecorded);
  return g_test_run ();
}
