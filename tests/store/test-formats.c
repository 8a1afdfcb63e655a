/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stores that earlier formats left behind, one folder formats/N each: this version opens them and
 * finds everything. A change of the file format or of the host's migrations comes with a new
 * folder, made by `test-store-formats --make DIR` of the version before it; old folders are never
 * made again. */
#include "store/store.h"

#include "sqlite-storage.h"
#include "../helpers/test-tree.h"

#include <glib/gstdio.h>
#include <string.h>

#define LATEST_FORMAT 1

static ReeveStore *
open_store (const char *folder)
{
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;
  ReeveStore *store = reeve_store_new (storage);

  g_assert_true (reeve_store_open (store, folder, &error));
  g_assert_no_error (error);
  return store;
}

static void
add_user (ReeveBatch *batch, const char *id, const char *name, gint64 created_at)
{
  g_autoptr (JsonObject) user = json_object_new ();

  json_object_set_string_member (user, "username", name);
  json_object_set_string_member (user, "kind", "person");
  json_object_set_int_member (user, "created_at", created_at);
  reeve_batch_put (batch, REEVE_STORE_USERS, id, user, REEVE_REVISION_ABSENT);
}

static int
make (const char *folder)
{
  g_autoptr (ReeveStore) store = open_store (folder);
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (ReeveBatch) platform = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (JsonObject) tenant = json_object_new ();
  g_autoptr (GBytes) bytes = g_bytes_new_static ("{\"step\":1}", 10);
  g_autoptr (ReeveBatchResult) first = NULL;
  g_autoptr (ReeveBatchResult) second = NULL;

  g_assert_true (reeve_store_create_scope (store, "acme", NULL));
  json_object_set_string_member (tenant, "name", "Acme");
  json_object_set_int_member (tenant, "created_at", 1000);
  reeve_batch_put (platform, REEVE_STORE_TENANTS, "acme", tenant, REEVE_REVISION_ABSENT);
  first = reeve_store_commit (store, platform, NULL);
  add_user (batch, "usr_1", "ada", 2000);
  add_user (batch, "usr_2", "bob", 3000);
  reeve_batch_append (batch, "run/run_1", bytes, 1);
  reeve_batch_append (batch, "run/run_1", bytes, 2);
  reeve_batch_count (batch, "budget/org", 42, 0, 100);
  reeve_batch_push (batch, "jobs", "job_1", bytes, 5);
  reeve_batch_blob_put (batch, "document/doc_1/1", bytes);
  reeve_batch_text_put (batch, REEVE_STORE_CHUNKS, "doc_1", "1", "Pump", "Check the seal.", tenant);
  second = reeve_store_commit (store, batch, NULL);
  return first != NULL && second != NULL ? 0 : 1;
}

static void
check_records (ReeveStore *store)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveRecord) tenant
      = reeve_store_get (store, REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS, "acme", &error);
  g_autoptr (ReeveQuery) query = reeve_query_new ("acme", REEVE_STORE_USERS);
  g_autoptr (ReeveQueryResult) users = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (reeve_json_get_string (reeve_record_get_fields (tenant), "name", ""), ==,
                   "Acme");
  reeve_query_filter_string (query, "username", REEVE_FILTER_EQ, "bob");
  users = reeve_store_query (store, query, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reeve_query_result_get_records (users)->len, ==, 1);
}

static void
check_rest (ReeveStore *store)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries
      = reeve_store_read_stream (store, "acme", "run/run_1", 0, 10, &error);
  g_autoptr (GPtrArray) hits
      = reeve_store_search_text (store, "acme", REEVE_STORE_CHUNKS, "seal", NULL, 5, &error);
  g_autoptr (GBytes) blob = reeve_store_get_blob (store, "acme", "document/doc_1/1", &error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (ReeveBatchResult) result = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (entries->len, ==, 2);
  g_assert_cmpuint (hits->len, ==, 1);
  g_assert_cmpuint (g_bytes_get_size (blob), ==, 10);
  reeve_batch_count (batch, "budget/org", 1, 0, 100);
  reeve_batch_lease (batch, "jobs", 5, 10, 10);
  reeve_batch_append (batch, "run/run_1", blob, 3);
  result = reeve_store_commit (store, batch, &error);
  g_assert_no_error (error);
  g_assert_cmpint (reeve_batch_result_get_value (result, 0), ==, 43);
  g_assert_cmpint (reeve_batch_result_get_value (result, 1), ==, 1);
}

static void
test_format (gconstpointer data)
{
  g_autofree char *name = g_strdup_printf ("%d", GPOINTER_TO_INT (data));
  g_autofree char *kept
      = g_build_filename (g_getenv ("REEVE_SOURCE_DIR"), "tests", "store", "formats", name, NULL);
  g_autofree char *folder = g_dir_make_tmp ("reeve-format-XXXXXX", NULL);
  ReeveStore *store = NULL;

  test_tree_copy (kept, folder);
  store = open_store (folder);
  check_records (store);
  check_rest (store);
  reeve_store_close (store);
  g_object_unref (store);
  test_tree_remove (folder);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--make") == 0)
    return make (argv[2]);
  g_test_init (&argc, &argv, NULL);
  for (int format = 1; format <= LATEST_FORMAT; format++)
    {
      g_autofree char *path = g_strdup_printf ("/store/format/%d", format);

      g_test_add_data_func (path, GINT_TO_POINTER (format), test_format);
    }
  return g_test_run ();
}
