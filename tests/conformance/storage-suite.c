/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one suite that every storage plugin has to pass: what the cases stand on. */
#include "storage-suite-private.h"

#include <glib/gstdio.h>
#include <string.h>

#define FIELDS(...) ((const ReeveField[]){ __VA_ARGS__, { NULL, REEVE_FIELD_TEXT } })

static const ReeveStep suite_platform_1[] = {
  { REEVE_STEP_COLLECTION, "registry", FIELDS ({ "name", REEVE_FIELD_TEXT }) },
  { REEVE_STEP_TEXT, NULL, NULL },
};

const ReeveMigration suite_platform[] = {
  { 1, "the registry", suite_platform_1 },
  { 0, NULL, NULL },
};

static const ReeveStep suite_tenant_1[] = {
  { REEVE_STEP_COLLECTION, "things",
    FIELDS ({ "name", REEVE_FIELD_TEXT }, { "size", REEVE_FIELD_INT },
            { "weight", REEVE_FIELD_REAL }, { "live", REEVE_FIELD_BOOLEAN },
            { "at", REEVE_FIELD_INT }) },
  { REEVE_STEP_INDEX, "things", FIELDS ({ "name", REEVE_FIELD_TEXT }) },
  { REEVE_STEP_INDEX, "things", FIELDS ({ "name", REEVE_FIELD_TEXT }, { "at", REEVE_FIELD_INT }) },
  { REEVE_STEP_INDEX, "things", FIELDS ({ "at", REEVE_FIELD_INT }) },
  { REEVE_STEP_TEXT, "notes", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};

static const ReeveStep suite_tenant_2[] = {
  { REEVE_STEP_FIELD, "things",
    FIELDS ({ "color", REEVE_FIELD_TEXT }, { "spare", REEVE_FIELD_BOOLEAN }) },
  { REEVE_STEP_INDEX, "things", FIELDS ({ "color", REEVE_FIELD_TEXT }) },
  { REEVE_STEP_TEXT, NULL, NULL },
};

static const ReeveStep suite_tenant_3[] = {
  { REEVE_STEP_COLLECTION, "extras", FIELDS ({ "label", REEVE_FIELD_TEXT }) },
  { REEVE_STEP_TEXT, "letters", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};

const ReeveMigration suite_tenant[] = {
  { 1, "things and notes", suite_tenant_1 },
  { 2, "the color of things", suite_tenant_2 },
  { 3, "extras and letters", suite_tenant_3 },
  { 0, NULL, NULL },
};

typedef struct
{
  const StorageSuiteFactory *factory;
  const SuiteCase *one;
} SuiteRun;

void
suite_open (Suite *suite)
{
  g_autoptr (GError) error = NULL;

  suite->storage = suite->factory->make (suite->factory->data, &error);
  g_assert_no_error (error);
  g_assert_true (
      reeve_storage_open (suite->storage, suite->folder, suite_platform, suite_tenant, &error));
  g_assert_no_error (error);
}

void
suite_close (Suite *suite)
{
  if (suite->storage != NULL)
    reeve_storage_close (suite->storage);
  g_clear_object (&suite->storage);
}

static void
suite_remove (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);

  if (folder != NULL)
    for (const char *name = g_dir_read_name (folder); name != NULL; name = g_dir_read_name (folder))
      {
        g_autofree char *inner = g_build_filename (path, name, NULL);

        suite_remove (inner);
      }
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
suite_run (gconstpointer data)
{
  const SuiteRun *run = data;
  g_autoptr (GError) error = NULL;
  Suite suite = { .factory = run->factory };

  suite.folder = g_dir_make_tmp ("reeve-storage-XXXXXX", &error);
  g_assert_no_error (error);
  if (suite.factory->begin != NULL)
    suite.factory->begin (suite.factory->data);
  suite_open (&suite);
  g_assert_true (reeve_storage_create_scope (suite.storage, SUITE_SCOPE, &error));
  g_assert_no_error (error);
  run->one->func (&suite);
  suite_close (&suite);
  suite_remove (suite.folder);
  g_free (suite.folder);
}

void
storage_suite_add (const char *prefix, const StorageSuiteFactory *factory)
{
  const SuiteCase *const lists[] = { suite_records, suite_queries, suite_aggregates, suite_ordered,
                                     suite_text,    suite_scopes,  suite_schema };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    for (const SuiteCase *one = lists[i]; one->path != NULL; one++)
      {
        g_autofree char *path = g_strdup_printf ("/%s/%s", prefix, one->path);
        SuiteRun *run = NULL;

        if (one->durable && !factory->durable)
          continue;
        run = g_new0 (SuiteRun, 1);
        run->factory = factory;
        run->one = one;
        g_test_add_data_func_full (path, run, suite_run, g_free);
      }
}

JsonObject *
suite_object (const char *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (json, strlen (json), &error);

  g_assert_no_error (error);
  return json_node_dup_object (node);
}

ReeveBatchResult *
suite_commit (Suite *suite, ReeveBatch *batch)
{
  g_autoptr (GError) error = NULL;
  ReeveBatchResult *result = reeve_storage_commit (suite->storage, batch, &error);

  g_assert_no_error (error);
  g_assert_nonnull (result);
  reeve_batch_unref (batch);
  return result;
}

void
suite_refuse (Suite *suite, ReeveBatch *batch, ReeveError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_storage_commit (suite->storage, batch, &error));
  g_assert_error (error, REEVE_ERROR, (int) code);
  reeve_batch_unref (batch);
}

void
suite_put (Suite *suite, const char *collection, const char *id, const char *json)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (JsonObject) object = suite_object (json);

  reeve_batch_put (batch, collection, id, object, REEVE_REVISION_ANY);
  reeve_batch_result_unref (suite_commit (suite, batch));
}

char *
suite_get_member (Suite *suite, const char *collection, const char *id, const char *member)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveRecord) record
      = reeve_storage_get (suite->storage, SUITE_SCOPE, collection, id, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (reeve_record_get_id (record), ==, id);
  return g_strdup (reeve_json_get_string (reeve_record_get_fields (record), member, "(none)"));
}

char *
suite_query_ids (Suite *suite, ReeveQuery *query, char **cursor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveQueryResult) result = NULL;
  g_autoptr (GString) ids = g_string_new (NULL);
  GPtrArray *records = NULL;

  if (cursor != NULL)
    reeve_query_cursor (query, *cursor);
  result = reeve_storage_query (suite->storage, query, NULL, &error);
  g_assert_no_error (error);
  records = reeve_query_result_get_records (result);
  for (guint i = 0; i < records->len; i++)
    g_string_append_printf (ids, "%s%s", i == 0 ? "" : " ",
                            reeve_record_get_id (g_ptr_array_index (records, i)));
  if (cursor != NULL)
    {
      g_free (*cursor);
      *cursor = g_strdup (reeve_query_result_get_cursor (result));
    }
  return g_string_free (g_steal_pointer (&ids), FALSE);
}
