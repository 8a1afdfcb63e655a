/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layers: allow file-size: one page of traps, one list of their cases */
/* storage-sqlite: where SQLite does with its files what a file layer that seals does not expect.
 * Each case fails when what the layer does about it is taken away. */
#include "sqlite-log.h"

#include "../helpers/fault-vfs.h"
#include "../helpers/sealed-file.h"
#include "../helpers/test-tree.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ROWS "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) "

typedef struct
{
  SealedFile file;
  SealedFile copy;
  char *log; /* of file */
  SqliteConnection *connection;
} Fixture;

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  sealed_file_set_up (&fixture->file);
  sealed_file_set_up (&fixture->copy);
  fixture->log = g_strconcat (fixture->file.path, "-wal", NULL);
  fixture->connection = sealed_file_create (&fixture->file);
  sealed_file_exec (
      fixture->connection,
      "PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (i INTEGER PRIMARY KEY, x TEXT);");
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->connection, sqlite_connection_free);
  sealed_file_tear_down (&fixture->file);
  sealed_file_tear_down (&fixture->copy);
  g_free (fixture->log);
}

static void
fill (SqliteConnection *connection, guint rows, const char *text)
{
  g_autofree char *sql = g_strdup_printf ("INSERT OR REPLACE INTO t " ROWS
                                          "SELECT i, '%s' || i || hex (zeroblob (200)) FROM n",
                                          rows, text);

  sealed_file_exec (connection, sql);
}

static void
check_whole (SqliteConnection *connection)
{
  g_assert_cmpint (
      sealed_file_get_int (connection, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
      ==, 1);
}

static gsize
read_all (const char *path, guint8 **bytes)
{
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, (char **) bytes, &length, NULL));
  return length;
}

static void
write_at (const char *path, gint64 offset, const void *bytes, gsize length)
{
  int fd = open (path, O_RDWR | O_CLOEXEC);

  g_assert_cmpint (pwrite (fd, bytes, length, offset), ==, (gssize) length);
  close (fd);
}

/* trap 1: a transaction larger than the cache rewrites its own frames, whose headers have zero
 * salts and checksums then; what it reads back, what is recovered, and what is checkpointed is
 * right */
static void
test_spill (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SqliteConnection) copy = NULL;

  fill (fixture->connection, 300, "old");
  sealed_file_exec (fixture->connection, "PRAGMA cache_size = 3; BEGIN");
  for (guint i = 0; i < 4; i++)
    fill (fixture->connection, 300, i % 2 == 0 ? "even" : "odd");
  g_assert_cmpint (
      sealed_file_get_int (fixture->connection, "SELECT count(*) FROM t WHERE x LIKE 'odd%'"), ==,
      300);
  sealed_file_exec (fixture->connection, "UPDATE t SET x = 'new' || x; COMMIT");
  sealed_file_copy (&fixture->file, &fixture->copy);
  copy = sealed_file_open (&fixture->copy);
  g_assert_cmpint (sealed_file_get_int (copy, "SELECT count(*) FROM t WHERE x LIKE 'newodd%'"), ==,
                   300);
  check_whole (copy);
  sealed_file_exec (copy, "PRAGMA wal_checkpoint (TRUNCATE)");
  check_whole (copy);
  sealed_file_exec (fixture->connection, "PRAGMA wal_checkpoint (RESTART)");
  fill (fixture->connection, 300, "again");
  check_whole (fixture->connection);
}

/* trap 1: one connection begins the log anew, another reads it and then writes it */
static void
test_restart (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SqliteConnection) other = sealed_file_open (&fixture->file);
  guint8 before[SQLITE_LOG_HEADER] = { 0 };
  guint8 *bytes = NULL;

  for (guint i = 0; i < 6; i++)
    {
      SqliteConnection *writer = i % 2 == 0 ? fixture->connection : other;
      SqliteConnection *reader = i % 2 == 0 ? other : fixture->connection;
      g_autofree char *text = g_strdup_printf ("round %u ", i);
      g_autofree char *sql = g_strdup_printf ("SELECT count(*) FROM t WHERE x LIKE '%s%%'", text);

      fill (writer, 50, text);
      g_assert_cmpint (sealed_file_get_int (reader, sql), ==, 50);
      sealed_file_exec (reader, "PRAGMA wal_checkpoint (RESTART)");
      read_all (fixture->log, &bytes);
      g_assert_true (i == 0 || memcmp (bytes + 16, before + 16, 8) != 0);
      memcpy (before, bytes, sizeof before);
      g_clear_pointer (&bytes, g_free);
    }
}

