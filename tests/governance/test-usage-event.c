/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which records are usage, what of it they are, and what it costs. */
#include <reeve-plugin-1.h>
#include <string.h>

#include "governance/usage-event.h"

static JsonObject *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  return json_object_ref (json_node_get_object (node));
}

static void
test_event (void)
{
  g_autoptr (JsonObject) table = parse ("{\"p/m\":{\"input\":\"0.15\",\"output\":\"0.6\"}}");
  g_autoptr (ReevePrices) prices = reeve_prices_new (table, NULL);
  const ReeveLedgerRecord before = { .seq = 7,
                                     .kind = REEVE_LEDGER_INTENT,
                                     .action = "model.call",
                                     .actor_type = "user",
                                     .actor_id = "usr_1",
                                     .key_id = "key_1",
                                     .agent_id = "agt_1",
                                     .model = "p/m",
                                     .parent = 3,
                                     .door = "rest",
                                     .workspace_id = "wks_1" };
  /* what it says when it repeats nothing */
  ReeveLedgerRecord record = { .seq = 9,
                               .kind = REEVE_LEDGER_OUTCOME,
                               .action = "model.call",
                               .intent = 7,
                               .outcome = REEVE_OUTCOME_SUCCEEDED,
                               .input_tokens = 20,
                               .output_tokens = 10,
                               .cost = 9000000,
                               .latency_us = 5 };
  g_autoptr (ReeveUsageIntent) intent = reeve_usage_intent_new (&before);
  ReeveUsageEvent event;

  g_assert_true (reeve_usage_event_read (&event, &record, intent, prices));
  g_assert_cmpstr (event.type, ==, "model_call");
  g_assert_cmpstr (event.row.model, ==, "p/m");
  g_assert_cmpstr (event.row.currency, ==, "USD");
  g_assert_cmpstr (event.values[REEVE_USAGE_BY_USER], ==, "usr_1");
  g_assert_cmpstr (event.values[REEVE_USAGE_BY_WORKSPACE], ==, "wks_1");
  g_assert_cmpint (event.row.n[REEVE_USAGE_COST], ==, 9000000);
  g_assert_cmpint (event.row.n[REEVE_USAGE_INPUT_COST], ==, 3000000);
  g_assert_cmpint (event.row.n[REEVE_USAGE_API_CALLS], ==, 0);
  g_assert_cmpint (event.row.n[REEVE_USAGE_UNPRICED], ==, 0);

  /* no price is known */
  record.model = "p/other";
  record.cost = 0;
  record.estimated = 1;
  g_assert_true (reeve_usage_event_read (&event, &record, intent, prices));
  g_assert_cmpstr (event.row.currency, ==, "");
  g_assert_cmpint (event.row.n[REEVE_USAGE_UNPRICED], ==, 1);
  g_assert_cmpint (event.row.n[REEVE_USAGE_ESTIMATED], ==, 30);
}

static void
test_event_kinds (void)
{
  g_autoptr (ReevePrices) prices = reeve_prices_new (NULL, NULL);
  ReeveLedgerRecord record = { .seq = 9,
                               .kind = REEVE_LEDGER_OUTCOME,
                               .action = "agents.execute",
                               .intent = 7,
                               .outcome = REEVE_OUTCOME_SUCCEEDED,
                               .input_tokens = 20 };
  ReeveUsageEvent event;

  /* a run's outcome repeats what its calls took */
  g_assert_true (reeve_usage_event_read (&event, &record, NULL, prices));
  g_assert_cmpint (event.row.n[REEVE_USAGE_INPUT], ==, 0);
  g_assert_cmpint (event.row.n[REEVE_USAGE_RUNS], ==, 1);
  g_assert_cmpint (event.row.n[REEVE_USAGE_API_CALLS], ==, 1);

  record.kind = REEVE_LEDGER_REFUSAL;
  record.count = 5;
  g_assert_true (reeve_usage_event_read (&event, &record, NULL, prices));
  g_assert_cmpint (event.row.n[REEVE_USAGE_REFUSED], ==, 5);
  record.kind = REEVE_LEDGER_INTENT;
  g_assert_false (reeve_usage_event_read (&event, &record, NULL, prices));
}

