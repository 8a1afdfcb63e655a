/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exports: what verifies, what does not, and the ranges that stand for what was left out. With the
 * name of a folder: writes an export of nasty records in every format there, for the parsers of
 * test_ledger_formats.py. */
#include "governance/ledger-export-verify.h"
#include "governance/ledger-export.h"
#include "governance/ledger-range.h"

#include <string.h>

#include "../helpers/test-tree.h"
#include "ledger-fixture.h"

static const char *const formats[] = { "json", "csv", "cef", "leef", "ocsf" };

static ReeveLedgerRecord
nasty_record (guint i, char buffer[64])
{
  static const char *const values[] = {
    "=1+2|x\\y",    "a\nb\r\nc",
    "tab\there",    "say \"hi\", you",
    "'quoted",      "-2,5",
    "@cmd",         "k=v w=x\\=y",
    "pipe|pipe\\|", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
    "\x01\x7f",     "trailing \\",
    "x=",           "+49 30",
    "plain",
  };
  const char *value = values[i % G_N_ELEMENTS (values)];

  g_snprintf (buffer, 64, "run_%u", i % 5);
  return (ReeveLedgerRecord){
    .kind = i % 3 == 0 ? REEVE_LEDGER_EVENT : REEVE_LEDGER_READ,
    .scope = "acme",
    .action = i % 2 == 0 ? "tool.call" : "agents.list",
    .actor_type = i % 4 == 0 ? "system" : "user",
    .actor_id = value,
    .agent_id = i % 3 == 0 ? NULL : value,
    .delegated_user_id = i % 5 == 0 ? value : NULL,
    .run_id = buffer,
    .resource_type = "run",
    .resource_id = value,
    .tool_name = i % 2 == 0 ? value : NULL,
    .model = i % 4 == 1 ? "local/gpt-4o-mini" : NULL,
    .outcome = REEVE_OUTCOME_SUCCEEDED,
    .reason = i % 7 == 0 ? value : NULL,
    .input_digest = "00ff",
    .input_tokens = i % 4 == 1 ? 10 : 0,
    .output_tokens = i % 4 == 1 ? 20 : 0,
    .workspace_id = i % 3 == 1 ? value : NULL,
    .estimated = i % 4 == 1,
    .cost = i % 4 == 1 ? (i % 8 == 1 ? G_GINT64_CONSTANT (9007199254740993) : 12345) : 0,
    .currency = i % 4 == 1 ? "EUR" : NULL,
    .reserved_tokens = i % 4 == 2 ? 4096 : 0,
    .reserved_cost = i % 4 == 2 ? 777 : 0,
    .door = "rest",
    .trace_id = "0af7651916cd43dd8448eb211c80319c",
  };
}

static void
append_nasty (LedgerFixture *fixture, guint count)
{
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GError) error = NULL;
      char buffer[64];
      ReeveLedgerRecord record = nasty_record (i, buffer);

      reeve_ledger_append (fixture->ledger, &record, &error);
      g_assert_no_error (error);
    }
}

static GString *
export_all (LedgerFixture *fixture, const ReeveLedgerFilter *filter, ReeveLedgerFormat format)
{
  GString *all = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveLedgerExport) export
      = reeve_ledger_export_new (fixture->ledger, "acme", filter, format, &error);
  GBytes *bytes = NULL;

  g_assert_no_error (error);
  while ((bytes = reeve_ledger_export_next (export, &error)) != NULL)
    {
      g_string_append_len (all, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
      g_bytes_unref (bytes);
    }
  g_assert_no_error (error);
  return all;
}

static JsonObject *
verify_text (LedgerFixture *fixture, const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveLedgerKey) key = reeve_ledger_key_load_public (fixture->keys, &error);
  FILE *file = NULL;
  JsonObject *verdict = NULL;

  g_assert_no_error (error);
  file = fmemopen ((void *) text, length, "r");
  verdict = reeve_ledger_export_verify (file, key);
  fclose (file);
  return verdict;
}

static void
assert_verdict (LedgerFixture *fixture, const char *text, gsize length, gboolean valid,
                gint64 records, gint64 bad_seq)
{
  g_autoptr (JsonObject) verdict = verify_text (fixture, text, length);

  g_test_message ("%s", reeve_json_get_string (verdict, "error", "good"));
  g_assert_cmpint (reeve_json_get_boolean (verdict, "valid", !valid), ==, valid);
  if (records >= 0)
    g_assert_cmpint (reeve_json_get_int (verdict, "records", -1), ==, records);
  if (bad_seq > 0)
    g_assert_cmpint (reeve_json_get_int (verdict, "bad_seq", 0), ==, bad_seq);
}

