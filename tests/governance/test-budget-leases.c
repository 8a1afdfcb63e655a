/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layers: allow file-size: one kind of host for all that tenants are given */
/* The platform's budget, handed out in slices, over a real store and ledger: what is given is never
 * more than the limit, what is not used comes back, and a host that another one was started after
 * gives nothing. */
#include "governance/budget-leases-private.h"

#include "base/times.h"
#include "governance/budgets.h"

#include "directory-fixture.h"

#define DAY     G_TIME_SPAN_DAY
#define TENANTS 4

/* One host's part of it: its books and what hands out. */
typedef struct
{
  ReeveBudgetLeases *leases;
  GPtrArray *books;
} Host;

static GPtrArray *
list_books (gpointer user_data)
{
  Host *host = user_data;
  GPtrArray *books = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_budget_book_unref);

  for (guint i = 0; i < host->books->len; i++)
    g_ptr_array_add (books, reeve_budget_book_ref (host->books->pdata[i]));
  return books;
}

static ReeveBudgetBook *
add_book (Host *host, const char *tenant_id)
{
  ReeveBudgetBook *book = reeve_budget_book_new (tenant_id);

  reeve_budget_book_take (book, reeve_budget_leases_new_budget (host->leases));
  g_ptr_array_add (host->books, book);
  return book;
}

/* With as many tenants as are asked for: t0, t1 … */
static void
make_host (DirectoryFixture *fixture, Host *host, const char *limits, guint tenants)
{
  g_autoptr (JsonObject) object = directory_fixture_parse (limits);
  g_autoptr (GError) error = NULL;

  host->books = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_budget_book_unref);
  host->leases = reeve_budget_leases_new (fixture->store, fixture->ledger.ledger, object,
                                          list_books, host, &error);
  g_assert_no_error (error);
  g_assert_nonnull (host->leases);
  for (guint i = 0; i < tenants; i++)
    {
      g_autofree char *tenant_id = g_strdup_printf ("t%u", i);

      add_book (host, tenant_id);
    }
}

static void
start_host (Host *host)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_budget_leases_start (host->leases, &error));
  g_assert_no_error (error);
}

static void
end_host (Host *host)
{
  reeve_budget_leases_free (host->leases);
  g_ptr_array_unref (host->books);
}

static void
on_refilled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(int *) user_data = reeve_budget_leases_refill_finish (result) ? 1 : 0;
}

/* Was there so much? */
static gboolean
refill_at (Host *host, ReeveBudgetBook *book, gint64 tokens, gint64 now)
{
  int full = -1;

  reeve_budget_leases_refill_async (host->leases, book, tokens, 0, now, on_refilled, &full);
  while (full < 0)
    g_main_context_iteration (NULL, TRUE);
  return full == 1;
}

static gboolean
refill (Host *host, ReeveBudgetBook *book, gint64 tokens)
{
  return refill_at (host, book, tokens, reeve_times_now ());
}

static ReeveReservation *
reserve (ReeveBudgetBook *book, gint64 tokens, gint64 now, GError **error)
{
  const ReeveBudgetWho who = { .agent_id = "a" };
  const ReeveBudgetAsk ask = { .input = 1, .output = tokens - 1, .now = now };

  return reeve_budget_book_reserve (book, &who, &ask, error);
}

static void
settle (ReeveReservation *reservation, gint64 tokens)
{
  ReeveBudgetNotice notices[REEVE_RESERVATION_SCOPES];

  reeve_reservation_number (reservation, 1);
  /* a slice that is used up is no news */
  g_assert_cmpuint (reeve_reservation_settle (reservation, tokens, 0, NULL, 1, notices), ==, 0);
  reeve_reservation_finish (reservation, TRUE);
}

/* Asks for a slice where there is too little, as the gate does. */
static gboolean
spend (Host *host, ReeveBudgetBook *book, gint64 tokens)
{
  g_autoptr (GError) error = NULL;
  ReeveReservation *made = reserve (book, tokens, reeve_times_now (), &error);

  /* another one may have taken it back meanwhile */
  for (guint i = 0; made == NULL && i < REEVE_BUDGETS_REFILLS; i++)
    {
      g_assert_error (error, REEVE_BUDGET_SHORT, 0);
      g_clear_error (&error);
      if (!refill (host, book, tokens))
        return FALSE;
      made = reserve (book, tokens, reeve_times_now (), &error);
    }
  g_assert_nonnull (made);
  settle (made, tokens);
  return TRUE;
}

