/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a question asks for: the sort of answer, the words it turns on, and the search that may find
 * it. */
#include "extractive-question.h"

#include "extractive-lexicon.h"
#include "extractive-words.h"

#include <string.h>

#define MAX_TERMS 32

#define WEIGHT_WORD    1.0
#define WEIGHT_KEY     1.25
#define WEIGHT_WEAK    0.35
#define WEIGHT_CONTEXT 0.4

/* how questions begin; the first row that fits decides. '*' stands for any one word. */
typedef struct
{
  const gchar *pattern;
  ExtractiveAsks asks;
} AsksRule;

static const AsksRule asks_rules[] = {
  { "how many", EXTRACTIVE_ASKS_QUANTITY },
  { "how much", EXTRACTIVE_ASKS_QUANTITY },
  { "how often", EXTRACTIVE_ASKS_TIME },
  { "how long", EXTRACTIVE_ASKS_QUANTITY },
  { "how soon", EXTRACTIVE_ASKS_TIME },
  { "how big", EXTRACTIVE_ASKS_QUANTITY },
  { "how large", EXTRACTIVE_ASKS_QUANTITY },
  { "how high", EXTRACTIVE_ASKS_QUANTITY },
  { "how hot", EXTRACTIVE_ASKS_QUANTITY },
  { "how far", EXTRACTIVE_ASKS_QUANTITY },
  { "how fast", EXTRACTIVE_ASKS_QUANTITY },
  { "how deep", EXTRACTIVE_ASKS_QUANTITY },
  { "how thick", EXTRACTIVE_ASKS_QUANTITY },
  { "how heavy", EXTRACTIVE_ASKS_QUANTITY },
  { "how old", EXTRACTIVE_ASKS_QUANTITY },
  { "what pressure", EXTRACTIVE_ASKS_QUANTITY },
  { "what temperature", EXTRACTIVE_ASKS_QUANTITY },
  { "what torque", EXTRACTIVE_ASKS_QUANTITY },
  { "what percentage", EXTRACTIVE_ASKS_QUANTITY },
  { "what speed", EXTRACTIVE_ASKS_QUANTITY },
  { "what concentration", EXTRACTIVE_ASKS_QUANTITY },
  { "what interval", EXTRACTIVE_ASKS_TIME },
  { "when", EXTRACTIVE_ASKS_TIME },
  { "where", EXTRACTIVE_ASKS_PLACE },
  { "why", EXTRACTIVE_ASKS_REASON },
  { "which option", EXTRACTIVE_ASKS_OPTION },
  { "what option", EXTRACTIVE_ASKS_OPTION },
  { "which flag", EXTRACTIVE_ASKS_OPTION },
  { "what flag", EXTRACTIVE_ASKS_OPTION },
  { "which switch", EXTRACTIVE_ASKS_OPTION },
  { "which * option", EXTRACTIVE_ASKS_OPTION },
  { "what * option", EXTRACTIVE_ASKS_OPTION },
  { "how do", EXTRACTIVE_ASKS_PROCEDURE },
  { "how to", EXTRACTIVE_ASKS_PROCEDURE },
  { "how can", EXTRACTIVE_ASKS_PROCEDURE },
  { "how should", EXTRACTIVE_ASKS_PROCEDURE },
  { "how must", EXTRACTIVE_ASKS_PROCEDURE },
  { "what steps", EXTRACTIVE_ASKS_PROCEDURE },
  { "which steps", EXTRACTIVE_ASKS_PROCEDURE },
  { "meant by", EXTRACTIVE_ASKS_DEFINITION },
  { "who is a", EXTRACTIVE_ASKS_DEFINITION },
  { "who is an", EXTRACTIVE_ASKS_DEFINITION },
  { "who is the", EXTRACTIVE_ASKS_DEFINITION },
  { "who", EXTRACTIVE_ASKS_PERSON },
  { "whom", EXTRACTIVE_ASKS_PERSON },
  { "whose", EXTRACTIVE_ASKS_PERSON },
  { "definition of", EXTRACTIVE_ASKS_DEFINITION },
  { "define", EXTRACTIVE_ASKS_DEFINITION },
  { "defined", EXTRACTIVE_ASKS_DEFINITION },
  { "mean", EXTRACTIVE_ASKS_DEFINITION },
  { "what counts", EXTRACTIVE_ASKS_DEFINITION },
  { "what is a", EXTRACTIVE_ASKS_DEFINITION },
  { "what is an", EXTRACTIVE_ASKS_DEFINITION },
  { "wie viel", EXTRACTIVE_ASKS_QUANTITY },
  { "wie viele", EXTRACTIVE_ASKS_QUANTITY },
  { "wieviel", EXTRACTIVE_ASKS_QUANTITY },
  { "wie hoch", EXTRACTIVE_ASKS_QUANTITY },
  { "wie gross", EXTRACTIVE_ASKS_QUANTITY },
  { "welcher druck", EXTRACTIVE_ASKS_QUANTITY },
  { "welche temperatur", EXTRACTIVE_ASKS_QUANTITY },
  { "wie oft", EXTRACTIVE_ASKS_TIME },
  { "wie lange", EXTRACTIVE_ASKS_QUANTITY },
  { "wann", EXTRACTIVE_ASKS_TIME },
  { "wer", EXTRACTIVE_ASKS_PERSON },
  { "wen", EXTRACTIVE_ASKS_PERSON },
  { "wo", EXTRACTIVE_ASKS_PLACE },
  { "warum", EXTRACTIVE_ASKS_REASON },
  { "wieso", EXTRACTIVE_ASKS_REASON },
  { "was bedeutet", EXTRACTIVE_ASKS_DEFINITION },
  { "was ist ein", EXTRACTIVE_ASKS_DEFINITION },
  { "welche option", EXTRACTIVE_ASKS_OPTION },
  { "wie", EXTRACTIVE_ASKS_PROCEDURE },
  { "what is", EXTRACTIVE_ASKS_DEFINITION },
  { "what are", EXTRACTIVE_ASKS_DEFINITION },
  { "was ist", EXTRACTIVE_ASKS_DEFINITION },
  { "was sind", EXTRACTIVE_ASKS_DEFINITION },
};

