/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proofs against the definition of RFC 6962, tiles on the disk, and proof files of records. */
#include <glib/gstdio.h>
#include <string.h>

#include "governance/ledger-edge.h"
#include "governance/ledger-leaves.h"
#include "governance/ledger-proof.h"
#include "governance/ledger-verify.h"

#include "../helpers/test-tree.h"
#include "ledger-fixture.h"

#define SCOPE "acme"

/* ---- the tree ---- */

typedef struct
{
  guint8 leaves[256][REEVE_LEDGER_HASH_SIZE];
} Leaves;

static gboolean
get_subtree (guint height, guint64 index, guint8 hash[REEVE_LEDGER_HASH_SIZE], gpointer user_data,
             GError **error)
{
  Leaves *self = user_data;

  reeve_ledger_merkle_fold (self->leaves[index << height], 1u << height, hash);
  return TRUE;
}

static Leaves *
make_leaves (void)
{
  Leaves *self = g_new0 (Leaves, 1);

  for (guint i = 0; i < G_N_ELEMENTS (self->leaves); i++)
    reeve_digests_sha256 (&i, sizeof i, self->leaves[i]);
  return self;
}

static void
root_of (Leaves *leaves, guint64 size, guint8 *root)
{
  ReeveLedgerFrontier frontier = { 0 };

  for (guint64 i = 0; i < size; i++)
    g_assert_true (reeve_ledger_frontier_add (&frontier, leaves->leaves[i]));
  reeve_ledger_frontier_root (&frontier, root);
}

static void
test_tree_inclusion (void)
{
  g_autofree Leaves *leaves = make_leaves ();
  guint8 root[REEVE_LEDGER_HASH_SIZE];
  guint8 again[REEVE_LEDGER_HASH_SIZE];

  for (guint64 size = 1; size <= 70; size++)
    {
      root_of (leaves, size, root);
      g_assert_true (reeve_ledger_merkle_root (get_subtree, leaves, size, again, NULL));
      g_assert_cmpmem (root, sizeof root, again, sizeof again);
      for (guint64 i = 0; i < size; i++)
        {
          ReeveLedgerMerklePath path;

          g_assert_true (reeve_ledger_merkle_include (get_subtree, leaves, i, size, &path, NULL));
          g_assert_true (
              reeve_ledger_merkle_check_inclusion (&path, i, size, leaves->leaves[i], root));
          g_assert_false (
              reeve_ledger_merkle_check_inclusion (&path, i + 1, size, leaves->leaves[i], root));
          g_assert_false (
              reeve_ledger_merkle_check_inclusion (&path, i, size, leaves->leaves[i + 1], root));
          path.hashes[path.count / 2][i % 32] ^= 1;
          path.count = MAX (path.count, 1);
          g_assert_false (
              reeve_ledger_merkle_check_inclusion (&path, i, size, leaves->leaves[i], root));
        }
    }
}

static void
test_tree_consistency (void)
{
  g_autofree Leaves *leaves = make_leaves ();
  guint8 root[REEVE_LEDGER_HASH_SIZE];
  guint8 older[REEVE_LEDGER_HASH_SIZE];

  for (guint64 size = 1; size <= 40; size++)
    for (guint64 old = 0; old <= size; old++)
      {
        ReeveLedgerMerklePath path;

        root_of (leaves, size, root);
        root_of (leaves, old, older);
        g_assert_true (reeve_ledger_merkle_extend (get_subtree, leaves, old, size, &path, NULL));
        g_assert_true (reeve_ledger_merkle_check_extension (&path, old, older, size, root));
        if (old == 0)
          continue;
        older[old % 32] ^= 1;
        g_assert_false (reeve_ledger_merkle_check_extension (&path, old, older, size, root));
        older[old % 32] ^= 1;
        path.hashes[path.count / 2][0] ^= 1;
        path.count = MAX (path.count, 1);
        g_assert_false (reeve_ledger_merkle_check_extension (&path, old, older, size, root));
      }
}