/* trap 1: one connection wrote a long log, another cut it short; the first writes where it ended
 * before, and where nothing is now */
static void
test_cut (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SqliteConnection) other = sealed_file_open (&fixture->file);
  SqliteConnection *writers[] = { fixture->connection, other };

  sealed_file_exec (other, "PRAGMA wal_autocheckpoint = 0");
  for (guint i = 0; i < 4; i++)
    {
      fill (writers[i % 2], 300, "long");
      sealed_file_exec (writers[(i + 1) % 2], "PRAGMA wal_checkpoint (TRUNCATE)");
      fill (writers[(i + 1) % 2], 2, "short");
      fill (writers[i % 2], 20, "again");
      check_whole (writers[i % 2]);
    }
}

/* trap 2: a frame that does not open ends the log when it is recovered, like one with a bad sum;
 * each byte of it counts */
static void
test_recovery (Fixture *fixture, gconstpointer data)
{
  static const gint64 places[] = { 0, 4, 8, 16, 24, 2000, 4087, 4092, 4100, 4119 };
  gint64 ends[3] = { 0 };

  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *sql = g_strdup_printf ("INSERT INTO t VALUES (%u, 'row')", i);

      sealed_file_exec (fixture->connection, sql);
      ends[i] = sealed_file_get_size (fixture->log);
    }
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *log = g_strconcat (fixture->copy.path, "-wal", NULL);
      g_autoptr (SqliteConnection) copy = NULL;

      sealed_file_copy (&fixture->file, &fixture->copy);
      /* in the first frame of the second commit */
      sealed_file_flip (log, ends[0] + places[i]);
      copy = sealed_file_open (&fixture->copy);
      g_assert_cmpint (sealed_file_get_int (copy, "SELECT count(*) FROM t"), ==, 1);
      check_whole (copy);
    }
}

/* trap 2: the same frame read while the log is in use is an error, never another page */
static void
test_live (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SqliteConnection) other = NULL;
  g_autoptr (GError) error = NULL;
  gint64 value = 0;

  fill (fixture->connection, 50, "row");
  other = sealed_file_open (&fixture->file);
  sealed_file_flip (fixture->log, -2000);
  g_assert_false (sqlite_connection_get_int (other, "SELECT count(*) FROM t WHERE x LIKE '%x%'",
                                             &value, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, fixture->file.path));
  /* put back: closing brings it home */
  sealed_file_flip (fixture->log, -2000);
}

/* trap 3: a page 1 torn by a power cut is mended by the log, if SQLite is let through to it */
static void
test_torn_header (Fixture *fixture, gconstpointer data)
{
  static const gint64 places[] = { 24, 100, 4000, 4064, 4070, 4090 };

  sealed_file_exec (fixture->connection, "PRAGMA wal_checkpoint (TRUNCATE)");
  sealed_file_exec (fixture->connection, "CREATE TABLE u (i)");
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autoptr (SqliteConnection) copy = NULL;

      sealed_file_copy (&fixture->file, &fixture->copy);
      sealed_file_flip (fixture->copy.path, places[i]);
      copy = sealed_file_open (&fixture->copy);
      g_assert_cmpint (sealed_file_get_int (copy, "SELECT count(*) FROM sqlite_schema"), ==, 2);
      check_whole (copy);
    }
}

/* … and without a log it is an error */
static void
test_torn_alone (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  sealed_file_exec (fixture->connection, "PRAGMA wal_checkpoint (TRUNCATE)");
  sealed_file_copy (&fixture->file, &fixture->copy);
  sealed_file_flip (fixture->copy.path, 1000);
  g_assert_null (sqlite_connection_new (fixture->copy.vfs, fixture->copy.path,
                                        SQLITE_CONNECTION_OPEN, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, fixture->copy.path));
}

static sqlite3_file *
open_raw (SealedFile *file)
{
  sqlite3_vfs *vfs = sqlite3_vfs_find (sqlite_vfs_get_name (file->vfs));
  sqlite3_file *raw = g_malloc0 ((gsize) vfs->szOsFile);
  int flags = 0;

  g_assert_cmpint (vfs->xOpen (vfs, file->path, raw,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB,
                               &flags),
                   ==, SQLITE_OK);
  return raw;
}

static void
close_raw (sqlite3_file *raw)
{
  raw->pMethods->xClose (raw);
  g_free (raw);
}

