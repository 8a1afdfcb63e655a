/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite sealed against the same in clear, in one run: rounds are interleaved; a line has
 * medians of three and their ratio. */
#include "sqlite-storage.h"

#include "../helpers/test-keys.h"
#include "../helpers/test-tree.h"

#include <string.h>

#define ROUNDS   3
#define BYTES    200
#define RECORDS  20000
#define ROUND_US (500 * G_TIME_SPAN_MILLISECOND)
#define TEXTS    3000
#define CLEAR    0
#define SEALED   1

static const ReeveStep steps[] = {
  { REEVE_STEP_COLLECTION, "things",
    (const ReeveField[]){ { "n", REEVE_FIELD_INT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_TEXT, "chunks", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration migrations[] = { { 1, "things", steps }, { 0, NULL, NULL } };

typedef double (*Measure) (ReeveStorage *storage);

static void
commit (ReeveStorage *storage, guint entries)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("t");
  g_autofree char *record = g_strnfill (BYTES, 'x');
  g_autoptr (GBytes) bytes = g_bytes_new (record, BYTES);
  g_autoptr (ReeveBatchResult) result = NULL;

  for (guint i = 0; i < entries; i++)
    reeve_batch_append (batch, "journal", bytes, REEVE_REVISION_ANY);
  result = reeve_storage_commit (storage, batch, NULL);
  g_assert_nonnull (result);
}

static double
run_commits (ReeveStorage *storage, guint entries)
{
  gint64 start = g_get_monotonic_time ();
  guint done = 0;

  while (g_get_monotonic_time () < start + ROUND_US)
    {
      commit (storage, entries);
      done += entries;
    }
  return done * (double) G_TIME_SPAN_SECOND / (double) (g_get_monotonic_time () - start);
}

static double
run_thousands (ReeveStorage *storage)
{
  return run_commits (storage, 1000);
}

static double
run_fifties (ReeveStorage *storage)
{
  return run_commits (storage, 50);
}

static double
run_ones (ReeveStorage *storage)
{
  return run_commits (storage, 1);
}

static double
run_reads (ReeveStorage *storage)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  gint64 start = g_get_monotonic_time ();
  guint done = 0;

  for (; g_get_monotonic_time () < start + ROUND_US; done++)
    {
      g_autofree char *id = g_strdup_printf ("%d", g_rand_int_range (rand, 0, RECORDS));
      g_autoptr (ReeveRecord) record = reeve_storage_get (storage, "t", "things", id, NULL);

      g_assert_nonnull (record);
    }
  return done * (double) G_TIME_SPAN_SECOND / (double) (g_get_monotonic_time () - start);
}

static double
run_scans (ReeveStorage *storage)
{
  gint64 start = g_get_monotonic_time ();
  guint done = 0;

  while (g_get_monotonic_time () < start + ROUND_US)
    {
      g_autoptr (GPtrArray) entries
          = reeve_storage_read_stream (storage, "t", "scanned", 0, G_MAXUINT, NULL);

      g_assert_cmpuint (entries->len, ==, RECORDS);
      done += entries->len;
    }
  return done * (double) G_TIME_SPAN_SECOND / (double) (g_get_monotonic_time () - start);
}

static double
run_searches (ReeveStorage *storage)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  gint64 start = g_get_monotonic_time ();
  guint done = 0;

  for (; g_get_monotonic_time () < start + ROUND_US; done++)
    {
      g_autofree char *query = g_strdup_printf ("w%d", g_rand_int_range (rand, 0, 500));
      g_autoptr (GPtrArray) hits
          = reeve_storage_search_text (storage, "t", "chunks", query, NULL, 20, NULL, NULL);

      g_assert_nonnull (hits);
    }
  return done * (double) G_TIME_SPAN_SECOND / (double) (g_get_monotonic_time () - start);
}

static char *
make_text (GRand *rand)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < 60; i++)
    g_string_append_printf (text, "w%d ", g_rand_int_range (rand, 0, 5000));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
fill (ReeveStorage *storage)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  g_autofree char *filler = g_strnfill (BYTES, 'x');
  g_autoptr (GBytes) bytes = g_bytes_new (filler, BYTES);

  for (guint i = 0; i < RECORDS; i += 500)
    {
      g_autoptr (ReeveBatch) batch = reeve_batch_new ("t");
      g_autoptr (ReeveBatchResult) result = NULL;

      for (guint k = i; k < i + 500; k++)
        {
          g_autoptr (JsonObject) object = json_object_new ();
          g_autofree char *id = g_strdup_printf ("%u", k);
          g_autofree char *text = make_text (rand);

          json_object_set_int_member (object, "n", k);
          json_object_set_string_member (object, "filler", filler);
          reeve_batch_put (batch, "things", id, object, REEVE_REVISION_ANY);
          reeve_batch_append (batch, "scanned", bytes, REEVE_REVISION_ANY);
          if (k < TEXTS)
            reeve_batch_text_put (batch, "chunks", "g", id, NULL, text, NULL);
        }
      result = reeve_storage_commit (storage, batch, NULL);
      g_assert_nonnull (result);
    }
}

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a;
  double right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static void
bench (ReeveStorage *const *storages, const char *name, Measure measure)
{
  double values[2][ROUNDS] = { { 0 } };

  for (guint round = 0; round < ROUNDS; round++)
    for (guint i = CLEAR; i <= SEALED; i++)
      values[i][round] = measure (storages[i]);
  for (guint i = CLEAR; i <= SEALED; i++)
    qsort (values[i], ROUNDS, sizeof (double), compare_doubles);
  g_print ("%-36s clear %10.0f/s, sealed %10.0f/s [%.0f - %.0f], x clear: %.2f\n", name,
           values[CLEAR][ROUNDS / 2], values[SEALED][ROUNDS / 2], values[SEALED][0],
           values[SEALED][ROUNDS - 1], values[SEALED][ROUNDS / 2] / values[CLEAR][ROUNDS / 2]);
}

int
main (void)
{
  g_autoptr (TestKeys) keys = NULL;
  ReeveStorage *storages[2] = { NULL };
  g_autofree char *top = g_dir_make_tmp ("reeve-bench-XXXXXX", NULL);
  g_autofree char *key_folder = g_build_filename (top, "keys", NULL);

  g_assert_cmpint (g_mkdir_with_parents (key_folder, 0700), ==, 0);
  /* marks go to files, as the host's do */
  keys = test_keys_new (key_folder);
  for (guint i = CLEAR; i <= SEALED; i++)
    {
      g_autofree char *folder = g_build_filename (top, i == CLEAR ? "clear" : "sealed", NULL);

      storages[i] = g_object_new (SQLITE_TYPE_STORAGE, NULL);
      if (i == SEALED)
        g_assert_true (reeve_storage_set_keys (storages[i], REEVE_STORAGE_KEYS (keys), NULL));
      g_assert_true (reeve_storage_open (storages[i], folder, migrations, migrations, NULL));
      g_assert_true (reeve_storage_create_scope (storages[i], "t", NULL));
      fill (storages[i]);
    }
  bench (storages, "appends, 1000 a commit", run_thousands);
  bench (storages, "appends, 50 a commit", run_fifties);
  bench (storages, "appends, 1 a commit", run_ones);
  bench (storages, "records read by id", run_reads);
  bench (storages, "stream of 20,000 entries read", run_scans);
  bench (storages, "searches", run_searches);
  for (guint i = CLEAR; i <= SEALED; i++)
    {
      reeve_storage_close (storages[i]);
      g_object_unref (storages[i]);
    }
  test_tree_remove (top);
  return 0;
}