static void
test_export_verifies (LedgerFixture *fixture, gconstpointer data)
{
  static const ReeveLedgerFilter filters[] = {
    { 0 },
    { .run_id = "run_3" },
    { .action = "agents.list", .kind = "read" },
    { .tool_name = "@cmd" },
    { .resource = "plain" },
    { .delegated_user_id = "=1+2|x\\y" },
    { .action = "nothing.like.it" },
    { .text = "gpt-4o" },
  };
  static const gint64 counts[] = { 200, 40, 67, 7, 13, 14, 0, 50 };

  append_nasty (fixture, 200);
  for (guint i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      g_autoptr (GString) text = export_all (fixture, &filters[i], REEVE_LEDGER_FORMAT_JSON);
      g_autoptr (JsonNode) node = reeve_json_parse_strict (text->str, text->len, NULL);

      g_assert_nonnull (node);
      assert_verdict (fixture, text->str, text->len, TRUE, counts[i], 0);
    }
}

/* Any byte that is another one, any line that is gone, twice there or elsewhere is found. */
static void
test_export_mutations (LedgerFixture *fixture, gconstpointer data)
{
  ReeveLedgerFilter filter = { .run_id = "run_2" };
  g_autoptr (GString) text = NULL;
  g_auto (GStrv) lines = NULL;
  guint count = 0;

  append_nasty (fixture, 60);
  text = export_all (fixture, &filter, REEVE_LEDGER_FORMAT_JSON);
  for (guint i = 0; i < 3000; i++)
    {
      gsize at = (gsize) g_test_rand_int_range (0, (gint32) text->len);
      char before = text->str[at];

      text->str[at] = (char) (before ^ (1 << g_test_rand_int_range (0, 8)));
      assert_verdict (fixture, text->str, text->len, FALSE, -1, 0);
      text->str[at] = before;
    }
  for (gsize length = 1; length < text->len; length += 17)
    assert_verdict (fixture, text->str, length, FALSE, -1, 0);
  lines = g_strsplit (text->str, "\n", -1);
  count = g_strv_length (lines);
  for (guint i = 1; i + 3 < count; i++)
    {
      g_autofree char *moved = NULL;
      char *line = lines[i];

      lines[i] = lines[i + 1];
      lines[i + 1] = line;
      moved = g_strjoinv ("\n", lines);
      assert_verdict (fixture, moved, strlen (moved), FALSE, -1, 0);
      lines[i + 1] = lines[i];
      lines[i] = line;
    }
  assert_verdict (fixture, text->str, text->len, TRUE, -1, 0);
}

/* What nobody signed and the verifier does not read is not in a good export: members beside those
 * that are read, which others read, numbers and texts in other words. */
static void
test_export_says_no_more (LedgerFixture *fixture, gconstpointer data)
{
  static const char *const changes[][2] = {
    { "]}},\n", "]},\"record\":{\"action\":\"agents.delete\"}},\n" },
    { "{\"skipped\":{\"count\":",
      "{\"record\":{\"action\":\"agents.delete\"},\"skipped\":{\"count\":" },
    { "{\"skipped\":{\"count\":", "{\"skipped\":{\"more\":1,\"count\":" },
    { "{\"skipped\":{\"count\":", "{\"skipped\": {\"count\":" },
    { "{\"skipped\":{\"count\":", "{\"skipped\":{\"coun\\u0074\":" },
    { "],\"size\":60,", "],\"size\":60,\"scope\":\"other\"," },
    { "],\"size\":60,", "],\"size\":60,\"export\":\"another/1\"," },
    { "],\"size\":60,", "],\"size\":6e1," },
    { "],\"size\":60,", "],\"size\":60.0," },
    { "],\"size\":60,", "], \"size\":60," },
    { "\"checkpoint\":\"reeve", "\"checkpoint\":\"\\u0072eeve" },
  };
  ReeveLedgerFilter filter = { .run_id = "run_2" };
  g_autoptr (GString) text = NULL;

  append_nasty (fixture, 60);
  text = export_all (fixture, &filter, REEVE_LEDGER_FORMAT_JSON);
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autoptr (GString) changed = g_string_new (text->str);

      g_test_message ("%s", changes[i][1]);
      g_assert_cmpuint (g_string_replace (changed, changes[i][0], changes[i][1], 1), ==, 1);
      assert_verdict (fixture, changed->str, changed->len, FALSE, -1, 0);
    }
  assert_verdict (fixture, text->str, text->len, TRUE, -1, 0);
}

/* Somebody who edits a record and does not recompute what follows is told which. */
static void
test_export_names_the_first (LedgerFixture *fixture, gconstpointer data)
{
  ReeveLedgerFilter filter = { 0 };
  g_autoptr (GString) text = NULL;

  append_nasty (fixture, 30);
  text = export_all (fixture, &filter, REEVE_LEDGER_FORMAT_JSON);
  g_assert_cmpuint (g_string_replace (text, "\"resource\":{\"id\":\"plain\"",
                                      "\"resource\":{\"id\":\"plane\"", 1),
                    ==, 1);
  assert_verdict (fixture, text->str, text->len, FALSE, -1, 15);
}

