/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The canonical text of a record: against the JSON room's writer, there and back, and what is not
 * canonical. */
#include "governance/ledger-record.h"

#include <string.h>

#include "ledger-fixture.h"

static const ReeveLedgerRecord full = {
  .seq = 9007199254740991,
  .time = 1790000000000000,
  .epoch = 7,
  .kind = REEVE_LEDGER_OUTCOME,
  .scope = "acme",
  .action = "tool.call",
  .actor_type = "agent",
  .actor_id = "agt_\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
  .key_id = "key_\"quoted\"\\",
  .agent_id = "agt_\x01\x1f\x7f",
  .delegated_user_id = "usr_1",
  .run_id = "run_\b\f\n\r\t/",
  .resource_type = "run",
  .resource_id = "run_1",
  .tool_name = "calculate",
  .model = "local/gpt-4o-mini",
  .intent = 12,
  .parent = 11,
  .outcome = REEVE_OUTCOME_UNKNOWN,
  .reason = "timeout",
  .input_digest = "00ff",
  .output_digest = "ff00",
  .latency_us = 1500,
  .input_tokens = 10,
  .output_tokens = 20,
  .door = "rest",
  .source = "src_00ff",
  .count = 3,
  .trace_id = "0af7651916cd43dd8448eb211c80319c",
};

static void
test_record_canonical (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *canonical = NULL;

  g_assert_true (reeve_ledger_record_format (&full, text, NULL, &error));
  g_assert_no_error (error);
  node = reeve_json_parse_strict (text->str, text->len, &error);
  g_assert_no_error (error);
  canonical = reeve_json_canonical (node);
  g_assert_cmpstr (text->str, ==, canonical);
}

static void
test_record_round_trip (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) again = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *arena = NULL;
  ReeveLedgerRecord record;

  g_assert_true (reeve_ledger_record_format (&full, text, NULL, NULL));
  arena = g_malloc (text->len);
  g_assert_true (reeve_ledger_record_parse (&record, arena, text->str, text->len, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (record.seq, ==, full.seq);
  g_assert_cmpint (record.time, ==, full.time);
  g_assert_cmpint (record.kind, ==, full.kind);
  g_assert_cmpint (record.outcome, ==, full.outcome);
  g_assert_cmpstr (record.agent_id, ==, full.agent_id);
  g_assert_cmpstr (record.run_id, ==, full.run_id);
  g_assert_cmpstr (record.resource_type, ==, "run");
  g_assert_cmpstr (record.trace_id, ==, full.trace_id);
  g_assert_true (reeve_ledger_record_format (&record, again, NULL, NULL));
  g_assert_cmpstr (text->str, ==, again->str);
}

/* Eight characters are looked at at once: what is special is found wherever it stands. */
static void
test_record_special (void)
{
  static const char *const specials[]
      = { "\"", "\\", "\x01", "\x1f", "\x7f", "\n", "\xc3\xa4", "\xf0\x9f\x98\x80", " ", "!" };
  const char *const plain = "abcdefghijklmnopqrstuvwxyz";

  for (guint i = 0; i < G_N_ELEMENTS (specials) * 25 * 3; i++)
    {
      guint at = i % 25;
      guint n = i / 25 % 3; /* with nothing, little and much behind it */
      g_autofree char *reason
          = g_strdup_printf ("%.*s%s%.*s", (int) at, plain, specials[i / 75], (int) (n * 9), plain);
      ReeveLedgerRecord record = full;
      ReeveLedgerRecord read = { 0 };
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (JsonNode) node = NULL;
      g_autofree char *canonical = NULL;
      g_autofree char *arena = NULL;
      g_autoptr (GError) error = NULL;

      record.reason = reason;
      g_assert_true (reeve_ledger_record_format (&record, text, NULL, &error));
      node = reeve_json_parse_strict (text->str, text->len, &error);
      g_assert_no_error (error);
      canonical = reeve_json_canonical (node);
      g_assert_cmpstr (text->str, ==, canonical);
      arena = g_malloc (text->len);
      g_assert_true (reeve_ledger_record_parse (&read, arena, text->str, text->len, &error));
      g_assert_cmpstr (read.reason, ==, reason);
    }
}

static void
test_record_hole (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) whole = g_string_new (NULL);
  gsize at = 0;

  g_assert_true (reeve_ledger_record_format (&full, whole, NULL, NULL));
  g_assert_true (reeve_ledger_record_format (&full, text, &at, NULL));
  g_string_insert (text, (gssize) at, "9007199254740991");
  g_assert_cmpstr (text->str, ==, whole->str);
}

