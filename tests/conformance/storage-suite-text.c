/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The storage suite: full-text search. */
#include "storage-suite-private.h"

#include <string.h>

static void
add_text (Suite *suite, const char *group, const char *key, const char *title, const char *text)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (JsonObject) data = suite_object ("{\"page\":3}");

  reeve_batch_text_put (batch, "notes", group, key, title, text, data);
  reeve_batch_result_unref (suite_commit (suite, batch));
}

static void
check_search (Suite *suite, const char *query, const char *const *groups, guint limit,
              const char *want)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) hits = reeve_storage_search_text (suite->storage, SUITE_SCOPE, "notes",
                                                          query, groups, limit, NULL, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < hits->len; i++)
    {
      const ReeveTextHit *hit = g_ptr_array_index (hits, i);

      g_string_append_printf (text, "%s%s/%s", i == 0 ? "" : " ", hit->group, hit->key);
      if (i > 0)
        g_assert_cmpfloat (hit->score, <=,
                           ((const ReeveTextHit *) g_ptr_array_index (hits, i - 1))->score);
    }
  g_test_message ("search for %s", query);
  g_assert_cmpstr (text->str, ==, want);
}

static void
fill_notes (Suite *suite)
{
  add_text (suite, "manual", "1", "Pump maintenance",
            "Check the seal every month. A worn seal leaks oil.");
  add_text (
      suite, "manual", "2", NULL,
      "The conveyor belt is driven by a motor that needs no oil at all but regular cleaning.");
  add_text (suite, "safety", "1", "Fire", "Oil burns. Keep the extinguisher near the pump.");
  add_text (suite, "safety", "2", "Übung", "Die Maschine wird im Störfall sofort abgeschaltet.");
}

static void
test_ranking (Suite *suite)
{
  fill_notes (suite);
  /* rarer words count for more, short texts too, a title most */
  check_search (suite, "seal", NULL, 10, "manual/1");
  check_search (suite, "pump", NULL, 10, "manual/1 safety/1");
  check_search (suite, "PUMP seal", NULL, 10, "manual/1 safety/1");
  check_search (suite, "extinguisher oil", NULL, 1, "safety/1");
  check_search (suite, "nothing of that", NULL, 10, "manual/2");
  check_search (suite, "zebra", NULL, 10, "");
  check_search (suite, "seal seal SEAL seal", NULL, 10, "manual/1");
  check_search (suite, "", NULL, 10, "");
}

static void
test_folding (Suite *suite)
{
  fill_notes (suite);
  check_search (suite, "störfall", NULL, 10, "safety/2");
  check_search (suite, "STORFALL", NULL, 10, "safety/2");
  check_search (suite, "ubung", NULL, 10, "safety/2");
}

static void
test_groups (Suite *suite)
{
  static const char *const safety[] = { "safety", "unknown", NULL };
  static const char *const both[] = { "manual", "safety", NULL };
  static const char *const none[] = { NULL };

  fill_notes (suite);
  check_search (suite, "pump", safety, 10, "safety/1");
  check_search (suite, "pump", both, 10, "manual/1 safety/1");
  check_search (suite, "pump", none, 10, "");
}

/* what is searched and what it scored, to the last digit */
static char *
describe_search (Suite *suite, const char *query, const char *const *groups)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) hits = reeve_storage_search_text (suite->storage, SUITE_SCOPE, "notes",
                                                          query, groups, 10, NULL, &error);
  GString *text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < hits->len; i++)
    {
      const ReeveTextHit *hit = g_ptr_array_index (hits, i);

      g_string_append_printf (text, "%s/%s %.17g\n", hit->group, hit->key, hit->score);
    }
  return g_string_free (text, FALSE);
}

/* who searches some groups learns nothing of the others: neither scores, order nor words that are
 * passed over */
static void
test_groups_alone (Suite *suite)
{
  static const char *const seen[] = { "manual", "safety", NULL };
  static const char *const queries[]
      = { "oil", "seal oil", "pump maintenance", "the oil near the pump", "motor fire" };
  g_autoptr (GPtrArray) before = g_ptr_array_new_with_free_func (g_free);
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);

  fill_notes (suite);
  for (guint i = 0; i < G_N_ELEMENTS (queries); i++)
    g_ptr_array_add (before, describe_search (suite, queries[i], seen));
  g_assert_cmpstr (g_ptr_array_index (before, 0), !=, "");
  for (guint i = 0; i < 2100; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      reeve_batch_text_put (batch, "notes", "hidden", key, "Pump", "oil and seal near the fire",
                            NULL);
    }
  reeve_batch_result_unref (suite_commit (suite, batch));
  for (guint i = 0; i < G_N_ELEMENTS (queries); i++)
    {
      g_autofree char *after = describe_search (suite, queries[i], seen);

      g_assert_cmpstr (after, ==, g_ptr_array_index (before, i));
    }
}

