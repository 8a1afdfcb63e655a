/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cuts a document's text into overlapping chunks for search, at the borders its author drew.
 *
 * Pure: text in, offsets out. One pass turns the text into atoms (words; single characters in
 * scripts that write without spaces), each knowing how good a place to cut the gap before it is. A
 * second pass fills chunks greedily and cuts at the best gap near the end. */
#include "chunker.h"

#include <string.h>

#define CHUNKER_LEVELS      6
#define CHUNKER_PATH_MAX    400 /* bytes of a heading path; longer ones lose their outer headings */
#define CHUNKER_HEADING_MAX 160 /* bytes of a line that may still be a heading */

/* how good a cut is, weakest first */
typedef enum
{
  GAP_NONE, /* straight after a heading: never cut there by choice */
  GAP_WORD,
  GAP_SENTENCE,
  GAP_LINE, /* list item, table row, line of code */
  GAP_PARAGRAPH,
  GAP_HEADING,
} ChunkerGap;

typedef struct
{
  guint32 start;
  guint32 end;
  guint32 tokens : 28;
  guint32 gap : 4;
  guint32 heading; /* index into headings; 0 is "" */
} ChunkerAtom;

typedef struct
{
  const gchar *text;
  gsize length;
  guint max_tokens;
  GArray *atoms;       /* ChunkerAtom */
  GPtrArray *headings; /* paths */
  gchar *levels[CHUNKER_LEVELS];
  gboolean in_code;
  ChunkerGap next_gap;
} Chunker;

/* what one line of the text is */
typedef enum
{
  LINE_BLANK,
  LINE_TEXT,
  LINE_ITEM,
  LINE_HEADING,
  LINE_UNDERLINE,
  LINE_FENCE,
} ChunkerLine;

/**
 * reeve_chunker_chunk_free:
 * @chunk: (transfer full) (nullable): a chunk
 *
 * Frees a chunk.
 */
void
reeve_chunker_chunk_free (ReeveChunk *chunk)
{
  if (chunk == NULL)
    return;
  g_free (chunk->heading);
  g_free (chunk);
}

/* scripts that put no spaces between words: a cut is allowed between any two characters */
static gboolean
reeve_chunker_is_dense (gunichar c)
{
  if (c < 0x0e00)
    return FALSE;
  switch (g_unichar_get_script (c))
    {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_MYANMAR:
      return TRUE;
    default:
      return FALSE;
    }
}

/* what a run of characters of one sort is counted by */
typedef enum
{
  RUN_NONE,
  RUN_LETTERS,
  RUN_DIGITS,
  RUN_SIGNS, /* the same sign again and again */
} ChunkerRun;

static guint
reeve_chunker_run_tokens (ChunkerRun run, guint n)
{
  static const guint in_one[] = { 1, 7, 3, 4 };

  return (n + in_one[run] - 1) / in_one[run];
}

static ChunkerRun
reeve_chunker_run_of (gunichar c)
{
  if (g_unichar_isspace (c) || g_unichar_iscntrl (c))
    return RUN_NONE;
  if (reeve_chunker_is_dense (c))
    return RUN_SIGNS;
  if (g_unichar_isalpha (c) || g_unichar_ismark (c))
    return RUN_LETTERS;
  return g_unichar_isdigit (c) ? RUN_DIGITS : RUN_SIGNS;
}

/**
 * reeve_chunker_count_tokens:
 * @text: valid UTF-8
 * @length: its bytes
 *
 * Approximates how many tokens a byte-pair tokenizer would make of the text, without its tables: a
 * run of letters counts one token for each seven begun (a letter outside ASCII counts as two), a
 * run of digits one for each three begun, a run of one other character (a rule of hyphens) one for
 * each four begun, white space none. On English prose that is about 1.3 tokens a word.
 *
 * Returns: the tokens
 */