/* What was paid stays what it was, whatever the price list says later. */
static void
test_event_prices (void)
{
  g_autoptr (JsonObject) table = parse ("{\"p/m\":{\"input\":\"0.3\",\"output\":\"0.6\"}}");
  g_autoptr (ReevePrices) prices = reeve_prices_new (table, NULL);
  ReeveLedgerRecord record = { .seq = 9,
                               .kind = REEVE_LEDGER_OUTCOME,
                               .action = "model.call",
                               .model = "p/m",
                               .outcome = REEVE_OUTCOME_SUCCEEDED,
                               .input_tokens = 20,
                               .output_tokens = 10,
                               .cost = 600,
                               .currency = "EUR" };
  ReeveUsageEvent event;

  g_assert_true (reeve_usage_event_read (&event, &record, NULL, prices));
  g_assert_cmpint (event.priced, ==, REEVE_USAGE_PRICED_YES);
  g_assert_cmpstr (event.row.currency, ==, "EUR");
  g_assert_cmpint (event.row.n[REEVE_USAGE_COST], ==, 600);
  /* divided as the price of today divides: the halves of what was paid */
  g_assert_cmpint (event.row.n[REEVE_USAGE_INPUT_COST], ==, 300);
  /* it had no price then, and has none for it now */
  record.cost = 0;
  record.currency = NULL;
  g_assert_true (reeve_usage_event_read (&event, &record, NULL, prices));
  g_assert_cmpint (event.priced, ==, REEVE_USAGE_PRICED_NO);
  g_assert_cmpstr (event.row.currency, ==, "");
  g_assert_cmpint (event.row.n[REEVE_USAGE_UNPRICED_TOKENS], ==, 30);
  /* it cost nothing, and that was its price */
  record.currency = "USD";
  g_assert_true (reeve_usage_event_read (&event, &record, NULL, prices));
  g_assert_cmpint (event.priced, ==, REEVE_USAGE_PRICED_YES);
  g_assert_cmpint (event.row.n[REEVE_USAGE_UNPRICED], ==, 0);
  /* nothing was used */
  record = (ReeveLedgerRecord){ .seq = 9, .kind = REEVE_LEDGER_OUTCOME, .action = "model.call" };
  g_assert_true (reeve_usage_event_read (&event, &record, NULL, prices));
  g_assert_cmpint (event.priced, ==, REEVE_USAGE_PRICED_NOTHING);
  g_assert_cmpint (event.row.n[REEVE_USAGE_UNPRICED], ==, 0);
}

static void
test_event_reports (void)
{
  static const struct
  {
    const char *what;
    ReeveUsageCounter counter;
    gint64 expected;
  } rows[] = { { "tool_invocations", REEVE_USAGE_TOOL_CALLS, 7 },
               { "execution_duration_ms", REEVE_USAGE_RUN_TIME, 7000 },
               { "executions", REEVE_USAGE_RUNS, 7 },
               { "rag_queries", REEVE_USAGE_RAG_QUERIES, 7 },
               { "api_calls", REEVE_USAGE_API_CALLS, 7 } };
  g_autoptr (ReevePrices) prices = reeve_prices_new (NULL, NULL);
  ReeveUsageEvent event;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      ReeveLedgerRecord record = { .seq = 9,
                                   .kind = REEVE_LEDGER_OUTCOME,
                                   .action = REEVE_USAGE_ACTION_REPORT,
                                   .outcome = REEVE_OUTCOME_SUCCEEDED,
                                   .parent = 3,
                                   .reason = rows[i].what,
                                   .count = 7 };

      g_assert_true (reeve_usage_event_read (&event, &record, NULL, prices));
      g_assert_cmpint (event.row.n[rows[i].counter], ==, rows[i].expected);
      g_assert_cmpint (event.row.n[REEVE_USAGE_REPORTS], ==, 1);
      g_assert_cmpint (event.amount, ==, 7);
      record.outcome = REEVE_OUTCOME_FAILED;
      g_assert_true (reeve_usage_event_read (&event, &record, NULL, prices));
      g_assert_cmpint (event.row.n[rows[i].counter], ==, 0);
    }
}

/* The host ended before it could say that a report was taken: what its intent says counts. */
static void
test_event_report (void)
{
  g_autoptr (ReevePrices) prices = reeve_prices_new (NULL, NULL);
  const ReeveLedgerRecord before = { .seq = 7,
                                     .kind = REEVE_LEDGER_INTENT,
                                     .action = REEVE_USAGE_ACTION_REPORT,
                                     .agent_id = "agt_1",
                                     .model = "p/m",
                                     .reason = "tool_invocations",
                                     .input_tokens = 20,
                                     .output_tokens = 10,
                                     .cost = 600,
                                     .currency = "EUR",
                                     .count = 4 };
  const ReeveLedgerRecord record = { .seq = 9,
                                     .kind = REEVE_LEDGER_OUTCOME,
                                     .action = REEVE_USAGE_ACTION_REPORT,
                                     .intent = 7,
                                     .outcome = REEVE_OUTCOME_UNKNOWN,
                                     .reason = "host_restarted" };
  g_autoptr (ReeveUsageIntent) intent = reeve_usage_intent_new (&before);
  ReeveUsageEvent event;

  g_assert_true (reeve_usage_event_read (&event, &record, intent, prices));
  g_assert_cmpint (event.row.n[REEVE_USAGE_REPORTS], ==, 1);
  g_assert_cmpint (event.row.n[REEVE_USAGE_INPUT], ==, 20);
  g_assert_cmpint (event.row.n[REEVE_USAGE_OUTPUT], ==, 10);
  g_assert_cmpint (event.row.n[REEVE_USAGE_COST], ==, 600);
  g_assert_cmpint (event.row.n[REEVE_USAGE_TOOL_CALLS], ==, 4);
  g_assert_cmpstr (event.row.currency, ==, "EUR");
  g_assert_cmpstr (event.told, ==, "tool_invocations");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/usage-event/call", test_event);
  g_test_add_func ("/usage-event/kinds", test_event_kinds);
  g_test_add_func ("/usage-event/report", test_event_report);
  g_test_add_func ("/usage-event/prices", test_event_prices);
  g_test_add_func ("/usage-event/reports", test_event_reports);
  return g_test_run ();
}
