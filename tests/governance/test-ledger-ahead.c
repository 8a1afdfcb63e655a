/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The write-ahead file: a power cut takes from the segments all that was not synced there, and
 * nothing acknowledged is lost. What is no power cut is found as ever. */
#include "ledger-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../helpers/test-tree.h"
#include "governance/ledger-ahead.h"
#include "governance/ledger-private.h"
#include "governance/ledger-segment.h"

#define SCOPES 3

static const char *const scopes[SCOPES] = { "acme", "beta", REEVE_SCOPE_PLATFORM };

/* what may be left in a segment */
typedef enum
{
  LEFT_NOTHING,
  LEFT_HALF,
  LEFT_ZEROS,
  LEFT_ALL
} Left;

typedef struct
{
  LedgerFixture now;
  guint64 acknowledged[SCOPES];
} Cut;

/* more logs than have a file open at a time */
#define CROWD 300

static gint syncs; /* atomic */

int
fdatasync (int fd)
{
  g_atomic_int_inc (&syncs);
  return (int) syscall (SYS_fdatasync, fd);
}

static void
sign_nothing (gpointer data)
{
}

/* Signs nothing but what it is asked for: a power cut takes nothing that was signed. */
static void
open_ahead (LedgerFixture *fixture, guint after)
{
  g_autoptr (GError) error = NULL;

  fixture->ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  reeve_ledger_set_segment_size (fixture->ledger, 256 * 1024);
  fixture->ledger->ahead_after = after;
  reeve_ledger_open (fixture->ledger, &error);
  g_assert_no_error (error);
  reeve_ledger_signer_free (fixture->ledger->signer);
  fixture->ledger->signer = reeve_ledger_signer_new ("quiet", sign_nothing, NULL, 3600);
}

static void
set_up (LedgerFixture *fixture, gconstpointer data)
{
  fixture->state = test_tree_make_quick ();
  fixture->folder = g_build_filename (fixture->state, "ledger", NULL);
  fixture->keys = g_build_filename (fixture->state, "keys", NULL);
  open_ahead (fixture, 0);
}

