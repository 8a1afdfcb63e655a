/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill -9 under load: what was acknowledged is there and the chain holds. And every way a last
 * write can be cut short. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger-fixture.h"

#define THREADS 8

/* what the killed process had been told, written before it goes on */
typedef struct
{
  LedgerFixture *fixture;
  int pipe;
} Child;

static gpointer
child_thread (gpointer data)
{
  Child *child = data;

  for (;;)
    {
      guint64 seq = ledger_fixture_append (child->fixture, "acme", REEVE_LEDGER_READ, "x", 0);

      if (write (child->pipe, &seq, sizeof seq) != sizeof seq)
        _exit (1);
    }
  return NULL;
}

static int
run_child (const char *state, int out)
{
  LedgerFixture fixture = { 0 };
  Child child = { &fixture, out };

  fixture.folder = g_build_filename (state, "ledger", NULL);
  fixture.keys = g_build_filename (state, "keys", NULL);
  ledger_fixture_open (&fixture);
  reeve_ledger_set_checkpoint_seconds (fixture.ledger, 1);
  for (guint i = 0; i < THREADS; i++)
    g_thread_new ("child", child_thread, &child);
  pause ();
  return 1;
}

static guint64
kill_once (const char *program, LedgerFixture *fixture, guint milliseconds)
{
  char *argv[] = { (char *) program, (char *) "--child", fixture->state, NULL };
  g_autoptr (GError) error = NULL;
  guint64 greatest = 0;
  guint64 seq = 0;
  GPid pid = 0;
  int out = -1;

  g_spawn_async_with_pipes (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL,
                            &out, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (read (out, &seq, sizeof seq), ==, sizeof seq);
  greatest = seq;
  g_usleep (milliseconds * 1000);
  kill (pid, SIGKILL);
  while (read (out, &seq, sizeof seq) == sizeof seq)
    greatest = MAX (greatest, seq);
  close (out);
  waitpid (pid, NULL, 0);
  return greatest;
}

static const char *program;

static void
test_crash_kill (LedgerFixture *fixture, gconstpointer data)
{
  guint64 before = 0;

  ledger_fixture_close (fixture);
  for (guint round = 0; round < 6; round++)
    {
      guint64 acknowledged = kill_once (program, fixture, 20 + 45 * round);

      g_assert_cmpuint (acknowledged, >, before);
      ledger_fixture_assert_valid (fixture);
      ledger_fixture_open (fixture);
      before = reeve_ledger_get_size (fixture->ledger, "acme");
      g_assert_cmpuint (before, >=, acknowledged);
      ledger_fixture_assert_valid (fixture);
      ledger_fixture_close (fixture);
      ledger_fixture_assert_valid (fixture);
    }
}

/* Restores a copy of the folder as a crash would have left it. */
static void
put_back (const char *path, const char *text, gsize length)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, length), ==, (gssize) length);
  close (fd);
}

/* The log had ten signed records; the eleventh was being written when the machine died, at any of
 * its bytes. */
static void
test_crash_torn (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path
      = g_build_filename (fixture->folder, "acme", "00000000000000000001.log", NULL);
  g_autofree char *checkpoint_path = g_build_filename (fixture->folder, "acme", "checkpoint", NULL);
  g_autofree char *state_path = g_build_filename (fixture->folder, "acme", "state.idx", NULL);
  g_autofree char *kept_path = g_build_filename (fixture->state, "checkpoints", "acme", NULL);
  g_autofree char *signed_text = NULL;
  g_autofree char *checkpoint = NULL;
  g_autofree char *state = NULL;
  g_autofree char *whole = NULL;
  gsize signed_length = 0;
  gsize checkpoint_length = 0;
  gsize state_length = 0;
  gsize length = 0;

  for (guint i = 0; i < 10; i++)
    ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_close (fixture);
  g_assert_true (g_file_get_contents (path, &signed_text, &signed_length, NULL));
  g_assert_true (g_file_get_contents (checkpoint_path, &checkpoint, &checkpoint_length, NULL));
  g_assert_true (g_file_get_contents (state_path, &state, &state_length, NULL));
  ledger_fixture_open (fixture);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_close (fixture);
  g_assert_true (g_file_get_contents (path, &whole, &length, NULL));
  for (gsize cut = signed_length; cut <= length; cut++)
    {
      g_autoptr (JsonObject) last = NULL;
      gboolean torn = cut > signed_length && cut < length;

      put_back (checkpoint_path, checkpoint, checkpoint_length);
      put_back (kept_path, checkpoint, checkpoint_length);
      put_back (state_path, state, state_length);
      put_back (path, whole, cut);
      ledger_fixture_open (fixture);
      /* an event says that something was cut off, and it is the last record once it is written */
      g_assert_cmpuint (ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "y", 0), ==,
                        cut == length || torn ? 12 : 11);
      last = reeve_ledger_get (fixture->ledger, "acme", 11, NULL);
      g_assert_cmpstr (json_object_get_string_member (last, "action"), ==,
                       torn            ? "ledger.recovered"
                       : cut == length ? "x"
                                       : "y");
      ledger_fixture_close (fixture);
      ledger_fixture_assert_valid (fixture);
    }
}

