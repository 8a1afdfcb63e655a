/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written and not synced: a kill leaves it, a power cut takes it, and nothing that was
 * signed, read or answered rests on it. This program notes how long each file was when it was
 * synced; a power cut leaves so much of it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "governance/ledger-private.h"

#include "../helpers/test-tree.h"
#include "ledger-fixture.h"

#define NEVER (24 * 60 * 60 * G_TIME_SPAN_SECOND)
/* more than may wait */
#define MANY 300

/* ---- the disk ---- */

static GMutex disk_mutex;
static GHashTable *disk_synced; /* inode -> bytes */
static gint disk_fails;         /* atomic: nothing can be written */

static void
disk_note (const struct stat *status, off_t size)
{
  gint64 inode = (gint64) status->st_ino;

  g_mutex_lock (&disk_mutex);
  if (disk_synced == NULL)
    disk_synced = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  g_hash_table_insert (disk_synced, g_memdup2 (&inode, sizeof inode),
                       g_memdup2 (&size, sizeof size));
  g_mutex_unlock (&disk_mutex);
}

static int
disk_sync (int fd, long number)
{
  struct stat status = { 0 };
  int result = 0;

  g_assert_cmpint (fstat (fd, &status), ==, 0);
  result = (int) syscall (number, fd);
  if (result == 0)
    disk_note (&status, status.st_size);
  return result;
}

int
fsync (int fd)
{
  return disk_sync (fd, SYS_fsync);
}

int
fdatasync (int fd)
{
  return disk_sync (fd, SYS_fdatasync);
}

ssize_t
pwrite (int fd, const void *data, size_t length, off_t offset)
{
  if (g_atomic_int_get (&disk_fails) == 0)
    return syscall (SYS_pwrite64, fd, data, length, offset);
  errno = EIO;
  return -1;
}

/* -1: none of it was ever synced */
static goffset
disk_get_synced (const char *path)
{
  struct stat status = { 0 };
  gint64 inode = 0;
  const off_t *size = NULL;
  goffset synced = -1;

  g_assert_cmpint (stat (path, &status), ==, 0);
  inode = (gint64) status.st_ino;
  g_mutex_lock (&disk_mutex);
  size = g_hash_table_lookup (disk_synced, &inode);
  if (size != NULL)
    synced = MIN (*size, status.st_size);
  g_mutex_unlock (&disk_mutex);
  return synced;
}

/* @to: a copy of @from. @cut: it becomes what a power cut leaves; else as much of it is on the disk
 * as of the other. */
static void
disk_leave (const char *from, const char *to, gboolean cut)
{
  g_autoptr (GDir) folder = g_dir_open (from, 0, NULL);
  const char *name = NULL;
  struct stat status = { 0 };
  goffset synced = 0;

  if (folder == NULL)
    {
      synced = disk_get_synced (from);
      g_assert_cmpint (stat (to, &status), ==, 0);
      if (cut && synced < 0)
        g_assert_cmpint (g_unlink (to), ==, 0);
      else if (cut)
        g_assert_cmpint (truncate (to, synced), ==, 0);
      else if (synced >= 0)
        disk_note (&status, synced);
      return;
    }
  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *inner_from = g_build_filename (from, name, NULL);
      g_autofree char *inner_to = g_build_filename (to, name, NULL);

      disk_leave (inner_from, inner_to, cut);
    }
}

/* ---- hosts ---- */

/* The state that is left where the host ends now: @cut: with the power. */
static void
leave (const LedgerFixture *from, gboolean cut, LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  *fixture = (LedgerFixture){ .state = g_dir_make_tmp ("reeve-ledger-XXXXXX", &error) };
  g_assert_no_error (error);
  fixture->folder = g_build_filename (fixture->state, "ledger", NULL);
  fixture->keys = g_build_filename (fixture->state, "keys", NULL);
  test_tree_copy (from->keys, fixture->keys);
  test_tree_copy (from->folder, fixture->folder);
  disk_leave (from->folder, fixture->folder, cut);
}

/* Files change only when the test makes them: they are copied meanwhile. */
static void
stop_signer (LedgerFixture *fixture)
{
  reeve_ledger_signer_free (g_atomic_pointer_exchange (&fixture->ledger->signer, NULL));
}

static void
set_up (LedgerFixture *fixture, gconstpointer data)
{
  const gint64 *delay = data;
  g_autoptr (GError) error = NULL;

  ledger_fixture_set_up (fixture, NULL);
  ledger_fixture_close (fixture);
  fixture->ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  reeve_ledger_set_sync_delay (fixture->ledger, *delay);
  reeve_ledger_open (fixture->ledger, &error);
  g_assert_no_error (error);
  stop_signer (fixture);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_append (fixture, "other", REEVE_LEDGER_READ, "x", 0);
  /* that they were begun is on record too */
  reeve_ledger_wait (fixture->ledger);
}

