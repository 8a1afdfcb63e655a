/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Splits a text into words as the rest of the plugin compares them. */
#pragma once

#include "extractive-stem.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *word;    /* lower case, without diacritics */
  gchar *stem;    /* of word */
  guint position; /* ordinal in the text; a joined code has that of its first part */
  guint start;    /* byte offsets into the text */
  guint end;
  gboolean capital; /* began with a capital letter */
  gboolean code;    /* holds a digit, or is a command-line option */
} ExtractiveWord;

GArray *extractive_words_split (const gchar *text, ExtractiveLanguage language);
gchar *extractive_words_collapse (const gchar *text, gsize length);

G_END_DECLS
