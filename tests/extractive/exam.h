/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts a set of questions to the engine and counts how it did. */
#pragma once

#include "asker.h"

G_BEGIN_DECLS

typedef struct
{
  guint answerable;
  guint first;          /* the right passage is the first that is cited */
  guint among_three;    /* … among the first three */
  guint sentence_first; /* the very sentence is the first quote */
  guint unanswerable;
  guint declined;
  guint searches;
  gdouble seconds;
  GPtrArray *misses; /* a line on each question that did not go well */
} Exam;

Exam *exam_run (ReeveLlmEngine *engine, Corpus *corpus, const gchar *path);
void exam_free (Exam *self);
gchar *exam_describe (const Exam *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exam, exam_free)

G_END_DECLS
