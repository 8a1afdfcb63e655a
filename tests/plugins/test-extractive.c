/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of llm-extractive: stems, words, units, questions, sums. */
#include "extractive-lexicon.h"
#include "extractive-question.h"
#include "extractive-sums.h"
#include "extractive-units.h"
#include "extractive-words.h"

#include <string.h>

static void
test_stems (void)
{
  static const gchar *const pairs[][2] = { { "caresses", "caress" },
                                           { "ponies", "poni" },
                                           { "hopping", "hop" },
                                           { "filing", "file" },
                                           { "relational", "relat" },
                                           { "rational", "ration" },
                                           { "triplicate", "triplic" },
                                           { "adoption", "adopt" },
                                           { "probate", "probat" },
                                           { "controlling", "control" },
                                           { "happy", "happi" },
                                           { "licence", "licens" },
                                           { "is", "is" },
                                           { "e12", "e12" } };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree gchar *stem = extractive_stem_word (pairs[i][0], EXTRACTIVE_LANGUAGE_ENGLISH);

      g_assert_cmpstr (stem, ==, pairs[i][1]);
    }
}

static void
test_stems_german (void)
{
  static const gchar *const pairs[][2]
      = { { "filtern", "filt" }, { "drucke", "druck" }, { "pressen", "press" }, { "ol", "ol" } };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree gchar *stem = extractive_stem_word (pairs[i][0], EXTRACTIVE_LANGUAGE_GERMAN);

      g_assert_cmpstr (stem, ==, pairs[i][1]);
    }
}

static void
test_variants (void)
{
  static const gchar *const cases[][2] = { { "bolts", "bolt" },
                                           { "bolt", "bolts" },
                                           { "batteries", "battery" },
                                           { "battery", "batteries" },
                                           { "fuses", "fuse fus" },
                                           { "planning", "plan plann planne planns planned" },
                                           { "cleaned", "clean cleane cleans cleaning" },
                                           { "press", "" },
                                           { "e12", "" },
                                           { "on", "" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) variants
          = extractive_stem_variants (cases[i][0], EXTRACTIVE_LANGUAGE_ENGLISH);
      g_autofree gchar *joined = NULL;

      g_ptr_array_add (variants, NULL);
      joined = g_strjoinv (" ", (gchar **) variants->pdata);
      g_assert_cmpstr (joined, ==, cases[i][1]);
    }
}

static gchar *
words_of (const gchar *text)
{
  g_autoptr (GArray) words = extractive_words_split (text, EXTRACTIVE_LANGUAGE_ENGLISH);
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < words->len; i++)
    g_string_append_printf (out, "%s%s", i > 0 ? " " : "",
                            g_array_index (words, ExtractiveWord, i).word);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static void
