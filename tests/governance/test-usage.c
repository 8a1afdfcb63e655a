/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums of usage: tables and their bytes, the calendar, hours that become days and months, and a log
 * that is followed once through any stop. */
#include <string.h>

#include "directory-fixture.h"

#include "governance/budgets.h"
#include "governance/ledger-private.h"
#include "governance/usage-private.h"

#define TENANT REEVE_TENANTS_DEFAULT
#define HOUR   G_TIME_SPAN_HOUR
#define DAY    G_TIME_SPAN_DAY
/* 2026-01-31T22:00:00Z: a month is soon over */
#define BEGIN (G_GINT64_CONSTANT (1769896800) * G_USEC_PER_SEC)

/* ---- tables ---- */

static void
add (ReeveUsageTable *table, const char *value, const char *model, gint64 tokens)
{
  ReeveUsageRow row = { .value = value, .model = model, .currency = "USD" };

  row.n[REEVE_USAGE_RECORDS] = 1;
  row.n[REEVE_USAGE_INPUT] = tokens;
  row.n[REEVE_USAGE_FIRST] = row.n[REEVE_USAGE_LAST] = tokens;
  reeve_usage_table_add (table, &row);
}

static void
test_usage_table (void)
{
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  g_autoptr (ReeveUsageTable) again = reeve_usage_table_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  const ReeveUsageRow *row = NULL;

  add (table, "a", "m", 5);
  add (table, "a", "m", 3);
  add (table, "a", "n", G_MAXINT64);
  add (table, "a", "n", 1);
  add (table, "", "", 0);
  bytes = reeve_usage_table_write (table);
  g_assert_true (reeve_usage_table_read (again, bytes, NULL, &error));
  g_assert_true (reeve_usage_table_read (again, bytes, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (reeve_usage_table_get_size (again), ==, 3);
  row = reeve_usage_table_find (again, "a", "m", "USD");
  g_assert_cmpint (row->n[REEVE_USAGE_INPUT], ==, 16);
  g_assert_cmpint (row->n[REEVE_USAGE_RECORDS], ==, 4);
  g_assert_cmpint (row->n[REEVE_USAGE_FIRST], ==, 3);
  g_assert_cmpint (row->n[REEVE_USAGE_LAST], ==, 5);
  g_assert_cmpint (reeve_usage_table_find (again, "a", "n", "USD")->n[REEVE_USAGE_INPUT], ==,
                   G_MAXINT64);
  g_assert_null (reeve_usage_table_find (again, "a", "m", "EUR"));
}

static void
test_usage_table_damaged (void)
{
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  g_autoptr (GBytes) bytes = NULL;

  add (table, "agt_01", "local/m", 5);
  add (table, "agt_02", "local/m", 500000);
  bytes = reeve_usage_table_write (table);
  for (gsize length = 0; length < g_bytes_get_size (bytes); length++)
    {
      g_autoptr (ReeveUsageTable) read = reeve_usage_table_new ();
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, 0, length);
      g_autoptr (GError) error = NULL;

      g_assert_false (reeve_usage_table_read (read, part, NULL, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
    }
}

static void
test_usage_table_full (void)
{
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  const ReeveUsageRow *other = NULL;

  for (guint i = 0; i < REEVE_USAGE_TABLE_ROWS + 100; i++)
    {
      g_autofree char *value = g_strdup_printf ("usr_%u", i);

      add (table, value, "m", 2);
    }
  g_assert_cmpuint (reeve_usage_table_get_size (table), ==, REEVE_USAGE_TABLE_ROWS + 1);
  other = reeve_usage_table_find (table, REEVE_USAGE_TABLE_OTHER, REEVE_USAGE_TABLE_OTHER, "USD");
  g_assert_cmpint (other->n[REEVE_USAGE_INPUT], ==, 200);
}

/* ---- the calendar ---- */

static void
test_usage_span (void)
{
  g_autoptr (GDateTime) at = g_date_time_new_utc (1970, 1, 1, 0, 0, 0);

  while (g_date_time_get_year (at) < 2110)
    {
      gint64 time = g_date_time_to_unix (at) * G_USEC_PER_SEC;
      gint64 month = g_date_time_get_year (at) * 12 + g_date_time_get_month (at) - 1;
      GDateTime *next = g_date_time_add_months (at, 1);

      g_assert_cmpint (reeve_usage_span_of (REEVE_USAGE_MONTH, time), ==, month);
      g_assert_cmpint (reeve_usage_span_begin (REEVE_USAGE_MONTH, month), ==, time);
      if (time > 0)
        g_assert_cmpint (reeve_usage_span_of (REEVE_USAGE_MONTH, time - 1), ==, month - 1);
      g_date_time_unref (at);
      at = next;
    }
  g_assert_cmpint (reeve_usage_span_of (REEVE_USAGE_HOUR, 2 * HOUR - 1), ==, 1);
  g_assert_cmpint (reeve_usage_span_begin (REEVE_USAGE_DAY, 3), ==, 3 * DAY);
}

/* Sums of before a counter was added: those behind it keep their meaning. */
static void
test_usage_table_before (void)
{
  /* no word but two, one row: a, its model m and USD; records, input, output, unpriced, failed,
   * first, last */
  static const guint8 head[] = { 2, 2, 1, 'm', 3, 'U', 'S', 'D', 1, 0, 1, 'a', 0, 1 };
  static const guint8 counters[] = { 3, 5, 6, 1, 9, 20, 4 };
  const guint32 mask = 1u << REEVE_USAGE_RECORDS | 1u << REEVE_USAGE_INPUT
                       | 1u << REEVE_USAGE_OUTPUT | 1u << REEVE_USAGE_UNPRICED
                       | 1u << (REEVE_USAGE_FAILED - 2) | 1u << (REEVE_USAGE_FIRST - 2)
                       | 1u << (REEVE_USAGE_LAST - 2);
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  g_autoptr (GByteArray) text = g_byte_array_new ();
  g_autoptr (GBytes) all = NULL;
  g_autoptr (GError) error = NULL;
  const ReeveUsageRow *row = NULL;
  guint8 seven[4];
  gsize n = 0;

  for (guint32 left = mask; left != 0; left >>= 7)
    seven[n++] = (guint8) ((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  g_byte_array_append (text, head, sizeof head);
  g_byte_array_append (text, seven, (guint) n);
  g_byte_array_append (text, counters, sizeof counters);
  all = g_bytes_new (text->data, text->len);
  g_assert_true (reeve_usage_table_read (table, all, NULL, &error));
  g_assert_no_error (error);
  row = reeve_usage_table_find (table, "a", "m", "USD");
  g_assert_cmpint (row->n[REEVE_USAGE_RECORDS], ==, 3);
  g_assert_cmpint (row->n[REEVE_USAGE_UNPRICED], ==, 1);
  g_assert_cmpint (row->n[REEVE_USAGE_UNPRICED_TOKENS], ==, 11);
  g_assert_cmpint (row->n[REEVE_USAGE_RAG_QUERIES], ==, 0);
  g_assert_cmpint (row->n[REEVE_USAGE_FAILED], ==, 9);
  g_assert_cmpint (row->n[REEVE_USAGE_FIRST], ==, 20);
  g_assert_cmpint (row->n[REEVE_USAGE_LAST], ==, 24);
}

/* ---- with a store ---- */

/* The same of the tables that do not tell models apart. */
static gint64
flat_of (ReeveUsage *usage, ReeveUsageAsk ask)
{
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  ReeveUsageSpread spread = { 0 };

  ask.flat = TRUE;
  g_assert_true (reeve_usage_sum (usage, TENANT, &ask, table, &spread, NULL));
  return reeve_usage_table_find (table, "agt_1", "", "")->n[REEVE_USAGE_INPUT];
}

static gint64
sum_of (DirectoryFixture *fixture, ReeveUsage *usage, gint64 begin, gint64 end)
{
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  const ReeveUsageAsk ask
      = { .begin = begin, .end = end, .filter = REEVE_USAGE_BY_AGENT, .value = "agt_1" };
  ReeveUsageSpread spread = { 0 };
  g_autoptr (GError) error = NULL;
  const ReeveUsageRow *row = NULL;

  reeve_usage_sum (usage, TENANT, &ask, table, &spread, &error);
  g_assert_no_error (error);
  g_assert_true (spread.complete);
  row = reeve_usage_table_find (table, "agt_1", "p/m", "");
  if (row != NULL)
    g_assert_cmpint (row->n[REEVE_USAGE_INPUT], ==, flat_of (usage, ask));
  return row != NULL ? row->n[REEVE_USAGE_INPUT] : 0;
}

/* One model call of @tokens, at a time. */
static void
call_model (DirectoryFixture *fixture, gint64 time, gint64 tokens, guint64 *intent)
{
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_INTENT,
                               .scope = TENANT,
                               .time = time,
                               .action = "model.call",
                               .agent_id = "agt_1",
                               .model = "p/m" };
  g_autoptr (GError) error = NULL;

  if (*intent == 0)
    *intent = reeve_ledger_append (fixture->ledger.ledger, &record, &error);
  g_assert_no_error (error);
  if (tokens == 0)
    return;
  record = (ReeveLedgerRecord){ .kind = REEVE_LEDGER_OUTCOME,
                                .scope = TENANT,
                                .time = time,
                                .action = "model.call",
                                .intent = *intent,
                                .outcome = REEVE_OUTCOME_SUCCEEDED,
                                .input_tokens = tokens };
  reeve_ledger_append (fixture->ledger.ledger, &record, &error);
  g_assert_no_error (error);
}

static void
test_usage_hours_days_months (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReevePrices) prices = reeve_prices_new (NULL, NULL);
  g_autoptr (ReeveUsage) usage = reeve_usage_new (fixture->store, fixture->ledger.ledger, prices);
  gint64 all = 0;

  /* every five hours for a hundred days, a question now and then, a clock set back and forth */
  for (guint i = 0; i < 480; i++)
    {
      gint64 back = i % 37 == 0 ? 40 * DAY : 0;
      guint64 intent = 0;

      call_model (fixture, BEGIN + i * 5 * HOUR - MIN (back, i * 5 * HOUR), i + 1, &intent);
      all += i + 1;
      if (i % 50 == 0)
        g_assert_cmpint (sum_of (fixture, usage, 0, 0), ==, all);
    }
  g_assert_cmpint (sum_of (fixture, usage, 0, 0), ==, all);
  /* any cut in two has both parts */
  for (guint i = 1; i < 100; i += 7)
    {
      gint64 cut = BEGIN + i * DAY + (i % 24) * HOUR;

      g_assert_cmpint (sum_of (fixture, usage, 1, cut) + sum_of (fixture, usage, cut, 0), ==, all);
    }
  g_assert_cmpint (sum_of (fixture, usage, BEGIN, BEGIN + HOUR), >=, 1);
  g_assert_cmpint (sum_of (fixture, usage, 1, BEGIN), ==, 0);
}

static void
test_usage_once (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReevePrices) prices = reeve_prices_new (NULL, NULL);
  gint64 all = 0;

  for (guint i = 0; i < 12; i++)
    {
      g_autoptr (ReeveUsage) usage
          = reeve_usage_new (fixture->store, fixture->ledger.ledger, prices);
      g_autoptr (ReeveUsage) other
          = reeve_usage_new (fixture->store, fixture->ledger.ledger, prices);
      g_autoptr (GError) error = NULL;
      guint64 intent = 0;
      gboolean complete = FALSE;

      /* the intent is read before a stop, its outcome behind it */
      call_model (fixture, BEGIN + i * HOUR, 0, &intent);
      g_assert_true (reeve_usage_catch_up (usage, TENANT, G_MAXUINT64, &complete, &error));
      g_assert_no_error (error);
      if (i % 2 == 0)
        g_assert_cmpint (sum_of (fixture, other, 0, 0), ==, all);
      call_model (fixture, BEGIN + i * HOUR, i + 1, &intent);
      all += i + 1;
      /* two of them: the second finds what the first has done */
      if (i % 3 != 0)
        g_assert_cmpint (sum_of (fixture, usage, 0, 0), ==, all);
      g_assert_cmpint (sum_of (fixture, other, 0, 0), ==, all);
      g_assert_cmpint (sum_of (fixture, usage, 0, 0), ==, all);
    }
}

/* Drops what is older than @horizon; returns the last that went. */
static guint64
drop_segments (DirectoryFixture *fixture, gint64 horizon)
{
  g_autoptr (GError) error = NULL;
  ReeveLedgerLog *log = reeve_ledger_need_log (fixture->ledger.ledger, TENANT, &error);
  guint64 last = 0;

  g_assert_no_error (error);
  reeve_ledger_log_plan_retire (log, horizon, G_MAXUINT64, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (last, >, 0);
  reeve_ledger_log_retire (log, last, 0, "audit.retention_days", horizon + 400 * DAY, &error);
  g_assert_no_error (error);
  return last;
}

static void
test_usage_dropped (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReevePrices) prices = reeve_prices_new (NULL, NULL);
  g_autoptr (ReeveUsage) usage = reeve_usage_new (fixture->store, fixture->ledger.ledger, prices);
  g_autoptr (ReeveUsage) later = reeve_usage_new (fixture->store, fixture->ledger.ledger, prices);
  const ReeveUsageAsk ask = { .filter = REEVE_USAGE_BY_AGENT, .value = "agt_1" };
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  g_autoptr (GError) error = NULL;
  ReeveUsageSpread spread = { 0 };
  /* behind the records of the fixture's own start */
  gint64 now = g_get_real_time ();
  gint64 expected = 5;
  guint64 intents[80] = { 0 };
  guint64 open = 0;
  guint64 summed = 0;
  guint64 last = 0;

  call_model (fixture, now, 5, &open);
  g_assert_cmpint (sum_of (fixture, usage, 0, 0), ==, 5);
  summed = reeve_ledger_get_size (fixture->ledger.ledger, TENANT);
  /* nobody sums up these, and the intent of one goes without its outcome */
  open = 0;
  call_model (fixture, now + 40 * DAY, 0, &open);
  for (guint i = 0; i < G_N_ELEMENTS (intents); i++)
    call_model (fixture, now + (i < G_N_ELEMENTS (intents) / 2 ? 40 : 350) * DAY, 100 + i,
                &intents[i]);
  call_model (fixture, now + 350 * DAY, 11, &open);
  last = drop_segments (fixture, now + 300 * DAY);
  g_assert_cmpuint (last, >, intents[0]);
  for (guint i = 0; i < G_N_ELEMENTS (intents); i++)
    expected += intents[i] > last ? 100 + i : 0;
  g_assert_true (reeve_usage_sum (later, TENANT, &ask, table, &spread, &error));
  g_assert_no_error (error);
  g_assert_true (spread.complete);
  g_assert_cmpuint (spread.skipped, ==, last - summed);
  /* what was summed up before stays; an outcome without its intent has no agent to count for */
  g_assert_cmpint (sum_of (fixture, later, 1, now + 400 * DAY), ==, expected);
}

/* What somebody has changed in the file is not summed up, be it a single digit. */
static void
test_usage_changed (DirectoryFixture *fixture, gconstpointer data)
{
  g_autofree char *path
      = g_build_filename (fixture->ledger.folder, TENANT, "00000000000000000001.log", NULL);
  g_autoptr (ReevePrices) prices = reeve_prices_new (NULL, NULL);
  g_autoptr (ReeveUsage) usage = NULL;
  const ReeveUsageAsk ask = { .filter = REEVE_USAGE_BY_AGENT, .value = "agt_1" };
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *said = NULL;
  ReeveUsageSpread spread = { 0 };
  guint64 intent = 0;
  gsize length = 0;
  char *digit = NULL;

  call_model (fixture, g_get_real_time (), 7654321, &intent);
  said = g_strdup_printf ("record %" G_GUINT64_FORMAT " of the ledger is damaged",
                          reeve_ledger_get_size (fixture->ledger.ledger, TENANT));
  directory_fixture_close (fixture);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  digit = memmem (text, length, "7654321", 7);
  g_assert_nonnull (digit);
  *digit = '1';
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  directory_fixture_open (fixture);
  usage = reeve_usage_new (fixture->store, fixture->ledger.ledger, prices);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (reeve_usage_sum (usage, TENANT, &ask, table, &spread, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
      g_assert_nonnull (strstr (error->message, said));
      g_clear_error (&error);
    }
}

typedef struct
{
  ReeveUsage *usage;
  gint failures; /* atomic */
} Asking;

static gpointer
ask_on (gpointer data)
{
  Asking *asking = data;

  for (guint i = 0; i < 20; i++)
    {
      gboolean complete = FALSE;

      if (!reeve_usage_catch_up (asking->usage, TENANT, 10, &complete, NULL))
        g_atomic_int_inc (&asking->failures);
    }
  return NULL;
}

static void
test_usage_many (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReevePrices) prices = reeve_prices_new (NULL, NULL);
  g_autoptr (ReeveUsage) usage = reeve_usage_new (fixture->store, fixture->ledger.ledger, prices);
  Asking asking = { .usage = usage };
  GThread *threads[4];

  reeve_usage_start (usage);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("ask", ask_on, &asking);
  for (guint i = 0; i < 40; i++)
    {
      guint64 intent = 0;

      call_model (fixture, BEGIN + i * HOUR, 1, &intent);
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (asking.failures, ==, 0);
  g_assert_cmpint (sum_of (fixture, usage, 0, 0), ==, 40);
  reeve_usage_stop (usage);
}

/* ---- reports ---- */

static ReeveBudgets *
open_budgets (DirectoryFixture *fixture)
{
  g_autoptr (JsonObject) org = directory_fixture_parse ("{\"token_limit\":1000}");
  ReeveBudgets *budgets = reeve_budgets_new (fixture->store, fixture->ledger.ledger);

  g_assert_true (reeve_budgets_configure (budgets, org, NULL, NULL));
  reeve_budgets_prepare (budgets, TENANT);
  return budgets;
}

static void
assert_used (ReeveBudgets *budgets, gint64 tokens)
{
  g_autoptr (JsonObject) shown = reeve_budgets_get (budgets, TENANT, "org", NULL);

  g_assert_cmpint (json_object_get_int_member (shown, "tokens_used"), ==, tokens);
  g_assert_cmpint (json_object_get_int_member (shown, "tokens_reserved"), ==, 0);
}

/* A report through the gate's budgets, up to its intent; *record is its outcome. */
static ReeveReservation *
begin_report (DirectoryFixture *fixture, ReeveBudgets *budgets,
              const ReeveAdmissionRequest *request, ReeveLedgerRecord *record)
{
  ReeveReservation *reservation = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_budgets_reserve (budgets, request, &reservation, &error));
  g_assert_no_error (error);
  g_assert_nonnull (reservation);
  *record = (ReeveLedgerRecord){ .kind = REEVE_LEDGER_INTENT,
                                 .scope = TENANT,
                                 .action = REEVE_USAGE_ACTION_REPORT,
                                 .agent_id = request->agent_id,
                                 .reserved_tokens = reeve_reservation_get_input (reservation)
                                                    + reeve_reservation_get_output (reservation) };
  record->intent = reeve_ledger_append (fixture->ledger.ledger, record, &error);
  g_assert_no_error (error);
  reeve_reservation_number (reservation, record->intent);
  record->kind = REEVE_LEDGER_OUTCOME;
  record->reserved_tokens = 0;
  return reservation;
}

/* Between the intent and the outcome, and behind the outcome before anything is saved: what was
 * reported is spent once. */
static void
test_usage_reports_through_a_stop (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, TENANT);
  const ReeveAdmissionRequest request = { .caller = admin,
                                          .operation = REEVE_USAGE_ACTION_REPORT,
                                          .agent_id = "agt_1",
                                          .reserve_input = 30,
                                          .reserve_output = 10 };
  const ReeveSettlement taken = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  const ReeveSettlement refused = { .outcome = REEVE_OUTCOME_FAILED };
  const ReeveSettlement *settlements[] = { NULL, &taken, &refused, NULL, &taken };
  gint64 expected = 0;

  for (guint i = 0; i < G_N_ELEMENTS (settlements); i++)
    {
      g_autoptr (ReeveBudgets) budgets = open_budgets (fixture);
      ReeveLedgerRecord record;
      ReeveReservation *reservation = NULL;

      assert_used (budgets, expected);
      reservation = begin_report (fixture, budgets, &request, &record);
      expected += settlements[i] != &refused ? 40 : 0;
      if (settlements[i] == NULL)
        {
          /* as the end of the process would */
          reeve_budgets_finish (budgets, reservation, FALSE);
          continue;
        }
      record.outcome = settlements[i]->outcome;
      reeve_budgets_settle (budgets, reservation, &request, settlements[i], TRUE, &record);
      g_assert_cmpint (record.input_tokens + record.output_tokens, ==,
                       settlements[i] == &taken ? 40 : 0);
      g_assert_cmpuint (reeve_ledger_append (fixture->ledger.ledger, &record, NULL), >, 0);
      reeve_budgets_finish (budgets, reservation, TRUE);
      assert_used (budgets, expected);
    }
  {
    g_autoptr (ReeveBudgets) budgets = open_budgets (fixture);

    assert_used (budgets, expected);
    reeve_budgets_flush (budgets);
  }
  {
    g_autoptr (ReeveBudgets) budgets = open_budgets (fixture);

    assert_used (budgets, expected);
  }
}

static void
set_up (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  directory_fixture_set_up (fixture, data);
  g_assert_true (directory_fixture_bootstrap (fixture, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* a changed log is warned of */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/usage/table", test_usage_table);
  g_test_add_func ("/usage/table-damaged", test_usage_table_damaged);
  g_test_add_func ("/usage/table-full", test_usage_table_full);
  g_test_add_func ("/usage/span", test_usage_span);
  g_test_add_func ("/usage/table-before", test_usage_table_before);
  g_test_add ("/usage/reports-through-a-stop", DirectoryFixture, NULL, set_up,
              test_usage_reports_through_a_stop, directory_fixture_tear_down);
  g_test_add ("/usage/hours-days-months", DirectoryFixture, NULL, set_up,
              test_usage_hours_days_months, directory_fixture_tear_down);
  g_test_add ("/usage/once", DirectoryFixture, NULL, set_up, test_usage_once,
              directory_fixture_tear_down);
  g_test_add ("/usage/changed", DirectoryFixture, NULL, set_up, test_usage_changed,
              directory_fixture_tear_down);
  g_test_add ("/usage/dropped", DirectoryFixture, NULL, set_up, test_usage_dropped,
              directory_fixture_tear_down);
  g_test_add ("/usage/many", DirectoryFixture, NULL, set_up, test_usage_many,
              directory_fixture_tear_down);
  return g_test_run ();
}
