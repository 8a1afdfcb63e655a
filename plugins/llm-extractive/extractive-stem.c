/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reduces words to stems, so that "distributes" finds "distribution".
 *
 * English: M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980. German: only the
 * endings of inflection are taken off, which is what J. Savoy found to do best for that language
 * ("Light stemming approaches for the French, Portuguese, German and Hungarian languages", 2006).
 */
#include "extractive-stem.h"

#include <string.h>

typedef struct
{
  const gchar *suffix;
  gsize length;
  const gchar *replacement;
} StemRule;

#define RULE(suffix, replacement)                                                                  \
  {                                                                                                \
    suffix, sizeof (suffix) - 1, replacement                                                       \
  }

static gboolean
extractive_stem_is_consonant (const gchar *word, gsize i)
{
  switch (word[i])
    {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u':
      return FALSE;
    case 'y':
      return i == 0 || !extractive_stem_is_consonant (word, i - 1);
    default:
      return TRUE;
    }
}

/* Porter's m: how many vowel-consonant sequences the first @length letters hold */
static guint
extractive_stem_measure (const gchar *word, gsize length)
{
  guint measure = 0;
  gboolean vowel_before = FALSE;

  for (gsize i = 0; i < length; i++)
    {
      gboolean consonant = extractive_stem_is_consonant (word, i);

      if (consonant && vowel_before)
        measure++;
      vowel_before = !consonant;
    }
  return measure;
}

static gboolean
extractive_stem_has_vowel (const gchar *word, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!extractive_stem_is_consonant (word, i))
      return TRUE;
  return FALSE;
}

/* ends consonant-vowel-consonant, the last not w, x or y */
static gboolean
extractive_stem_ends_cvc (const gchar *word, gsize length)
{
  return length >= 3 && extractive_stem_is_consonant (word, length - 1)
         && !extractive_stem_is_consonant (word, length - 2)
         && extractive_stem_is_consonant (word, length - 3)
         && strchr ("wxy", word[length - 1]) == NULL;
}

static gboolean
extractive_stem_ends_double (const gchar *word, gsize length)
{
  return length >= 2 && word[length - 1] == word[length - 2]
         && extractive_stem_is_consonant (word, length - 1);
}

/* applies the first rule whose suffix is there; its condition is a measure above @least */
static gboolean
extractive_stem_apply (GString *word, const StemRule *rules, guint least)
{
  for (; rules->suffix != NULL; rules++)
    {
      gsize n = rules->length;

      if (word->len < n || memcmp (word->str + word->len - n, rules->suffix, n) != 0)
        continue;
      if (extractive_stem_measure (word->str, word->len - n) <= least)
        return FALSE;
      g_string_truncate (word, word->len - n);
      g_string_append (word, rules->replacement);
      return TRUE;
    }
  return FALSE;
}

static void
extractive_stem_step_1_tail (GString *word)
{
  if (g_str_has_suffix (word->str, "at") || g_str_has_suffix (word->str, "bl")
      || g_str_has_suffix (word->str, "iz"))
    g_string_append_c (word, 'e');
  else if (extractive_stem_ends_double (word->str, word->len)
           && strchr ("lsz", word->str[word->len - 1]) == NULL)
    g_string_truncate (word, word->len - 1);
  else if (extractive_stem_measure (word->str, word->len) == 1
           && extractive_stem_ends_cvc (word->str, word->len))
    g_string_append_c (word, 'e');
}

static void
extractive_stem_step_1 (GString *word)
{
  if (g_str_has_suffix (word->str, "sses") || g_str_has_suffix (word->str, "ies"))
    g_string_truncate (word, word->len - 2);
  else if (g_str_has_suffix (word->str, "s") && !g_str_has_suffix (word->str, "ss"))
    g_string_truncate (word, word->len - 1);
  if (g_str_has_suffix (word->str, "eed"))
    {
      if (extractive_stem_measure (word->str, word->len - 3) > 0)
        g_string_truncate (word, word->len - 1);
    }
  else if (g_str_has_suffix (word->str, "ed")
           && extractive_stem_has_vowel (word->str, word->len - 2))
    {
      g_string_truncate (word, word->len - 2);
      extractive_stem_step_1_tail (word);
    }
  else if (g_str_has_suffix (word->str, "ing")
           && extractive_stem_has_vowel (word->str, word->len - 3))
    {
      g_string_truncate (word, word->len - 3);
      extractive_stem_step_1_tail (word);
    }
  if (g_str_has_suffix (word->str, "y") && extractive_stem_has_vowel (word->str, word->len - 1))
    word->str[word->len - 1] = 'i';
}

