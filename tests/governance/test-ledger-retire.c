/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Old records go, what stays verifies: the base that stands for them, in every state in which a
 * host may end, and whatever is done to it. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "governance/ledger-base.h"
#include "governance/ledger-clock.h"
#include "governance/ledger-export-verify.h"
#include "governance/ledger-export.h"
#include "governance/ledger-private.h"
#include "governance/ledger-proof.h"
#include "governance/ledger-verify.h"
#include "ledger-fixture.h"
#include "../helpers/test-tree.h"

#define RULE "audit.retention_days=365"
#define DAY  (24 * G_TIME_SPAN_HOUR)

/* the first day: 2025-01-01 */
static gint64 start = G_GINT64_CONSTANT (1735689600) * G_TIME_SPAN_SECOND;

/* so many go to the disk at once, and into one file */
#define AT_ONCE 7

/* Number n was made n days after the first day. */
static void
append (LedgerFixture *fixture, const char *scope, guint count)
{
  guint64 size = reeve_ledger_get_size (fixture->ledger, scope);

  for (guint i = 1; i <= count; i++)
    {
      const ReeveLedgerRecord record = {
        .kind = REEVE_LEDGER_READ,
        .scope = scope,
        .action = "agents.get",
        .actor_type = "user",
        .actor_id = "usr_one",
        .time = start + (gint64) (size + i) * DAY,
        .door = "rest",
      };
      g_autoptr (GError) error = NULL;

      if (i % AT_ONCE != 0 && i < count)
        {
          reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
          continue;
        }
      g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, size + i);
      g_assert_no_error (error);
    }
}

static ReeveLedgerLog *
need_log (LedgerFixture *fixture, const char *scope)
{
  g_autoptr (GError) error = NULL;
  ReeveLedgerLog *log = reeve_ledger_need_log (fixture->ledger, scope, &error);

  g_assert_no_error (error);
  return log;
}

/* Drops what is older than the day; returns the last that went. */
static guint64
retire (LedgerFixture *fixture, const char *scope, guint day)
{
  g_autoptr (GError) error = NULL;
  ReeveLedgerLog *log = need_log (fixture, scope);
  guint64 before = reeve_ledger_log_get_base (log);
  guint64 last = 0;

  reeve_ledger_log_plan_retire (log, start + day * DAY, G_MAXUINT64, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (last, <, day);
  if (last <= before)
    return before;
  reeve_ledger_log_retire (log, last, 0, RULE, 1000 * DAY, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reeve_ledger_log_get_base (log), ==, last);
  return last;
}

static void
reopen (LedgerFixture *fixture, gboolean without_caches)
{
  ledger_fixture_close (fixture);
  if (without_caches)
    {
      g_autofree char *state = g_build_filename (fixture->folder, "acme", "state.idx", NULL);
      g_autofree char *edge = g_build_filename (fixture->folder, "acme", "edge.idx", NULL);

      (void) g_unlink (state);
      (void) g_unlink (edge);
    }
  ledger_fixture_open (fixture);
}

static void
assert_proof (LedgerFixture *fixture, guint64 seq)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = reeve_ledger_prove (fixture->ledger, "acme", seq, &error);
  g_autoptr (ReeveLedgerProof) proof = NULL;
  g_autoptr (JsonObject) verdict = NULL;

  g_assert_no_error (error);
  proof = reeve_ledger_proof_parse (text, strlen (text), &error);
  g_assert_no_error (error);
  verdict = reeve_ledger_proof_verify (proof, fixture->ledger->key, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (json_object_get_int_member (verdict, "seq"), ==, (gint64) seq);
}

static void
assert_gone (LedgerFixture *fixture, guint64 seq)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_ledger_get (fixture->ledger, "acme", seq, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "older than what is kept"));
  g_clear_error (&error);
  g_assert_null (reeve_ledger_prove (fixture->ledger, "acme", seq, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "older than what is kept"));
}

