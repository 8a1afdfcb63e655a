/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A segment that is in the write-ahead file alone, and cannot be synced when it is closed: nothing
 * is acknowledged behind it, or only at the second place, and a power cut takes nothing that was.
 */
#include "ledger-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../helpers/test-tree.h"
#include "governance/ledger-ahead.h"
#include "governance/ledger-private.h"

#define SEGMENT 4096
/* more logs than have a file open at a time */
#define CROWD 300
#define FIRST "00000000000000000001.log"

/* ---- the disk ---- */

static gint no_sync;  /* atomic: the first segment of acme */
static gint no_write; /* atomic: the same */
static gint failed;   /* atomic: calls that met it */

static gboolean
disk_fails (int fd, gint *how)
{
  char link[64] = { 0 };
  char path[1024] = { 0 };

  if (g_atomic_int_get (how) == 0)
    return FALSE;
  g_snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  if (readlink (link, path, sizeof path - 1) <= 0
      || !g_str_has_suffix (path, "/ledger/acme/" FIRST))
    return FALSE;
  g_atomic_int_inc (&failed);
  errno = EIO;
  return TRUE;
}

int
fdatasync (int fd)
{
  return disk_fails (fd, &no_sync) ? -1 : (int) syscall (SYS_fdatasync, fd);
}

ssize_t
pwrite (int fd, const void *data, size_t length, off_t offset)
{
  return disk_fails (fd, &no_write) ? -1 : syscall (SYS_pwrite64, fd, data, length, offset);
}

/* ---- the ledger ---- */

static void
sign_nothing (gpointer data)
{
}

/* Signs nothing: what is signed is synced first. */
static void
open_ledger (LedgerFixture *fixture, gboolean second)
{
  g_autofree char *place = g_build_filename (fixture->state, "second", NULL);
  g_autoptr (GError) error = NULL;

  fixture->ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  reeve_ledger_set_segment_size (fixture->ledger, SEGMENT);
  fixture->ledger->ahead_after = 0;
  if (second)
    reeve_ledger_set_second (fixture->ledger, place);
  reeve_ledger_open (fixture->ledger, &error);
  g_assert_no_error (error);
  reeve_ledger_signer_free (g_atomic_pointer_exchange (
      &fixture->ledger->signer, reeve_ledger_signer_new ("quiet", sign_nothing, NULL, 3600)));
}

static void
set_up (LedgerFixture *fixture, gconstpointer data)
{
  fixture->state = test_tree_make_quick ();
  fixture->folder = g_build_filename (fixture->state, "ledger", NULL);
  fixture->keys = g_build_filename (fixture->state, "keys", NULL);
  g_atomic_int_set (&failed, 0);
  open_ledger (fixture, data != NULL);
}

static void
tear_down (LedgerFixture *fixture, gconstpointer data)
{
  g_atomic_int_set (&no_sync, 0);
  g_atomic_int_set (&no_write, 0);
  ledger_fixture_tear_down (fixture, data);
}

static guint64
get_length (LedgerFixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->folder, "acme", FIRST, NULL);
  GStatBuf status = { 0 };

  g_assert_cmpint (g_stat (path, &status), ==, 0);
  return (guint64) status.st_size;
}

static guint64
append (LedgerFixture *fixture)
{
  return ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
}

/* Fills the first segment; @synced: bytes of it that are certain without the write-ahead file.
 * Returns the number of its last record. */
static guint64
fill (LedgerFixture *fixture, guint64 *synced)
{
  guint64 seq = append (fixture);

  *synced = get_length (fixture);
  while (get_length (fixture) < SEGMENT)
    seq = append (fixture);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, seq);
  return seq;
}

static void
assert_refused (LedgerFixture *fixture)
{
  ReeveLedgerRecord record
      = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x", .actor_type = "user" };
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY);
}

/* As long as this host lives, however well the disk is; others' logs go on. */
static void
assert_closed (LedgerFixture *fixture, guint64 size)
{
  const ReeveLedgerRecord trial
      = { .kind = REEVE_LEDGER_EVENT, .scope = "acme", .action = "ledger.resumed" };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_atomic_int_get (&failed), >, 0);
  g_atomic_int_set (&no_sync, 0);
  g_atomic_int_set (&no_write, 0);
  assert_refused (fixture);
  g_assert_true (reeve_ledger_writer_try (fixture->ledger->writer, &trial, &error));
  g_assert_no_error (error);
  assert_refused (fixture);
  g_assert_cmpint (reeve_ledger_get_health (fixture->ledger), ==, REEVE_LEDGER_FAILED);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, size);
  ledger_fixture_append (fixture, "beta", REEVE_LEDGER_READ, "x", 0);
}

/* The power fails: what was not synced in the segment is gone. A new start has all the same. */
static void
assert_there (LedgerFixture *fixture, guint64 synced, guint64 size)
{
  g_autofree char *segment = NULL;
  LedgerFixture after = { .state = test_tree_make_quick () };

  after.folder = g_build_filename (after.state, "ledger", NULL);
  after.keys = g_build_filename (after.state, "keys", NULL);
  segment = g_build_filename (after.folder, "acme", FIRST, NULL);
  test_tree_copy (fixture->state, after.state);
  g_assert_cmpint (truncate (segment, (off_t) synced), ==, 0);
  ledger_fixture_open (&after);
  g_assert_cmpuint (reeve_ledger_get_opening_size (after.ledger, "acme"), ==, size);
  append (&after);
  ledger_fixture_close (&after);
  ledger_fixture_assert_valid (&after);
  ledger_fixture_tear_down (&after, NULL);
}

