/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite: stores that are not opened, each with its reason, and not touched by the attempt;
 * and marks, by which an older file is known. */
#include "sqlite-keyring.h"

#include "../helpers/sealed-store.h"
#include "../helpers/test-tree.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
copy_file (const char *from, const char *from_suffix, const char *to, const char *to_suffix)
{
  g_autofree char *source = g_strconcat (from, from_suffix, NULL);
  g_autofree char *target = g_strconcat (to, to_suffix, NULL);

  if (g_file_test (source, G_FILE_TEST_EXISTS))
    test_tree_copy (source, target);
  else
    (void) g_remove (target);
}

static void
save (SealedStore *store)
{
  copy_file (store->file, "", store->file, ".saved");
  copy_file (store->file, "-wal", store->file, ".saved-wal");
}

static void
restore (SealedStore *store)
{
  copy_file (store->file, ".saved", store->file, "");
  copy_file (store->file, ".saved-wal", store->file, "-wal");
}

static void
flip (const char *path, off_t offset)
{
  int fd = open (path, O_RDWR | O_CLOEXEC);
  guint8 byte = 0;

  g_assert_cmpint (pread (fd, &byte, 1, offset), ==, 1);
  byte ^= 1;
  g_assert_cmpint (pwrite (fd, &byte, 1, offset), ==, 1);
  close (fd);
}

/* acme is refused with that code and words, and its files stay as they are */
static void
refused (SealedStore *store, ReeveError code, const char *words)
{
  g_autofree char *before = sealed_store_sum (store);
  g_autofree char *after = NULL;
  g_autoptr (GError) error = sealed_store_refuse (store);

  g_test_message ("%s", error->message);
  g_assert_error (error, REEVE_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_nonnull (strstr (error->message, "scope acme"));
  g_assert_nonnull (strstr (error->message, store->file));
  after = sealed_store_sum (store);
  g_assert_cmpstr (before, ==, after);
}

static void
test_mark (SealedStore *store, gconstpointer data)
{
  ReeveStorageProtection protection = { 0 };
  ReeveStorageMark mark = { 0 };
  guint durable = 0;
  g_autofree char *bytes = NULL;

  test_keys_get_mark (store->keys, "acme", &mark);
  g_assert_cmpuint (mark.sequence, ==, 0);
  g_assert_cmpuint (test_keys_get_durable (store->keys, "acme"), ==, 1);
  for (guint i = 1; i <= 5; i++)
    {
      sealed_store_write_many (store, 1);
      test_keys_get_mark (store->keys, "acme", &mark);
      g_assert_cmpuint (mark.sequence, ==, i);
    }
  durable = test_keys_get_durable (store->keys, "acme");
  g_assert_cmpuint (durable, ==, 1);
  sealed_store_get_protection (store, &protection);
  g_assert_true (protection.encrypted);
  g_assert_cmpuint (protection.key_id, ==, 1);
  g_assert_cmpuint (protection.seals, >, 5);
  g_assert_cmpuint (protection.sequence, ==, 5);
  sealed_store_close (store);
  g_assert_cmpuint (test_keys_get_durable (store->keys, "acme"), ==, 2);
  g_assert_true (g_file_get_contents (store->file, &bytes, NULL, NULL));
  g_assert_cmpmem (bytes, 16, mark.salt, 16);
  sealed_store_open (store);
  sealed_store_check (store, 5);
  sealed_store_get_protection (store, &protection);
  g_assert_cmpuint (protection.sequence, ==, 5);
}

/* what changes nothing is not numbered */
static void
test_nothing (SealedStore *store, gconstpointer data)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;
  ReeveStorageMark mark = { 0 };

  sealed_store_write_many (store, 1);
  reeve_batch_check (batch, "things", "1", 7);
  result = reeve_storage_commit (store->storage, batch, &error);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  test_keys_get_mark (store->keys, "acme", &mark);
  g_assert_cmpuint (mark.sequence, ==, 1);
}

