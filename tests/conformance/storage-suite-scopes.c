/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The storage suite: scopes and their isolation. */
#include "storage-suite-private.h"

#include <string.h>

static void
test_isolation (Suite *suite)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("other");
  g_autoptr (JsonObject) object = suite_object ("{\"name\":\"theirs\"}");
  g_autoptr (GBytes) bytes = g_bytes_new_static ("theirs", 6);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (ReeveQuery) query = reeve_query_new (SUITE_SCOPE, "things");
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GPtrArray) hits = NULL;
  g_autofree char *ids = NULL;
  gint64 value = -1;

  g_assert_true (reeve_storage_create_scope (suite->storage, "other", &error));
  g_assert_no_error (error);
  reeve_batch_put (batch, "things", "t", object, REEVE_REVISION_ABSENT);
  reeve_batch_count (batch, "c", 1, 0, 10);
  reeve_batch_append (batch, "s", bytes, 1);
  reeve_batch_blob_put (batch, "b", bytes);
  reeve_batch_text_put (batch, "notes", "g", "k", NULL, "theirs", NULL);
  result = reeve_storage_commit (suite->storage, batch, &error);
  g_assert_no_error (error);

  g_assert_null (reeve_storage_get (suite->storage, SUITE_SCOPE, "things", "t", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  ids = suite_query_ids (suite, query, NULL);
  g_assert_cmpstr (ids, ==, "");
  g_assert_true (reeve_storage_get_counter (suite->storage, SUITE_SCOPE, "c", &value, NULL));
  g_assert_cmpint (value, ==, 0);
  entries = reeve_storage_read_stream (suite->storage, SUITE_SCOPE, "s", 0, 10, NULL);
  g_assert_cmpuint (entries->len, ==, 0);
  g_assert_null (reeve_storage_get_blob (suite->storage, SUITE_SCOPE, "b", NULL));
  hits = reeve_storage_search_text (suite->storage, SUITE_SCOPE, "notes", "theirs", NULL, 5, NULL,
                                    NULL);
  g_assert_cmpuint (hits->len, ==, 0);
}

static void
test_create (Suite *suite)
{
  static const char *const bad[]
      = { "", ".", "..", ".hidden", "a/b", "../x", "a b", "\xc3\xa9", "a\nb" };
  g_autofree char *longest = g_strnfill (128, 'x');
  g_autofree char *too_long = g_strnfill (129, 'x');
  g_autoptr (GError) twice = NULL;

  g_assert_false (reeve_storage_create_scope (suite->storage, SUITE_SCOPE, &twice));
  g_assert_error (twice, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (reeve_storage_create_scope (suite->storage, bad[i], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      g_assert_false (reeve_storage_has_scope (suite->storage, bad[i]));
    }
  g_assert_false (reeve_storage_create_scope (suite->storage, too_long, NULL));
  g_assert_false (reeve_storage_create_scope (suite->storage, REEVE_SCOPE_PLATFORM, NULL));
  g_assert_true (reeve_storage_create_scope (suite->storage, longest, NULL));
  g_assert_true (reeve_storage_has_scope (suite->storage, longest));
  g_assert_true (reeve_storage_has_scope (suite->storage, REEVE_SCOPE_PLATFORM));
  g_assert_false (reeve_storage_has_scope (suite->storage, "elsewhere"));
}

static void
test_list (Suite *suite)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) scopes = NULL;
  g_autofree char *text = NULL;

  g_assert_true (reeve_storage_create_scope (suite->storage, "b.c", NULL));
  g_assert_true (reeve_storage_create_scope (suite->storage, "Z", NULL));
  g_assert_true (reeve_storage_create_scope (suite->storage, "a-1", NULL));
  scopes = reeve_storage_list_scopes (suite->storage, &error);
  g_assert_no_error (error);
  text = g_strjoinv (" ", scopes);
  g_assert_cmpstr (text, ==, "Z a-1 acme b.c");
}

static void
test_drop (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = suite_object ("{}");
  g_auto (GStrv) scopes = NULL;

  suite_put (suite, "things", "t", "{}");
  g_assert_true (reeve_storage_drop_scope (suite->storage, SUITE_SCOPE, &error));
  g_assert_no_error (error);
  g_assert_false (reeve_storage_has_scope (suite->storage, SUITE_SCOPE));
  scopes = reeve_storage_list_scopes (suite->storage, NULL);
  g_assert_cmpuint (g_strv_length (scopes), ==, 0);
  reeve_batch_put (batch, "things", "t", object, REEVE_REVISION_ANY);
  suite_refuse (suite, batch, REEVE_ERROR_NOT_FOUND);
  g_assert_false (reeve_storage_drop_scope (suite->storage, SUITE_SCOPE, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_assert_false (reeve_storage_drop_scope (suite->storage, REEVE_SCOPE_PLATFORM, NULL));
  /* a new one of that name is empty */
  g_assert_true (reeve_storage_create_scope (suite->storage, SUITE_SCOPE, NULL));
  g_assert_null (reeve_storage_get (suite->storage, SUITE_SCOPE, "things", "t", NULL));
}

#define CHURN_THREADS 6

static gpointer
churn_thread (gpointer data)
{
  ReeveStorage *storage = data;

  for (guint i = 0; i < 25; i++)
    {
      g_autoptr (ReeveBatch) batch = reeve_batch_new ("churn");
      g_autoptr (ReeveBatchResult) result = NULL;
      g_autoptr (GError) error = NULL;

      reeve_storage_create_scope (storage, "churn", NULL);
      reeve_batch_count (batch, "c", 1, 0, 1000);
      result = reeve_storage_commit (storage, batch, &error);
      if (result == NULL)
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
      if (i % 5 == 4)
        reeve_storage_drop_scope (storage, "churn", NULL);
    }
  return NULL;
}

/* scopes come and go while others use them: an answer is right or "not found", nothing else */
static void
test_churn (Suite *suite)
{
  GThread *threads[CHURN_THREADS] = { NULL };

  for (guint i = 0; i < CHURN_THREADS; i++)
    threads[i] = g_thread_new ("churn", churn_thread, suite->storage);
  for (guint i = 0; i < CHURN_THREADS; i++)
    g_thread_join (threads[i]);
}

const SuiteCase suite_scopes[] = {
  { "scopes/isolation", test_isolation, FALSE }, { "scopes/create", test_create, FALSE },
  { "scopes/list", test_list, FALSE },           { "scopes/drop", test_drop, FALSE },
  { "scopes/churn", test_churn, FALSE },         { NULL, NULL, FALSE },
};