/* Zeros behind the end, as a file system may leave them, go too; anything else behind the end does
 * not. */
static void
test_crash_garbage (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path
      = g_build_filename (fixture->folder, "acme", "00000000000000000001.log", NULL);
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x" };
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *more = NULL;
  gsize length = 0;

  for (guint i = 0; i < 3; i++)
    ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_close (fixture);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  more = g_malloc0 (length + 9000);
  memcpy (more, text, length);
  put_back (path, more, length + 9000);
  ledger_fixture_open (fixture);
  g_assert_cmpuint (ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0), ==, 5);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
  g_free (text);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  g_free (more);
  more = g_malloc (length + 40);
  memcpy (more, text, length);
  memset (more + length, 0x5a, 40);
  put_back (path, more, length + 40);
  ledger_fixture_open (fixture);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
}

/* A length that was changed near the end looks like a record cut short; it must not take complete
 * records with it. */
static void
test_crash_changed_length (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path
      = g_build_filename (fixture->folder, "acme", "00000000000000000001.log", NULL);
  g_autofree char *checkpoint_path = g_build_filename (fixture->folder, "acme", "checkpoint", NULL);
  g_autofree char *state_path = g_build_filename (fixture->folder, "acme", "state.idx", NULL);
  g_autofree char *kept_path = g_build_filename (fixture->state, "checkpoints", "acme", NULL);
  g_autofree char *checkpoint = NULL;
  g_autofree char *text = NULL;
  gsize checkpoint_length = 0;
  gsize length = 0;
  gsize start = 0;

  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_close (fixture);
  g_assert_true (g_file_get_contents (checkpoint_path, &checkpoint, &checkpoint_length, NULL));
  g_assert_true (g_file_get_contents (path, &text, &start, NULL));
  ledger_fixture_open (fixture);
  for (guint i = 0; i < 3; i++)
    ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_close (fixture);
  g_free (text);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  for (guint bit = 0; bit < 32; bit++)
    {
      g_autofree char *changed = g_memdup2 (text, length);
      ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x" };
      g_autoptr (GError) error = NULL;

      changed[start + bit / 8] = (char) ((guchar) changed[start + bit / 8] ^ (1u << (bit % 8)));
      put_back (path, changed, length);
      put_back (checkpoint_path, checkpoint, checkpoint_length);
      put_back (kept_path, checkpoint, checkpoint_length);
      g_unlink (state_path);
      ledger_fixture_open (fixture);
      g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
      ledger_fixture_close (fixture);
    }
}

#define ADD(name, func)                                                                            \
  g_test_add ("/ledger-crash/" name, LedgerFixture, NULL, ledger_fixture_set_up, func,             \
              ledger_fixture_tear_down)

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    return run_child (argv[2], STDOUT_FILENO);
  program = argv[0];
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("kill", test_crash_kill);
  ADD ("torn", test_crash_torn);
  ADD ("garbage", test_crash_garbage);
  ADD ("changed-length", test_crash_changed_length);
  return g_test_run ();
}
