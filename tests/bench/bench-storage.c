/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite against floors of the same run: durable commits against a plain file with
 * fdatasync, search for common words against raw FTS5. Rounds are interleaved; a line has the
 * median of three and [least - most]; only ratios of one run count. */
#include "sqlite-storage.h"
#include "../helpers/test-tree.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS       3
#define ROUND_US     (1500 * G_TIME_SPAN_MILLISECOND)
#define RECORD_BYTES 200
#define TENANTS      50
#define TEXTS        20000
#define TEXT_WORDS   80
#define VOCABULARY   20000
#define SEARCHES     40

static const ReeveStep steps[]
    = { { REEVE_STEP_TEXT, "chunks", NULL }, { REEVE_STEP_TEXT, NULL, NULL } };
static const ReeveMigration migrations[] = { { 1, "chunks", steps }, { 0, NULL, NULL } };

typedef struct
{
  const char *name;
  double values[ROUNDS];
} Row;

typedef struct
{
  ReeveStorage *storage;
  guint tenants;
  guint number;
  gint64 until;
  guint64 done;
} Committer;

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a;
  double right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static double
median (Row *row)
{
  qsort (row->values, ROUNDS, sizeof (double), compare_doubles);
  return row->values[ROUNDS / 2];
}

/* durable appends of one record each, a second */
static double
run_floor (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "floor", NULL);
  g_autofree char *record = g_strnfill (RECORD_BYTES, 'x');
  int fd = open (path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  gint64 start = g_get_monotonic_time ();
  guint64 done = 0;

  g_assert_cmpint (fd, >=, 0);
  while (g_get_monotonic_time () < start + ROUND_US)
    {
      g_assert_cmpint (write (fd, record, RECORD_BYTES), ==, RECORD_BYTES);
      g_assert_cmpint (fdatasync (fd), ==, 0);
      done++;
    }
  close (fd);
  return (double) done * G_TIME_SPAN_SECOND / (double) (g_get_monotonic_time () - start);
}

static gpointer
commit_forever (gpointer data)
{
  Committer *committer = data;
  g_autofree char *record = g_strnfill (RECORD_BYTES, 'x');
  g_autoptr (GBytes) bytes = g_bytes_new (record, RECORD_BYTES);

  while (g_get_monotonic_time () < committer->until)
    {
      g_autofree char *scope = g_strdup_printf (
          "t%" G_GUINT64_FORMAT, (committer->number + committer->done) % committer->tenants);
      g_autoptr (ReeveBatch) batch = reeve_batch_new (scope);
      g_autoptr (ReeveBatchResult) result = NULL;

      reeve_batch_append (batch, "journal", bytes, REEVE_REVISION_ANY);
      result = reeve_storage_commit (committer->storage, batch, NULL);
      g_assert_nonnull (result);
      committer->done++;
    }
  return NULL;
}

/* durable commits of one record each, a second, with that many callers that wait */
static double
run_commits (ReeveStorage *storage, guint callers, guint tenants)
{
  Committer committers[64] = { { NULL, 0, 0, 0, 0 } };
  GThread *threads[64] = { NULL };
  gint64 start = g_get_monotonic_time ();
  guint64 done = 0;

  for (guint i = 0; i < callers; i++)
    {
      committers[i] = (Committer){ storage, tenants, i, start + ROUND_US, 0 };
      threads[i] = g_thread_new ("commit", commit_forever, &committers[i]);
    }
  for (guint i = 0; i < callers; i++)
    {
      g_thread_join (threads[i]);
      done += committers[i].done;
    }
  return (double) done * G_TIME_SPAN_SECOND / (double) (g_get_monotonic_time () - start);
}

/* words as in language: the common ones are very common */
static char *
make_text (GRand *rand)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < TEXT_WORDS; i++)
    {
      double x = g_rand_double (rand);

      g_string_append_printf (text, "w%u ", (guint) (VOCABULARY * x * x * x * x * x));
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
fill_texts (ReeveStorage *storage)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (guint i = 0; i < TEXTS; i += 1000)
    {
      g_autoptr (ReeveBatch) batch = reeve_batch_new ("t0");
      g_autoptr (ReeveBatchResult) result = NULL;

      for (guint k = i; k < i + 1000; k++)
        {
          g_autofree char *key = g_strdup_printf ("%u", k);
          g_autofree char *text = make_text (rand);

          reeve_batch_text_put (batch, "chunks", "g", key, NULL, text, NULL);
        }
      result = reeve_storage_commit (storage, batch, NULL);
      g_assert_nonnull (result);
    }
}