/* a commit whose mark cannot be set is there, but nobody is told that it is safe */
static void
test_mark_fails (SealedStore *store, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  test_keys_set_failing (store->keys, TRUE);
  g_assert_false (sealed_store_write (store, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME);
  test_keys_set_failing (store->keys, FALSE);
  store->number = 1;
  sealed_store_write_many (store, 1);
  sealed_store_check (store, 2);
}

static void
test_rolled_back (SealedStore *store, gconstpointer data)
{
  sealed_store_write_many (store, 3);
  sealed_store_close (store);
  save (store);
  sealed_store_open (store);
  sealed_store_write_many (store, 1);
  sealed_store_close (store);
  copy_file (store->file, "", store->file, ".newest");
  restore (store);
  sealed_store_open (store);
  refused (store, REEVE_ERROR_CORRUPT, "rolled back");
  refused (store, REEVE_ERROR_CORRUPT, "reeve-host --accept-stores acme");
  refused (store, REEVE_ERROR_CORRUPT, "commit 3, and 4");
  /* the others are served, and the right file is taken again */
  g_assert_true (reeve_storage_create_scope (store->storage, "other", NULL));
  copy_file (store->file, ".newest", store->file, "");
  sealed_store_check (store, 4);
}

/* a log that was lost or cut, as it lies after a crash */
static void
test_lost_log (SealedStore *store, gconstpointer data)
{
  g_autofree char *log = g_strconcat (store->file, "-wal", NULL);
  gint64 number = 0;

  sealed_store_write_many (store, 6);
  save (store);
  number = store->number;
  sealed_store_close (store);
  sealed_store_open (store);
  restore (store);
  sealed_store_check (store, number);
  sealed_store_close (store);
  restore (store);
  (void) g_remove (log);
  sealed_store_open (store);
  refused (store, REEVE_ERROR_CORRUPT, "lost its log");
  restore (store);
  g_assert_cmpint (truncate (log, 20000), ==, 0);
  refused (store, REEVE_ERROR_CORRUPT, "lost its log");
  restore (store);
  flip (log, 9000);
  refused (store, REEVE_ERROR_CORRUPT, "lost its log");
  restore (store);
  flip (log, 20);
  refused (store, REEVE_ERROR_CORRUPT, "lost its log");
  restore (store);
  sealed_store_check (store, number);
}

static void
test_other_file (SealedStore *store, gconstpointer data)
{
  g_autofree char *other = g_build_filename (store->folder, "tenants", "other.db", NULL);

  sealed_store_write_many (store, 2);
  g_assert_true (reeve_storage_create_scope (store->storage, "other", NULL));
  sealed_store_close (store);
  copy_file (store->file, "", store->file, ".saved");
  copy_file (other, "", store->file, "");
  sealed_store_open (store);
  refused (store, REEVE_ERROR_CORRUPT, "not the file that the scope had last");
  copy_file (store->file, ".saved", store->file, "");
  sealed_store_check (store, 2);
}

/* accepted on purpose: who forgets the mark */
static void
test_forgotten_mark (SealedStore *store, gconstpointer data)
{
  const ReeveStorageMark none = { 0 };
  ReeveStorageMark mark = { 0 };

  sealed_store_write_many (store, 2);
  sealed_store_close (store);
  save (store);
  sealed_store_open (store);
  sealed_store_write_many (store, 2);
  sealed_store_close (store);
  restore (store);
  test_keys_set_mark (store->keys, "acme", &none);
  sealed_store_open (store);
  sealed_store_check (store, 2);
  test_keys_get_mark (store->keys, "acme", &mark);
  g_assert_cmpuint (mark.sequence, ==, 2);
}

static void
test_plain_file (SealedStore *store, gconstpointer data)
{
  g_autofree char *plain_folder = test_tree_make_quick ();
  g_autofree char *plain_file = g_build_filename (plain_folder, "tenants", "acme.db", NULL);
  g_autoptr (ReeveStorage) plain = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  const ReeveMigration *migrations = sealed_store_get_migrations ();

  g_assert_true (reeve_storage_open (plain, plain_folder, migrations, migrations, NULL));
  g_assert_true (reeve_storage_create_scope (plain, "acme", NULL));
  reeve_storage_close (plain);
  sealed_store_close (store);
  copy_file (plain_file, "", store->file, "");
  sealed_store_open (store);
  refused (store, REEVE_ERROR_CORRUPT, "is not encrypted, but the scope's store was");
  test_tree_remove (plain_folder);
}

static void
test_encryption_off (SealedStore *store, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  sealed_store_write_many (store, 2);
  save (store);
  sealed_store_close (store);
  restore (store);
  before = sealed_store_sum (store);
  g_assert_false (sealed_store_try_open (store, FALSE, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_assert_nonnull (strstr (error->message, "encryption is off; turn it on"));
  after = sealed_store_sum (store);
  g_assert_cmpstr (before, ==, after);
}

static void
test_wrong_key (SealedStore *store, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  sealed_store_write_many (store, 2);
  sealed_store_close (store);
  test_keys_set_wrong (store->keys, TRUE);
  g_assert_false (sealed_store_try_open (store, TRUE, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "scope @platform"));
  g_assert_nonnull (strstr (error->message, "does not open by key 1"));
  test_keys_set_wrong (store->keys, FALSE);
  sealed_store_open (store);
  test_keys_set_wrong (store->keys, TRUE);
  refused (store, REEVE_ERROR_UNAVAILABLE, "does not open by key 1");
  test_keys_set_wrong (store->keys, FALSE);
  sealed_store_check (store, 2);
}

/* with a log, too: it does not mend that */
static void
test_missing_key (SealedStore *store, gconstpointer data)
{
  ReeveStorageMark mark = { 0 };
  ReeveStorageKey key = { 0 };

  sealed_store_write_many (store, 2);
  save (store);
  sealed_store_close (store);
  test_keys_get_mark (store->keys, "acme", &mark);
  g_assert_true (reeve_storage_keys_add (REEVE_STORAGE_KEYS (store->keys), "acme", &key, NULL));
  g_assert_true (reeve_storage_keys_drop (REEVE_STORAGE_KEYS (store->keys), "acme", key.id, NULL));
  sealed_store_open (store);
  refused (store, REEVE_ERROR_UNAVAILABLE, "key 1, which is not there");
  restore (store);
  refused (store, REEVE_ERROR_UNAVAILABLE, "key 1, which is not there");
}

static void
test_damage (SealedStore *store, gconstpointer data)
{
  static const off_t places[] = { 16 + 3, 24, 100, 2000, 4063, 4068, 4085, 4095 };

  sealed_store_write_many (store, 3);
  sealed_store_close (store);
  save (store);
  sealed_store_open (store);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      flip (store->file, places[i]);
      refused (store, REEVE_ERROR_CORRUPT, "page 1 of");
      flip (store->file, places[i]);
    }
  flip (store->file, 3);
  refused (store, REEVE_ERROR_CORRUPT, "not the file that the scope had last");
  flip (store->file, 3);
  sealed_store_check (store, 3);
}

/* a page deeper in the file: found when it is read */
static void
test_deep_damage (SealedStore *store, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *bytes = NULL;
  gsize length = 0;
  guint found = 0;

  sealed_store_write_many (store, 3);
  sealed_store_close (store);
  g_assert_true (g_file_get_contents (store->file, &bytes, &length, NULL));
  for (gsize at = 4096; at < length; at += 4096)
    flip (store->file, (off_t) at + 700);
  sealed_store_open (store);
  error = sealed_store_refuse (store);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, store->file));
  for (gsize at = 4096; at < length; at += 4096)
    {
      flip (store->file, (off_t) at + 700);
      found++;
    }
  g_assert_cmpuint (found, >, 5);
  sealed_store_check (store, 3);
}

