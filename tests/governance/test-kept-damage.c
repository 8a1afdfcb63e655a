/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of users of which a half is not whole: erased, where an erasure said so and was cut off;
 * else damaged, which is an error and never another key. */
#include "kept-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "store/subject-shares.h"

/* The store as it was before, from a backup: half of the key is in it. */
static void
check_older_store (KeptFixture *fixture)
{
  g_autofree char *before = kept_fixture_put (fixture, "before");
  g_autoptr (ReeveRecord) subject
      = kept_fixture_record_of (fixture, REEVE_STORE_SUBJECTS, fixture->user);
  g_autofree char *after = NULL;

  kept_fixture_erase (fixture);
  kept_fixture_write_record (fixture, REEVE_STORE_SUBJECTS, fixture->user,
                             reeve_record_get_fields (subject));
  g_assert_cmpint (kept_fixture_state_of (fixture, before, NULL), ==, REEVE_KEPT_ERASED);
  after = kept_fixture_put (fixture, "after");
  g_assert_cmpint (kept_fixture_state_of (fixture, after, NULL), ==, REEVE_KEPT_READABLE);
  g_assert_cmpint (kept_fixture_state_of (fixture, before, NULL), ==, REEVE_KEPT_ERASED);
}

/* Cut off at each step behind the tombstone: the half is whole, overwritten, cut, removed; the
 * record is as it was. The host may be started again in between. */
static void
test_values_cut_off (KeptFixture *fixture, gconstpointer data)
{
  static const char zeros[REEVE_SUBJECT_SHARES_SIZE] = { 0 };

  for (guint step = 0; step < 8; step++)
    {
      g_autofree char *before = kept_fixture_put (fixture, "before");
      g_autofree char *after = NULL;
      g_autofree char *path = kept_fixture_half_of (fixture, step + 1);
      g_autofree char *tombstone = g_strconcat (path, ".erased", NULL);
      g_autoptr (GError) error = NULL;

      g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
      g_assert_true (g_file_set_contents (tombstone, "", 0, NULL));
      if (step % 4 == 1 || step % 4 == 2)
        g_assert_true (
            g_file_set_contents (path, zeros, step % 4 == 1 ? (gssize) sizeof zeros : 0, NULL));
      else if (step % 4 == 3)
        g_assert_cmpint (g_unlink (path), ==, 0);
      g_assert_cmpint (kept_fixture_state_of (fixture, before, NULL), ==, REEVE_KEPT_ERASED);
      if (step >= 4)
        {
          g_assert_true (reeve_subject_keys_recover (fixture->keys, &error));
          g_assert_no_error (error);
          g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
          g_assert_cmpint (kept_fixture_state_of (fixture, before, NULL), ==, REEVE_KEPT_ERASED);
        }
      after = kept_fixture_put (fixture, "after");
      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
      g_assert_cmpint (kept_fixture_state_of (fixture, after, NULL), ==, REEVE_KEPT_READABLE);
      g_assert_cmpint (kept_fixture_state_of (fixture, before, NULL), ==, REEVE_KEPT_ERASED);
    }
  kept_fixture_erase (fixture);
  check_older_store (fixture);
}

/* ---- damage ---- */

typedef struct
{
  const char *name;
  const char *told; /* in the error */
  gssize length;    /* of the file: zeros but for one byte; -1: it is removed; -2: the record */
  const char *half; /* of the record: NULL: it has none */
  gboolean zeros;
  gboolean gone; /* the record is */
} Damage;

static const Damage damages[] = {
  { .name = "file missing", .told = "No such file", .length = -1 },
  { .name = "file empty", .told = "not 32 bytes", .length = 0 },
  { .name = "file cut", .told = "not 32 bytes", .length = 31 },
  { .name = "file long", .told = "larger than 32 bytes", .length = 33 },
  { .name = "file zeros", .told = "nothing but zeros", .length = 32, .zeros = TRUE },
  { .name = "record without half", .told = "missing, and was never erased", .length = -2 },
  { .name = "record cut", .told = "half of the key is damaged", .length = -2, .half = "00ff" },
  { .name = "record no digits",
    .told = "half of the key is damaged",
    .length = -2,
    .half = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" },
  { .name = "record lost", .told = "it is lost", .length = -2, .gone = TRUE },
};

static void
remove_record (KeptFixture *fixture)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (SCOPE);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;

  reeve_batch_delete (batch, REEVE_STORE_SUBJECTS, fixture->user, REEVE_REVISION_ANY);
  result = reeve_store_commit (fixture->host.store, batch, &error);
  g_assert_no_error (error);
}

