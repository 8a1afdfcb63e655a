/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scores what can be quoted against a question.
 *
 * A unit is worth the share of the question's words that it speaks of, each word weighed by how
 * rare it is among all that was found (inverse document frequency). What it stands under (heading,
 * title, the line that introduces it) and its neighbours count, but less. To that come nearness and
 * order of the words, whether it holds the sort of thing asked for, and its length. The constants
 * were tuned on the first question set of tests/extractive and on nothing else. */
#include "extractive-rank.h"

#include "extractive-lexicon.h"
#include "extractive-words.h"

#include <math.h>
#include <string.h>

#define MATCH_EXACT    1.0
#define MATCH_PREFIX   0.85
#define MATCH_ALIKE    0.7
#define MATCH_COMPOUND 0.6
#define MATCH_NUMBER   0.4

#define FROM_TITLE   0.9
#define FROM_HEADING 0.7
#define FROM_PARENT  0.8
#define FROM_BEFORE  0.45
#define FROM_AFTER   0.25
#define FROM_PRONOUN 0.8
#define FROM_STEPS   0.95
#define FROM_PASSAGE 0.2

#define LEAST_WORTH   0.39
#define LEAST_SUBJECT 0.25
#define LEAST_FOCUS   0.4
#define WITHOUT_FOCUS 0.7
#define LEAST_OWN     0.25

typedef struct
{
  const ExtractiveQuestion *question;
  GPtrArray *hits;
  GPtrArray *units;
  guint n_terms;
  gdouble *own;     /* [unit][term]: how well the unit itself has the term */
  gdouble *title;   /* [hit][term] */
  gdouble *passage; /* [hit][term]: the best of its units */
  gdouble *heading; /* [hit][term]: the headings that came with the hit */
  gdouble *weight;  /* [term]: weight times rarity */
  gdouble total;
  gdouble *affinity; /* [hit]: does the question name this document */
} Ranking;

static const ExtractiveTerm *
extractive_rank_term (const Ranking *self, guint index)
{
  return g_ptr_array_index (self->question->terms, index);
}

static const ExtractiveUnit *
extractive_rank_unit (const Ranking *self, guint index)
{
  return g_ptr_array_index (self->units, index);
}

/* "install" and "installation", which the stemmer leaves apart */
static gboolean
extractive_rank_share_prefix (const gchar *one, const gchar *two)
{
  gsize n = 0;
  gsize longer = MAX (strlen (one), strlen (two));

  while (one[n] != '\0' && one[n] == two[n])
    n++;
  return n >= 5 && n * 10 >= longer * 7;
}

/* German: "ol" is no part that counts, "filter" in "hydraulikfilter" is */
static gboolean
extractive_rank_is_compound (const ExtractiveTerm *term, const gchar *word)
{
  gsize n = strlen (term->stem);
  gsize whole = strlen (word);

  return n >= 5 && whole >= n + 3 && strstr (word, term->stem) != NULL;
}

static gdouble
extractive_rank_match_word (const Ranking *self, const ExtractiveTerm *term,
                            const ExtractiveWord *word)
{
  if (strcmp (term->stem, word->stem) == 0)
    return MATCH_EXACT;
  if (term->key && strpbrk (term->stem, "0123456789-") != NULL)
    return 0;
  if (extractive_rank_share_prefix (term->stem, word->stem))
    return MATCH_PREFIX;
  for (guint i = 0; i < term->alike->len; i++)
    if (strcmp (g_ptr_array_index (term->alike, i), word->stem) == 0)
      return MATCH_ALIKE;
  if (self->question->language == EXTRACTIVE_LANGUAGE_GERMAN
      && extractive_rank_is_compound (term, word->word))
    return MATCH_COMPOUND;
  return 0;
}

