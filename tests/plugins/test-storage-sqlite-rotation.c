/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite: new keys for a store in use, keys for one that had none, and a store that is gone
 * for good with its keys. */
#include "sqlite-guard.h"

#include "../helpers/sealed-store.h"
#include "../helpers/test-tree.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define RECORDS 40

static void
set_up (SealedStore *store, gconstpointer data)
{
  sealed_store_set_up (store);
}

static void
tear_down (SealedStore *store, gconstpointer data)
{
  sealed_store_tear_down (store);
}

static guint32
get_key (SealedStore *store)
{
  ReeveStorageProtection protection = { 0 };

  sealed_store_get_protection (store, &protection);
  return protection.key_id;
}

static void
rotate (SealedStore *store, ReeveRotation how)
{
  g_autoptr (GError) error = NULL;

  reeve_storage_rotate (store->storage, "acme", how, NULL, &error);
  g_assert_no_error (error);
}

/* nothing names an older key, and there is none */
static void
check_rotated (SealedStore *store)
{
  g_autofree char *copy = g_strconcat (store->file, ".copy", NULL);
  g_autoptr (GError) error = NULL;
  ReeveStorageKey key = { 0 };
  guint32 id = get_key (store);
  guint64 others = 1;

  g_assert_true (sqlite_guard_count_others (store->file, id, &others, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (others, ==, 0);
  for (guint32 i = 1; i < id; i++)
    g_assert_false (
        reeve_storage_keys_get (REEVE_STORAGE_KEYS (store->keys), "acme", i, &key, NULL));
  g_assert_false (g_file_test (copy, G_FILE_TEST_EXISTS));
}

static void
test_both_ways (SealedStore *store, gconstpointer data)
{
  guint64 others = 0;
  ReeveStorageMark before = { 0 };
  ReeveStorageMark after = { 0 };

  sealed_store_write_many (store, RECORDS);
  test_keys_get_mark (store->keys, "acme", &before);
  for (guint i = 0; i < 4; i++)
    {
      guint32 key = get_key (store);

      rotate (store, i % 2 == 0 ? REEVE_ROTATION_COPY : REEVE_ROTATION_REWRITE);
      g_assert_cmpuint (get_key (store), ==, key + 1);
      check_rotated (store);
      g_assert_true (sqlite_guard_count_others (store->file, key, &others, NULL));
      g_assert_cmpuint (others, >, 20);
      sealed_store_check (store, store->number);
      sealed_store_write_many (store, 1);
      sealed_store_close (store);
      sealed_store_open (store);
      sealed_store_check (store, store->number);
    }
  /* the scope's file is the same one to its mark */
  test_keys_get_mark (store->keys, "acme", &after);
  g_assert_cmpmem (before.salt, 16, after.salt, 16);
  g_assert_cmpuint (after.sequence, ==, RECORDS + 4);
}

static void
test_platform (SealedStore *store, gconstpointer data)
{
  ReeveStorageProtection protection = { 0 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2; i++)
    g_assert_true (reeve_storage_rotate (store->storage, REEVE_SCOPE_PLATFORM,
                                         i == 0 ? REEVE_ROTATION_COPY : REEVE_ROTATION_REWRITE,
                                         NULL, &error));
  g_assert_true (
      reeve_storage_get_protection (store->storage, REEVE_SCOPE_PLATFORM, &protection, &error));
  g_assert_cmpuint (protection.key_id, ==, 3);
  g_assert_false (
      reeve_storage_rotate (store->storage, "nobody", REEVE_ROTATION_COPY, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

typedef struct
{
  SealedStore *store;
  gboolean stop;  /* atomic */
  gint64 written; /* atomic: batches that were acknowledged */
  guint64 reads;  /* atomic */
} Traffic;

static gpointer
write_on (gpointer data)
{
  Traffic *traffic = data;

  while (!g_atomic_int_get (&traffic->stop))
    {
      sealed_store_write_many (traffic->store, 1);
      __atomic_store_n (&traffic->written, traffic->store->number, __ATOMIC_SEQ_CST);
    }
  return NULL;
}

static gpointer
read_on (gpointer data)
{
  Traffic *traffic = data;

  while (!g_atomic_int_get (&traffic->stop))
    {
      gint64 written = __atomic_load_n (&traffic->written, __ATOMIC_SEQ_CST);
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) entries = reeve_storage_read_stream (traffic->store->storage, "acme",
                                                                 "stream", 0, G_MAXUINT, &error);

      g_assert_no_error (error);
      g_assert_cmpint (entries->len, >=, written);
      __atomic_add_fetch (&traffic->reads, 1, __ATOMIC_SEQ_CST);
    }
  return NULL;
}

/* readers and writers go on; what was acknowledged meanwhile is there */
static void
test_online (SealedStore *store, gconstpointer data)
{
  Traffic traffic = { .store = store };
  GThread *threads[3] = { NULL };
  guint64 reads = 0;
  gint64 written = 0;

  sealed_store_write_many (store, 300);
  traffic.written = store->number;
  threads[0] = g_thread_new ("write", write_on, &traffic);
  threads[1] = g_thread_new ("read", read_on, &traffic);
  threads[2] = g_thread_new ("read", read_on, &traffic);
  for (guint i = 0; i < 6; i++)
    {
      rotate (store, i % 2 == 0 ? REEVE_ROTATION_COPY : REEVE_ROTATION_REWRITE);
      written = __atomic_load_n (&traffic.written, __ATOMIC_SEQ_CST);
      reads = __atomic_load_n (&traffic.reads, __ATOMIC_SEQ_CST);
      while (__atomic_load_n (&traffic.written, __ATOMIC_SEQ_CST) == written
             || __atomic_load_n (&traffic.reads, __ATOMIC_SEQ_CST) == reads)
        g_thread_yield ();
    }
  g_atomic_int_set (&traffic.stop, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  check_rotated (store);
  sealed_store_check (store, store->number);
  sealed_store_close (store);
  sealed_store_open (store);
  sealed_store_check (store, store->number);
  g_assert_cmpuint (get_key (store), ==, 7);
}

static void
cancel (gpointer data)
{
  g_cancellable_cancel (data);
}

/* stopped before, or once the new key is there: whole, and later it can be done */
static void
test_cancel (SealedStore *store, gconstpointer data)
{
  sealed_store_write_many (store, RECORDS);
  for (guint i = 0; i < 4; i++)
    {
      ReeveRotation how = i % 2 == 0 ? REEVE_ROTATION_COPY : REEVE_ROTATION_REWRITE;
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      guint32 key = get_key (store);

      if (i < 2)
        g_cancellable_cancel (cancellable);
      else
        test_keys_set_step (store->keys, cancel, cancellable);
      g_assert_false (reeve_storage_rotate (store->storage, "acme", how, cancellable, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
      test_keys_set_step (store->keys, NULL, NULL);
      g_assert_cmpuint (get_key (store), ==, i < 2 ? key : key + 1);
      sealed_store_check (store, store->number);
      sealed_store_write_many (store, 1);
      sealed_store_close (store);
      sealed_store_open (store);
      sealed_store_check (store, store->number);
      rotate (store, how);
      check_rotated (store);
    }
}

static void
test_keys_fail (SealedStore *store, gconstpointer data)
{
  sealed_store_write_many (store, RECORDS);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      test_keys_set_failing (store->keys, TRUE);
      g_assert_false (
          reeve_storage_rotate (store->storage, "acme", (ReeveRotation) i, NULL, &error));
      g_assert_nonnull (strstr (error->message, "scope acme"));
      test_keys_set_failing (store->keys, FALSE);
      sealed_store_check (store, store->number);
      sealed_store_write_many (store, 1);
    }
}

/* no room for the copy: it is the disk that is named, and the store goes on by both keys */
static void
test_full (SealedStore *store, gconstpointer data)
{
  g_autofree char *copy = g_strconcat (store->file, ".copy", NULL);
  g_autoptr (GError) error = NULL;
  struct rlimit before = { 0 };
  struct rlimit little = { 0 };

  sealed_store_write_many (store, RECORDS);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  little = (struct rlimit){ .rlim_cur = 32 << 10, .rlim_max = before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &little), ==, 0);
  g_assert_false (reeve_storage_rotate (store->storage, "acme", REEVE_ROTATION_COPY, NULL, &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY);
  g_assert_false (g_file_test (copy, G_FILE_TEST_EXISTS));
  sealed_store_write_many (store, 1);
  sealed_store_check (store, store->number);
  rotate (store, REEVE_ROTATION_COPY);
  check_rotated (store);
}

/* a key that has sealed enough gives way to a new one; older pages stay readable */
static void
test_limit (SealedStore *store, gconstpointer data)
{
  ReeveStorageProtection protection = { 0 };
  guint64 seals = 0;

  sealed_store_close (store);
  store->storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  sqlite_storage_set_seal_limit (SQLITE_STORAGE (store->storage), 200);
  g_assert_true (reeve_storage_set_keys (store->storage, REEVE_STORAGE_KEYS (store->keys), NULL));
  g_assert_true (reeve_storage_open (store->storage, store->folder, sealed_store_get_migrations (),
                                     sealed_store_get_migrations (), NULL));
  for (guint i = 0; i < 60; i++)
    {
      sealed_store_write_many (store, 1);
      sealed_store_get_protection (store, &protection);
      /* one transaction and one checkpoint over it at most */
      g_assert_cmpuint (protection.seals, <, 200 + 150);
    }
  g_assert_cmpuint (protection.key_id, >, 3);
  sealed_store_check (store, store->number);
  sealed_store_close (store);
  sealed_store_open (store);
  sealed_store_check (store, store->number);
  sealed_store_get_protection (store, &protection);
  seals = protection.seals;
  g_assert_cmpuint (seals, >, 0);
  /* what is remembered is never less than what was */
  sealed_store_write_many (store, 5);
  sealed_store_get_protection (store, &protection);
  seals = protection.seals;
  sealed_store_close (store);
  sealed_store_open (store);
  sealed_store_get_protection (store, &protection);
  g_assert_cmpuint (protection.seals, >=, seals);
  rotate (store, REEVE_ROTATION_COPY);
  check_rotated (store);
}

/* ---- nothing readable is left ---- */

static gboolean
holds (const char *path, const char *word)
{
  g_autofree char *bytes = NULL;
  gsize length = 0;

  return g_file_get_contents (path, &bytes, &length, NULL)
         && memmem (bytes, length, word, strlen (word)) != NULL;
}

/* how many files below @path hold one of the words */
static guint
count_readable (const char *path)
{
  static const char *const words[] = { SEALED_STORE_WORD, "CREATE TABLE", "ffffffff", "SQLite" };
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  guint found = 0;

  if (folder == NULL)
    {
      for (guint i = 0; i < G_N_ELEMENTS (words); i++)
        found += holds (path, words[i]) ? 1 : 0;
      return found;
    }
  for (const char *name = g_dir_read_name (folder); name != NULL; name = g_dir_read_name (folder))
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      found += count_readable (inner);
    }
  return found;
}

/* by how much a file can be compressed: noise cannot */
static double
get_ratio (const char *path)
{
  g_autoptr (GConverter) zip
      = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_RAW, 9));
  g_autofree char *bytes = NULL;
  g_autofree char *packed = NULL;
  gsize length = 0;
  gsize read = 0;
  gsize written = 0;

  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  packed = g_malloc (2 * length + 100);
  g_assert_cmpint (g_converter_convert (zip, bytes, length, packed, 2 * length + 100,
                                        G_CONVERTER_INPUT_AT_END, &read, &written, NULL),
                   ==, G_CONVERTER_FINISHED);
  return (double) written / (double) length;
}

static void
test_erasure (SealedStore *store, gconstpointer data)
{
  g_autofree char *log = g_strconcat (store->file, "-wal", NULL);
  g_autofree char *copy = g_build_filename (store->folder, "copy.db", NULL);
  g_autofree char *copied_log = g_build_filename (store->folder, "copy.db-wal", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) reason = NULL;

  sealed_store_write_many (store, RECORDS);
  sealed_store_close (store);
  sealed_store_open (store);
  sealed_store_write_many (store, RECORDS);
  /* file and live log */
  g_assert_cmpuint (count_readable (store->folder), ==, 0);
  g_assert_cmpfloat (get_ratio (store->file), >, 0.99);
  g_assert_cmpfloat (get_ratio (log), >, 0.98);
  test_tree_copy (store->file, copy);
  test_tree_copy (log, copied_log);
  rotate (store, REEVE_ROTATION_REWRITE);
  rotate (store, REEVE_ROTATION_COPY);
  g_assert_cmpuint (count_readable (store->folder), ==, 0);
  g_assert_true (reeve_storage_drop_scope (store->storage, "acme", &error));
  test_keys_destroy (store->keys, "acme");
  g_assert_false (g_file_test (store->file, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (log, G_FILE_TEST_EXISTS));
  /* a copy that somebody kept opens no more, not even under keys made since */
  test_tree_copy (copy, store->file);
  test_tree_copy (copied_log, log);
  reason = sealed_store_refuse (store);
  g_assert_error (reason, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_cmpuint (count_readable (store->folder), ==, 0);
}

/* ---- stores that were kept in clear ---- */

static void
open_plain (SealedStore *store)
{
  g_autoptr (GError) error = NULL;

  sealed_store_try_open (store, FALSE, &error);
  g_assert_no_error (error);
}

/* the same folder from the beginning, without keys */
static void
begin_plain (SealedStore *store)
{
  sealed_store_close (store);
  test_tree_remove (store->folder);
  test_keys_destroy (store->keys, "acme");
  test_keys_destroy (store->keys, REEVE_SCOPE_PLATFORM);
  open_plain (store);
  g_assert_true (reeve_storage_create_scope (store->storage, "acme", NULL));
}

static void
check_converted (SealedStore *store)
{
  ReeveStorageProtection protection = { 0 };
  ReeveStorageMark mark = { 0 };
  g_autofree char *bytes = NULL;

  sealed_store_check (store, store->number);
  sealed_store_get_protection (store, &protection);
  g_assert_true (protection.encrypted);
  sealed_store_write_many (store, 1);
  g_assert_cmpuint (count_readable (store->folder), ==, 0);
  test_keys_get_mark (store->keys, "acme", &mark);
  g_assert_cmpuint (mark.sequence, >=, 1);
  sealed_store_close (store);
  g_assert_true (g_file_get_contents (store->file, &bytes, NULL, NULL));
  g_assert_cmpmem (bytes, 16, mark.salt, 16);
  sealed_store_open (store);
  sealed_store_check (store, store->number);
  g_assert_cmpuint (count_readable (store->folder), ==, 0);
}

static void
test_convert (SealedStore *store, gconstpointer data)
{
  ReeveStorageProtection protection = { 0 };
  g_autoptr (GError) error = NULL;

  begin_plain (store);
  sealed_store_write_many (store, RECORDS);
  sealed_store_get_protection (store, &protection);
  g_assert_false (protection.encrypted);
  g_assert_false (reeve_storage_rotate (store->storage, "acme", REEVE_ROTATION_COPY, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED);
  sealed_store_close (store);
  g_assert_cmpuint (count_readable (store->folder), >, 3);
  sealed_store_open (store);
  check_converted (store);
  /* there is no way back but a restore */
  sealed_store_close (store);
  g_clear_error (&error);
  g_assert_false (sealed_store_try_open (store, FALSE, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
}

/* as a crash leaves it: with a log */
static void
test_convert_log (SealedStore *store, gconstpointer data)
{
  g_autofree char *saved = g_strconcat (store->folder, "-saved", NULL);

  begin_plain (store);
  sealed_store_write_many (store, RECORDS);
  test_tree_copy (store->folder, saved);
  sealed_store_close (store);
  test_tree_remove (store->folder);
  test_tree_copy (saved, store->folder);
  test_tree_remove (saved);
  sealed_store_open (store);
  check_converted (store);
}

/* a crash after the new file had its name and before its mark was set */
static void
test_convert_without_mark (SealedStore *store, gconstpointer data)
{
  const ReeveStorageMark none = { 0 };

  begin_plain (store);
  sealed_store_write_many (store, 3);
  sealed_store_close (store);
  sealed_store_open (store);
  sealed_store_check (store, 3);
  sealed_store_close (store);
  test_keys_set_mark (store->keys, "acme", &none);
  sealed_store_open (store);
  check_converted (store);
}

/* what cannot be used is not converted either */
static void
test_convert_newer (SealedStore *store, gconstpointer data)
{
  static const ReeveStep steps[] = {
    { REEVE_STEP_TEXT, "more", NULL },
    { REEVE_STEP_TEXT, NULL, NULL },
  };
  const ReeveMigration newer[]
      = { sealed_store_get_migrations ()[0], { 2, "more", steps }, { 0, NULL, NULL } };
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  begin_plain (store);
  sealed_store_write_many (store, 3);
  sealed_store_close (store);
  store->storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_assert_true (reeve_storage_open (store->storage, store->folder, sealed_store_get_migrations (),
                                     newer, &error));
  sealed_store_check (store, 3);
  sealed_store_close (store);
  sealed_store_open (store);
  before = sealed_store_sum (store);
  error = sealed_store_refuse (store);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FORMAT_TOO_NEW);
  g_assert_nonnull (strstr (error->message, store->file));
  after = sealed_store_sum (store);
  g_assert_cmpstr (before, ==, after);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/storage-sqlite/rotation/" name, SealedStore, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("both-ways", test_both_ways);
  ADD ("platform", test_platform);
  ADD ("online", test_online);
  ADD ("cancel", test_cancel);
  ADD ("keys-fail", test_keys_fail);
  ADD ("full", test_full);
  ADD ("limit", test_limit);
  ADD ("erasure", test_erasure);
  ADD ("convert", test_convert);
  ADD ("convert-log", test_convert_log);
  ADD ("convert-without-mark", test_convert_without_mark);
  ADD ("convert-newer", test_convert_newer);
  return g_test_run ();
}