static void
extractive_stem_steps_2_to_4 (GString *word)
{
  static const StemRule second[]
      = { RULE ("ational", "ate"), RULE ("tional", "tion"), RULE ("enci", "ence"),
          RULE ("anci", "ance"),   RULE ("izer", "ize"),    RULE ("abli", "able"),
          RULE ("alli", "al"),     RULE ("entli", "ent"),   RULE ("eli", "e"),
          RULE ("ousli", "ous"),   RULE ("ization", "ize"), RULE ("ation", "ate"),
          RULE ("ator", "ate"),    RULE ("alism", "al"),    RULE ("iveness", "ive"),
          RULE ("fulness", "ful"), RULE ("ousness", "ous"), RULE ("aliti", "al"),
          RULE ("iviti", "ive"),   RULE ("biliti", "ble"),  { NULL, 0, NULL } };
  static const StemRule third[]
      = { RULE ("icate", "ic"), RULE ("ative", ""), RULE ("alize", "al"), RULE ("iciti", "ic"),
          RULE ("ical", "ic"),  RULE ("ful", ""),   RULE ("ness", ""),    { NULL, 0, NULL } };
  static const StemRule fourth[]
      = { RULE ("al", ""),    RULE ("ance", ""), RULE ("ence", ""), RULE ("er", ""),
          RULE ("ic", ""),    RULE ("able", ""), RULE ("ible", ""), RULE ("ant", ""),
          RULE ("ement", ""), RULE ("ment", ""), RULE ("ent", ""),  RULE ("sion", "s"),
          RULE ("tion", "t"), RULE ("ou", ""),   RULE ("ism", ""),  RULE ("ate", ""),
          RULE ("iti", ""),   RULE ("ous", ""),  RULE ("ive", ""),  RULE ("ize", ""),
          { NULL, 0, NULL } };

  extractive_stem_apply (word, second, 0);
  extractive_stem_apply (word, third, 0);
  extractive_stem_apply (word, fourth, 1);
}

static void
extractive_stem_step_5 (GString *word)
{
  if (g_str_has_suffix (word->str, "e"))
    {
      guint measure = extractive_stem_measure (word->str, word->len - 1);

      if (measure > 1 || (measure == 1 && !extractive_stem_ends_cvc (word->str, word->len - 1)))
        g_string_truncate (word, word->len - 1);
    }
  if (g_str_has_suffix (word->str, "ll") && extractive_stem_measure (word->str, word->len) > 1)
    g_string_truncate (word, word->len - 1);
}

/**
 * extractive_stem_respell:
 * @word: an English word in lower case
 *
 * Returns: (nullable): the American spelling of a word that is spelled the British way, else %NULL
 */
const gchar *
extractive_stem_respell (const gchar *word)
{
  static const gchar *const pairs[][2] = { { "licence", "license" },
                                           { "licences", "licenses" },
                                           { "licenced", "licensed" },
                                           { "colour", "color" },
                                           { "colours", "colors" },
                                           { "behaviour", "behavior" },
                                           { "tyre", "tire" },
                                           { "tyres", "tires" },
                                           { "metre", "meter" },
                                           { "metres", "meters" },
                                           { "litre", "liter" },
                                           { "litres", "liters" },
                                           { "centre", "center" },
                                           { "grey", "gray" },
                                           { "programme", "program" },
                                           { "organisation", "organization" },
                                           { "authorised", "authorized" },
                                           { "unauthorised", "unauthorized" },
                                           { "recognise", "recognize" },
                                           { "fibre", "fiber" },
                                           { "aluminium", "aluminum" },
                                           { "favour", "favor" },
                                           { "defence", "defense" },
                                           { "catalogue", "catalog" },
                                           { "labour", "labor" },
                                           { "analyse", "analyze" },
                                           { "mould", "mold" },
                                           { "customise", "customize" } };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    if (*word == *pairs[i][0] && strcmp (word, pairs[i][0]) == 0)
      return pairs[i][1];
  return NULL;
}

static gchar *
extractive_stem_english (const gchar *word)
{
  const gchar *american = extractive_stem_respell (word);
  g_autoptr (GString) stem = g_string_new (american != NULL ? american : word);

  if (stem->len <= 2)
    return g_string_free (g_steal_pointer (&stem), FALSE);
  for (gsize i = 0; i < stem->len; i++)
    if (!g_ascii_islower (stem->str[i]))
      return g_string_free (g_steal_pointer (&stem), FALSE);
  extractive_stem_step_1 (stem);
  extractive_stem_steps_2_to_4 (stem);
  extractive_stem_step_5 (stem);
  return g_string_free (g_steal_pointer (&stem), FALSE);
}

