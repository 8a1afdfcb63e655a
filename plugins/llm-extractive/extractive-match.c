/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well words of a text match words of a question. */
#include "extractive-match.h"

#include "extractive-lexicon.h"

#include <string.h>

#define TERM(question, index)                                                                      \
  ((const ExtractiveTerm *) g_ptr_array_index ((question)->terms, (index)))
#define MAX_RUN_QUESTION 96 /* words of a question in which runs are looked for */

/* "install" and "installation", which the stemmer leaves apart */
static gboolean
extractive_match_share_prefix (const gchar *one, const gchar *two)
{
  gsize n = 0;
  gsize longer = MAX (strlen (one), strlen (two));

  while (one[n] != '\0' && one[n] == two[n])
    n++;
  return n >= 5 && n * 10 >= longer * 7;
}

/* German: "ol" is no part that counts, "filter" in "hydraulikfilter" is */
static gboolean
extractive_match_is_compound (const ExtractiveTerm *term, const gchar *word)
{
  gsize n = strlen (term->stem);
  gsize whole = strlen (word);

  return n >= 5 && whole >= n + 3 && strstr (word, term->stem) != NULL;
}

/**
 * extractive_match_word:
 * @question: a question
 * @term: one of its terms
 * @word: a word of a text
 *
 * Returns: from 0 to 1, how far the word says what the term says
 */
gdouble
extractive_match_word (const ExtractiveQuestion *question, const ExtractiveTerm *term,
                       const ExtractiveWord *word)
{
  if (strcmp (term->stem, word->stem) == 0)
    return EXTRACTIVE_MATCH_EXACT;
  if (term->key && strpbrk (term->stem, "0123456789-") != NULL)
    return 0;
  if (extractive_match_share_prefix (term->stem, word->stem))
    return EXTRACTIVE_MATCH_PREFIX;
  for (guint i = 0; i < term->alike->len; i++)
    if (strcmp (g_ptr_array_index (term->alike, i), word->stem) == 0)
      return EXTRACTIVE_MATCH_ALIKE;
  if (question->language == EXTRACTIVE_LANGUAGE_GERMAN
      && extractive_match_is_compound (term, word->word))
    return EXTRACTIVE_MATCH_COMPOUND;
  return 0;
}

/* is the word before @index in one text that before @other in the other, or the word behind */
static gboolean
extractive_match_same_neighbour (GArray *one, guint index, GArray *two, guint other)
{
  if (index > 0 && other > 0
      && strcmp (g_array_index (one, ExtractiveWord, index - 1).stem,
                 g_array_index (two, ExtractiveWord, other - 1).stem)
             == 0)
    return TRUE;
  return index + 1 < one->len && other + 1 < two->len
         && strcmp (g_array_index (one, ExtractiveWord, index + 1).stem,
                    g_array_index (two, ExtractiveWord, other + 1).stem)
                == 0;
}

/* The 4 of "version 4" is not the 4 of "section 4": a bare number counts less beside other words.
 */
static gdouble
extractive_match_number (const ExtractiveQuestion *question, GArray *words, guint index)
{
  GArray *asked = question->words;
  const ExtractiveWord *word = &g_array_index (words, ExtractiveWord, index);

  for (guint q = 0; q < asked->len; q++)
    if (strcmp (g_array_index (asked, ExtractiveWord, q).stem, word->stem) == 0
        && extractive_match_same_neighbour (asked, q, words, index))
      return EXTRACTIVE_MATCH_EXACT;
  return EXTRACTIVE_MATCH_NUMBER;
}

static void
extractive_match_row (const ExtractiveQuestion *question, GArray *words, gdouble *row,
                      gboolean title)
{
  for (guint t = 0; t < question->terms->len; t++)
    for (guint w = 0; w < words->len && row[t] < EXTRACTIVE_MATCH_EXACT; w++)
      {
        const ExtractiveTerm *term = TERM (question, t);
        gdouble match
            = extractive_match_word (question, term, &g_array_index (words, ExtractiveWord, w));

        if (match == EXTRACTIVE_MATCH_EXACT && !title
            && strspn (term->stem, "0123456789.,") == strlen (term->stem))
          match = extractive_match_number (question, words, w);
        row[t] = MAX (row[t], match);
      }
}

/**
 * extractive_match_words:
 * @question: a question
 * @words: (element-type ExtractiveWord): of a text
 * @row: (inout): for each term of the question, the best match so far
 *
 * Raises @row to what the text has of each term.
 */
void
extractive_match_words (const ExtractiveQuestion *question, GArray *words, gdouble *row)
{
  extractive_match_row (question, words, row, FALSE);
}

