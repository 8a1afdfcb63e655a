/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ledger where every single write, sync, truncation, renaming and creation of a scripted path
 * fails once, or from then on, or is the last thing that the process does: what was acknowledged is
 * there once, what was refused is not there by half, the chain verifies. A log whose sync failed
 * acknowledges nothing more before it was opened again.
 *
 * what                                          | CI              | long
 * ----------------------------------------------|-----------------|-------------
 * a fault at the n-th call                      | every 5th n     | every n
 * … and at all behind it                        | every 7th n     | every n
 * a sync of a log fails                         | every n         | every n
 * killed at the n-th call                       | every 3rd n     | every n
 *
 * The same with a write-ahead file, at a third as many n; and where its own syncs fail, every
 * record is acknowledged all the same.
 *
 * With a second place, where home fails from the n-th call on, every record is acknowledged; and
 * killed at any call, away, on the way home or at the next start, nothing acknowledged is lost:
 *
 * home fails from the n-th call on              | every 5th n     | every n
 * both places fail, or one call of either       | every 11th n    | every n
 * killed away, and on the way home              | every 3rd n     | every n
 * killed at a start that brings home            | every 3rd n     | every n */
#include "ledger-fixture.h"

#include "fault-child.h"

#include "../helpers/test-size.h"
#include "governance/ledger-private.h"
#include "../helpers/test-tree.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 7
/* records of a used log: the script fills its first tile */
#define BEFORE 245

static const FaultKind kinds[] = { FAULT_FULL, FAULT_IO, FAULT_READ_ONLY, FAULT_SHORT };
static const char *const words[] = { [FAULT_FULL] = "No space left on device",
                                     [FAULT_READ_ONLY] = "Read-only file system",
                                     [FAULT_IO] = "Input/output error",
                                     [FAULT_SHORT] = "No space left on device" };

/* ---- the child ---- */

static guint operations;

/* one line for each record: "scope operation kind A|R seq error" */
static guint64
child_append (ReeveLedger *ledger, const char *scope, ReeveLedgerKind kind, guint64 intent)
{
  g_autofree char *id = g_strdup_printf ("op-%d-%u", (int) getpid (), operations++);
  ReeveLedgerRecord record = {
    .kind = kind,
    .scope = scope,
    .action = "x",
    .actor_type = "user",
    .resource_type = "operation",
    .resource_id = id,
    .intent = intent,
    .outcome = kind == REEVE_LEDGER_OUTCOME ? REEVE_OUTCOME_SUCCEEDED : REEVE_OUTCOME_NONE,
  };
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;
  guint64 seq = reeve_ledger_append (ledger, &record, &error);

  line = g_strdup_printf ("%s %s %d %c %" G_GUINT64_FORMAT " %d %s\n", scope, id, kind,
                          seq != 0 ? 'A' : 'R', seq, error != NULL ? error->code : -1,
                          error != NULL ? error->message : "");
  if (write (STDOUT_FILENO, line, strlen (line)) != (gssize) strlen (line))
    _exit (1);
  return seq;
}

/* (nullable) (transfer full): with a second place or without, with a write-ahead file or without */
static ReeveLedger *
open_child (const char *state, gboolean second, gboolean ahead)
{
  g_autofree char *folder = g_build_filename (state, "ledger", NULL);
  g_autofree char *keys = g_build_filename (state, "keys", NULL);
  g_autofree char *place = g_build_filename (state, "second", NULL);
  g_autoptr (ReeveLedger) ledger = reeve_ledger_new (folder, keys);
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;

  reeve_ledger_set_segment_size (ledger, 1500);
  reeve_ledger_set_checkpoint_seconds (ledger, 3600);
  if (ahead)
    ledger->ahead_after = 0;
  if (second)
    reeve_ledger_set_second (ledger, place);
  if (reeve_ledger_open (ledger, &error))
    return g_steal_pointer (&ledger);
  line = g_strdup_printf ("open %d %s\n", error->code, error->message);
  if (write (STDOUT_FILENO, line, strlen (line)) <= 0)
    _exit (1);
  return NULL;
}