/* a query is words, never a language */
static void
test_hostile (Suite *suite)
{
  static const char *const queries[] = {
    "seal\"",        "\"seal",
    "seal*",         "title:seal",
    "seal NOT oil",  "^seal",
    "NEAR(seal, 2)", "seal AND zebra",
    "(seal",         "seal)",
    "-seal",         "seal + +",
    "{title}: seal", "seal''; DROP TABLE meta; --",
  };

  fill_notes (suite);
  for (guint i = 0; i < G_N_ELEMENTS (queries); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) hits = reeve_storage_search_text (suite->storage, SUITE_SCOPE, "notes",
                                                              queries[i], NULL, 10, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (hits->len, >=, 1);
      g_assert_cmpstr (((const ReeveTextHit *) g_ptr_array_index (hits, 0))->key, ==, "1");
    }
  check_search (suite, "\"\" () ^ * : - ,;", NULL, 10, "");
}

static void
test_hit (Suite *suite)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) hits = NULL;
  const ReeveTextHit *hit = NULL;

  fill_notes (suite);
  hits = reeve_storage_search_text (suite->storage, SUITE_SCOPE, "notes", "conveyor", NULL, 5, NULL,
                                    &error);
  g_assert_no_error (error);
  g_assert_cmpuint (hits->len, ==, 1);
  hit = g_ptr_array_index (hits, 0);
  g_assert_true (g_str_has_prefix (hit->text, "The conveyor belt"));
  g_assert_cmpint (reeve_json_get_int (hit->data, "page", 0), ==, 3);
  g_assert_cmpfloat (hit->score, >, 0);
}

static void
test_replace_and_delete (Suite *suite)
{
  ReeveBatch *batch = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;

  fill_notes (suite);
  add_text (suite, "manual", "1", "Pump", "Entirely rewritten: grease only.");
  check_search (suite, "seal", NULL, 10, "");
  check_search (suite, "grease", NULL, 10, "manual/1");

  /* a new version of a document: what was there goes, in the same batch */
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_text_delete (batch, "notes", "manual");
  reeve_batch_text_put (batch, "notes", "manual", "1", NULL, "Version two.", NULL);
  reeve_batch_text_delete (batch, "notes", "unknown");
  result = suite_commit (suite, batch);
  g_assert_cmpint (reeve_batch_result_get_value (result, 0), ==, 2);
  g_assert_cmpint (reeve_batch_result_get_value (result, 2), ==, 0);
  check_search (suite, "grease conveyor", NULL, 10, "");
  check_search (suite, "version", NULL, 10, "manual/1");
  check_search (suite, "pump", NULL, 10, "safety/1");
}

static void
test_bad (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (GError) index = NULL;
  g_autoptr (GError) scope = NULL;
  g_autoptr (GError) limit = NULL;

  g_assert_null (
      reeve_storage_search_text (suite->storage, SUITE_SCOPE, "none", "x", NULL, 5, NULL, &index));
  g_assert_error (index, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_assert_null (
      reeve_storage_search_text (suite->storage, "elsewhere", "notes", "x", NULL, 5, NULL, &scope));
  g_assert_error (scope, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_assert_null (
      reeve_storage_search_text (suite->storage, SUITE_SCOPE, "notes", "x", NULL, 0, NULL, &limit));
  g_assert_error (limit, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  reeve_batch_text_put (batch, "none", "g", "k", NULL, "x", NULL);
  suite_refuse (suite, batch, REEVE_ERROR_INVALID_ARGUMENT);
}

#define BIG_TEXTS 2400

/* in a big index a word that stands everywhere must not hide or outweigh a rare one, nor be lost
 * when it is alone */
static void
test_common_words (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (GPtrArray) hits = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < BIG_TEXTS; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);
      g_autofree char *text = g_strdup_printf ("the machine number %u is %s", i,
                                               i == 77      ? "broken"
                                               : i % 3 == 0 ? "idle"
                                                            : "running");

      reeve_batch_text_put (batch, "notes", "log", key, NULL, text, NULL);
    }
  reeve_batch_result_unref (suite_commit (suite, batch));
  check_search (suite, "is the machine broken", NULL, 1, "log/77");
  check_search (suite, "the 1234", NULL, 1, "log/1234");
  hits = reeve_storage_search_text (suite->storage, SUITE_SCOPE, "notes", "the machine is idle",
                                    NULL, 20, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (hits->len, ==, 20);
  for (guint i = 0; i < hits->len; i++)
    g_assert_nonnull (strstr (((const ReeveTextHit *) g_ptr_array_index (hits, i))->text, "idle"));
}

const SuiteCase suite_text[] = {
  { "text/ranking", test_ranking, FALSE },
  { "text/folding", test_folding, FALSE },
  { "text/groups", test_groups, FALSE },
  { "text/groups-alone", test_groups_alone, FALSE },
  { "text/hostile", test_hostile, FALSE },
  { "text/hit", test_hit, FALSE },
  { "text/replace-and-delete", test_replace_and_delete, FALSE },
  { "text/bad", test_bad, FALSE },
  { "text/common-words", test_common_words, FALSE },
  { NULL, NULL, FALSE },
};
