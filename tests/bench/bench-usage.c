/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums of usage against a floor of the same run: the same question to the same rows in raw SQLite,
 * one row for each model call. Goal 20: any question in 50 ms, 400 bytes a row.
 *
 * A year of calls of 50 agents, 1,000 users (of whom few ask much) and 8 models; the floor has
 * REEVE_BENCH_FLOOR of the rows and is scaled. REEVE_BENCH_ROWS=10000000 is the goal's size. */
#include <glib/gstdio.h>
#include <sqlite3.h>

#include "directory-fixture.h"

#include "governance/usage-list.h"
#include "governance/usage-private.h"

#define BEGIN  (G_GINT64_CONSTANT (1735689600) * G_USEC_PER_SEC) /* 2025-01-01 */
#define DAYS   365
#define ROUNDS 5
/* twice as many records: more than a page looks at */
#define PAGE_CALLS 20000
#define VALUE      "usr_01JD0000000000000000000003"

static const guint kinds[REEVE_USAGE_N_SERIES] = { 1, 50, 1000, 20, 1200, 30, 60, 100 };

static guint64 seed = 1;

/* xorshift64 (Marsaglia 2003) */
static guint64
draw (void)
{
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

/* Few of many are drawn often: the lesser of two. */
static guint
draw_skewed (guint n)
{
  return (guint) MIN (draw () % n, draw () % n);
}

static void
add_call (ReeveUsageTable **tables, guint64 seq)
{
  char model[32];
  char value[64];
  ReeveUsageRow row = { .value = value, .model = model, .currency = "USD" };

  g_snprintf (model, sizeof model, "provider/model-%u", draw_skewed (8));
  row.n[REEVE_USAGE_RECORDS] = row.n[REEVE_USAGE_MODEL_CALLS] = 1;
  row.n[REEVE_USAGE_INPUT] = (gint64) (draw () % 4000);
  row.n[REEVE_USAGE_OUTPUT] = (gint64) (draw () % 1000);
  row.n[REEVE_USAGE_COST] = (gint64) (draw () % 100000000);
  row.n[REEVE_USAGE_MODEL_TIME] = (gint64) (draw () % 3000000);
  row.n[REEVE_USAGE_FIRST] = row.n[REEVE_USAGE_LAST] = (gint64) seq;
  for (guint i = 0; i < REEVE_USAGE_N_SERIES; i++)
    {
      /* as long as an id */
      g_snprintf (value, sizeof value, "%s_01JD%022u", i == 0 ? "" : "usr", draw_skewed (kinds[i]));
      if (i == 0)
        value[0] = '\0';
      reeve_usage_table_add (tables[i], &row);
    }
}

static void
write_hour (ReeveUsageState *state, ReeveUsagePages *pages, gint64 hour, guint64 from, guint64 to)
{
  ReeveUsageTable *tables[REEVE_USAGE_N_SERIES];
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < REEVE_USAGE_N_SERIES; i++)
    tables[i] = reeve_usage_table_new ();
  for (guint64 seq = from; seq < to; seq++)
    add_call (tables, seq + 1);
  g_assert_true (to == from || reeve_usage_state_add (state, pages, hour, tables, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < REEVE_USAGE_N_SERIES; i++)
    reeve_usage_table_free (tables[i]);
}

static void
write_year (DirectoryFixture *fixture, guint64 rows)
{
  gint64 first = reeve_usage_span_of (REEVE_USAGE_HOUR, BEGIN);
  g_autoptr (GError) error = NULL;

  for (guint day = 0; day < DAYS; day++)
    {
      g_autoptr (ReeveUsageState) state
          = reeve_usage_state_load (fixture->store, REEVE_TENANTS_DEFAULT, &error);
      g_autoptr (ReeveUsagePages) pages
          = reeve_usage_pages_new (fixture->store, REEVE_TENANTS_DEFAULT);
      g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_TENANTS_DEFAULT);
      g_autoptr (ReeveBatchResult) result = NULL;

      for (guint hour = 0; hour < 24; hour++)
        {
          guint64 at = day * 24 + hour;

          write_hour (state, pages, first + (gint64) at, rows * at / (DAYS * 24),
                      rows * (at + 1) / (DAYS * 24));
        }
      reeve_usage_state_close (state, pages, first + (gint64) day * 24 + 23, &error);
      reeve_usage_pages_save (pages, batch);
      reeve_usage_state_save (state, batch);
      result = reeve_store_commit (fixture->store, batch, &error);
      g_assert_no_error (error);
    }
}

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a;
  double right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static double