/* Two records, of which the second is durable in the write-ahead file alone, are signed. */
static void
sign_child (ReeveLedger *ledger)
{
  guint64 seq = 0;
  g_autofree char *proof = NULL;
  const char *line = NULL;

  child_append (ledger, "acme", REEVE_LEDGER_READ, 0);
  seq = child_append (ledger, "acme", REEVE_LEDGER_READ, 0);
  proof = seq != 0 ? reeve_ledger_prove (ledger, "acme", seq, NULL) : NULL;
  line = proof != NULL ? "signed A\n" : "signed R\n";
  if (write (STDOUT_FILENO, line, strlen (line)) <= 0)
    _exit (1);
}

/* The scripted path: a first or a later start, records in two logs of which one is new, several
 * segments, a tile, a clean stop. */
static int
run_child (const char *state, gboolean second, gboolean ahead)
{
  g_autoptr (ReeveLedger) ledger = open_child (state, second, ahead);

  if (ledger == NULL)
    return 3;
  if (ahead)
    sign_child (ledger);
  for (guint i = 0; i < ROUNDS; i++)
    {
      guint64 intent = child_append (ledger, "acme", REEVE_LEDGER_INTENT, 0);

      child_append (ledger, "fresh", REEVE_LEDGER_READ, 0);
      if (intent != 0)
        child_append (ledger, "acme", REEVE_LEDGER_OUTCOME, intent);
    }
  reeve_ledger_close (ledger);
  return 0;
}

/* Home fails, and the log leaves; from then on the n-th call is the last: away, on the way home,
 * there. */
static int
run_traveller (const char *state, guint n)
{
  g_autoptr (ReeveLedger) ledger = open_child (state, TRUE, FALSE);
  int fd = open (g_getenv ("REEVE_FAULT_FILE"), O_RDWR | O_CLOEXEC);
  FaultControl *control = mmap (NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  guint64 intent = 0;

  g_assert (control != MAP_FAILED);

  if (ledger == NULL)
    return 3;
  g_strlcpy (control->path, "/ledger/", sizeof control->path);
  control->kind = FAULT_IO;
  intent = child_append (ledger, "acme", REEVE_LEDGER_INTENT, 0);
  for (guint i = 0; i < 5; i++)
    child_append (ledger, "acme", REEVE_LEDGER_READ, 0);
  if (intent != 0)
    child_append (ledger, "acme", REEVE_LEDGER_OUTCOME, intent);
  control->kind = FAULT_NONE;
  g_strlcpy (control->path, "", sizeof control->path);
  control->first = control->last = n;
  control->seen = control->failed = 0;
  control->kind = FAULT_KILL;
  child_append (ledger, "acme", REEVE_LEDGER_READ, 0);
  reeve_ledger_writer_bring_home (ledger->writer, "acme");
  for (guint i = 0; i < 5; i++)
    child_append (ledger, "acme", REEVE_LEDGER_READ, 0);
  if (reeve_ledger_get_health (ledger) != REEVE_LEDGER_WELL)
    return 4;
  reeve_ledger_writer_bring_home (ledger->writer, "acme");
  child_append (ledger, "acme", REEVE_LEDGER_READ, 0);
  reeve_ledger_close (ledger);
  return 0;
}

/* ---- the parent ---- */

/* What is in a log, by operation: how often; and the intents that have no outcome. */
static GHashTable *
count_operations (LedgerFixture *fixture, const char *scope)
{
  GHashTable *counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint64 size = reeve_ledger_get_size (fixture->ledger, scope);

  for (guint64 seq = size > BEFORE ? BEFORE - 10 : 1; seq <= size; seq++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) record = reeve_ledger_get (fixture->ledger, scope, seq, &error);
      JsonObject *resource = NULL;
      const char *id = NULL;

      g_assert_no_error (error);
      resource = reeve_json_get_object (record, "resource");
      id = resource != NULL ? reeve_json_get_string (resource, "id", "") : "";
      g_hash_table_insert (
          counts, g_strdup (id),
          GUINT_TO_POINTER (GPOINTER_TO_UINT (g_hash_table_lookup (counts, id)) + 1));
    }
  return counts;
}

