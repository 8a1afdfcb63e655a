/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are damaged, changed and made to look right again, or in the way: packing looks before
 * it packs, and closes the log where something does not fit. */
#include <glib/gstdio.h>
#include <string.h>

#include "governance/ledger-private.h"
#include "governance/ledger-scanner.h"
#include "ledger-pack-fixture.h"

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
  g_assert_false (ledger_pack_fixture_is_packed (path));
  g_clear_error (&error);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_clear_error (&error);
  /* once is enough */
  ledger_pack_fixture_pack (fixture);
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
  g_autofree char *path = ledger_pack_fixture_path_of (fixture, SEGMENT);
  g_autofree char *text = NULL;
  gsize length = 0;

  ledger_pack_fixture_fill (fixture, 10);
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
  g_autofree char *path = ledger_pack_fixture_path_of (fixture, SEGMENT);

  ledger_pack_fixture_fill (fixture, 10);
  forge (path, 100);
  assert_refused (fixture, "acme", path, "record 100: tile/0/000 is of another record");
}

/* A tile that should be there and is not says nothing: that is damage, too. */
static void
test_pack_without_tile (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = ledger_pack_fixture_path_of (fixture, SEGMENT);
  g_autofree char *tile = ledger_pack_fixture_path_of (fixture, "tile/0/000");

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
  ledger_pack_fixture_open_of_size (fixture, 6000);
  for (guint i = 0; i < 50; i++)
    reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
  for (guint i = 0; i < 3; i++)
    ledger_fixture_append (fixture, "beta", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_close (fixture);
  ledger_pack_fixture_open_of_size (fixture, 6000);
  ledger_fixture_append (fixture, "beta", REEVE_LEDGER_READ, "x", 0);
  forge (path, 7);
  assert_refused (fixture, "beta", path, "does not go on from it");
}

/* A folder of the name that packing uses: removed where it can be, else it is said what to do. */
static void
test_pack_in_the_way (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *way = ledger_pack_fixture_path_of (fixture, "pack.lock");
  g_autofree char *inside = g_build_filename (way, "x", NULL);
  g_autofree char *path = ledger_pack_fixture_path_of (fixture, SEGMENT);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (inside, 0700), ==, 0);
  g_assert_false (reeve_ledger_pack (fixture->ledger, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, way));
  g_assert_nonnull (strstr (error->message, "remove it by hand"));
  ledger_pack_fixture_fill (fixture, 1);
  g_assert_cmpint (g_rmdir (inside), ==, 0);
  ledger_pack_fixture_pack (fixture);
  g_assert_true (ledger_pack_fixture_is_packed (path));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
#define ADD(path, test)                                                                            \
  g_test_add ("/ledger-pack-damage/" path, LedgerFixture, NULL, ledger_pack_fixture_set_up, test,  \
              ledger_fixture_tear_down)
  ADD ("damaged", test_pack_damaged);
  ADD ("forged", test_pack_forged);
  ADD ("forged-early", test_pack_forged_early);
  ADD ("without-tile", test_pack_without_tile);
  ADD ("in-the-way", test_pack_in_the_way);
  return g_test_run ();
}
