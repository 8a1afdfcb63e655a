/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a restart finds in the log is what the host before it had counted, whatever disks, clocks
 * and changes of limits did. */
#include "base/times.h"
#include "governance/budget-book.h"

#include "budget-book-fixture.h"

#define DAY G_TIME_SPAN_DAY

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

  budget_book_fixture_set (book, "org", limits, start);
  budget_book_fixture_set (book, "agents/a", limits, start);
  budget_book_fixture_end (budget_book_fixture_reserve (book, 10, 90, start), 100);
  /* only of the organisation: the agent's begins its own with another */
  made = reeve_budget_book_reserve (book, &(ReeveBudgetWho){ .agent_id = "b" },
                                    &(ReeveBudgetAsk){ .input = 9, .now = start + DAY }, NULL);
  reeve_reservation_release (made);
  made = reeve_budget_book_reserve (book, &who, &back, NULL);
  time = reeve_reservation_get_time (made);
  g_assert_cmpint (time, ==, start + DAY);
  budget_book_fixture_end (made, 90);
  g_assert_null (reeve_budget_book_reserve (book, &who, &back, NULL));
  /* killed: the log has these */
  budget_book_fixture_set (again, "org", limits, start);
  budget_book_fixture_set (again, "agents/a", limits, start);
  budget_book_fixture_end (reeve_budget_book_recall (again, &who, start, 100, 0, NULL, 1), 100);
  budget_book_fixture_end (reeve_budget_book_recall (again, &who, time, 90, 0, NULL, 2), 90);
  for (guint i = 0; i < 2; i++)
    {
      const char *key = i == 0 ? "org" : "agents/a";

      g_assert_cmpint (budget_book_fixture_look (again, key, "tokens_used", start), ==, 90);
      g_assert_cmpint (budget_book_fixture_look (book, key, "tokens_used", start), ==, 90);
      g_assert_cmpint (budget_book_fixture_look (again, key, "period", start), ==, 1);
    }
  g_assert_null (reeve_budget_book_reserve (again, &who, &back, NULL));
  /* one record says it: the clock's time is told again */
  made = reeve_budget_book_charge (book, &who, &back, 0, NULL, NULL);
  g_assert_cmpint (reeve_reservation_get_time (made), ==, back.now);
  reeve_reservation_release (made);
}

static ReeveReservation *
reserve_at (ReeveBudgetBook *book, gint64 tokens, guint64 size, guint64 intent)
{
  const ReeveBudgetWho who = { .agent_id = "a" };
  const ReeveBudgetAsk ask = { .input = tokens, .now = 1, .size = size };
  ReeveReservation *made = reeve_budget_book_reserve (book, &who, &ask, NULL);

  g_assert_nonnull (made);
  if (intent != 0)
    reeve_reservation_number (made, intent);
  return made;
}

static void
end_at (ReeveReservation *reservation, gint64 tokens, guint64 intent)
{
  ReeveBudgetNotice notices[REEVE_RESERVATION_SCOPES];
  guint n = 0;

  reeve_reservation_number (reservation, intent);
  n = reeve_reservation_settle (reservation, tokens, 0, NULL, intent, notices);
  for (guint i = 0; i < n; i++)
    g_free (notices[i].key);
  reeve_reservation_finish (reservation, TRUE);
}

static ReeveBudget *
draft (const char *id)
{
  ReeveBudget *made = reeve_budget_new ("org", id);

  made->token_limit = 1000000;
  made->created_at = made->anchor = 1;
  made->from_seq = REEVE_BUDGET_NEW;
  return made;
}

/* A tenant's budget takes the place of another while calls go on: each is counted once, by this
 * host and by the next one. */
static void
test_heir (void)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  g_autoptr (ReeveBudgetBook) again = reeve_budget_book_new ("t");
  g_autoptr (ReeveBudget) own = draft ("own");
  g_autoptr (ReeveBudget) failed = draft ("failed");
  ReeveBudget *written = NULL;
  const ReeveBudgetWho who = { .agent_id = "a" };
  ReeveReservation *numbered = NULL;
  ReeveReservation *on_its_way = NULL;
  ReeveReservation *meanwhile = NULL;

  budget_book_fixture_set (book, "org", "{\"token_limit\":1000000}", 1);
  end_at (reserve_at (book, 50, 0, 1), 5, 1);
  numbered = reserve_at (book, 30, 1, 2);
  on_its_way = reserve_at (book, 20, 6, 0);
  written = reeve_budget_book_begin_heir (book, failed, 7, 1);
  reeve_budget_book_end_heir (book, "org", FALSE);
  reeve_budget_unref (written);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_reserved", 1), ==, 50);
  written = reeve_budget_book_begin_heir (book, own, 7, 1);
  g_assert_cmpint (written->from_seq, ==, 7);
  g_assert_cmpint (written->tokens_used, ==, 35);
  meanwhile = reserve_at (book, 15, 7, 0);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", 1), ==, 5);
  reeve_budget_book_end_heir (book, "org", TRUE);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", 1), ==, 35);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_reserved", 1), ==, 35);
  end_at (numbered, 30, 2);
  end_at (on_its_way, 12, 8);
  end_at (meanwhile, 10, 9);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", 1), ==, 57);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_reserved", 1), ==, 0);
  /* killed before anything else was saved */
  reeve_budget_book_take (again, written);
  g_assert_null (reeve_budget_book_recall (again, &who, 1, 30, 0, NULL, 2));
  end_at (reeve_budget_book_recall (again, &who, 1, 20, 0, NULL, 8), 12, 8);
  end_at (reeve_budget_book_recall (again, &who, 1, 15, 0, NULL, 9), 10, 9);
  g_assert_cmpint (budget_book_fixture_look (again, "org", "tokens_used", 1), ==, 57);
}

