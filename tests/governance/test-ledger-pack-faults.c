/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packing where every single call fails once, or is the last thing that the process does: one form
 * of the file is there, and whole, nothing is amiss, and the next host packs it.
 *
 * what                                          | CI              | long
 * ----------------------------------------------|-----------------|-------------
 * a call of packing fails                       | every n         | every n
 * killed at the n-th call                       | every 2nd n     | every n */
#include "ledger-fixture.h"

#include "fault-child.h"

#include "../helpers/test-size.h"
#include "../helpers/test-tree.h"
#include "governance/ledger-log-private.h"
#include "governance/ledger-pack.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define RECORDS 300

static int
run_child (const char *state)
{
  g_autofree char *folder = g_build_filename (state, "ledger", NULL);
  g_autofree char *keys = g_build_filename (state, "keys", NULL);
  g_autoptr (ReeveLedger) ledger = reeve_ledger_new (folder, keys);

  if (!reeve_ledger_open (ledger, NULL))
    return 3;
  (void) reeve_ledger_pack (ledger, NULL);
  reeve_ledger_close (ledger);
  return 0;
}

/* A log with one complete file, and one record behind it. */
static void
set_up (LedgerFixture *fixture)
{
  const ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x" };

  fixture->state = test_tree_make_quick ();
  fixture->folder = g_build_filename (fixture->state, "ledger", NULL);
  fixture->keys = g_build_filename (fixture->state, "keys", NULL);
  ledger_fixture_open (fixture);
  for (guint i = 1; i < RECORDS; i++)
    reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_close (fixture);
}

static void
assert_packed (LedgerFixture *fixture)
{
  g_autofree char *path
      = g_build_filename (fixture->folder, "acme", "00000000000000000001.log", NULL);
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  g_assert_true (reeve_ledger_pack_is ((const guint8 *) text, length));
}

/* The next host. */
static void
check (LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  ledger_fixture_assert_valid (fixture);
  ledger_fixture_open (fixture);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, RECORDS + 1);
  reeve_ledger_pack (fixture->ledger, &error);
  g_assert_no_error (error);
  assert_packed (fixture);
  for (guint64 seq = 1; seq <= RECORDS + 1; seq += 12)
    {
      g_autoptr (JsonObject) record = reeve_ledger_get (fixture->ledger, "acme", seq, &error);

      g_assert_no_error (error);
      g_assert_cmpint (json_object_get_int_member (record, "seq"), ==, (gint64) seq);
    }
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

/* Packs once with a fault; whether it was met. */
static gboolean
run_once (FaultKind kind, const char *path, guint n)
{
  LedgerFixture fixture = { 0 };
  g_autoptr (FaultChild) child = NULL;
  const char *arguments[] = { "--child", NULL, NULL };
  g_autofree char *errors = NULL;
  g_autofree char *text = NULL;
  gboolean hit = FALSE;
  int status = 0;

  set_up (&fixture);
  child = fault_child_new (fixture.state);
  arguments[1] = fixture.state;
  fault_child_arm (child, kind, FAULT_ALL, path, n, n);
  text = fault_child_run (child, arguments, &status, &errors);
  hit = fault_child_get_control (child)->failed > 0;
  g_test_message ("kind %d, call %u: %s\n%s%s", kind, n, fault_child_get_control (child)->hit, text,
                  errors);
  if (WIFEXITED (status))
    g_assert_true (WEXITSTATUS (status) == 0 || WEXITSTATUS (status) == 3);
  else
    g_assert_true (kind >= FAULT_KILL && WTERMSIG (status) == SIGKILL);
  check (&fixture);
  ledger_fixture_tear_down (&fixture, NULL);
  return hit;
}

static void
test_fails (void)
{
  static const FaultKind kinds[] = { FAULT_FULL, FAULT_IO, FAULT_READ_ONLY, FAULT_SHORT };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      guint n = 1;

      while (run_once (kinds[i], REEVE_LEDGER_LOG_NEW_PACK, n))
        n++;
      g_assert_cmpuint (n, >, 1);
    }
}

static void
test_killed (void)
{
  static const FaultKind deaths[] = { FAULT_KILL, FAULT_KILL_HALF };

  for (guint i = 0; i < G_N_ELEMENTS (deaths); i++)
    {
      guint n = 1 + i;

      while (run_once (deaths[i], "/ledger/acme", n))
        n += test_size (2, 1);
      g_assert_cmpuint (n, >, 4);
    }
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    return run_child (argv[2]);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/ledger-pack-faults/fails", test_fails);
  g_test_add_func ("/ledger-pack-faults/killed", test_killed);
  return g_test_run ();
}
