/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Splits a text into words as the rest of the plugin compares them.
 *
 * A word is a run of letters and digits. Three things get a form of their own besides, because
 * questions about machines and commands turn on them: codes ("E-12" is also "e12"), options ("-n")
 * and decimal numbers ("3.5" is one word). */
#include "extractive-words.h"

#include <string.h>

typedef struct
{
  GArray *words;
  const gchar *text;
  ExtractiveLanguage language;
  guint position;
} Splitter;

static void
extractive_words_clear (gpointer data)
{
  ExtractiveWord *word = data;

  g_free (word->word);
  g_free (word->stem);
}

/* lower case, and letters without their marks */
static gchar *
extractive_words_fold (const gchar *text, gsize length)
{
  g_autofree gchar *decomposed = NULL;
  g_autofree gchar *lower = NULL;
  gchar *to;

  for (gsize i = 0; i <= length; i++)
    {
      if (i == length)
        return g_ascii_strdown (text, (gssize) length);
      if ((guchar) text[i] >= 0x80)
        break;
    }
  decomposed = g_utf8_normalize (text, (gssize) length, G_NORMALIZE_ALL);
  if (decomposed == NULL)
    return g_ascii_strdown (text, (gssize) length);
  lower = g_utf8_casefold (decomposed, -1);
  to = lower;
  for (const gchar *p = lower; *p != '\0';)
    {
      const gchar *next = g_utf8_next_char (p);

      if (!g_unichar_ismark (g_utf8_get_char (p)))
        for (; p < next; p++)
          *to++ = *p;
      p = next;
    }
  *to = '\0';
  return g_steal_pointer (&lower);
}

static void
extractive_words_add (Splitter *self, gchar *folded, guint start, guint end, gboolean code)
{
  ExtractiveWord word = { 0 };

  word.word = folded;
  word.stem = code ? g_strdup (folded) : extractive_stem_word (folded, self->language);
  word.position = self->position;
  word.start = start;
  word.end = end;
  word.code = code;
  word.capital = g_unichar_isupper (g_utf8_get_char (self->text + start));
  g_array_append_val (self->words, word);
}

static gboolean
extractive_words_has_digit (const gchar *word)
{
  return strpbrk (word, "0123456789") != NULL;
}

/* "gplv3" is "gpl", "3": a version is asked for with and without its letter */
static gsize
extractive_words_version_split (const gchar *text, gsize length)
{
  gsize digits = 0;

  while (digits < length && g_ascii_isdigit (text[length - 1 - digits]))
    digits++;
  if (digits == 0 || length < digits + 3 || strchr ("vV", text[length - digits - 1]) == NULL)
    return 0;
  return g_ascii_isalpha (text[length - digits - 2]) ? digits : 0;
}

static void
extractive_words_add_run (Splitter *self, guint start, guint end)
{
  gsize digits = extractive_words_version_split (self->text + start, end - start);
  gchar *folded;

  if (digits > 0)
    {
      guint name_end = end - (guint) digits - 1;

      extractive_words_add (self, extractive_words_fold (self->text + start, name_end - start),
                            start, name_end, FALSE);
      self->position++;
      start = end - (guint) digits;
    }
  folded = extractive_words_fold (self->text + start, end - start);
  extractive_words_add (self, folded, start, end, extractive_words_has_digit (folded));
  self->position++;
}

/* the end of the run of letters and digits at @at; a point or comma between digits belongs to it */
static guint
extractive_words_run_end (const gchar *text, guint at)
{
  guint end = at;

  for (;;)
    {
      gunichar c = g_utf8_get_char (text + end);

      if (g_unichar_isalnum (c) || g_unichar_ismark (c))
        end += g_utf8_skip[(guchar) text[end]];
      else if ((c == '.' || c == ',') && end > at && g_ascii_isdigit (text[end - 1])
               && g_ascii_isdigit (text[end + 1]))
        end++;
      else
        return end;
    }
}

/* After the parts of "HP-200" or "E 12-A" joined by hyphens: the whole as one code, when it is one.
 */
static void
extractive_words_add_joined (Splitter *self, guint first, guint start, guint end)
{
  g_autoptr (GString) joined = g_string_new (NULL);
  ExtractiveWord word = { 0 };

  for (guint i = first; i < self->words->len; i++)
    g_string_append (joined, g_array_index (self->words, ExtractiveWord, i).word);
  /* "e-mail" is "email" too */
  if (joined->len > 24
      || (!extractive_words_has_digit (joined->str)
          && strlen (g_array_index (self->words, ExtractiveWord, first).word) > 1))
    return;
  word.position = g_array_index (self->words, ExtractiveWord, first).position;
  word.start = start;
  word.end = end;
  word.code = TRUE;
  word.word = g_strdup (joined->str);
  word.stem = g_string_free (g_steal_pointer (&joined), FALSE);
  g_array_append_val (self->words, word);
}

/* "-n" or "-5": one letter or digit after a hyphen that follows nothing */
static gboolean
extractive_words_is_option (const gchar *text, guint at)
{
  return text[at] == '-' && g_ascii_isalnum (text[at + 1]) && !g_ascii_isalnum (text[at + 2])
         && (guchar) text[at + 2] < 0x80 && text[at + 2] != '.'
         && (at == 0 || strchr (" \t\n([,|'\"`/", text[at - 1]) != NULL);
}

/**
 * extractive_words_split:
 * @text: valid UTF-8
 * @language: whose stems to build
 *
 * Returns: (transfer full) (element-type ExtractiveWord): the words in order
 */
GArray *
extractive_words_split (const gchar *text, ExtractiveLanguage language)
{
  Splitter self = { .text = text, .language = language };
  guint joined_first = 0;
  guint joined_start = G_MAXUINT;

  self.words = g_array_new (FALSE, FALSE, sizeof (ExtractiveWord));
  g_array_set_clear_func (self.words, extractive_words_clear);
  for (guint at = 0; text[at] != '\0';)
    {
      guint end = extractive_words_run_end (text, at);

      if (end == at)
        {
          if (extractive_words_is_option (text, at))
            {
              extractive_words_add (&self, g_strdup_printf ("-%c", text[at + 1]), at, at + 2, TRUE);
              self.position++;
              at += 2;
              continue;
            }
          at += g_utf8_skip[(guchar) text[at]];
          continue;
        }
      if (at == 0 || text[at - 1] != '-' || joined_start >= at)
        {
          joined_first = self.words->len;
          joined_start = at;
        }
      extractive_words_add_run (&self, at, end);
      if (text[end] != '-' && self.words->len - joined_first > 1)
        extractive_words_add_joined (&self, joined_first, joined_start, end);
      if (text[end] != '-')
        joined_start = G_MAXUINT;
      at = end;
    }
  return self.words;
}

/**
 * extractive_words_collapse:
 * @text: valid UTF-8
 * @length: its bytes
 *
 * Returns: (transfer full): the text without white space at its ends and with one space for each
 * run of white space inside
 */
gchar *
extractive_words_collapse (const gchar *text, gsize length)
{
  g_autoptr (GString) out = g_string_sized_new (length);
  gboolean space = FALSE;

  for (const gchar *p = text; p < text + length;)
    {
      const gchar *next = g_utf8_next_char (p);

      if (g_unichar_isspace (g_utf8_get_char (p)))
        space = out->len > 0;
      else
        {
          if (space)
            g_string_append_c (out, ' ');
          space = FALSE;
          g_string_append_len (out, p, next - p);
        }
      p = next;
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}