guint
reeve_chunker_count_tokens (const gchar *text, gsize length)
{
  ChunkerRun run = RUN_NONE;
  gunichar before = 0;
  guint n = 0;
  guint tokens = 0;

  for (const gchar *p = text; p < text + length; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      ChunkerRun now = reeve_chunker_run_of (c);

      if (now != run || (now == RUN_SIGNS && c != before))
        {
          tokens += reeve_chunker_run_tokens (run, n);
          n = 0;
        }
      run = now;
      before = c;
      if (run != RUN_NONE)
        n += run == RUN_LETTERS && c >= 0x80 ? 2 : 1;
    }
  return tokens + reeve_chunker_run_tokens (run, n);
}

/* a full stop that ends a sentence: not "e.g.", not "12.", not an initial */
static gboolean
reeve_chunker_ends_sentence (const gchar *word, gsize length)
{
  static const gchar *const abbreviations[]
      = { "e.g.", "i.e.", "etc.", "cf.",  "vs.",  "no.",  "fig.", "approx.", "incl.", "max.",
          "min.", "dr.",  "mr.",  "mrs.", "z.b.", "bzw.", "ca.",  "nr.",     "d.h.",  "usw." };
  gsize n = length;

  while (n > 0 && strchr ("\"')]*_", word[n - 1]) != NULL)
    n--;
  if (n >= 3 && memcmp (word + n - 3, "\xe3\x80\x82", 3) == 0) /* ideographic full stop */
    return TRUE;
  if (n == 0 || strchr (".!?", word[n - 1]) == NULL)
    return FALSE;
  if (word[n - 1] != '.')
    return TRUE;
  if (n <= 2 || (n <= 4 && g_ascii_isdigit (word[0])))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (abbreviations); i++)
    if (strlen (abbreviations[i]) == n && g_ascii_strncasecmp (word, abbreviations[i], n) == 0)
      return FALSE;
  return TRUE;
}

static void
reeve_chunker_add_atom (Chunker *self, gsize start, gsize end)
{
  ChunkerAtom atom = { 0 };

  atom.start = (guint32) start;
  atom.end = (guint32) end;
  atom.tokens = reeve_chunker_count_tokens (self->text + start, end - start);
  atom.gap = self->next_gap;
  atom.heading = self->headings->len - 1;
  g_array_append_val (self->atoms, atom);
  self->next_gap
      = reeve_chunker_ends_sentence (self->text + start, end - start) ? GAP_SENTENCE : GAP_WORD;
}

/* One word becomes one atom; only what no reader would call a word (longer than a whole chunk, or
 * in a script without spaces) is cut further, always between characters. */
static void
reeve_chunker_add_word (Chunker *self, gsize start, gsize end)
{
  gsize from = start;
  gboolean dense_before = FALSE;
  guint characters = 0;

  for (gsize at = start; at < end; at += g_utf8_skip[(guchar) self->text[at]])
    {
      gunichar c = g_utf8_get_char (self->text + at);
      gboolean dense = reeve_chunker_is_dense (c);
      gboolean cut = (dense || dense_before) && !g_unichar_ismark (c) && !g_unichar_ispunct (c);

      if (at > from && (cut || characters >= self->max_tokens))
        {
          reeve_chunker_add_atom (self, from, at);
          from = at;
          characters = 0;
        }
      characters++;
      dense_before = dense;
    }
  reeve_chunker_add_atom (self, from, end);
}

static void
reeve_chunker_add_line (Chunker *self, gsize start, gsize end)
{
  gsize word = start;
  gboolean inside = FALSE;

  for (gsize at = start; at < end; at += g_utf8_skip[(guchar) self->text[at]])
    {
      gunichar c = g_utf8_get_char (self->text + at);
      gboolean space = g_unichar_isspace (c) || c == 0;

      if (!space && !inside)
        word = at;
      if (space && inside)
        reeve_chunker_add_word (self, word, at);
      inside = !space;
    }
  if (inside)
    reeve_chunker_add_word (self, word, end);
}

/* a line of three or more of one character, such as the rule under a heading */
static gboolean
reeve_chunker_is_rule (const gchar *line, gsize length, gchar character)
{
  if (length < 3)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (line[i] != character)
      return FALSE;
  return TRUE;
}

