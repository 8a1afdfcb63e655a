/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite: what lies on disk, and what it refuses to read. */
#include "sqlite-storage.h"
#include "../helpers/test-tree.h"
#include "sqlite-vfs.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIELDS(...) ((const ReeveField[]){ __VA_ARGS__, { NULL, REEVE_FIELD_TEXT } })

static const ReeveStep steps[] = {
  { REEVE_STEP_COLLECTION, "things", FIELDS ({ "name", REEVE_FIELD_TEXT }) },
  { REEVE_STEP_TEXT, "notes", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration migrations[] = { { 1, "things", steps }, { 0, NULL, NULL } };

typedef struct
{
  char *folder;
  char *file; /* of scope acme */
  ReeveStorage *storage;
} Fixture;

static void
fixture_open (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_assert_true (
      reeve_storage_open (fixture->storage, fixture->folder, migrations, migrations, &error));
  g_assert_no_error (error);
}

static void
fixture_close (Fixture *fixture)
{
  reeve_storage_close (fixture->storage);
  g_clear_object (&fixture->storage);
}

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("reeve-files-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->file = g_build_filename (fixture->folder, "tenants", "acme.db", NULL);
  fixture_open (fixture);
  g_assert_true (reeve_storage_create_scope (fixture->storage, "acme", &error));
  g_assert_no_error (error);
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->storage != NULL)
    fixture_close (fixture);
  test_tree_remove (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->file);
}

static void
put_text (Fixture *fixture, guint n)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *filler = g_strnfill (900, 'x');

  json_object_set_string_member (object, "name", filler);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);

      reeve_batch_put (batch, "things", id, object, REEVE_REVISION_ANY);
      reeve_batch_text_put (batch, "notes", "g", id, NULL, id, NULL);
    }
  result = reeve_storage_commit (fixture->storage, batch, &error);
  g_assert_no_error (error);
}

static gsize
read_file (const char *path, guint8 **data)
{
  g_autoptr (GError) error = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, (char **) data, &length, &error));
  g_assert_no_error (error);
  return length;
}

static void
patch_file (const char *path, off_t offset, const void *bytes, gsize length)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, bytes, length, offset), ==, (gssize) length);
  g_assert_cmpint (close (fd), ==, 0);
}

/* reading from scope acme has to fail with that code */
static void
refuse (Fixture *fixture, ReeveError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_storage_get (fixture->storage, "acme", "things", "1", &error));
  g_assert_error (error, REEVE_ERROR, (int) code);
}

