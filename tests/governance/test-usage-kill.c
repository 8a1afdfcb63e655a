/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill -9 while one thread writes records of usage and others sum them up: at the next start the
 * sums are those of the log, each record in them once.
 *
 * what                             | CI | long
 * ---------------------------------|----|------
 * rounds, each ended by a kill     | 12 | 1,000 */
#include "base/times.h"
#include "governance/usage.h"

#include "fault-child.h"

#include "../helpers/test-house.h"
#include "../helpers/test-size.h"
#include "../helpers/test-tree.h"

#include <string.h>
#include <unistd.h>

#define TENANT TEST_HOUSE_TENANT
#define AGENTS 5
/* then a new state folder, so that reading all of the log stays cheap */
#define ROUNDS_A_FOLDER 8
/* 2026-01-31T12:00:00Z: days and a month are soon over */
#define BEGIN (G_GINT64_CONSTANT (1769860800) * G_USEC_PER_SEC)

typedef struct
{
  TestHouse base;
  ReevePrices *prices;
  ReeveUsage *usage;
} House;

static void
house_open (House *house, const char *state)
{
  test_house_open (&house->base, state, 20000);
  house->prices = reeve_prices_new (NULL, NULL);
  house->usage = reeve_usage_new (house->base.store, house->base.ledger, house->prices);
}

static void
house_close (House *house)
{
  g_object_unref (house->usage);
  reeve_prices_free (house->prices);
  test_house_close (&house->base);
}

/* ---- the child ---- */

static guint64
append (House *house, const ReeveLedgerRecord *record)
{
  g_autoptr (GError) error = NULL;
  guint64 seq = reeve_ledger_append (house->base.ledger, record, &error);

  g_assert_no_error (error);
  return seq;
}

/* A call an hour, each of more tokens than the one before. */
static gpointer
write_on (gpointer data)
{
  House *house = data;

  for (guint64 i = reeve_ledger_get_size (house->base.ledger, TENANT);; i++)
    {
      g_autofree char *agent = g_strdup_printf ("agt_%" G_GUINT64_FORMAT, i % AGENTS);
      ReeveLedgerRecord record = { .kind = REEVE_LEDGER_INTENT,
                                   .scope = TENANT,
                                   .time = BEGIN + (gint64) i * G_TIME_SPAN_HOUR,
                                   .action = "model.call",
                                   .agent_id = agent,
                                   .model = "p/m" };

      record.intent = append (house, &record);
      record.kind = REEVE_LEDGER_OUTCOME;
      record.outcome = REEVE_OUTCOME_SUCCEEDED;
      record.input_tokens = (gint64) i + 1;
      record.cost = (gint64) i * 1000;
      record.currency = "USD";
      append (house, &record);
      if (i % 4 == 0 && write (STDOUT_FILENO, ".\n", 2) != 2)
        _exit (1);
    }
  return NULL;
}

static gpointer
sum_on (gpointer data)
{
  House *house = data;

  for (;;)
    {
      g_autoptr (GError) error = NULL;
      gboolean complete = FALSE;

      reeve_usage_catch_up (house->usage, TENANT, 1, &complete, &error);
      g_assert_no_error (error);
    }
  return NULL;
}

static int
run_child (const char *state)
{
  House house = { 0 };

  house_open (&house, state);
  g_thread_new ("write", write_on, &house);
  g_thread_new ("sum", sum_on, &house);
  g_thread_new ("sum", sum_on, &house);
  pause ();
  return 1;
}

/* ---- the parent ---- */

/* Tokens, money and outcomes of each agent, as the records say. */
static void
read_log (House *house, gint64 sums[AGENTS][3])
{
  guint64 size = reeve_ledger_get_size (house->base.ledger, TENANT);

  for (guint64 seq = 1; seq <= size; seq++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) record = reeve_ledger_get (house->base.ledger, TENANT, seq, &error);
      const char *agent = NULL;
      gint64 *sum = NULL;

      g_assert_no_error (error);
      agent = reeve_json_get_string (record, "agent_id", NULL);
      if (agent == NULL || !g_str_equal (reeve_json_get_string (record, "kind", ""), "outcome"))
        continue;
      sum = sums[g_ascii_strtoull (agent + strlen ("agt_"), NULL, 10)];
      sum[0] += reeve_json_get_int (record, "input_tokens", 0);
      sum[1] += reeve_json_get_int (record, "cost", 0);
      sum[2]++;
    }
}

/* Of all time, and of each day by itself: both are what the log says. */
static guint64
check (House *house)
{
  gint64 sums[AGENTS][3] = { { 0 } };
  const ReeveUsageAsk ask = { .begin = BEGIN - G_TIME_SPAN_DAY,
                              .end = BEGIN + 700 * G_TIME_SPAN_DAY,
                              .filter = REEVE_USAGE_BY_AGENT };
  g_autoptr (ReeveUsageTable) all = reeve_usage_table_new ();
  g_autoptr (ReeveUsageTable) days = reeve_usage_table_new ();
  g_autoptr (GPtrArray) parts = NULL;
  g_autoptr (GError) error = NULL;
  ReeveUsageSpread spread = { 0 };
  guint64 calls = 0;

  read_log (house, sums);
  reeve_usage_sum (house->usage, TENANT, &ask, all, &spread, &error);
  g_assert_no_error (error);
  g_assert_true (spread.complete);
  parts = reeve_usage_sum_parts (house->usage, TENANT, &ask, TRUE, &spread, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < parts->len; i++)
    reeve_usage_table_merge (days, parts->pdata[i], NULL);
  for (guint i = 0; i < AGENTS; i++)
    {
      g_autofree char *agent = g_strdup_printf ("agt_%u", i);
      const ReeveUsageRow *row = reeve_usage_table_find (all, agent, "p/m", "USD");
      const ReeveUsageRow *by_days = reeve_usage_table_find (days, agent, "p/m", "USD");

      if (sums[i][2] == 0)
        continue;
      g_assert_nonnull (row);
      g_assert_cmpint (row->n[REEVE_USAGE_INPUT], ==, sums[i][0]);
      g_assert_cmpint (row->n[REEVE_USAGE_COST], ==, sums[i][1]);
      g_assert_cmpint (row->n[REEVE_USAGE_MODEL_CALLS], ==, sums[i][2]);
      g_assert_cmpmem (row->n, sizeof row->n, by_days->n, sizeof by_days->n);
      calls += (guint64) sums[i][2];
    }
  return calls;
}

static void
test_usage_kill (void)
{
  g_autoptr (FaultChild) child = fault_child_new (NULL);
  guint rounds = test_size (12, 1000);
  guint64 calls = 0;

  for (guint round = 0; round < rounds; round += ROUNDS_A_FOLDER)
    {
      g_autofree char *state = test_tree_make_quick ();

      for (guint i = round; i < MIN (round + ROUNDS_A_FOLDER, rounds); i++)
        {
          const char *arguments[] = { "--child", state, NULL };
          guint delay = (guint) g_random_int_range (0, g_random_boolean () ? 5000 : 40000);
          g_autofree char *text = fault_child_run_and_kill (child, arguments, delay);
          House house = { 0 };

          g_assert_cmpuint (strlen (text), >, 0);
          house_open (&house, state);
          calls += check (&house);
          house_close (&house);
        }
      test_tree_remove (state);
    }
  g_test_message ("%" G_GUINT64_FORMAT " calls were looked at in %u rounds", calls, rounds);
  g_assert_cmpuint (calls, >, rounds);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    return run_child (argv[2]);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/usage-kill/sums-are-those-of-the-log", test_usage_kill);
  return g_test_run ();
}
