/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data keys, their destruction, and secrets of the host. */
#include "keys-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/key-file.h"

static void
assert_refused (KeysFixture *fixture, const char *scope, ReeveError code, const char *text)
{
  g_autoptr (GError) error = NULL;
  ReeveStorageKey key = { 0 };

  g_assert_false (
      reeve_storage_keys_get_current (REEVE_STORAGE_KEYS (fixture->keys), scope, &key, &error));
  g_assert_error (error, REEVE_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, text));
}

/* ---- data keys ---- */

static void
test_life (KeysFixture *fixture, gconstpointer data)
{
  ReeveStorageKeys *keys = REEVE_STORAGE_KEYS (fixture->keys);
  ReeveStorageKey first = keys_fixture_get_current (fixture, "acme");
  ReeveStorageKey other = keys_fixture_get_current (fixture, "globex");
  ReeveStorageKey again = keys_fixture_get_current (fixture, "acme");
  ReeveStorageKey second = { 0 };
  ReeveStorageKey old = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (first.id, ==, 1);
  keys_fixture_assert_same (&first, &again);
  g_assert_cmpint (memcmp (first.bytes, other.bytes, sizeof first.bytes), !=, 0);
  keys_fixture_reopen (fixture);
  keys = REEVE_STORAGE_KEYS (fixture->keys);
  again = keys_fixture_get_current (fixture, "acme");
  keys_fixture_assert_same (&first, &again);

  g_assert_true (reeve_storage_keys_add (keys, "acme", &second, &error));
  g_assert_cmpuint (second.id, ==, 2);
  again = keys_fixture_get_current (fixture, "acme");
  keys_fixture_assert_same (&second, &again);
  g_assert_true (reeve_storage_keys_get (keys, "acme", 1, &old, &error));
  keys_fixture_assert_same (&first, &old);
  g_assert_true (reeve_storage_keys_drop (keys, "acme", 2, &error));
  g_assert_false (reeve_storage_keys_get (keys, "acme", 1, &old, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);

  keys_fixture_reopen (fixture);
  keys = REEVE_STORAGE_KEYS (fixture->keys);
  g_assert_false (reeve_storage_keys_get (keys, "acme", 1, &old, NULL));
  g_assert_true (reeve_storage_keys_get (keys, "acme", 2, &old, NULL));
  keys_fixture_assert_same (&second, &old);
  /* a number is never used again */
  g_assert_true (reeve_storage_keys_add (keys, "acme", &again, NULL));
  g_assert_cmpuint (again.id, ==, 3);
  g_assert_false (reeve_storage_keys_drop (keys, "acme", 9, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

static void
test_bad_scopes (KeysFixture *fixture, gconstpointer data)
{
  static const char *const bad[] = { "", ".hidden", "../escape", "a/b", "a b" };
  ReeveStorageKeys *keys = REEVE_STORAGE_KEYS (fixture->keys);
  ReeveStorageKey key = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_false (reeve_storage_keys_get_current (keys, bad[i], &key, NULL));
      g_assert_false (reeve_storage_keys_add (keys, bad[i], &key, NULL));
      g_assert_false (reeve_storage_keys_get (keys, bad[i], 1, &key, NULL));
      g_assert_false (reeve_store_keys_destroy (fixture->keys, bad[i], NULL));
    }
  g_assert_false (reeve_storage_keys_get (keys, "acme", 0, &key, NULL));
  g_assert_false (reeve_storage_keys_get (keys, "acme", 1, &key, NULL));
  g_assert_false (reeve_store_keys_destroy (fixture->keys, REEVE_SCOPE_PLATFORM, NULL));
  g_assert_false (keys_fixture_has (fixture, "tenants/acme.key"));
}

/* neither a key nor its bytes in base64 lie anywhere, and only the host reads the files */
static void
test_file (KeysFixture *fixture, gconstpointer data)
{
  ReeveStorageKey key = keys_fixture_get_current (fixture, "acme");
  g_autofree char *plain = g_base64_encode (key.bytes, sizeof key.bytes);
  g_autofree char *path = g_build_filename (fixture->folder, "tenants/acme.key", NULL);
  struct stat status = { 0 };
  gsize length = 0;
  g_autofree char *text = keys_fixture_read (fixture, "tenants/acme.key", &length);

  g_assert_nonnull (strstr (text, "\ntenant:acme:v1:aes-256-gcm:"));
  g_assert_null (strstr (text, plain));
  g_assert_null (memmem (text, length, key.bytes, sizeof key.bytes));
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0600);
  keys_fixture_get_current (fixture, REEVE_SCOPE_PLATFORM);
  g_assert_true (keys_fixture_has (fixture, "platform.key"));
}

/* a seal holds to its tenant and to its number */
static void
test_changed_places (KeysFixture *fixture, gconstpointer data)
{
  ReeveStorageKey key = { 0 };
  g_autofree char *acme = NULL;
  g_autofree char *globex = NULL;
  g_autoptr (GString) text = NULL;

  keys_fixture_get_current (fixture, "acme");
  keys_fixture_get_current (fixture, "globex");
  acme = keys_fixture_read (fixture, "tenants/acme.key", NULL);
  globex = keys_fixture_read (fixture, "tenants/globex.key", NULL);
  keys_fixture_write (fixture, "tenants/globex.key", acme, strlen (acme));
  keys_fixture_reopen (fixture);
  assert_refused (fixture, "globex", REEVE_ERROR_CORRUPT, "tenants/globex.key");

  text = g_string_new (acme);
  g_string_replace (text, "tenant:acme:", "tenant:globex:", 0);
  keys_fixture_write (fixture, "tenants/globex.key", text->str, text->len);
  assert_refused (fixture, "globex", REEVE_ERROR_CORRUPT, "damaged");
  keys_fixture_write (fixture, "tenants/globex.key", globex, strlen (globex));
  keys_fixture_get_current (fixture, "globex");

  g_string_assign (text, acme);
  g_string_replace (text, ":v1:", ":v2:", 0);
  keys_fixture_write (fixture, "tenants/acme.key", text->str, text->len);
  assert_refused (fixture, "acme", REEVE_ERROR_CORRUPT, "damaged");
  g_assert_false (reeve_storage_keys_add (REEVE_STORAGE_KEYS (fixture->keys), "acme", &key, NULL));
}

/* every byte of a file counts */
static void
test_damage (KeysFixture *fixture, gconstpointer data)
{
  ReeveStorageKey before = keys_fixture_get_current (fixture, "acme");
  gsize length = 0;
  g_autofree char *text = keys_fixture_read (fixture, "tenants/acme.key", &length);
  guint refused = 0;

  for (gsize at = 0; at < length; at++)
    {
      g_autofree char *bad = g_memdup2 (text, length);
      ReeveStorageKey key = { 0 };

      bad[at] = bad[at] == 'A' ? 'B' : 'A';
      keys_fixture_write (fixture, "tenants/acme.key", bad, length);
      keys_fixture_reopen (fixture);
      if (!reeve_storage_keys_get_current (REEVE_STORAGE_KEYS (fixture->keys), "acme", &key, NULL))
        refused++;
      else
        keys_fixture_assert_same (&before, &key);
    }
  /* one character of base64 may stand for bits that are not there */
  g_assert_cmpuint (refused, >=, length - 2);
  keys_fixture_write (fixture, "tenants/acme.key", text, length / 2);
  keys_fixture_reopen (fixture);
  assert_refused (fixture, "acme", REEVE_ERROR_CORRUPT, "acme.key");
}

static gpointer
race_main (gpointer data)
{
  KeysFixture *fixture = data;
  ReeveStorageKey *keys = g_new0 (ReeveStorageKey, 10);

  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *scope = g_strdup_printf ("race-%u", i);

      keys[i] = keys_fixture_get_current (fixture, scope);
    }
  return keys;
}

/* whoever comes first makes the key, and all get that one */
static void
test_race (KeysFixture *fixture, gconstpointer data)
{
  GThread *threads[4] = { NULL };
  ReeveStorageKey *keys[4] = { NULL };

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("race", race_main, fixture);
  for (guint i = 0; i < 4; i++)
    keys[i] = g_thread_join (threads[i]);
  for (guint i = 1; i < 4; i++)
    g_assert_cmpmem (keys[0], 10 * sizeof **keys, keys[i], 10 * sizeof **keys);
  for (guint i = 0; i < 4; i++)
    g_free (keys[i]);
}

/* more scopes than stay unwrapped */
static void
test_cache (KeysFixture *fixture, gconstpointer data)
{
  ReeveStorageKey first = keys_fixture_get_current (fixture, "scope-0");
  ReeveStorageKey again = { 0 };

  for (guint i = 1; i < 1100; i++)
    {
      g_autofree char *name = g_strdup_printf ("tenants/scope-%u.key", i);
      g_autofree char *label = g_strdup_printf ("tenant:scope-%u", i);
      g_autofree char *scope = g_strdup_printf ("scope-%u", i);
      g_autoptr (ReeveKeyFile) file = reeve_key_file_new (label);
      g_autofree char *text = NULL;

      /* written by hand: 1,100 files would be synced otherwise */
      g_assert_true (
          reeve_key_file_seal (file, fixture->master, 1, first.bytes, sizeof first.bytes, NULL));
      text = reeve_key_file_format (file);
      keys_fixture_write (fixture, name, text, strlen (text));
      again = keys_fixture_get_current (fixture, scope);
      keys_fixture_assert_same (&first, &again);
    }
  again = keys_fixture_get_current (fixture, "scope-0");
  keys_fixture_assert_same (&first, &again);
}

/* ---- the folder ---- */

static void
test_wrong_master (KeysFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveMasterKey) wrong = reeve_master_key_new_random ();
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  keys_fixture_get_current (fixture, "acme");
  before = keys_fixture_read (fixture, "tenants/acme.key", NULL);
  g_assert_null (reeve_store_keys_open (fixture->folder, wrong, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_assert_nonnull (strstr (error->message, reeve_master_key_get_id (wrong)));
  g_assert_nonnull (strstr (error->message, reeve_master_key_get_id (fixture->master)));
  after = keys_fixture_read (fixture, "tenants/acme.key", NULL);
  g_assert_cmpstr (before, ==, after);
  g_assert_true (reeve_store_keys_is_sealed (fixture->folder));
}

static void
test_missing_parts (KeysFixture *fixture, gconstpointer data)
{
  static const char *const parts[] = { "master", "marks", "marks.key" };

  keys_fixture_get_current (fixture, REEVE_SCOPE_PLATFORM);
  g_clear_object (&fixture->keys);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *path = g_build_filename (fixture->folder, parts[i], NULL);
      g_autofree char *aside = g_build_filename (fixture->top, parts[i], NULL);
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (g_rename (path, aside), ==, 0);
      g_assert_null (reeve_store_keys_open (fixture->folder, fixture->master, &error));
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, parts[i]));
      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
      g_assert_cmpint (g_rename (aside, path), ==, 0);
      keys_fixture_open (fixture);
      g_clear_object (&fixture->keys);
    }
}

