/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a question asks for. */
#pragma once

#include "extractive-stem.h"

G_BEGIN_DECLS

typedef enum
{
  EXTRACTIVE_ASKS_FACT,
  EXTRACTIVE_ASKS_QUANTITY,
  EXTRACTIVE_ASKS_TIME,
  EXTRACTIVE_ASKS_PERSON,
  EXTRACTIVE_ASKS_PLACE,
  EXTRACTIVE_ASKS_REASON,
  EXTRACTIVE_ASKS_PROCEDURE,
  EXTRACTIVE_ASKS_DEFINITION,
  EXTRACTIVE_ASKS_OPTION,
} ExtractiveAsks;

typedef struct
{
  gchar *word;
  gchar *stem;
  gdouble weight;
  guint position;   /* ordinal in the question */
  gboolean focus;   /* is what the question asks for: the "price" of "what is the price of …" */
  gboolean key;     /* a name, number or code: an answer that has nothing of these is none */
  GPtrArray *alike; /* stems that count nearly as much */
} ExtractiveTerm;

typedef struct
{
  gchar *text;
  ExtractiveLanguage language;
  ExtractiveAsks asks;
  GArray *words;       /* ExtractiveWord: all of them */
  GPtrArray *terms;    /* ExtractiveTerm */
  GPtrArray *acronyms; /* of names in capitals */
} ExtractiveQuestion;

ExtractiveQuestion *extractive_question_new (const gchar *text, const gchar *context);
void extractive_question_free (ExtractiveQuestion *self);
gchar *extractive_question_plan (const ExtractiveQuestion *self, gboolean again);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ExtractiveQuestion, extractive_question_free)

G_END_DECLS
