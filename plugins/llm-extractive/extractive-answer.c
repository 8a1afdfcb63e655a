/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds the answer to a question out of passages: picks what answers, puts it in order, or
 * declines. */
#include "extractive-answer.h"

#include "extractive-fit.h"
#include "extractive-lexicon.h"
#include "extractive-match.h"
#include "extractive-rank.h"

#include <string.h>

#define MAX_PASSAGES 3   /* places that are quoted */
#define MAX_LIST     12  /* items of one list */
#define ALSO_WORTH   0.8 /* of the best score: what else is quoted */
#define MAX_UNDER    6   /* of what stands under a heading */
#define LEAST_NEW    6   /* bytes; a shorter quote says nothing */

static void
extractive_answer_quote (ExtractiveAnswer *self, const ExtractiveUnit *unit)
{
  for (guint i = 0; i < self->quotes->len; i++)
    if (strstr (g_ptr_array_index (self->quotes, i), unit->quote) != NULL)
      return;
  g_ptr_array_add (self->quotes, g_strdup (unit->quote));
  g_array_append_val (self->hits, unit->hit);
}

static gboolean
extractive_answer_is_quoted (const ExtractiveAnswer *self, const ExtractiveUnit *unit)
{
  for (guint i = 0; i < self->quotes->len; i++)
    {
      const gchar *quote = g_ptr_array_index (self->quotes, i);

      if (strstr (quote, unit->quote) != NULL || strstr (unit->quote, quote) != NULL)
        return TRUE;
    }
  return FALSE;
}

/* the items that a unit introduces, in order */
static void
extractive_answer_quote_list (ExtractiveAnswer *self, GPtrArray *units, gint intro)
{
  guint items = 0;

  for (guint i = (guint) intro + 1; i < units->len && items < MAX_LIST; i++)
    {
      const ExtractiveUnit *unit = g_ptr_array_index (units, i);

      if (unit->hit != ((ExtractiveUnit *) g_ptr_array_index (units, (guint) intro))->hit)
        break;
      if (unit->parent != intro)
        continue;
      extractive_answer_quote (self, unit);
      items++;
    }
}

/* what stands under a heading, for a question that only the heading speaks of */
static gboolean
extractive_answer_quote_under (ExtractiveAnswer *self, GPtrArray *units, guint heading)
{
  guint taken = 0;

  for (guint i = heading + 1; i < units->len && taken < MAX_UNDER; i++)
    {
      const ExtractiveUnit *unit = g_ptr_array_index (units, i);

      if (unit->heading != (gint) heading || unit->kind == EXTRACTIVE_UNIT_HEADING)
        break;
      if (unit->kind == EXTRACTIVE_UNIT_TABLE_HEAD)
        continue;
      extractive_answer_quote (self, unit);
      taken++;
    }
  return taken > 0;
}

/* steps that stand under one heading without a line that introduces them */
static void
extractive_answer_quote_steps (ExtractiveAnswer *self, GPtrArray *units, guint index)
{
  const ExtractiveUnit *unit = g_ptr_array_index (units, index);
  guint first = index;
  guint items = 0;

  while (first > 0)
    {
      const ExtractiveUnit *before = g_ptr_array_index (units, first - 1);

      if (before->kind != EXTRACTIVE_UNIT_ITEM || before->hit != unit->hit
          || before->heading != unit->heading)
        break;
      first--;
    }
  for (; first < units->len && items < MAX_LIST; first++, items++)
    {
      const ExtractiveUnit *step = g_ptr_array_index (units, first);

      if (step->kind != EXTRACTIVE_UNIT_ITEM || step->hit != unit->hit
          || step->heading != unit->heading)
        break;
      extractive_answer_quote (self, step);
    }
}

/* does the second unit speak of something in the question that the first leaves out */
static gboolean
extractive_answer_completes (const ExtractiveQuestion *question, const ExtractiveUnit *one,
                             const ExtractiveUnit *two)
{
  g_autofree gdouble *first = g_new0 (gdouble, question->terms->len + 1);
  g_autofree gdouble *second = g_new0 (gdouble, question->terms->len + 1);

  /* "It goes to the separator": what was asked for comes behind the sentence that names the thing
   */
  if (two->words->len > 0
      && extractive_lexicon_is_pronoun (g_array_index (two->words, ExtractiveWord, 0).word)
      && !extractive_fit_check (question, one) && extractive_fit_check (question, two))
    return TRUE;
  extractive_match_words (question, one->words, first);
  extractive_match_words (question, two->words, second);
  for (guint t = 0; t < question->terms->len; t++)
    if (first[t] < EXTRACTIVE_MATCH_ALIKE && second[t] >= EXTRACTIVE_MATCH_PREFIX)
      return TRUE;
  return FALSE;
}