static gint64
shown (Host *host, const char *member)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) platform = reeve_budget_leases_show (host->leases, &error);

  g_assert_no_error (error);
  return json_object_get_int_member (platform, member);
}

/* What a tenant was given; -1: it has no row. */
static gint64
given (Host *host, const char *tenant_id)
{
  g_autoptr (JsonObject) platform = reeve_budget_leases_show (host->leases, NULL);
  JsonArray *leases = json_object_get_array_member (platform, "leases");

  for (guint i = 0; i < json_array_get_length (leases); i++)
    {
      JsonObject *lease = json_array_get_object_element (leases, i);

      if (g_str_equal (json_object_get_string_member (lease, "tenant_id"), tenant_id))
        return json_object_get_int_member (lease, "tokens_given");
    }
  return -1;
}

static gint64
used (ReeveBudgetBook *book)
{
  ReeveBudgetSlice slice = { 0 };

  g_assert_true (reeve_budget_book_get_slice (book, reeve_times_now (), &slice));
  return slice.tokens_taken;
}

/* ---- giving and taking back ---- */

static void
test_together (DirectoryFixture *fixture, gconstpointer data)
{
  Host host = { 0 };
  gint64 spent = 0;
  guint refused = 0;

  make_host (fixture, &host, "{\"token_limit\":1000}", TENANTS);
  start_host (&host);
  for (guint i = 0; i < 200 && refused < TENANTS; i++)
    {
      gboolean good = spend (&host, host.books->pdata[i % TENANTS], 10);

      spent += good ? 10 : 0;
      refused = good ? 0 : refused + 1;
      g_assert_cmpint (spent, <=, shown (&host, "tokens_used"));
      g_assert_cmpint (shown (&host, "tokens_used"), <=, 1000);
    }
  /* nothing is left lying about where somebody wants it */
  g_assert_cmpint (spent, ==, 1000);
  reeve_budget_leases_stop (host.leases);
  g_assert_cmpint (shown (&host, "tokens_used"), ==, 1000);
  for (guint i = 0; i < TENANTS; i++)
    {
      g_autofree char *tenant_id = g_strdup_printf ("t%u", i);

      g_assert_cmpint (given (&host, tenant_id), ==, used (host.books->pdata[i]));
    }
  end_host (&host);
}

static void
test_a_stop_gives_back (DirectoryFixture *fixture, gconstpointer data)
{
  Host host = { 0 };
  g_autoptr (GError) error = NULL;

  make_host (fixture, &host, "{\"token_limit\":100000}", 1);
  start_host (&host);
  g_assert_true (spend (&host, host.books->pdata[0], 100));
  g_assert_cmpint (given (&host, "t0"), >, 100);
  reeve_budget_leases_stop (host.leases);
  g_assert_cmpint (given (&host, "t0"), ==, 100);
  g_assert_cmpint (shown (&host, "tokens_used"), ==, 100);
  /* nobody gives any more, and nobody is kept waiting */
  g_assert_null (reserve (host.books->pdata[0], 100, reeve_times_now (), &error));
  g_assert_error (error, REEVE_BUDGET_SHORT, 0);
  g_assert_false (refill (&host, host.books->pdata[0], 100));
  end_host (&host);
}

/* What was given by a host that died, and is not in the log, comes back. */
static void
test_a_start_gives_back (DirectoryFixture *fixture, gconstpointer data)
{
  Host first = { 0 };
  Host second = { 0 };

  make_host (fixture, &first, "{\"token_limit\":1000}", 2);
  start_host (&first);
  g_assert_true (spend (&first, first.books->pdata[0], 100));
  g_assert_true (spend (&first, first.books->pdata[1], 50));
  g_assert_cmpint (shown (&first, "tokens_used"), >, 150);
  make_host (fixture, &second, "{\"token_limit\":1000}", 2);
  /* as its log says */
  settle (reeve_budget_book_recall (second.books->pdata[0], &(ReeveBudgetWho){ .agent_id = "a" },
                                    reeve_times_now (), 100, 0, NULL, 1),
          100);
  settle (reeve_budget_book_recall (second.books->pdata[1], &(ReeveBudgetWho){ .agent_id = "a" },
                                    reeve_times_now (), 50, 0, NULL, 1),
          50);
  start_host (&second);
  g_assert_cmpint (given (&second, "t0"), ==, 100);
  g_assert_cmpint (given (&second, "t1"), ==, 50);
  g_assert_cmpint (shown (&second, "tokens_used"), ==, 150);
  end_host (&second);
  end_host (&first);
}

