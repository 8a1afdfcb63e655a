/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The storage suite: migrations up and down, history, what is there after opening again. */
#include "storage-suite-private.h"

#include <string.h>

static guint
get_number (Suite *suite, const char *scope)
{
  g_autoptr (GError) error = NULL;
  guint number = 99;

  g_assert_true (reeve_storage_schema_number (suite->storage, scope, &number, &error));
  g_assert_no_error (error);
  return number;
}

static void
move_to (Suite *suite, guint number)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_storage_migrate (suite->storage, SUITE_SCOPE, number, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (get_number (suite, SUITE_SCOPE), ==, number);
}

/* "1up 2up" */
static char *
get_history (Suite *suite, const char *scope)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) history = reeve_storage_schema_history (suite->storage, scope, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < history->len; i++)
    {
      JsonObject *entry = g_ptr_array_index (history, i);
      gint64 now = g_get_real_time ();

      g_assert_cmpint (reeve_json_get_int (entry, "applied_at", 0), >,
                       now - 600 * G_TIME_SPAN_SECOND);
      g_assert_cmpint (reeve_json_get_int (entry, "applied_at", 0), <=, now);
      g_assert_cmpstr (reeve_json_get_string (entry, "summary", ""), !=, "");
      g_string_append_printf (text, "%s%" G_GINT64_FORMAT "%s", i == 0 ? "" : " ",
                              reeve_json_get_int (entry, "number", 0),
                              reeve_json_get_string (entry, "direction", "?"));
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_up_to_date (Suite *suite)
{
  g_autofree char *tenant = get_history (suite, SUITE_SCOPE);
  g_autofree char *platform = get_history (suite, REEVE_SCOPE_PLATFORM);

  g_assert_cmpuint (get_number (suite, SUITE_SCOPE), ==, 3);
  g_assert_cmpuint (get_number (suite, REEVE_SCOPE_PLATFORM), ==, 1);
  g_assert_cmpstr (tenant, ==, "1up 2up 3up");
  g_assert_cmpstr (platform, ==, "1up");
}

static void
test_down_and_up (Suite *suite)
{
  ReeveBatch *batch = NULL;
  g_autoptr (ReeveQuery) by_color = reeve_query_new (SUITE_SCOPE, "things");
  g_autoptr (ReeveQuery) by_spare = reeve_query_new (SUITE_SCOPE, "things");
  g_autoptr (JsonNode) yes = json_from_string ("true", NULL);
  g_autoptr (JsonObject) object = suite_object ("{\"label\":\"x\"}");
  g_autoptr (GError) error = NULL;
  g_autofree char *red = NULL;
  g_autofree char *spare = NULL;
  g_autofree char *history = NULL;
  g_autofree char *name = NULL;

  suite_put (suite, "things", "1", "{\"name\":\"n\",\"color\":\"red\",\"spare\":true}");
  suite_put (suite, "extras", "1", "{\"label\":\"gone\"}");
  move_to (suite, 1);

  /* what the later ones made is not there, the rest is */
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_put (batch, "extras", "2", object, REEVE_REVISION_ANY);
  suite_refuse (suite, batch, REEVE_ERROR_INVALID_ARGUMENT);
  reeve_query_filter_string (by_color, "color", REEVE_FILTER_EQ, "red");
  g_assert_null (reeve_storage_query (suite->storage, by_color, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  name = suite_get_member (suite, "things", "1", "color");
  g_assert_cmpstr (name, ==, "red");
  /* written meanwhile, a member of another type too: no field is declared */
  suite_put (suite, "things", "2", "{\"color\":\"red\",\"spare\":false}");
  suite_put (suite, "things", "3", "{\"color\":7}");

  /* a new field is filled from the records there are */
  move_to (suite, 3);
  red = suite_query_ids (suite, by_color, NULL);
  g_assert_cmpstr (red, ==, "1 2");
  reeve_query_filter (by_spare, "spare", REEVE_FILTER_EQ, yes);
  spare = suite_query_ids (suite, by_spare, NULL);
  g_assert_cmpstr (spare, ==, "1");
  g_assert_null (reeve_storage_get (suite->storage, SUITE_SCOPE, "extras", "1", NULL));
  history = get_history (suite, SUITE_SCOPE);
  g_assert_cmpstr (history, ==, "1up 2up 3up 3down 2down 2up 3up");
}

static void
test_down_to_nothing (Suite *suite)
{
  g_autofree char *name = NULL;

  suite_put (suite, "things", "1", "{\"name\":\"n\"}");
  move_to (suite, 0);
  g_assert_null (reeve_storage_get (suite->storage, SUITE_SCOPE, "things", "1", NULL));
  move_to (suite, 2);
  g_assert_null (reeve_storage_get (suite->storage, SUITE_SCOPE, "things", "1", NULL));
  suite_put (suite, "things", "1", "{\"name\":\"again\"}");
  name = suite_get_member (suite, "things", "1", "name");
  g_assert_cmpstr (name, ==, "again");
}

static void
test_unknown_number (Suite *suite)
{
  g_autoptr (GError) number = NULL;
  g_autoptr (GError) scope = NULL;

  g_assert_false (reeve_storage_migrate (suite->storage, SUITE_SCOPE, 4, &number));
  g_assert_error (number, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_assert_false (reeve_storage_migrate (suite->storage, "elsewhere", 1, &scope));
  g_assert_error (scope, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_assert_cmpuint (get_number (suite, SUITE_SCOPE), ==, 3);
}

static void
refuse_schema (Suite *suite, const ReeveStep *steps, guint number)
{
  const ReeveMigration migrations[] = { { number, "bad", steps }, { 0, NULL, NULL } };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_build_filename (suite->folder, "bad", NULL);
  g_autoptr (ReeveStorage) storage = suite->factory->make (suite->factory->data, &error);

  g_assert_no_error (error);
  g_assert_false (reeve_storage_open (storage, folder, suite_platform, migrations, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
}

static void
test_bad_schemas (Suite *suite)
{
  static const ReeveField one[] = { { "a", REEVE_FIELD_TEXT }, { NULL, REEVE_FIELD_TEXT } };
  static const ReeveField evil[] = { { "a\" TEXT", REEVE_FIELD_TEXT }, { NULL, REEVE_FIELD_TEXT } };
  static const ReeveField none[] = { { NULL, REEVE_FIELD_TEXT } };
  static const ReeveStep bad_name[]
      = { { REEVE_STEP_COLLECTION, "x y", one }, { REEVE_STEP_TEXT, NULL, NULL } };
  static const ReeveStep bad_field[]
      = { { REEVE_STEP_COLLECTION, "x", evil }, { REEVE_STEP_TEXT, NULL, NULL } };
  static const ReeveStep no_collection[]
      = { { REEVE_STEP_FIELD, "x", one }, { REEVE_STEP_TEXT, NULL, NULL } };
  static const ReeveStep twice[] = { { REEVE_STEP_COLLECTION, "x", one },
                                     { REEVE_STEP_COLLECTION, "x", one },
                                     { REEVE_STEP_TEXT, NULL, NULL } };
  static const ReeveStep bad_index[] = { { REEVE_STEP_COLLECTION, "x", none },
                                         { REEVE_STEP_INDEX, "x", one },
                                         { REEVE_STEP_TEXT, NULL, NULL } };
  static const ReeveStep good[]
      = { { REEVE_STEP_COLLECTION, "x", none }, { REEVE_STEP_TEXT, NULL, NULL } };

  refuse_schema (suite, bad_name, 1);
  refuse_schema (suite, bad_field, 1);
  refuse_schema (suite, no_collection, 1);
  refuse_schema (suite, twice, 1);
  refuse_schema (suite, bad_index, 1);
  refuse_schema (suite, good, 2);
}

static void
test_reopen (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("payload", 7);
  g_autoptr (GBytes) blob = NULL;
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GPtrArray) hits = NULL;
  g_autoptr (ReeveBatchResult) leased = NULL;
  g_autofree char *name = NULL;
  gint64 value = 0;

  suite_put (suite, "things", "1", "{\"name\":\"kept\"}");
  reeve_batch_count (batch, "c", 7, 0, 10);
  reeve_batch_append (batch, "s", bytes, 1);
  reeve_batch_push (batch, "q", "i", bytes, 0);
  reeve_batch_blob_put (batch, "b", bytes);
  reeve_batch_text_put (batch, "notes", "g", "k", "title", "some words", NULL);
  reeve_batch_result_unref (suite_commit (suite, batch));
  suite_close (suite);
  suite_open (suite);
  name = suite_get_member (suite, "things", "1", "name");
  g_assert_cmpstr (name, ==, "kept");
  g_assert_true (reeve_storage_get_counter (suite->storage, SUITE_SCOPE, "c", &value, NULL));
  g_assert_cmpint (value, ==, 7);
  entries = reeve_storage_read_stream (suite->storage, SUITE_SCOPE, "s", 0, 10, NULL);
  g_assert_cmpuint (entries->len, ==, 1);
  blob = reeve_storage_get_blob (suite->storage, SUITE_SCOPE, "b", NULL);
  g_assert_true (g_bytes_equal (blob, bytes));
  hits = reeve_storage_search_text (suite->storage, SUITE_SCOPE, "notes", "words", NULL, 5, NULL,
                                    NULL);
  g_assert_cmpuint (hits->len, ==, 1);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_lease (batch, "q", 5, 10, 10);
  leased = suite_commit (suite, batch);
  g_assert_cmpint (reeve_batch_result_get_value (leased, 0), ==, 1);
}

/* an older version of the program meets what a newer one wrote */
static void
test_too_new (Suite *suite)
{
  const ReeveMigration older[] = { suite_tenant[0], suite_tenant[1], { 0, NULL, NULL } };
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;

  suite_put (suite, "things", "1", "{\"name\":\"kept\"}");
  suite_close (suite);
  suite->storage = suite->factory->make (suite->factory->data, &error);
  g_assert_no_error (error);
  g_assert_true (reeve_storage_open (suite->storage, suite->folder, suite_platform, older, &error));
  g_assert_no_error (error);
  g_assert_null (reeve_storage_get (suite->storage, SUITE_SCOPE, "things", "1", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FORMAT_TOO_NEW);
  suite_close (suite);
  suite_open (suite);
  name = suite_get_member (suite, "things", "1", "name");
  g_assert_cmpstr (name, ==, "kept");
}

/* a downgrade: down with the newer version, then the older one works */
static void
test_downgrade (Suite *suite)
{
  const ReeveMigration older[] = { suite_tenant[0], { 0, NULL, NULL } };
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;

  suite_put (suite, "things", "1", "{\"name\":\"kept\"}");
  move_to (suite, 1);
  suite_close (suite);
  suite->storage = suite->factory->make (suite->factory->data, &error);
  g_assert_no_error (error);
  g_assert_true (reeve_storage_open (suite->storage, suite->folder, suite_platform, older, &error));
  name = suite_get_member (suite, "things", "1", "name");
  g_assert_cmpstr (name, ==, "kept");
  g_assert_cmpuint (get_number (suite, SUITE_SCOPE), ==, 1);
  suite_close (suite);
  suite_open (suite);
  g_assert_cmpuint (get_number (suite, SUITE_SCOPE), ==, 3);
}

/* two users of one folder would destroy each other's */
static void
test_taken (Suite *suite)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveStorage) storage = suite->factory->make (suite->factory->data, &error);

  g_assert_no_error (error);
  g_assert_false (
      reeve_storage_open (storage, suite->folder, suite_platform, suite_tenant, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_BUSY);
}

const SuiteCase suite_schema[] = {
  { "schema/up-to-date", test_up_to_date, FALSE },
  { "schema/down-and-up", test_down_and_up, FALSE },
  { "schema/down-to-nothing", test_down_to_nothing, FALSE },
  { "schema/unknown-number", test_unknown_number, FALSE },
  { "schema/bad", test_bad_schemas, FALSE },
  { "schema/reopen", test_reopen, TRUE },
  { "schema/too-new", test_too_new, TRUE },
  { "schema/downgrade", test_downgrade, TRUE },
  { "schema/taken", test_taken, TRUE },
  { NULL, NULL, FALSE },
};
