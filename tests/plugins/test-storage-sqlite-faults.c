/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite where every single write, sync, truncation, removal and renaming of a scripted
 * path fails once, or from then on, or is the last thing that the process does: what was
 * acknowledged is there, what was refused is not, and nothing is there by half.
 *
 * what                                          | CI              | long
 * ----------------------------------------------|-----------------|-------------
 * a fault at the n-th call of the file layer    | every 4th n     | every n
 * … and at all calls behind it                  | every 7th n     | every n
 * a fault at the n-th call of the system        | every 13th n    | every n
 * killed at the n-th call of the system         | every 7th n     | every n
 * The n of one kind of fault begin where those of the kind before left off. */
#include "sqlite-storage.h"

#include "fault-child.h"
#include "fault-vfs.h"

#include "../helpers/test-integrity.h"
#include "../helpers/test-size.h"
#include "../helpers/test-tree.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMITS 6

static const ReeveStep steps[] = {
  { REEVE_STEP_COLLECTION, "things",
    (const ReeveField[]){ { "n", REEVE_FIELD_INT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_INDEX, "things",
    (const ReeveField[]){ { "n", REEVE_FIELD_INT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_TEXT, "notes", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration migrations[] = { { 1, "things", steps }, { 0, NULL, NULL } };

/* how each part of the script ended, as a letter: A acknowledged, R refused, U not to be known,
 * space: not reached */
typedef struct
{
  char opened;
  char created;
  char dropped;
  char commits[COMMITS + 1];
} Outcome;

/* in a child: where the letters go as they come, "name letter\n" */
static gboolean telling;

static char
tell (const char *name, gboolean good, const GError *error)
{
  char letter = 'A';

  if (!good)
    {
      g_assert_nonnull (error);
      letter = g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME) ? 'U' : 'R';
      /* the disk is to blame, and the error says so */
      if (letter == 'R' && !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY))
        g_error ("%s: code %d: %s", name, error->code, error->message);
    }
  if (telling)
    {
      g_autofree char *line = g_strdup_printf ("%s%c\n", name, letter);

      if (write (STDOUT_FILENO, line, strlen (line)) != (gssize) strlen (line))
        _exit (1);
    }
  return letter;
}

/* everything that a batch can do; the number ties the parts together */
static ReeveBatchResult *
commit_one (ReeveStorage *storage, guint n, GError **error)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (JsonObject) object = json_object_new ();
  /* one of them does not fit into the page cache: it spills into the log before its commit */
  g_autofree char *filler = g_strnfill (n == 4 ? 280000 : 300, 'f');
  g_autofree char *id = g_strdup_printf ("%u", n);
  g_autoptr (GBytes) bytes = g_bytes_new (id, strlen (id));
  g_autoptr (GBytes) big = g_bytes_new (filler, strlen (filler));

  json_object_set_int_member (object, "n", n);
  reeve_batch_append (batch, "s", bytes, REEVE_REVISION_ANY);
  reeve_batch_count (batch, "c", 1, 0, G_MAXINT64);
  reeve_batch_put (batch, "things", id, object, REEVE_REVISION_ABSENT);
  reeve_batch_text_put (batch, "notes", id, "1", NULL, "note", NULL);
  reeve_batch_push (batch, "q", id, bytes, n);
  reeve_batch_blob_put (batch, id, big);
  return reeve_storage_commit (storage, batch, error);
}

static void
commit_all (ReeveStorage *storage, Outcome *outcome)
{
  for (guint n = 1; n <= COMMITS; n++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *name = g_strdup_printf ("%u", n);
      g_autoptr (ReeveBatchResult) result = commit_one (storage, n, &error);

      outcome->commits[n] = tell (name, result != NULL, error);
    }
}

/* The scripted path: the platform's store and one more are made, one goes, batches, a clean end. */
static void
run_script (const char *folder, Outcome *outcome)
{
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;
  gboolean good = reeve_storage_open (storage, folder, migrations, migrations, &error);

  memset (outcome, ' ', sizeof *outcome);
  outcome->opened = tell ("open", good, error);
  if (!good)
    return;
  good = reeve_storage_create_scope (storage, "acme", &error);
  outcome->created = tell ("create", good, error);
  g_clear_error (&error);
  good = reeve_storage_drop_scope (storage, "old", &error);
  outcome->dropped = tell ("drop", good, error);
  if (reeve_storage_has_scope (storage, "acme"))
    commit_all (storage, outcome);
  reeve_storage_close (storage);
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

/* Is batch @n there? It is there whole or not at all. */
static gboolean
has_commit (ReeveStorage *storage, guint n)
{
  g_autofree char *id = g_strdup_printf ("%u", n);
  const char *groups[] = { id, NULL };
  g_autoptr (ReeveRecord) record = reeve_storage_get (storage, "acme", "things", id, NULL);
  g_autoptr (GBytes) blob = reeve_storage_get_blob (storage, "acme", id, NULL);
  g_autoptr (GPtrArray) hits
      = reeve_storage_search_text (storage, "acme", "notes", "note", groups, 5, NULL, NULL);

  g_assert_nonnull (hits);
  g_assert_cmpint (record != NULL, ==, blob != NULL);
  g_assert_cmpuint (hits->len, ==, record != NULL ? 1 : 0);
  return record != NULL;
}

static void
check_commits (ReeveStorage *storage, const Outcome *outcome)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries
      = reeve_storage_read_stream (storage, "acme", "s", 0, G_MAXUINT, &error);
  gint64 value = 0;
  guint there = 0;

  g_assert_no_error (error);
  for (guint n = 1; n <= COMMITS; n++)
    {
      gboolean has = has_commit (storage, n);

      there += has ? 1 : 0;
      if (outcome->commits[n] == 'A' && !has)
        g_error ("batch %u was acknowledged and is lost", n);
      if (outcome->commits[n] == 'R' && has)
        g_error ("batch %u was refused and is there", n);
    }
  g_assert_cmpuint (entries->len, ==, there);
  g_assert_true (reeve_storage_get_counter (storage, "acme", "c", &value, NULL));
  g_assert_cmpint (value, ==, there);
}

/* After faults are over: all is as the script was told, and it goes on. */
static void
check_folder (const char *folder, const Outcome *outcome)
{
  ReeveStorage *storage = open_storage (folder);
  g_autofree char *platform = g_build_filename (folder, "platform.db", NULL);
  g_autofree char *acme = g_build_filename (folder, "tenants", "acme.db", NULL);
  g_autoptr (GError) error = NULL;
  gboolean created = reeve_storage_has_scope (storage, "acme");
  gboolean dropped = !reeve_storage_has_scope (storage, "old");

  if (outcome->created == 'A')
    g_assert_true (created);
  if (outcome->dropped == 'A')
    g_assert_true (dropped);
  if (created)
    check_commits (storage, outcome);
  else
    g_assert_true (reeve_storage_create_scope (storage, "acme", NULL));
  if (!dropped)
    g_assert_true (reeve_storage_drop_scope (storage, "old", NULL));
  for (guint n = 1; n <= COMMITS; n++)
    if (!has_commit (storage, n))
      {
        g_autoptr (ReeveBatchResult) result = commit_one (storage, n, &error);

        g_assert_no_error (error);
      }
  reeve_storage_close (storage);
  g_object_unref (storage);
  test_integrity_check (platform);
  test_integrity_check (acme);
}

/* A folder with a scope to drop, and nothing else. */
static char *
make_template (void)
{
  char *folder = test_tree_make_quick ();
  ReeveStorage *storage = open_storage (folder);
  g_autofree char *platform = g_build_filename (folder, "platform.db", NULL);

  g_assert_true (reeve_storage_create_scope (storage, "old", NULL));
  reeve_storage_close (storage);
  g_object_unref (storage);
  /* the script makes it */
  g_assert_cmpint (g_unlink (platform), ==, 0);
  return folder;
}

static const FaultKind kinds[] = { FAULT_FULL, FAULT_IO, FAULT_READ_ONLY, FAULT_SHORT };

/* Faults in the file layer below ours, in this process: @width calls, or all behind the first. */
static void
fault_file_layer (guint step, gboolean stays)
{
  g_autofree char *template = make_template ();
  guint runs = 0;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      gboolean hit = TRUE;

      for (guint n = 1 + i % step; hit; n += step)
        {
          g_autofree char *folder = test_tree_make_quick ();
          Outcome outcome;

          test_tree_copy (template, folder);
          fault_vfs_arm (kinds[i], FAULT_ALL, n, stays ? G_MAXUINT : n);
          run_script (folder, &outcome);
          hit = fault_vfs_get_failed () > 0;
          fault_vfs_disarm ();
          g_test_message ("kind %d, call %u: %s, %c%c%c %.*s", kinds[i], n, fault_vfs_get_hit (),
                          outcome.opened, outcome.created, outcome.dropped, COMMITS,
                          outcome.commits + 1);
          check_folder (folder, &outcome);
          test_tree_remove (folder);
          runs++;
        }
    }
  g_assert_cmpuint (runs * step, >, 150);
  test_tree_remove (template);
}

static void
test_once (void)
{
  fault_file_layer (test_size (4, 1), FALSE);
}

static void
test_from_then_on (void)
{
  fault_file_layer (test_size (7, 1), TRUE);
}

static void
read_outcome (const char *text, Outcome *outcome)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  memset (outcome, ' ', sizeof *outcome);
  for (char **line = lines; *line != NULL && **line != '\0'; line++)
    {
      char letter = (*line)[strlen (*line) - 1];

      if (g_str_has_prefix (*line, "create"))
        outcome->created = letter;
      else if (g_str_has_prefix (*line, "drop"))
        outcome->dropped = letter;
      else if (g_ascii_isdigit (**line))
        outcome->commits[**line - '0'] = letter;
    }
}

/* Faults of the system's calls, in a child: those that SQLite does not make are among them. */
static void
fault_system (const FaultKind *wanted, guint n_wanted, guint step)
{
  g_autofree char *template = make_template ();

  for (guint i = 0; i < n_wanted; i++)
    {
      gboolean hit = TRUE;

      for (guint n = 1 + i % step; hit; n += step)
        {
          g_autofree char *folder = test_tree_make_quick ();
          g_autoptr (FaultChild) child = fault_child_new (folder);
          const char *arguments[] = { "--script", folder, NULL };
          g_autofree char *errors = NULL;
          g_autofree char *text = NULL;
          Outcome outcome;
          int status = 0;

          test_tree_copy (template, folder);
          fault_child_arm (child, wanted[i], FAULT_ALL, NULL, n, n);
          text = fault_child_run (child, arguments, &status, &errors);
          hit = fault_child_get_control (child)->failed > 0;
          read_outcome (text, &outcome);
          g_test_message ("kind %d, call %u: %s, %.*s%s", wanted[i], n,
                          fault_child_get_control (child)->hit, COMMITS, outcome.commits + 1,
                          errors);
          if (hit && wanted[i] >= FAULT_KILL)
            g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
          else
            g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
          check_folder (folder, &outcome);
          test_tree_remove (folder);
        }
    }
  test_tree_remove (template);
}

static void
test_system (void)
{
  fault_system (kinds, G_N_ELEMENTS (kinds), test_size (13, 1));
}

static void
test_killed (void)
{
  static const FaultKind deaths[] = { FAULT_KILL, FAULT_KILL_HALF };

  fault_system (deaths, G_N_ELEMENTS (deaths), test_size (7, 1));
}

static int
run_child (const char *folder)
{
  Outcome outcome;

  telling = TRUE;
  run_script (folder, &outcome);
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--script") == 0)
    return run_child (argv[2]);
  g_test_init (&argc, &argv, NULL);
  /* what could not be tidied up is said, and no failure */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  fault_vfs_register ();
  g_test_add_func ("/storage-sqlite/faults/once", test_once);
  g_test_add_func ("/storage-sqlite/faults/from-then-on", test_from_then_on);
  g_test_add_func ("/storage-sqlite/faults/system", test_system);
  g_test_add_func ("/storage-sqlite/faults/killed", test_killed);
  return g_test_run ();
}
