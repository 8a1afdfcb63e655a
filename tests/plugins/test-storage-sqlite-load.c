/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite under load: groups, many tenants, few file descriptors. */
#include "sqlite-storage.h"
#include "../helpers/test-fds.h"
#include "../helpers/test-tree.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>

static const ReeveStep steps[] = {
  { REEVE_STEP_COLLECTION, "things",
    (const ReeveField[]){ { "name", REEVE_FIELD_TEXT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration migrations[] = { { 1, "things", steps }, { 0, NULL, NULL } };

typedef struct
{
  char *folder;
  ReeveStorage *storage;
} Fixture;

static void
fixture_open (Fixture *fixture, const char *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = json_from_string (settings, &error);
  g_autoptr (ReeveContext) context = reeve_context_new (
      &(ReeveContextInfo){ .struct_size = sizeof (ReeveContextInfo) }, NULL, NULL);

  g_assert_no_error (error);
  fixture->storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_assert_true (reeve_plugin_setup (REEVE_PLUGIN (fixture->storage), json_node_get_object (node),
                                     context, &error));
  g_assert_no_error (error);
  g_assert_true (
      reeve_storage_open (fixture->storage, fixture->folder, migrations, migrations, &error));
  g_assert_no_error (error);
}

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("reeve-load-XXXXXX", NULL);
  fixture_open (fixture, data);
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  reeve_storage_close (fixture->storage);
  g_object_unref (fixture->storage);
  test_tree_remove (fixture->folder);
  g_free (fixture->folder);
}

static SqliteStorageStatus
get_status (Fixture *fixture)
{
  SqliteStorageStatus status = { 0 };

  sqlite_storage_get_status (SQLITE_STORAGE (fixture->storage), &status);
  return status;
}

static void
count_once (Fixture *fixture, const char *scope)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (scope);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;

  reeve_batch_count (batch, "c", 1, 0, G_MAXINT64);
  result = reeve_storage_commit (fixture->storage, batch, &error);
  g_assert_no_error (error);
}

#define TENANTS 600

static char *
tenant_name (guint i)
{
  return g_strdup_printf ("tenant-%03u", i);
}

/* 600 tenants cost what the cache allows, whichever way one goes through them */
static void
test_many_tenants (Fixture *fixture, gconstpointer data)
{
  guint before = test_fds_count ();

  for (guint i = 0; i < TENANTS; i++)
    {
      g_autofree char *name = tenant_name (i);
      g_autoptr (GError) error = NULL;

      g_assert_true (reeve_storage_create_scope (fixture->storage, name, &error));
      g_assert_no_error (error);
      count_once (fixture, name);
      if (i % 50 == 0)
        {
          g_assert_cmpuint (get_status (fixture).open_stores, <=, 64);
          g_assert_cmpuint (test_fds_count (), <=, before + 64 * 3 + 20);
        }
    }
  g_assert_cmpuint (get_status (fixture).open_stores, >=, 60);
  for (guint i = 0; i < TENANTS; i++)
    {
      g_autofree char *name = tenant_name (i * 7 % TENANTS);
      gint64 value = 0;

      g_assert_true (reeve_storage_get_counter (fixture->storage, name, "c", &value, NULL));
      g_assert_cmpint (value, ==, 1);
    }
  g_assert_cmpuint (get_status (fixture).open_stores, <=, 64);
  g_assert_cmpuint (test_fds_count (), <=, before + 64 * 3 + 20);
}

/* few file descriptors bound the cache before its number does */
static void
test_few_fds (Fixture *fixture, gconstpointer data)
{
  struct rlimit old = { 0 };
  struct rlimit low = { 0 };

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &old), ==, 0);
  low = old;
  low.rlim_cur = 200;
  reeve_storage_close (fixture->storage);
  g_object_unref (fixture->storage);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);
  fixture_open (fixture, "{}");
  for (guint i = 0; i < 120; i++)
    {
      g_autofree char *name = tenant_name (i);

      g_assert_true (reeve_storage_create_scope (fixture->storage, name, NULL));
      count_once (fixture, name);
    }
  g_assert_cmpuint (get_status (fixture).open_stores, <=, 40);
  g_assert_cmpuint (test_fds_count (), <=, 150);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &old), ==, 0);
}

static void
test_idle_close (Fixture *fixture, gconstpointer data)
{
  gint64 deadline = g_get_monotonic_time () + 8 * G_TIME_SPAN_SECOND;
  gint64 value = 0;

  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *name = tenant_name (i);

      g_assert_true (reeve_storage_create_scope (fixture->storage, name, NULL));
      count_once (fixture, name);
    }
  g_assert_cmpuint (get_status (fixture).open_stores, ==, 6);
  /* the platform's stays: its lock file guards the folder */
  while (get_status (fixture).open_stores > 1 && g_get_monotonic_time () < deadline)
    g_usleep (50000);
  g_assert_cmpuint (get_status (fixture).open_stores, ==, 1);
  g_assert_true (reeve_storage_get_counter (fixture->storage, "tenant-003", "c", &value, NULL));
  g_assert_cmpint (value, ==, 1);
}