/* Polls what another thread brings about. */
static void
wait_given (Host *host, const char *tenant_id, gint64 tokens)
{
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  while (given (host, tenant_id) != tokens)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
    }
}

/* Also while somebody else wants something all the time. */
static void
test_idle_slices_come_back (DirectoryFixture *fixture, gconstpointer data)
{
  Host host = { 0 };
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  make_host (fixture, &host, "{\"token_limit\":1000000000}", 2);
  host.leases->idle = 20 * G_TIME_SPAN_MILLISECOND;
  host.leases->sweep = 10 * G_TIME_SPAN_MILLISECOND;
  start_host (&host);
  g_assert_true (spend (&host, host.books->pdata[0], 100));
  wait_given (&host, "t0", 100);
  g_assert_true (spend (&host, host.books->pdata[0], 100));
  while (given (&host, "t0") != 200)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      refill (&host, host.books->pdata[1], 10);
    }
  end_host (&host);
}

/* A clock that stands elsewhere begins no period while nobody calls, neither with a timer nor with
 * a start: what is given back is of the period of the calls. */
static void
test_no_timer_begins_a_period (DirectoryFixture *fixture, gconstpointer data)
{
  const gint64 then = reeve_times_now () - 25 * DAY;
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  ReeveBudgetSlice after = { 0 };
  ReeveReservation *made = NULL;
  Host host = { 0 };

  make_host (fixture, &host, "{\"token_limit\":1000,\"reset_period_days\":10}", 1);
  host.leases->idle = host.leases->sweep = 10 * G_TIME_SPAN_MILLISECOND;
  start_host (&host);
  /* the timer takes it back between the two, now and then */
  while (made == NULL)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_assert_true (refill_at (&host, host.books->pdata[0], 100, then));
      made = reserve (host.books->pdata[0], 40, then, NULL);
    }
  settle (made, 40);
  do
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
      g_assert_true (reeve_budget_book_get_slice (host.books->pdata[0], then, &after));
    }
  while (after.tokens != 40);
  g_assert_cmpint (after.period, ==, then / (10 * DAY));
  g_assert_cmpint (after.tokens_spent, ==, 40);
  reeve_budget_leases_stop (host.leases);
  start_host (&host);
  g_assert_true (reeve_budget_book_get_slice (host.books->pdata[0], then, &after));
  g_assert_cmpint (after.period, ==, then / (10 * DAY));
  end_host (&host);
}