/* One line of the child against what the log holds. */
static void
check_line (LedgerFixture *fixture, char **fields, GHashTable *counts, FaultKind kind)
{
  guint found = GPOINTER_TO_UINT (g_hash_table_lookup (counts, fields[1]));

  g_assert_cmpuint (found, <=, 1);
  if (fields[3][0] == 'A')
    {
      guint64 seq = g_ascii_strtoull (fields[4], NULL, 10);
      g_autoptr (JsonObject) record = reeve_ledger_get (fixture->ledger, fields[0], seq, NULL);

      g_assert_cmpuint (found, ==, 1);
      g_assert_cmpstr (
          json_object_get_string_member (json_object_get_object_member (record, "resource"), "id"),
          ==, fields[1]);
      return;
    }
  /* why, in words; only a failed sync or a kept outcome may be there all the same */
  g_assert_cmpint (atoi (fields[5]), ==, REEVE_ERROR_READ_ONLY);
  g_assert_true (strstr (fields[6], words[kind]) != NULL
                 || strstr (fields[6], "the disk is full") != NULL);
  if (found == 1 && atoi (fields[2]) != REEVE_LEDGER_OUTCOME)
    g_assert_nonnull (strstr (fields[6], "syncing"));
}

/* The folder after the faults: opened, whole, and as the child was told. */
static void
check (LedgerFixture *fixture, const char *text, FaultKind kind)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GHashTable) acme = NULL;
  g_autoptr (GHashTable) fresh = NULL;
  guint64 intent = 0;

  ledger_fixture_open (fixture);
  acme = count_operations (fixture, "acme");
  fresh = count_operations (fixture, "fresh");
  for (char **line = lines; *line != NULL && **line != '\0'; line++)
    {
      g_auto (GStrv) fields = g_strsplit (*line, " ", 7);

      if (g_strcmp0 (fields[0], "open") == 0)
        g_assert_nonnull (strstr (*line, words[kind]));
      else if (g_strv_length (fields) == 7)
        check_line (fixture, fields, strcmp (fields[0], "acme") == 0 ? acme : fresh, kind);
    }
  /* and it goes on */
  intent = ledger_fixture_append (fixture, "acme", REEVE_LEDGER_INTENT, "x", 0);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_OUTCOME, "x", intent);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

static LedgerFixture *
fixture_new (gboolean used)
{
  LedgerFixture *fixture = g_new0 (LedgerFixture, 1);
  ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_READ,
    .scope = "acme",
    .action = "x",
    .actor_type = "user",
  };

  fixture->state = test_tree_make_quick ();
  fixture->folder = g_build_filename (fixture->state, "ledger", NULL);
  fixture->keys = g_build_filename (fixture->state, "keys", NULL);
  if (!used)
    return fixture;
  ledger_fixture_open (fixture);
  for (guint i = 1; i < BEFORE; i++)
    reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_close (fixture);
  return fixture;
}

/* Runs the script once; whether the fault was met. */
static gboolean
run_once (const char *script, FaultKind kind, guint calls, const char *path, guint first,
          guint last, gboolean used)
{
  LedgerFixture *fixture = fixture_new (used);
  g_autoptr (FaultChild) child = fault_child_new (fixture->state);
  const char *arguments[] = { script, fixture->state, NULL };
  g_autofree char *errors = NULL;
  g_autofree char *text = NULL;
  gboolean hit = FALSE;
  int status = 0;

  fault_child_arm (child, kind, calls, path, first, last);
  text = fault_child_run (child, arguments, &status, &errors);
  hit = fault_child_get_control (child)->failed > 0;
  g_test_message ("kind %d, call %u: %s\n%s%s", kind, first, fault_child_get_control (child)->hit,
                  text, errors);
  if (hit && kind >= FAULT_KILL)
    g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  else
    g_assert_true (WIFEXITED (status) && (WEXITSTATUS (status) == 0 || WEXITSTATUS (status) == 3));
  if (calls == FAULT_SYNC && hit && strcmp (script, "--ahead") == 0)
    {
      g_assert_null (strstr (text, path[0] == 'a' ? " R " : "open"));
      /* a segment that cannot be synced is not signed */
      if (path[0] == 'l' && last > first)
        g_assert_nonnull (strstr (text, "signed R"));
    }
  else if (calls == FAULT_SYNC && hit)
    {
      /* nothing of that log behind the first refusal */
      const char *refused = strstr (text, " R ");

      g_assert_nonnull (refused);
      for (const char *line = strstr (refused, "\nacme "); line != NULL;
           line = strstr (line + 1, "\nacme "))
        {
          g_auto (GStrv) fields = g_strsplit (line + 1, " ", 5);

          g_assert_cmpstr (fields[3], ==, "R");
        }
    }
  check (fixture, text, kind);
  ledger_fixture_tear_down (fixture, NULL);
  g_free (fixture);
  return hit;
}