/* The first segment of the log, which is its only one here. */
static char *
find_segment (const LedgerFixture *fixture)
{
  return g_build_filename (fixture->folder, "acme", "00000000000000000001.log", NULL);
}

static goffset
get_length (const char *path)
{
  struct stat status = { 0 };

  g_assert_cmpint (stat (path, &status), ==, 0);
  return status.st_size;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  guint64 *seq = data;
  g_autoptr (GError) error = NULL;

  *seq = reeve_ledger_append_finish (REEVE_LEDGER (source), result, &error);
  g_assert_no_error (error);
}

/* An outcome that may wait. */
static void
let_end (LedgerFixture *fixture, guint64 intent, guint64 *answer)
{
  const ReeveLedgerRecord record = { .kind = REEVE_LEDGER_OUTCOME,
                                     .scope = "acme",
                                     .action = "model.call",
                                     .intent = intent,
                                     .outcome = REEVE_OUTCOME_SUCCEEDED,
                                     .may_wait = TRUE };

  reeve_ledger_append_async (fixture->ledger, &record, answer != NULL ? on_answer : NULL, answer);
}

/* The same, and it is in the file. */
static void
write_end (LedgerFixture *fixture, guint64 intent, guint64 *answer)
{
  g_autofree char *path = find_segment (fixture);
  goffset before = get_length (path);
  gint64 end = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;

  let_end (fixture, intent, answer);
  while (get_length (path) == before)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (200);
    }
}

static guint64
begin_call (LedgerFixture *fixture)
{
  return ledger_fixture_append (fixture, "acme", REEVE_LEDGER_INTENT, "model.call", 0);
}

static guint
count_open (LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) open = reeve_ledger_list_open_intents (fixture->ledger, "acme", &error);

  g_assert_no_error (error);
  return open->len;
}

/* A host that starts where another has ended: so many records, so many of them open. */
static void
assert_left (const LedgerFixture *from, gboolean cut, guint64 size, guint open)
{
  LedgerFixture fixture;

  leave (from, cut, &fixture);
  ledger_fixture_open (&fixture);
  g_assert_cmpuint (reeve_ledger_get_opening_size (fixture.ledger, "acme"), ==, size);
  g_assert_cmpuint (count_open (&fixture), ==, open);
  ledger_fixture_close (&fixture);
  ledger_fixture_assert_valid (&fixture);
  ledger_fixture_tear_down (&fixture, NULL);
}

static void
test_unsynced_lost (LedgerFixture *fixture, gconstpointer data)
{
  guint64 intent = begin_call (fixture);

  write_end (fixture, intent, NULL);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, intent);
  assert_left (fixture, FALSE, intent + 1, 0);
  assert_left (fixture, TRUE, intent, 1);
}

/* Whoever signs, meanwhile or because somebody asks, signs what is on the disk. */
static void
test_unsynced_signed (LedgerFixture *fixture, gconstpointer data)
{
  guint64 intent = begin_call (fixture);
  g_autoptr (JsonObject) shown = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *proof = NULL;

  write_end (fixture, intent, NULL);
  reeve_ledger_sign_all (fixture->ledger);
  assert_left (fixture, TRUE, intent, 1);

  shown = reeve_ledger_show_checkpoint (fixture->ledger, "acme", &error);
  g_assert_no_error (error);
  g_assert_cmpint (json_object_get_int_member (shown, "size"), ==, (gint64) intent + 1);
  assert_left (fixture, TRUE, intent + 1, 0);

  intent = begin_call (fixture);
  write_end (fixture, intent, NULL);
  proof = reeve_ledger_prove (fixture->ledger, "acme", intent + 1, &error);
  g_assert_no_error (error);
  assert_left (fixture, TRUE, intent + 1, 0);
}

