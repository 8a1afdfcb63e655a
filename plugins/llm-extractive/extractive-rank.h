/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scores what can be quoted against a question. */
#pragma once

#include "extractive-question.h"
#include "extractive-units.h"

G_BEGIN_DECLS

typedef struct
{
  const ExtractiveUnit *unit;
  guint index;   /* of the unit */
  gdouble score; /* for the order */
  gdouble
      coverage; /* share of the question's weight that the unit and what it stands under speak of */
  gdouble topic;      /* coverage without what only names the document */
  gdouble own;        /* share that the unit itself speaks of */
  gboolean focused;   /* speaks of what is asked for */
  gdouble subject;    /* share of the words that are neither names nor in titles */
  gboolean elsewhere; /* the question names a document, and this is not of it */
  gboolean fits;      /* holds the sort of thing that was asked for */
} ExtractiveScore;

GArray *extractive_rank_units (const ExtractiveQuestion *question, GPtrArray *hits,
                               GPtrArray *units);
gboolean extractive_rank_answers (const ExtractiveQuestion *question, const ExtractiveScore *score);

G_END_DECLS