static void
test_tree_refusals (void)
{
  g_autofree Leaves *leaves = make_leaves ();
  g_autoptr (GError) error = NULL;
  ReeveLedgerMerklePath path;

  g_assert_false (reeve_ledger_merkle_include (get_subtree, leaves, 7, 7, &path, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (reeve_ledger_merkle_extend (get_subtree, leaves, 8, 7, &path, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (reeve_ledger_merkle_extend (get_subtree, leaves, 8, G_MAXUINT64, &path, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
}

/* ---- names and the edge ---- */

static void
test_tiles_names (void)
{
  static const char *const bad[] = { "tile/0",
                                     "tile/0/1",
                                     "tile/0/0001",
                                     "tile/0/x001/",
                                     "tile/00/001",
                                     "tile/5/000",
                                     "tile/0/x000/001",
                                     "tile/0/001/002",
                                     "tile/0/x001/x002",
                                     "tile/entries/000",
                                     "tile/0/000.p/5",
                                     "tile/-1/000",
                                     "tile/0/x001/x001/x001/x001/x001/x001/x001/x001/001" };
  static const guint64 indexes[]
      = { 0, 7, 999, 1000, 1234067, 999999999, (G_GUINT64_CONSTANT (1) << 32) - 1 };
  g_autofree char *name = reeve_ledger_tiles_name (1, 1234067);
  guint level = 0;
  guint64 index = 0;

  g_assert_cmpstr (name, ==, "tile/1/x001/x234/067");
  for (guint i = 0; i < G_N_ELEMENTS (indexes); i++)
    {
      g_autofree char *each = reeve_ledger_tiles_name (i % 5, indexes[i]);

      g_assert_true (reeve_ledger_tiles_parse (each, &level, &index));
      g_assert_cmpuint (level, ==, i % 5);
      g_assert_cmpuint (index, ==, indexes[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (reeve_ledger_tiles_parse (bad[i], &level, &index));
}

/* 260 tiles: a level above, and a row of it behind. */
static void
test_tiles_edge (void)
{
  g_autofree char *folder = g_dir_make_tmp ("reeve-tiles-XXXXXX", NULL);
  g_autofree ReeveLedgerEdge *edge = g_new0 (ReeveLedgerEdge, 1);
  g_autofree ReeveLedgerEdge *again = NULL;
  g_autofree ReeveLedgerEdge *made = NULL;
  g_autofree guint8 *row = g_malloc0 (REEVE_LEDGER_TILES_SIZE);
  g_autoptr (ReeveLedgerTiles) tiles = reeve_ledger_tiles_new (folder);
  g_autofree char *cache = g_build_filename (folder, REEVE_LEDGER_EDGE_FILE, NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 260; i++)
    {
      row[0] = (guint8) i;
      row[1] = (guint8) (i >> 8);
      reeve_ledger_edge_add (edge, row, tiles, &error);
      g_assert_no_error (error);
    }
  reeve_ledger_tiles_finish (tiles, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (edge->tiles, ==, 260);
  g_assert_cmpuint (reeve_ledger_edge_count (edge, 1), ==, 260);
  g_assert_cmpuint (reeve_ledger_edge_count (edge, 2), ==, 1);
  g_assert_true (reeve_ledger_tiles_read (folder, 1, 0, row, NULL));
  g_assert_false (reeve_ledger_tiles_read (folder, 1, 1, row, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_cmpuint (reeve_ledger_tiles_find_end (folder, 260 * 256 + 3), ==, 260);
  made = reeve_ledger_edge_make (folder, 260, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (made->rows[1], 4 * 32, edge->rows[1], 4 * 32);
  g_assert_cmpmem (made->rows[2], 32, edge->rows[2], 32);
  g_assert_null (reeve_ledger_edge_load (folder));
  g_assert_true (reeve_ledger_edge_save (edge, folder, NULL));
  again = reeve_ledger_edge_load (folder);
  g_assert_cmpmem (again->rows[1], 4 * 32, edge->rows[1], 4 * 32);
  g_assert_true (g_file_set_contents (cache, "RVLEDG1\nnonsense", -1, NULL));
  g_assert_null (reeve_ledger_edge_load (folder));
  /* the level above is gone: so many tiles of level 0 are made again */
  {
    g_autofree char *above = g_build_filename (folder, "tile/1/000", NULL);

    g_assert_cmpint (g_unlink (above), ==, 0);
  }
  g_assert_cmpuint (reeve_ledger_tiles_find_end (folder, 260 * 256 + 3), ==, 0);
  test_tree_remove (folder);
}

/* ---- leaves that are known ---- */

static void
test_leaves (void)
{
  g_autofree Leaves *all = make_leaves ();
  g_autoptr (ReeveLedgerLeaves) leaves = reeve_ledger_leaves_new ();
  guint8 found[4][REEVE_LEDGER_HASH_SIZE];

  g_assert_false (reeve_ledger_leaves_get (leaves, 0, 1, found[0]));
  /* a log that was there before: they begin where this process does */
  reeve_ledger_leaves_add (leaves, 100, all->leaves[0], 10);
  reeve_ledger_leaves_add (leaves, 110, all->leaves[10], 1);
  g_assert_false (reeve_ledger_leaves_get (leaves, 99, 4, found[0]));
  g_assert_false (reeve_ledger_leaves_get (leaves, 108, 4, found[0]));
  g_assert_true (reeve_ledger_leaves_get (leaves, 107, 4, found[0]));
  g_assert_cmpmem (found, sizeof found, all->leaves[7], sizeof found);
  reeve_ledger_leaves_drop (leaves, 50);
  reeve_ledger_leaves_drop (leaves, 105);
  g_assert_false (reeve_ledger_leaves_get (leaves, 104, 4, found[0]));
  g_assert_true (reeve_ledger_leaves_get (leaves, 105, 4, found[0]));
  g_assert_cmpmem (found, sizeof found, all->leaves[5], sizeof found);
  /* what does not follow on them is not put behind them */
  reeve_ledger_leaves_add (leaves, 112, all->leaves[20], 4);
  g_assert_false (reeve_ledger_leaves_get (leaves, 107, 4, found[0]));
  g_assert_true (reeve_ledger_leaves_get (leaves, 112, 4, found[0]));
  g_assert_cmpmem (found, sizeof found, all->leaves[20], sizeof found);
  reeve_ledger_leaves_drop (leaves, G_MAXUINT64);
  g_assert_false (reeve_ledger_leaves_get (leaves, 112, 1, found[0]));
}

/* There is an end to them. */
static void
test_leaves_most (void)
{
  g_autofree Leaves *all = make_leaves ();
  g_autoptr (ReeveLedgerLeaves) leaves = reeve_ledger_leaves_new ();
  guint8 found[REEVE_LEDGER_HASH_SIZE];
  guint64 size = 0;

  for (; size < REEVE_LEDGER_LEAVES_MAX; size += 256)
    reeve_ledger_leaves_add (leaves, size, all->leaves[0], 256);
  g_assert_true (reeve_ledger_leaves_get (leaves, 3, 1, found));
  g_assert_cmpmem (found, sizeof found, all->leaves[3], sizeof found);
  reeve_ledger_leaves_add (leaves, size, all->leaves[9], 1);
  g_assert_false (reeve_ledger_leaves_get (leaves, 3, 1, found));
  g_assert_true (reeve_ledger_leaves_get (leaves, size, 1, found));
  g_assert_cmpmem (found, sizeof found, all->leaves[9], sizeof found);
}

/* ---- a ledger ---- */

static void
append_many (LedgerFixture *fixture, guint count)
{
  ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_READ,
    .scope = SCOPE,
    .action = "agents.get",
    .actor_type = "user",
    .actor_id = "usr_one",
    .door = "rest",
  };

  for (guint i = 1; i < count; i++)
    reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
  ledger_fixture_append (fixture, SCOPE, REEVE_LEDGER_READ, "agents.get", 0);
}

static void
set_up (LedgerFixture *fixture, gconstpointer data)
{
  ledger_fixture_set_up (fixture, data);
  append_many (fixture, 700);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

static char *
path_of (LedgerFixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, SCOPE, name, NULL);
}

static void
remove_file (LedgerFixture *fixture, const char *name)
{
  g_autofree char *path = path_of (fixture, name);

  g_assert_cmpint (g_unlink (path), ==, 0);
}

static gboolean
has_file (LedgerFixture *fixture, const char *name)
{
  g_autofree char *path = path_of (fixture, name);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

/* Verification says no, and names file and record. */
static void
assert_bad (LedgerFixture *fixture, const char *file, gint64 seq)
{
  g_autoptr (JsonObject) result = ledger_fixture_verify (fixture);
  JsonArray *logs = json_object_get_array_member (result, "logs");

  g_assert_false (json_object_get_boolean_member (result, "valid"));
  for (guint i = 0; i < json_array_get_length (logs); i++)
    {
      JsonObject *log = json_array_get_object_element (logs, i);

      if (strcmp (json_object_get_string_member (log, "scope"), SCOPE) != 0)
        continue;
      g_assert_cmpstr (json_object_get_string_member (log, "file"), ==, file);
      g_assert_cmpint (reeve_json_get_int (log, "bad_seq", 0), ==, seq);
    }
}

/* A proof that holds with the public key alone. */
static char *
prove (LedgerFixture *fixture, guint64 seq)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = reeve_ledger_prove (fixture->ledger, SCOPE, seq, &error);
  g_autoptr (ReeveLedgerProof) proof = NULL;
  g_autoptr (ReeveLedgerKey) key = NULL;
  g_autoptr (JsonObject) verdict = NULL;

  g_assert_no_error (error);
  proof = reeve_ledger_proof_parse (text, strlen (text), &error);
  g_assert_no_error (error);
  key = reeve_ledger_key_load_public (fixture->keys, &error);
  g_assert_no_error (error);
  verdict = reeve_ledger_proof_verify (proof, key, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (json_object_get_int_member (verdict, "seq"), ==, (gint64) seq);
  g_assert_cmpstr (json_object_get_string_member (verdict, "scope"), ==, SCOPE);
  return g_steal_pointer (&text);
}

static void
test_ledger_tiles (LedgerFixture *fixture, gconstpointer data)
{
  g_assert_true (has_file (fixture, "tile/0/000"));
  g_assert_true (has_file (fixture, "tile/0/001"));
  g_assert_false (has_file (fixture, "tile/0/002"));
  ledger_fixture_open (fixture);
  for (guint64 seq = 1; seq <= 700; seq += seq < 260 ? 13 : 37)
    g_free (prove (fixture, seq));
  g_free (prove (fixture, 700));
  /* newer than any checkpoint */
  append_many (fixture, 70);
  g_free (prove (fixture, 770));
  g_assert_true (has_file (fixture, "tile/0/002"));
  ledger_fixture_assert_valid (fixture);
}

/* The file with @what in it, and where that begins. */
static char *
find_file (LedgerFixture *fixture, const char *what, char **text, gsize *length, char **at)
{
  g_autofree char *folder = path_of (fixture, "");
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = NULL;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = path_of (fixture, name);

      if (!g_str_has_suffix (name, ".log") || !g_file_get_contents (path, text, length, NULL))
        continue;
      *at = memmem (*text, *length, what, strlen (what));
      if (*at != NULL)
        return g_strdup (name);
      g_clear_pointer (text, g_free);
    }
  return NULL;
}

/* What becomes of a file behind the writer's back is not what is signed. */
static void
test_ledger_written (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  char *at = NULL;
  gsize length = 0;

  ledger_fixture_open (fixture);
  /* the fourth tile is of this process alone */
  append_many (fixture, 330);
  name = find_file (fixture, "\"seq\":1000,", &text, &length, &at);
  g_assert_nonnull (name);
  path = path_of (fixture, name);
  at[8] = '1';
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  ledger_fixture_close (fixture);
  g_assert_true (has_file (fixture, "tile/0/003"));
  assert_bad (fixture, name, 1000);
  at[8] = '0';
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  ledger_fixture_assert_valid (fixture);
}

static void
test_ledger_refusals (LedgerFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  ledger_fixture_open (fixture);
  g_assert_null (reeve_ledger_prove (fixture->ledger, SCOPE, 701, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (reeve_ledger_prove (fixture->ledger, SCOPE, 0, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (reeve_ledger_prove (fixture->ledger, "nobody", 1, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

/* Signing on demand has an end, and one call that is refused costs nothing. */
static void
test_ledger_demand (LedgerFixture *fixture, gconstpointer data)
{
  guint refused = 0;

  ledger_fixture_open (fixture);
  for (guint i = 0; i < 400 && refused == 0; i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 seq = ledger_fixture_append (fixture, SCOPE, REEVE_LEDGER_READ, "agents.get", 0);
      g_autofree char *text = reeve_ledger_prove (fixture->ledger, SCOPE, seq, &error);

      if (text != NULL)
        continue;
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_BUSY);
      refused++;
    }
  g_free (prove (fixture, 1));
}

static void
test_ledger_completes (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *tiles = path_of (fixture, "tile");

  /* caches may go at any time */
  remove_file (fixture, REEVE_LEDGER_EDGE_FILE);
  remove_file (fixture, "tile/0/001");
  assert_bad (fixture, "tile/0/001", 257);
  ledger_fixture_open (fixture);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
  /* a log of before there were tiles */
  test_tree_remove (tiles);
  assert_bad (fixture, "tile/0/000", 1);
  ledger_fixture_open (fixture);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

static void
test_ledger_tile_damage (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *tile = path_of (fixture, "tile/0/001");
  g_autofree char *copy = path_of (fixture, "tile/0/002");
  g_autofree char *above = path_of (fixture, "tile/1");
  g_autofree char *alien = path_of (fixture, "tile/1/note");
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (tile, &text, &length, NULL));
  g_assert_cmpuint (length, ==, REEVE_LEDGER_TILES_SIZE);
  for (gsize at = 0; at < length; at += 997)
    {
      text[at] = (char) (text[at] ^ 0x10);
      g_assert_true (g_file_set_contents (tile, text, (gssize) length, NULL));
      assert_bad (fixture, "tile/0/001", (gint64) (257 + at / 32));
      text[at] = (char) (text[at] ^ 0x10);
    }
  g_assert_true (g_file_set_contents (tile, text, (gssize) length - 1, NULL));
  assert_bad (fixture, "tile/0/001", 257);
  g_assert_true (g_file_set_contents (tile, text, (gssize) length, NULL));
  ledger_fixture_assert_valid (fixture);
  g_assert_true (g_file_set_contents (copy, text, (gssize) length, NULL));
  assert_bad (fixture, "tile/0/002", 701);
  g_assert_cmpint (g_unlink (copy), ==, 0);
  g_assert_cmpint (g_mkdir (above, 0700), ==, 0);
  g_assert_true (g_file_set_contents (alien, "x", 1, NULL));
  assert_bad (fixture, "tile/1/note", 0);
  g_assert_cmpint (g_unlink (alien), ==, 0);
  ledger_fixture_assert_valid (fixture);
}

/* A proof in which anything is changed proves nothing. */
static void
test_ledger_proof_damage (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autoptr (ReeveLedgerKey) key = NULL;
  gsize length = 0;

  ledger_fixture_open (fixture);
  text = prove (fixture, 300);
  length = strlen (text);
  key = reeve_ledger_key_load_public (fixture->keys, NULL);
  for (gsize at = 0; at < length; at++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveLedgerProof) proof = NULL;

      text[at] = (char) (text[at] ^ 0x01);
      proof = reeve_ledger_proof_parse (text, length, &error);
      if (proof != NULL)
        g_assert_null (reeve_ledger_proof_verify (proof, key, NULL, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
      text[at] = (char) (text[at] ^ 0x01);
    }
  for (gsize end = 0; end < length; end += 7)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveLedgerProof) proof = reeve_ledger_proof_parse (text, end, &error);

      if (proof != NULL)
        g_assert_null (reeve_ledger_proof_verify (proof, key, NULL, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
    }
}

#define ADD(name, func)                                                                            \
  g_test_add ("/ledger-tiles/" name, LedgerFixture, NULL, set_up, func, ledger_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ledger-tiles/tree/inclusion", test_tree_inclusion);
  g_test_add_func ("/ledger-tiles/tree/consistency", test_tree_consistency);
  g_test_add_func ("/ledger-tiles/tree/refusals", test_tree_refusals);
  g_test_add_func ("/ledger-tiles/names", test_tiles_names);
  g_test_add_func ("/ledger-tiles/edge", test_tiles_edge);
  g_test_add_func ("/ledger-tiles/leaves", test_leaves);
  g_test_add_func ("/ledger-tiles/leaves/most", test_leaves_most);
  ADD ("ledger", test_ledger_tiles);
  ADD ("written", test_ledger_written);
  ADD ("refusals", test_ledger_refusals);
  ADD ("demand", test_ledger_demand);
  ADD ("completes", test_ledger_completes);
  ADD ("tile-damage", test_ledger_tile_damage);
  ADD ("proof-damage", test_ledger_proof_damage);
  return g_test_run ();
}