static void
assert_export (LedgerFixture *fixture, const char *action)
{
  const ReeveLedgerFilter filter = { .action = action };
  g_autoptr (GError) error = NULL;
  ReeveLedgerExport *export = reeve_ledger_export_new (fixture->ledger, "acme", &filter,
                                                       REEVE_LEDGER_FORMAT_JSON, &error);
  g_autofree char *path = g_build_filename (fixture->state, "export.json", NULL);
  g_autoptr (JsonObject) verdict = NULL;
  FILE *file = fopen (path, "w+");
  GBytes *piece = NULL;

  g_assert_no_error (error);
  while ((piece = reeve_ledger_export_next (export, &error)) != NULL)
    {
      g_assert_cmpuint (fwrite (g_bytes_get_data (piece, NULL), 1, g_bytes_get_size (piece), file),
                        ==, g_bytes_get_size (piece));
      g_bytes_unref (piece);
    }
  g_assert_no_error (error);
  reeve_ledger_export_free (export);
  rewind (file);
  verdict = reeve_ledger_export_verify (file, fixture->ledger->key);
  fclose (file);
  g_assert_true (json_object_get_boolean_member (verdict, "valid"));
  g_assert_cmpint (json_object_get_int_member (verdict, "size"), ==,
                   (gint64) reeve_ledger_get_size (fixture->ledger, "acme"));
}

/* Everything that can be asked of the log. */
static void
assert_whole (LedgerFixture *fixture, guint64 base)
{
  guint64 size = reeve_ledger_get_size (fixture->ledger, "acme");
  ReeveLedgerFilter filter = { .limit = 200 };
  guint64 seen = 0;

  g_assert_cmpuint (reeve_ledger_get_base (fixture->ledger, "acme"), ==, base);
  for (guint64 seq = base + 1; seq <= size; seq += 1 + seq % 7)
    assert_proof (fixture, seq);
  if (base > 0)
    {
      assert_gone (fixture, base);
      assert_gone (fixture, 1);
    }
  do
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) page
          = reeve_ledger_list (fixture->ledger, "acme", &filter, &filter.before, &error);

      g_assert_no_error (error);
      seen += page->len;
    }
  while (filter.before != 0);
  g_assert_cmpuint (seen, ==, size - base);
  assert_export (fixture, NULL);
  assert_export (fixture, "none.such");
  ledger_fixture_assert_valid (fixture);
}

/* What the verifier that shares no code with this one says, in the same words. */
static void
assert_other (LedgerFixture *fixture, const char *said)
{
  const char *argv[] = { "python3", VERIFIER, fixture->state, NULL };
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  g_autoptr (GError) error = NULL;
  gint status = 0;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status,
                &error);
  g_assert_no_error (error);
  if (strstr (out, said) == NULL)
    g_error ("not %s, but %s%s", said, out, err);
}

/* Again and again, over the bounds of tiles, with and without caches. */
static void
test_retire_again (LedgerFixture *fixture, gconstpointer data)
{
  guint64 base = 0;

  append (fixture, "acme", 140);
  for (guint day = 90; day < 600; day += 167)
    {
      base = retire (fixture, "acme", day);
      g_assert_cmpuint (base, >, day - 30);
      assert_whole (fixture, base);
      append (fixture, "acme", 5);
      assert_whole (fixture, base);
      reopen (fixture, day % 2 == 0);
      append (fixture, "acme", 162);
      assert_whole (fixture, base);
    }
  g_assert_cmpuint (base, >, 512);
  assert_other (fixture, "good  acme");
}