/* So it is at once, and when the host has stopped. */
static void
assert_kept (LedgerFixture *fixture, guint64 synced, guint64 size)
{
  assert_there (fixture, synced, size);
  ledger_fixture_close (fixture);
  assert_there (fixture, synced, size);
}

/* ---- tests ---- */

/* It is full, and another would begin behind it. */
static void
test_next (LedgerFixture *fixture, gconstpointer data)
{
  guint64 synced = 0;
  guint64 size = fill (fixture, &synced);

  g_atomic_int_set (&no_sync, 1);
  assert_refused (fixture);
  assert_closed (fixture, size);
  assert_kept (fixture, synced, size);
  ledger_fixture_open (fixture);
  g_assert_cmpuint (append (fixture), ==, size + 1);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

/* Its log is the one of many that was not written for longest. */
static void
test_rest (LedgerFixture *fixture, gconstpointer data)
{
  guint64 size = append (fixture);
  guint64 synced = get_length (fixture);

  size = append (fixture);
  g_atomic_int_set (&no_sync, 1);
  for (guint i = 0; i < CROWD; i++)
    {
      g_autofree char *scope = g_strdup_printf ("tenant-%u", i);

      ledger_fixture_append (fixture, scope, REEVE_LEDGER_READ, "x", 0);
    }
  assert_closed (fixture, size);
  assert_kept (fixture, synced, size);
}

/* It is closed because a write has failed, which alone could be cured. */
static void
test_write (LedgerFixture *fixture, gconstpointer data)
{
  guint64 size = append (fixture);
  guint64 synced = get_length (fixture);

  size = append (fixture);
  g_atomic_int_set (&no_sync, 1);
  g_atomic_int_set (&no_write, 1);
  assert_refused (fixture);
  assert_closed (fixture, size);
  assert_kept (fixture, synced, size);
}

/* A failed write alone is cured, as ever. */
static void
test_cured (LedgerFixture *fixture, gconstpointer data)
{
  const ReeveLedgerRecord trial
      = { .kind = REEVE_LEDGER_EVENT, .scope = "acme", .action = "ledger.resumed" };
  guint64 size = 0;

  append (fixture);
  size = append (fixture);
  g_atomic_int_set (&no_write, 1);
  assert_refused (fixture);
  g_atomic_int_set (&no_write, 0);
  g_assert_true (reeve_ledger_writer_try (fixture->ledger->writer, &trial, NULL));
  g_assert_cmpuint (append (fixture), ==, size + 2);
}

/* With a second place the log goes on there, visibly, and comes home with the next start. */
static void
assert_away (LedgerFixture *fixture)
{
  g_autofree char *folder = g_build_filename (fixture->state, "second", "acme", NULL);
  guint64 size = append (fixture);

  g_assert_cmpint (g_atomic_int_get (&failed), >, 0);
  g_atomic_int_set (&no_sync, 0);
  g_atomic_int_set (&no_write, 0);
  /* the event that says so is a batch of its own, and nothing comes home in the midst of one */
  reeve_ledger_wait (fixture->ledger);
  reeve_ledger_writer_bring_home (fixture->ledger->writer, "acme");
  g_assert_cmpuint (append (fixture), >, size);
  reeve_ledger_wait (fixture->ledger);
  g_assert_cmpint (reeve_ledger_get_health (fixture->ledger), ==, REEVE_LEDGER_AWAY);
  g_assert_true (g_file_test (folder, G_FILE_TEST_IS_DIR));
  size = reeve_ledger_get_size (fixture->ledger, "acme");
  ledger_fixture_close (fixture);
  open_ledger (fixture, TRUE);
  g_assert_cmpint (reeve_ledger_get_health (fixture->ledger), ==, REEVE_LEDGER_WELL);
  g_assert_cmpuint (reeve_ledger_get_opening_size (fixture->ledger, "acme"), >=, size);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

static void
test_second (LedgerFixture *fixture, gconstpointer data)
{
  guint64 synced = 0;

  fill (fixture, &synced);
  g_atomic_int_set (&no_sync, 1);
  assert_away (fixture);
}

/* A write fails, and what was before it cannot be synced. */
static void
test_second_write (LedgerFixture *fixture, gconstpointer data)
{
  append (fixture);
  append (fixture);
  g_atomic_int_set (&no_sync, 1);
  g_atomic_int_set (&no_write, 1);
  assert_away (fixture);
}

#define ADD(name, data, func)                                                                      \
  g_test_add ("/ledger-close/" name, LedgerFixture, data, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("next", NULL, test_next);
  ADD ("rest", NULL, test_rest);
  ADD ("write", NULL, test_write);
  ADD ("cured", NULL, test_cured);
  ADD ("second", "second", test_second);
  ADD ("second-write", "second", test_second_write);
  return g_test_run ();
}
