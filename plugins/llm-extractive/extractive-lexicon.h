/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin knows of English and German: small words, weak words, words that mean alike. */
#pragma once

#include "extractive-stem.h"

G_BEGIN_DECLS

ExtractiveLanguage extractive_lexicon_guess (const gchar *const *words);
gboolean extractive_lexicon_is_stop (const gchar *word, ExtractiveLanguage language);
gboolean extractive_lexicon_is_weak (const gchar *word);
gboolean extractive_lexicon_is_pronoun (const gchar *word);
gboolean extractive_lexicon_is_number (const gchar *word);
gboolean extractive_lexicon_is_year (const gchar *word);
gboolean extractive_lexicon_is_time (const gchar *word);
const gchar *const *extractive_lexicon_get_alike (guint group);

G_END_DECLS
