/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite when the power fails: what was acknowledged is there, nothing half done is, and
 * the store opens.
 *
 * what                                             | CI  | long
 * power fails below a file, sealed                 | 400 | 8,000
 * the same in a store, with marks                  | 120 | 2,000
 */
#include "../helpers/power-vfs.h"
#include "../helpers/sealed-file.h"
#include "../helpers/sealed-store.h"
#include "../helpers/test-size.h"

#include <string.h>

#define ROWS 30

static gboolean
run_sql (SqliteConnection *connection, const char *sql)
{
  return sqlite_connection_exec (connection, sql, NULL);
}

/* transaction @n: all rows get its number; often more than the cache holds */
static gboolean
write_rows (SqliteConnection *connection, gint64 n)
{
  g_autofree char *sql = g_strdup_printf (
      "BEGIN IMMEDIATE;"
      "UPDATE t SET n = %" G_GINT64_FORMAT ", x = zeroblob (%" G_GINT64_FORMAT ");"
      "UPDATE t SET x = randomblob (length (x)) WHERE i %% 3 = 0;"
      "UPDATE last SET n = %" G_GINT64_FORMAT "; COMMIT",
      n, 700 + n * 131 % 1500, n);

  return run_sql (connection, sql);
}

/* number of the last transaction that is there, whole */
static gint64
check_rows (SealedFile *file)
{
  g_autoptr (SqliteConnection) connection = sealed_file_open (file);
  gint64 n = sealed_file_get_int (connection, "SELECT n FROM last");

  g_assert_cmpint (
      sealed_file_get_int (connection, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
      ==, 1);
  g_assert_cmpint (
      sealed_file_get_int (connection, "SELECT count(*) FROM t, last WHERE t.n = last.n"), ==,
      ROWS);
  return n;
}

/* until the power fails; number of the last transaction that was acknowledged */
static gint64
write_until_failure (SealedFile *file, gint64 n, GRand *rand)
{
  g_autoptr (SqliteConnection) connection
      = sqlite_connection_new (file->vfs, file->path, SQLITE_CONNECTION_OPEN, NULL);

  if (connection == NULL
      || !run_sql (connection,
                   g_rand_boolean (rand) ? "PRAGMA cache_size = 4" : "PRAGMA cache_size = 400"))
    return n;
  while (!power_vfs_has_failed () && write_rows (connection, n + 1))
    {
      n++;
      if (g_rand_int_range (rand, 0, 3) == 0)
        (void) run_sql (connection, g_rand_boolean (rand) ? "PRAGMA wal_checkpoint (PASSIVE)"
                                                          : "PRAGMA wal_checkpoint (RESTART)");
    }
  sqlite_connection_rollback (connection);
  return n;
}

static void
test_file (void)
{
  SealedFile file = { 0 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (20);
  g_autofree char *fill = g_strdup_printf (
      "CREATE TABLE t (i INTEGER PRIMARY KEY, n INTEGER, x BLOB); CREATE TABLE last (n INTEGER);"
      "INSERT INTO last VALUES (0); WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
      "c "
      "WHERE i < %d) INSERT INTO t SELECT i, 0, zeroblob (500) FROM c",
      ROWS);
  guint cuts = test_size (400, 8000);
  gint64 n = 0;
  guint more = 0;

  sealed_file_set_up (&file);
  {
    g_autoptr (SqliteConnection) connection = sealed_file_create (&file);

    sealed_file_exec (connection, fill);
    sealed_file_exec (connection, "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint (TRUNCATE)");
  }
  for (guint i = 0; i < cuts; i++)
    {
      gint64 acknowledged = 0;

      /* nothing of the run before is remembered */
      sealed_file_forget (&file);
      power_vfs_fail_after ((guint) g_rand_int_range (rand, 1, i % 4 == 0 ? 300 : 60));
      acknowledged = write_until_failure (&file, n, rand);
      sealed_file_forget (&file);
      power_vfs_restore (rand);
      n = check_rows (&file);
      g_assert_cmpint (n, >=, acknowledged);
      g_assert_cmpint (n, <=, acknowledged + 1);
      more += n > acknowledged ? 1 : 0;
    }
  g_test_message ("%u failures, %" G_GINT64_FORMAT " transactions, %u came back unacknowledged",
                  cuts, n, more);
  g_assert_cmpint (n, >, cuts / 4);
  g_assert_cmpuint (more, >, 0);
  sealed_file_tear_down (&file);
  power_vfs_restore (rand);
}

/* what is acknowledged is on disk when its mark is set, so that the mark never refuses a store that
 * only lost power */
static void
test_store (void)
{
  SealedStore store = { 0 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (21);
  guint cuts = test_size (120, 2000);

  sealed_store_set_up (&store);
  sealed_store_write_many (&store, 1);
  for (guint i = 0; i < cuts; i++)
    {
      gint64 acknowledged = 0;
      gint64 value = 0;
      g_autoptr (GError) error = NULL;

      power_vfs_fail_after ((guint) g_rand_int_range (rand, 1, 80));
      while (sealed_store_write (&store, NULL))
        continue;
      acknowledged = store.number;
      g_assert_true (power_vfs_has_failed ());
      sealed_store_close (&store);
      power_vfs_restore (rand);
      sealed_store_open (&store);
      g_assert_true (reeve_storage_get_counter (store.storage, "acme", "n", &value, &error));
      g_assert_no_error (error);
      g_assert_cmpint (value, >=, acknowledged);
      g_assert_cmpint (value, <=, acknowledged + 1);
      sealed_store_check (&store, value);
      store.number = value;
    }
  sealed_store_tear_down (&store);
  power_vfs_restore (rand);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* a store says so when it cannot bring its log home */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  power_vfs_register ();
  g_test_add_func ("/storage-sqlite/power/file", test_file);
  g_test_add_func ("/storage-sqlite/power/store", test_store);
  return g_test_run ();
}
