/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store that is moved up or down between migrations, where every single write, sync, truncation
 * and removal fails, or is the last thing that the process does: afterwards it stands at one of the
 * migrations, exactly as a store that was moved there undisturbed, and goes on from there.
 *
 * what                                          | CI              | long
 * ----------------------------------------------|-----------------|-------------
 * a fault at the n-th call of the file layer    | every 3rd n     | every n
 * killed at the n-th call of the system         | every 4th n     | every n */
#include "sqlite-storage.h"

#include "fault-child.h"
#include "fault-vfs.h"

#include "../helpers/test-size.h"
#include "../helpers/test-tree.h"

#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>

#define FIELDS(...) ((const ReeveField[]){ __VA_ARGS__, { NULL, REEVE_FIELD_TEXT } })
#define RECORDS     150
#define LATEST      4

static const ReeveStep steps_1[] = {
  { REEVE_STEP_COLLECTION, "things", FIELDS ({ "name", REEVE_FIELD_TEXT }) },
  { REEVE_STEP_TEXT, "notes", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};
/* fills a column of every record, so that many pages change */
static const ReeveStep steps_2[] = {
  { REEVE_STEP_FIELD, "things", FIELDS ({ "size", REEVE_FIELD_INT }) },
  { REEVE_STEP_INDEX, "things", FIELDS ({ "size", REEVE_FIELD_INT }) },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveStep steps_3[] = {
  { REEVE_STEP_COLLECTION, "more", FIELDS ({ "name", REEVE_FIELD_TEXT }) },
  { REEVE_STEP_TEXT, "words", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveStep steps_4[] = {
  { REEVE_STEP_INDEX, "things", FIELDS ({ "name", REEVE_FIELD_TEXT }) },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration migrations[] = {
  { 1, "things", steps_1 }, { 2, "their size", steps_2 },
  { 3, "more", steps_3 },   { 4, "by name", steps_4 },
  { 0, NULL, NULL },
};
static const ReeveMigration first_migration[] = { { 1, "things", steps_1 }, { 0, NULL, NULL } };
static const ReeveMigration none[] = { { 0, NULL, NULL } };

static ReeveStorage *
open_storage (const char *folder, const ReeveMigration *wanted)
{
  ReeveStorage *storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_storage_open (storage, folder, none, wanted, &error));
  g_assert_no_error (error);
  return storage;
}

static void
close_storage (ReeveStorage *storage)
{
  reeve_storage_close (storage);
  g_object_unref (storage);
}

/* A folder whose scope acme stands at migration 1, with something in it. */
static char *
make_first (void)
{
  char *folder = test_tree_make_quick ();
  ReeveStorage *storage = open_storage (folder, first_migration);
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *filler = g_strnfill (400, 'x');

  g_assert_true (reeve_storage_create_scope (storage, "acme", NULL));
  for (guint i = 0; i < RECORDS; i++)
    {
      g_autoptr (JsonObject) object = json_object_new ();
      g_autofree char *id = g_strdup_printf ("%u", i);

      json_object_set_string_member (object, "name", filler);
      json_object_set_int_member (object, "size", i);
      reeve_batch_put (batch, "things", id, object, REEVE_REVISION_ANY);
      reeve_batch_text_put (batch, "notes", id, id, NULL, "a note", NULL);
    }
  result = reeve_storage_commit (storage, batch, &error);
  g_assert_no_error (error);
  close_storage (storage);
  return folder;
}

/* ---- what stands in a file ---- */

static void
dump_query (sqlite3 *db, const char *sql, GString *text)
{
  sqlite3_stmt *statement = NULL;

  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL), ==, SQLITE_OK);
  while (sqlite3_step (statement) == SQLITE_ROW)
    {
      for (int i = 0; i < sqlite3_column_count (statement); i++)
        g_string_append_printf (text, "%s|", (const char *) sqlite3_column_text (statement, i));
      g_string_append_c (text, '\n');
    }
  g_assert_cmpint (sqlite3_finalize (statement), ==, SQLITE_OK);
}

/* All of scope acme as text, without times; and where it stands. SQLite finds nothing amiss. */
static char *
dump (const char *folder, guint *number)
{
  g_autofree char *path = g_build_filename (folder, "tenants", "acme.db", NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) check = g_string_new (NULL);
  sqlite3 *db = NULL;

  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE, NULL), ==, SQLITE_OK);
  dump_query (db, "PRAGMA integrity_check", check);
  g_assert_cmpstr (check->str, ==, "ok|\n");
  g_string_truncate (check, 0);
  dump_query (db, "SELECT value FROM meta WHERE name = 'schema'", check);
  *number = (guint) g_ascii_strtoull (check->str, NULL, 10);
  dump_query (db, "SELECT type, name, sql FROM sqlite_schema ORDER BY name", text);
  dump_query (db, "SELECT number, summary, direction FROM history ORDER BY entry", text);
  dump_query (db, "SELECT * FROM meta ORDER BY name", text);
  dump_query (db, "SELECT * FROM c_things ORDER BY id", text);
  dump_query (db, "SELECT * FROM t_notes_rows ORDER BY row", text);
  if (*number >= 3)
    dump_query (db, "SELECT count (*) FROM c_more", text);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- moving ---- */

static gboolean
move (const char *folder, gboolean up, GError **error)
{
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (ReeveRecord) record = NULL;
  gboolean moved = FALSE;

  if (!reeve_storage_open (storage, folder, none, migrations, error))
    return FALSE;
  if (up)
    {
      /* the first use of a store brings it up */
      record = reeve_storage_get (storage, "acme", "things", "1", error);
      moved = record != NULL;
    }
  else
    {
      moved = reeve_storage_migrate (storage, "acme", 1, error);
    }
  reeve_storage_close (storage);
  return moved;
}

/* How a store looks at each migration on its way; NULL where it does not pass by. */
typedef struct
{
  char *template;
  gboolean up;
  char *dumps[LATEST + 1];
} Way;

static Way *
way_new (gboolean up)
{
  Way *way = g_new0 (Way, 1);
  g_autofree char *folder = test_tree_make_quick ();
  ReeveStorage *storage = NULL;

  way->up = up;
  way->template = make_first ();
  if (!up)
    g_assert_true (move (way->template, TRUE, NULL));
  test_tree_copy (way->template, folder);
  for (guint i = 1; i <= LATEST; i++)
    {
      guint number = up ? i : LATEST + 1 - i;
      guint stands = 0;

      storage = open_storage (folder, migrations);
      g_assert_true (reeve_storage_migrate (storage, "acme", number, NULL));
      close_storage (storage);
      way->dumps[number] = dump (folder, &stands);
      g_assert_cmpuint (stands, ==, number);
    }
  test_tree_remove (folder);
  return way;
}

static void
way_free (Way *way)
{
  for (guint i = 0; i <= LATEST; i++)
    g_free (way->dumps[i]);
  test_tree_remove (way->template);
  g_free (way->template);
  g_free (way);
}

/* The store stands at a migration, as one that was moved there undisturbed; and it can go on. */
static void
check (Way *way, const char *folder, gboolean moved)
{
  g_autofree char *now = NULL;
  g_autofree char *then = NULL;
  g_autoptr (GError) error = NULL;
  guint number = 0;

  now = dump (folder, &number);
  g_assert_cmpuint (number, >=, 1);
  g_assert_cmpuint (number, <=, LATEST);
  g_assert_cmpstr (now, ==, way->dumps[number]);
  if (moved)
    g_assert_cmpuint (number, ==, way->up ? LATEST : 1);
  g_assert_true (move (folder, way->up, &error));
  g_assert_no_error (error);
  then = dump (folder, &number);
  g_assert_cmpuint (number, ==, way->up ? LATEST : 1);
  g_assert_cmpstr (then, ==, way->dumps[number]);
}

static void
move_with_faults (gboolean up)
{
  static const FaultKind kinds[] = { FAULT_FULL, FAULT_IO, FAULT_SHORT };
  Way *way = way_new (up);
  guint step = test_size (3, 1);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      gboolean hit = TRUE;

      for (guint n = 1 + i % step; hit; n += step)
        {
          g_autofree char *folder = test_tree_make_quick ();
          g_autoptr (GError) error = NULL;
          gboolean moved = FALSE;

          test_tree_copy (way->template, folder);
          fault_vfs_arm (kinds[i], FAULT_ALL, n, n);
          moved = move (folder, up, &error);
          hit = fault_vfs_get_failed () > 0;
          fault_vfs_disarm ();
          g_test_message ("kind %d, call %u: %s: %s", kinds[i], n, fault_vfs_get_hit (),
                          moved ? "moved" : error->message);
          if (!moved && !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME))
            g_assert_error (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY);
          check (way, folder, moved);
          test_tree_remove (folder);
        }
    }
  way_free (way);
}

