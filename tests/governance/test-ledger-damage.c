/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever is done to the files of a ledger that was cleanly stopped, verification sees it and says
 * where. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "ledger-fixture.h"
#include "../helpers/test-tree.h"

#define SEGMENT "00000000000000000001.log"

/* A small log of several segments, cleanly stopped. */
static void
set_up (LedgerFixture *fixture, gconstpointer data)
{
  ledger_fixture_set_up (fixture, data);
  for (guint i = 0; i < 70; i++)
    ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "agents.get", 0);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

static char *
path_of (LedgerFixture *fixture, const char *scope, const char *name)
{
  return g_build_filename (fixture->folder, scope, name, NULL);
}

/* Verification says no, and names the record when one is expected. */
static void
assert_bad (LedgerFixture *fixture, const char *scope, gint64 bad_seq)
{
  g_autoptr (JsonObject) result = ledger_fixture_verify (fixture);
  JsonArray *logs = json_object_get_array_member (result, "logs");
  gboolean found = FALSE;

  g_assert_false (json_object_get_boolean_member (result, "valid"));
  for (guint i = 0; i < json_array_get_length (logs); i++)
    {
      JsonObject *log = json_array_get_object_element (logs, i);

      if (strcmp (json_object_get_string_member (log, "scope"), scope) != 0)
        continue;
      found = TRUE;
      g_assert_false (json_object_get_boolean_member (log, "valid"));
      g_assert_nonnull (json_object_get_string_member (log, "error"));
      if (bad_seq > 0)
        g_assert_cmpint (json_object_get_int_member (log, "bad_seq"), ==, bad_seq);
    }
  g_assert_true (found);
}