/* a store that was there has a mark: its keys are not made anew */
static void
test_missing_keys (KeysFixture *fixture, gconstpointer data)
{
  ReeveStorageMark mark = { .salt = { 7 }, .sequence = 3 };
  g_autofree char *path = g_build_filename (fixture->folder, "tenants/acme.key", NULL);

  keys_fixture_get_current (fixture, "acme");
  g_assert_true (reeve_storage_keys_write_mark (REEVE_STORAGE_KEYS (fixture->keys), "acme", &mark,
                                                TRUE, NULL));
  g_assert_cmpint (g_remove (path), ==, 0);
  keys_fixture_reopen (fixture);
  assert_refused (fixture, "acme", REEVE_ERROR_CORRUPT, "tenants/acme.key is missing");
}

/* ---- destruction ---- */

static void
test_destroy (KeysFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "tenants/acme.key", NULL);
  ReeveStorageKey first = keys_fixture_get_current (fixture, "acme");
  ReeveStorageKey key = { 0 };
  g_auto (GStrv) unfinished = NULL;
  char zeros[64] = { 0 };
  char now[64] = { 0 };
  int fd = open (path, O_RDONLY);

  keys_fixture_set_mark (fixture, "acme", 9, TRUE);
  g_assert_true (reeve_store_keys_has (fixture->keys, "acme"));
  g_assert_true (reeve_store_keys_announce_destruction (fixture->keys, "acme", NULL));
  unfinished = reeve_store_keys_list_unfinished (fixture->keys);
  g_assert_cmpuint (g_strv_length (unfinished), ==, 1);
  g_assert_cmpstr (unfinished[0], ==, "acme");
  g_assert_true (reeve_store_keys_destroy (fixture->keys, "acme", NULL));
  g_assert_true (reeve_store_keys_destroy (fixture->keys, "acme", NULL));
  g_assert_false (reeve_store_keys_has (fixture->keys, "acme"));
  g_assert_false (keys_fixture_has (fixture, "tenants/acme.doom"));
  /* who had it open finds nothing in it */
  g_assert_cmpint (read (fd, now, sizeof now), ==, 0);
  g_assert_cmpmem (zeros, sizeof zeros, now, sizeof now);
  close (fd);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 0);
  g_assert_false (
      reeve_storage_keys_get (REEVE_STORAGE_KEYS (fixture->keys), "acme", 1, &key, NULL));
  /* a tenant of that name is another one */
  key = keys_fixture_get_current (fixture, "acme");
  g_assert_cmpint (memcmp (first.bytes, key.bytes, sizeof key.bytes), !=, 0);
}