test_words (void)
{
  static const gchar *const cases[][2] = {
    { "", "" },
    { "  --- ", "" },
    { "Top up Öl, 3.5 bar!", "top up ol 3.5 bar" },
    { "alarm E-12 on HP-200", "alarm e 12 e12 on hp 200 hp200" },
    { "sort -n, --numeric-sort", "sort -n numeric sort" },
    { "GPLv3 e-mail", "gpl 3 gpl3 e mail email" },
    { "1,000 hours.", "1,000 hours" },
    { "Straße", "strasse" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree gchar *words = words_of (cases[i][0]);

      g_assert_cmpstr (words, ==, cases[i][1]);
    }
}

static void
test_collapse (void)
{
  g_autofree gchar *text = extractive_words_collapse (" a\n\n b\tc\xc2\xa0 d  ", 13);

  g_assert_cmpstr (text, ==, "a b c d");
}

static GPtrArray *
units_of (GPtrArray *hits, const gchar *content)
{
  g_ptr_array_add (hits, extractive_units_hit_new ("title", content));
  return extractive_units_split (hits, EXTRACTIVE_LANGUAGE_ENGLISH);
}

static const ExtractiveUnit *
unit_at (GPtrArray *units, guint index)
{
  g_assert_cmpuint (index, <, units->len);
  return g_ptr_array_index (units, index);
}

static void
assert_unit (GPtrArray *units, guint index, ExtractiveUnitKind kind, const gchar *quote)
{
  g_assert_cmpstr (unit_at (units, index)->quote, ==, quote);
  g_assert_cmpint (unit_at (units, index)->kind, ==, kind);
}

static void
test_units_prose (void)
{
  g_autoptr (GPtrArray) hits
      = g_ptr_array_new_with_free_func ((GDestroyNotify) extractive_units_hit_free);
  g_autoptr (GPtrArray) units = units_of (
      hits, "# Press\n\nUse oil, e.g. HLP 46. It must\nbe warm! \"Really?\" Yes (always).\n\n"
            "2.1. Grants. You may use it.\n");

  g_assert_cmpuint (units->len, ==, 7);
  assert_unit (units, 0, EXTRACTIVE_UNIT_HEADING, "Press");
  assert_unit (units, 1, EXTRACTIVE_UNIT_SENTENCE, "Use oil, e.g. HLP 46.");
  assert_unit (units, 2, EXTRACTIVE_UNIT_SENTENCE, "It must be warm!");
  assert_unit (units, 3, EXTRACTIVE_UNIT_SENTENCE, "\"Really?\"");
  assert_unit (units, 4, EXTRACTIVE_UNIT_SENTENCE, "Yes (always).");
  assert_unit (units, 5, EXTRACTIVE_UNIT_HEADING, "2.1. Grants.");
  assert_unit (units, 6, EXTRACTIVE_UNIT_SENTENCE, "You may use it.");
  g_assert_cmpint (unit_at (units, 1)->heading, ==, 0);
  g_assert_cmpint (unit_at (units, 6)->heading, ==, 5);
}

static void
test_units_table (void)
{
  g_autoptr (GPtrArray) hits
      = g_ptr_array_new_with_free_func ((GDestroyNotify) extractive_units_hit_free);
  g_autoptr (GPtrArray) units = units_of (
      hits, "| Code | Meaning |\n|---|:--|\n| A-1 | Oil  low |\n| A-2 | Belt |\n\nText.\n");

  g_assert_cmpuint (units->len, ==, 4);
  assert_unit (units, 0, EXTRACTIVE_UNIT_TABLE_HEAD, "Code | Meaning");
  assert_unit (units, 1, EXTRACTIVE_UNIT_ROW, "A-1 | Oil low");
  g_assert_cmpint (unit_at (units, 1)->parent, ==, 0);
  g_assert_cmpint (unit_at (units, 3)->parent, ==, -1);
}

static void
test_units_lists (void)
{
  g_autoptr (GPtrArray) hits
      = g_ptr_array_new_with_free_func ((GDestroyNotify) extractive_units_hit_free);
  g_autoptr (GPtrArray) units
      = units_of (hits, "Do this:\n\n1. Stop the pump.\n2. Drain\n   the tank.\n- Wait.\na) Or "
                        "not.\n\n```\ncode here\n```\n");

  assert_unit (units, 0, EXTRACTIVE_UNIT_SENTENCE, "Do this:");
  assert_unit (units, 1, EXTRACTIVE_UNIT_ITEM, "1. Stop the pump.");
  assert_unit (units, 2, EXTRACTIVE_UNIT_ITEM, "2. Drain the tank.");
  assert_unit (units, 3, EXTRACTIVE_UNIT_ITEM, "Wait.");
  assert_unit (units, 4, EXTRACTIVE_UNIT_ITEM, "a) Or not.");
  g_assert_cmpint (unit_at (units, 2)->parent, ==, 0);
  assert_unit (units, 5, EXTRACTIVE_UNIT_ROW, "code here");
}

static void
test_units_manual_page (void)
{
  g_autoptr (GPtrArray) hits
      = g_ptr_array_new_with_free_func ((GDestroyNotify) extractive_units_hit_free);
  g_autoptr (GPtrArray) units = units_of (
      hits, "OPTIONS\n       -n, --number\n              number all lines; the\n"
            "              --number option wins\n\n       -b NUM\n              skip\n");

  g_assert_cmpuint (units->len, ==, 3);
  assert_unit (units, 0, EXTRACTIVE_UNIT_HEADING, "OPTIONS");
  assert_unit (units, 1, EXTRACTIVE_UNIT_OPTION,
               "-n, --number number all lines; the --number option wins");
  assert_unit (units, 2, EXTRACTIVE_UNIT_OPTION, "-b NUM skip");
}

static void
assert_asks (const gchar *text, ExtractiveAsks asks, const gchar *plan)
{
  g_autoptr (ExtractiveQuestion) question = extractive_question_new (text, NULL);
  g_autofree gchar *planned = extractive_question_plan (question, FALSE);

  g_assert_cmpint (question->asks, ==, asks);
  g_assert_cmpstr (planned, ==, plan);
}

static void
test_questions (void)
{
  assert_asks ("What torque do the clamping bolts need?", EXTRACTIVE_ASKS_QUANTITY,
               "torque clamping bolts");
  assert_asks ("How often is the filter replaced?", EXTRACTIVE_ASKS_TIME, "often filter replaced");
  assert_asks ("Who may reset the pull cord?", EXTRACTIVE_ASKS_PERSON, "reset pull cord");
  assert_asks ("Where does the condensate flow to?", EXTRACTIVE_ASKS_PLACE, "condensate flow");
  assert_asks ("Why is cotton waste forbidden?", EXTRACTIVE_ASKS_REASON, "cotton waste forbidden");
  assert_asks ("How do I bleed the pump?", EXTRACTIVE_ASKS_PROCEDURE, "bleed pump");
  assert_asks ("What is an idler?", EXTRACTIVE_ASKS_DEFINITION, "idler means");
  assert_asks ("Which option of ls sorts by size?", EXTRACTIVE_ASKS_OPTION, "ls sorts size");
  assert_asks ("The pump is loud", EXTRACTIVE_ASKS_FACT, "pump loud");
  assert_asks ("", EXTRACTIVE_ASKS_FACT, "");
}

static void
test_question_languages (void)
{
  g_autoptr (ExtractiveQuestion) german
      = extractive_question_new ("Wie oft wird der Filter gewechselt?", NULL);
  g_autoptr (ExtractiveQuestion) english
      = extractive_question_new ("When did the die crack?", NULL);
  g_autofree gchar *plan = extractive_question_plan (german, FALSE);

  g_assert_cmpint (german->language, ==, EXTRACTIVE_LANGUAGE_GERMAN);
  g_assert_cmpint (german->asks, ==, EXTRACTIVE_ASKS_TIME);
  g_assert_nonnull (strstr (plan, "filter"));
  g_assert_null (strstr (plan, "der"));
  g_assert_cmpint (english->language, ==, EXTRACTIVE_LANGUAGE_ENGLISH);
}

static void
test_question_again (void)
{
  g_autoptr (ExtractiveQuestion) question
      = extractive_question_new ("How do I delete the protocol of pump P-7?", NULL);
  g_autofree gchar *first = extractive_question_plan (question, FALSE);
  g_autofree gchar *again = extractive_question_plan (question, TRUE);

  g_assert_null (strstr (first, "remov"));
  g_assert_nonnull (strstr (again, "remov"));
  g_assert_nonnull (strstr (again, "p7"));
}

static void
test_question_acronym (void)
{
  g_autoptr (ExtractiveQuestion) question
      = extractive_question_new ("What does the Plant Safety Manual say about ladders?", NULL);

  g_assert_true (g_ptr_array_find_with_equal_func (question->acronyms, "psm", g_str_equal, NULL));
}

static void
test_sums (void)
{
  static const gchar *const cases[][2] = {
    { "What is 12 * (3 + 4)?", "12*(3+4)" },
    { "How much is 15 % of 240?", "15/100*240" },
    { "Calculate 1,200 divided by 7.5 please.", "1200/7.5" },
    { "What's two plus two?", NULL },
    { "Was ist 3 mal 4 minus 5?", "3*4-5" },
    { "3 × 4", "3*4" },
    { "What is 15 % of the relief pressure?", NULL },
    { "What is 12?", NULL },
    { "What is 3 4 + 5?", NULL },
    { "2 + ", NULL },
    { "(2 + 3", NULL },
    { "2024-05-01 to 2024-06-01", NULL },
    { "", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree gchar *sum = extractive_sums_find (cases[i][0]);

      g_assert_cmpstr (sum, ==, cases[i][1]);
    }
}

/* every word that means alike is in the form that words are compared in */
static void
test_lexicon (void)
{
  const gchar *const *group;
  guint groups = 0;

  for (; (group = extractive_lexicon_get_alike (groups)) != NULL; groups++)
    for (; *group != NULL; group++)
      {
        g_autofree gchar *folded = words_of (*group);

        g_assert_cmpstr (folded, ==, *group);
      }
  g_assert_cmpuint (groups, >, 40);
  g_assert_true (extractive_lexicon_is_stop ("the", EXTRACTIVE_LANGUAGE_ENGLISH));
  g_assert_false (extractive_lexicon_is_stop ("die", EXTRACTIVE_LANGUAGE_ENGLISH));
  g_assert_true (extractive_lexicon_is_stop ("die", EXTRACTIVE_LANGUAGE_GERMAN));
  g_assert_true (extractive_lexicon_is_number ("three"));
  g_assert_true (extractive_lexicon_is_number ("3.5"));
  g_assert_true (extractive_lexicon_is_year ("1991"));
  g_assert_false (extractive_lexicon_is_year ("4500"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plugins/extractive/stems", test_stems);
  g_test_add_func ("/plugins/extractive/stems-german", test_stems_german);
  g_test_add_func ("/plugins/extractive/variants", test_variants);
  g_test_add_func ("/plugins/extractive/words", test_words);
  g_test_add_func ("/plugins/extractive/collapse", test_collapse);
  g_test_add_func ("/plugins/extractive/units-prose", test_units_prose);
  g_test_add_func ("/plugins/extractive/units-table", test_units_table);
  g_test_add_func ("/plugins/extractive/units-lists", test_units_lists);
  g_test_add_func ("/plugins/extractive/units-manual-page", test_units_manual_page);
  g_test_add_func ("/plugins/extractive/questions", test_questions);
  g_test_add_func ("/plugins/extractive/question-languages", test_question_languages);
  g_test_add_func ("/plugins/extractive/question-again", test_question_again);
  g_test_add_func ("/plugins/extractive/question-acronym", test_question_acronym);
  g_test_add_func ("/plugins/extractive/sums", test_sums);
  g_test_add_func ("/plugins/extractive/lexicon", test_lexicon);
  return g_test_run ();
}