/* Each amount has one spelling, and is the same when it is read again. */
static void
test_record_wide (void)
{
  const struct
  {
    gint64 amount;
    const char *text;
  } rows[]
      = { { 0, "\"action\":\"tool.call\",\"actor\"" },
          { 1, "\"cost\":1," },
          { G_GINT64_CONSTANT (9007199254740991), "\"cost\":9007199254740991,\"count\"" },
          { G_GINT64_CONSTANT (9007199254740992), "\"cost_wide\":\"9007199254740992\",\"count\"" },
          { G_MAXINT64, "\"cost_wide\":\"9223372036854775807\",\"count\"" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      ReeveLedgerRecord wide = full;
      ReeveLedgerRecord record;
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (JsonNode) node = NULL;
      g_autofree char *canonical = NULL;
      g_autofree char *arena = NULL;

      wide.cost = wide.reserved_cost = rows[i].amount;
      g_assert_true (reeve_ledger_record_format (&wide, text, NULL, NULL));
      g_assert_nonnull (strstr (text->str, rows[i].text));
      arena = g_malloc (text->len);
      g_assert_true (reeve_ledger_record_parse (&record, arena, text->str, text->len, NULL));
      g_assert_cmpint (record.cost, ==, rows[i].amount);
      g_assert_cmpint (record.reserved_cost, ==, rows[i].amount);
      node = reeve_json_parse_strict (text->str, (gssize) text->len, NULL);
      canonical = reeve_json_canonical (node);
      g_assert_cmpstr (text->str, ==, canonical);
      g_assert_cmpint (reeve_ledger_record_get_amount (json_node_get_object (node), "reserved_cost",
                                                       "reserved_cost_wide"),
                       ==, rows[i].amount);
    }
}

static void
test_record_refused (void)
{
  g_autofree char *huge = g_strnfill (REEVE_LEDGER_RECORD_MAX_STRING + 1, 'x');
  ReeveLedgerRecord bad[] = { full, full, full, full, full, full, full };

  bad[0].action = NULL;
  bad[1].scope = "";
  bad[2].latency_us = -1;
  bad[3].seq = G_GUINT64_CONSTANT (9007199254740992);
  bad[4].reason = huge;
  bad[5].model = "\xff";
  bad[6].cost = -1;
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GError) error = NULL;

      g_assert_false (reeve_ledger_record_format (&bad[i], text, NULL, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
    }
}

#define HEAD "{\"action\":\"a\",\"epoch\":1,\"kind\":\"read\","
#define REST ",\"epoch\":1,\"kind\":\"read\"," TAIL
#define TAIL "\"scope\":\"s\",\"seq\":1,\"time\":2}"

static void
test_record_not_canonical (void)
{
  static const char *const bad[] = {
    "",
    "{}",
    "[1]",
    HEAD TAIL " ",
    " " HEAD TAIL,
    HEAD "\"scope\": \"s\",\"seq\":1,\"time\":2}",
    HEAD "\"scope\":\"s\",\"seq\":01,\"time\":2}",
    HEAD "\"scope\":\"s\",\"seq\":1.0,\"time\":2}",
    HEAD "\"scope\":\"s\",\"seq\":-1,\"time\":2}",
    HEAD "\"scope\":\"s\",\"seq\":9007199254740992,\"time\":2}",
    HEAD "\"scope\":\"s\",\"seq\":99999999999999999999,\"time\":2}",
    HEAD "\"scope\":\"\",\"seq\":1,\"time\":2}",
    HEAD "\"scope\":\"\\u0041\",\"seq\":1,\"time\":2}",
    HEAD "\"scope\":\"\\u000a\",\"seq\":1,\"time\":2}",
    HEAD "\"scope\":\"\\u001F\",\"seq\":1,\"time\":2}",
    HEAD "\"scope\":\"\\u0000\",\"seq\":1,\"time\":2}",
    HEAD "\"scope\":\"\\/\",\"seq\":1,\"time\":2}",
    HEAD "\"scope\":\"\n\",\"seq\":1,\"time\":2}",
    HEAD "\"scope\":\"\xc3\",\"seq\":1,\"time\":2}",
    HEAD "\"scope\":\"s\",\"seq\":1,\"seq\":1,\"time\":2}",
    HEAD "\"scope\":\"s\",\"time\":2,\"seq\":1}",
    HEAD "\"scope\":\"s\",\"seq\":1,\"time\":2,\"zebra\":1}",
    "{\"action\":\"a\",\"cost_wide\":9007199254740992" REST,
    "{\"action\":\"a\",\"cost_wide\":\"9007199254740991\"" REST,
    "{\"action\":\"a\",\"cost_wide\":\"09007199254740992\"" REST,
    "{\"action\":\"a\",\"cost_wide\":\"9223372036854775808\"" REST,
    "{\"action\":\"a\",\"cost_wide\":\"18446744073709551617\"" REST,
    "{\"action\":\"a\",\"cost_wide\":\"+9007199254740992\"" REST,
    "{\"action\":\"a\",\"cost_wide\":\"9007199254740992.5\"" REST,
    "{\"action\":\"a\",\"cost_wide\":\"\"" REST,
    "{\"action\":\"a\",\"cost\":1,\"cost_wide\":\"9007199254740992\"" REST,
    "{\"action\":\"a\",\"cost\":9007199254740992" REST,
    HEAD "\"parent\":0," TAIL,
    HEAD "\"outcome\":\"\"," TAIL,
    HEAD "\"outcome\":\"perhaps\"," TAIL,
    HEAD "\"resource\":{}," TAIL,
    HEAD "\"resource\":{\"type\":\"t\",\"id\":\"i\"}," TAIL,
    "{\"action\":\"a\",\"epoch\":1,\"kind\":\"wish\"," TAIL,
    "{\"action\":\"a\",\"kind\":\"read\"," TAIL,
    HEAD "\"scope\":\"s\",\"seq\":1,\"time\":2",
  };
  char arena[256];
  ReeveLedgerRecord record;

  g_assert_true (reeve_ledger_record_parse (&record, arena, HEAD TAIL, strlen (HEAD TAIL), NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      if (reeve_ledger_record_parse (&record, arena, bad[i], strlen (bad[i]), &error))
        g_error ("accepted: %s", bad[i]);
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ledger-record/canonical", test_record_canonical);
  g_test_add_func ("/ledger-record/round-trip", test_record_round_trip);
  g_test_add_func ("/ledger-record/special", test_record_special);
  g_test_add_func ("/ledger-record/hole", test_record_hole);
  g_test_add_func ("/ledger-record/wide", test_record_wide);
  g_test_add_func ("/ledger-record/refused", test_record_refused);
  g_test_add_func ("/ledger-record/not-canonical", test_record_not_canonical);
  return g_test_run ();
}
