/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The storage suite: aggregates, groups, time buckets. */
#include "storage-suite-private.h"

static void
fill_calls (Suite *suite)
{
  suite_put (suite, "things", "1",
             "{\"name\":\"x\",\"size\":10,\"weight\":0.25,\"live\":true,\"at\":-1}");
  suite_put (suite, "things", "2",
             "{\"name\":\"x\",\"size\":-4,\"weight\":0.5,\"live\":false,\"at\":0}");
  suite_put (suite, "things", "3", "{\"name\":\"y\",\"size\":7,\"live\":true,\"at\":59}");
  suite_put (suite, "things", "4", "{\"name\":\"y\",\"live\":true,\"at\":60}");
  suite_put (suite, "things", "5", "{\"at\":119}");
}

/* the groups as one JSON text */
static char *
run_groups (Suite *suite, ReeveQuery *query, char **cursor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveQueryResult) result = reeve_storage_query (suite->storage, query, NULL, &error);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();
  GPtrArray *groups = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (reeve_query_result_get_records (result)->len, ==, 0);
  groups = reeve_query_result_get_groups (result);
  for (guint i = 0; i < groups->len; i++)
    json_array_add_object_element (array, json_object_ref (g_ptr_array_index (groups, i)));
  json_node_take_array (node, array);
  if (cursor != NULL)
    *cursor = g_strdup (reeve_query_result_get_cursor (result));
  return reeve_json_canonical (node);
}

static void
test_totals (Suite *suite)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  g_autofree char *groups = NULL;

  fill_calls (suite);
  reeve_query_aggregate (query, REEVE_AGGREGATE_COUNT, NULL, "n");
  reeve_query_aggregate (query, REEVE_AGGREGATE_SUM, "size", "sum");
  reeve_query_aggregate (query, REEVE_AGGREGATE_MIN, "size", "min");
  reeve_query_aggregate (query, REEVE_AGGREGATE_MAX, "name", "max");
  reeve_query_aggregate (query, REEVE_AGGREGATE_SUM, "weight", "weight");
  groups = run_groups (suite, query, NULL);
  g_assert_cmpstr (groups, ==, "[{\"max\":\"y\",\"min\":-4,\"n\":5,\"sum\":13,\"weight\":0.75}]");
}

static void
test_nothing (Suite *suite)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  g_autoptr (ReeveQuery) grouped = reeve_query_new (SUITE_SCOPE, "things");
  g_autofree char *groups = NULL;
  g_autofree char *none = NULL;

  reeve_query_aggregate (query, REEVE_AGGREGATE_COUNT, NULL, "n");
  reeve_query_aggregate (query, REEVE_AGGREGATE_SUM, "size", "sum");
  reeve_query_aggregate (query, REEVE_AGGREGATE_MIN, "at", "min");
  groups = run_groups (suite, query, NULL);
  g_assert_cmpstr (groups, ==, "[{\"min\":null,\"n\":0,\"sum\":0}]");
  reeve_query_aggregate (grouped, REEVE_AGGREGATE_COUNT, NULL, "n");
  reeve_query_group_by (grouped, "name");
  none = run_groups (suite, grouped, NULL);
  g_assert_cmpstr (none, ==, "[]");
}

static void
test_groups (Suite *suite)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  g_autoptr (ReeveQuery) two = reeve_query_new (SUITE_SCOPE, "things");
  g_autofree char *groups = NULL;
  g_autofree char *by_two = NULL;

  fill_calls (suite);
  reeve_query_aggregate (query, REEVE_AGGREGATE_COUNT, NULL, "n");
  reeve_query_group_by (query, "name");
  groups = run_groups (suite, query, NULL);
  g_assert_cmpstr (groups, ==,
                   "[{\"n\":1,\"name\":null},{\"n\":2,\"name\":\"x\"},{\"n\":2,\"name\":\"y\"}]");
  reeve_query_filter_string (two, "name", REEVE_FILTER_EQ, "x");
  reeve_query_aggregate (two, REEVE_AGGREGATE_SUM, "size", "sum");
  reeve_query_group_by (two, "name");
  reeve_query_group_by (two, "live");
  by_two = run_groups (suite, two, NULL);
  g_assert_cmpstr (
      by_two, ==,
      "[{\"live\":false,\"name\":\"x\",\"sum\":-4},{\"live\":true,\"name\":\"x\",\"sum\":10}]");
}

