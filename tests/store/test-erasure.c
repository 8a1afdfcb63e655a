/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tenant is erased: its store, its keys, and with them every copy of its store; begun, it is
 * ended after a crash at each step. */
#include "store/store.h"

#include "keys-fixture.h"
#include "sqlite-storage.h"

#include <glib/gstdio.h>
#include <string.h>

#define SECRET "the pelican flies at midnight"

typedef struct
{
  KeysFixture keys;
  char *folder;
  ReeveStore *store;
} Fixture;

static void
fixture_open (Fixture *fixture)
{
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;

  keys_fixture_open (&fixture->keys);
  fixture->store = reeve_store_new (storage);
  g_assert_true (reeve_store_set_keys (fixture->store, fixture->keys.keys, &error));
  g_assert_true (reeve_store_open (fixture->store, fixture->folder, &error));
  g_assert_no_error (error);
}

static void
fixture_close (Fixture *fixture)
{
  reeve_store_close (fixture->store);
  g_clear_object (&fixture->store);
  g_clear_object (&fixture->keys.keys);
}

static void
fixture_put (Fixture *fixture, const char *scope)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (scope);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *fields = json_object_new ();

  json_object_set_string_member (fields, "name", SECRET);
  reeve_batch_put (batch, REEVE_STORE_AGENTS, "agt_1", fields, REEVE_REVISION_ANY);
  json_object_unref (fields);
  result = reeve_store_commit (fixture->store, batch, &error);
  g_assert_no_error (error);
}

static gboolean
fixture_reads (Fixture *fixture, const char *scope)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (fixture->store, scope, REEVE_STORE_AGENTS, "agt_1", NULL);

  return record != NULL;
}

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  keys_fixture_set_up (&fixture->keys, NULL);
  g_clear_object (&fixture->keys.keys);
  fixture->folder = g_build_filename (fixture->keys.top, "store", NULL);
  fixture_open (fixture);
  for (guint i = 0; i < 2; i++)
    {
      const char *scope = i == 0 ? "acme" : "globex";

      g_assert_true (reeve_store_create_scope (fixture->store, scope, &error));
      g_assert_no_error (error);
      fixture_put (fixture, scope);
    }
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  fixture_close (fixture);
  keys_fixture_tear_down (&fixture->keys, NULL);
  g_free (fixture->folder);
}

/* @name below the store's folder */
static char *
fixture_read (Fixture *fixture, const char *name, gsize *length)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
  char *data = NULL;

  g_assert_true (g_file_get_contents (path, &data, length, NULL));
  return data;
}

static void
assert_gone (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_store_has_scope (fixture->store, "acme"));
  g_assert_false (fixture_reads (fixture, "acme"));
  g_assert_false (keys_fixture_has (&fixture->keys, "tenants/acme.key"));
  g_assert_false (keys_fixture_has (&fixture->keys, "tenants/acme.doom"));
  g_assert_false (reeve_store_drop_scope (fixture->store, "acme", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  /* nobody else is touched */
  g_assert_true (fixture_reads (fixture, "globex"));
}

static void
test_erased (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_store_drop_scope (fixture->store, "acme", &error));
  g_assert_no_error (error);
  assert_gone (fixture);
  /* one of that name is another one */
  g_assert_true (reeve_store_create_scope (fixture->store, "acme", &error));
  g_assert_no_error (error);
  g_assert_false (fixture_reads (fixture, "acme"));
  fixture_put (fixture, "acme");
  fixture_close (fixture);
  fixture_open (fixture);
  g_assert_true (fixture_reads (fixture, "acme"));
  g_assert_false (reeve_store_drop_scope (fixture->store, REEVE_SCOPE_PLATFORM, NULL));
  g_assert_true (keys_fixture_has (&fixture->keys, "platform.key"));
}

/* what a backup of the stores has is of no use any more */
static void
test_copies (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "tenants", "acme.db", NULL);
  g_autofree char *log_path = g_strconcat (path, "-wal", NULL);
  gsize length = 0;
  gsize log_length = 0;
  g_autofree char *copy = fixture_read (fixture, "tenants/acme.db", &length);
  g_autofree char *log = fixture_read (fixture, "tenants/acme.db-wal", &log_length);
  gboolean with_log = GPOINTER_TO_INT (data);

  g_assert_cmpuint (log_length, >, 0);
  g_assert_null (memmem (copy, length, SECRET, strlen (SECRET)));
  g_assert_null (memmem (log, log_length, SECRET, strlen (SECRET)));
  g_assert_true (reeve_store_drop_scope (fixture->store, "acme", NULL));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  fixture_close (fixture);
  g_assert_true (g_file_set_contents (path, copy, (gssize) length, NULL));
  if (with_log)
    g_assert_true (g_file_set_contents (log_path, log, (gssize) log_length, NULL));
  fixture_open (fixture);
  g_assert_false (fixture_reads (fixture, "acme"));
  g_assert_true (fixture_reads (fixture, "globex"));
}

/* each moment at which a crash may come, and the next start */
static void
test_cut_off (Fixture *fixture, gconstpointer data)
{
  guint steps = GPOINTER_TO_UINT (data);
  g_autofree char *key = g_build_filename (fixture->keys.folder, "tenants", "acme.key", NULL);

  g_assert_true (reeve_store_keys_announce_destruction (fixture->keys.keys, "acme", NULL));
  if (steps > 1)
    g_assert_true (
        reeve_storage_drop_scope (reeve_store_get_storage (fixture->store), "acme", NULL));
  if (steps > 2)
    g_assert_cmpint (g_remove (key), ==, 0);
  fixture_close (fixture);
  fixture_open (fixture);
  assert_gone (fixture);
}

/* a store that is away is not an erased one: its keys stay */
static void
test_store_away (Fixture *fixture, gconstpointer data)
{
  g_autofree char *aside = g_strconcat (fixture->folder, "-aside", NULL);

  fixture_close (fixture);
  g_assert_cmpint (g_rename (fixture->folder, aside), ==, 0);
  keys_fixture_open (&fixture->keys);
  g_clear_object (&fixture->keys.keys);
  g_assert_cmpint (g_rename (aside, fixture->folder), ==, 0);
  fixture_open (fixture);
  g_assert_true (fixture_reads (fixture, "acme"));
}

#define ADD(name, data, func)                                                                      \
  g_test_add ("/store/erasure/" name, Fixture, data, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("erased", NULL, test_erased);
  ADD ("copies", GINT_TO_POINTER (FALSE), test_copies);
  ADD ("copies-with-log", GINT_TO_POINTER (TRUE), test_copies);
  ADD ("cut-off/announced", GUINT_TO_POINTER (1), test_cut_off);
  ADD ("cut-off/store-gone", GUINT_TO_POINTER (2), test_cut_off);
  ADD ("cut-off/keys-gone", GUINT_TO_POINTER (3), test_cut_off);
  ADD ("store-away", NULL, test_store_away);
  return g_test_run ();
}