/* is the word before @index in one text that before @other in the other, or the word behind */
static gboolean
extractive_rank_same_neighbour (GArray *one, guint index, GArray *two, guint other)
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
extractive_rank_match_number (const Ranking *self, GArray *words, guint index)
{
  GArray *asked = self->question->words;
  const ExtractiveWord *word = &g_array_index (words, ExtractiveWord, index);

  for (guint q = 0; q < asked->len; q++)
    if (strcmp (g_array_index (asked, ExtractiveWord, q).stem, word->stem) == 0
        && extractive_rank_same_neighbour (asked, q, words, index))
      return MATCH_EXACT;
  return MATCH_NUMBER;
}

static void
extractive_rank_match_words (const Ranking *self, GArray *words, gdouble *row, gboolean title)
{
  for (guint t = 0; t < self->n_terms; t++)
    for (guint w = 0; w < words->len && row[t] < MATCH_EXACT; w++)
      {
        const ExtractiveTerm *term = extractive_rank_term (self, t);
        gdouble match
            = extractive_rank_match_word (self, term, &g_array_index (words, ExtractiveWord, w));

        if (match == MATCH_EXACT && !title
            && strspn (term->stem, "0123456789.,") == strlen (term->stem))
          match = extractive_rank_match_number (self, words, w);
        row[t] = MAX (row[t], match);
      }
}

/* "hp" and "200" of "hp200" */
static gboolean
extractive_rank_is_part (const Ranking *self, guint part, guint whole)
{
  const ExtractiveTerm *one = extractive_rank_term (self, part);
  const ExtractiveTerm *two = extractive_rank_term (self, whole);

  return part != whole && one->weight < two->weight && strpbrk (two->word, "0123456789") != NULL
         && strstr (two->word, one->word) != NULL;
}

/* A title has a term by its own words, or by the acronym of a name in the question: then it has all
 * the words of that name. */
static void
extractive_rank_match_title (Ranking *self, guint hit)
{
  const ExtractiveHit *found = g_ptr_array_index (self->hits, hit);
  gdouble *row = self->title + hit * self->n_terms;
  g_autoptr (GArray) words
      = extractive_words_split (found->title != NULL ? found->title : "", self->question->language);

  extractive_rank_match_words (self, words, row, TRUE);
  for (guint a = 0; a < self->question->acronyms->len; a++)
    {
      const gchar *acronym = g_ptr_array_index (self->question->acronyms, a);
      gboolean named = FALSE;

      for (guint w = 0; w < words->len; w++)
        {
          const gchar *word = g_array_index (words, ExtractiveWord, w).word;

          /* the organisation's own letter may stand before it */
          named = named
                  || (g_str_has_suffix (word, acronym) && strlen (word) <= strlen (acronym) + 1);
        }
      for (guint t = 0; named && t < self->n_terms; t++)
        {
          const ExtractiveTerm *term = extractive_rank_term (self, t);

          if (term->key && strchr (acronym, term->word[0]) != NULL && term->word[0] >= 'a')
            row[t] = MATCH_EXACT;
        }
      if (named)
        break;
    }
  for (guint t = 0; t < self->n_terms; t++)
    for (guint whole = 0; whole < self->n_terms; whole++)
      if (row[whole] == MATCH_EXACT && extractive_rank_is_part (self, t, whole))
        row[t] = MATCH_EXACT;
}

static void
extractive_rank_match_all (Ranking *self)
{
  for (guint h = 0; h < self->hits->len; h++)
    {
      const ExtractiveHit *hit = g_ptr_array_index (self->hits, h);

      extractive_rank_match_title (self, h);
      if (hit->heading != NULL)
        {
          g_autoptr (GArray) words
              = extractive_words_split (hit->heading, self->question->language);

          extractive_rank_match_words (self, words, self->heading + h * self->n_terms, FALSE);
        }
    }
  for (guint u = 0; u < self->units->len; u++)
    {
      const ExtractiveUnit *unit = extractive_rank_unit (self, u);
      gdouble *row = self->own + u * self->n_terms;
      gdouble *passage = self->passage + unit->hit * self->n_terms;

      extractive_rank_match_words (self, unit->words, row, FALSE);
      for (guint t = 0; t < self->n_terms; t++)
        passage[t] = MAX (passage[t], row[t]);
    }
}