static void
test_newer_format (SealedStore *store, gconstpointer data)
{
  static const ReeveStep steps[] = {
    { REEVE_STEP_TEXT, "more", NULL },
    { REEVE_STEP_TEXT, NULL, NULL },
  };
  const ReeveMigration newer[]
      = { sealed_store_get_migrations ()[0], { 2, "more", steps }, { 0, NULL, NULL } };
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;
  guint number = 0;

  sealed_store_write_many (store, 1);
  sealed_store_close (store);
  g_assert_true (reeve_storage_set_keys (storage, REEVE_STORAGE_KEYS (store->keys), NULL));
  g_assert_true (
      reeve_storage_open (storage, store->folder, sealed_store_get_migrations (), newer, &error));
  g_assert_true (reeve_storage_schema_number (storage, "acme", &number, &error));
  g_assert_cmpuint (number, ==, 2);
  reeve_storage_close (storage);
  sealed_store_open (store);
  error = sealed_store_refuse (store);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FORMAT_TOO_NEW);
}

/* an empty platform would hide that there was one */
static void
test_missing_platform (SealedStore *store, gconstpointer data)
{
  g_autofree char *file = g_build_filename (store->folder, "platform.db", NULL);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;

  reeve_batch_count (batch, "n", 1, 0, 9);
  result = reeve_storage_commit (store->storage, batch, &error);
  g_assert_no_error (error);
  sealed_store_close (store);
  g_assert_cmpint (g_remove (file), ==, 0);
  g_assert_false (sealed_store_try_open (store, TRUE, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "platform.db is missing"));
}

/* nor is a tenant's store made anew over one that is missing */
static void
test_missing_file (SealedStore *store, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  sealed_store_write_many (store, 2);
  sealed_store_close (store);
  copy_file (store->file, "", store->file, ".saved");
  g_assert_cmpint (g_remove (store->file), ==, 0);
  sealed_store_open (store);
  refused (store, REEVE_ERROR_CORRUPT, "is missing, and commit 2 was acknowledged");
  g_assert_false (reeve_storage_create_scope (store->storage, "acme", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  copy_file (store->file, ".saved", store->file, "");
  sealed_store_check (store, 2);
}

/* a name that is used again is not a roll-back */
static void
test_name_again (SealedStore *store, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  sealed_store_write_many (store, 3);
  g_assert_true (reeve_storage_drop_scope (store->storage, "acme", &error));
  test_keys_destroy (store->keys, "acme");
  g_assert_true (reeve_storage_create_scope (store->storage, "acme", &error));
  store->number = 0;
  sealed_store_write_many (store, 1);
  sealed_store_close (store);
  sealed_store_open (store);
  sealed_store_check (store, 1);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/storage-sqlite/refusals/" name, SealedStore, NULL, set_up, func, tear_down)

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("mark", test_mark);
  ADD ("nothing", test_nothing);
  ADD ("mark-fails", test_mark_fails);
  ADD ("rolled-back", test_rolled_back);
  ADD ("lost-log", test_lost_log);
  ADD ("other-file", test_other_file);
  ADD ("forgotten-mark", test_forgotten_mark);
  ADD ("plain-file", test_plain_file);
  ADD ("encryption-off", test_encryption_off);
  ADD ("wrong-key", test_wrong_key);
  ADD ("missing-key", test_missing_key);
  ADD ("damage", test_damage);
  ADD ("deep-damage", test_deep_damage);
  ADD ("newer-format", test_newer_format);
  ADD ("missing-platform", test_missing_platform);
  ADD ("missing-file", test_missing_file);
  ADD ("name-again", test_name_again);
  return g_test_run ();
}
