/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite: a sealed page opens where and as it was sealed and nowhere else; temporary files,
 * keyrings and randomness. */
#include "sqlite-keyring.h"
#include "sqlite-random.h"
#include "sqlite-seal.h"
#include "sqlite-temp.h"

#include "../helpers/test-keys.h"
#include "../helpers/test-tree.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const guint8 salt[REEVE_STORAGE_SALT_SIZE] = "0123456789abcde";
static const SqliteSealPlace some_place
    = { .kind = SQLITE_SEAL_WAL, .page = 7, .position = 32, .salts = { 1, 2, 3 } };
static const SqliteSealPlace first_place = { .kind = SQLITE_SEAL_MAIN, .page = 1 };

static SqliteSeal *
make_seal (guint32 id)
{
  ReeveStorageKey key = { .id = id };
  SqliteSeal *seal = NULL;

  memset (key.bytes, (int) id, sizeof key.bytes);
  seal = sqlite_seal_new (&key, salt);
  g_assert_nonnull (seal);
  return seal;
}

static void
fill_page (guint8 *page, guint8 from)
{
  for (guint i = 0; i < SQLITE_SEAL_USABLE; i++)
    page[i] = (guint8) (from + i * 31 / 7);
  memset (page + SQLITE_SEAL_USABLE, 0, SQLITE_SEAL_TRAILER);
}

static gboolean
opens (SqliteSeal *seal, const SqliteSealPlace *place, const guint8 *sealed, guint8 *plain)
{
  guint8 copy[SQLITE_SEAL_PAGE];

  memcpy (copy, sealed, sizeof copy);
  return sqlite_seal_open (seal, place, copy, plain);
}

static void
test_round_trip (void)
{
  g_autoptr (SqliteSeal) seal = make_seal (3);
  guint8 page[SQLITE_SEAL_PAGE];
  guint8 sealed[SQLITE_SEAL_PAGE];
  guint8 again[SQLITE_SEAL_PAGE];
  guint8 plain[SQLITE_SEAL_PAGE];

  fill_page (page, 9);
  g_assert_true (sqlite_seal_close (seal, &some_place, page, sealed));
  g_assert_true (sqlite_seal_close (seal, &some_place, page, again));
  g_assert_cmpuint (sqlite_seal_read_id (sealed), ==, 3);
  /* the same page looks different every time */
  g_assert_true (memcmp (sealed, again, SQLITE_SEAL_USABLE) != 0);
  g_assert_true (memcmp (sqlite_seal_read_nonce (sealed), sqlite_seal_read_nonce (again), 12) != 0);
  g_assert_null (memmem (sealed, sizeof sealed, page + 100, 8));
  g_assert_true (opens (seal, &some_place, sealed, plain));
  g_assert_cmpmem (plain, sizeof plain, page, sizeof page);
  g_assert_true (opens (seal, &some_place, again, plain));
  g_assert_cmpmem (plain, sizeof plain, page, sizeof page);
}

/* page 1: the salt instead of the magic, 16 to 23 readable, the rest not */
static void
test_first_page (void)
{
  g_autoptr (SqliteSeal) seal = make_seal (1);
  guint8 page[SQLITE_SEAL_PAGE];
  guint8 sealed[SQLITE_SEAL_PAGE];
  guint8 plain[SQLITE_SEAL_PAGE];

  fill_page (page, 1);
  memcpy (page, "SQLite format 3", 16);
  g_assert_true (sqlite_seal_close (seal, &first_place, page, sealed));
  g_assert_cmpmem (sealed, 16, salt, 16);
  g_assert_cmpmem (sealed + 16, 8, page + 16, 8);
  g_assert_null (memmem (sealed + 24, sizeof sealed - 24, page + 24, 8));
  g_assert_true (opens (seal, &first_place, sealed, plain));
  g_assert_cmpmem (plain, sizeof plain, page, sizeof page);
}

/* every single byte counts, that of every page kind */
static void
test_flips (void)
{
  g_autoptr (SqliteSeal) seal = make_seal (1);
  const SqliteSealPlace *places[] = { &some_place, &first_place };
  guint8 page[SQLITE_SEAL_PAGE];
  guint8 sealed[SQLITE_SEAL_PAGE];
  guint8 plain[SQLITE_SEAL_PAGE];
  const guint8 zeros[SQLITE_SEAL_PAGE] = { 0 };

  for (guint k = 0; k < G_N_ELEMENTS (places); k++)
    {
      fill_page (page, 77);
      g_assert_true (sqlite_seal_close (seal, places[k], page, sealed));
      for (guint i = 0; i < SQLITE_SEAL_PAGE; i++)
        {
          /* the key's number is who opens it */
          if (i >= SQLITE_SEAL_USABLE && i < SQLITE_SEAL_USABLE + 4)
            continue;
          sealed[i] ^= (guint8) (1u << (i % 8));
          g_assert_false (opens (seal, places[k], sealed, plain));
          g_assert_cmpmem (plain, sizeof plain, zeros, sizeof zeros);
          sealed[i] ^= (guint8) (1u << (i % 8));
        }
      g_assert_true (opens (seal, places[k], sealed, plain));
    }
}

