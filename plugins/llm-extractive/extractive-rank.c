/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scores what can be quoted against a question.
 *
 * A unit is worth the share of the question's words that it speaks of, each word weighed by how
 * rare it is among all that was found (inverse document frequency). What it stands under (heading,
 * title, the line that introduces it) and its neighbours count, but less. To that come nearness and
 * order of the words, whether it holds the sort of thing asked for, and its length. The constants
 * were tuned on the first question set of tests/extractive and on nothing else. */
#include "extractive-rank.h"

#include "extractive-fit.h"
#include "extractive-lexicon.h"
#include "extractive-match.h"
#include "extractive-words.h"

#include <math.h>
#include <string.h>

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

static void
extractive_rank_match_all (Ranking *self)
{
  for (guint h = 0; h < self->hits->len; h++)
    {
      const ExtractiveHit *hit = g_ptr_array_index (self->hits, h);

      extractive_match_title (self->question, hit->title, self->title + h * self->n_terms);
      if (hit->heading != NULL)
        {
          g_autoptr (GArray) words
              = extractive_words_split (hit->heading, self->question->language);

          extractive_match_words (self->question, words, self->heading + h * self->n_terms);
        }
    }
  for (guint u = 0; u < self->units->len; u++)
    {
      const ExtractiveUnit *unit = extractive_rank_unit (self, u);
      gdouble *row = self->own + u * self->n_terms;
      gdouble *passage = self->passage + unit->hit * self->n_terms;

      extractive_match_words (self->question, unit->words, row);
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
        having += self->own[u * self->n_terms + t] >= EXTRACTIVE_MATCH_PREFIX ? 1 : 0;
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
        having += self->title[h * self->n_terms + t] >= EXTRACTIVE_MATCH_PREFIX ? 1 : 0;
      if (having == 0 || having == self->hits->len)
        continue;
      named += weight;
      for (guint h = 0; h < self->hits->len; h++)
        if (self->title[h * self->n_terms + t] >= EXTRACTIVE_MATCH_PREFIX)
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
  return unit->kind == EXTRACTIVE_UNIT_SENTENCE && unit->words->len > 1
         && extractive_lexicon_is_pronoun (g_array_index (unit->words, ExtractiveWord, 0).word);
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
      if (titled >= EXTRACTIVE_MATCH_PREFIX)
        continue;
      if (extractive_rank_term (self, t)->key)
        {
          /* a code or name that is no title is subject enough */
          if (self->own[index * self->n_terms + t] >= EXTRACTIVE_MATCH_PREFIX)
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
      if (self->title[unit->hit * self->n_terms + t] >= EXTRACTIVE_MATCH_PREFIX)
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
  score->fits = extractive_fit_check (self->question, unit);
  score->score = 0.5 * score->coverage * (score->focused ? 1 : 0.8) + 0.4 * score->own;
  if (score->own > 0.1)
    score->score
        += 0.12 * extractive_match_nearness (self->question, unit->words)
           + extractive_fit_bonus (self->question, unit, score->own)
           + MIN (0.04 * (MAX (extractive_match_run (self->question, unit->words), 1) - 1), 0.16);
  if (unit->kind == EXTRACTIVE_UNIT_OPTION)
    score->score += 0.15 * extractive_fit_tag (self->question, unit, self->weight, self->total);
  score->score += 0.06 * own / MAX (unit->words->len, 3);
  score->score -= extractive_fit_penalty (unit);
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