static void
test_format (Fixture *fixture, gconstpointer data)
{
  static const guint8 zeros[SQLITE_VFS_RESERVE];
  g_autofree guint8 *bytes = NULL;
  gsize length = 0;
  struct stat info = { 0 };

  put_text (fixture, 300);
  fixture_close (fixture);
  length = read_file (fixture->file, &bytes);
  g_assert_cmpuint (length, >, 40 * SQLITE_VFS_PAGE_SIZE);
  g_assert_cmpuint (length % SQLITE_VFS_PAGE_SIZE, ==, 0);
  g_assert_cmpmem (bytes, 16, "SQLite format 3", 16);
  g_assert_cmpuint (bytes[16] << 8 | bytes[17], ==, 4096);
  g_assert_cmpuint (bytes[18], ==, 2); /* WAL */
  g_assert_cmpuint (bytes[19], ==, 2);
  g_assert_cmpuint (bytes[20], ==, 32);
  g_assert_cmpmem (bytes + 60, 4, "\0\0\0\1", 4);
  g_assert_cmpmem (bytes + 68, 4, "RVST", 4);
  for (gsize at = 0; at < length; at += SQLITE_VFS_PAGE_SIZE)
    g_assert_cmpmem (bytes + at + SQLITE_VFS_PAGE_SIZE - SQLITE_VFS_RESERVE, SQLITE_VFS_RESERVE,
                     zeros, SQLITE_VFS_RESERVE);
  g_assert_cmpint (stat (fixture->file, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 0777, ==, 0600);
}

/* an index in shared memory would be a file: there is none; frames lie in the log without gaps */
static void
test_files_while_open (Fixture *fixture, gconstpointer data)
{
  g_autofree char *shm = g_strconcat (fixture->file, "-shm", NULL);
  g_autofree char *wal = g_strconcat (fixture->file, "-wal", NULL);
  g_autofree char *fresh = g_strconcat (fixture->file, ".new", NULL);
  g_autofree guint8 *bytes = NULL;
  gsize length = 0;

  put_text (fixture, 30);
  g_assert_cmpint (g_access (shm, F_OK), !=, 0);
  g_assert_cmpint (g_access (fresh, F_OK), !=, 0);
  length = read_file (wal, &bytes);
  g_assert_cmpuint ((length - 32) % (24 + SQLITE_VFS_PAGE_SIZE), ==, 0);
  fixture_close (fixture);
  g_assert_cmpint (g_access (wal, F_OK), !=, 0);
}

static void
test_newer_format (Fixture *fixture, gconstpointer data)
{
  g_autofree guint8 *before = NULL;
  g_autofree guint8 *after = NULL;
  gsize length = 0;

  fixture_close (fixture);
  patch_file (fixture->file, 60, "\0\0\0\2", 4);
  length = read_file (fixture->file, &before);
  fixture_open (fixture);
  refuse (fixture, REEVE_ERROR_FORMAT_TOO_NEW);
  fixture_close (fixture);
  g_assert_cmpuint (read_file (fixture->file, &after), ==, length);
  g_assert_cmpmem (before, length, after, length);
}

static void
test_newer_platform (Fixture *fixture, gconstpointer data)
{
  g_autofree char *file = g_build_filename (fixture->folder, "platform.db", NULL);
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;

  fixture_close (fixture);
  patch_file (file, 60, "\0\0\0\2", 4);
  g_assert_false (reeve_storage_open (storage, fixture->folder, migrations, migrations, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FORMAT_TOO_NEW);
}

static void
test_foreign (Fixture *fixture, gconstpointer data)
{
  sqlite3 *db = NULL;

  fixture_close (fixture);
  g_assert_cmpint (g_unlink (fixture->file), ==, 0);
  g_assert_cmpint (sqlite3_open (fixture->file, &db), ==, SQLITE_OK);
  g_assert_cmpint (
      sqlite3_exec (db, "CREATE TABLE c_things (id, revision, body)", NULL, NULL, NULL), ==,
      SQLITE_OK);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
  fixture_open (fixture);
  refuse (fixture, REEVE_ERROR_CORRUPT);
}

static void
test_garbage (Fixture *fixture, gconstpointer data)
{
  g_autofree char *garbage = g_strnfill (10000, 'x');

  fixture_close (fixture);
  g_assert_true (g_file_set_contents (fixture->file, "", 0, NULL));
  fixture_open (fixture);
  refuse (fixture, REEVE_ERROR_CORRUPT);
  fixture_close (fixture);
  g_assert_true (g_file_set_contents (fixture->file, garbage, 10000, NULL));
  fixture_open (fixture);
  refuse (fixture, REEVE_ERROR_CORRUPT);
}

/* every page of the file destroyed, one after the other: an error or an answer, never a crash */
static void
test_damaged_pages (Fixture *fixture, gconstpointer data)
{
  g_autofree guint8 *bytes = NULL;
  g_autofree char *junk = g_strnfill (SQLITE_VFS_PAGE_SIZE, 'J');
  gsize length = 0;
  guint corrupt = 0;

  put_text (fixture, 60);
  fixture_close (fixture);
  length = read_file (fixture->file, &bytes);
  for (gsize at = SQLITE_VFS_PAGE_SIZE; at < length; at += SQLITE_VFS_PAGE_SIZE)
    {
      g_autoptr (ReeveQuery) query = reeve_query_new ("acme", "things");
      g_autoptr (ReeveQueryResult) result = NULL;
      g_autoptr (GPtrArray) hits = NULL;
      g_autoptr (GError) error = NULL;

      patch_file (fixture->file, (off_t) at, junk, SQLITE_VFS_PAGE_SIZE);
      fixture_open (fixture);
      reeve_query_limit (query, 500);
      result = reeve_storage_query (fixture->storage, query, NULL, &error);
      corrupt += g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CORRUPT) ? 1 : 0;
      hits
          = reeve_storage_search_text (fixture->storage, "acme", "notes", "7", NULL, 5, NULL, NULL);
      fixture_close (fixture);
      g_assert_true (
          g_file_set_contents (fixture->file, (const char *) bytes, (gssize) length, NULL));
    }
  g_assert_cmpuint (corrupt, >=, 10);
  fixture_open (fixture);
  g_assert_true (reeve_storage_has_scope (fixture->storage, "acme"));
}

/* a log left behind by a store of the same name must not come to life in a new one */
static void
test_stale_files (Fixture *fixture, gconstpointer data)
{
  g_autofree char *wal = g_strconcat (fixture->file, "-wal", NULL);
  g_autofree char *fresh = g_strconcat (fixture->file, ".new", NULL);
  g_autofree guint8 *log = NULL;
  g_autoptr (GError) error = NULL;
  gsize length = 0;

  put_text (fixture, 5);
  length = read_file (wal, &log);
  g_assert_true (reeve_storage_drop_scope (fixture->storage, "acme", &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_access (wal, F_OK), !=, 0);
  g_assert_true (g_file_set_contents (wal, (const char *) log, (gssize) length, NULL));
  g_assert_true (g_file_set_contents (fresh, "half made", 9, NULL));
  g_assert_true (reeve_storage_create_scope (fixture->storage, "acme", &error));
  g_assert_no_error (error);
  refuse (fixture, REEVE_ERROR_NOT_FOUND);
}

/* a page that does not keep its tail free cannot be sealed later: it is not written */
static void
test_reserve_is_enforced (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SqliteVfs) vfs = sqlite_vfs_new (FALSE, &error);
  g_autofree char *path = g_build_filename (fixture->folder, "plain.db", NULL);
  sqlite3_int64 mapped = 1 << 20;
  sqlite3 *db = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                    sqlite_vfs_get_name (vfs)),
                   ==, SQLITE_OK);
  g_assert_cmpuint (sqlite_vfs_get_open_files (vfs), ==, 1);
  g_assert_cmpint (sqlite3_exec (db, "CREATE TABLE t (a)", NULL, NULL, NULL), ==, SQLITE_READONLY);
  g_assert_cmpint (sqlite3_file_control (db, "main", SQLITE_FCNTL_MMAP_SIZE, &mapped), ==,
                   SQLITE_OK);
  g_assert_cmpint (mapped, ==, 0);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
  g_assert_cmpuint (sqlite_vfs_get_open_files (vfs), ==, 0);
}