/* rarity of each term among all units, and with it what a full match would be worth */
static void
extractive_rank_weigh (Ranking *self)
{
  for (guint t = 0; t < self->n_terms; t++)
    {
      guint having = 0;
      gdouble n = self->units->len;

      for (guint u = 0; u < self->units->len; u++)
        having += self->own[u * self->n_terms + t] >= MATCH_PREFIX ? 1 : 0;
      self->weight[t] = extractive_rank_term (self, t)->weight
                        * log (1 + (n - having + 0.5) / (having + 0.5)) / log (1 + (n + 0.5) / 0.5);
      self->weight[t] = MAX (self->weight[t], 0.1 * extractive_rank_term (self, t)->weight);
      self->total += self->weight[t];
    }
}

/* Terms in the titles of some hits but not of all name the document that is meant. */
static void
extractive_rank_find_affinity (Ranking *self)
{
  gdouble named = 0;

  for (guint h = 0; h < self->hits->len; h++)
    self->affinity[h] = 0;
  for (guint t = 0; t < self->n_terms; t++)
    {
      guint having = 0;
      gdouble weight = extractive_rank_term (self, t)->weight;

      for (guint h = 0; h < self->hits->len; h++)
        having += self->title[h * self->n_terms + t] >= MATCH_PREFIX ? 1 : 0;
      if (having == 0 || having == self->hits->len)
        continue;
      named += weight;
      for (guint h = 0; h < self->hits->len; h++)
        if (self->title[h * self->n_terms + t] >= MATCH_PREFIX)
          self->affinity[h] += weight;
    }
  for (guint h = 0; h < self->hits->len; h++)
    self->affinity[h] = named > 0 ? self->affinity[h] / named : 1;
}

static gdouble
extractive_rank_at (const Ranking *self, gint unit, guint term)
{
  return unit >= 0 ? self->own[(guint) unit * self->n_terms + term] : 0;
}

/* a sentence whose first word stands for something in the sentence before */
static gboolean
extractive_rank_leans (const ExtractiveUnit *unit)
{
  static const gchar *const words[] = { "it", "they", "this", "these", "such",  "he", "she",
                                        "er", "sie",  "es",   "dies",  "diese", NULL };

  return unit->kind == EXTRACTIVE_UNIT_SENTENCE && unit->words->len > 1
         && g_strv_contains (words, g_array_index (unit->words, ExtractiveWord, 0).word);
}

/* Who asks how to do something wants the steps under the heading that says so: the first of them
 * speaks for all. */
static gdouble
extractive_rank_own (const Ranking *self, guint index, guint term)
{
  const ExtractiveUnit *unit = extractive_rank_unit (self, index);
  gdouble own = self->own[index * self->n_terms + term];

  if (self->question->asks != EXTRACTIVE_ASKS_PROCEDURE || unit->kind != EXTRACTIVE_UNIT_ITEM
      || !g_str_has_prefix (unit->quote, "1"))
    return own;
  own = MAX (own, extractive_rank_at (self, unit->heading, term) * FROM_STEPS);
  return MAX (own, extractive_rank_at (self, unit->parent, term) * FROM_STEPS);
}