/* trap 4: no holes, so that a page of plain zeros is a damaged one */
static void
test_holes (Fixture *fixture, gconstpointer data)
{
  sqlite3_file *raw = open_raw (&fixture->copy);
  guint8 page[SQLITE_SEAL_PAGE] = { 0 };
  guint8 zeros[SQLITE_SEAL_PAGE] = { 0 };
  sqlite3_int64 hint = 1 << 20;
  sqlite3_int64 size = 0;

  memset (page, 'x', SQLITE_SEAL_USABLE);
  g_assert_cmpint (raw->pMethods->xWrite (raw, page, sizeof page, 5 * SQLITE_SEAL_PAGE), ==,
                   SQLITE_OK);
  for (gint64 i = 0; i < 5; i++)
    {
      guint8 got[SQLITE_SEAL_PAGE] = { 1 };

      g_assert_cmpint (raw->pMethods->xRead (raw, got, sizeof got, i * SQLITE_SEAL_PAGE), ==,
                       SQLITE_OK);
      if (i > 0)
        g_assert_cmpmem (got, sizeof got, zeros, sizeof zeros);
      /* what a hole would look like */
      write_at (fixture->copy.path, i * SQLITE_SEAL_PAGE, zeros, sizeof zeros);
      g_assert_cmpint (raw->pMethods->xRead (raw, got, sizeof got, i * SQLITE_SEAL_PAGE), !=,
                       SQLITE_OK);
    }
  g_assert_cmpint (raw->pMethods->xFileControl (raw, SQLITE_FCNTL_SIZE_HINT, &hint), ==, SQLITE_OK);
  g_assert_cmpint (raw->pMethods->xFileControl (raw, SQLITE_FCNTL_CHUNK_SIZE, &hint), ==,
                   SQLITE_OK);
  g_assert_cmpint (raw->pMethods->xTruncate (raw, 9 * SQLITE_SEAL_PAGE), ==, SQLITE_IOERR_TRUNCATE);
  g_assert_cmpint (raw->pMethods->xFileSize (raw, &size), ==, SQLITE_OK);
  g_assert_cmpint (size, ==, 6 * SQLITE_SEAL_PAGE);
  /* after another handle has cut the file, a gap is a gap again */
  g_assert_cmpint (raw->pMethods->xTruncate (raw, SQLITE_SEAL_PAGE), ==, SQLITE_OK);
  g_assert_cmpint (raw->pMethods->xWrite (raw, page, sizeof page, 4 * SQLITE_SEAL_PAGE), ==,
                   SQLITE_OK);
  g_assert_cmpint (raw->pMethods->xRead (raw, page, sizeof page, 2 * SQLITE_SEAL_PAGE), ==,
                   SQLITE_OK);
  close_raw (raw);
}

/* trap 5: a handle that was opened while the file was empty */
static void
test_early_handle (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SqliteConnection) early = NULL;
  g_autoptr (SqliteConnection) maker = NULL;
  g_autoptr (SqliteConnection) late = NULL;
  sqlite3_file *raw = open_raw (&fixture->copy);

  early = sealed_file_open (&fixture->copy);
  maker = sealed_file_create (&fixture->copy);
  sealed_file_exec (maker, "CREATE TABLE t (i); INSERT INTO t VALUES (1)");
  g_assert_cmpint (sealed_file_get_int (early, "SELECT count(*) FROM t"), ==, 1);
  sealed_file_exec (early, "INSERT INTO t VALUES (2)");
  late = sealed_file_open (&fixture->copy);
  g_assert_cmpint (sealed_file_get_int (late, "SELECT count(*) FROM t"), ==, 2);
  close_raw (raw);
}

