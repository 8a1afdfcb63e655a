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

#define FROM_TITLE   0.9
#define FROM_HEADING 0.7
#define FROM_PARENT  0.8
#define FROM_BEFORE  0.45
#define FROM_AFTER   0.25
#define FROM_PASSAGE 0.2

#define LEAST_COVERAGE 0.55
#define LEAST_OWN      0.30

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

static void
extractive_rank_match_words (const Ranking *self, GArray *words, gdouble *row)
{
  for (guint t = 0; t < self->n_terms; t++)
    for (guint w = 0; w < words->len && row[t] < MATCH_EXACT; w++)
      row[t] = MAX (row[t], extractive_rank_match_word (self, extractive_rank_term (self, t),
                                                        &g_array_index (words, ExtractiveWord, w)));
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

  extractive_rank_match_words (self, words, row);
  for (guint a = 0; a < self->question->acronyms->len; a++)
    {
      const gchar *acronym = g_ptr_array_index (self->question->acronyms, a);
      gboolean named = FALSE;

      for (guint w = 0; w < words->len; w++)
        named = named || strcmp (g_array_index (words, ExtractiveWord, w).word, acronym) == 0;
      for (guint t = 0; named && t < self->n_terms; t++)
        {
          const ExtractiveTerm *term = extractive_rank_term (self, t);

          if (term->key && strchr (acronym, term->word[0]) != NULL && term->word[0] >= 'a')
            row[t] = MATCH_EXACT;
        }
      if (named)
        break;
    }
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

          extractive_rank_match_words (self, words, self->heading + h * self->n_terms);
        }
    }
  for (guint u = 0; u < self->units->len; u++)
    {
      const ExtractiveUnit *unit = extractive_rank_unit (self, u);
      gdouble *row = self->own + u * self->n_terms;
      gdouble *passage = self->passage + unit->hit * self->n_terms;

      extractive_rank_match_words (self, unit->words, row);
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
  best = MAX (best, extractive_rank_at (self, before, term) * FROM_BEFORE);
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

static gboolean
extractive_rank_has (const ExtractiveUnit *unit, gboolean (*check) (const gchar *word))
{
  for (guint i = 0; i < unit->words->len; i++)
    if (check (g_array_index (unit->words, ExtractiveWord, i).word))
      return TRUE;
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

/* How far terms of the question are what the unit defines ("X" means …, X is a …): their share of
 * the words before the sign. */
static gdouble
extractive_rank_defines (const Ranking *self, const ExtractiveUnit *unit)
{
  static const gchar *const signs[]
      = { "\" means",    "” means",      "\" shall mean", "\" refers to",
          "” refers to", "\" is ",       "” is ",         " is defined as ",
          " means ",     " refers to ",  " is a ",        " is an ",
          " bedeutet ",  " bezeichnet ", " ist ein",      NULL };
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
  return words > 0 && words <= 8 ? (gdouble) seen / words : 0;
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
      return extractive_rank_has (unit, extractive_lexicon_is_number);
    case EXTRACTIVE_ASKS_TIME:
      return extractive_rank_has (unit, extractive_lexicon_is_time);
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
    case EXTRACTIVE_ASKS_OPTION:
      return score->fits ? 0.2 : -0.1;
    case EXTRACTIVE_ASKS_QUANTITY:
    case EXTRACTIVE_ASKS_TIME:
      return score->fits ? 0.1 : -0.1;
    case EXTRACTIVE_ASKS_PERSON:
    case EXTRACTIVE_ASKS_PLACE:
    case EXTRACTIVE_ASKS_REASON:
    case EXTRACTIVE_ASKS_PROCEDURE:
    case EXTRACTIVE_ASKS_FACT:
    default:
      return score->fits ? 0.06 : 0;
    }
}

static gdouble
extractive_rank_length_penalty (const ExtractiveUnit *unit)
{
  guint n = unit->words->len;

  if (unit->kind == EXTRACTIVE_UNIT_HEADING)
    return 0.35;
  if (n < 4)
    return 0.12;
  return n > 60 ? MIN (0.1, (n - 60) * 0.001) : 0;
}

static void
extractive_rank_score (const Ranking *self, guint index, ExtractiveScore *score)
{
  const ExtractiveUnit *unit = extractive_rank_unit (self, index);
  gdouble own = 0;
  gdouble asked = 0;
  gdouble all = 0;

  for (guint t = 0; t < self->n_terms; t++)
    {
      gdouble mine = self->own[index * self->n_terms + t];

      all += self->weight[t] * MAX (mine, extractive_rank_context (self, index, t));
      /* what only names the document need not be said again in every sentence of it */
      if (self->title[unit->hit * self->n_terms + t] >= MATCH_PREFIX)
        continue;
      own += self->weight[t] * mine;
      asked += self->weight[t];
    }
  score->unit = unit;
  score->index = index;
  score->own = asked > 0 ? own / asked : 0;
  score->coverage = self->total > 0 ? all / self->total : 0;
  score->fits = extractive_rank_fits (self, unit);
  score->score = 0.5 * score->coverage + 0.4 * score->own;
  if (score->own > 0.1)
    score->score
        += 0.12 * extractive_rank_nearness (self, unit) + extractive_rank_fit_bonus (self, score);
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
  return question->terms->len > 0 && score->coverage >= LEAST_COVERAGE && score->own >= LEAST_OWN;
}