static gboolean
reeve_chunker_is_item (const gchar *line, gsize length)
{
  gsize digits = 0;

  if (length >= 2 && (line[0] == '|' || (strchr ("-*+", line[0]) != NULL && line[1] == ' ')))
    return TRUE;
  while (digits < length && digits < 4 && g_ascii_isdigit (line[digits]))
    digits++;
  return digits > 0 && digits + 1 < length && strchr (".)", line[digits]) != NULL
         && line[digits + 1] == ' ';
}

static ChunkerLine
reeve_chunker_classify (const Chunker *self, gsize start, gsize end)
{
  const gchar *line = self->text + start;
  gsize length = end - start;
  gsize hashes = 0;

  if (length == 0)
    return LINE_BLANK;
  if (length >= 3 && (strncmp (line, "```", 3) == 0 || strncmp (line, "~~~", 3) == 0))
    return LINE_FENCE;
  if (self->in_code)
    return LINE_ITEM;
  while (hashes < length && line[hashes] == '#')
    hashes++;
  if (hashes >= 1 && hashes <= CHUNKER_LEVELS && hashes < length && line[hashes] == ' ')
    return LINE_HEADING;
  if (reeve_chunker_is_rule (line, length, '=') || reeve_chunker_is_rule (line, length, '-'))
    return LINE_UNDERLINE;
  return reeve_chunker_is_item (line, length) ? LINE_ITEM : LINE_TEXT;
}

/* enters a heading: forgets the ones at its level and below, and builds the path that now holds */
static void
reeve_chunker_enter_heading (Chunker *self, guint level, const gchar *text, gsize length)
{
  g_autofree gchar *copy = NULL;
  g_autoptr (GString) path = g_string_new (NULL);

  while (length > 0 && (text[length - 1] == '#' || text[length - 1] == ' '))
    length--;
  while (length > 0 && *text == ' ')
    text++, length--;
  if (length > CHUNKER_HEADING_MAX)
    for (length = CHUNKER_HEADING_MAX; length > 0 && ((guchar) text[length] & 0xc0) == 0x80;)
      length--;
  copy = g_strndup (text, length);
  for (guint i = level - 1; i < CHUNKER_LEVELS; i++)
    g_clear_pointer (&self->levels[i], g_free);
  self->levels[level - 1] = g_steal_pointer (&copy);
  for (guint i = level; i-- > 0;)
    {
      if (self->levels[i] == NULL || *self->levels[i] == '\0')
        continue;
      if (path->len + strlen (self->levels[i]) > CHUNKER_PATH_MAX)
        break;
      if (path->len > 0)
        g_string_prepend (path, " > ");
      g_string_prepend (path, self->levels[i]);
    }
  g_ptr_array_add (self->headings, g_string_free (g_steal_pointer (&path), FALSE));
}

/* the end of the line that starts at @start, without its line break */
static gsize
reeve_chunker_line_end (const Chunker *self, gsize start)
{
  const gchar *newline = memchr (self->text + start, '\n', self->length - start);

  return newline != NULL ? (gsize) (newline - self->text) : self->length;
}

static void
reeve_chunker_trim (const Chunker *self, gsize *start, gsize *end)
{
  while (*start < *end && strchr (" \t\r\f\v", self->text[*start]) != NULL
         && self->text[*start] != 0)
    (*start)++;
  while (*end > *start && strchr (" \t\r\f\v", self->text[*end - 1]) != NULL
         && self->text[*end - 1] != 0)
    (*end)--;
}

/* the heading level that the line below gives to this one: 1 under ===, 2 under ---, else 0 */
static guint
reeve_chunker_underlined (const Chunker *self, gsize line_end)
{
  gsize start = line_end + 1;
  gsize end;

  if (start >= self->length)
    return 0;
  end = reeve_chunker_line_end (self, start);
  reeve_chunker_trim (self, &start, &end);
  if (reeve_chunker_is_rule (self->text + start, end - start, '='))
    return 1;
  return reeve_chunker_is_rule (self->text + start, end - start, '-') ? 2 : 0;
}