/* trap 5: what the device promises, and a page size that stays */
static void
test_device (Fixture *fixture, gconstpointer data)
{
  sqlite3_file *raw = open_raw (&fixture->copy);
  int flags = raw->pMethods->xDeviceCharacteristics (raw);
  int off = 0;
  int powersafe = -1;

  g_assert_cmpint (flags & SQLITE_IOCAP_POWERSAFE_OVERWRITE, !=, 0);
  g_assert_cmpint (
      flags & (SQLITE_IOCAP_ATOMIC | SQLITE_IOCAP_ATOMIC4K | SQLITE_IOCAP_BATCH_ATOMIC), ==, 0);
  raw->pMethods->xFileControl (raw, SQLITE_FCNTL_POWERSAFE_OVERWRITE, &off);
  raw->pMethods->xFileControl (raw, SQLITE_FCNTL_POWERSAFE_OVERWRITE, &powersafe);
  flags = raw->pMethods->xDeviceCharacteristics (raw);
  g_assert_cmpint (flags & SQLITE_IOCAP_POWERSAFE_OVERWRITE, !=, 0);
  /* no mapped pages */
  g_assert_cmpint (raw->pMethods->iVersion, ==, 2);
  close_raw (raw);
  sealed_file_exec (fixture->connection, "PRAGMA mmap_size = 1000000");
  g_assert_cmpint (sealed_file_get_int (fixture->connection, "PRAGMA mmap_size"), ==, 0);
  fill (fixture->connection, 20, "row");
  /* a log would keep the page size by itself */
  sealed_file_exec (fixture->connection,
                    "PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM");
  g_assert_cmpint (sealed_file_get_int (fixture->connection, "PRAGMA page_size"), ==, 4096);
  check_whole (fixture->connection);
}

/* trap 5: even where the layer below is told otherwise, frames are not split at sectors */
static void
test_powersafe (Fixture *fixture, gconstpointer data)
{
  g_autofree char *uri = g_strdup_printf ("file:%s?psow=0", fixture->file.path);
  sqlite3 *db = NULL;
  sqlite3_file *file = NULL;
  int flags = 0;

  g_assert_cmpint (sqlite3_open_v2 (uri, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI,
                                    sqlite_vfs_get_name (fixture->file.vfs)),
                   ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_file_control (db, "main", SQLITE_FCNTL_FILE_POINTER, &file), ==,
                   SQLITE_OK);
  flags = file->pMethods->xDeviceCharacteristics (file);
  g_assert_cmpint (flags & SQLITE_IOCAP_POWERSAFE_OVERWRITE, !=, 0);
  g_assert_cmpint (sqlite3_exec (db, "PRAGMA synchronous = FULL; INSERT INTO t VALUES (1, 'x')",
                                 NULL, NULL, NULL),
                   ==, SQLITE_OK);
  sqlite3_close (db);
}

/* page numbers on disk in clear would be in a -shm file */
static void
test_no_shared_memory (Fixture *fixture, gconstpointer data)
{
  g_autofree char *shm = g_strconcat (fixture->file.path, "-shm", NULL);

  fill (fixture->connection, 20, "row");
  g_assert_false (g_file_test (shm, G_FILE_TEST_EXISTS));
}

/* a frame goes out in one write, and nothing of it is readable but page number and size */
static void
test_frames (Fixture *fixture, gconstpointer data)
{
  g_autofree guint8 *bytes = NULL;
  gint64 before = sealed_file_get_size (fixture->log);
  gint64 frames = 0;
  gsize length = 0;

  fault_vfs_arm (FAULT_NONE, FAULT_WRITE, 1, G_MAXUINT);
  fill (fixture->connection, 60, "a text that is known ");
  frames = (sealed_file_get_size (fixture->log) - before) / SQLITE_LOG_FRAME;
  g_assert_cmpint (frames, >, 3);
  g_assert_cmpuint (fault_vfs_get_seen (), ==, frames);
  fault_vfs_disarm ();
  length = read_all (fixture->log, &bytes);
  g_assert_null (memmem (bytes, length, "a text that is known", 20));
  g_assert_null (memmem (bytes, length, "CREATE", 6));
  for (gsize at = SQLITE_LOG_HEADER; at < length; at += SQLITE_LOG_FRAME)
    {
      /* salts that are not seen hide the checksums behind them as well: it is one block */
      g_assert_true (memcmp (bytes + at + 8, bytes + 16, 8) != 0);
      g_assert_cmpuint (sqlite_seal_read_id (bytes + at + SQLITE_LOG_FRAME_HEADER), ==, 1);
    }
}