/* "hp" and "200" of "hp200" */
static gboolean
extractive_match_is_part (const ExtractiveQuestion *question, guint part, guint whole)
{
  const ExtractiveTerm *one = TERM (question, part);
  const ExtractiveTerm *two = TERM (question, whole);

  return part != whole && one->weight < two->weight && strpbrk (two->word, "0123456789") != NULL
         && strstr (two->word, one->word) != NULL;
}

/* is one of the words the acronym, or the acronym behind one letter more: the organisation's own */
static gboolean
extractive_match_has_acronym (GArray *words, const gchar *acronym)
{
  for (guint w = 0; w < words->len; w++)
    {
      const gchar *word = g_array_index (words, ExtractiveWord, w).word;

      if (g_str_has_suffix (word, acronym) && strlen (word) <= strlen (acronym) + 1)
        return TRUE;
    }
  return FALSE;
}

/**
 * extractive_match_title:
 * @question: a question
 * @title: (nullable): of a document
 * @row: (inout): for each term of the question, the best match so far
 *
 * Raises @row to what the title has of each term: by its own words, or by the acronym of a name in
 * the question, and then all the words of that name; with a code come its parts.
 */
void
extractive_match_title (const ExtractiveQuestion *question, const gchar *title, gdouble *row)
{
  g_autoptr (GArray) words
      = extractive_words_split (title != NULL ? title : "", question->language);
  const gchar *named = NULL;

  extractive_match_row (question, words, row, TRUE);
  for (guint a = 0; a < question->acronyms->len && named == NULL; a++)
    if (extractive_match_has_acronym (words, g_ptr_array_index (question->acronyms, a)))
      named = g_ptr_array_index (question->acronyms, a);
  for (guint t = 0; named != NULL && t < question->terms->len; t++)
    {
      const ExtractiveTerm *term = TERM (question, t);

      if (term->key && term->word[0] >= 'a' && strchr (named, term->word[0]) != NULL)
        row[t] = EXTRACTIVE_MATCH_EXACT;
    }
  for (guint t = 0; t < question->terms->len; t++)
    for (guint whole = 0; whole < question->terms->len; whole++)
      if (row[whole] == EXTRACTIVE_MATCH_EXACT && extractive_match_is_part (question, t, whole))
        row[t] = EXTRACTIVE_MATCH_EXACT;
}

/**
 * extractive_match_nearness:
 * @question: a question
 * @words: (element-type ExtractiveWord): of a text
 *
 * Returns: from 0 to 1, the share of neighbouring pairs of the question's terms that stand near
 * each other in the text
 */
gdouble
extractive_match_nearness (const ExtractiveQuestion *question, GArray *words)
{
  gdouble sum = 0;
  guint pairs = 0;

  for (guint t = 0; t + 1 < question->terms->len; t++)
    {
      gdouble best = 0;

      pairs++;
      for (guint a = 0; a < words->len; a++)
        {
          const ExtractiveWord *one = &g_array_index (words, ExtractiveWord, a);

          if (extractive_match_word (question, TERM (question, t), one) < EXTRACTIVE_MATCH_ALIKE)
            continue;
          for (guint b = a > 6 ? a - 6 : 0; b < MIN (a + 7, words->len); b++)
            {
              const ExtractiveWord *two = &g_array_index (words, ExtractiveWord, b);

              if (a != b
                  && extractive_match_word (question, TERM (question, t + 1), two)
                         >= EXTRACTIVE_MATCH_ALIKE)
                best = MAX (best, b == a + 1 ? 1.0 : 0.6);
            }
        }
      sum += best;
    }
  return pairs > 0 ? sum / pairs : 0;
}

/**
 * extractive_match_run:
 * @question: a question
 * @words: (element-type ExtractiveWord): of a text
 *
 * Returns: words of the longest run that both share word for word, small words included, if one of
 * them means something
 */
guint
extractive_match_run (const ExtractiveQuestion *question, GArray *words)
{
  GArray *asked = question->words;
  guint best = 0;

  for (guint q = 0; q < MIN (asked->len, MAX_RUN_QUESTION); q++)
    for (guint w = 0; w < words->len; w++)
      {
        guint n = 0;
        guint meaning = 0;

        while (q + n < asked->len && w + n < words->len
               && strcmp (g_array_index (asked, ExtractiveWord, q + n).stem,
                          g_array_index (words, ExtractiveWord, w + n).stem)
                      == 0)
          {
            if (!extractive_lexicon_is_stop (g_array_index (asked, ExtractiveWord, q + n).word,
                                             question->language))
              meaning++;
            n++;
          }
        if (meaning > 0)
          best = MAX (best, n);
      }
  return best;
}