/* First starts and later ones take turns. */
static void
run_all (const char *script, const FaultKind *wanted, guint n_wanted, guint step, gboolean stays)
{
  guint runs = 0;

  for (guint i = 0; i < 2 * n_wanted; i++)
    {
      gboolean hit = TRUE;

      for (guint n = 1 + i % step; hit; n += step)
        {
          hit = run_once (script, wanted[i / 2], FAULT_ALL, NULL, n, stays ? G_MAXUINT : n,
                          i % 2 == 1);
          runs++;
        }
    }
  g_assert_cmpuint (runs * step, >, 100);
}

static void
test_once (void)
{
  run_all ("--child", kinds, G_N_ELEMENTS (kinds), test_size (5, 1), FALSE);
}

static void
test_from_then_on (void)
{
  run_all ("--child", kinds, G_N_ELEMENTS (kinds), test_size (7, 1), TRUE);
}

static void
test_killed (void)
{
  static const FaultKind deaths[] = { FAULT_KILL, FAULT_KILL_HALF };

  run_all ("--child", deaths, G_N_ELEMENTS (deaths), test_size (3, 1), FALSE);
}

static void
test_ahead (void)
{
  static const FaultKind deaths[] = { FAULT_KILL, FAULT_KILL_HALF };

  run_all ("--ahead", kinds, G_N_ELEMENTS (kinds), test_size (17, 1), FALSE);
  run_all ("--ahead", kinds, G_N_ELEMENTS (kinds), test_size (19, 1), TRUE);
  run_all ("--ahead", deaths, G_N_ELEMENTS (deaths), test_size (7, 1), FALSE);
}

/* Its own syncs, and those of segments whose records are in it. */
static void
test_ahead_sync (void)
{
  guint n = 1;

  while (run_once ("--ahead", FAULT_IO, FAULT_SYNC, "ahead.lock", n, G_MAXUINT, TRUE))
    n++;
  g_assert_cmpuint (n, >, 6);
  for (n = 1; run_once ("--ahead", FAULT_IO, FAULT_SYNC, "ledger/acme/0", n, n, TRUE); n++)
    ;
  g_assert_cmpuint (n, >, 2);
  g_assert_true (run_once ("--ahead", FAULT_IO, FAULT_SYNC, "ledger/acme/0", 1, G_MAXUINT, TRUE));
}

static void
test_sync (void)
{
  guint n = 1;

  while (run_once ("--child", FAULT_IO, FAULT_SYNC, "ledger/acme/0", n, n, TRUE))
    n++;
  g_assert_cmpuint (n, >, 6);
}

/* ---- with a second place ---- */

/* Does anything of a log lie there? */
static gboolean
is_away (LedgerFixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->state, "second", "acme", NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);

  return folder != NULL && g_dir_read_name (folder) != NULL;
}

static void
fixture_end (LedgerFixture *fixture)
{
  /* it was brought home, and nothing is left to be taken for more */
  g_assert_false (is_away (fixture));
  ledger_fixture_tear_down (fixture, NULL);
  g_free (fixture);
}

/* What a child said; whether it met the fault. */
static gboolean
run_script (LedgerFixture *fixture, const char *script, FaultKind kind, const char *path,
            guint first, guint last, GString *said)
{
  g_autoptr (FaultChild) child = fault_child_new (fixture->state);
  const char *arguments[] = { script, fixture->state, NULL };
  g_autofree char *errors = NULL;
  g_autofree char *text = NULL;
  int status = 0;

  fault_child_arm (child, kind, FAULT_ALL, path, first, last);
  text = fault_child_run (child, arguments, &status, &errors);
  g_test_message ("kind %d, call %u: %s\n%s%s", kind, first, fault_child_get_control (child)->hit,
                  text, errors);
  g_string_append (said, text);
  if (WIFEXITED (status))
    g_assert_true (WEXITSTATUS (status) == 0 || WEXITSTATUS (status) == 3);
  else
    g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
  return fault_child_get_control (child)->failed > 0;
}