/* how well a unit together with its surroundings has a term */
static gdouble
extractive_rank_context (const Ranking *self, guint index, guint term)
{
  const ExtractiveUnit *unit = extractive_rank_unit (self, index);
  gdouble best = self->title[unit->hit * self->n_terms + term] * FROM_TITLE;
  gint before = index > 0 && extractive_rank_unit (self, index - 1)->hit == unit->hit
                    ? (gint) index - 1
                    : -1;
  gint after
      = index + 1 < self->units->len && extractive_rank_unit (self, index + 1)->hit == unit->hit
            ? (gint) index + 1
            : -1;

  best = MAX (best, extractive_rank_at (self, unit->heading, term) * FROM_HEADING);
  best = MAX (best, self->heading[unit->hit * self->n_terms + term] * FROM_HEADING);
  best = MAX (best, extractive_rank_at (self, unit->parent, term) * FROM_PARENT);
  best = MAX (best, extractive_rank_at (self, before, term)
                        * (extractive_rank_leans (unit) ? FROM_PRONOUN : FROM_BEFORE));
  best = MAX (best, extractive_rank_at (self, after, term) * FROM_AFTER);
  return MAX (best, self->passage[unit->hit * self->n_terms + term] * FROM_PASSAGE);
}

/* share of neighbouring pairs of the question's terms that stand near each other in the unit */
static gdouble
extractive_rank_nearness (const Ranking *self, const ExtractiveUnit *unit)
{
  gdouble sum = 0;
  guint pairs = 0;

  for (guint t = 0; t + 1 < self->n_terms; t++)
    {
      gdouble best = 0;

      pairs++;
      for (guint a = 0; a < unit->words->len; a++)
        {
          const ExtractiveWord *one = &g_array_index (unit->words, ExtractiveWord, a);

          if (extractive_rank_match_word (self, extractive_rank_term (self, t), one) < MATCH_ALIKE)
            continue;
          for (guint b = a > 6 ? a - 6 : 0; b < MIN (a + 7, unit->words->len); b++)
            {
              const ExtractiveWord *two = &g_array_index (unit->words, ExtractiveWord, b);

              if (a != b
                  && extractive_rank_match_word (self, extractive_rank_term (self, t + 1), two)
                         >= MATCH_ALIKE)
                best = MAX (best, b == a + 1 ? 1.0 : 0.6);
            }
        }
      sum += best;
    }
  return pairs > 0 ? sum / pairs : 0;
}

/* words of the longest run that question and unit share word for word, small words included */
static guint
extractive_rank_shared_run (const Ranking *self, const ExtractiveUnit *unit)
{
  GArray *asked = self->question->words;
  guint best = 0;

  for (guint q = 0; q < asked->len; q++)
    for (guint w = 0; w < unit->words->len; w++)
      {
        guint n = 0;
        guint meaning = 0;

        while (q + n < asked->len && w + n < unit->words->len
               && strcmp (g_array_index (asked, ExtractiveWord, q + n).stem,
                          g_array_index (unit->words, ExtractiveWord, w + n).stem)
                      == 0)
          {
            if (!extractive_lexicon_is_stop (g_array_index (asked, ExtractiveWord, q + n).word,
                                             self->question->language))
              meaning++;
            n++;
          }
        if (meaning > 0)
          best = MAX (best, n);
      }
  return best;
}

/* a number that the question itself gives is not the one it asks for */
static gboolean
extractive_rank_was_said (const Ranking *self, const ExtractiveWord *word)
{
  for (guint q = 0; q < self->question->words->len; q++)
    if (strcmp (g_array_index (self->question->words, ExtractiveWord, q).word, word->word) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
extractive_rank_has (const Ranking *self, const ExtractiveUnit *unit,
                     gboolean (*check) (const gchar *word))
{
  /* the number of a clause or step is none that anyone asks for */
  gsize marker = strspn (unit->quote, "0123456789.)");

  for (guint i = 0; i < unit->words->len; i++)
    {
      const ExtractiveWord *word = &g_array_index (unit->words, ExtractiveWord, i);

      if (word->start < marker && unit->quote[marker] == ' ' && marker >= 2)
        continue;
      if (check (word->word) && !(word->code && extractive_rank_was_said (self, word)))
        return TRUE;
    }
  return FALSE;
}

static gboolean
extractive_rank_contains (const ExtractiveUnit *unit, const gchar *const *phrases)
{
  for (; *phrases != NULL; phrases++)
    if (strcasestr (unit->quote, *phrases) != NULL)
      return TRUE;
  return FALSE;
}

/* … "is called X" */
static gdouble
extractive_rank_names (const Ranking *self, const ExtractiveUnit *unit)
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
          || extractive_lexicon_is_stop (word->word, self->question->language))
        continue;
      for (guint t = 0; t < self->n_terms; t++)
        if (extractive_rank_match_word (self, extractive_rank_term (self, t), word) >= MATCH_PREFIX)
          return 1;
      return 0;
    }
  return 0;
}

