/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are damaged, changed and made to look right again, or in the way: packing looks before
 * it packs, and closes the log where something does not fit. */
#include <glib/gstdio.h>
#include <string.h>

#include "governance/ledger-pack.h"
#include "governance/ledger-private.h"
#include "governance/ledger-scanner.h"
#include "ledger-fixture.h"
#include "../helpers/test-tree.h"

#define SEGMENT "00000000000000000001.log"
#define SIZE    (64 * 1024)
/* so many go to the disk at once, and into one file */
#define AT_ONCE 60

static void
open_of_size (LedgerFixture *fixture, guint64 size)
{
  g_autoptr (GError) error = NULL;

  fixture->ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  reeve_ledger_set_segment_size (fixture->ledger, size);
  reeve_ledger_set_checkpoint_seconds (fixture->ledger, 3600);
  reeve_ledger_open (fixture->ledger, &error);
  g_assert_no_error (error);
}

static void
open_large (LedgerFixture *fixture)
{
  open_of_size (fixture, SIZE);
}

static void
fill (LedgerFixture *fixture, guint count)
{
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ,
                               .scope = "acme",
                               .action = "agents.get",
                               .actor_type = "user",
                               .actor_id = "usr_one",
                               .door = "rest" };

  for (guint i = 1; i <= count; i++)
    if (i % AT_ONCE != 0 && i < count)
      reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
    else
      ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "agents.get", 0);
}

/* A log of several files, left cleanly, and open again: all but the last may be packed. */
static void
set_up (LedgerFixture *fixture, gconstpointer data)
{
  fixture->state = test_tree_make_quick ();
  fixture->folder = g_build_filename (fixture->state, "ledger", NULL);
  fixture->keys = g_build_filename (fixture->state, "keys", NULL);
  open_large (fixture);
  fill (fixture, 1700);
  ledger_fixture_close (fixture);
  open_large (fixture);
}

static char *
path_of (LedgerFixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, "acme", name, NULL);
}

static void
pack (LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_ledger_pack (fixture->ledger, &error));
  g_assert_no_error (error);
}

static gboolean
is_packed (const char *path)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  return reeve_ledger_pack_is ((const guint8 *) text, length);
}

static guint64
signed_size_of (LedgerFixture *fixture, const char *scope)
{
  g_autoptr (JsonObject) checkpoint = reeve_ledger_show_checkpoint (fixture->ledger, scope, NULL);

  return (guint64) json_object_get_int_member (checkpoint, "size");
}

/* Packing finds it: the file stays as it is, the log takes nothing more and nothing of it is
 * signed, the platform's log says so, and the others go on. */
static void
assert_refused (LedgerFixture *fixture, const char *scope, const char *path, const char *why)
{
  g_autofree char *reason = g_strdup_printf ("*%s*%s*", path, why);
  ReeveLedgerFilter filter = { .limit = 10, .action = "ledger.damaged" };
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = scope, .action = "x" };
  guint64 size = reeve_ledger_get_size (fixture->ledger, scope);
  guint64 signed_size = signed_size_of (fixture, scope);
  guint64 next = 0;
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (JsonObject) verdict = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_ledger_pack (fixture->ledger, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_test_message ("%s", error->message);
  g_assert_true (g_pattern_match_simple (reason, error->message));
  g_assert_false (is_packed (path));
  g_clear_error (&error);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_clear_error (&error);
  /* once is enough */
  pack (fixture);
  ledger_fixture_append (fixture, "other", REEVE_LEDGER_READ, "x", 0);
  events = reeve_ledger_list (fixture->ledger, REEVE_SCOPE_PLATFORM, &filter, &next, NULL);
  g_assert_cmpuint (events->len, ==, 1);
  verdict = reeve_ledger_verify (fixture->ledger, scope, NULL);
  g_assert_false (json_object_get_boolean_member (verdict, "valid"));
  g_assert_cmpint (reeve_ledger_get_health (fixture->ledger), ==, REEVE_LEDGER_WELL);
  reeve_ledger_sign_all (fixture->ledger);
  g_assert_cmpuint (signed_size_of (fixture, scope), ==, signed_size);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, scope), ==, size);
}