/* A key of somebody else's, and what is no export at all. */
static void
test_export_refuses (LedgerFixture *fixture, gconstpointer data)
{
  LedgerFixture other = { 0 };
  ReeveLedgerFilter filter = { 0 };
  g_autoptr (GString) text = NULL;
  g_autoptr (GError) error = NULL;

  append_nasty (fixture, 3);
  ledger_fixture_set_up (&other, NULL);
  text = export_all (fixture, &filter, REEVE_LEDGER_FORMAT_JSON);
  assert_verdict (&other, text->str, text->len, FALSE, -1, 0);
  ledger_fixture_tear_down (&other, NULL);
  assert_verdict (fixture, "{}\n", 3, FALSE, 0, 0);
  assert_verdict (fixture, "\n", 1, FALSE, 0, 0);
  g_assert_null (reeve_ledger_export_new (fixture->ledger, "nobody", &filter,
                                          REEVE_LEDGER_FORMAT_CSV, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

/* Every range of a small tree gives the same root as its leaves do. */
static void
test_ranges (void)
{
  enum
  {
    SIZE = 33
  };
  guint8 leaves[SIZE][REEVE_LEDGER_HASH_SIZE];

  for (guint i = 0; i < SIZE; i++)
    reeve_digests_sha256 (&i, sizeof i, leaves[i]);
  for (guint start = 0; start < SIZE; start++)
    for (guint end = start; end <= SIZE; end++)
      {
        ReeveLedgerFrontier plain = { 0 };
        ReeveLedgerFrontier ranged = { 0 };
        ReeveLedgerRange range = { .start = start };
        ReeveLedgerRange described;
        guint8 expected[REEVE_LEDGER_HASH_SIZE];
        guint8 found[REEVE_LEDGER_HASH_SIZE];

        for (guint i = 0; i < SIZE; i++)
          reeve_ledger_frontier_add (&plain, leaves[i]);
        for (guint i = 0; i < start; i++)
          reeve_ledger_frontier_add (&ranged, leaves[i]);
        for (guint i = start; i < end; i++)
          reeve_ledger_range_add (&range, leaves[i]);
        g_assert_true (reeve_ledger_range_describe (&described, start, end - start));
        g_assert_cmpuint (described.length, ==, range.length);
        g_assert_cmpmem (described.levels, described.length, range.levels, range.length);
        g_assert_true (reeve_ledger_range_apply (&range, &ranged));
        for (guint i = end; i < SIZE; i++)
          reeve_ledger_frontier_add (&ranged, leaves[i]);
        reeve_ledger_frontier_root (&plain, expected);
        reeve_ledger_frontier_root (&ranged, found);
        g_assert_cmpmem (expected, sizeof expected, found, sizeof found);
      }
}

static void
test_ranges_refuse (void)
{
  ReeveLedgerFrontier frontier = { 0 };
  ReeveLedgerRange range;

  g_assert_false (reeve_ledger_range_describe (&range, 0, G_MAXUINT64));
  g_assert_false (reeve_ledger_range_describe (&range, G_MAXUINT64, 1));
  g_assert_true (reeve_ledger_range_describe (&range, 1, 1));
  g_assert_false (reeve_ledger_range_apply (&range, &frontier));
}

static int
write_exports (const char *folder)
{
  LedgerFixture fixture = { 0 };
  ReeveLedgerFilter filter = { 0 };

  ledger_fixture_set_up (&fixture, NULL);
  append_nasty (&fixture, 45);
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_autofree char *path = g_build_filename (folder, formats[i], NULL);
      g_autoptr (GString) text = NULL;
      g_autoptr (GError) error = NULL;
      ReeveLedgerFormat format = REEVE_LEDGER_FORMAT_JSON;

      g_assert_true (reeve_ledger_format_find (formats[i], &format));
      text = export_all (&fixture, &filter, format);
      g_file_set_contents (path, text->str, (gssize) text->len, &error);
      g_assert_no_error (error);
    }
  ledger_fixture_tear_down (&fixture, NULL);
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 2 && g_path_is_absolute (argv[1]))
    return write_exports (argv[1]);
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/ledger-export/verifies", LedgerFixture, NULL, ledger_fixture_set_up,
              test_export_verifies, ledger_fixture_tear_down);
  g_test_add ("/ledger-export/mutations", LedgerFixture, NULL, ledger_fixture_set_up,
              test_export_mutations, ledger_fixture_tear_down);
  g_test_add ("/ledger-export/says-no-more", LedgerFixture, NULL, ledger_fixture_set_up,
              test_export_says_no_more, ledger_fixture_tear_down);
  g_test_add ("/ledger-export/names-the-first", LedgerFixture, NULL, ledger_fixture_set_up,
              test_export_names_the_first, ledger_fixture_tear_down);
  g_test_add ("/ledger-export/refuses", LedgerFixture, NULL, ledger_fixture_set_up,
              test_export_refuses, ledger_fixture_tear_down);
  g_test_add_func ("/ledger-export/ranges", test_ranges);
  g_test_add_func ("/ledger-export/ranges-refuse", test_ranges_refuse);
  return g_test_run ();
}