/* How far terms of the question are what the unit defines ("X" means …, X is a …): their share of
 * the words before the sign. */
static gdouble
extractive_rank_defines (const Ranking *self, const ExtractiveUnit *unit)
{
  static const gchar *const signs[] = {
    "\" means",     "” means",         "\" shall mean", "\" refers to", "” refers to", "\" is ",
    "” is ",        " is defined as ", " means ",       " refers to ",  " is a ",      " is an ",
    " is one that", " is any ",        " bedeutet ",    " bezeichnet ", " ist ein",    NULL
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
      if (extractive_lexicon_is_stop (word->word, self->question->language))
        continue;
      for (guint t = 0; t < self->n_terms; t++)
        matched = matched
                  || extractive_rank_match_word (self, extractive_rank_term (self, t), word)
                         >= MATCH_PREFIX;
      words++;
      seen += matched ? 1 : 0;
    }
  return MAX (words > 0 && words <= 8 ? (gdouble) seen / words : 0,
              extractive_rank_names (self, unit));
}

/* does the unit hold the sort of thing that is asked for */
static gboolean
extractive_rank_fits (const Ranking *self, const ExtractiveUnit *unit)
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

  switch (self->question->asks)
    {
    case EXTRACTIVE_ASKS_QUANTITY:
      return extractive_rank_has (self, unit, extractive_lexicon_is_number);
    case EXTRACTIVE_ASKS_TIME:
      return extractive_rank_has (self, unit, extractive_lexicon_is_time)
             || extractive_rank_has (self, unit, extractive_lexicon_is_year);
    case EXTRACTIVE_ASKS_PERSON:
      return extractive_rank_contains (unit, people);
    case EXTRACTIVE_ASKS_PLACE:
      return extractive_rank_contains (unit, places);
    case EXTRACTIVE_ASKS_REASON:
      return extractive_rank_contains (unit, reasons);
    case EXTRACTIVE_ASKS_PROCEDURE:
      return unit->kind == EXTRACTIVE_UNIT_ITEM || unit->kind == EXTRACTIVE_UNIT_OPTION;
    case EXTRACTIVE_ASKS_DEFINITION:
      return extractive_rank_defines (self, unit) > 0.4;
    case EXTRACTIVE_ASKS_OPTION:
      return unit->kind == EXTRACTIVE_UNIT_OPTION || strstr (unit->quote, "--") != NULL;
    case EXTRACTIVE_ASKS_FACT:
    default:
      return FALSE;
    }
}

static gdouble
extractive_rank_fit_bonus (const Ranking *self, const ExtractiveScore *score)
{
  switch (self->question->asks)
    {
    case EXTRACTIVE_ASKS_DEFINITION:
      return 0.3 * extractive_rank_defines (self, score->unit);
    case EXTRACTIVE_ASKS_PROCEDURE:
      return !score->fits                                                      ? 0
             : score->own >= 0.6 && g_str_has_prefix (score->unit->quote, "1") ? 0.3
                                                                               : 0.06;
    case EXTRACTIVE_ASKS_OPTION:
      return score->fits ? 0.2 : -0.1;
    case EXTRACTIVE_ASKS_QUANTITY:
    case EXTRACTIVE_ASKS_TIME:
      return score->fits ? 0.1 : -0.1;
    case EXTRACTIVE_ASKS_PERSON:
    case EXTRACTIVE_ASKS_PLACE:
    case EXTRACTIVE_ASKS_REASON:
    case EXTRACTIVE_ASKS_FACT:
    default:
      return score->fits ? 0.06 : 0;
    }
}