/* the same text at the same place never looks the same, in frames and pages */
static void
test_pages (Fixture *fixture, gconstpointer data)
{
  g_autofree guint8 *first = NULL;
  g_autofree guint8 *second = NULL;
  guint changed = 0;
  gsize length = 0;

  fill (fixture->connection, 60, "a text that is known ");
  sealed_file_exec (fixture->connection, "PRAGMA wal_checkpoint (TRUNCATE)");
  length = read_all (fixture->file.path, &first);
  fill (fixture->connection, 60, "b text that is known ");
  fill (fixture->connection, 60, "a text that is known ");
  sealed_file_exec (fixture->connection, "PRAGMA wal_checkpoint (TRUNCATE)");
  g_assert_cmpuint (read_all (fixture->file.path, &second), ==, length);
  g_assert_null (memmem (first, length, "a text that is known", 20));
  g_assert_null (memmem (first, length, "SQLite format", 13));
  g_assert_cmpmem (first, 16, second, 16);
  for (gsize at = SQLITE_SEAL_PAGE; at < length; at += SQLITE_SEAL_PAGE)
    {
      g_assert_cmpuint (sqlite_seal_read_id (first + at), ==, 1);
      g_assert_cmpuint (sqlite_seal_read_id (second + at), ==, 1);
      if (memcmp (first + at, second + at, SQLITE_SEAL_PAGE) != 0)
        changed++;
    }
  g_assert_cmpuint (changed, >, 3);
}

/* a file without the reserve, or a page that uses it, is not written */
static void
test_reserve (Fixture *fixture, gconstpointer data)
{
  sqlite3_file *raw = open_raw (&fixture->copy);
  guint8 page[SQLITE_SEAL_PAGE] = { 0 };
  sqlite3 *plain = NULL;
  sqlite3_backup *backup = NULL;
  g_autoptr (SqliteConnection) sealed = NULL;

  page[SQLITE_SEAL_PAGE - 1] = 1;
  g_assert_cmpint (raw->pMethods->xWrite (raw, page, sizeof page, SQLITE_SEAL_PAGE), ==,
                   SQLITE_READONLY);
  g_assert_cmpint (raw->pMethods->xWrite (raw, page, 512, SQLITE_SEAL_PAGE), ==, SQLITE_READONLY);
  page[SQLITE_SEAL_PAGE - 1] = 0;
  page[16] = 16;
  g_assert_cmpint (raw->pMethods->xWrite (raw, page, sizeof page, 0), ==, SQLITE_READONLY);
  page[20] = 32;
  g_assert_cmpint (raw->pMethods->xWrite (raw, page, sizeof page, 0), ==, SQLITE_OK);
  g_assert_cmpint (raw->pMethods->xTruncate (raw, 0), ==, SQLITE_OK);
  close_raw (raw);
  g_assert_cmpint (sqlite3_open (":memory:", &plain), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (plain,
                                 "CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob (9000))", NULL,
                                 NULL, NULL),
                   ==, SQLITE_OK);
  sealed_file_forget (&fixture->copy);
  sealed = sealed_file_create (&fixture->copy);
  backup = sqlite3_backup_init (sqlite_connection_get_db (sealed), "main", plain, "main");
  if (backup != NULL)
    g_assert_cmpint (sqlite3_backup_step (backup, -1), !=, SQLITE_DONE);
  sqlite3_backup_finish (backup);
  sqlite3_close (plain);
}

/* without keys there is no file */
static void
test_closed (Fixture *fixture, gconstpointer data)
{
  g_autofree char *other = g_strconcat (fixture->file.path, "2", NULL);
  g_autofree char *attach = g_strdup_printf ("ATTACH '%s' AS other", other);
  g_autoptr (GError) error = NULL;

  g_assert_null (
      sqlite_connection_new (fixture->file.vfs, other, SQLITE_CONNECTION_CREATE, &error));
  g_assert_nonnull (error);
  g_assert_false (g_file_test (other, G_FILE_TEST_EXISTS));
  g_assert_false (sqlite_connection_exec (fixture->connection, attach, NULL));
  g_assert_false (g_file_test (other, G_FILE_TEST_EXISTS));
}

/* a transaction larger than the cache, under a rollback journal that a crash leaves behind */
static void
test_journal (Fixture *fixture, gconstpointer data)
{
  g_autofree char *journal = g_strconcat (fixture->copy.path, "-journal", NULL);
  g_autofree guint8 *bytes = NULL;
  gsize length = 0;

  fill (fixture->connection, 300, "a text that is known ");
  sealed_file_exec (fixture->connection,
                    "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 3; BEGIN");
  fill (fixture->connection, 300, "another ");
  /* read back and rolled back while it is in use … */
  sealed_file_exec (fixture->connection, "SAVEPOINT s; DELETE FROM t; ROLLBACK TO s");
  g_assert_cmpint (
      sealed_file_get_int (fixture->connection, "SELECT count(*) FROM t WHERE x LIKE 'another%'"),
      ==, 300);
  sealed_file_copy (&fixture->file, &fixture->copy);
  length = read_all (journal, &bytes);
  g_assert_cmpuint (length, >, 10 * SQLITE_SEAL_PAGE);
  g_assert_null (memmem (bytes, length, "a text that is known", 20));
  sealed_file_exec (fixture->connection, "ROLLBACK");
  check_whole (fixture->connection);
  /* … and played back by who finds it */
  {
    g_autoptr (SqliteConnection) copy = sealed_file_open (&fixture->copy);

    g_assert_cmpint (
        sealed_file_get_int (copy, "SELECT count(*) FROM t WHERE x LIKE 'a text that is known%'"),
        ==, 300);
    check_whole (copy);
    g_assert_false (g_file_test (journal, G_FILE_TEST_EXISTS));
  }
}

