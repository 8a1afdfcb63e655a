/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The storage suite: records, preconditions, atomicity, counters. */
#include "storage-suite-private.h"

#include <string.h>

static gint64
suite_put_expecting (Suite *suite, const char *id, const char *json, gint64 expected)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (JsonObject) object = suite_object (json);
  guint position = reeve_batch_put (batch, "things", id, object, expected);
  g_autoptr (ReeveBatchResult) result = suite_commit (suite, batch);

  return reeve_batch_result_get_value (result, position);
}

static void
test_put_and_get (Suite *suite)
{
  const char *json
      = "{\"name\":\"pump \\u00e9\",\"size\":-7,\"weight\":2.5,\"live\":true,\"at\":null,"
        "\"free\":{\"deep\":[1,\"two\",null,{\"x\":9007199254740993}]}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveRecord) record = NULL;
  g_autoptr (JsonObject) want = suite_object (json);
  g_autoptr (JsonNode) want_node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) got_node = json_node_new (JSON_NODE_OBJECT);

  g_assert_cmpint (suite_put_expecting (suite, "a/b c\"'", json, REEVE_REVISION_ABSENT), ==, 1);
  record = reeve_storage_get (suite->storage, SUITE_SCOPE, "things", "a/b c\"'", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (reeve_record_get_id (record), ==, "a/b c\"'");
  g_assert_cmpint (reeve_record_get_revision (record), ==, 1);
  json_node_set_object (want_node, want);
  json_node_set_object (got_node, reeve_record_get_fields (record));
  g_assert_true (json_node_equal (want_node, got_node));
}