static void
test_buckets (Suite *suite)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  g_autofree char *groups = NULL;

  fill_calls (suite);
  reeve_query_aggregate (query, REEVE_AGGREGATE_COUNT, NULL, "n");
  reeve_query_bucket (query, "at", 60);
  groups = run_groups (suite, query, NULL);
  /* floor, below zero too */
  g_assert_cmpstr (groups, ==, "[{\"at\":-60,\"n\":1},{\"at\":0,\"n\":2},{\"at\":60,\"n\":2}]");
}

static void
test_group_pages (Suite *suite)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  g_autofree char *cursor = NULL;
  g_autofree char *end = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  fill_calls (suite);
  reeve_query_aggregate (query, REEVE_AGGREGATE_COUNT, NULL, "n");
  reeve_query_group_by (query, "name");
  reeve_query_limit (query, 2);
  first = run_groups (suite, query, &cursor);
  g_assert_cmpstr (first, ==, "[{\"n\":1,\"name\":null},{\"n\":2,\"name\":\"x\"}]");
  g_assert_nonnull (cursor);
  reeve_query_cursor (query, cursor);
  second = run_groups (suite, query, &end);
  g_assert_cmpstr (second, ==, "[{\"n\":2,\"name\":\"y\"}]");
  g_assert_null (end);
}

static void
test_refused (Suite *suite, ReeveAggregateKind kind, const char *field, const char *bucket,
              ReeveError code)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  g_autoptr (GError) error = NULL;

  reeve_query_aggregate (query, kind, field, "v");
  if (bucket != NULL)
    reeve_query_bucket (query, bucket, 10);
  g_assert_null (reeve_storage_query (suite->storage, query, NULL, &error));
  g_assert_error (error, REEVE_ERROR, (int) code);
}

static void
test_bad (Suite *suite)
{
  test_refused (suite, REEVE_AGGREGATE_SUM, "name", NULL, REEVE_ERROR_INVALID_ARGUMENT);
  test_refused (suite, REEVE_AGGREGATE_SUM, "undeclared", NULL, REEVE_ERROR_INVALID_ARGUMENT);
  test_refused (suite, REEVE_AGGREGATE_SUM, NULL, NULL, REEVE_ERROR_INVALID_ARGUMENT);
  test_refused (suite, REEVE_AGGREGATE_COUNT, "size", NULL, REEVE_ERROR_INVALID_ARGUMENT);
  test_refused (suite, REEVE_AGGREGATE_COUNT, NULL, "name", REEVE_ERROR_INVALID_ARGUMENT);
  test_refused (suite, REEVE_AGGREGATE_COUNT, NULL, "undeclared", REEVE_ERROR_INVALID_ARGUMENT);
}

static void
test_overflow (Suite *suite)
{
  suite_put (suite, "things", "1", "{\"size\":9223372036854775807}");
  suite_put (suite, "things", "2", "{\"size\":1}");
  test_refused (suite, REEVE_AGGREGATE_SUM, "size", NULL, REEVE_ERROR_OUT_OF_RANGE);
}

const SuiteCase suite_aggregates[] = {
  { "aggregates/totals", test_totals, FALSE },     { "aggregates/nothing", test_nothing, FALSE },
  { "aggregates/groups", test_groups, FALSE },     { "aggregates/buckets", test_buckets, FALSE },
  { "aggregates/pages", test_group_pages, FALSE }, { "aggregates/bad", test_bad, FALSE },
  { "aggregates/overflow", test_overflow, FALSE }, { NULL, NULL, FALSE },
};
