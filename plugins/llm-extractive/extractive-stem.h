/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reduces words to stems, so that "distributes" finds "distribution". */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  EXTRACTIVE_LANGUAGE_ENGLISH,
  EXTRACTIVE_LANGUAGE_GERMAN,
} ExtractiveLanguage;

const gchar *extractive_stem_respell (const gchar *word);
GPtrArray *extractive_stem_variants (const gchar *word, ExtractiveLanguage language);
gchar *extractive_stem_word (const gchar *word, ExtractiveLanguage language);

G_END_DECLS