static void
each_bit (LedgerFixture *fixture, const char *scope, const char *name, guint step)
{
  g_autofree char *path = path_of (fixture, scope, name);
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  for (gsize bit = 0; bit < length * 8; bit += step)
    {
      text[bit / 8] = (char) ((guchar) text[bit / 8] ^ (1u << (bit % 8)));
      g_assert_true (g_file_set_contents_full (path, text, (gssize) length,
                                               G_FILE_SET_CONTENTS_NONE, 0600, NULL));
      assert_bad (fixture, scope, 0);
      text[bit / 8] = (char) ((guchar) text[bit / 8] ^ (1u << (bit % 8)));
    }
  g_assert_true (
      g_file_set_contents_full (path, text, (gssize) length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  ledger_fixture_assert_valid (fixture);
}

static void
test_damage_bits (LedgerFixture *fixture, gconstpointer data)
{
  each_bit (fixture, "acme", SEGMENT, 13);
  each_bit (fixture, "acme", "checkpoint", 7);
  each_bit (fixture, "@platform", SEGMENT, 5);
}

static void
test_damage_truncated (LedgerFixture *fixture, gconstpointer data)
{
  g_autoptr (GDir) dir = NULL;
  g_autofree char *folder = g_build_filename (fixture->folder, "acme", NULL);
  const char *name = NULL;
  guint files = 0;

  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = path_of (fixture, "acme", name);
      g_autofree char *text = NULL;
      gsize length = 0;

      if (!g_str_has_suffix (name, ".log") && strcmp (name, "checkpoint") != 0)
        continue;
      files++;
      g_assert_true (g_file_get_contents (path, &text, &length, NULL));
      for (gsize cut = length; cut-- > 0; cut -= MIN (cut, 29))
        {
          g_assert_cmpint (truncate (path, (off_t) cut), ==, 0);
          assert_bad (fixture, "acme", 0);
        }
      g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
    }
  g_assert_cmpuint (files, >=, 4);
  ledger_fixture_assert_valid (fixture);
}

/* Cuts whole records off the end: only the signed checkpoint can tell. */
static void
test_damage_records_dropped (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = path_of (fixture, "@platform", SEGMENT);
  g_autofree char *text = NULL;
  g_autoptr (ReeveLedger) ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  g_autoptr (GError) error = NULL;
  gsize length = 0;
  guint32 first = 0;

  /* the platform's log has one record: log made; give it more */
  ledger_fixture_open (fixture);
  ledger_fixture_append (fixture, "@platform", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_append (fixture, "@platform", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_close (fixture);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  memcpy (&first, text, 4);
  g_assert_cmpint (truncate (path, GUINT32_FROM_BE (first) + 36), ==, 0);
  assert_bad (fixture, "@platform", 2);
  /* and a host does not go on with it, for a new checkpoint would make it look right */
  g_assert_false (reeve_ledger_open (ledger, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
}

static void
test_damage_missing (LedgerFixture *fixture, gconstpointer data)
{
  static const char *const names[] = { SEGMENT, "checkpoint" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = path_of (fixture, "acme", names[i]);
      g_autofree char *text = NULL;
      gsize length = 0;

      g_assert_true (g_file_get_contents (path, &text, &length, NULL));
      g_assert_cmpint (g_unlink (path), ==, 0);
      assert_bad (fixture, "acme", 0);
      g_assert_true (g_file_set_contents (path, "", 0, NULL));
      assert_bad (fixture, "acme", 0);
      g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
    }
  ledger_fixture_assert_valid (fixture);
}

static void
test_damage_folder_missing (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *folder = g_build_filename (fixture->folder, "acme", NULL);

  test_tree_remove (folder);
  assert_bad (fixture, "acme", 1);
}

static void
test_damage_strangers (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *stranger = path_of (fixture, "acme", "notes.txt");
  g_autofree char *file = g_build_filename (fixture->folder, "stranger", NULL);

  g_assert_true (g_file_set_contents (stranger, "x", 1, NULL));
  assert_bad (fixture, "acme", 0);
  g_assert_cmpint (g_unlink (stranger), ==, 0);
  g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  assert_bad (fixture, "stranger", 0);
}

static void
test_damage_reordered (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = path_of (fixture, "acme", SEGMENT);
  g_autofree char *text = NULL;
  g_autofree char *swapped = NULL;
  gsize length = 0;
  guint32 first = 0;
  guint32 second = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  memcpy (&first, text, 4);
  first = GUINT32_FROM_BE (first) + 36;
  memcpy (&second, text + first, 4);
  second = GUINT32_FROM_BE (second) + 36;
  swapped = g_memdup2 (text, length);
  memcpy (swapped, text + first, second);
  memcpy (swapped + second, text, first);
  g_assert_true (g_file_set_contents (path, swapped, (gssize) length, NULL));
  assert_bad (fixture, "acme", 1);
  /* one record taken out of the middle */
  memcpy (swapped, text, first);
  memcpy (swapped + first, text + first + second, length - first - second);
  g_assert_true (g_file_set_contents (path, swapped, (gssize) (length - second), NULL));
  assert_bad (fixture, "acme", 2);
}

/* Another tenant's log under this one's name. */
static void
test_damage_swapped (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *a = g_build_filename (fixture->folder, "acme", NULL);
  g_autofree char *b = g_build_filename (fixture->folder, "@platform", NULL);
  g_autofree char *c = g_build_filename (fixture->folder, "tmp.lock", NULL);

  g_assert_cmpint (g_rename (a, c), ==, 0);
  g_assert_cmpint (g_rename (b, a), ==, 0);
  g_assert_cmpint (g_rename (c, b), ==, 0);
  assert_bad (fixture, "acme", 0);
  assert_bad (fixture, "@platform", 0);
}

static void
test_damage_tenant_stays_closed (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = path_of (fixture, "acme", SEGMENT);
  g_autofree char *state = path_of (fixture, "acme", "state.idx");
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x" };
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  text[100] ^= 1;
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  g_assert_cmpint (g_unlink (state), ==, 0);
  ledger_fixture_open (fixture);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  ledger_fixture_append (fixture, "other", REEVE_LEDGER_READ, "x", 0);
}

/* ---- an older state ---- */

static void
replace (const char *path, const char *by)
{
  test_tree_remove (path);
  test_tree_copy (by, path);
}

/* The verifier that shares no code with this one finds it, too. */
static void
assert_other_finds (LedgerFixture *fixture, const char *line)
{
  const char *argv[] = { "python3", VERIFIER, fixture->state, NULL };
  g_autofree char *out = NULL;
  g_autoptr (GError) error = NULL;
  gint status = 0;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, &status,
                &error);
  g_assert_no_error (error);
  g_assert_false (g_spawn_check_wait_status (status, NULL));
  g_assert_nonnull (strstr (out, line));
}

static void
assert_closed (LedgerFixture *fixture, const char *why)
{
  const ReeveLedgerRecord record
      = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "agents.get" };
  g_autoptr (GError) error = NULL;

  ledger_fixture_open (fixture);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, why));
  ledger_fixture_close (fixture);
}

/* One log is put back as it was, good in itself: with all of its files, its checkpoint too. */
static void
test_damage_old_log (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *log = g_build_filename (fixture->folder, "acme", NULL);
  g_autofree char *old = g_build_filename (fixture->state, "old", NULL);

  test_tree_copy (log, old);
  ledger_fixture_open (fixture);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "agents.get", 0);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
  replace (log, old);
  assert_bad (fixture, "acme", 71);
  assert_other_finds (fixture, "BAD   acme  first bad record 71");
  assert_closed (fixture, "an older state was put back");
}