static void
move_and_die (gboolean up)
{
  static const FaultKind kinds[] = { FAULT_KILL, FAULT_KILL_HALF };
  Way *way = way_new (up);
  guint step = test_size (4, 1);
  guint passed = 0;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      gboolean hit = TRUE;

      for (guint n = 1 + i * step / 2; hit; n += step)
        {
          g_autofree char *folder = test_tree_make_quick ();
          g_autoptr (FaultChild) child = fault_child_new (folder);
          const char *arguments[] = { up ? "--up" : "--down", folder, NULL };
          g_autofree char *errors = NULL;
          g_autofree char *text = NULL;
          int status = 0;

          test_tree_copy (way->template, folder);
          fault_child_arm (child, kinds[i], FAULT_ALL, NULL, n, n);
          text = fault_child_run (child, arguments, &status, &errors);
          hit = fault_child_get_control (child)->failed > 0;
          g_test_message ("kind %d, call %u: %s%s", kinds[i], n,
                          fault_child_get_control (child)->hit, errors);
          g_assert_true (hit ? WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL
                             : WIFEXITED (status) && WEXITSTATUS (status) == 0);
          check (way, folder, !hit);
          test_tree_remove (folder);
          passed += hit ? 1 : 0;
        }
    }
  g_assert_cmpuint (passed * step, >, 60);
  way_free (way);
}

static void
test_up_faults (void)
{
  move_with_faults (TRUE);
}

static void
test_down_faults (void)
{
  move_with_faults (FALSE);
}

static void
test_up_killed (void)
{
  move_and_die (TRUE);
}

static void
test_down_killed (void)
{
  move_and_die (FALSE);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && (strcmp (argv[1], "--up") == 0 || strcmp (argv[1], "--down") == 0))
    return move (argv[2], strcmp (argv[1], "--up") == 0, NULL) ? 0 : 1;
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  fault_vfs_register ();
  g_test_add_func ("/storage-sqlite/upgrade/up-faults", test_up_faults);
  g_test_add_func ("/storage-sqlite/upgrade/down-faults", test_down_faults);
  g_test_add_func ("/storage-sqlite/upgrade/up-killed", test_up_killed);
  g_test_add_func ("/storage-sqlite/upgrade/down-killed", test_down_killed);
  return g_test_run ();
}