static void
reeve_chunker_add_heading (Chunker *self, gsize start, gsize end, guint underlined)
{
  guint level = underlined;
  gsize text = start;

  if (level == 0)
    for (; self->text[text] == '#'; text++)
      level++;
  reeve_chunker_enter_heading (self, level, self->text + text, end - text);
  self->next_gap = GAP_HEADING;
  reeve_chunker_add_line (self, start, end);
  self->next_gap = GAP_NONE;
}

static void
reeve_chunker_scan (Chunker *self)
{
  ChunkerLine before = LINE_BLANK;

  for (gsize at = 0; at < self->length;)
    {
      gsize start = at;
      gsize line_end = reeve_chunker_line_end (self, at);
      gsize end = line_end;
      ChunkerLine kind;
      guint underlined = 0;

      reeve_chunker_trim (self, &start, &end);
      kind = reeve_chunker_classify (self, start, end);
      if (kind == LINE_TEXT && before == LINE_BLANK && end - start <= CHUNKER_HEADING_MAX)
        underlined = reeve_chunker_underlined (self, line_end);
      if (kind == LINE_FENCE)
        self->in_code = !self->in_code;
      if (kind == LINE_HEADING || underlined > 0)
        reeve_chunker_add_heading (self, start, end, underlined);
      else
        {
          if (kind == LINE_BLANK && self->next_gap != GAP_NONE)
            self->next_gap = GAP_PARAGRAPH;
          if (kind == LINE_ITEM && self->next_gap != GAP_NONE && self->next_gap < GAP_LINE)
            self->next_gap = GAP_LINE;
          reeve_chunker_add_line (self, start, end);
          if (kind == LINE_UNDERLINE && before == LINE_HEADING)
            self->next_gap = GAP_NONE;
        }
      before = underlined > 0 ? LINE_HEADING : kind;
      at = line_end + 1;
    }
}

static const ChunkerAtom *
reeve_chunker_atom (const Chunker *self, guint index)
{
  return &g_array_index (self->atoms, ChunkerAtom, index);
}

/* Where the chunk that starts at atom @first ends (the first atom it no longer holds). The better a
 * gap, the emptier a chunk it may leave behind. */
static guint
reeve_chunker_find_end (const Chunker *self, guint first)
{
  static const guint least_percent[] = { 101, 101, 75, 75, 60, 40 };
  guint tokens = 0;
  guint end = first;
  guint filled[GAP_HEADING + 1] = { 0 };

  while (end < self->atoms->len)
    {
      const ChunkerAtom *atom = reeve_chunker_atom (self, end);

      if (end > first && tokens * 100 >= self->max_tokens * least_percent[atom->gap])
        filled[atom->gap] = end;
      if (end > first && tokens + atom->tokens > self->max_tokens)
        break;
      tokens += atom->tokens;
      end++;
    }
  if (end >= self->atoms->len)
    return end;
  for (guint gap = GAP_HEADING; gap > GAP_WORD; gap--)
    if (filled[gap] > 0)
      return filled[gap];
  return end;
}

/* Where the next chunk starts so that it repeats at most @overlap tokens before @end: at the
 * earliest sentence (or better) within reach, else at a word. A heading starts afresh. */
static guint
reeve_chunker_find_start (const Chunker *self, guint first, guint end, guint overlap)
{
  guint tokens = 0;
  guint start = end;
  guint best = 0;

  if (reeve_chunker_atom (self, end)->gap == GAP_HEADING)
    return end;
  while (start - 1 > first && tokens + reeve_chunker_atom (self, start - 1)->tokens <= overlap)
    {
      start--;
      tokens += reeve_chunker_atom (self, start)->tokens;
      if (reeve_chunker_atom (self, start)->gap >= GAP_SENTENCE)
        best = start;
    }
  return best > 0 ? best : start;
}

static guint
reeve_chunker_page_of (gsize offset, const gsize *page_starts, guint n_pages)
{
  guint low = 0;
  guint high = n_pages;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (page_starts[middle] <= offset)
        low = middle + 1;
      else
        high = middle;
    }
  return n_pages == 0 ? 0 : MAX (low, 1);
}