static gchar *
extractive_stem_german (const gchar *word)
{
  static const gchar *const endings[] = { "ern", "em", "en", "er", "es", "e", "s", "n", NULL };
  gsize length = strlen (word);

  if (length <= 4)
    return g_strdup (word);
  for (guint i = 0; endings[i] != NULL; i++)
    {
      gsize n = strlen (endings[i]);

      if (length >= n + 4 && g_str_has_suffix (word, endings[i]))
        return g_strndup (word, length - n);
    }
  return g_strdup (word);
}

/**
 * extractive_stem_word:
 * @word: a word in lower case without diacritics
 * @language: its language
 *
 * Returns: (transfer full): its stem; words that hold anything but letters a to z keep their form
 */
gchar *
extractive_stem_word (const gchar *word, ExtractiveLanguage language)
{
  return language == EXTRACTIVE_LANGUAGE_GERMAN ? extractive_stem_german (word)
                                                : extractive_stem_english (word);
}

static void
extractive_stem_add_variant (GPtrArray *variants, const gchar *word, const gchar *base,
                             gsize length, const gchar *ending)
{
  g_autofree gchar *variant = g_strdup_printf ("%.*s%s", (int) length, base, ending);

  if (strcmp (variant, word) != 0
      && !g_ptr_array_find_with_equal_func (variants, variant, g_str_equal, NULL))
    g_ptr_array_add (variants, g_steal_pointer (&variant));
}

/* bytes of the word without the ending of a verb; 0 when it has none */
static gsize
extractive_stem_verb_base (const gchar *word, gsize length)
{
  gsize base = 0;

  if (length > 5 && g_str_has_suffix (word, "ing"))
    base = length - 3;
  else if (length > 4 && g_str_has_suffix (word, "ed"))
    base = length - 2;
  return base > 0 && extractive_stem_has_vowel (word, base) ? base : 0;
}

static void
extractive_stem_add_verbs (GPtrArray *variants, const gchar *word, gsize base)
{
  /* "stopping" is "stop", "filling" is "fill" or never "fil" */
  if (extractive_stem_ends_double (word, base))
    extractive_stem_add_variant (variants, word, word, base - 1, "");
  extractive_stem_add_variant (variants, word, word, base, "");
  extractive_stem_add_variant (variants, word, word, base, "e");
  extractive_stem_add_variant (variants, word, word, base, "s");
  if (word[base] == 'e')
    extractive_stem_add_variant (variants, word, word, base, "ing");
  else
    extractive_stem_add_variant (variants, word, word, base, "ed");
}

/**
 * extractive_stem_variants:
 * @word: a word in lower case without diacritics
 * @language: its language
 *
 * Guesses other forms of a word, for a search that compares whole words: the number of a noun, the
 * base of a verb. Some guesses are no words; they find nothing.
 *
 * Returns: (transfer full) (element-type utf8): a few forms without the word itself; none for words
 * that are not of letters a to z, and none but the American spelling's in other languages than
 * English
 */
GPtrArray *
extractive_stem_variants (const gchar *word, ExtractiveLanguage language)
{
  GPtrArray *variants = g_ptr_array_new_with_free_func (g_free);
  const gchar *american = extractive_stem_respell (word);
  gsize length = strlen (word);
  gsize base;

  if (language != EXTRACTIVE_LANGUAGE_ENGLISH || length < 3
      || strspn (word, "abcdefghijklmnopqrstuvwxyz") != length)
    return variants;
  if (american != NULL)
    g_ptr_array_add (variants, g_strdup (american));
  base = extractive_stem_verb_base (word, length);
  if (base > 0)
    extractive_stem_add_verbs (variants, word, base);
  else if (g_str_has_suffix (word, "ies") && length > 4)
    extractive_stem_add_variant (variants, word, word, length - 3, "y");
  else if (g_str_has_suffix (word, "y") && length > 3
           && extractive_stem_is_consonant (word, length - 2))
    extractive_stem_add_variant (variants, word, word, length - 1, "ies");
  else if (g_str_has_suffix (word, "es") && length > 4)
    {
      extractive_stem_add_variant (variants, word, word, length - 1, "");
      extractive_stem_add_variant (variants, word, word, length - 2, "");
    }
  else if (g_str_has_suffix (word, "s") && !g_str_has_suffix (word, "ss"))
    extractive_stem_add_variant (variants, word, word, length - 1, "");
  else if (word[length - 1] != 's')
    extractive_stem_add_variant (variants, word, word, length, "s");
  return variants;
}
