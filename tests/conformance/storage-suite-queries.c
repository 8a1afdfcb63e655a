/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The storage suite: filters, order, paging. */
#include "storage-suite-private.h"

#include <string.h>

static void
fill_things (Suite *suite)
{
  suite_put (suite, "things", "a",
             "{\"name\":\"pump\",\"size\":1,\"weight\":0.5,\"live\":true,\"at\":10}");
  suite_put (suite, "things", "b",
             "{\"name\":\"pumpkin\",\"size\":2,\"weight\":1,\"live\":false,\"at\":20}");
  suite_put (suite, "things", "c",
             "{\"name\":\"Pump\",\"size\":-3,\"weight\":-1.5,\"live\":true,\"at\":20}");
  suite_put (suite, "things", "d", "{\"name\":\"puma\",\"size\":4,\"live\":false,\"at\":30}");
  suite_put (suite, "things", "e", "{\"size\":5}");
  suite_put (suite, "things", "f", "{\"name\":null,\"at\":null}");
}

typedef struct
{
  const char *field;
  ReeveFilterOp op;
  const char *value;
  const char *want;
} Filter;

static const Filter filters[] = {
  { "name", REEVE_FILTER_EQ, "\"pump\"", "a" },
  { "name", REEVE_FILTER_LT, "\"puma\"", "c" },
  { "name", REEVE_FILTER_LE, "\"puma\"", "c d" },
  { "name", REEVE_FILTER_GT, "\"pump\"", "b" },
  { "name", REEVE_FILTER_GE, "\"pump\"", "a b" },
  { "name", REEVE_FILTER_PREFIX, "\"pum\"", "a b d" },
  { "name", REEVE_FILTER_PREFIX, "\"pumpk\"", "b" },
  { "name", REEVE_FILTER_PREFIX, "\"\"", "a b c d" },
  { "name", REEVE_FILTER_PREFIX, "\"%\"", "" },
  { "name", REEVE_FILTER_IN, "[\"Pump\",\"puma\",\"no\"]", "c d" },
  { "name", REEVE_FILTER_IN, "[]", "" },
  { "name", REEVE_FILTER_EQ, "\"' OR 1=1 --\"", "" },
  { "size", REEVE_FILTER_EQ, "-3", "c" },
  { "size", REEVE_FILTER_LT, "2", "a c" },
  { "size", REEVE_FILTER_LE, "2", "a b c" },
  { "size", REEVE_FILTER_GT, "2", "d e" },
  { "size", REEVE_FILTER_GE, "2", "b d e" },
  { "size", REEVE_FILTER_IN, "[1,5,9]", "a e" },
  { "weight", REEVE_FILTER_EQ, "1", "b" },
  { "weight", REEVE_FILTER_EQ, "0.5", "a" },
  { "weight", REEVE_FILTER_LT, "0", "c" },
  { "weight", REEVE_FILTER_IN, "[1,-1.5]", "b c" },
  { "live", REEVE_FILTER_EQ, "true", "a c" },
  { "live", REEVE_FILTER_EQ, "false", "b d" },
  { "live", REEVE_FILTER_IN, "[true,false]", "a b c d" },
  { "@id", REEVE_FILTER_EQ, "\"b\"", "b" },
  { "@id", REEVE_FILTER_GE, "\"e\"", "e f" },
  { "@id", REEVE_FILTER_PREFIX, "\"a\"", "a" },
  { "@id", REEVE_FILTER_IN, "[\"f\",\"a\"]", "a f" },
};

static void
test_filters (Suite *suite)
{
  fill_things (suite);
  for (guint i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
      g_autoptr (JsonNode) value = json_from_string (filters[i].value, NULL);
      g_autofree char *ids = NULL;

      reeve_query_filter (query, filters[i].field, filters[i].op, value);
      ids = suite_query_ids (suite, query, NULL);
      g_test_message ("filter %u: %s %d %s", i, filters[i].field, filters[i].op, filters[i].value);
      g_assert_cmpstr (ids, ==, filters[i].want);
    }
}

