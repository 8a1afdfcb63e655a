/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStore over both storages: the host's schema, callbacks in the caller's context, errors. */
#include "store/store.h"

#include "memory-storage.h"
#include "sqlite-storage.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  char *folder;
  ReeveStore *store;
} Fixture;

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  GType (*const *get_type) (void) = data;
  g_autoptr (ReeveStorage) storage = g_object_new ((*get_type) (), NULL);
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("reeve-store-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->store = reeve_store_new (storage);
  g_assert_true (reeve_store_open (fixture->store, fixture->folder, &error));
  g_assert_no_error (error);
  g_assert_true (reeve_store_create_scope (fixture->store, "acme", &error));
  g_assert_no_error (error);
}

static void
fixture_remove (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);

  if (folder != NULL)
    for (const char *name = g_dir_read_name (folder); name != NULL; name = g_dir_read_name (folder))
      {
        g_autofree char *inner = g_build_filename (path, name, NULL);

        fixture_remove (inner);
      }
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  reeve_store_close (fixture->store);
  g_object_unref (fixture->store);
  fixture_remove (fixture->folder);
  g_free (fixture->folder);
}

static void
add_text (JsonObject *object, const char *name, const char *value)
{
  json_object_set_string_member (object, name, value);
}

/* every declared field of every collection takes what the host puts there */
static void
test_schema (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *scope, *collection, *json;
  } records[] = {
    { REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS, "{\"name\":\"Acme\",\"created_at\":1}" },
    { REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS,
      "{\"tenant_id\":\"acme\",\"user_id\":\"usr_1\",\"created_at\":1,\"expires_at\":2,\"revoked_"
      "at\":null}" },
    { REEVE_SCOPE_PLATFORM, REEVE_STORE_IDEMPOTENCY, "{\"expires_at\":1}" },
    { "acme", REEVE_STORE_USERS, "{\"username\":\"ada\",\"kind\":\"person\",\"created_at\":1}" },
    { "acme", REEVE_STORE_AGENTS, "{\"name\":\"a\",\"category\":\"c\",\"created_at\":1}" },
    { "acme", REEVE_STORE_AGENT_VERSIONS,
      "{\"agent_id\":\"agt_1\",\"version_number\":\"0.1.0\",\"status\":\"draft\",\"created_at\":"
      "1}" },
    { "acme", REEVE_STORE_DOCUMENTS,
      "{\"title\":\"t\",\"classification\":\"internal\",\"created_at\":1}" },
    { "acme", REEVE_STORE_RUNS,
      "{\"agent_id\":\"agt_1\",\"session_id\":\"ses_1\",\"user_id\":\"usr_1\",\"status\":"
      "\"running\","
      "\"created_at\":1,\"updated_at\":2}" },
    { "acme", REEVE_STORE_CONVERSATIONS,
      "{\"user_id\":\"usr_1\",\"agent_id\":\"agt_1\",\"created_at\":1,\"updated_at\":2,\"deleted\":"
      "false}" },
    { "acme", REEVE_STORE_IDEMPOTENCY, "{\"expires_at\":1}" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    {
      g_autoptr (JsonNode) node = json_from_string (records[i].json, NULL);
      g_autoptr (ReeveBatch) batch = reeve_batch_new (records[i].scope);
      g_autoptr (ReeveBatchResult) result = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (GList) members = json_object_get_members (json_node_get_object (node));
      gboolean exists = FALSE;

      reeve_batch_put (batch, records[i].collection, "x", json_node_get_object (node),
                       REEVE_REVISION_ABSENT);
      result = reeve_store_commit (fixture->store, batch, &error);
      g_assert_no_error (error);
      g_assert_true (reeve_store_exists (fixture->store, records[i].scope, records[i].collection,
                                         "x", &exists, &error));
      g_assert_true (exists);
      for (GList *member = members; member != NULL; member = member->next)
        {
          g_autoptr (ReeveQuery) query = reeve_query_new (records[i].scope, records[i].collection);
          g_autoptr (ReeveQueryResult) page = NULL;

          reeve_query_order (query, member->data, TRUE);
          page = reeve_store_query (fixture->store, query, &error);
          g_assert_no_error (error);
          g_assert_cmpuint (reeve_query_result_get_records (page)->len, ==, 1);
        }
    }
}

typedef struct
{
  GMainLoop *loop;
  GThread *thread;
  ReeveBatchResult *result;
  GError *error;
} Answer;

static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Answer *answer = user_data;

  answer->result = reeve_store_commit_finish (REEVE_STORE (source), result, &answer->error);
  answer->thread = g_thread_self ();
  g_main_loop_quit (answer->loop);
}

static void
commit_async (Fixture *fixture, ReeveBatch *batch, GCancellable *cancellable, Answer *answer)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  answer->loop = g_main_loop_new (context, FALSE);
  reeve_store_commit_async (fixture->store, batch, cancellable, on_committed, answer);
  g_main_loop_run (answer->loop);
  g_main_loop_unref (answer->loop);
  g_main_context_pop_thread_default (context);
  g_assert_true (answer->thread == g_thread_self ());
}

