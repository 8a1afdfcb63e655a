/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds the answer to a question out of passages. */
#pragma once

#include "extractive-question.h"
#include "extractive-units.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean found;
  gboolean unsure;   /* found, but not in the document that the question names */
  GPtrArray *quotes; /* texts as they stand in the passages, in the order of the answer */
  GArray *hits;      /* guint: index of the passage of each quote */
  gdouble coverage;  /* of the best unit; how sure the answer is */
} ExtractiveAnswer;

ExtractiveAnswer *extractive_answer_new (const ExtractiveQuestion *question, GPtrArray *hits);
void extractive_answer_free (ExtractiveAnswer *self);
gchar *extractive_answer_to_text (const ExtractiveAnswer *self, GPtrArray *hits);
const gchar *extractive_answer_decline (ExtractiveLanguage language, gboolean searched);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ExtractiveAnswer, extractive_answer_free)

G_END_DECLS