static void
test_filters_together (Suite *suite)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  g_autofree char *ids = NULL;
  g_autofree char *none = NULL;

  fill_things (suite);
  reeve_query_filter_int (query, "at", REEVE_FILTER_GE, 10);
  reeve_query_filter_int (query, "at", REEVE_FILTER_LT, 30);
  reeve_query_filter_string (query, "name", REEVE_FILTER_PREFIX, "pump");
  ids = suite_query_ids (suite, query, NULL);
  g_assert_cmpstr (ids, ==, "a b");
  reeve_query_filter_int (query, "size", REEVE_FILTER_EQ, 9);
  none = suite_query_ids (suite, query, NULL);
  g_assert_cmpstr (none, ==, "");
}

static void
test_refused (Suite *suite, ReeveQuery *query, ReeveError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_storage_query (suite->storage, query, NULL, &error));
  g_assert_error (error, REEVE_ERROR, (int) code);
  reeve_query_unref (query);
}

static void
test_bad_queries (Suite *suite)
{
  ReeveQuery *query = reeve_query_new (SUITE_SCOPE, "nothing");

  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
  query = reeve_query_new ("elsewhere", "things");
  test_refused (suite, query, REEVE_ERROR_NOT_FOUND);
  query = reeve_query_new (SUITE_SCOPE, "things");
  reeve_query_filter_string (query, "undeclared", REEVE_FILTER_EQ, "x");
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
  query = reeve_query_new (SUITE_SCOPE, "things");
  reeve_query_order (query, "undeclared", FALSE);
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
  query = reeve_query_new (SUITE_SCOPE, "things");
  reeve_query_filter_string (query, "size", REEVE_FILTER_EQ, "1");
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
  query = reeve_query_new (SUITE_SCOPE, "things");
  reeve_query_filter_int (query, "name", REEVE_FILTER_EQ, 1);
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
  query = reeve_query_new (SUITE_SCOPE, "things");
  reeve_query_filter_int (query, "size", REEVE_FILTER_IN, 1);
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
  query = reeve_query_new (SUITE_SCOPE, "things");
  reeve_query_filter_int (query, "size", REEVE_FILTER_PREFIX, 1);
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
  query = reeve_query_new (SUITE_SCOPE, "things");
  reeve_query_limit (query, 501);
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
  query = reeve_query_new (SUITE_SCOPE, "things");
  reeve_query_limit (query, 0);
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
  query = reeve_query_new (SUITE_SCOPE, "things");
  reeve_query_group_by (query, "name");
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
  query = reeve_query_new (SUITE_SCOPE, "things");
  for (const char *const *field
       = (const char *const[]){ "name", "size", "weight", "at", "color", NULL };
       *field != NULL; field++)
    reeve_query_filter_string (query, *field, REEVE_FILTER_EQ, "x");
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
}

/* all ids in pages of two, joined by " | " */
static char *
read_pages (Suite *suite, const char *order, gboolean descending)
{
  g_autoptr (GString) pages = g_string_new (NULL);
  g_autofree char *cursor = NULL;
  guint n = 0;

  do
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
      g_autofree char *ids = NULL;

      if (order != NULL)
        reeve_query_order (query, order, descending);
      reeve_query_limit (query, 2);
      ids = suite_query_ids (suite, query, &cursor);
      g_string_append_printf (pages, "%s%s", n == 0 ? "" : " | ", ids);
      g_assert_cmpuint (++n, <, 10);
    }
  while (cursor != NULL);
  return g_string_free (g_steal_pointer (&pages), FALSE);
}

static void
test_order_and_pages (Suite *suite)
{
  static const struct
  {
    const char *order;
    gboolean descending;
    const char *want;
  } orders[] = {
    { NULL, FALSE, "a b | c d | e f" },
    { "@id", TRUE, "f e | d c | b a" },
    { "at", FALSE, "a b | c d | e f" },
    /* ties by the id in the same direction, without the field last in both */
    { "at", TRUE, "d c | b a | f e" },
    { "name", FALSE, "c d | a b | e f" },
    { "name", TRUE, "b a | d c | f e" },
    { "weight", FALSE, "c a | b d | e f" },
    { "weight", TRUE, "b a | c f | e d" },
    { "size", FALSE, "c a | b d | e f" },
    { "live", FALSE, "b d | a c | e f" },
    { "live", TRUE, "c a | d b | f e" },
  };

  fill_things (suite);
  for (guint i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      g_autofree char *pages = read_pages (suite, orders[i].order, orders[i].descending);

      g_test_message ("order %u", i);
      g_assert_cmpstr (pages, ==, orders[i].want);
    }
}