ask_usage (ReeveUsage *usage, const ReeveUsageAsk *ask, gboolean parts)
{
  double times[ROUNDS];

  for (guint i = 0; i < ROUNDS; i++)
    {
      g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
      g_autoptr (GPtrArray) days = NULL;
      g_autoptr (GError) error = NULL;
      ReeveUsageSpread spread = { 0 };
      gint64 start = g_get_monotonic_time ();

      if (parts)
        days = reeve_usage_sum_parts (usage, REEVE_TENANTS_DEFAULT, ask, TRUE, &spread, &error);
      else
        reeve_usage_sum (usage, REEVE_TENANTS_DEFAULT, ask, table, &spread, &error);
      times[i] = (double) (g_get_monotonic_time () - start) / 1000;
      g_assert_no_error (error);
      g_assert_true (parts || reeve_usage_table_get_size (table) > 0);
    }
  qsort (times, ROUNDS, sizeof (double), compare_doubles);
  return times[ROUNDS / 2];
}

/* ms of one sum over @rows rows, by one column */
static double
ask_floor (const char *folder, guint64 rows)
{
  g_autofree char *path = g_build_filename (folder, "floor.db", NULL);
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  gint64 start = 0;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  sqlite3_exec (db,
                "PRAGMA journal_mode = OFF; CREATE TABLE calls (time INTEGER, model TEXT, user "
                "TEXT, input INTEGER, output INTEGER, cost INTEGER); BEGIN",
                NULL, NULL, NULL);
  sqlite3_prepare_v2 (db,
                      "INSERT INTO calls VALUES (?1, 'provider/model-' || ?2, "
                      "'usr_01JD000000000000000000' || ?3, ?4, ?5, ?6)",
                      -1, &statement, NULL);
  for (guint64 i = 0; i < rows; i++)
    {
      sqlite3_bind_int64 (statement, 1, (gint64) i);
      sqlite3_bind_int64 (statement, 2, draw_skewed (8));
      sqlite3_bind_int64 (statement, 3, draw_skewed (1000));
      for (int column = 4; column <= 6; column++)
        sqlite3_bind_int64 (statement, column, (gint64) (draw () % 4000));
      sqlite3_step (statement);
      sqlite3_reset (statement);
    }
  sqlite3_finalize (statement);
  sqlite3_exec (db, "COMMIT", NULL, NULL, NULL);
  sqlite3_prepare_v2 (db,
                      "SELECT user, model, count (*), sum (input), sum (output), sum (cost) FROM "
                      "calls GROUP BY user, model",
                      -1, &statement, NULL);
  start = g_get_monotonic_time ();
  while (sqlite3_step (statement) == SQLITE_ROW)
    ;
  start = g_get_monotonic_time () - start;
  sqlite3_finalize (statement);
  sqlite3_close (db);
  return (double) start / 1000;
}

/* bytes of the files in a folder and below whose names begin with the tenant's */
static guint64
measure (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name = NULL;
  GStatBuf info;
  guint64 sum = 0;

  if (dir == NULL)
    return g_stat (path, &info) == 0 ? (guint64) info.st_size : 0;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      sum += measure (inner);
    }
  return sum;
}

/* Pages of the list look into the ledger itself: its whole window, where nothing is found. */
static void
ask_pages (DirectoryFixture *fixture, ReeveUsage *usage)
{
  static const char *const runs[] = { "run_that_is_not", "run_7" };
  ReeveLedgerRecord record = { .scope = REEVE_TENANTS_DEFAULT,
                               .action = "model.call",
                               .agent_id = "agt_01JD0000000000000000000003",
                               .model = "provider/model-1" };
  guint64 before = reeve_ledger_get_size (fixture->ledger.ledger, REEVE_TENANTS_DEFAULT);

  for (guint i = 0; i < PAGE_CALLS; i++)
    {
      g_autofree char *run = g_strdup_printf ("run_%u", i % 1000);

      record.run_id = run;
      record.kind = REEVE_LEDGER_INTENT;
      record.outcome = REEVE_OUTCOME_NONE;
      record.intent = 0;
      record.input_tokens = record.cost = 0;
      record.currency = NULL;
      reeve_ledger_append_async (fixture->ledger.ledger, &record, NULL, NULL);
      record.kind = REEVE_LEDGER_OUTCOME;
      record.outcome = REEVE_OUTCOME_SUCCEEDED;
      record.intent = before + 2 * i + 1;
      record.input_tokens = 1000;
      record.cost = 1000;
      record.currency = "USD";
      reeve_ledger_append_async (fixture->ledger.ledger, &record, NULL, NULL);
    }
  reeve_ledger_wait (fixture->ledger.ledger);
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++)
    {
      const ReeveUsageListAsk ask = { .run_id = runs[i], .limit = 50 };
      double times[ROUNDS];

      for (guint round = 0; round < ROUNDS; round++)
        {
          gint64 start = g_get_monotonic_time ();
          guint64 next = 0;
          g_autoptr (JsonArray) page
              = reeve_usage_list (usage, REEVE_TENANTS_DEFAULT, &ask, &next, NULL);

          g_assert_nonnull (page);
          times[round] = (double) (g_get_monotonic_time () - start) / 1000;
        }
      qsort (times, ROUNDS, sizeof (double), compare_doubles);
      g_print ("a page of the list with run_id %-16s %8.2f ms\n", runs[i], times[ROUNDS / 2]);
    }
}