/* the old content of a replaced file is overwritten too */
static void
test_replaced_content (KeysFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "tenants/acme.key", NULL);
  ReeveStorageKey key = keys_fixture_get_current (fixture, "acme");
  struct stat status = { 0 };
  int fd = open (path, O_RDONLY);

  g_assert_true (reeve_storage_keys_add (REEVE_STORAGE_KEYS (fixture->keys), "acme", &key, NULL));
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  g_assert_cmpint (status.st_size, ==, 0);
  g_assert_cmpuint (status.st_nlink, ==, 0);
  close (fd);
}

/* ---- secrets of the host ---- */

static void
test_secrets (KeysFixture *fixture, gconstpointer data)
{
  static const char secret[] = "-----BEGIN PRIVATE KEY-----";
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) again = NULL;
  g_autofree char *text = NULL;

  g_assert_null (
      reeve_store_keys_load_secret (fixture->keys, fixture->folder, "ledger", 100, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  /* as a version without encryption left it */
  keys_fixture_write (fixture, "ledger.key", secret, strlen (secret));
  bytes = reeve_store_keys_load_secret (NULL, fixture->folder, "ledger", 100, &error);
  g_assert_no_error (error);
  g_clear_pointer (&bytes, g_bytes_unref);
  bytes = reeve_store_keys_load_secret (fixture->keys, fixture->folder, "ledger", 100, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), secret,
                   strlen (secret));
  text = keys_fixture_read (fixture, "ledger.key", NULL);
  g_assert_null (strstr (text, "PRIVATE"));
  g_assert_nonnull (strstr (text, "\nhost:ledger:v1:aes-256-gcm:"));
  again = reeve_store_keys_load_secret (fixture->keys, fixture->folder, "ledger", 100, &error);
  g_assert_true (g_bytes_equal (bytes, again));
  g_assert_null (reeve_store_keys_load_secret (NULL, fixture->folder, "ledger", 100, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_clear_error (&error);
  g_assert_null (
      reeve_store_keys_load_secret (fixture->keys, fixture->folder, "ledger", 5, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
}

/* ---- the format ---- */

static void
test_format (void)
{
  static const char *const bad[] = {
    "",
    "reeve-keys 1\n",
    "reeve-keys 2\nmaster 0123456789abcdef\ntenant:a:b:v1:aes-256-gcm:AA==\n",
    "reeve-keys 1\ntenant:a:b:v1:aes-256-gcm:AA==\n",
    "reeve-keys 1\nmaster 0123\ntenant:a:b:v1:aes-256-gcm:AA==\n",
    "reeve-keys 1\nmaster 0123456789abcdef\ntenant:a:v1:aes-256-gcm:AA==\n",
    "reeve-keys 1\nmaster 0123456789abcdef\ntenant:a:b:v0:aes-256-gcm:AA==\n",
    "reeve-keys 1\nmaster 0123456789abcdef\ntenant:a:b:v01:aes-256-gcm:AA==\n",
    "reeve-keys 1\nmaster 0123456789abcdef\ntenant:a:b:v4294967296:aes-256-gcm:AA==\n",
    "reeve-keys 1\nmaster 0123456789abcdef\ntenant:a:b:v1:fernet:AA==\n",
    "reeve-keys 1\nmaster 0123456789abcdef\ntenant:a:b:v1:aes-256-gcm:\n",
    "reeve-keys 1\nmaster 0123456789abcdef\ntenant:a:b:v1:aes-256-gcm:AA==\n\n",
    "reeve-keys 1\nmaster 0123456789abcdef\ntenant:a:b:v1:aes-256-gcm:AA==\n"
    "tenant:a:b:v1:aes-256-gcm:AA==\n",
  };
  static const char good[]
      = "reeve-keys 1\nmaster 0123456789abcdef\n"
        "tenant:a:b:v1:aes-256-gcm:AA==\ntenant:a:b:v4294967295:aes-gcm:AB==\n";
  g_autoptr (ReeveKeyFile) file = reeve_key_file_parse ("tenant:a:b", good, strlen (good), NULL);
  g_autofree char *text = NULL;

  g_assert_nonnull (file);
  g_assert_cmpuint (reeve_key_file_get_newest (file, "0123456789abcdef"), ==, G_MAXUINT32);
  g_assert_cmpuint (reeve_key_file_get_newest (file, "0123456789abcdee"), ==, 0);
  text = reeve_key_file_format (file);
  g_assert_nonnull (strstr (text, ":v4294967295:aes-256-gcm:AB==\n"));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (reeve_key_file_parse ("tenant:a:b", bad[i], strlen (bad[i]), &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
    }
}

#define ADD(name, func)                                                                            \
  g_test_add ("/store/keys/" name, KeysFixture, NULL, keys_fixture_set_up, func,                   \
              keys_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("life", test_life);
  ADD ("bad-scopes", test_bad_scopes);
  ADD ("file", test_file);
  ADD ("changed-places", test_changed_places);
  ADD ("damage", test_damage);
  ADD ("race", test_race);
  ADD ("cache", test_cache);
  ADD ("wrong-master", test_wrong_master);
  ADD ("missing-parts", test_missing_parts);
  ADD ("missing-keys", test_missing_keys);
  ADD ("destroy", test_destroy);
  ADD ("replaced-content", test_replaced_content);
  ADD ("secrets", test_secrets);
  g_test_add_func ("/store/keys/format", test_format);
  return g_test_run ();
}