static void
extractive_question_term_free (gpointer data)
{
  ExtractiveTerm *term = data;

  g_free (term->word);
  g_free (term->stem);
  g_ptr_array_unref (term->alike);
  g_free (term);
}

static const ExtractiveWord *
extractive_question_word (GArray *words, guint index)
{
  return &g_array_index (words, ExtractiveWord, index);
}

static gboolean
extractive_question_fits (GArray *words, guint at, gchar **pattern)
{
  for (; *pattern != NULL; pattern++, at++)
    if (at >= words->len
        || (strcmp (*pattern, "*") != 0
            && strcmp (*pattern, extractive_question_word (words, at)->word) != 0))
      return FALSE;
  return TRUE;
}

static ExtractiveAsks
extractive_question_classify (GArray *words)
{
  for (guint i = 0; i < G_N_ELEMENTS (asks_rules); i++)
    {
      g_auto (GStrv) pattern = g_strsplit (asks_rules[i].pattern, " ", -1);

      /* one bare question word decides only near the start: "... when done" asks for no time */
      for (guint at = 0; at < words->len; at++)
        if ((pattern[1] != NULL || at < 4 || asks_rules[i].asks == EXTRACTIVE_ASKS_DEFINITION)
            && extractive_question_fits (words, at, pattern))
          return asks_rules[i].asks;
    }
  return EXTRACTIVE_ASKS_FACT;
}

/* gives each term the stems of the words that mean nearly the same */
static void
extractive_question_add_alike (ExtractiveQuestion *self)
{
  const gchar *const *group;

  for (guint i = 0; (group = extractive_lexicon_get_alike (i)) != NULL; i++)
    {
      g_autoptr (GPtrArray) stems = g_ptr_array_new_with_free_func (g_free);

      for (; *group != NULL; group++)
        g_ptr_array_add (stems, extractive_stem_word (*group, self->language));
      for (guint t = 0; t < self->terms->len; t++)
        {
          ExtractiveTerm *term = g_ptr_array_index (self->terms, t);

          if (!g_ptr_array_find_with_equal_func (stems, term->stem, g_str_equal, NULL))
            continue;
          for (guint k = stems->len; k-- > 0;)
            if (strcmp (g_ptr_array_index (stems, k), term->stem) != 0
                && !g_ptr_array_find_with_equal_func (term->alike, g_ptr_array_index (stems, k),
                                                      g_str_equal, NULL))
              g_ptr_array_add (term->alike, g_strdup (g_ptr_array_index (stems, k)));
        }
    }
}

static gboolean
extractive_question_knows (const ExtractiveQuestion *self, const gchar *stem)
{
  for (guint i = 0; i < self->terms->len; i++)
    if (strcmp (((ExtractiveTerm *) g_ptr_array_index (self->terms, i))->stem, stem) == 0)
      return TRUE;
  return FALSE;
}