/* Behind the last checkpoint are records: they must stay unsigned. */
static void
test_pack_damaged (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = path_of (fixture, SEGMENT);
  g_autofree char *text = NULL;
  gsize length = 0;

  fill (fixture, 10);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  text[5000] ^= 1;
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  assert_refused (fixture, "acme", path, "record");
}

/* Changes record @number of a log's first file, and makes all chain hashes of the file anew. */
static void
forge (const char *path, guint number)
{
  guint8 hash[REEVE_LEDGER_HASH_SIZE] = { 0 };
  guint8 leaf[REEVE_LEDGER_HASH_SIZE];
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree char *text = NULL;
  gsize length = 0;
  guint count = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  /* a chain hash stands in front of each record */
  g_byte_array_append (bytes, hash, sizeof hash);
  g_byte_array_append (bytes, (const guint8 *) text, (guint) length);
  for (gsize at = sizeof hash; at < bytes->len;)
    {
      guint8 *record = bytes->data + at;
      gsize size = ((gsize) record[2] << 8) | record[3];

      if (++count == number)
        ((char *) memmem (record, size, "usr_one", 7))[6] = 'f';
      reeve_ledger_scanner_seal (record, size, hash, leaf);
      memcpy (record + REEVE_LEDGER_SCANNER_PREFIX + size, hash, sizeof hash);
      at += size + REEVE_LEDGER_SCANNER_OVERHEAD;
    }
  g_assert_cmpuint (count, >=, number);
  g_assert_true (
      g_file_set_contents (path, (const char *) bytes->data + sizeof hash, (gssize) length, NULL));
}

/* The chain of the file is whole again: its tile says which record is another. */
static void
test_pack_forged (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = path_of (fixture, SEGMENT);

  fill (fixture, 10);
  forge (path, 100);
  assert_refused (fixture, "acme", path, "record 100: tile/0/000 is of another record");
}

/* A tile that should be there and is not says nothing: that is damage, too. */
static void
test_pack_without_tile (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = path_of (fixture, SEGMENT);
  g_autofree char *tile = path_of (fixture, "tile/0/000");

  forge (path, 100);
  g_assert_cmpint (g_unlink (tile), ==, 0);
  assert_refused (fixture, "acme", path, "record 1: ");
}

/* No tile is full yet: the file behind it does not go on from there. */
static void
test_pack_forged_early (LedgerFixture *fixture, gconstpointer data)
{
  const ReeveLedgerRecord record
      = { .kind = REEVE_LEDGER_READ, .scope = "beta", .action = "x", .actor_id = "usr_one" };
  g_autofree char *path = g_build_filename (fixture->folder, "beta", SEGMENT, NULL);

  ledger_fixture_close (fixture);
  open_of_size (fixture, 6000);
  for (guint i = 0; i < 50; i++)
    reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
  for (guint i = 0; i < 3; i++)
    ledger_fixture_append (fixture, "beta", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_close (fixture);
  open_of_size (fixture, 6000);
  ledger_fixture_append (fixture, "beta", REEVE_LEDGER_READ, "x", 0);
  forge (path, 7);
  assert_refused (fixture, "beta", path, "does not go on from it");
}

/* A folder of the name that packing uses: removed where it can be, else it is said what to do. */
static void
test_pack_in_the_way (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *way = path_of (fixture, "pack.lock");
  g_autofree char *inside = g_build_filename (way, "x", NULL);
  g_autofree char *path = path_of (fixture, SEGMENT);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (inside, 0700), ==, 0);
  g_assert_false (reeve_ledger_pack (fixture->ledger, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, way));
  g_assert_nonnull (strstr (error->message, "remove it by hand"));
  fill (fixture, 1);
  g_assert_cmpint (g_rmdir (inside), ==, 0);
  pack (fixture);
  g_assert_true (is_packed (path));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
#define ADD(path, test)                                                                            \
  g_test_add ("/ledger-pack-damage/" path, LedgerFixture, NULL, set_up, test,                      \
              ledger_fixture_tear_down)
  ADD ("damaged", test_pack_damaged);
  ADD ("forged", test_pack_forged);
  ADD ("forged-early", test_pack_forged_early);
  ADD ("without-tile", test_pack_without_tile);
  ADD ("in-the-way", test_pack_in_the_way);
  return g_test_run ();
}
