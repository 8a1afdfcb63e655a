/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cuts passages into what can be quoted: sentences, list items, table rows, option entries. */
#pragma once

#include "extractive-stem.h"

G_BEGIN_DECLS

/* a passage that a search found */
typedef struct
{
  gchar *document_id; /* (nullable) */
  gchar *title;       /* (nullable) */
  gchar *heading;     /* (nullable): headings above it */
  gchar *content;
  gdouble score;
  guint number; /* by which it is cited; 0 for none */
} ExtractiveHit;

typedef enum
{
  EXTRACTIVE_UNIT_SENTENCE,
  EXTRACTIVE_UNIT_ITEM,
  EXTRACTIVE_UNIT_ROW,
  EXTRACTIVE_UNIT_OPTION,
  EXTRACTIVE_UNIT_HEADING,
  EXTRACTIVE_UNIT_TABLE_HEAD, /* never an answer */
} ExtractiveUnitKind;

typedef struct
{
  ExtractiveUnitKind kind;
  guint hit;     /* index of the passage */
  guint block;   /* ordinal of its paragraph, list item or row over all passages */
  gint parent;   /* index of the unit that introduces it ("the following steps:"), or -1 */
  gint heading;  /* index of the heading it stands under, or -1 */
  gchar *quote;  /* verbatim, runs of white space collapsed */
  GArray *words; /* ExtractiveWord of quote */
} ExtractiveUnit;

ExtractiveHit *extractive_units_hit_new (const gchar *title, const gchar *content);
void extractive_units_hit_free (ExtractiveHit *hit);
GPtrArray *extractive_units_split (GPtrArray *hits, ExtractiveLanguage language);

G_END_DECLS
