/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite killed at any moment: what was acknowledged is there, and every batch is there
 * whole or not at all. */
#include "sqlite-storage.h"
#include "../helpers/test-tree.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS  20
#define THREADS 6

static const ReeveStep steps[] = {
  { REEVE_STEP_COLLECTION, "things",
    (const ReeveField[]){ { "n", REEVE_FIELD_INT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_INDEX, "things",
    (const ReeveField[]){ { "n", REEVE_FIELD_INT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_TEXT, "notes", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration migrations[] = { { 1, "things", steps }, { 0, NULL, NULL } };

typedef struct
{
  ReeveStorage *storage;
  guint number;
} Writer;

/* one batch with everything in it; the stream's number ties the parts together */
static gint64
write_batch (ReeveStorage *storage, const char *scope, guint number, gint64 n)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (scope);
  g_autoptr (JsonObject) object = json_object_new ();
  g_autofree char *stream = g_strdup_printf ("stream/%u", number);
  g_autofree char *text = g_strdup_printf ("note %u", number);
  g_autofree char *filler = g_strnfill (200 + (guint) (n * 37 % 3000), 'f');
  g_autoptr (GBytes) bytes = g_bytes_new (filler, strlen (filler));
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;

  json_object_set_int_member (object, "n", n);
  reeve_batch_append (batch, stream, bytes, n);
  reeve_batch_count (batch, stream, 1, 0, G_MAXINT64);
  reeve_batch_put (batch, "things", stream, object, REEVE_REVISION_ANY);
  reeve_batch_text_put (batch, "notes", stream, "1", NULL, text, NULL);
  result = reeve_storage_commit (storage, batch, &error);
  if (result == NULL)
    g_error ("the child could not write: %s", error->message);
  return reeve_batch_result_get_value (result, 0);
}

/* two scopes; after each acknowledgement a line "number n" to the parent, in one write */
static gpointer
write_forever (gpointer data)
{
  Writer *writer = data;
  g_autofree char *stream = g_strdup_printf ("stream/%u", writer->number);
  const char *scope = writer->number % 2 == 0 ? "even" : "odd";
  gint64 n = 0;

  g_assert_true (reeve_storage_get_counter (writer->storage, scope, stream, &n, NULL));
  for (;;)
    {
      g_autofree char *line = NULL;

      n = write_batch (writer->storage, scope, writer->number, n + 1);
      line = g_strdup_printf ("%u %" G_GINT64_FORMAT "\n", writer->number, n);
      if (write (STDOUT_FILENO, line, strlen (line)) != (gssize) strlen (line))
        _exit (1);
    }
  return NULL;
}

static int
run_child (const char *folder)
{
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;
  Writer writers[THREADS] = { { NULL, 0 } };
  GThread *threads[THREADS] = { NULL };

  if (!reeve_storage_open (storage, folder, migrations, migrations, &error))
    g_error ("the child could not open: %s", error->message);
  for (guint i = 0; i < THREADS; i++)
    {
      writers[i] = (Writer){ storage, i };
      threads[i] = g_thread_new ("writer", write_forever, &writers[i]);
    }
  for (guint i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);
  return 0;
}

/* reads acknowledgements until the child is dead; kills it after @delay_us from the first one */
static void
run_and_kill (const char *folder, guint delay_us, gint64 *acknowledged)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  const char *argv[] = { self, "--child", folder, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) lines = g_string_new (NULL);
  GPid pid = 0;
  int out = -1;
  gssize got = 0;
  char buffer[4096];
  int status = 0;
  char *save = NULL;

  g_assert_true (g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                           NULL, NULL, &pid, NULL, &out, NULL, &error));
  g_assert_no_error (error);
  got = read (out, buffer, sizeof buffer);
  g_assert_cmpint (got, >, 0);
  g_string_append_len (lines, buffer, got);
  g_usleep (delay_us);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  while ((got = read (out, buffer, sizeof buffer)) > 0)
    g_string_append_len (lines, buffer, got);
  close (out);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  for (char *line = strtok_r (lines->str, "\n", &save); line != NULL;
       line = strtok_r (NULL, "\n", &save))
    {
      char *end = NULL;
      guint64 number = g_ascii_strtoull (line, &end, 10);

      g_assert_cmpuint (number, <, THREADS);
      acknowledged[number] = MAX (acknowledged[number], g_ascii_strtoll (end, NULL, 10));
    }
}

static void
check_stream (ReeveStorage *storage, const char *scope, guint number, gint64 acknowledged)
{
  g_autofree char *stream = g_strdup_printf ("stream/%u", number);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (ReeveRecord) record = NULL;
  g_autoptr (GPtrArray) hits = NULL;
  const char *groups[] = { stream, NULL };
  gint64 value = 0;

  g_assert_true (reeve_storage_get_counter (storage, scope, stream, &value, &error));
  g_assert_no_error (error);
  g_assert_cmpint (value, >=, acknowledged);
  entries = reeve_storage_read_stream (storage, scope, stream, 0, G_MAXUINT, &error);
  g_assert_no_error (error);
  g_assert_cmpint (entries->len, ==, value);
  for (guint i = 0; i < entries->len; i++)
    g_assert_cmpint (((const ReeveStreamEntry *) g_ptr_array_index (entries, i))->seq, ==, i + 1);
  if (value == 0)
    return;
  record = reeve_storage_get (storage, scope, "things", stream, &error);
  g_assert_no_error (error);
  g_assert_cmpint (reeve_record_get_revision (record), ==, value);
  g_assert_cmpint (reeve_json_get_int (reeve_record_get_fields (record), "n", 0), ==, value);
  hits = reeve_storage_search_text (storage, scope, "notes", "note", groups, 5, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (hits->len, ==, 1);
}

/* SQLite's own opinion, of the file alone */
static void
check_integrity (const char *folder, const char *scope)
{
  g_autofree char *path = g_strdup_printf ("%s/tenants/%s.db", folder, scope);
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;

  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, "PRAGMA integrity_check", -1, &statement, NULL), ==,
                   SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  g_assert_cmpstr ((const char *) sqlite3_column_text (statement, 0), ==, "ok");
  sqlite3_finalize (statement);
  g_assert_cmpint (
      sqlite3_exec (db, "INSERT INTO t_notes (t_notes, rank) VALUES ('integrity-check', 1)", NULL,
                    NULL, NULL),
      ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static ReeveStorage *
open_storage (const char *folder)
{
  ReeveStorage *storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_storage_open (storage, folder, migrations, migrations, &error));
  g_assert_no_error (error);
  return storage;
}

static void
test_kill (void)
{
  g_autofree char *folder = g_dir_make_tmp ("reeve-crash-XXXXXX", NULL);
  ReeveStorage *storage = open_storage (folder);
  gint64 acknowledged[THREADS] = { 0 };
  gint64 before = 0;

  g_assert_true (reeve_storage_create_scope (storage, "even", NULL));
  g_assert_true (reeve_storage_create_scope (storage, "odd", NULL));
  g_object_unref (storage);
  for (guint round = 0; round < ROUNDS; round++)
    {
      gint64 sum = 0;

      run_and_kill (folder, (guint) g_random_int_range (0, 60000), acknowledged);
      storage = open_storage (folder);
      for (guint i = 0; i < THREADS; i++)
        {
          check_stream (storage, i % 2 == 0 ? "even" : "odd", i, acknowledged[i]);
          sum += acknowledged[i];
        }
      reeve_storage_close (storage);
      g_object_unref (storage);
      check_integrity (folder, "even");
      check_integrity (folder, "odd");
      g_assert_cmpint (sum, >, before);
      before = sum;
    }
  g_test_message ("%" G_GINT64_FORMAT " acknowledged batches in %d rounds", before, ROUNDS);
  test_tree_remove (folder);
}

/* killed while scopes are made: each is there whole or not at all */
static int
run_creator (const char *folder)
{
  g_autoptr (ReeveStorage) storage = open_storage (folder);

  for (guint i = 0; i < 100000; i++)
    {
      g_autofree char *scope = g_strdup_printf ("s%08x%u", g_random_int (), i);
      g_autofree char *line = g_strconcat (scope, "\n", NULL);

      g_assert_true (reeve_storage_create_scope (storage, scope, NULL));
      if (write (STDOUT_FILENO, line, strlen (line)) != (gssize) strlen (line))
        return 1;
    }
  return 0;
}

/* the scopes that the child said it had made, the last line may be cut */
static char **
create_and_kill (const char *folder)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  const char *argv[] = { self, "--creator", folder, NULL };
  g_autoptr (GString) lines = g_string_new (NULL);
  char buffer[4096];
  gssize got = 0;
  GPid pid = 0;
  int out = -1;

  g_assert_true (g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                           NULL, NULL, &pid, NULL, &out, NULL, NULL));
  got = read (out, buffer, sizeof buffer);
  g_assert_cmpint (got, >, 0);
  g_string_append_len (lines, buffer, got);
  g_usleep ((guint) g_random_int_range (0, 40000));
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  while ((got = read (out, buffer, sizeof buffer)) > 0)
    g_string_append_len (lines, buffer, got);
  close (out);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_string_truncate (lines, (gsize) (strrchr (lines->str, '\n') - lines->str));
  return g_strsplit (lines->str, "\n", -1);
}

static void
test_kill_creation (void)
{
  g_autofree char *folder = g_dir_make_tmp ("reeve-crash-XXXXXX", NULL);

  for (guint round = 0; round < 6; round++)
    {
      g_auto (GStrv) made = create_and_kill (folder);
      g_autoptr (ReeveStorage) storage = open_storage (folder);
      g_auto (GStrv) scopes = reeve_storage_list_scopes (storage, NULL);

      for (char **scope = made; *scope != NULL; scope++)
        g_assert_true (g_strv_contains ((const char *const *) scopes, *scope));
      for (char **scope = scopes; *scope != NULL; scope++)
        {
          g_assert_cmpint (write_batch (storage, *scope, 0, 1), ==, 1);
          g_assert_true (reeve_storage_drop_scope (storage, *scope, NULL));
        }
      reeve_storage_close (storage);
    }
  test_tree_remove (folder);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    return run_child (argv[2]);
  if (argc == 3 && strcmp (argv[1], "--creator") == 0)
    return run_creator (argv[2]);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/storage-sqlite/crash/kill", test_kill);
  g_test_add_func ("/storage-sqlite/crash/kill-creation", test_kill_creation);
  return g_test_run ();
}
