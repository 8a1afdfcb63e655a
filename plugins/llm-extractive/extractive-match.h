/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well words of a text match words of a question. */
#pragma once

#include "extractive-question.h"
#include "extractive-words.h"

G_BEGIN_DECLS

#define EXTRACTIVE_MATCH_EXACT    1.0
#define EXTRACTIVE_MATCH_PREFIX   0.85 /* the same word in another form */
#define EXTRACTIVE_MATCH_ALIKE    0.7  /* a word that means nearly the same */
#define EXTRACTIVE_MATCH_COMPOUND 0.6  /* part of a compound */
#define EXTRACTIVE_MATCH_NUMBER   0.4  /* the same number beside other words */

gdouble extractive_match_word (const ExtractiveQuestion *question, const ExtractiveTerm *term,
                               const ExtractiveWord *word);
void extractive_match_words (const ExtractiveQuestion *question, GArray *words, gdouble *row);
void extractive_match_title (const ExtractiveQuestion *question, const gchar *title, gdouble *row);
gdouble extractive_match_nearness (const ExtractiveQuestion *question, GArray *words);
guint extractive_match_run (const ExtractiveQuestion *question, GArray *words);

G_END_DECLS