static guint64
get_number (const char *name, guint64 fallback)
{
  const char *text = g_getenv (name);

  return text != NULL ? g_ascii_strtoull (text, NULL, 10) : fallback;
}

static const struct
{
  const char *name;
  ReeveUsageSeries series;
  gboolean parts;
  gint64 begin;
  gint64 end;
  const char *value;
} questions[] = {
  { "a year by model", REEVE_USAGE_BY_MODEL, FALSE, 0, DAYS },
  { "a year by agent", REEVE_USAGE_BY_AGENT, FALSE, 0, DAYS },
  { "a year by user", REEVE_USAGE_BY_USER, FALSE, 0, DAYS },
  { "300 days with ragged ends by user", REEVE_USAGE_BY_USER, FALSE, 17, 317 },
  { "300 days with ragged ends by department", REEVE_USAGE_BY_DEPARTMENT, FALSE, 17, 317 },
  { "300 days of one user, by model", REEVE_USAGE_BY_USER, FALSE, 17, 317, VALUE },
  { "a year, each day", REEVE_USAGE_BY_MODEL, TRUE, 0, DAYS },
};

int
main (void)
{
  guint64 rows = get_number ("REEVE_BENCH_ROWS", 1000000);
  guint64 floor_rows = rows / get_number ("REEVE_BENCH_FLOOR", 10);
  DirectoryFixture fixture = { 0 };
  g_autoptr (ReevePrices) prices = reeve_prices_new (NULL, NULL);
  g_autoptr (ReeveUsage) usage = NULL;
  double floor_ms = 0;
  guint64 before = 0;
  g_autofree char *store = NULL;
  gint64 start = 0;

  directory_fixture_set_up (&fixture, NULL);
  g_assert_true (directory_fixture_bootstrap (&fixture, NULL));
  store = g_build_filename (fixture.ledger.state, "store", NULL);
  before = measure (store);
  start = g_get_monotonic_time ();
  write_year (&fixture, rows);
  g_print ("%" G_GUINT64_FORMAT " calls: summed up in %.1f s, %.0f bytes each\n", rows,
           (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC,
           (double) (measure (store) - before) / (double) rows);
  floor_ms = ask_floor (fixture.ledger.state, floor_rows) * (double) rows / (double) floor_rows;
  g_print ("floor: raw SQLite, a row each, a year by user and model: %.0f ms (of %" G_GUINT64_FORMAT
           " rows, scaled)\n",
           floor_ms, floor_rows);
  usage = reeve_usage_new (fixture.store, fixture.ledger.ledger, prices);
  for (guint i = 0; i < G_N_ELEMENTS (questions); i++)
    {
      const ReeveUsageAsk ask
          = { .begin = BEGIN + questions[i].begin * G_TIME_SPAN_DAY
                       + (questions[i].begin > 0 ? 5 * G_TIME_SPAN_HOUR : 0),
              .end = BEGIN + questions[i].end * G_TIME_SPAN_DAY
                     - (questions[i].begin > 0 ? 5 * G_TIME_SPAN_HOUR : 0),
              .filter = questions[i].series,
              .value = questions[i].value,
              .flat = questions[i].value == NULL && questions[i].series != REEVE_USAGE_BY_MODEL };
      double ms = ask_usage (usage, &ask, questions[i].parts);

      g_print ("%-42s %8.2f ms  %8.4f of the floor\n", questions[i].name, ms, ms / floor_ms);
    }
  ask_pages (&fixture, usage);
  g_clear_object (&usage);
  directory_fixture_tear_down (&fixture, NULL);
  return 0;
}