/* What is spent is there again with the next period; what others have under way, sooner. */
static void
test_when_to_ask_again (DirectoryFixture *fixture, gconstpointer data)
{
  const gint64 now = reeve_times_now ();
  const gint64 period = now / (10 * DAY);
  const guint ends
      = (guint) (((period + 1) * 10 * DAY - now + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
  const ReeveBudgetWho who = { .agent_id = "a" };
  const ReeveBudgetAsk ask = { .input = 1, .output = 16, .now = now, .last = TRUE };
  const ReeveBudgetAsk much = { .input = 5000, .output = 16, .now = now, .last = TRUE };
  g_autoptr (GError) spent = NULL;
  g_autoptr (GError) reserved = NULL;
  g_autoptr (GError) never = NULL;
  gint64 patience = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  ReeveReservation *open = NULL;
  Host host = { 0 };

  make_host (fixture, &host, "{\"token_limit\":1000,\"reset_period_days\":10}", 2);
  start_host (&host);
  g_assert_true (refill_at (&host, host.books->pdata[1], 900, now));
  settle (reserve (host.books->pdata[1], 900, now, NULL), 900);
  g_assert_true (refill_at (&host, host.books->pdata[1], 100, now));
  open = reserve (host.books->pdata[1], 100, now, NULL);
  g_assert_nonnull (open);
  g_assert_false (refill_at (&host, host.books->pdata[0], 17, now));
  g_assert_null (reeve_budget_book_reserve (host.books->pdata[0], &who, &ask, &reserved));
  g_assert_cmpuint (reeve_error_get_wait (reserved), ==, 1);
  settle (open, 100);
  /* it takes a moment until others are looked through again */
  do
    {
      g_clear_error (&spent);
      g_assert_cmpint (g_get_monotonic_time (), <, patience);
      g_assert_false (refill_at (&host, host.books->pdata[0], 17, now));
      g_assert_null (reeve_budget_book_reserve (host.books->pdata[0], &who, &ask, &spent));
    }
  while (reeve_error_get_wait (spent) == 1 && ends != 1);
  g_assert_cmpuint (reeve_error_get_wait (spent), ==, ends);
  g_assert_null (reeve_budget_book_reserve (host.books->pdata[0], &who, &much, &never));
  g_assert_cmpuint (reeve_error_get_wait (never), ==, REEVE_ERROR_WAIT_NEVER);
  end_host (&host);
}

/* ---- tenants that go ---- */

static void
test_a_tenant_goes (DirectoryFixture *fixture, gconstpointer data)
{
  Host host = { 0 };
  ReeveBudgetBook *next = NULL;

  make_host (fixture, &host, "{\"token_limit\":1000}", 1);
  start_host (&host);
  g_assert_true (spend (&host, host.books->pdata[0], 600));
  reeve_budget_leases_let_go (host.leases, host.books->pdata[0]);
  wait_given (&host, "t0", -1);
  g_assert_cmpint (shown (&host, "tokens_used"), ==, 600);
  /* another tenant of that name has spent nothing, and is given no more than is left */
  g_ptr_array_set_size (host.books, 0);
  next = add_book (&host, "t0");
  g_assert_false (spend (&host, next, 500));
  g_assert_true (spend (&host, next, 400));
  g_assert_cmpint (shown (&host, "tokens_used"), ==, 1000);
  end_host (&host);
}

/* The host died before it saw to it. */
static void
test_a_tenant_is_gone_at_the_start (DirectoryFixture *fixture, gconstpointer data)
{
  Host first = { 0 };
  Host second = { 0 };
  gint64 counted = 0;

  make_host (fixture, &first, "{\"token_limit\":1000}", 1);
  start_host (&first);
  g_assert_true (spend (&first, first.books->pdata[0], 300));
  counted = shown (&first, "tokens_used");
  make_host (fixture, &second, "{\"token_limit\":1000}", 0);
  start_host (&second);
  g_assert_cmpint (given (&second, "t0"), ==, -1);
  g_assert_cmpint (shown (&second, "tokens_used"), ==, counted);
  end_host (&second);
  end_host (&first);
}

/* ---- two hosts ---- */

/* The older one gives nothing and takes nothing, of a row that the newer one has written or not. */
static void
test_a_later_host_fences (DirectoryFixture *fixture, gconstpointer data)
{
  Host old = { 0 };
  Host new = { 0 };
  g_autoptr (GError) error = NULL;

  make_host (fixture, &old, "{\"token_limit\":1000}", 3);
  start_host (&old);
  g_assert_true (refill (&old, old.books->pdata[0], 10));
  make_host (fixture, &new, "{\"token_limit\":1000}", 3);
  start_host (&new);
  g_assert_cmpint (given (&new, "t0"), ==, 0);
  g_assert_true (spend (&new, new.books->pdata[0], 10));
  g_assert_false (refill (&old, old.books->pdata[1], 10));
  g_assert_null (reeve_budget_leases_show (old.leases, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_cmpint (given (&new, "t1"), ==, -1);
  g_assert_true (refill (&new, new.books->pdata[1], 10));
  end_host (&new);
  end_host (&old);
}

/* Between the reading of a row and its writing: the batch itself is what refuses. */
static void
test_the_batch_fences (DirectoryFixture *fixture, gconstpointer data)
{
  ReeveBudgetLeasesTable table = {
    .store = fixture->store, .host = (char *) "h", .days = 30, .token_limit = 100, .cost_limit = -1
  };
  ReeveBudgetLeasesTable later = table;
  const ReeveBudgetSlice slice = { 0 };
  ReeveBudgetLeasesRow row = { 0 };
  ReeveBudgetLeasesRow same = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_budget_leases_row_begin (&table, &error));
  g_assert_true (reeve_budget_leases_row_read (&table, "t", 0, &row, &error));
  g_assert_true (reeve_budget_leases_row_read (&table, "t", 0, &same, &error));
  g_assert_true (reeve_budget_leases_row_write (&table, &row, &slice, 60, 0, &error));
  g_assert_cmpint (row.tokens_total, ==, 60);
  /* somebody else was faster; more than there is; another host */
  g_assert_false (reeve_budget_leases_row_write (&table, &same, &slice, 10, 0, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
  g_clear_error (&error);
  g_assert_true (reeve_budget_leases_row_read (&table, "u", 0, &row, &error));
  g_assert_false (reeve_budget_leases_row_write (&table, &row, &slice, 41, 0, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE);
  g_clear_error (&error);
  g_assert_true (reeve_budget_leases_row_begin (&later, &error));
  g_assert_false (reeve_budget_leases_row_write (&table, &row, &slice, 10, 0, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE);
  g_clear_error (&error);
  g_assert_false (reeve_budget_leases_row_end (&table, "t", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE);
  g_clear_error (&error);
  g_assert_true (reeve_budget_leases_row_read (&later, "u", 0, &row, &error));
  g_assert_true (reeve_budget_leases_row_write (&later, &row, &slice, 40, 0, &error));
  g_assert_cmpint (row.tokens_total, ==, 100);
}

/* ---- periods and alerts ---- */

/* A slice is of its period: what was given in the last one is not spent in the next, and the other
 * way round. */
static void
test_periods (DirectoryFixture *fixture, gconstpointer data)
{
  Host host = { 0 };
  ReeveBudgetBook *book = NULL;
  ReeveReservation *late = NULL;
  ReeveBudgetSlice slice = { 0 };
  g_autoptr (GError) error = NULL;
  gint64 now = reeve_times_now ();

  make_host (fixture, &host, "{\"token_limit\":1000,\"reset_period_days\":10}", 1);
  start_host (&host);
  book = host.books->pdata[0];
  g_assert_true (refill (&host, book, 200));
  late = reserve (book, 50, now, NULL);
  g_assert_nonnull (late);
  /* nothing of it is left, and what is on its way is of the old one */
  g_assert_null (reserve (book, 20, now + 10 * DAY, &error));
  g_assert_error (error, REEVE_BUDGET_SHORT, 0);
  settle (late, 50);
  g_assert_true (reeve_budget_book_get_slice (book, now + 10 * DAY, &slice));
  g_assert_cmpint (slice.tokens, ==, 0);
  g_assert_cmpint (slice.tokens_taken, ==, 0);
  /* the next one has its own counter, whatever the clock says now */
  g_assert_true (refill (&host, book, 900));
  g_assert_true (reeve_budget_book_get_slice (book, now, &slice));
  g_assert_cmpint (slice.tokens, >=, 900);
  g_assert_cmpint (slice.tokens, <=, 1000);
  /* nor does the clock say which one is shown */
  g_assert_cmpint (shown (&host, "period"), ==, slice.period);
  g_assert_cmpint (shown (&host, "tokens_used"), ==, slice.tokens);
  g_assert_cmpint (given (&host, reeve_budget_book_get_tenant_id (book)), ==, slice.tokens);
  end_host (&host);
}

static guint
count_events (DirectoryFixture *fixture, const char *action)
{
  ReeveLedgerFilter filter = { .action = action, .limit = 100 };
  g_autoptr (GPtrArray) found = reeve_ledger_list (fixture->ledger.ledger, REEVE_SCOPE_PLATFORM,
                                                   &filter, &filter.before, NULL);

  return found != NULL ? found->len : 0;
}

static void
wait_events (DirectoryFixture *fixture, const char *action, guint number)
{
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  while (count_events (fixture, action) != number)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
    }
}

/* Once each, when so much was given. */
static void
test_alerts (DirectoryFixture *fixture, gconstpointer data)
{
  Host host = { 0 };
  Host next = { 0 };

  make_host (fixture, &host, "{\"token_limit\":1000,\"alert_at\":0.5}", 2);
  start_host (&host);
  g_assert_true (spend (&host, host.books->pdata[0], 100));
  g_assert_cmpuint (count_events (fixture, REEVE_BUDGETS_ACTION_ALERT), ==, 0);
  for (guint i = 0; i < 9; i++)
    g_assert_true (spend (&host, host.books->pdata[i % 2], 100));
  g_assert_false (spend (&host, host.books->pdata[0], 100));
  wait_events (fixture, REEVE_BUDGETS_ACTION_ALERT, 1);
  wait_events (fixture, REEVE_BUDGETS_ACTION_EXHAUSTED, 1);
  end_host (&host);
  /* a start says nothing again */
  make_host (fixture, &next, "{\"token_limit\":1000,\"alert_at\":0.5}", 2);
  settle (reeve_budget_book_recall (next.books->pdata[0], &(ReeveBudgetWho){ .agent_id = "a" },
                                    reeve_times_now (), 600, 0, NULL, 1),
          600);
  start_host (&next);
  end_host (&next);
  g_assert_cmpuint (count_events (fixture, REEVE_BUDGETS_ACTION_ALERT), ==, 1);
}

/* ---- threads ---- */

typedef struct
{
  Host *host;
  ReeveBudgetBook *book;
  gint64 spent;
} Spender;

static gpointer
spend_much (gpointer data)
{
  Spender *spender = data;
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  for (guint i = 0; i < 300; i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 now = reeve_times_now ();
      ReeveReservation *made = reserve (spender->book, 20, now, &error);

      if (made == NULL)
        {
          int full = -1;

          reeve_budget_leases_refill_async (spender->host->leases, spender->book, 20, 0,
                                            reeve_times_now (), on_refilled, &full);
          while (full < 0)
            g_main_context_iteration (context, TRUE);
          made = reserve (spender->book, 20, now, NULL);
        }
      if (made == NULL)
        continue;
      reeve_budget_leases_note (spender->host->leases, spender->book, 20, 0, reeve_times_now ());
      settle (made, 15);
      spender->spent += 15;
    }
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* Tenants at once, refilled ahead: together they never spend more than the limit. */
static void
test_at_once (DirectoryFixture *fixture, gconstpointer data)
{
  Host host = { 0 };
  Spender spenders[TENANTS];
  GThread *threads[TENANTS];
  gint64 spent = 0;

  make_host (fixture, &host, "{\"token_limit\":5000,\"alert_at\":0}", TENANTS);
  start_host (&host);
  for (guint i = 0; i < TENANTS; i++)
    {
      spenders[i] = (Spender){ &host, host.books->pdata[i], 0 };
      threads[i] = g_thread_new ("spender", spend_much, &spenders[i]);
    }
  for (guint i = 0; i < TENANTS; i++)
    {
      g_thread_join (threads[i]);
      spent += spenders[i].spent;
    }
  reeve_budget_leases_stop (host.leases);
  g_assert_cmpint (spent, <=, 5000);
  g_assert_cmpint (spent, >, 4000);
  g_assert_cmpint (shown (&host, "tokens_used"), ==, spent);
  end_host (&host);
}

static const struct
{
  const char *path;
  void (*test) (DirectoryFixture *fixture, gconstpointer data);
} tests[] = {
  { "/budget-leases/together", test_together },
  { "/budget-leases/stop-gives-back", test_a_stop_gives_back },
  { "/budget-leases/start-gives-back", test_a_start_gives_back },
  { "/budget-leases/idle", test_idle_slices_come_back },
  { "/budget-leases/no-timer", test_no_timer_begins_a_period },
  { "/budget-leases/ask-again", test_when_to_ask_again },
  { "/budget-leases/tenant-goes", test_a_tenant_goes },
  { "/budget-leases/tenant-is-gone", test_a_tenant_is_gone_at_the_start },
  { "/budget-leases/later-host", test_a_later_host_fences },
  { "/budget-leases/batch", test_the_batch_fences },
  { "/budget-leases/periods", test_periods },
  { "/budget-leases/alerts", test_alerts },
  { "/budget-leases/at-once", test_at_once },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* what is told of alerts and of other hosts is a warning of another thread */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, DirectoryFixture, NULL, directory_fixture_set_up, tests[i].test,
                directory_fixture_tear_down);
  return g_test_run ();
}
