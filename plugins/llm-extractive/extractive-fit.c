/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a unit holds the sort of thing that a question asks for. */
#include "extractive-fit.h"

#include "extractive-lexicon.h"
#include "extractive-match.h"
#include "extractive-words.h"

#include <string.h>

#define TERM(question, index)                                                                      \
  ((const ExtractiveTerm *) g_ptr_array_index ((question)->terms, (index)))

/* a number that the question itself gives is not the one it asks for */
static gboolean
extractive_fit_was_said (const ExtractiveQuestion *question, const ExtractiveWord *word)
{
  for (guint q = 0; q < question->words->len; q++)
    if (strcmp (g_array_index (question->words, ExtractiveWord, q).word, word->word) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
extractive_fit_has (const ExtractiveQuestion *question, const ExtractiveUnit *unit,
                    gboolean (*check) (const gchar *word))
{
  /* the number of a clause or step is none that anyone asks for */
  gsize marker = strspn (unit->quote, "0123456789.)");

  for (guint i = 0; i < unit->words->len; i++)
    {
      const ExtractiveWord *word = &g_array_index (unit->words, ExtractiveWord, i);

      if (word->start < marker && unit->quote[marker] == ' ' && marker >= 2)
        continue;
      if (check (word->word) && !(word->code && extractive_fit_was_said (question, word)))
        return TRUE;
    }
  return FALSE;
}

static gboolean
extractive_fit_contains (const ExtractiveUnit *unit, const gchar *const *phrases)
{
  for (; *phrases != NULL; phrases++)
    if (strcasestr (unit->quote, *phrases) != NULL)
      return TRUE;
  return FALSE;
}

/* … "is called X" */
static gdouble
extractive_fit_names (const ExtractiveQuestion *question, const ExtractiveUnit *unit)
{
  static const gchar *const signs[]
      = { " is called", " are called", " is known as", " heisst ", NULL };
  const gchar *sign = NULL;

  for (guint i = 0; signs[i] != NULL && sign == NULL; i++)
    sign = strcasestr (unit->quote, signs[i]);
  for (guint w = 0; sign != NULL && w < unit->words->len; w++)
    {
      const ExtractiveWord *word = &g_array_index (unit->words, ExtractiveWord, w);

      if (word->start < (guint) (sign - unit->quote) || extractive_lexicon_is_weak (word->word)
          || extractive_lexicon_is_stop (word->word, question->language))
        continue;
      for (guint t = 0; t < question->terms->len; t++)
        if (extractive_match_word (question, TERM (question, t), word) >= EXTRACTIVE_MATCH_PREFIX)
          return 1;
      return 0;
    }
  return 0;
}

/* How far terms of the question are what the unit defines ("X" means …, X is a …): their share of
 * the words before the sign. */
static gdouble
extractive_fit_defines (const ExtractiveQuestion *question, const ExtractiveUnit *unit)
{
  static const gchar *const signs[] = {
    "\" means", "” means",         "\" shall mean", "\" refers to", "” refers to",  "\" is ",
    "” is ",    " is defined as ", " shall mean ",  " means ",      " refers to ",  " is a ",
    " is an ",  " is one that",    " is any ",      " bedeutet ",   " bezeichnet ", " ist ein",
    NULL
  };
  guint seen = 0;
  guint words = 0;
  gsize before = G_MAXSIZE;

  for (guint i = 0; signs[i] != NULL; i++)
    {
      const gchar *sign = strcasestr (unit->quote, signs[i]);

      if (sign != NULL)
        before = MIN (before, (gsize) (sign - unit->quote));
    }
  for (guint w = 0; w < unit->words->len && before != G_MAXSIZE; w++)
    {
      const ExtractiveWord *word = &g_array_index (unit->words, ExtractiveWord, w);
      gboolean matched = FALSE;

      if (word->start >= before)
        break;
      if (extractive_lexicon_is_stop (word->word, question->language))
        continue;
      for (guint t = 0; t < question->terms->len; t++)
        matched = matched
                  || extractive_match_word (question, TERM (question, t), word)
                         >= EXTRACTIVE_MATCH_PREFIX;
      words++;
      seen += matched ? 1 : 0;
    }
  return MAX (words > 0 && words <= 8 ? (gdouble) seen / words : 0,
              extractive_fit_names (question, unit));
}

/**
 * extractive_fit_check:
 * @question: a question
 * @unit: what could be quoted
 *
 * Returns: whether the unit holds the sort of thing that is asked for: a number, a time, a person …
 */
gboolean
extractive_fit_check (const ExtractiveQuestion *question, const ExtractiveUnit *unit)
{
  static const gchar *const reasons[]
      = { "because",   "due to", "cause",     "so that", "in order to",
          "otherwise", "since ", "therefore", "reason",  "weil",
          "damit",     "sonst",  "denn ",     "grund",   NULL };
  static const gchar *const places[]
      = { " in ",    " at ",   " on ",  "http",   "beside", "near", "behind",
          "next to", "under ", "neben", "hinter", " im ",   " am ", NULL };
  static const gchar *const people[]
      = { "operator", "technician",  "manager",   "supervisor", "engineer",  "electrician",
          "owner",    "author",      "holder",    "licensor",   "licensee",  "foundation",
          "steward",  "contributor", "person",    "team",       "leader",    "you",
          "party",    "written by",  "developer", "leiter",     "fachkraft", "bediener",
          "meister",  "techniker",   NULL };

  switch (question->asks)
    {
    case EXTRACTIVE_ASKS_QUANTITY:
      return extractive_fit_has (question, unit, extractive_lexicon_is_number);
    case EXTRACTIVE_ASKS_TIME:
      return extractive_fit_has (question, unit, extractive_lexicon_is_time)
             || extractive_fit_has (question, unit, extractive_lexicon_is_year);
    case EXTRACTIVE_ASKS_PERSON:
      return extractive_fit_contains (unit, people);
    case EXTRACTIVE_ASKS_PLACE:
      return extractive_fit_contains (unit, places);
    case EXTRACTIVE_ASKS_REASON:
      return extractive_fit_contains (unit, reasons);
    case EXTRACTIVE_ASKS_PROCEDURE:
      return unit->kind == EXTRACTIVE_UNIT_ITEM || unit->kind == EXTRACTIVE_UNIT_OPTION;
    case EXTRACTIVE_ASKS_DEFINITION:
      return extractive_fit_defines (question, unit) > 0.4;
    case EXTRACTIVE_ASKS_OPTION:
      return unit->kind == EXTRACTIVE_UNIT_OPTION || strstr (unit->quote, "--") != NULL;
    case EXTRACTIVE_ASKS_FACT:
    default:
      return FALSE;
    }
}

/**
 * extractive_fit_bonus:
 * @question: a question
 * @unit: what could be quoted
 * @own: share of the question that the unit speaks of
 *
 * Returns: what that is worth in the score
 */
gdouble
extractive_fit_bonus (const ExtractiveQuestion *question, const ExtractiveUnit *unit, gdouble own)
{
  gboolean fits = extractive_fit_check (question, unit);

  switch (question->asks)
    {
    case EXTRACTIVE_ASKS_DEFINITION:
      return 0.3 * extractive_fit_defines (question, unit);
    case EXTRACTIVE_ASKS_PROCEDURE:
      return !fits ? 0 : own >= 0.6 && g_str_has_prefix (unit->quote, "1") ? 0.3 : 0.06;
    case EXTRACTIVE_ASKS_OPTION:
      return fits ? 0.2 : -0.1;
    case EXTRACTIVE_ASKS_QUANTITY:
    case EXTRACTIVE_ASKS_TIME:
      return fits ? 0.1 : -0.1;
    case EXTRACTIVE_ASKS_PERSON:
    case EXTRACTIVE_ASKS_PLACE:
    case EXTRACTIVE_ASKS_REASON:
    case EXTRACTIVE_ASKS_FACT:
    default:
      return fits ? 0.06 : 0;
    }
}

/**
 * extractive_fit_tag:
 * @question: a question
 * @unit: the entry of an option
 * @weight: (array): of each term of the question
 * @total: their sum
 *
 * Returns: share of the question that the names of the option speak of: "-v, --invert-match" before
 * what it does
 */
gdouble
extractive_fit_tag (const ExtractiveQuestion *question, const ExtractiveUnit *unit,
                    const gdouble *weight, gdouble total)
{
  gsize end = 0;
  gdouble share = 0;

  while (unit->quote[end] == '-' || g_ascii_isupper (unit->quote[end]))
    {
      end += strcspn (unit->quote + end, " ");
      end += strspn (unit->quote + end, " ");
    }
  for (guint t = 0; t < question->terms->len && total > 0; t++)
    {
      gdouble best = 0;

      for (guint w = 0; w < unit->words->len; w++)
        {
          const ExtractiveWord *word = &g_array_index (unit->words, ExtractiveWord, w);

          if (word->start >= end)
            break;
          best = MAX (best, extractive_match_word (question, TERM (question, t), word));
        }
      share += best * weight[t] / total;
    }
  return share;
}

/**
 * extractive_fit_penalty:
 * @unit: what could be quoted
 *
 * Returns: what its kind and length take from the score
 */
gdouble
extractive_fit_penalty (const ExtractiveUnit *unit)
{
  guint n = unit->words->len;

  if (unit->kind == EXTRACTIVE_UNIT_HEADING)
    return 0.35;
  if (unit->kind == EXTRACTIVE_UNIT_TABLE_HEAD)
    return 1;
  if (n < 4)
    return 0.12;
  return n > 60 ? MIN (0.1, (n - 60) * 0.001) : 0;
}