/* The same of a budget that takes nobody's place: what is reserved while the store writes it is its
 * own, and nobody is shown it before. */
static void
test_fresh (void)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  g_autoptr (ReeveBudgetBook) again = reeve_budget_book_new ("t");
  g_autoptr (ReeveBudget) own = draft ("own");
  g_autoptr (ReeveBudget) other = reeve_budget_new ("agents/b", "other");
  const ReeveBudgetWho who = { .agent_id = "a" };
  const ReeveBudgetAsk more = { .input = 1000, .now = 1 };
  ReeveReservation *numbered = NULL;
  ReeveReservation *on_its_way = NULL;
  ReeveReservation *meanwhile = NULL;
  ReeveBudget *written = NULL;

  own->token_limit = 100;
  other->from_seq = REEVE_BUDGET_NEW;
  budget_book_fixture_set (book, "agents/a", "{\"token_limit\":1000000}", 1);
  numbered = reserve_at (book, 30, 1, 2);
  on_its_way = reserve_at (book, 20, 6, 0);
  end_at (reserve_at (book, 5, 6, 7), 5, 7);
  /* the store does not take it */
  written = reeve_budget_book_begin_heir (book, own, 7, 1);
  g_assert_nonnull (written);
  g_assert_null (reeve_budget_book_show (book, "org", 1));
  g_assert_null (reeve_budget_book_copy (book, "org", 1));
  reeve_budget_book_end_heir (book, "org", FALSE);
  g_clear_pointer (&written, reeve_budget_unref);
  reeve_reservation_release (reeve_budget_book_reserve (book, &who, &more, NULL));
  /* it does */
  written = reeve_budget_book_begin_heir (book, own, 7, 1);
  g_assert_cmpint (written->from_seq, ==, 7);
  g_assert_cmpint (written->tokens_used, ==, 0);
  meanwhile = reserve_at (book, 15, 7, 0);
  g_assert_null (reeve_budget_book_reserve (book, &who, &more, NULL));
  reeve_budget_book_end_heir (book, "org", TRUE);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_reserved", 1), ==, 35);
  reeve_budget_unref (reeve_budget_book_begin_heir (book, other, 7, 1));
  reeve_budget_book_end_heir (book, "agents/b", TRUE);
  g_assert_cmpint (budget_book_fixture_look (book, "agents/b", "tokens_reserved", 1), ==, 0);
  end_at (numbered, 30, 2);
  end_at (on_its_way, 12, 8);
  end_at (meanwhile, 10, 9);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", 1), ==, 22);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_reserved", 1), ==, 0);
  g_assert_cmpint (budget_book_fixture_look (book, "agents/a", "tokens_used", 1), ==, 57);
  /* killed before anything else was saved; 7 was in the counters by then */
  reeve_budget_book_take (again, written);
  g_assert_null (reeve_budget_book_recall (again, &who, 1, 30, 0, NULL, 2));
  end_at (reeve_budget_book_recall (again, &who, 1, 20, 0, NULL, 8), 12, 8);
  end_at (reeve_budget_book_recall (again, &who, 1, 15, 0, NULL, 9), 10, 9);
  g_assert_cmpint (budget_book_fixture_look (again, "org", "tokens_used", 1), ==, 22);
}

typedef struct
{
  ReeveBudgetBook *book;
  gint records; /* atomic: of the log */
  gint spent;   /* atomic */
  gint running; /* atomic: threads */
} Heirs;

static gpointer
spend (gpointer data)
{
  Heirs *heirs = data;

  for (guint i = 0; i < 500; i++)
    {
      ReeveReservation *made
          = reserve_at (heirs->book, 10, (guint64) g_atomic_int_get (&heirs->records), 0);

      g_thread_yield ();
      end_at (made, 10, (guint64) g_atomic_int_add (&heirs->records, 1) + 1);
      g_atomic_int_add (&heirs->spent, 10);
    }
  g_atomic_int_add (&heirs->running, -1);
  return NULL;
}

static void
test_heirs_at_once (void)
{
  g_autoptr (ReeveBudgetBook) book = reeve_budget_book_new ("t");
  GThread *threads[4];
  Heirs heirs = { .book = book, .running = G_N_ELEMENTS (threads) };

  budget_book_fixture_set (book, "org", "{\"token_limit\":1000000}", 1);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("spend", spend, &heirs);
  for (guint i = 0; i == 0 || g_atomic_int_get (&heirs.running) > 0; i++)
    {
      g_autofree char *id = g_strdup_printf ("own-%u", i);
      g_autoptr (ReeveBudget) next = draft (id);
      g_autoptr (ReeveBudget) written = NULL;

      g_assert_true (reeve_budget_book_begin_change (book, 30 * G_USEC_PER_SEC));
      written = reeve_budget_book_begin_heir (book, next,
                                              (guint64) g_atomic_int_get (&heirs.records), 1);
      g_thread_yield ();
      reeve_budget_book_end_heir (book, "org", i % 3 != 2);
      reeve_budget_book_end_change (book);
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_used", 1), ==, heirs.spent);
  g_assert_cmpint (budget_book_fixture_look (book, "org", "tokens_reserved", 1), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/budget-book/unrecorded", test_unrecorded);
  g_test_add_func ("/budget-book/heir", test_heir);
  g_test_add_func ("/budget-book/fresh", test_fresh);
  g_test_add_func ("/budget-book/heirs-at-once", test_heirs_at_once);
  return g_test_run ();
}