static void
test_home_fails (void)
{
  guint left = 0;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      gboolean hit = TRUE;

      for (guint n = 1 + i; hit; n += test_size (5, 1))
        {
          LedgerFixture *fixture = fixture_new (TRUE);
          g_autoptr (GString) said = g_string_new (NULL);
          g_auto (GStrv) lines = NULL;

          hit = run_script (fixture, "--second", kinds[i], "/ledger/", n, G_MAXUINT, said);
          left += is_away (fixture);
          lines = g_strsplit (said->str, "\n", -1);
          for (char **line = lines; *line != NULL; line++)
            if (g_str_has_prefix (*line, "acme "))
              g_assert_nonnull (strstr (*line, " A "));
          check (fixture, said->str, kinds[i]);
          fixture_end (fixture);
        }
    }
  g_assert_cmpuint (left, >, G_N_ELEMENTS (kinds));
}

static void
test_both_fail (void)
{
  for (guint i = 0; i < 2 * G_N_ELEMENTS (kinds); i++)
    {
      gboolean hit = TRUE;

      for (guint n = 1 + i; hit; n += test_size (11, 1))
        {
          LedgerFixture *fixture = fixture_new (TRUE);
          g_autoptr (GString) said = g_string_new (NULL);

          hit = run_script (fixture, "--second", kinds[i / 2], "", n, i % 2 == 0 ? n : G_MAXUINT,
                            said);
          check (fixture, said->str, kinds[i / 2]);
          fixture_end (fixture);
        }
    }
}

static void
test_killed_away (void)
{
  gboolean hit = TRUE;
  guint runs = 0;

  for (guint n = 1; hit; n += test_size (3, 1), runs++)
    {
      LedgerFixture *fixture = fixture_new (TRUE);
      g_autoptr (GString) said = g_string_new (NULL);
      g_autofree char *script = g_strdup_printf ("--travel=%u", n);

      hit = run_script (fixture, script, FAULT_NONE, "", 1, G_MAXUINT, said);
      check (fixture, said->str, FAULT_IO);
      fixture_end (fixture);
    }
  g_assert_cmpuint (runs, >, 5);
}

static void
test_killed_bringing_home (void)
{
  gboolean hit = TRUE;
  guint runs = 0;

  for (guint n = 1; hit; n += test_size (3, 1), runs++)
    {
      LedgerFixture *fixture = fixture_new (TRUE);
      g_autoptr (GString) said = g_string_new (NULL);

      /* behind what a start writes */
      run_script (fixture, "--second", FAULT_IO, "/ledger/acme/0", 4, G_MAXUINT, said);
      g_assert_true (is_away (fixture));
      hit = run_script (fixture, "--second", n % 2 == 0 ? FAULT_KILL : FAULT_KILL_HALF, "", n, n,
                        said);
      check (fixture, said->str, FAULT_IO);
      fixture_end (fixture);
    }
  g_assert_cmpuint (runs, >, 5);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    return run_child (argv[2], FALSE, FALSE);
  if (argc == 3 && strcmp (argv[1], "--ahead") == 0)
    return run_child (argv[2], FALSE, TRUE);
  if (argc == 3 && strcmp (argv[1], "--second") == 0)
    return run_child (argv[2], TRUE, FALSE);
  if (argc == 3 && g_str_has_prefix (argv[1], "--travel="))
    return run_traveller (argv[2], (guint) atoi (argv[1] + strlen ("--travel=")));
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/ledger-faults/once", test_once);
  g_test_add_func ("/ledger-faults/from-then-on", test_from_then_on);
  g_test_add_func ("/ledger-faults/sync", test_sync);
  g_test_add_func ("/ledger-faults/killed", test_killed);
  g_test_add_func ("/ledger-faults/ahead", test_ahead);
  g_test_add_func ("/ledger-faults/ahead/sync", test_ahead_sync);
  g_test_add_func ("/ledger-faults/second/home-fails", test_home_fails);
  g_test_add_func ("/ledger-faults/second/both-fail", test_both_fail);
  g_test_add_func ("/ledger-faults/second/killed-away", test_killed_away);
  g_test_add_func ("/ledger-faults/second/killed-bringing-home", test_killed_bringing_home);
  return g_test_run ();
}