/* share of the question that the names of an option speak of: "-v, --invert-match" before what it
 * does */
static gdouble
extractive_rank_tag (const Ranking *self, const ExtractiveUnit *unit)
{
  gsize end = 0;
  gdouble share = 0;

  while (unit->quote[end] == '-' || g_ascii_isupper (unit->quote[end]))
    {
      end += strcspn (unit->quote + end, " ");
      end += strspn (unit->quote + end, " ");
    }
  for (guint t = 0; t < self->n_terms && self->total > 0; t++)
    {
      gdouble best = 0;

      for (guint w = 0; w < unit->words->len; w++)
        {
          const ExtractiveWord *word = &g_array_index (unit->words, ExtractiveWord, w);

          if (word->start >= end)
            break;
          best
              = MAX (best, extractive_rank_match_word (self, extractive_rank_term (self, t), word));
        }
      share += best * self->weight[t] / self->total;
    }
  return share;
}

/* does the unit, with what it stands under, speak of what is asked for */
static gboolean
extractive_rank_has_focus (const Ranking *self, guint index)
{
  gdouble heaviest = 0;
  gdouble match = 1;

  for (guint t = 0; t < self->n_terms; t++)
    {
      if (!extractive_rank_term (self, t)->focus || self->weight[t] <= heaviest)
        continue;
      heaviest = self->weight[t];
      match = MAX (self->own[index * self->n_terms + t], extractive_rank_context (self, index, t));
    }
  return match >= LEAST_FOCUS;
}

static gdouble
extractive_rank_length_penalty (const ExtractiveUnit *unit)
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

/* share of the question's words, names and titles left out, that the unit or what it stands under
 * has */
static gdouble
extractive_rank_subject (const Ranking *self, guint index)
{
  gdouble all = 0;
  gdouble has = 0;

  for (guint t = 0; t < self->n_terms; t++)
    {
      gdouble titled = 0;

      for (guint h = 0; h < self->hits->len; h++)
        titled = MAX (titled, self->title[h * self->n_terms + t]);
      if (titled >= MATCH_PREFIX)
        continue;
      if (extractive_rank_term (self, t)->key)
        {
          /* a code or name that is no title is subject enough */
          if (self->own[index * self->n_terms + t] >= MATCH_PREFIX)
            return 1;
          continue;
        }
      all += self->weight[t];
      has += self->weight[t]
             * MAX (extractive_rank_own (self, index, t), extractive_rank_context (self, index, t));
    }
  return all > 0 ? has / all : 1;
}

static void
extractive_rank_score (const Ranking *self, guint index, ExtractiveScore *score)
{
  const ExtractiveUnit *unit = extractive_rank_unit (self, index);
  gdouble own = 0;
  gdouble asked = 0;
  gdouble topic = 0;
  gdouble all = 0;

  for (guint t = 0; t < self->n_terms; t++)
    {
      gdouble mine = extractive_rank_own (self, index, t);

      all += self->weight[t] * MAX (mine, extractive_rank_context (self, index, t));
      /* what only names the document need not be said again in every sentence of it */
      if (self->title[unit->hit * self->n_terms + t] >= MATCH_PREFIX)
        continue;
      own += self->weight[t] * mine;
      topic += self->weight[t] * MAX (mine, extractive_rank_context (self, index, t));
      asked += self->weight[t];
    }
  score->unit = unit;
  score->index = index;
  score->coverage = self->total > 0 ? all / self->total : 0;
  score->own = asked > 0 ? own / asked : score->coverage;
  score->topic = asked > 0 ? topic / asked : score->coverage;
  score->focused = extractive_rank_has_focus (self, index);
  score->subject = extractive_rank_subject (self, index);
  score->elsewhere = self->affinity[unit->hit] < 0.25;
  score->fits = extractive_rank_fits (self, unit);
  score->score = 0.5 * score->coverage * (score->focused ? 1 : 0.8) + 0.4 * score->own;
  if (score->own > 0.1)
    score->score += 0.12 * extractive_rank_nearness (self, unit)
                    + extractive_rank_fit_bonus (self, score)
                    + MIN (0.04 * (MAX (extractive_rank_shared_run (self, unit), 1) - 1), 0.16);
  if (unit->kind == EXTRACTIVE_UNIT_OPTION)
    score->score += 0.15 * extractive_rank_tag (self, unit);
  score->score += 0.06 * own / MAX (unit->words->len, 3);
  score->score -= extractive_rank_length_penalty (unit);
  score->score *= 0.55 + 0.45 * self->affinity[unit->hit];
  /* the search engine's own order settles what is left open */
  score->score -= 0.004 * unit->hit;
}