/* what is added or removed between two pages moves nothing that was there all the time */
static void
test_stable_pages (Suite *suite)
{
  g_autofree char *cursor = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);

  fill_things (suite);
  reeve_query_order (query, "at", FALSE);
  reeve_query_limit (query, 2);
  first = suite_query_ids (suite, query, &cursor);
  g_assert_cmpstr (first, ==, "a b");
  suite_put (suite, "things", "a0", "{\"at\":5}");
  suite_put (suite, "things", "b0", "{\"at\":20}");
  reeve_batch_delete (batch, "things", "b", REEVE_REVISION_ANY);
  reeve_batch_delete (batch, "things", "a", REEVE_REVISION_ANY);
  reeve_batch_result_unref (suite_commit (suite, batch));
  second = suite_query_ids (suite, query, &cursor);
  g_assert_cmpstr (second, ==, "b0 c");
}

static void
test_bad_cursors (Suite *suite)
{
  static const char *const bad[]
      = { "", "x", "bm90IGpzb24=", "WzEsMiwzXQ==", "999999999999", "W10=" };
  g_autofree char *cursor = NULL;
  g_autoptr (ReeveQuery) by_name = reeve_query_new (SUITE_SCOPE, "things");
  ReeveQuery *query = NULL;

  fill_things (suite);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      query = reeve_query_new (SUITE_SCOPE, "things");
      reeve_query_cursor (query, bad[i]);
      test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
    }
  reeve_query_order (by_name, "name", FALSE);
  reeve_query_limit (by_name, 1);
  g_free (suite_query_ids (suite, by_name, &cursor));
  g_assert_nonnull (cursor);
  /* of another order */
  query = reeve_query_new (SUITE_SCOPE, "things");
  reeve_query_order (query, "size", FALSE);
  reeve_query_cursor (query, cursor);
  test_refused (suite, query, REEVE_ERROR_INVALID_ARGUMENT);
}

static void
test_cancelled (Suite *suite)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveQueryResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) search_error = NULL;

  fill_things (suite);
  result = reeve_storage_query (suite->storage, query, cancellable, &error);
  g_assert_no_error (error);
  g_cancellable_cancel (cancellable);
  g_assert_null (reeve_storage_query (suite->storage, query, cancellable, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_assert_null (reeve_storage_search_text (suite->storage, SUITE_SCOPE, "notes", "x", NULL, 5,
                                            cancellable, &search_error));
  g_assert_error (search_error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
}

/* a full page that is the last one has no cursor, whichever part it ends in */
static void
test_exact_pages (Suite *suite)
{
  g_autofree char *cursor = NULL;
  g_autofree char *ids = NULL;
  g_autofree char *more = NULL;
  g_autofree char *rest = NULL;
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  g_autoptr (ReeveQuery) named = reeve_query_new (SUITE_SCOPE, "things");

  fill_things (suite);
  reeve_query_limit (query, 6);
  ids = suite_query_ids (suite, query, &cursor);
  g_assert_cmpstr (ids, ==, "a b c d e f");
  g_assert_null (cursor);
  reeve_query_order (named, "name", FALSE);
  reeve_query_limit (named, 4);
  more = suite_query_ids (suite, named, &cursor);
  g_assert_cmpstr (more, ==, "c d a b");
  g_assert_nonnull (cursor);
  rest = suite_query_ids (suite, named, &cursor);
  g_assert_cmpstr (rest, ==, "e f");
  g_assert_null (cursor);
}

const SuiteCase suite_queries[] = {
  { "queries/filters", test_filters, FALSE },
  { "queries/filters-together", test_filters_together, FALSE },
  { "queries/bad", test_bad_queries, FALSE },
  { "queries/order-and-pages", test_order_and_pages, FALSE },
  { "queries/stable-pages", test_stable_pages, FALSE },
  { "queries/exact-pages", test_exact_pages, FALSE },
  { "queries/bad-cursors", test_bad_cursors, FALSE },
  { "queries/cancelled", test_cancelled, FALSE },
  { NULL, NULL, FALSE },
};