static void
test_other_process (Fixture *fixture, gconstpointer data)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  const char *argv[] = { self, "--take", fixture->folder, NULL };
  int status = 0;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
                               &status, &error));
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, REEVE_ERROR_BUSY);
}

/* in a process of its own: exits with the code of the error */
static int
take (const char *folder)
{
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;

  if (reeve_storage_open (storage, folder, migrations, migrations, &error))
    return 0;
  return error->code;
}

static void
test_settings (Fixture *fixture, gconstpointer data)
{
  static const char *const bad[] = { "{\"max_open_stores\":7}", "{\"writer_threads\":0}",
                                     "{\"writer_threads\":65}", "{\"idle_close_seconds\":0}" };
  g_autoptr (ReeveContext) context = reeve_context_new (
      &(ReeveContextInfo){ .struct_size = sizeof (ReeveContextInfo) }, NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (ReevePlugin) plugin = g_object_new (SQLITE_TYPE_STORAGE, NULL);
      g_autoptr (JsonNode) node = json_from_string (bad[i], NULL);
      g_autoptr (GError) error = NULL;

      g_assert_false (reeve_plugin_setup (plugin, json_node_get_object (node), context, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
    }
}

static void
test_bad_folder (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autofree char *folder = g_build_filename (fixture->file, "inside-a-file", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_storage_open (storage, folder, migrations, migrations, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FAILED);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *fixture, gconstpointer data);
  } cases[] = {
    { "/storage-sqlite/files/format", test_format },
    { "/storage-sqlite/files/while-open", test_files_while_open },
    { "/storage-sqlite/files/newer-format", test_newer_format },
    { "/storage-sqlite/files/newer-platform", test_newer_platform },
    { "/storage-sqlite/files/foreign", test_foreign },
    { "/storage-sqlite/files/garbage", test_garbage },
    { "/storage-sqlite/files/damaged-pages", test_damaged_pages },
    { "/storage-sqlite/files/stale", test_stale_files },
    { "/storage-sqlite/files/reserve", test_reserve_is_enforced },
    { "/storage-sqlite/files/other-process", test_other_process },
    { "/storage-sqlite/settings", test_settings },
    { "/storage-sqlite/bad-folder", test_bad_folder },
  };

  if (argc == 3 && strcmp (argv[1], "--take") == 0)
    return take (argv[2]);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add (cases[i].path, Fixture, NULL, fixture_set_up, cases[i].func, fixture_tear_down);
  return g_test_run ();
}