static void
test_get_absent (Suite *suite)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) undeclared = NULL;
  g_autoptr (GError) foreign = NULL;

  g_assert_null (reeve_storage_get (suite->storage, SUITE_SCOPE, "things", "nope", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_assert_null (reeve_storage_get (suite->storage, SUITE_SCOPE, "nothing", "a", &undeclared));
  g_assert_error (undeclared, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_assert_null (reeve_storage_get (suite->storage, "elsewhere", "things", "a", &foreign));
  g_assert_error (foreign, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

static void
test_revisions (Suite *suite)
{
  g_autofree char *name = NULL;

  g_assert_cmpint (suite_put_expecting (suite, "r", "{\"name\":\"1\"}", REEVE_REVISION_ABSENT), ==,
                   1);
  g_assert_cmpint (suite_put_expecting (suite, "r", "{\"name\":\"2\"}", 1), ==, 2);
  g_assert_cmpint (suite_put_expecting (suite, "r", "{\"name\":\"3\"}", REEVE_REVISION_ANY), ==, 3);
  g_assert_cmpint (suite_put_expecting (suite, "s", "{\"name\":\"1\"}", REEVE_REVISION_ANY), ==, 1);
  name = suite_get_member (suite, "things", "r", "name");
  g_assert_cmpstr (name, ==, "3");
}

static void
test_refused_put (Suite *suite, const char *id, gint64 expected, ReeveError code)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (JsonObject) object = suite_object ("{\"name\":\"never\"}");

  reeve_batch_put (batch, "things", id, object, expected);
  suite_refuse (suite, batch, code);
}

static void
test_preconditions (Suite *suite)
{
  g_autofree char *name = NULL;
  ReeveBatch *batch = NULL;

  suite_put (suite, "things", "p", "{\"name\":\"kept\"}");
  test_refused_put (suite, "p", REEVE_REVISION_ABSENT, REEVE_ERROR_ALREADY_EXISTS);
  test_refused_put (suite, "p", 2, REEVE_ERROR_CONFLICT);
  test_refused_put (suite, "q", 1, REEVE_ERROR_NOT_FOUND);
  test_refused_put (suite, "q", -2, REEVE_ERROR_INVALID_ARGUMENT);

  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_check (batch, "things", "p", 1);
  reeve_batch_check (batch, "things", "p", REEVE_REVISION_ANY);
  reeve_batch_check (batch, "things", "q", REEVE_REVISION_ABSENT);
  reeve_batch_result_unref (suite_commit (suite, batch));

  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_check (batch, "things", "q", REEVE_REVISION_ANY);
  suite_refuse (suite, batch, REEVE_ERROR_NOT_FOUND);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_check (batch, "things", "p", 7);
  suite_refuse (suite, batch, REEVE_ERROR_CONFLICT);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_check (batch, "things", "p", REEVE_REVISION_ABSENT);
  suite_refuse (suite, batch, REEVE_ERROR_ALREADY_EXISTS);
  name = suite_get_member (suite, "things", "p", "name");
  g_assert_cmpstr (name, ==, "kept");
}

static void
test_delete (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;

  suite_put (suite, "things", "d", "{}");
  reeve_batch_delete (batch, "things", "d", 2);
  suite_refuse (suite, batch, REEVE_ERROR_CONFLICT);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_delete (batch, "things", "e", 1);
  suite_refuse (suite, batch, REEVE_ERROR_NOT_FOUND);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_delete (batch, "things", "d", 1);
  reeve_batch_delete (batch, "things", "e", REEVE_REVISION_ANY);
  result = suite_commit (suite, batch);
  g_assert_cmpint (reeve_batch_result_get_value (result, 0), ==, 1);
  g_assert_cmpint (reeve_batch_result_get_value (result, 1), ==, 0);
  g_assert_null (reeve_storage_get (suite->storage, SUITE_SCOPE, "things", "d", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  /* a new life begins with revision 1 */
  g_assert_cmpint (suite_put_expecting (suite, "d", "{}", REEVE_REVISION_ABSENT), ==, 1);
}

static void
test_wrong_types (Suite *suite)
{
  static const char *const bad[]
      = { "{\"name\":1}", "{\"size\":\"1\"}", "{\"size\":1.5}", "{\"weight\":\"\"}",
          "{\"live\":1}", "{\"at\":{}}",      "{\"name\":[]}" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
      g_autoptr (JsonObject) object = suite_object (bad[i]);

      reeve_batch_put (batch, "things", "w", object, REEVE_REVISION_ANY);
      suite_refuse (suite, batch, REEVE_ERROR_INVALID_ARGUMENT);
    }
  /* an integer is a real number too */
  suite_put (suite, "things", "w", "{\"weight\":3}");
}

/* every kind of operation before one that is refused: nothing of it may stand */
static void
test_all_or_nothing (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (JsonObject) object = suite_object ("{\"name\":\"x\"}");
  g_autoptr (GBytes) bytes = g_bytes_new_static ("b", 1);
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GPtrArray) hits = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;
  gint64 value = -1;

  suite_put (suite, "things", "old", "{\"name\":\"old\"}");
  reeve_batch_put (batch, "things", "new", object, REEVE_REVISION_ANY);
  reeve_batch_put (batch, "things", "old", object, 1);
  reeve_batch_delete (batch, "things", "old", REEVE_REVISION_ANY);
  reeve_batch_count (batch, "c", 5, 0, 10);
  reeve_batch_append (batch, "s", bytes, REEVE_REVISION_ANY);
  reeve_batch_push (batch, "q", "i", bytes, 0);
  reeve_batch_blob_put (batch, "b", bytes);
  reeve_batch_text_put (batch, "notes", "g", "k", "title", "words", NULL);
  reeve_batch_check (batch, "things", "missing", 3);
  suite_refuse (suite, batch, REEVE_ERROR_NOT_FOUND);

  g_assert_null (reeve_storage_get (suite->storage, SUITE_SCOPE, "things", "new", NULL));
  g_free (suite_get_member (suite, "things", "old", "name"));
  g_assert_true (reeve_storage_get_counter (suite->storage, SUITE_SCOPE, "c", &value, NULL));
  g_assert_cmpint (value, ==, 0);
  entries = reeve_storage_read_stream (suite->storage, SUITE_SCOPE, "s", 0, 10, NULL);
  g_assert_cmpuint (entries->len, ==, 0);
  g_assert_null (reeve_storage_get_blob (suite->storage, SUITE_SCOPE, "b", NULL));
  hits = reeve_storage_search_text (suite->storage, SUITE_SCOPE, "notes", "words", NULL, 10, NULL,
                                    NULL);
  g_assert_cmpuint (hits->len, ==, 0);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_lease (batch, "q", 10, 100, 100);
  result = suite_commit (suite, batch);
  g_assert_null (reeve_batch_result_get_leases (result, 0));
}

/* operations of one batch see each other */
static void
test_batch_in_order (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (JsonObject) object = suite_object ("{\"name\":\"x\"}");
  g_autoptr (ReeveBatchResult) result = NULL;

  reeve_batch_put (batch, "things", "o", object, REEVE_REVISION_ABSENT);
  reeve_batch_put (batch, "things", "o", object, 1);
  reeve_batch_check (batch, "things", "o", 2);
  reeve_batch_delete (batch, "things", "o", 2);
  reeve_batch_put (batch, "things", "o", object, REEVE_REVISION_ABSENT);
  reeve_batch_count (batch, "n", 3, 0, 10);
  reeve_batch_count (batch, "n", -1, 0, 10);
  g_assert_cmpuint (reeve_batch_get_length (batch), ==, 7);
  result = suite_commit (suite, batch);
  g_assert_cmpint (reeve_batch_result_get_value (result, 1), ==, 2);
  g_assert_cmpint (reeve_batch_result_get_value (result, 4), ==, 1);
  g_assert_cmpint (reeve_batch_result_get_value (result, 6), ==, 2);
}

static void
test_bounds (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (JsonObject) object = suite_object ("{}");
  g_autofree char *name = g_strnfill (513, 'x');

  reeve_batch_put (batch, "things", "", object, REEVE_REVISION_ANY);
  suite_refuse (suite, batch, REEVE_ERROR_INVALID_ARGUMENT);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_put (batch, "things", name, object, REEVE_REVISION_ANY);
  suite_refuse (suite, batch, REEVE_ERROR_INVALID_ARGUMENT);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_put (batch, "things", "\xff", object, REEVE_REVISION_ANY);
  suite_refuse (suite, batch, REEVE_ERROR_INVALID_ARGUMENT);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_put (batch, "nothing", "a", object, REEVE_REVISION_ANY);
  suite_refuse (suite, batch, REEVE_ERROR_INVALID_ARGUMENT);
  batch = reeve_batch_new ("elsewhere");
  reeve_batch_put (batch, "things", "a", object, REEVE_REVISION_ANY);
  suite_refuse (suite, batch, REEVE_ERROR_NOT_FOUND);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_lease (batch, "q", 0, 0, 1);
  suite_refuse (suite, batch, REEVE_ERROR_INVALID_ARGUMENT);
  /* a batch without operations is fine */
  reeve_batch_result_unref (suite_commit (suite, reeve_batch_new (SUITE_SCOPE)));
}

static void
test_counters (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (ReeveBatchResult) result = NULL;
  gint64 value = -1;

  reeve_batch_count (batch, "c", 8, 0, 10);
  result = suite_commit (suite, batch);
  g_assert_cmpint (reeve_batch_result_get_value (result, 0), ==, 8);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_count (batch, "c", 3, 0, 10);
  suite_refuse (suite, batch, REEVE_ERROR_OUT_OF_RANGE);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_count (batch, "c", -9, 0, 10);
  suite_refuse (suite, batch, REEVE_ERROR_OUT_OF_RANGE);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_count (batch, "c", G_MAXINT64, G_MININT64, G_MAXINT64);
  suite_refuse (suite, batch, REEVE_ERROR_OUT_OF_RANGE);
  g_assert_true (reeve_storage_get_counter (suite->storage, SUITE_SCOPE, "c", &value, NULL));
  g_assert_cmpint (value, ==, 8);
  g_assert_true (reeve_storage_get_counter (suite->storage, SUITE_SCOPE, "none", &value, NULL));
  g_assert_cmpint (value, ==, 0);
  g_assert_false (reeve_storage_get_counter (suite->storage, "elsewhere", "c", &value, NULL));
}

#define RACE_THREADS 8
#define RACE_ROUNDS  60
#define RACE_LIMIT   300

typedef struct
{
  ReeveStorage *storage;
  gint won;    /* atomic */
  gint lost;   /* atomic */
  gint unseen; /* atomic: acknowledged, but not there for a reader that began afterwards */
} Race;

static gpointer
test_race_thread (gpointer data)
{
  Race *race = data;

  for (guint i = 0; i < RACE_ROUNDS; i++)
    {
      g_autoptr (ReeveBatch) batch = reeve_batch_new (SUITE_SCOPE);
      g_autoptr (ReeveBatchResult) result = NULL;
      g_autoptr (GError) error = NULL;
      gint64 value = 0;

      reeve_batch_count (batch, "budget", 1, 0, RACE_LIMIT);
      result = reeve_storage_commit (race->storage, batch, &error);
      if (result == NULL)
        {
          g_assert_error (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE);
          g_atomic_int_inc (&race->lost);
          continue;
        }
      g_atomic_int_inc (&race->won);
      g_assert_true (
          reeve_storage_get_counter (race->storage, SUITE_SCOPE, "budget", &value, NULL));
      if (value < reeve_batch_result_get_value (result, 0))
        g_atomic_int_inc (&race->unseen);
    }
  return NULL;
}

static void
test_counter_race (Suite *suite)
{
  Race race = { .storage = suite->storage };
  GThread *threads[RACE_THREADS] = { NULL };
  gint64 value = 0;

  for (guint i = 0; i < RACE_THREADS; i++)
    threads[i] = g_thread_new ("race", test_race_thread, &race);
  for (guint i = 0; i < RACE_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (race.won, ==, RACE_LIMIT);
  g_assert_cmpint (race.lost, ==, RACE_THREADS * RACE_ROUNDS - RACE_LIMIT);
  g_assert_cmpint (race.unseen, ==, 0);
  g_assert_true (reeve_storage_get_counter (suite->storage, SUITE_SCOPE, "budget", &value, NULL));
  g_assert_cmpint (value, ==, RACE_LIMIT);
}

/* the object that a batch was given may be changed afterwards, from any thread */
static void
test_batch_copies (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (JsonObject) object = suite_object ("{\"name\":\"before\",\"free\":{\"a\":[1]}}");
  g_autofree char *name = NULL;

  reeve_batch_put (batch, "things", "copy", object, REEVE_REVISION_ANY);
  json_object_set_string_member (object, "name", "after");
  json_object_remove_member (object, "free");
  reeve_batch_result_unref (suite_commit (suite, batch));
  name = suite_get_member (suite, "things", "copy", "name");
  g_assert_cmpstr (name, ==, "before");
}

const SuiteCase suite_records[] = {
  { "records/put-and-get", test_put_and_get, FALSE },
  { "records/absent", test_get_absent, FALSE },
  { "records/revisions", test_revisions, FALSE },
  { "records/preconditions", test_preconditions, FALSE },
  { "records/delete", test_delete, FALSE },
  { "records/wrong-types", test_wrong_types, FALSE },
  { "batches/all-or-nothing", test_all_or_nothing, FALSE },
  { "batches/in-order", test_batch_in_order, FALSE },
  { "batches/bounds", test_bounds, FALSE },
  { "batches/copies", test_batch_copies, FALSE },
  { "counters/bounds", test_counters, FALSE },
  { "counters/race", test_counter_race, FALSE },
  { NULL, NULL, FALSE },
};