/* the next sentence of the paragraph, when the question goes on in it */
static void
extractive_answer_quote_next (ExtractiveAnswer *self, const ExtractiveQuestion *question,
                              GPtrArray *units, guint index)
{
  const ExtractiveUnit *unit = g_ptr_array_index (units, index);
  const ExtractiveUnit *next = index + 1 < units->len ? g_ptr_array_index (units, index + 1) : NULL;

  if (next != NULL && unit->kind == EXTRACTIVE_UNIT_SENTENCE
      && next->kind == EXTRACTIVE_UNIT_SENTENCE && next->block == unit->block
      && next->hit == unit->hit && extractive_answer_completes (question, unit, next))
    extractive_answer_quote (self, next);
}

static void
extractive_answer_take (ExtractiveAnswer *self, const ExtractiveQuestion *question,
                        GPtrArray *units, const ExtractiveScore *score)
{
  const ExtractiveUnit *unit = score->unit;
  gsize n = strlen (unit->quote);

  if (question->asks == EXTRACTIVE_ASKS_PROCEDURE && unit->kind == EXTRACTIVE_UNIT_ITEM)
    {
      if (unit->parent >= 0)
        {
          extractive_answer_quote (self, g_ptr_array_index (units, (guint) unit->parent));
          extractive_answer_quote_list (self, units, unit->parent);
        }
      else
        extractive_answer_quote_steps (self, units, score->index);
      return;
    }
  if (unit->kind == EXTRACTIVE_UNIT_HEADING
      && extractive_answer_quote_under (self, units, score->index))
    return;
  extractive_answer_quote (self, unit);
  extractive_answer_quote_next (self, question, units, score->index);
  if (n > 0 && unit->quote[n - 1] == ':')
    extractive_answer_quote_list (self, units, (gint) score->index);
}

/**
 * extractive_answer_new:
 * @question: what is asked
 * @hits: (element-type ExtractiveHit): passages that were found, best first
 *
 * Picks from the passages what answers the question.
 *
 * Returns: (transfer full): the answer; found is %FALSE when the passages hold none
 */
ExtractiveAnswer *
extractive_answer_new (const ExtractiveQuestion *question, GPtrArray *hits)
{
  ExtractiveAnswer *self = g_new0 (ExtractiveAnswer, 1);
  g_autoptr (GPtrArray) units = extractive_units_split (hits, question->language);
  g_autoptr (GArray) scores = extractive_rank_units (question, hits, units);
  guint passages = 0;
  gdouble best;

  self->quotes = g_ptr_array_new_with_free_func (g_free);
  self->hits = g_array_new (FALSE, FALSE, sizeof (guint));
  if (scores->len == 0)
    return self;
  best = g_array_index (scores, ExtractiveScore, 0).score;
  self->coverage = g_array_index (scores, ExtractiveScore, 0).coverage;
  for (guint i = 0; i < scores->len && passages < MAX_PASSAGES; i++)
    {
      const ExtractiveScore *score = &g_array_index (scores, ExtractiveScore, i);

      if (score->score < best * ALSO_WORTH || score->score <= 0)
        break;
      if (!extractive_rank_answers (question, score) || strlen (score->unit->quote) < LEAST_NEW
          || extractive_answer_is_quoted (self, score->unit))
        continue;
      self->unsure = self->unsure || (passages == 0 && score->elsewhere);
      extractive_answer_take (self, question, units, score);
      passages++;
    }
  self->found = self->quotes->len > 0;
  return self;
}

/**
 * extractive_answer_free:
 * @self: (transfer full) (nullable): an answer
 */
void
extractive_answer_free (ExtractiveAnswer *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->quotes);
  g_array_unref (self->hits);
  g_free (self);
}

/**
 * extractive_answer_to_text:
 * @self: an answer that was found
 * @hits: (element-type ExtractiveHit): the passages it was made from
 *
 * Returns: (transfer full): the quotes, a line each, each followed by the number of its passage ("…
 * [2]") if it has one
 */
gchar *
extractive_answer_to_text (const ExtractiveAnswer *self, GPtrArray *hits)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < self->quotes->len; i++)
    {
      const ExtractiveHit *hit = g_ptr_array_index (hits, g_array_index (self->hits, guint, i));

      g_string_append_printf (text, "%s%s", i > 0 ? "\n" : "",
                              (const gchar *) g_ptr_array_index (self->quotes, i));
      if (hit->number > 0)
        g_string_append_printf (text, " [%u]", hit->number);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/**
 * extractive_answer_decline:
 * @language: of the question
 * @searched: whether documents were searched
 *
 * Returns: the sentence that says that nothing answers
 */
const gchar *
extractive_answer_decline (ExtractiveLanguage language, gboolean searched)
{
  if (language == EXTRACTIVE_LANGUAGE_GERMAN)
    return searched ? "Die durchsuchten Dokumente beantworten diese Frage nicht."
                    : "Ich kann nur aus Dokumenten zitieren, und hier liegt keines vor, das diese "
                      "Frage beantwortet.";
  return searched
             ? "The documents that were searched do not answer this question."
             : "I can only quote from documents, and none was given that answers this question.";
}