/* @fresh is the first atom that the chunk before did not hold: heading and page are taken there */
static ReeveChunk *
reeve_chunker_make (const Chunker *self, guint first, guint fresh, guint end,
                    const gsize *page_starts, guint n_pages)
{
  const ChunkerAtom *new_atom = reeve_chunker_atom (self, fresh);
  ReeveChunk *chunk = g_new0 (ReeveChunk, 1);

  chunk->start = reeve_chunker_atom (self, first)->start;
  chunk->length = reeve_chunker_atom (self, end - 1)->end - chunk->start;
  for (guint i = first; i < end; i++)
    chunk->tokens += reeve_chunker_atom (self, i)->tokens;
  chunk->page = reeve_chunker_page_of (new_atom->start, page_starts, n_pages);
  chunk->heading = g_strdup (g_ptr_array_index (self->headings, new_atom->heading));
  return chunk;
}

static void
reeve_chunker_clear (Chunker *self)
{
  g_clear_pointer (&self->atoms, g_array_unref);
  g_clear_pointer (&self->headings, g_ptr_array_unref);
  for (guint i = 0; i < CHUNKER_LEVELS; i++)
    g_clear_pointer (&self->levels[i], g_free);
}

/**
 * reeve_chunker_split:
 * @text: the document's text; need not end with a zero byte
 * @length: its bytes, at most 1 GiB
 * @page_starts: (array length=n_pages) (nullable): ascending byte offsets at which pages start
 * @n_pages: number of pages, 0 when the format has none
 * @options: (nullable): sizes; %NULL for 512 tokens with an overlap of 50
 * @error: return location for an error
 *
 * Cuts the text into chunks of at most max_tokens tokens. Cuts fall before a heading, at a
 * paragraph, at a list item or table row, at a sentence or at a word, in this order of preference,
 * and never inside a word (a run without spaces that is longer than a whole chunk is not a word and
 * is cut between characters). Each chunk repeats up to overlap_tokens from the end of the one
 * before, from a sentence border where there is one, unless it starts with a heading. All visible
 * text is in some chunk. Headings are those of Markdown ("## Title", or a line underlined with ===
 * or ---), outside code fences.
 *
 * Returns: (transfer full) (element-type ReeveChunk): chunks in order, empty for a text without
 * words; %NULL and G_CONVERT_ERROR when the text is not valid UTF-8 or too long
 */
GPtrArray *
reeve_chunker_split (const gchar *text, gsize length, const gsize *page_starts, guint n_pages,
                     const ReeveChunkerOptions *options, GError **error)
{
  g_autoptr (GPtrArray) chunks
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_chunker_chunk_free);
  Chunker self = { .text = text, .length = length, .next_gap = GAP_HEADING };
  guint overlap = options != NULL ? options->overlap_tokens : REEVE_CHUNKER_OVERLAP_TOKENS;
  guint first = 0;
  guint fresh = 0;

  if (length > G_MAXINT32 / 2)
    {
      g_set_error_literal (error, G_CONVERT_ERROR, G_CONVERT_ERROR_FAILED,
                           "text longer than 1 GiB");
      return NULL;
    }
  if (!g_utf8_validate_len (text, length, NULL))
    {
      g_set_error_literal (error, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE,
                           "text is not valid UTF-8");
      return NULL;
    }
  self.max_tokens = MAX (options != NULL ? options->max_tokens : REEVE_CHUNKER_MAX_TOKENS, 16);
  overlap = MIN (overlap, self.max_tokens / 2);
  self.atoms = g_array_new (FALSE, FALSE, sizeof (ChunkerAtom));
  self.headings = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self.headings, g_strdup (""));
  reeve_chunker_scan (&self);
  while (fresh < self.atoms->len)
    {
      guint end = reeve_chunker_find_end (&self, first);

      /* an overlap that leaves no room for anything new would stand still */
      if (end <= fresh)
        {
          first = fresh;
          continue;
        }
      g_ptr_array_add (chunks, reeve_chunker_make (&self, first, fresh, end, page_starts, n_pages));
      first = end < self.atoms->len ? reeve_chunker_find_start (&self, first, end, overlap) : end;
      fresh = end;
    }
  reeve_chunker_clear (&self);
  return g_steal_pointer (&chunks);
}