static gboolean
has_ahead (LedgerFixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->folder, REEVE_LEDGER_AHEAD_FILE, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* Records by turns in all logs, each durable before the next. */
static void
append_turns (LedgerFixture *fixture, guint turns)
{
  for (guint i = 0; i < turns; i++)
    for (guint j = 0; j < SCOPES; j++)
      ledger_fixture_append (fixture, scopes[j], REEVE_LEDGER_READ, "x", 0);
}

/* So many records, a few at a time. */
static void
append_many (LedgerFixture *fixture, guint count)
{
  ReeveLedgerRecord record
      = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x", .actor_type = "user" };

  for (guint i = 1; i <= count; i++)
    if (i % 7 != 0)
      reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
    else
      ledger_fixture_append (fixture, "beta", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
}

/* A power cut: the files as they are now, of which the segments lose what was not synced. */
static Cut *
cut_new (LedgerFixture *fixture)
{
  Cut *cut = g_new0 (Cut, 1);

  cut->now.state = test_tree_make_quick ();
  cut->now.folder = g_build_filename (cut->now.state, "ledger", NULL);
  cut->now.keys = g_build_filename (cut->now.state, "keys", NULL);
  for (guint i = 0; i < SCOPES; i++)
    cut->acknowledged[i] = reeve_ledger_get_size (fixture->ledger, scopes[i]);
  test_tree_copy (fixture->state, cut->now.state);
  return cut;
}

static void
cut_free (Cut *cut)
{
  ledger_fixture_tear_down (&cut->now, NULL);
  g_free (cut);
}

static void
shorten (const char *path, guint64 offset, Left left)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  gsize end = offset;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  g_assert_cmpuint (offset, <=, length);
  if (left == LEFT_HALF)
    end += (length - offset) / 2;
  else if (left != LEFT_NOTHING)
    end = length;
  if (left == LEFT_ZEROS)
    memset (text + offset, 0, length - offset);
  g_assert_true (g_file_set_contents (path, text, (gssize) end, NULL));
}

/* Of one segment: what of it the file has, and nothing else has for sure. */
typedef struct
{
  guint64 begin, end;
} Part;

/* A batch for which the file had no room was synced where it is, with all before it. */
static void
cut_part (const char *path, const Part *part, Left left)
{
  GStatBuf status = { 0 };

  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpuint (part->end, <=, (guint64) status.st_size);
  if (part->end == (guint64) status.st_size)
    shorten (path, part->begin, left);
}

/* Returns of how many frames */
static guint
cut_segments (Cut *cut, Left left)
{
  g_autofree char *path = g_build_filename (cut->now.folder, REEVE_LEDGER_AHEAD_FILE, NULL);
  g_autoptr (GHashTable) parts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *text = NULL;
  ReeveLedgerAheadFrame frame = { 0 };
  GHashTableIter iter;
  gpointer key = NULL, value = NULL;
  guint64 round = 0;
  guint frames = 0;
  gsize length = 0, size = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  for (gsize at = 0;
       (size = reeve_ledger_ahead_parse ((guint8 *) text + at, length - at, &frame)) > 0;
       at = reeve_ledger_ahead_go_on ((guint8 *) text, length, at + size), frames++)
    {
      g_autofree char *scope = g_strndup (frame.scope, frame.scope_length);
      g_autofree char *log = g_build_filename (cut->now.folder, scope, NULL);
      g_autoptr (ReeveLedgerSegment) segment = reeve_ledger_segment_new (log, frame.first);
      Part *part = g_hash_table_lookup (parts, segment->path);

      if (frames == 0)
        round = frame.round;
      if (frame.round != round)
        break;
      /* the first of a segment says from where on it was not synced */
      if (part == NULL)
        {
          part = g_new0 (Part, 1);
          part->begin = frame.offset;
          g_hash_table_insert (parts, g_strdup (segment->path), part);
        }
      part->end = frame.offset + frame.length;
    }
  g_hash_table_iter_init (&iter, parts);
  while (g_hash_table_iter_next (&iter, &key, &value))
    cut_part (key, value, left);
  return frames;
}

static void
cut_check (Cut *cut)
{
  open_ahead (&cut->now, 64);
  for (guint i = 0; i < SCOPES; i++)
    g_assert_cmpuint (reeve_ledger_get_size (cut->now.ledger, scopes[i]), ==, cut->acknowledged[i]);
  append_turns (&cut->now, 1);
  g_assert_false (has_ahead (&cut->now));
  ledger_fixture_close (&cut->now);
  ledger_fixture_assert_valid (&cut->now);
}

static void
test_power_cut (LedgerFixture *fixture, gconstpointer data)
{
  append_turns (fixture, 12);
  for (Left left = LEFT_NOTHING; left <= LEFT_ALL; left++)
    {
      Cut *cut = cut_new (fixture);

      g_assert_cmpuint (cut_segments (cut, left), >, 20);
      /* and a second start, cut short before the file was gone, finds the same */
      if (left == LEFT_HALF)
        {
          g_assert_true (reeve_ledger_ahead_replay (cut->now.folder, NULL));
          test_tree_remove (cut->now.state);
          test_tree_copy (fixture->state, cut->now.state);
        }
      cut_check (cut);
      cut_free (cut);
    }
}

/* The same without the file: then they are lost, or the test shows nothing. */
static void
test_needed (LedgerFixture *fixture, gconstpointer data)
{
  Cut *cut = NULL;
  g_autofree char *path = NULL;

  append_turns (fixture, 12);
  cut = cut_new (fixture);
  path = g_build_filename (cut->now.folder, REEVE_LEDGER_AHEAD_FILE, NULL);
  cut_segments (cut, LEFT_NOTHING);
  g_assert_cmpint (g_unlink (path), ==, 0);
  open_ahead (&cut->now, 64);
  g_assert_cmpuint (reeve_ledger_get_size (cut->now.ledger, "acme"), <, cut->acknowledged[0]);
  cut_free (cut);
}

/* It is filled several times, and segments end meanwhile. */
static void
test_rounds (LedgerFixture *fixture, gconstpointer data)
{
  append_turns (fixture, 1);
  for (guint i = 0; i < 4; i++)
    {
      Cut *cut = NULL;

      append_many (fixture, 1700);
      append_turns (fixture, 3);
      g_assert_true (has_ahead (fixture));
      cut = cut_new (fixture);
      cut_segments (cut, i % 2 == 0 ? LEFT_NOTHING : LEFT_ZEROS);
      cut_check (cut);
      cut_free (cut);
    }
}

/* The record that the file had no room for is in its segment, for it was synced there. */
static void
test_full (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, REEVE_LEDGER_AHEAD_FILE, NULL);
  g_autofree char *before = NULL;
  g_autofree char *now = NULL;
  gsize length = 0;
  Cut *cut = NULL;

  do
    {
      g_free (before);
      before = g_steal_pointer (&now);
      ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
      g_assert_true (g_file_get_contents (path, &now, &length, NULL));
    }
  while (before == NULL || memcmp (before, now, length) != 0);
  cut = cut_new (fixture);
  cut_segments (cut, LEFT_NOTHING);
  cut_check (cut);
  cut_free (cut);
}