typedef struct
{
  Fixture *fixture;
  guint number;
} Worker;

#define WORKERS 16
#define COMMITS 40

static gpointer
work_on_one (gpointer data)
{
  Worker *worker = data;

  for (guint i = 0; i < COMMITS; i++)
    count_once (worker->fixture, "one");
  return NULL;
}

/* what waits together is made durable together */
static void
test_group_commit (Fixture *fixture, gconstpointer data)
{
  Worker worker = { fixture, 0 };
  GThread *threads[WORKERS] = { NULL };
  SqliteStorageStatus status = { 0 };
  gint64 value = 0;

  g_assert_true (reeve_storage_create_scope (fixture->storage, "one", NULL));
  for (guint i = 0; i < WORKERS; i++)
    threads[i] = g_thread_new ("commit", work_on_one, &worker);
  for (guint i = 0; i < WORKERS; i++)
    g_thread_join (threads[i]);
  status = get_status (fixture);
  g_assert_cmpuint (status.batches, ==, WORKERS * COMMITS);
  g_test_message ("%u batches in %u transactions", (guint) status.batches,
                  (guint) status.transactions);
  g_assert_cmpuint (status.transactions, <, WORKERS * COMMITS / 2);
  g_assert_true (reeve_storage_get_counter (fixture->storage, "one", "c", &value, NULL));
  g_assert_cmpint (value, ==, WORKERS * COMMITS);
}

static gpointer
work_on_many (gpointer data)
{
  Worker *worker = data;

  for (guint i = 0; i < COMMITS; i++)
    {
      g_autofree char *name = tenant_name ((worker->number * 5 + i * 3) % 40);
      gint64 value = 0;

      count_once (worker->fixture, name);
      g_assert_true (reeve_storage_get_counter (worker->fixture->storage, name, "c", &value, NULL));
      g_assert_cmpint (value, >=, 1);
    }
  return NULL;
}

/* forty tenants through a cache of eight, from sixteen threads: nothing is lost, nothing hangs */
static void
test_churn (Fixture *fixture, gconstpointer data)
{
  Worker workers[WORKERS] = { { NULL, 0 } };
  GThread *threads[WORKERS] = { NULL };
  gint64 total = 0;

  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *name = tenant_name (i);

      g_assert_true (reeve_storage_create_scope (fixture->storage, name, NULL));
    }
  for (guint i = 0; i < WORKERS; i++)
    {
      workers[i] = (Worker){ fixture, i };
      threads[i] = g_thread_new ("churn", work_on_many, &workers[i]);
    }
  for (guint i = 0; i < WORKERS; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *name = tenant_name (i);
      gint64 value = 0;

      g_assert_true (reeve_storage_get_counter (fixture->storage, name, "c", &value, NULL));
      total += value;
    }
  g_assert_cmpint (total, ==, WORKERS * COMMITS);
  g_assert_cmpuint (get_status (fixture).open_stores, <=, 8);
}

/* the log is brought home while it is written: it does not grow with what was ever written */
static void
test_log_stays_small (Fixture *fixture, gconstpointer data)
{
  g_autofree char *wal = g_build_filename (fixture->folder, "tenants", "one.db-wal", NULL);
  g_autofree guint8 *payload = g_malloc0 (100000);
  g_autoptr (GBytes) bytes = g_bytes_new (payload, 100000);
  GStatBuf info = { 0 };

  g_assert_true (reeve_storage_create_scope (fixture->storage, "one", NULL));
  for (guint i = 0; i < 300; i++)
    {
      g_autoptr (ReeveBatch) batch = reeve_batch_new ("one");
      g_autoptr (ReeveBatchResult) result = NULL;
      g_autoptr (GError) error = NULL;

      reeve_batch_append (batch, "s", bytes, REEVE_REVISION_ANY);
      result = reeve_storage_commit (fixture->storage, batch, &error);
      g_assert_no_error (error);
    }
  g_assert_cmpint (g_stat (wal, &info), ==, 0);
  g_assert_cmpint (info.st_size, <, 12 * 1024 * 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/storage-sqlite/load/many-tenants", Fixture, "{\"max_open_stores\":64}",
              fixture_set_up, test_many_tenants, fixture_tear_down);
  g_test_add ("/storage-sqlite/load/few-fds", Fixture, "{}", fixture_set_up, test_few_fds,
              fixture_tear_down);
  g_test_add ("/storage-sqlite/load/idle-close", Fixture, "{\"idle_close_seconds\":1}",
              fixture_set_up, test_idle_close, fixture_tear_down);
  g_test_add ("/storage-sqlite/load/group-commit", Fixture, "{}", fixture_set_up, test_group_commit,
              fixture_tear_down);
  g_test_add ("/storage-sqlite/load/churn", Fixture, "{\"max_open_stores\":8}", fixture_set_up,
              test_churn, fixture_tear_down);
  g_test_add ("/storage-sqlite/load/log-stays-small", Fixture, "{}", fixture_set_up,
              test_log_stays_small, fixture_tear_down);
  return g_test_run ();
}