static void
test_places (void)
{
  g_autoptr (SqliteSeal) seal = make_seal (1);
  g_autoptr (SqliteSeal) other_key = make_seal (2);
  ReeveStorageKey key = { .id = 1 };
  guint8 other[REEVE_STORAGE_SALT_SIZE] = { 9 };
  g_autoptr (SqliteSeal) other_salt = NULL;
  SqliteSealPlace moved[5] = { some_place, some_place, some_place, some_place, some_place };
  guint8 page[SQLITE_SEAL_PAGE];
  guint8 sealed[SQLITE_SEAL_PAGE];
  guint8 plain[SQLITE_SEAL_PAGE];

  memset (key.bytes, 1, sizeof key.bytes);
  other_salt = sqlite_seal_new (&key, other);
  fill_page (page, 3);
  g_assert_true (sqlite_seal_close (seal, &some_place, page, sealed));
  moved[0].kind = SQLITE_SEAL_MAIN;
  moved[1].kind = SQLITE_SEAL_JOURNAL;
  moved[2].page++;
  moved[3].position++;
  moved[4].salts[7] ^= 1;
  for (guint i = 0; i < G_N_ELEMENTS (moved); i++)
    g_assert_false (opens (seal, &moved[i], sealed, plain));
  g_assert_false (opens (other_key, &some_place, sealed, plain));
  g_assert_false (opens (other_salt, &some_place, sealed, plain));
  g_assert_true (opens (seal, &some_place, sealed, plain));
}

static void
test_blocks (void)
{
  g_autoptr (SqliteSeal) seal = make_seal (1);
  g_autoptr (SqliteSeal) other = make_seal (2);
  guint8 block[SQLITE_SEAL_BLOCK] = "fifteen letters";
  guint8 copy[SQLITE_SEAL_BLOCK];

  g_assert_true (sqlite_seal_cover (seal, block));
  g_assert_true (memcmp (block, "fifteen letters", 16) != 0);
  memcpy (copy, block, sizeof copy);
  g_assert_true (sqlite_seal_uncover (other, copy));
  g_assert_true (memcmp (copy, "fifteen letters", 16) != 0);
  g_assert_true (sqlite_seal_uncover (seal, block));
  g_assert_cmpmem (block, 16, "fifteen letters", 16);
}

/* a child must not seal under the nonces that its parent goes on to use */
static void
test_fork (void)
{
  guint8 first[12];
  guint8 mine[12];
  guint8 theirs[12] = { 0 };
  int ends[2] = { -1, -1 };
  pid_t child = 0;
  int status = 0;

  g_assert_true (sqlite_random_fill (first, sizeof first));
  g_assert_cmpint (pipe (ends), ==, 0);
  child = fork ();
  if (child == 0)
    {
      gboolean filled = sqlite_random_fill (mine, sizeof mine);

      _exit (filled && write (ends[1], mine, sizeof mine) == sizeof mine ? 0 : 1);
    }
  g_assert_true (sqlite_random_fill (mine, sizeof mine));
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (read (ends[0], theirs, sizeof theirs), ==, sizeof theirs);
  g_assert_true (memcmp (mine, theirs, sizeof mine) != 0);
  g_assert_true (memcmp (mine, first, sizeof mine) != 0);
  close (ends[0]);
  close (ends[1]);
}

static gpointer
draw (gpointer data)
{
  GHashTable *drawn
      = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);

  for (guint i = 0; i < 5000; i++)
    {
      guint8 bytes[12];

      g_assert_true (sqlite_random_fill (bytes, sizeof bytes));
      g_hash_table_add (drawn, g_bytes_new (bytes, sizeof bytes));
    }
  return drawn;
}

static void
test_random (void)
{
  GThread *threads[4] = { NULL };
  g_autoptr (GHashTable) all = g_hash_table_new (g_bytes_hash, g_bytes_equal);
  GHashTable *drawn[4] = { NULL };
  guint8 much[1000] = { 0 };

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("draw", draw, NULL);
  for (guint i = 0; i < 4; i++)
    {
      GHashTableIter iter;
      gpointer bytes = NULL;

      drawn[i] = g_thread_join (threads[i]);
      g_hash_table_iter_init (&iter, drawn[i]);
      while (g_hash_table_iter_next (&iter, &bytes, NULL))
        g_hash_table_add (all, bytes);
    }
  g_assert_cmpuint (g_hash_table_size (all), ==, 20000);
  g_assert_true (sqlite_random_fill (much, sizeof much));
  g_assert_true (memcmp (much, much + 500, 500) != 0);
  for (guint i = 0; i < 4; i++)
    g_hash_table_unref (drawn[i]);
}