static gint
extractive_rank_compare (gconstpointer a, gconstpointer b)
{
  const ExtractiveScore *one = a;
  const ExtractiveScore *two = b;

  if (one->score != two->score)
    return one->score < two->score ? 1 : -1;
  return one->index < two->index ? -1 : one->index > two->index;
}

/**
 * extractive_rank_units:
 * @question: what is asked
 * @hits: (element-type ExtractiveHit): the passages, best first
 * @units: (element-type ExtractiveUnit): what they were cut into; must outlive the result
 *
 * Returns: (transfer full) (element-type ExtractiveScore): all units, best first
 */
GArray *
extractive_rank_units (const ExtractiveQuestion *question, GPtrArray *hits, GPtrArray *units)
{
  GArray *scores = g_array_sized_new (FALSE, TRUE, sizeof (ExtractiveScore), units->len);
  guint n = question->terms->len;
  g_autofree gdouble *own = g_new0 (gdouble, (gsize) units->len * n + 1);
  g_autofree gdouble *title = g_new0 (gdouble, (gsize) hits->len * n + 1);
  g_autofree gdouble *passage = g_new0 (gdouble, (gsize) hits->len * n + 1);
  g_autofree gdouble *heading = g_new0 (gdouble, (gsize) hits->len * n + 1);
  g_autofree gdouble *weight = g_new0 (gdouble, n + 1);
  g_autofree gdouble *affinity = g_new0 (gdouble, hits->len + 1);
  Ranking self = { .question = question,
                   .hits = hits,
                   .units = units,
                   .n_terms = n,
                   .own = own,
                   .title = title,
                   .passage = passage,
                   .heading = heading,
                   .weight = weight,
                   .affinity = affinity };

  extractive_rank_match_all (&self);
  extractive_rank_weigh (&self);
  extractive_rank_find_affinity (&self);
  for (guint u = 0; u < units->len; u++)
    {
      ExtractiveScore score = { 0 };

      extractive_rank_score (&self, u, &score);
      g_array_append_val (scores, score);
    }
  g_array_sort (scores, extractive_rank_compare);
  return scores;
}

/**
 * extractive_rank_answers:
 * @question: what is asked
 * @score: of a unit
 *
 * Returns: whether the unit speaks of enough of the question to be taken for an answer
 */
gboolean
extractive_rank_answers (const ExtractiveQuestion *question, const ExtractiveScore *score)
{
  gboolean measured
      = question->asks == EXTRACTIVE_ASKS_QUANTITY || question->asks == EXTRACTIVE_ASKS_TIME;

  gdouble worth = 0.7 * score->topic + 0.3 * score->score;

  if (!score->focused)
    worth *= WITHOUT_FOCUS;
  if (question->terms->len == 0 || score->own < LEAST_OWN || score->subject < LEAST_SUBJECT)
    return FALSE;
  /* who asks for a number or a time is not served without one */
  return worth >= (measured && !score->fits ? LEAST_WORTH + 0.25 : LEAST_WORTH);
}
