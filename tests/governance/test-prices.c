/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prices: a file is taken as a whole or not at all, faults are named by line and member, whose word
 * counts, and what is not known is not zero. */
#include <reeve-plugin-1.h>
#include <string.h>

#include "base/json-place.h"
#include "governance/money.h"
#include "governance/prices.h"

static JsonObject *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  return json_object_ref (json_node_get_object (node));
}

static ReevePriceList *
list_of (const char *rows)
{
  g_autofree char *text
      = g_strdup_printf ("{\"source\":\"a test\",\"date\":\"2026-01-31\",\"prices\":[%s]}", rows);
  g_autoptr (GError) error = NULL;
  ReevePriceList *list = reeve_price_list_parse (text, strlen (text), &error);

  g_assert_no_error (error);
  return list;
}

#define ROW(name, more)                                                                            \
  "{\"model_name\":\"" name                                                                        \
  "\",\"input_token_price\":\"0.025\",\"output_token_price\":\"0.05\"" more "}"

/* ---- files ---- */

static void
test_prices_file (void)
{
  g_autoptr (ReevePriceList) list
      = list_of (ROW ("azure-gpt-4", ",\"currency\":\"USD\",\"notes\":\"by contract\"") "," ROW (
          "m", ",\"service\":\"api.example.com\",\"cached_input_token_price\":\"0.000000000001\""));
  const ReevePriceRow *row = reeve_price_list_find (list, NULL, "azure-gpt-4");

  g_assert_cmpstr (reeve_price_list_get_source (list), ==, "a test");
  g_assert_cmpstr (reeve_price_list_get_date (list), ==, "2026-01-31");
  g_assert_cmpint (row->price.input, ==, G_GINT64_CONSTANT (25000000000));
  g_assert_cmpint (row->price.output, ==, G_GINT64_CONSTANT (50000000000));
  g_assert_cmpint (row->price.cached, ==, row->price.input);
  g_assert_cmpstr (row->notes, ==, "by contract");
  g_assert_null (reeve_price_list_find (list, NULL, "m"));
  g_assert_null (reeve_price_list_find (list, "other.example.com", "m"));
  g_assert_cmpint (reeve_price_list_find (list, "api.example.com", "m")->price.cached, ==, 1);
  g_assert_nonnull (reeve_price_list_find (list, "api.example.com", "azure-gpt-4"));
}