/* Until a checkpoint covers them, and from then on without the file. */
static void
test_signed (LedgerFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *proof = NULL;
  Cut *cut = NULL;
  guint64 seq = 0;

  append_turns (fixture, 12);
  seq = reeve_ledger_get_size (fixture->ledger, "acme");
  proof = reeve_ledger_prove (fixture->ledger, "acme", seq, &error);
  g_assert_no_error (error);
  cut = cut_new (fixture);
  ledger_fixture_assert_valid (&cut->now);
  cut_free (cut);
}

static void
change_byte (const char *path, gssize from_end)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  /* to what is not zero: that a power cut leaves */
  text[(gssize) length - from_end] ^= text[(gssize) length - from_end] == 1 ? 2 : 1;
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
}

static void
assert_damaged (LedgerFixture *fixture)
{
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x" };
  g_autoptr (GError) error = NULL;

  open_ahead (fixture, 64);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
}

/* A byte that no power cut changes is not put right behind anybody's back. */
static void
test_changed (LedgerFixture *fixture, gconstpointer data)
{
  append_turns (fixture, 12);
  for (guint i = 0; i < 2; i++)
    {
      Cut *cut = cut_new (fixture);
      g_autofree char *path
          = g_build_filename (cut->now.folder, "acme", "00000000000000000001.log", NULL);

      /* in the last record's chain hash, and in one before */
      change_byte (path, i == 0 ? 5 : 700);
      assert_damaged (&cut->now);
      cut_free (cut);
    }
}

/* A clean stop leaves no such file, and one that is put back brings nothing back. */
static void
test_put_back (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, REEVE_LEDGER_AHEAD_FILE, NULL);
  g_autofree char *log
      = g_build_filename (fixture->folder, "acme", "00000000000000000001.log", NULL);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autofree char *old = NULL;
  g_autoptr (JsonObject) found = NULL;
  gsize old_length = 0;
  gsize before_length = 0;
  gsize after_length = 0;

  append_turns (fixture, 5);
  g_assert_true (g_file_get_contents (path, &old, &old_length, NULL));
  ledger_fixture_close (fixture);
  g_assert_false (has_ahead (fixture));
  open_ahead (fixture, 64);
  append_turns (fixture, 5);
  ledger_fixture_close (fixture);
  g_assert_true (g_file_get_contents (log, &before, &before_length, NULL));
  g_assert_true (g_file_set_contents (path, old, (gssize) old_length, NULL));
  g_assert_true (reeve_ledger_ahead_replay (fixture->folder, NULL));
  g_assert_false (has_ahead (fixture));
  g_assert_true (g_file_get_contents (log, &after, &after_length, NULL));
  g_assert_cmpmem (before, before_length, after, after_length);
  /* nor to a log that has other records there */
  memset (before + 400, 'y', 50);
  g_assert_true (g_file_set_contents (log, before, (gssize) before_length, NULL));
  g_assert_true (g_file_set_contents (path, old, (gssize) old_length, NULL));
  g_assert_true (reeve_ledger_ahead_replay (fixture->folder, NULL));
  g_free (after);
  g_assert_true (g_file_get_contents (log, &after, &after_length, NULL));
  g_assert_cmpmem (before, before_length, after, after_length);
  found = ledger_fixture_verify (fixture);
  g_assert_false (json_object_get_boolean_member (found, "valid"));
}