/* What may not go: the newest file, what an open intent or a limit holds. */
static void
test_retire_bounds (LedgerFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  ReeveLedgerLog *log = NULL;
  guint64 last = 0;
  guint64 intent = 0;

  append (fixture, "acme", 50);
  log = need_log (fixture, "acme");
  /* all are old: planned they are, but the newest file goes only when there is another behind */
  reeve_ledger_log_plan_retire (log, start + 1000 * DAY, G_MAXUINT64, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (last, ==, 50);
  g_assert_false (reeve_ledger_log_retire (log, last, 0, RULE, 1, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  /* no file ends there */
  g_assert_false (reeve_ledger_log_retire (log, 1, 0, RULE, 1, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  reeve_ledger_log_plan_retire (log, start + 1000 * DAY, 30, &last, &error);
  g_assert_cmpuint (last, >, 0);
  g_assert_cmpuint (last, <=, 30);
  reeve_ledger_log_plan_retire (log, start + 1000 * DAY, 3, &last, &error);
  g_assert_cmpuint (last, ==, 0);
  intent = ledger_fixture_append (fixture, "acme", REEVE_LEDGER_INTENT, "agents.create", 0);
  append (fixture, "acme", 50);
  reeve_ledger_log_plan_retire (log, G_MAXINT64, G_MAXUINT64, &last, &error);
  g_assert_cmpuint (last, <, intent);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_OUTCOME, "agents.create", intent);
  reeve_ledger_log_plan_retire (log, G_MAXINT64, G_MAXUINT64, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (last, >, intent);
}

/* A file of which the clock said 1970 is as young as the first record of the next. */
static void
test_retire_wrong_clock (LedgerFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 before = start;
  guint64 last = 0;

  start = 0;
  append (fixture, "acme", 10);
  start = before;
  for (guint i = 0; i < 15; i++)
    ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "agents.get", 0);
  reeve_ledger_log_plan_retire (need_log (fixture, "acme"), 10000 * DAY, G_MAXUINT64, &last,
                                &error);
  g_assert_no_error (error);
  g_assert_cmpuint (last, ==, 0);
}

static JsonObject *
verify_acme (LedgerFixture *fixture, JsonObject **all)
{
  *all = ledger_fixture_verify (fixture);
  return json_array_get_object_element (json_object_get_array_member (*all, "logs"), 1);
}

static void
assert_bad (LedgerFixture *fixture, const char *file, gint64 seq, gboolean said)
{
  g_autoptr (JsonObject) all = NULL;
  JsonObject *log = verify_acme (fixture, &all);

  g_assert_false (json_object_get_boolean_member (log, "valid"));
  if (file != NULL)
    g_assert_cmpstr (json_object_get_string_member (log, "file"), ==, file);
  if (seq > 0)
    g_assert_cmpint (json_object_get_int_member (log, "bad_seq"), ==, seq);
  if (said)
    {
      gint64 bad = json_object_has_member (log, "bad_seq")
                       ? json_object_get_int_member (log, "bad_seq")
                       : 0;
      g_autofree char *line
          = g_strdup_printf ("BAD   acme  first bad record %" G_GINT64_FORMAT ":", bad);

      assert_other (fixture, line);
    }
}

/* Does the host refuse the log? */
static void
assert_refused (LedgerFixture *fixture)
{
  g_autoptr (ReeveLedger) ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  g_autoptr (GError) error = NULL;

  reeve_ledger_open (ledger, &error);
  g_assert_no_error (error);
  g_assert_false (reeve_ledger_log_check (reeve_ledger_need_log (ledger, "acme", NULL), NULL));
}

typedef struct
{
  char *path;
  char *text;
  gsize length;
} Kept;

static Kept
keep (LedgerFixture *fixture, const char *name)
{
  Kept kept = { .path = g_build_filename (fixture->folder, "acme", name, NULL) };

  g_assert_true (g_file_get_contents (kept.path, &kept.text, &kept.length, NULL));
  return kept;
}

static void
put_back (Kept *kept)
{
  g_assert_true (g_file_set_contents (kept->path, kept->text, (gssize) kept->length, NULL));
}

static void
forget (Kept *kept)
{
  g_free (kept->path);
  g_free (kept->text);
}

/* Each bit of the base, and its end at each byte. */
static void
damage_base (LedgerFixture *fixture)
{
  Kept base = keep (fixture, "base");

  for (gsize bit = 0; bit < base.length * 8; bit += 11)
    {
      base.text[bit / 8] = (char) ((guchar) base.text[bit / 8] ^ (1u << (bit % 8)));
      put_back (&base);
      assert_bad (fixture, "base", 0, bit == 1001);
      base.text[bit / 8] = (char) ((guchar) base.text[bit / 8] ^ (1u << (bit % 8)));
    }
  for (gsize cut = 0; cut < base.length; cut += 37)
    {
      put_back (&base);
      g_assert_cmpint (truncate (base.path, (off_t) cut), ==, 0);
      assert_bad (fixture, "base", 0, cut == 370);
    }
  put_back (&base);
  ledger_fixture_assert_valid (fixture);
  forget (&base);
}

/* A tile of what was dropped. */
static void
damage_tile (LedgerFixture *fixture)
{
  Kept tile = keep (fixture, "tile/0/000");

  tile.text[77] ^= 1;
  put_back (&tile);
  assert_bad (fixture, "base", 0, TRUE);
  tile.text[77] ^= 1;
  g_assert_cmpint (g_unlink (tile.path), ==, 0);
  assert_bad (fixture, "tile/0/000", 1, TRUE);
  put_back (&tile);
  forget (&tile);
}

static char *
segment_name (guint64 first)
{
  return g_strdup_printf ("%020" G_GUINT64_FORMAT ".log", first);
}

static void
test_retire_damage (LedgerFixture *fixture, gconstpointer data)
{
  guint64 first = 0;
  guint64 second = 0;
  Kept old = { 0 };
  Kept base = { 0 };
  Kept left = { 0 };
  Kept kept = { 0 };
  g_autofree char *left_name = NULL;
  g_autofree char *kept_name = NULL;
  g_autoptr (JsonObject) all = NULL;

  append (fixture, "acme", 330);
  first = retire (fixture, "acme", 100);
  left_name = segment_name (first + 1);
  old = keep (fixture, "base");
  left = keep (fixture, left_name);
  second = retire (fixture, "acme", 300);
  g_assert_cmpuint (second, >, 256);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
  damage_base (fixture);
  base = keep (fixture, "base");
  /* none, and an older one: records are missing */
  g_assert_cmpint (g_unlink (base.path), ==, 0);
  assert_bad (fixture, NULL, 1, TRUE);
  assert_refused (fixture);
  put_back (&old);
  assert_bad (fixture, NULL, (gint64) first + 1, TRUE);
  assert_refused (fixture);
  put_back (&base);
  damage_tile (fixture);
  /* the first file that is kept */
  kept_name = segment_name (second + 1);
  kept = keep (fixture, kept_name);
  g_assert_cmpint (g_unlink (kept.path), ==, 0);
  assert_bad (fixture, NULL, (gint64) second + 1, TRUE);
  assert_refused (fixture);
  put_back (&kept);
  /* one that was to go and is there, as a crash leaves it: said, and removed by the next start */
  put_back (&left);
  g_assert_cmpint (json_object_get_int_member (verify_acme (fixture, &all), "left_over"), ==, 1);
  g_assert_true (json_object_get_boolean_member (all, "valid"));
  assert_other (fixture, "good  acme");
  ledger_fixture_open (fixture);
  g_assert_false (g_file_test (left.path, G_FILE_TEST_EXISTS));
  assert_whole (fixture, second);
  forget (&old);
  forget (&base);
  forget (&left);
  forget (&kept);
}

/* The base of another log is no base of this one. */
static void
test_retire_foreign (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "acme", "base", NULL);
  g_autofree char *other = g_build_filename (fixture->folder, "zeta", "base", NULL);
  g_autofree char *text = NULL;
  gsize length = 0;

  append (fixture, "acme", 60);
  append (fixture, "zeta", 60);
  retire (fixture, "acme", 40);
  retire (fixture, "zeta", 40);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
  g_assert_true (g_file_get_contents (other, &text, &length, NULL));
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  assert_bad (fixture, "base", 0, TRUE);
  assert_refused (fixture);
}

/* A checkpoint that was kept from before still finds its root, and shows a fork. */
static void
test_retire_since (LedgerFixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) since = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GError) error = NULL;
  ReeveCheckpoint checkpoint = { 0 };
  g_autoptr (JsonObject) result = NULL;
  g_autoptr (JsonObject) forked = NULL;
  ReeveLedgerLog *log = NULL;
  char *note = NULL;

  append (fixture, "acme", 50);
  log = need_log (fixture, "acme");
  g_assert_true (reeve_ledger_log_sign_now (log, 50, &error));
  note = reeve_ledger_log_read_checkpoint (log, &checkpoint, &error);
  g_ptr_array_add (since, g_bytes_new_take (note, strlen (note)));
  append (fixture, "acme", 300);
  retire (fixture, "acme", 320);
  result = reeve_ledger_verify_folder_since (fixture->folder, fixture->keys, since, &error);
  g_assert_no_error (error);
  g_assert_true (json_object_get_boolean_member (result, "valid"));
  checkpoint.root[0] ^= 1;
  note = reeve_checkpoint_format (&checkpoint, "acme", fixture->ledger->key, &error);
  g_ptr_array_add (since, g_bytes_new_take (note, strlen (note)));
  forked = reeve_ledger_verify_folder_since (fixture->folder, fixture->keys, since, &error);
  g_assert_false (json_object_get_boolean_member (forked, "valid"));
}

/* A clock that leaps is not believed at once, nor after a restart; one that goes back is. */
static void
test_clock (LedgerFixture *fixture, gconstpointer data)
{
  ReeveLedgerClock *clock = reeve_ledger_clock_new (fixture->folder);

  g_assert_cmpint (reeve_ledger_clock_tick (clock, start, 1), ==, start);
  g_assert_cmpint (reeve_ledger_clock_tick (clock, start + 30 * DAY, 2), ==, start + 30 * DAY);
  g_assert_cmpint (reeve_ledger_clock_tick (clock, start + 3000 * DAY, 5), ==,
                   start + 30 * DAY + 3);
  g_assert_cmpint (reeve_ledger_clock_tick (clock, start + 3000 * DAY, DAY + 5), ==,
                   start + 31 * DAY + 3);
  reeve_ledger_clock_free (clock);
  clock = reeve_ledger_clock_new (fixture->folder);
  g_assert_cmpint (reeve_ledger_clock_tick (clock, start + 3000 * DAY, 9), ==,
                   start + 31 * DAY + 3);
  g_assert_cmpint (reeve_ledger_clock_tick (clock, start + DAY, 10), ==, start + DAY);
  g_assert_cmpint (reeve_ledger_clock_tick (clock, start + 40 * DAY, 11), ==, start + 40 * DAY);
  reeve_ledger_clock_free (clock);
}

/* Of the base alone. */
static void
test_base_note (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree ReeveLedgerBase *base = g_new0 (ReeveLedgerBase, 1);
  g_autofree ReeveLedgerBase *again = g_new0 (ReeveLedgerBase, 1);
  ReeveLedgerKey *key = fixture->ledger->key;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;

  memset (base->chain, 7, sizeof base->chain);
  base->time = 12;
  base->keys = 3;
  g_strlcpy (base->rule, RULE, sizeof base->rule);
  for (guint i = 0; i < 256 * 5 + 255; i++)
    {
      guint8 leaf[REEVE_LEDGER_HASH_SIZE] = { (guint8) i, (guint8) (i >> 8) };

      g_assert_true (reeve_ledger_frontier_add (&base->frontier, leaf));
      memcpy (base->leaves[i % 256 % 255], leaf, sizeof leaf);
    }
  for (guint i = 0; i < 255; i++)
    {
      base->leaves[i][0] = (guint8) (256 * 5 + i);
      base->leaves[i][1] = 5;
    }
  text = reeve_ledger_base_format (base, "acme", key, &error);
  g_assert_no_error (error);
  length = strlen (text);
  g_assert_cmpuint (length, <, REEVE_LEDGER_BASE_MAX_SIZE);
  g_assert_true (reeve_ledger_base_parse (again, text, length, "acme", key, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (&again->frontier.size, 8, &base->frontier.size, 8);
  g_assert_cmpmem (again->leaves, sizeof again->leaves, base->leaves, sizeof base->leaves);
  g_assert_cmpstr (again->rule, ==, RULE);
  g_assert_cmpuint (again->keys, ==, 3);
  g_assert_false (reeve_ledger_base_parse (again, text, length, "acm", key, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  for (gsize cut = 0; cut < length; cut += 17)
    g_assert_false (reeve_ledger_base_parse (again, text, cut, "acme", key, NULL));
  for (gsize bit = 0; bit < length * 8; bit += 97)
    {
      text[bit / 8] = (char) ((guchar) text[bit / 8] ^ (1u << (bit % 8)));
      g_assert_false (reeve_ledger_base_parse (again, text, length, "acme", key, NULL));
      text[bit / 8] = (char) ((guchar) text[bit / 8] ^ (1u << (bit % 8)));
    }
}

#define ADD(path, function)                                                                        \
  g_test_add (path, LedgerFixture, NULL, ledger_fixture_set_up, function, ledger_fixture_tear_down)

int
main (int argc, char **argv)
{
  /* no disk below: every record waits for it */
  if (g_access ("/dev/shm", W_OK) == 0)
    (void) g_setenv ("TMPDIR", "/dev/shm", FALSE);
  g_test_init (&argc, &argv, NULL);
  /* damaged logs are warned of */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("/ledger/base/note", test_base_note);
  ADD ("/ledger/clock", test_clock);
  ADD ("/ledger/retire/again", test_retire_again);
  ADD ("/ledger/retire/bounds", test_retire_bounds);
  ADD ("/ledger/retire/wrong-clock", test_retire_wrong_clock);
  ADD ("/ledger/retire/damage", test_retire_damage);
  ADD ("/ledger/retire/foreign", test_retire_foreign);
  ADD ("/ledger/retire/since", test_retire_since);
  return g_test_run ();
}