static void
test_keyring (void)
{
  g_autoptr (TestKeys) keys = test_keys_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (SqliteKeyring) ring = sqlite_keyring_new (REEVE_STORAGE_KEYS (keys), "acme", &error);
  ReeveStorageKey one = { 0 };
  ReeveStorageKey two = { 0 };
  guint generation = 0;

  g_assert_no_error (error);
  g_assert_cmpuint (sqlite_keyring_get_current (ring), ==, 1);
  g_assert_true (sqlite_keyring_count (ring));
  sqlite_keyring_set_seals (ring, 100);
  sqlite_keyring_set_seals (ring, 50);
  g_assert_cmpuint (sqlite_keyring_get_seals (ring), ==, 100);
  g_assert_true (sqlite_keyring_add (ring, &error));
  g_assert_cmpuint (sqlite_keyring_get_current (ring), ==, 2);
  g_assert_cmpuint (sqlite_keyring_get_seals (ring), ==, 0);
  g_assert_true (sqlite_keyring_get (ring, 1, &one, &error));
  g_assert_true (sqlite_keyring_get (ring, 2, &two, &error));
  g_assert_true (memcmp (one.bytes, two.bytes, sizeof one.bytes) != 0);
  g_assert_false (sqlite_keyring_get (ring, 3, &two, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  generation = sqlite_keyring_get_generation (ring);
  g_assert_true (sqlite_keyring_drop_others (ring, &error));
  g_assert_cmpuint (sqlite_keyring_get_generation (ring), !=, generation);
  /* gone here as well, not only there */
  g_assert_false (sqlite_keyring_get (ring, 1, &one, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_assert_true (sqlite_keyring_get (ring, 2, &two, NULL));
  /* beyond 2^32 nothing is sealed, whatever happens */
  sqlite_keyring_set_seals (ring, (G_GUINT64_CONSTANT (1) << 32) - 2);
  g_assert_true (sqlite_keyring_count (ring));
  g_assert_false (sqlite_keyring_count (ring));
}

/* against a plain array; the disk sees nothing of it */
static void
test_temp (void)
{
  g_autofree char *folder = test_tree_make_quick ();
  g_autofree char *path = g_build_filename (folder, "temp", NULL);
  g_autofree guint8 *want = g_malloc0 (200000);
  g_autofree guint8 *got = g_malloc0 (200000);
  g_autofree char *raw = NULL;
  sqlite3_vfs *vfs = sqlite3_vfs_find (NULL);
  sqlite3_file *file = g_malloc0 ((gsize) vfs->szOsFile);
  g_autoptr (SqliteTemp) temp = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  gint64 size = 0;
  gsize length = 0;
  int flags = 0;

  g_assert_cmpint (vfs->xOpen (vfs, path, file,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_TEMP_DB,
                               &flags),
                   ==, SQLITE_OK);
  temp = sqlite_temp_new (file);
  for (guint i = 0; i < 400; i++)
    {
      gint64 offset = g_rand_int_range (rand, 0, 100000);
      int n = g_rand_int_range (rand, 1, 9000);

      if (i % 40 == 39)
        {
          g_assert_cmpint (sqlite_temp_truncate (temp, offset), ==, SQLITE_OK);
          if (offset < size)
            memset (want + offset, 0, (gsize) (size - offset));
          size = MIN (size, offset);
        }
      memset (got, 'A' + (int) (i % 26), (gsize) n);
      g_assert_cmpint (sqlite_temp_write (temp, got, n, offset), ==, SQLITE_OK);
      memcpy (want + offset, got, (gsize) n);
      size = MAX (size, offset + n);
      g_assert_cmpint (sqlite_temp_get_size (temp), ==, size);
      offset = g_rand_int_range (rand, 0, 100000);
      g_assert_cmpint (sqlite_temp_read (temp, got, n, offset), ==,
                       offset + n > size ? SQLITE_IOERR_SHORT_READ : SQLITE_OK);
      g_assert_cmpmem (got, n, want + offset, n);
    }
  g_assert_true (g_file_get_contents (path, &raw, &length, NULL));
  for (int c = 'A'; c <= 'Z'; c++)
    {
      g_autofree char *run = g_strnfill (8, (char) c);

      g_assert_null (memmem (raw, length, run, 8));
    }
  raw[3] ^= 1; /* another byte than was there, whatever that was */
  g_assert_cmpint (file->pMethods->xWrite (file, raw + 3, 1, 3), ==, SQLITE_OK);
  g_assert_cmpint (sqlite_temp_read (temp, got, 10, 0), ==, SQLITE_IOERR_DATA);
  file->pMethods->xClose (file);
  g_free (file);
  test_tree_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/storage-sqlite/seal/round-trip", test_round_trip);
  g_test_add_func ("/storage-sqlite/seal/first-page", test_first_page);
  g_test_add_func ("/storage-sqlite/seal/flips", test_flips);
  g_test_add_func ("/storage-sqlite/seal/places", test_places);
  g_test_add_func ("/storage-sqlite/seal/blocks", test_blocks);
  g_test_add_func ("/storage-sqlite/seal/fork", test_fork);
  g_test_add_func ("/storage-sqlite/seal/random", test_random);
  g_test_add_func ("/storage-sqlite/seal/keyring", test_keyring);
  g_test_add_func ("/storage-sqlite/seal/temp", test_temp);
  return g_test_run ();
}