/* Frames that somebody made write nowhere but behind a log's records. */
static void
test_foreign (LedgerFixture *fixture, gconstpointer data)
{
  static const char *const names[]
      = { "acme", "../keys", "acme/..", ".", "", "nobody", "acme\n", "@platform/../acme" };
  guint8 chain[REEVE_LEDGER_HASH_SIZE] = { 0 };
  g_autofree char *victim = g_build_filename (fixture->keys, "00000000000000000001.log", NULL);
  g_autofree char *log
      = g_build_filename (fixture->folder, "acme", "00000000000000000001.log", NULL);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  gsize end = 0;
  g_autofree char *text = NULL;
  gsize length = 0;

  append_turns (fixture, 2);
  ledger_fixture_close (fixture);
  g_assert_true (g_file_get_contents (log, &before, &end, NULL));
  /* thirty-two zeros are a chain hash that anybody can name */
  g_assert_true (g_file_set_contents (victim, (const char *) chain, sizeof chain, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (ReeveLedgerAhead) ahead = reeve_ledger_ahead_new (fixture->folder, 0);
      ReeveLedgerAheadFrame frame = { .scope = names[i],
                                      .scope_length = strlen (names[i]),
                                      .first = 1,
                                      .offset = i == 0 ? end : sizeof chain,
                                      .chain = chain,
                                      .bytes = (const guint8 *) "records",
                                      .length = 7 };

      g_assert_true (reeve_ledger_ahead_begin (ahead));
      g_assert_true (reeve_ledger_ahead_add (ahead, &frame));
      g_assert_true (reeve_ledger_ahead_commit (ahead, NULL));
      g_assert_true (has_ahead (fixture));
      g_assert_true (reeve_ledger_ahead_replay (fixture->folder, NULL));
      g_assert_false (has_ahead (fixture));
    }
  g_assert_true (g_file_get_contents (victim, &text, &length, NULL));
  g_assert_cmpuint (length, ==, sizeof chain);
  g_unlink (victim);
  g_assert_true (g_file_get_contents (log, &after, &length, NULL));
  g_assert_cmpmem (before, end, after, length);
  ledger_fixture_assert_valid (fixture);
}

/* Every frame that is changed or cut is none, and so is what stands behind it. */
static void
test_parse (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, REEVE_LEDGER_AHEAD_FILE, NULL);
  ReeveLedgerAheadFrame frame = { 0 };
  g_autofree char *text = NULL;
  gsize length = 0;
  gsize size = 0;

  append_turns (fixture, 2);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  g_assert_cmpuint (length, ==, REEVE_LEDGER_AHEAD_SIZE);
  size = reeve_ledger_ahead_parse ((guint8 *) text, length, &frame);
  g_assert_cmpuint (size, ==, REEVE_LEDGER_AHEAD_FRAME + frame.scope_length + frame.length);
  for (gsize i = 0; i < size; i++)
    {
      text[i] ^= 0x41;
      g_assert_cmpuint (reeve_ledger_ahead_parse ((guint8 *) text, length, &frame), ==, 0);
      text[i] ^= 0x41;
      g_assert_cmpuint (reeve_ledger_ahead_parse ((guint8 *) text, i, &frame), ==, 0);
    }
}

/* Batches that fill their blocks to the last byte, or but for one, or go one beyond, up to the end
 * of the file: all are found again, and a shorter round hides those of the one before. */