/* how many temporary files are open; none of them can be read */
static guint
count_temporary (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint found = 0;

  for (const char *name = g_dir_read_name (folder); name != NULL; name = g_dir_read_name (folder))
    {
      g_autofree char *link = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *path = g_file_read_link (link, NULL);
      g_autofree char *bytes = NULL;
      gsize length = 0;

      if (path == NULL || strstr (path, "etilqs_") == NULL)
        continue;
      g_assert_true (g_file_get_contents (link, &bytes, &length, NULL));
      g_assert_null (memmem (bytes, length, "row", 3) != NULL
                         ? memmem (bytes, length, "000000000000", 12)
                         : NULL);
      found += length > 0 ? 1 : 0;
    }
  return found;
}

/* sorting, VACUUM and temporary tables leave nothing readable in their files */
static void
test_temporary (Fixture *fixture, gconstpointer data)
{
  fill (fixture->connection, 3000, "row");
  sealed_file_exec (fixture->connection, "PRAGMA temp_store = FILE; PRAGMA cache_size = 10;"
                                         "PRAGMA temp.cache_size = 3");
  g_assert_cmpint (sealed_file_get_int (fixture->connection,
                                        "SELECT count(*) FROM (SELECT x FROM t ORDER BY x || i)"),
                   ==, 3000);
  sealed_file_exec (fixture->connection, "CREATE TEMP TABLE u AS SELECT * FROM t");
  g_assert_cmpuint (count_temporary (), >, 0);
  g_assert_cmpint (sealed_file_get_int (fixture->connection, "SELECT count(*) FROM u"), ==, 3000);
  sealed_file_exec (fixture->connection, "DROP TABLE u; VACUUM");
  check_whole (fixture->connection);
}

/* pages of several keys in one file, until the older key is gone */
static void
test_two_keys (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 value = 0;

  fill (fixture->connection, 100, "row");
  sealed_file_exec (fixture->connection, "PRAGMA wal_checkpoint (TRUNCATE)");
  g_assert_true (sqlite_keyring_add (fixture->file.keyring, &error));
  sealed_file_exec (fixture->connection, "UPDATE t SET x = 'new' WHERE i = 1");
  {
    g_autoptr (SqliteConnection) other = sealed_file_open (&fixture->file);

    check_whole (other);
  }
  g_clear_pointer (&fixture->connection, sqlite_connection_free);
  sealed_file_forget (&fixture->file);
  fixture->connection = sealed_file_open (&fixture->file);
  check_whole (fixture->connection);
  /* open handles forget it as well */
  g_assert_true (sqlite_keyring_drop_others (fixture->file.keyring, &error));
  sealed_file_exec (fixture->connection, "PRAGMA shrink_memory");
  g_assert_false (sqlite_connection_get_int (
      fixture->connection, "SELECT count(*) FROM t WHERE x LIKE 'r%'", &value, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "key 1"));
}

#define ADD(name, func)                                                                            \
  g_test_add ("/storage-sqlite/traps/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  fault_vfs_register ();
  ADD ("spill", test_spill);
  ADD ("restart", test_restart);
  ADD ("cut", test_cut);
  ADD ("recovery", test_recovery);
  ADD ("live", test_live);
  ADD ("torn-header", test_torn_header);
  ADD ("torn-alone", test_torn_alone);
  ADD ("holes", test_holes);
  ADD ("early-handle", test_early_handle);
  ADD ("device", test_device);
  ADD ("powersafe", test_powersafe);
  ADD ("no-shared-memory", test_no_shared_memory);
  ADD ("frames", test_frames);
  ADD ("pages", test_pages);
  ADD ("reserve", test_reserve);
  ADD ("closed", test_closed);
  ADD ("journal", test_journal);
  ADD ("temporary", test_temporary);
  ADD ("two-keys", test_two_keys);
  return g_test_run ();
}