static void
test_commit_async (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (ReeveBatch) refused = reeve_batch_new ("acme");
  g_autoptr (JsonObject) user = json_object_new ();
  Answer good = { NULL };
  Answer bad = { NULL };

  add_text (user, "username", "ada");
  reeve_batch_put (batch, REEVE_STORE_USERS, "usr_1", user, REEVE_REVISION_ABSENT);
  commit_async (fixture, batch, NULL, &good);
  g_assert_no_error (good.error);
  g_assert_cmpint (reeve_batch_result_get_value (good.result, 0), ==, 1);
  reeve_batch_result_unref (good.result);

  reeve_batch_put (refused, REEVE_STORE_USERS, "usr_1", user, REEVE_REVISION_ABSENT);
  commit_async (fixture, refused, NULL, &bad);
  g_assert_error (bad.error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
  g_assert_true (g_str_has_prefix (bad.error->message, "committing to scope acme: "));
  g_assert_null (bad.result);
  g_error_free (bad.error);
}

static void
test_cancelled (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gint64 value = -1;
  Answer answer = { NULL };

  reeve_batch_count (batch, "c", 1, 0, 10);
  g_cancellable_cancel (cancellable);
  commit_async (fixture, batch, cancellable, &answer);
  g_assert_error (answer.error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_error_free (answer.error);
  g_assert_true (reeve_storage_get_counter (reeve_store_get_storage (fixture->store), "acme", "c",
                                            &value, NULL));
  g_assert_cmpint (value, ==, 0);
}

/* every function, where there is something and where there is not */
static void
test_reading (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GPtrArray) hits = NULL;
  g_autoptr (GBytes) blob = NULL;
  gboolean exists = TRUE;

  reeve_batch_append (batch, "run/run_1", bytes, 1);
  reeve_batch_blob_put (batch, "document/doc_1/1", bytes);
  reeve_batch_text_put (batch, REEVE_STORE_CHUNKS, "doc_1", "1", "Title", "some words", NULL);
  result = reeve_store_commit (fixture->store, batch, &error);
  g_assert_no_error (error);
  entries = reeve_store_read_stream (fixture->store, "acme", "run/run_1", 0, 10, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (entries->len, ==, 1);
  blob = reeve_store_get_blob (fixture->store, "acme", "document/doc_1/1", &error);
  g_assert_no_error (error);
  hits = reeve_store_search_text (fixture->store, "acme", REEVE_STORE_CHUNKS, "words", NULL, 5,
                                  &error);
  g_assert_no_error (error);
  g_assert_cmpuint (hits->len, ==, 1);

  g_assert_true (
      reeve_store_exists (fixture->store, "acme", REEVE_STORE_USERS, "none", &exists, &error));
  g_assert_false (exists);
  g_assert_true (
      reeve_store_exists (fixture->store, "elsewhere", REEVE_STORE_USERS, "x", &exists, &error));
  g_assert_false (exists);
  g_assert_false (reeve_store_exists (fixture->store, "acme", "undeclared", "x", &exists, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (reeve_store_read_stream (fixture->store, "elsewhere", "s", 0, 1, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_assert_true (g_str_has_prefix (error->message, "reading stream s: "));
  g_clear_error (&error);
  g_assert_null (reeve_store_get_blob (fixture->store, "acme", "none", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (reeve_store_search_text (fixture->store, "acme", "none", "x", NULL, 5, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
}

static void
test_scopes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) scopes = NULL;

  g_assert_false (reeve_store_create_scope (fixture->store, "acme", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
  g_clear_error (&error);
  g_assert_true (reeve_store_has_scope (fixture->store, "acme"));
  scopes = reeve_store_list_scopes (fixture->store, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (scopes[0], ==, "acme");
  g_assert_null (scopes[1]);
  g_assert_true (reeve_store_drop_scope (fixture->store, "acme", &error));
  g_assert_false (reeve_store_drop_scope (fixture->store, "acme", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

static GType (*const get_memory) (void) = memory_storage_get_type;
static GType (*const get_sqlite) (void) = sqlite_storage_get_type;

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    GType (*const *get_type) (void);
  } storages[] = { { "memory", &get_memory }, { "sqlite", &get_sqlite } };
  static const struct
  {
    const char *name;
    void (*func) (Fixture *fixture, gconstpointer data);
  } cases[] = {
    { "schema", test_schema },       { "commit-async", test_commit_async },
    { "cancelled", test_cancelled }, { "reading", test_reading },
    { "scopes", test_scopes },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint s = 0; s < G_N_ELEMENTS (storages); s++)
    for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
      {
        g_autofree char *path = g_strdup_printf ("/store/%s/%s", storages[s].name, cases[i].name);

        g_test_add (path, Fixture, storages[s].get_type, fixture_set_up, cases[i].func,
                    fixture_tear_down);
      }
  return g_test_run ();
}
