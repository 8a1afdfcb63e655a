/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill -9 under load: what was acknowledged is there and the chain holds. And every way a last
 * write can be cut short. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "governance/ledger-verify.h"
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
      /* the first bytes of a length are zero, as room is */
      gboolean torn = cut > signed_length + (whole[signed_length + 2] == 0 ? 3 : 2) && cut < length;

      put_back (checkpoint_path, checkpoint, checkpoint_length);
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

/* Zeros behind the end are room, as a killed host leaves it, and go without a word; anything else
 * behind the end does not. */
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
  ledger_fixture_assert_valid (fixture);
  g_assert_cmpuint (ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0), ==, 4);
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
      g_unlink (state_path);
      ledger_fixture_open (fixture);
      g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
      ledger_fixture_close (fixture);
    }
}

/* a log at the last checkpoint, and what was written behind that */
typedef struct
{
  char *path[3]; /* segment, checkpoint, saved state */
  char *text[3];
  gsize length[3];
  char *whole; /* the segment with all */
  gsize ends[9];
} Signed;

static void
signed_save (Signed *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->path); i++)
    g_assert_true (g_file_get_contents (self->path[i], &self->text[i], &self->length[i], NULL));
}

static void
signed_clear (Signed *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->path); i++)
    {
      g_free (self->path[i]);
      g_free (self->text[i]);
    }
  g_free (self->whole);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Signed, signed_clear)

/* Ten signed records and eight more. */
static void
signed_fill (Signed *self, LedgerFixture *fixture)
{
  static const char *const names[] = { "00000000000000000001.log", "checkpoint", "state.idx" };

  for (guint i = 0; i < G_N_ELEMENTS (self->path); i++)
    self->path[i] = g_build_filename (fixture->folder, "acme", names[i], NULL);
  for (guint i = 0; i < 10; i++)
    ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  for (guint i = 0; i < G_N_ELEMENTS (self->ends); i++)
    {
      if (i > 0)
        ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
      ledger_fixture_close (fixture);
      g_clear_pointer (&self->whole, g_free);
      g_assert_true (g_file_get_contents (self->path[0], &self->whole, &self->ends[i], NULL));
      if (i == 0)
        signed_save (self);
      ledger_fixture_open (fixture);
    }
  ledger_fixture_close (fixture);
}

/* As a power cut leaves it that took a sector for each bit of @lost, in a file with room behind.
 * Returns how many records behind the checkpoint are whole in front of the first gap. */
static guint
signed_lose (Signed *self, guint lost)
{
  gsize length = self->ends[8];
  g_autofree char *left = g_malloc0 (length + 9000);
  gsize gap = length;
  guint whole = 0;

  memcpy (left, self->whole, length);
  for (gsize at = self->ends[0]; at < length; at = (at / 512 + 1) * 512, lost /= 2)
    if (lost % 2 != 0)
      {
        gap = MIN (gap, at);
        memset (left + at, 0, MIN (length, (at / 512 + 1) * 512) - at);
      }
  while (whole < 8 && self->ends[whole + 1] <= gap)
    whole++;
  for (guint i = 1; i < G_N_ELEMENTS (self->path); i++)
    put_back (self->path[i], self->text[i], self->length[i]);
  put_back (self->path[0], left, length + 9000);
  return whole;
}

/* Any of the sectors of what was written behind a checkpoint: what is whole in front of the first
 * gap stays, the rest goes, and nothing closes. */
static void
test_crash_sectors (LedgerFixture *fixture, gconstpointer data)
{
  g_auto (Signed) all = { 0 };
  guint sectors = 0;

  signed_fill (&all, fixture);
  sectors = (guint) ((all.ends[8] + 511) / 512 - all.ends[0] / 512);
  g_assert_cmpuint (sectors, >=, 3);
  for (guint lost = 0; lost < 1u << sectors; lost++)
    {
      guint whole = signed_lose (&all, lost);

      /* nothing whole behind the checkpoint: only the host knows that it did not end cleanly */
      if (whole > 0)
        ledger_fixture_assert_valid (fixture);
      ledger_fixture_open (fixture);
      g_assert_cmpuint (reeve_ledger_get_opening_size (fixture->ledger, "acme"), ==, 10 + whole);
      ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "y", 0);
      for (guint seq = 1; seq <= 10 + whole; seq++)
        {
          g_autoptr (JsonObject) record = reeve_ledger_get (fixture->ledger, "acme", seq, NULL);

          g_assert_cmpstr (json_object_get_string_member (record, "action"), ==, "x");
        }
      ledger_fixture_close (fixture);
      ledger_fixture_assert_valid (fixture);
    }
}

static gsize
get_size (const char *folder, gsize *used)
{
  g_autofree char *path = g_build_filename (folder, "acme", "00000000000000000001.log", NULL);
  g_autofree char *text = NULL;
  gsize size = 0;

  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  *used = 0;
  while (*used + 4 <= size && text[*used + 2] != 0)
    *used += 36 + (gsize) (guchar) text[*used + 2] * 256 + (guchar) text[*used + 3];
  return size;
}

/* A log that is written often has room behind its last record: in the file and in copies of it,
 * which are as good; at rest and at the end there is none. */
static void
test_crash_room (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *copy = g_build_filename (fixture->state, "copy", NULL);
  const char *argv[] = { "cp", "-r", fixture->folder, copy, NULL };
  g_autofree char *long_reason = g_strnfill (300, 'r');
  g_autoptr (JsonObject) result = NULL;
  g_autoptr (GError) error = NULL;
  ReeveLedgerRecord record
      = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x", .reason = long_reason };
  gsize used = 0;
  guint tries = 0;

  ledger_fixture_close (fixture);
  fixture->ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  g_assert_true (reeve_ledger_open (fixture->ledger, NULL));
  for (guint round = 0; round < 2; round++)
    {
      for (guint i = 0; i < 40; i++)
        g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, NULL), >, 0);
      g_assert_cmpuint (get_size (fixture->folder, &used), >, used);
      ledger_fixture_assert_valid (fixture);
      if (round == 0)
        {
          g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                       NULL, NULL, NULL, &error));
          for (tries = 0; get_size (fixture->folder, &used) != used && tries < 600; tries++)
            g_usleep (50 * 1000);
          g_assert_cmpuint (get_size (fixture->folder, &used), ==, used);
          ledger_fixture_assert_valid (fixture);
        }
    }
  g_assert_cmpuint (get_size (copy, &used), >, used);
  result = reeve_ledger_verify_folder (copy, fixture->keys, &error);
  g_assert_no_error (error);
  g_assert_true (json_object_get_boolean_member (result, "valid"));
  ledger_fixture_close (fixture);
  g_assert_cmpuint (get_size (fixture->folder, &used), ==, used);
  ledger_fixture_assert_valid (fixture);
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
  ADD ("sectors", test_crash_sectors);
  ADD ("room", test_crash_room);
  return g_test_run ();
}