/* Each is one line of a file; the fault is in line 3 unless it says otherwise. */
static void
test_prices_faults (void)
{
  static const struct
  {
    const char *row;
    const char *error;
  } rows[] = {
    { "{\"model_name\":\"m\"}", "line 3: /prices/0/input_token_price: is missing" },
    { "{\"model_name\":\"\",\"input_token_price\":\"1\",\"output_token_price\":\"1\"}",
      "line 3: /prices/0/model_name: *" },
    { "{\"model_name\":\"m\",\n\"input_token_price\":\n0.1,\"output_token_price\":\"1\"}",
      "line 5: /prices/0/input_token_price: is not text*" },
    { ROW ("m", "") ",\n" ROW ("m", ""), "line 4: /prices/1/model_name: has a price already" },
    { ROW ("m", ",\"currency\":\"usd\""), "line 3: /prices/0/currency: *" },
    { ROW ("m", ",\"currency\":7"), "line 3: /prices/0/currency: *" },
    { ROW ("m", ",\"colour\":\"red\""), "line 3: /prices/0/colour: is not known" },
    { ROW ("m", ",\"notes\":\"a\\u0007b\""), "line 3: /prices/0/notes: *" },
    { "{\"model_name\":\"m\",\"input_token_price\":\"-1\",\"output_token_price\":\"1\"}",
      "line 3: /prices/0/input_token_price: *" },
    { "{\"model_name\":\"m\",\"input_token_price\":\"1e3\",\"output_token_price\":\"1\"}",
      "line 3: /prices/0/input_token_price: *" },
    { "{\"model_name\":\"m\",\"input_token_price\":\"99999999\",\"output_token_price\":\"1\"}",
      "line 3: /prices/0/input_token_price: *" },
    { "{\"model_name\":\"m\",\"input_token_price\":\"1\",\"output_token_price\":\"0."
      "1234567890123\"}",
      "line 3: /prices/0/output_token_price: *" },
    { "7", "line 3: /prices/0: is not an object" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text = g_strdup_printf (
          "{\"source\":\"s\",\"date\":\"2026-01-31\",\n\"prices\":[\n%s\n]}", rows[i].row);
      g_autoptr (GError) error = NULL;

      g_assert_null (reeve_price_list_parse (text, strlen (text), &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      if (!g_pattern_match_simple (rows[i].error, error->message))
        g_error ("row %u: %s", i, error->message);
    }
}

static void
test_prices_heads (void)
{
  static const char *const texts[]
      = { "",
          "[]",
          "{}",
          "{\"source\":\"s\",\"date\":\"2026-02-30\",\"prices\":[]}",
          "{\"source\":\"s\",\"date\":\"2026\",\"prices\":[]}",
          "{\"source\":\"\",\"date\":\"2026-01-31\",\"prices\":[]}",
          "{\"source\":\"s\",\"date\":\"2026-01-31\"}",
          "{\"source\":\"s\",\"date\":\"2026-01-31\",\"prices\":{}}",
          "{\"source\":\"s\",\"date\":\"2026-01-31\",\"prices\":[],\"more\":1}",
          "{\"source\":\"s\",\"source\":\"s\",\"date\":\"2026-01-31\",\"prices\":[]}" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (reeve_price_list_parse (texts[i], strlen (texts[i]), &error));
      g_assert_nonnull (error);
    }
}

/* All faults are told, not the first alone. */
static void
test_prices_all_faults (void)
{
  g_autoptr (JsonObject) file
      = parse ("{\"date\":\"2026-01-31\",\"prices\":[{\"model_name\":\"m\"},"
               "{\"model_name\":\"n\",\"input_token_price\":1}]}");
  g_autoptr (JsonArray) faults = json_array_new ();

  g_assert_null (reeve_price_list_new (file, faults, NULL));
  g_assert_cmpuint (json_array_get_length (faults), ==, 5);
}

static void
test_prices_place (void)
{
  static const char text[] = "\n{ \"a\" : \"}\\\"\" ,\n \"b/c\":[1,\n[ {\n\"x\":null } ], 2,\n3]}";
  static const struct
  {
    const char *pointer;
    guint line;
  } rows[] = { { "", 2 },        { "/a", 2 },          { "/b~1c", 3 },   { "/b~1c/1", 4 },
               { "/b~1c/3", 6 }, { "/b~1c/1/0/x", 5 }, { "/b~1c/9", 3 }, { "/none", 2 },
               { "/a/b", 2 },    { "/b~1c/x", 3 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpuint (reeve_json_place_line (text, sizeof text - 1, rows[i].pointer), ==,
                      rows[i].line);
}

/* ---- whose word counts ---- */

static gint64
input_of (ReevePrices *prices, const char *model)
{
  ReevePrice price = { 0 };

  return reeve_prices_find (prices, model, &price) ? price.input / 1000000 : -1;
}

static void
test_prices_order (void)
{
  g_autoptr (JsonObject) table
      = parse ("{\"local/a\":{\"input\":\"1\",\"output\":\"1\"},"
               "\"wide/*\":{\"input\":\"2\",\"output\":\"2\",\"currency\":\"EUR\"}}");
  g_autoptr (ReevePrices) prices = reeve_prices_new (table, NULL);
  g_autoptr (ReevePriceList) shipped
      = list_of (ROW ("a", ",\"service\":\"api.example.com\"") "," ROW ("both", ""));
  g_autoptr (ReevePriceList) imported = list_of (
      "{\"model_name\":\"both\",\"input_token_price\":\"7\",\"output_token_price\":\"7\"},"
      "{\"model_name\":\"cloud/own\",\"input_token_price\":\"0\","
      "\"output_token_price\":\"0\"}");

  reeve_prices_set_service (prices, "cloud", "API.example.com");
  g_assert_cmpint (input_of (prices, "cloud/a"), ==, -1);
  reeve_prices_set_list (prices, REEVE_PRICES_BUILT_IN, shipped, 1);
  g_assert_cmpint (input_of (prices, "local/a"), ==, 1000000);
  g_assert_cmpint (input_of (prices, "wide/whatever"), ==, 2000000);
  g_assert_cmpint (input_of (prices, "cloud/a"), ==, 25000);
  /* the same name, served by somebody else */
  g_assert_cmpint (input_of (prices, "elsewhere/a"), ==, -1);
  g_assert_cmpint (input_of (prices, "elsewhere/both"), ==, 25000);
  g_assert_cmpint (input_of (prices, "a"), ==, -1);
  g_assert_cmpint (input_of (prices, NULL), ==, -1);
  reeve_prices_set_list (prices, REEVE_PRICES_IMPORTED, imported, 1);
  g_assert_cmpint (input_of (prices, "elsewhere/both"), ==, 7000000);
  g_assert_cmpint (input_of (prices, "cloud/a"), ==, 25000);
  /* nothing is a price as well */
  g_assert_cmpint (input_of (prices, "cloud/own"), ==, 0);
  reeve_prices_set_list (prices, REEVE_PRICES_IMPORTED, NULL, 1);
  g_assert_cmpint (input_of (prices, "elsewhere/both"), ==, 25000);
  /* an older one that comes later */
  reeve_prices_set_list (prices, REEVE_PRICES_IMPORTED, imported, 0);
  g_assert_cmpint (input_of (prices, "elsewhere/both"), ==, 25000);
}

static void
test_prices_show (void)
{
  g_autoptr (JsonObject) table
      = parse ("{\"both\":{\"input\":\"1\",\"output\":\"0.000000000001\"}}");
  g_autoptr (ReevePrices) prices = reeve_prices_new (table, NULL);
  g_autoptr (ReevePriceList) shipped = list_of (ROW ("both", "") "," ROW ("a", ""));
  g_autoptr (ReevePriceList) imported = list_of (ROW ("a", "") "," ROW ("z", ""));
  g_autoptr (JsonArray) shown = NULL;
  JsonObject *row = NULL;
  g_autoptr (JsonObject) found = NULL;

  reeve_prices_set_list (prices, REEVE_PRICES_BUILT_IN, shipped, 1);
  reeve_prices_set_list (prices, REEVE_PRICES_IMPORTED, imported, 1);
  shown = reeve_prices_show (prices);
  g_assert_cmpuint (json_array_get_length (shown), ==, 3);
  row = json_array_get_object_element (shown, 0);
  g_assert_cmpstr (json_object_get_string_member (row, "model_name"), ==, "a");
  g_assert_cmpstr (json_object_get_string_member (row, "origin"), ==, "imported");
  g_assert_cmpstr (json_object_get_string_member (row, "input_token_price"), ==, "0.025");
  row = json_array_get_object_element (shown, 1);
  g_assert_cmpstr (json_object_get_string_member (row, "origin"), ==, "configuration");
  g_assert_cmpstr (json_object_get_string_member (row, "output_token_price"), ==, "0.000000000001");
  g_assert_true (reeve_prices_explain (prices, "p/z", &found));
  g_assert_cmpstr (json_object_get_string_member (found, "date"), ==, "2026-01-31");
  g_clear_pointer (&found, json_object_unref);
  g_assert_false (reeve_prices_explain (prices, "p/none", &found));
  g_assert_null (found);
}

/* Known to be nothing, until somebody says otherwise. */
static void
test_prices_embedded (void)
{
  g_autoptr (JsonObject) table = parse ("{\"mine/*\":{\"input\":\"1\",\"output\":\"1\"}}");
  g_autoptr (ReevePrices) prices = reeve_prices_new (table, NULL);
  g_autoptr (ReevePriceList) imported = list_of (ROW ("both", ""));
  g_autoptr (JsonArray) shown = NULL;
  g_autoptr (JsonObject) found = NULL;

  g_assert_cmpint (input_of (prices, "here/both"), ==, -1);
  reeve_prices_set_embedded (prices, "here");
  reeve_prices_set_embedded (prices, "mine");
  g_assert_cmpint (input_of (prices, "here/both"), ==, 0);
  g_assert_cmpint (input_of (prices, "mine/both"), ==, 1000000);
  g_assert_cmpint (input_of (prices, "hereabouts/both"), ==, -1);
  g_assert_false (reeve_prices_has_name (prices, "here/both"));
  g_assert_true (reeve_prices_explain (prices, "here/both", &found));
  g_assert_cmpstr (json_object_get_string_member (found, "origin"), ==, "embedded");
  shown = reeve_prices_show (prices);
  g_assert_cmpuint (json_array_get_length (shown), ==, 2);
  g_assert_cmpstr (
      json_object_get_string_member (json_array_get_object_element (shown, 0), "model_name"), ==,
      "here/*");
  reeve_prices_set_list (prices, REEVE_PRICES_IMPORTED, imported, 1);
  g_assert_cmpint (input_of (prices, "here/both"), ==, 25000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prices/file", test_prices_file);
  g_test_add_func ("/prices/faults", test_prices_faults);
  g_test_add_func ("/prices/heads", test_prices_heads);
  g_test_add_func ("/prices/all-faults", test_prices_all_faults);
  g_test_add_func ("/prices/place", test_prices_place);
  g_test_add_func ("/prices/order", test_prices_order);
  g_test_add_func ("/prices/show", test_prices_show);
  g_test_add_func ("/prices/embedded", test_prices_embedded);
  return g_test_run ();
}