static void
extractive_question_add_term (ExtractiveQuestion *self, const ExtractiveWord *word, gdouble factor)
{
  ExtractiveTerm *term;
  gboolean key = word->code || (word->capital && word->position > 0);

  if (self->terms->len >= MAX_TERMS || extractive_question_knows (self, word->stem))
    return;
  if (!word->code && g_utf8_strlen (word->word, -1) < 2)
    return;
  term = g_new0 (ExtractiveTerm, 1);
  term->word = g_strdup (word->word);
  term->stem = g_strdup (word->stem);
  term->position = word->position;
  /* German writes every noun with a capital */
  term->key = factor >= WEIGHT_WEAK && factor != WEIGHT_CONTEXT
              && (word->code || (key && self->language != EXTRACTIVE_LANGUAGE_GERMAN));
  term->weight = extractive_lexicon_is_weak (word->word) && !term->key ? WEIGHT_WEAK
                 : term->key                                           ? WEIGHT_KEY
                                                                       : WEIGHT_WORD;
  term->weight *= factor;
  term->alike = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->terms, term);
}

/* a part of a code that is there as a whole too, or the "version" of "version 2", says little by
 * itself */
static gboolean
extractive_question_is_part (GArray *words, guint index)
{
  const ExtractiveWord *word = extractive_question_word (words, index);

  for (guint i = 0; i < words->len; i++)
    {
      const ExtractiveWord *other = extractive_question_word (words, i);

      if (i != index && other->start <= word->start && other->end >= word->end
          && other->end - other->start > word->end - word->start)
        return TRUE;
    }
  return strcmp (word->word, "version") == 0 && index + 1 < words->len
         && extractive_question_word (words, index + 1)->code;
}

/* Who asks how to do something asks for the first word that means something: "how do I undo …" */
static void
extractive_question_focus_verb (ExtractiveQuestion *self)
{
  for (guint i = 0; self->asks == EXTRACTIVE_ASKS_PROCEDURE && i < self->terms->len; i++)
    {
      ExtractiveTerm *term = g_ptr_array_index (self->terms, i);

      if (term->weight < WEIGHT_WORD)
        continue;
      term->focus = TRUE;
      return;
    }
}

/* Marks the terms that stand between the question word and the next small word. */
static void
extractive_question_find_focus (ExtractiveQuestion *self)
{
  static const gchar *const openings[] = { "what",    "which",   "who",   "many", "much", "welche",
                                           "welcher", "welches", "viele", "viel", NULL };
  static const gchar *const articles[]
      = { "is", "are", "was", "were", "the", "a", "an", "ist", "sind", "der", "die", "das", NULL };
  guint at = 0;

  while (at < self->words->len
         && !g_strv_contains (openings, extractive_question_word (self->words, at)->word))
    at++;
  for (at++; at < self->words->len
             && g_strv_contains (articles, extractive_question_word (self->words, at)->word);)
    at++;
  if (at >= self->words->len)
    extractive_question_focus_verb (self);
  for (; at < self->words->len; at++)
    {
      const ExtractiveWord *word = extractive_question_word (self->words, at);

      if (extractive_lexicon_is_stop (word->word, self->language)
          || extractive_lexicon_is_weak (word->word))
        return;
      for (guint i = 0; i < self->terms->len; i++)
        {
          ExtractiveTerm *term = g_ptr_array_index (self->terms, i);

          term->focus = term->focus || strcmp (term->stem, word->stem) == 0;
        }
    }
}

static void
extractive_question_add_terms (ExtractiveQuestion *self, GArray *words, gdouble factor)
{
  for (guint i = 0; i < words->len; i++)
    {
      const ExtractiveWord *word = extractive_question_word (words, i);

      if (word->code || !extractive_lexicon_is_stop (word->word, self->language))
        extractive_question_add_term (
            self, word, extractive_question_is_part (words, i) ? factor * WEIGHT_WEAK : factor);
    }
}

/* "Plant Safety Council" gives "psc": the first letters of a run of three or more
 * capitalised words, with and without the first of them */
static void
extractive_question_add_acronyms (ExtractiveQuestion *self, GArray *words)
{
  g_autoptr (GString) run = g_string_new (NULL);

  for (guint i = 0; i <= words->len; i++)
    {
      const ExtractiveWord *word = i < words->len ? extractive_question_word (words, i) : NULL;

      if (word != NULL && word->capital && !word->code && strlen (word->word) > 1
          && !extractive_lexicon_is_stop (word->word, self->language))
        {
          g_string_append_c (run, word->word[0]);
          continue;
        }
      for (gsize from = 0; run->len >= 3 && from + 3 <= run->len && from < 2; from++)
        g_ptr_array_add (self->acronyms, g_strdup (run->str + from));
      g_string_truncate (run, 0);
    }
}