/* The folder of all logs: the host does not start. */
static void
test_damage_old_ledger (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *old = g_build_filename (fixture->state, "old", NULL);
  g_autoptr (GError) error = NULL;

  test_tree_copy (fixture->folder, old);
  ledger_fixture_open (fixture);
  ledger_fixture_append (fixture, "@platform", REEVE_LEDGER_READ, "agents.get", 0);
  ledger_fixture_append (fixture, "newer", REEVE_LEDGER_READ, "agents.get", 0);
  ledger_fixture_close (fixture);
  replace (fixture->folder, old);
  assert_bad (fixture, "@platform", 0);
  assert_bad (fixture, "newer", 1);
  assert_other_finds (fixture, "BAD   newer  first bad record 1");
  fixture->ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  g_assert_false (reeve_ledger_open (fixture->ledger, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "an older state was put back"));
}

/* Two histories of one length, both signed by the host: the one that is not kept is a fork. */
static void
test_damage_forked (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *old = g_build_filename (fixture->state, "old", NULL);
  g_autofree char *checkpoints = g_build_filename (fixture->state, "checkpoints", NULL);
  g_autofree char *old_checkpoints = g_build_filename (fixture->state, "old-checkpoints", NULL);
  g_autofree char *kept = g_build_filename (fixture->state, "checkpoints", "acme", NULL);
  g_autofree char *other = g_build_filename (fixture->state, "other", NULL);

  test_tree_copy (fixture->folder, old);
  test_tree_copy (checkpoints, old_checkpoints);
  ledger_fixture_open (fixture);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "agents.get", 0);
  ledger_fixture_close (fixture);
  test_tree_copy (kept, other);
  replace (fixture->folder, old);
  replace (checkpoints, old_checkpoints);
  ledger_fixture_open (fixture);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "agents.list", 0);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
  replace (kept, other);
  assert_bad (fixture, "acme", 71);
  assert_other_finds (fixture, "BAD   acme  first bad record 71");
  assert_closed (fixture, "the log was forked");
}

#define ADD(name, func)                                                                            \
  g_test_add ("/ledger-damage/" name, LedgerFixture, NULL, set_up, func, ledger_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("bits", test_damage_bits);
  ADD ("truncated", test_damage_truncated);
  ADD ("records-dropped", test_damage_records_dropped);
  ADD ("missing", test_damage_missing);
  ADD ("folder-missing", test_damage_folder_missing);
  ADD ("strangers", test_damage_strangers);
  ADD ("reordered", test_damage_reordered);
  ADD ("swapped", test_damage_swapped);
  ADD ("tenant-stays-closed", test_damage_tenant_stays_closed);
  ADD ("old-log", test_damage_old_log);
  ADD ("old-ledger", test_damage_old_ledger);
  ADD ("forked", test_damage_forked);
  return g_test_run ();
}