static void
test_blocks (LedgerFixture *fixture, gconstpointer data)
{
  static const gsize wanted[] = { REEVE_LEDGER_AHEAD_BLOCK, REEVE_LEDGER_AHEAD_BLOCK - 1,
                                  REEVE_LEDGER_AHEAD_BLOCK + 1, 2 * REEVE_LEDGER_AHEAD_BLOCK };
  const guint8 chain[REEVE_LEDGER_HASH_SIZE] = { 0 };
  g_autoptr (ReeveLedgerAhead) ahead = NULL;
  g_autofree char *path = g_build_filename (fixture->folder, REEVE_LEDGER_AHEAD_FILE, NULL);
  /* of what a frame's bytes may begin with, that which a frame begins with */
  g_autofree char *bytes = g_strnfill (2 * REEVE_LEDGER_AHEAD_BLOCK, 'r');

  ledger_fixture_close (fixture);
  ahead = reeve_ledger_ahead_new (fixture->folder, 0);
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    {
      ReeveLedgerAheadFrame frame = { .scope = "acme",
                                      .scope_length = 4,
                                      .chain = chain,
                                      .bytes = (const guint8 *) bytes,
                                      .length = wanted[i] - REEVE_LEDGER_AHEAD_FRAME - 4 };
      ReeveLedgerAheadFrame found = { 0 };
      g_autofree char *text = NULL;
      guint written = 0;
      guint read = 0;
      gsize length = 0;
      gsize size = 0;

      while (reeve_ledger_ahead_begin (ahead) && reeve_ledger_ahead_add (ahead, &frame))
        {
          g_assert_true (reeve_ledger_ahead_commit (ahead, NULL));
          written++;
        }
      g_assert_true (reeve_ledger_ahead_is_full (ahead));
      g_assert_true (g_file_get_contents (path, &text, &length, NULL));
      g_assert_cmpuint (length, ==, REEVE_LEDGER_AHEAD_SIZE);
      for (gsize at = 0;
           (size = reeve_ledger_ahead_parse ((guint8 *) text + at, length - at, &found)) > 0;
           at = reeve_ledger_ahead_go_on ((guint8 *) text, length, at + size), read++)
        g_assert_cmpuint (found.number, ==, read);
      g_assert_cmpuint (read, ==, written);
      g_assert_cmpuint (written, ==,
                        REEVE_LEDGER_AHEAD_SIZE / REEVE_LEDGER_AHEAD_BLOCK
                            / (wanted[i] > REEVE_LEDGER_AHEAD_BLOCK ? 2 : 1));
      reeve_ledger_ahead_restart (ahead);
    }
  reeve_ledger_ahead_end (ahead);
}

/* Where it cannot be made, logs are synced themselves. */
static void
test_cannot_be_made (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, REEVE_LEDGER_AHEAD_FILE, NULL);

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  append_turns (fixture, 5);
  g_assert_cmpint (g_rmdir (path), ==, 0);
  append_turns (fixture, 5);
  g_assert_false (has_ahead (fixture));
}

/* It is read at a start, and cannot be: what was acknowledged may be missing. */
static void
test_unreadable (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, REEVE_LEDGER_AHEAD_FILE, NULL);
  g_autoptr (ReeveLedger) ledger = NULL;
  g_autoptr (GError) error = NULL;

  append_turns (fixture, 2);
  ledger_fixture_close (fixture);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  g_assert_false (reeve_ledger_open (ledger, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, REEVE_LEDGER_AHEAD_FILE));
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

static void
append_crowd (LedgerFixture *fixture)
{
  for (guint i = 0; i < CROWD; i++)
    {
      g_autofree char *scope = g_strdup_printf ("tenant-%u", i);

      ledger_fixture_append (fixture, scope, REEVE_LEDGER_READ, "x", 0);
    }
}

/* What is closed at once is synced then: a copy of it would be one sync more for each record. */
static void
test_crowd (LedgerFixture *fixture, gconstpointer data)
{
  gint before = 0;

  append_crowd (fixture);
  before = g_atomic_int_get (&syncs);
  append_crowd (fixture);
  append_crowd (fixture);
  /* With copies it were four. The platform's own records come beside it, whenever they do. */
  g_assert_cmpint (g_atomic_int_get (&syncs) - before, <, 3 * CROWD);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/ledger-ahead/" name, LedgerFixture, NULL, set_up, func, ledger_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("power-cut", test_power_cut);
  ADD ("needed", test_needed);
  ADD ("rounds", test_rounds);
  ADD ("full", test_full);
  ADD ("signed", test_signed);
  ADD ("changed", test_changed);
  ADD ("put-back", test_put_back);
  ADD ("foreign", test_foreign);
  ADD ("parse", test_parse);
  ADD ("blocks", test_blocks);
  ADD ("cannot-be-made", test_cannot_be_made);
  ADD ("unreadable", test_unreadable);
  ADD ("crowd", test_crowd);
  return g_test_run ();
}