/* three of the hundred commonest words */
static char *
make_query (GRand *rand, const char *joint)
{
  return g_strdup_printf ("w%d%sw%d%sw%d", g_rand_int_range (rand, 0, 100), joint,
                          g_rand_int_range (rand, 0, 100), joint, g_rand_int_range (rand, 0, 100));
}

/* ms a search; the slowest, for many are slow: p99 of so few */
static double
run_searches (ReeveStorage *storage)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  gint64 slowest = 0;

  for (guint i = 0; i < SEARCHES; i++)
    {
      g_autofree char *query = make_query (rand, " ");
      gint64 start = g_get_monotonic_time ();
      g_autoptr (GPtrArray) hits
          = reeve_storage_search_text (storage, "t0", "chunks", query, NULL, 20, NULL, NULL);

      g_assert_cmpuint (hits->len, ==, 20);
      slowest = MAX (slowest, g_get_monotonic_time () - start);
    }
  return (double) slowest / 1000;
}

static double
run_raw_searches (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "copy.db", NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  gint64 slowest = 0;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db,
                                       "SELECT rowid FROM t_chunks WHERE t_chunks MATCH ?1 "
                                       "ORDER BY bm25 (t_chunks) LIMIT 20",
                                       -1, &statement, NULL),
                   ==, SQLITE_OK);
  for (guint i = 0; i < SEARCHES; i++)
    {
      g_autofree char *query = make_query (rand, " OR ");
      gint64 start = g_get_monotonic_time ();

      sqlite3_bind_text (statement, 1, query, -1, SQLITE_TRANSIENT);
      while (sqlite3_step (statement) == SQLITE_ROW)
        continue;
      sqlite3_reset (statement);
      slowest = MAX (slowest, g_get_monotonic_time () - start);
    }
  sqlite3_finalize (statement);
  sqlite3_close (db);
  return (double) slowest / 1000;
}

static void
print_row (Row *row, const char *unit, Row *floor)
{
  double middle = median (row);

  g_print ("%-44s %10.2f [%.2f - %.2f] %s", row->name, middle, row->values[0],
           row->values[ROUNDS - 1], unit);
  if (floor != NULL)
    g_print (", x floor: %.2f", middle / median (floor));
  g_print ("\n");
}

static void
bench_commits (ReeveStorage *storage, const char *folder)
{
  Row rows[] = { { "plain file, one fdatasync each", { 0 } },
                 { "one caller, one store", { 0 } },
                 { "16 callers, one store", { 0 } },
                 { "64 callers, one store", { 0 } },
                 { "64 callers, 50 stores", { 0 } } };

  for (guint round = 0; round < ROUNDS; round++)
    {
      rows[0].values[round] = run_floor (folder);
      rows[1].values[round] = run_commits (storage, 1, 1);
      rows[2].values[round] = run_commits (storage, 16, 1);
      rows[3].values[round] = run_commits (storage, 64, 1);
      rows[4].values[round] = run_commits (storage, 64, TENANTS);
    }
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    print_row (&rows[i], "commits/s", i > 0 ? &rows[0] : NULL);
}

static void
bench_searches (ReeveStorage *storage, const char *folder)
{
  g_autofree char *from = g_build_filename (folder, "tenants", "t0.db", NULL);
  g_autofree char *to = g_build_filename (folder, "copy.db", NULL);
  g_autofree char *vacuum = g_strdup_printf ("VACUUM INTO '%s'", to);
  Row rows[] = { { "raw FTS5, 3 common words, slowest of 40", { 0 } },
                 { "search_text, the same", { 0 } } };
  sqlite3 *db = NULL;

  fill_texts (storage);
  /* the store is closed by then, its file is whole */
  reeve_storage_close (storage);
  g_assert_cmpint (sqlite3_open (from, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, vacuum, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  g_assert_true (reeve_storage_open (storage, folder, migrations, migrations, NULL));
  for (guint round = 0; round < ROUNDS; round++)
    {
      rows[0].values[round] = run_raw_searches (folder);
      rows[1].values[round] = run_searches (storage);
    }
  print_row (&rows[0], "ms", NULL);
  print_row (&rows[1], "ms", &rows[0]);
}

int
main (void)
{
  g_autofree char *folder = g_dir_make_tmp ("reeve-bench-XXXXXX", NULL);
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_storage_open (storage, folder, migrations, migrations, &error));
  for (guint i = 0; i < TENANTS; i++)
    {
      g_autofree char *scope = g_strdup_printf ("t%u", i);

      g_assert_true (reeve_storage_create_scope (storage, scope, NULL));
    }
  bench_commits (storage, folder);
  bench_searches (storage, folder);
  reeve_storage_close (storage);
  test_tree_remove (folder);
  return 0;
}