static void
damage_record (KeptFixture *fixture, const Damage *damage)
{
  g_autoptr (ReeveRecord) record
      = kept_fixture_record_of (fixture, REEVE_STORE_SUBJECTS, fixture->user);
  g_autoptr (JsonNode) node
      = json_node_init_object (json_node_alloc (), reeve_record_get_fields (record));
  g_autofree char *text = json_to_string (node, FALSE);
  g_autoptr (JsonObject) fields = directory_fixture_parse (text);

  if (damage->half != NULL)
    json_object_set_string_member (fields, "half", damage->half);
  else
    json_object_remove_member (fields, "half");
  if (damage->gone)
    remove_record (fixture);
  else
    kept_fixture_write_record (fixture, REEVE_STORE_SUBJECTS, fixture->user, fields);
}

static void
do_damage (KeptFixture *fixture, const Damage *damage, const char *path)
{
  char bytes[64] = { 0 };

  bytes[0] = damage->zeros ? 0 : 'x';
  if (damage->length == -2)
    damage_record (fixture, damage);
  else if (damage->length == -1)
    g_assert_cmpint (g_unlink (path), ==, 0);
  else
    g_assert_true (g_file_set_contents (path, bytes, damage->length, NULL));
}

/* What it says, it says with the place and what can be done. */
static void
assert_told (const char *text, const Damage *damage, KeptFixture *fixture, const char *path)
{
  g_autofree char *record = g_strconcat ("subjects/", fixture->user, NULL);

  g_assert_nonnull (strstr (text, damage->told));
  g_assert_nonnull (strstr (text, damage->length == -2 ? record : path));
  g_assert_nonnull (strstr (text, "backup"));
  g_assert_nonnull (strstr (text, "compliance erase"));
}

static guint
count_faults (KeptFixture *fixture, const Damage *damage, const char *path)
{
  guint keys = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) faults = reeve_kept_values_check (fixture->values, &keys, &error);

  g_assert_no_error (error);
  if (faults->len > 0)
    assert_told (faults->pdata[0], damage, fixture, path);
  return faults->len;
}

/* Nothing is read, nothing is kept, nothing is made anew. */
static void
assert_damaged (KeptFixture *fixture, const Damage *damage, const char *digest, guint generation)
{
  g_autofree char *path = kept_fixture_half_of (fixture, generation);
  g_autofree char *next = kept_fixture_half_of (fixture, generation + 1);
  ReeveKeptState state = REEVE_KEPT_READABLE;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_test_message ("%s", damage->name);
  g_assert_false (reeve_kept_values_open (fixture->values, SCOPE, digest, &state, &text, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  if (!damage->gone)
    assert_told (error->message, damage, fixture, path);
  g_clear_error (&error);
  g_assert_null (reeve_kept_values_put (fixture->values, SCOPE, fixture->user, "more", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  assert_told (error->message, damage, fixture, path);
  g_assert_false (g_file_test (next, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (count_faults (fixture, damage, path), ==, damage->gone ? 0 : 1);
}

/* Either half damaged is an error until it is put back, or until the user is erased. */
static void
test_values_damaged (KeptFixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (damages); i++)
    {
      const Damage *damage = &damages[i];
      guint generation = i + 1;
      g_autofree char *before = kept_fixture_put (fixture, "before");
      g_autofree char *path = kept_fixture_half_of (fixture, generation);
      g_autoptr (ReeveRecord) record
          = kept_fixture_record_of (fixture, REEVE_STORE_SUBJECTS, fixture->user);
      g_autofree char *share = NULL;
      g_autofree char *after = NULL;
      gsize length = 0;

      g_assert_true (g_file_get_contents (path, &share, &length, NULL));
      do_damage (fixture, damage, path);
      assert_damaged (fixture, damage, before, generation);
      /* put back */
      g_assert_true (g_file_set_contents (path, share, (gssize) length, NULL));
      kept_fixture_write_record (fixture, REEVE_STORE_SUBJECTS, fixture->user,
                                 reeve_record_get_fields (record));
      g_assert_cmpint (kept_fixture_state_of (fixture, before, NULL), ==, REEVE_KEPT_READABLE);
      g_assert_cmpuint (count_faults (fixture, damage, path), ==, 0);
      /* given up */
      do_damage (fixture, damage, path);
      assert_damaged (fixture, damage, before, generation);
      kept_fixture_erase (fixture);
      g_assert_cmpint (kept_fixture_state_of (fixture, before, NULL), ==, REEVE_KEPT_ERASED);
      after = kept_fixture_put (fixture, "after");
      g_assert_cmpint (kept_fixture_state_of (fixture, after, NULL), ==, REEVE_KEPT_READABLE);
      g_assert_cmpuint (count_faults (fixture, damage, path), ==, 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func)                                                                            \
  g_test_add (path, KeptFixture, NULL, kept_fixture_set_up, func, kept_fixture_tear_down)
  ADD ("/kept-damage/cut-off", test_values_cut_off);
  ADD ("/kept-damage/damaged", test_values_damaged);
#undef ADD
  return g_test_run ();
}