/**
 * extractive_question_new:
 * @text: the question
 * @context: (nullable): what was said around it, for questions that lean on it
 *
 * Returns: (transfer full): what it asks for
 */
ExtractiveQuestion *
extractive_question_new (const gchar *text, const gchar *context)
{
  ExtractiveQuestion *self = g_new0 (ExtractiveQuestion, 1);
  g_autoptr (GArray) words = extractive_words_split (text, EXTRACTIVE_LANGUAGE_ENGLISH);
  g_autoptr (GPtrArray) plain = g_ptr_array_new ();

  for (guint i = 0; i < words->len; i++)
    g_ptr_array_add (plain, extractive_question_word (words, i)->word);
  g_ptr_array_add (plain, NULL);
  self->text = g_strdup (text);
  self->language = extractive_lexicon_guess ((const gchar *const *) plain->pdata);
  self->terms = g_ptr_array_new_with_free_func (extractive_question_term_free);
  self->acronyms = g_ptr_array_new_with_free_func (g_free);
  if (self->language != EXTRACTIVE_LANGUAGE_ENGLISH)
    {
      g_array_unref (words);
      words = extractive_words_split (text, self->language);
    }
  self->asks = extractive_question_classify (words);
  extractive_question_add_terms (self, words, 1);
  extractive_question_add_acronyms (self, words);
  self->words = g_steal_pointer (&words);
  extractive_question_find_focus (self);
  if (context != NULL)
    {
      g_autoptr (GArray) around = extractive_words_split (context, self->language);

      extractive_question_add_terms (self, around, WEIGHT_CONTEXT);
    }
  extractive_question_add_alike (self);
  return self;
}

/**
 * extractive_question_free:
 * @self: (transfer full) (nullable): a question
 */
void
extractive_question_free (ExtractiveQuestion *self)
{
  if (self == NULL)
    return;
  g_free (self->text);
  g_array_unref (self->words);
  g_ptr_array_unref (self->terms);
  g_ptr_array_unref (self->acronyms);
  g_free (self);
}

/**
 * extractive_question_plan:
 * @self: a question
 * @again: whether a first search found no answer
 *
 * Returns: (transfer full): the words to search for; the second time also words that mean the same,
 * so that a text that says it differently is found. Empty when the question holds nothing to search
 * for
 */
gchar *
extractive_question_plan (const ExtractiveQuestion *self, gboolean again)
{
  g_autoptr (GString) query = g_string_new (NULL);
  guint strong = 0;

  for (guint i = 0; i < self->terms->len; i++)
    strong
        += ((ExtractiveTerm *) g_ptr_array_index (self->terms, i))->weight >= WEIGHT_WORD ? 1 : 0;
  for (guint i = 0; i < self->terms->len; i++)
    {
      const ExtractiveTerm *term = g_ptr_array_index (self->terms, i);

      if (term->weight < WEIGHT_CONTEXT && !term->key && !again && strong >= 3)
        continue;
      g_string_append_printf (query, "%s%s", query->len > 0 ? " " : "", term->word);
    }
  for (guint i = 0; i < self->terms->len; i++)
    {
      const ExtractiveTerm *term = g_ptr_array_index (self->terms, i);
      g_autoptr (GPtrArray) variants = extractive_stem_variants (term->word, self->language);

      for (guint k = 0; again && term->weight >= WEIGHT_WORD && k < variants->len; k++)
        g_string_append_printf (query, " %s", (const gchar *) g_ptr_array_index (variants, k));
    }
  /* a passage that defines says so */
  if (self->asks == EXTRACTIVE_ASKS_DEFINITION && query->len > 0)
    g_string_append (query, self->language == EXTRACTIVE_LANGUAGE_GERMAN ? " bedeutet" : " means");
  for (guint i = 0; i < self->acronyms->len; i++)
    g_string_append_printf (query, " %s", (const gchar *) g_ptr_array_index (self->acronyms, i));
  for (guint i = 0; again && i < self->terms->len; i++)
    {
      const ExtractiveTerm *term = g_ptr_array_index (self->terms, i);

      if (term->weight < WEIGHT_WORD)
        continue;
      for (guint k = 0; k < term->alike->len && k < 4; k++)
        g_string_append_printf (query, " %s", (const gchar *) g_ptr_array_index (term->alike, k));
    }
  return g_string_free (g_steal_pointer (&query), FALSE);
}