/* Whoever reads, finds what was done before, and it stays. */
static void
test_unsynced_read (LedgerFixture *fixture, gconstpointer data)
{
  const ReeveLedgerFilter filter = { .limit = 10 };
  guint64 intent = begin_call (fixture);
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (JsonObject) got = NULL;
  g_autoptr (GError) error = NULL;
  guint64 next = 0;

  let_end (fixture, intent, NULL);
  got = reeve_ledger_get (fixture->ledger, "acme", intent + 1, &error);
  g_assert_no_error (error);
  assert_left (fixture, TRUE, intent + 1, 0);

  intent = begin_call (fixture);
  let_end (fixture, intent, NULL);
  list = reeve_ledger_list (fixture->ledger, "acme", &filter, &next, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (list->len, ==, intent + 1);
  assert_left (fixture, TRUE, intent + 1, 0);
}

/* It is durable with the next of its log that nobody may wait for, and answered then. */
static void
test_unsynced_next (LedgerFixture *fixture, gconstpointer data)
{
  guint64 intent = begin_call (fixture);
  guint64 answer = 0;

  write_end (fixture, intent, &answer);
  ledger_fixture_append (fixture, "other", REEVE_LEDGER_READ, "x", 0);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (answer, ==, 0);
  assert_left (fixture, TRUE, intent, 1);

  g_assert_cmpuint (begin_call (fixture), ==, intent + 2);
  while (answer == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (answer, ==, intent + 1);
  assert_left (fixture, TRUE, intent + 2, 1);
}

/* It is durable soon where nothing follows. */
static void
test_unsynced_delay (LedgerFixture *fixture, gconstpointer data)
{
  guint64 intent = begin_call (fixture);
  guint64 answer = 0;

  let_end (fixture, intent, &answer);
  while (answer == 0)
    g_main_context_iteration (NULL, TRUE);
  assert_left (fixture, TRUE, intent + 1, 0);
}

/* A clean stop leaves nothing unsynced. */
static void
test_unsynced_stop (LedgerFixture *fixture, gconstpointer data)
{
  guint64 intent = begin_call (fixture);

  let_end (fixture, intent, NULL);
  ledger_fixture_close (fixture);
  assert_left (fixture, TRUE, intent + 1, 0);
}

/* No more than so many. */
static void
test_unsynced_many (LedgerFixture *fixture, gconstpointer data)
{
  guint64 intents[MANY] = { 0 };
  guint64 answers[MANY] = { 0 };

  for (guint i = 0; i < MANY; i++)
    intents[i] = begin_call (fixture);
  for (guint i = 0; i < MANY; i++)
    let_end (fixture, intents[i], &answers[i]);
  while (answers[200] == 0)
    g_main_context_iteration (NULL, TRUE);
  reeve_ledger_wait (fixture->ledger);
  while (answers[MANY - 1] == 0)
    g_main_context_iteration (NULL, TRUE);
}

/* A host that was killed left it in the system's memory. Who goes on signs it only when it is on
 * the disk: the power may fail next. */
static void
test_unsynced_kill_then_cut (LedgerFixture *fixture, gconstpointer data)
{
  guint64 intent = begin_call (fixture);
  LedgerFixture killed;

  write_end (fixture, intent, NULL);
  leave (fixture, FALSE, &killed);
  ledger_fixture_open (&killed);
  stop_signer (&killed);
  reeve_ledger_sign_all (killed.ledger);
  assert_left (&killed, TRUE, intent + 1, 0);
  ledger_fixture_tear_down (&killed, NULL);
}

/* The disk takes no more: what is written and not synced is not forgotten. */
static void
test_unsynced_then_failed (LedgerFixture *fixture, gconstpointer data)
{
  guint64 first = begin_call (fixture);
  guint64 second = begin_call (fixture);
  guint64 size = 0;
  const ReeveLedgerRecord read = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x" };
  gint64 end = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;
  g_autoptr (GError) error = NULL;

  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  write_end (fixture, first, NULL);
  g_atomic_int_set (&disk_fails, 1);
  let_end (fixture, second, NULL);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &read, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY);
  g_atomic_int_set (&disk_fails, 0);
  while (count_open (fixture) > 0)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      reeve_ledger_care (fixture->ledger);
      reeve_ledger_wait (fixture->ledger);
    }
  size = reeve_ledger_get_size (fixture->ledger, "acme");
  ledger_fixture_close (fixture);
  assert_left (fixture, TRUE, size, 0);
}

/* The disk takes more again when the host stops: what was kept for that is in the log. */
static void
test_unsynced_failed_then_stop (LedgerFixture *fixture, gconstpointer data)
{
  guint64 intent = begin_call (fixture);
  const ReeveLedgerRecord read = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x" };
  g_autoptr (GError) error = NULL;

  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_atomic_int_set (&disk_fails, 1);
  let_end (fixture, intent, NULL);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &read, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY);
  g_atomic_int_set (&disk_fails, 0);
  ledger_fixture_close (fixture);
  /* behind the event that it can be written again */
  assert_left (fixture, TRUE, intent + 2, 0);
}

int
main (int argc, char *argv[])
{
  static const gint64 never = NEVER;
  static const gint64 soon = 1;
  static const struct
  {
    const char *path;
    const gint64 *delay;
    void (*run) (LedgerFixture *fixture, gconstpointer data);
  } tests[] = { { "/unsynced/lost", &never, test_unsynced_lost },
                { "/unsynced/signed", &never, test_unsynced_signed },
                { "/unsynced/read", &never, test_unsynced_read },
                { "/unsynced/next", &never, test_unsynced_next },
                { "/unsynced/delay", &soon, test_unsynced_delay },
                { "/unsynced/stop", &never, test_unsynced_stop },
                { "/unsynced/many", &never, test_unsynced_many },
                { "/unsynced/kill-then-cut", &never, test_unsynced_kill_then_cut },
                { "/unsynced/then-failed", &never, test_unsynced_then_failed },
                { "/unsynced/failed-then-stop", &never, test_unsynced_failed_then_stop } };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, LedgerFixture, tests[i].delay, set_up, tests[i].run,
                ledger_fixture_tear_down);
  return g_test_run ();
}
