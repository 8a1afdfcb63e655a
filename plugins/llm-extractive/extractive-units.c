/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cuts passages into what can be quoted: sentences, list items, table rows, option entries.
 *
 * Reads Markdown, plain text with numbered clauses, and rendered manual pages alike: lines are
 * gathered into blocks by what they begin with, then prose blocks are cut into sentences. */
#include "extractive-units.h"

#include "extractive-words.h"

#include <string.h>

#define MAX_UNITS   6000
#define MAX_DEPTH   6
#define WHOLE_ITEM  420 /* bytes up to which a list item or option stays in one piece */
#define MAX_HEADING 90  /* bytes of a line of plain text that may be a heading */
#define MAX_CAPTION 10  /* its words */

typedef enum
{
  LINE_BLANK,
  LINE_PROSE,
  LINE_HEADING,
  LINE_RULE,
  LINE_ITEM,
  LINE_ROW,
  LINE_OPTION,
} LineKind;

typedef struct
{
  const gchar *text;
  gsize length;
  guint indent;
  LineKind kind;
} Line;

typedef struct
{
  GPtrArray *units;
  ExtractiveLanguage language;
  guint hit;
  guint block;
  gint heading;
  gint intro;       /* last unit that ends with a colon, until prose follows it */
  gint item;        /* last item or option */
  gint table_first; /* first row of the table under way, or -1 */
  gint table_head;  /* the same once the rule below says that it is the head, or -1 */
  guint item_indent;
  GString *pending; /* lines of the block that is being gathered */
  guint pending_lines;
  guint pending_indent;
  LineKind pending_kind;
  gboolean in_code;
  gboolean blank_before; /* is there an empty line before the block that is gathered */
  gboolean was_blank;    /* was the line before empty */
  gboolean at_blank;     /* is the line under way empty */
} Cutter;

/**
 * extractive_units_hit_new:
 * @title: (nullable): of the document
 * @content: the passage
 *
 * Returns: (transfer full): a passage without number
 */
ExtractiveHit *
extractive_units_hit_new (const gchar *title, const gchar *content)
{
  ExtractiveHit *hit = g_new0 (ExtractiveHit, 1);

  hit->title = g_strdup (title);
  hit->content = g_strdup (content);
  return hit;
}

/**
 * extractive_units_hit_free:
 * @hit: (transfer full) (nullable): a passage
 */
void
extractive_units_hit_free (ExtractiveHit *hit)
{
  if (hit == NULL)
    return;
  g_free (hit->document_id);
  g_free (hit->title);
  g_free (hit->heading);
  g_free (hit->content);
  g_free (hit);
}

static void
extractive_units_free (gpointer data)
{
  ExtractiveUnit *unit = data;

  g_free (unit->quote);
  g_array_unref (unit->words);
  g_free (unit);
}

/* bytes of a list marker and the spaces behind it: "- ", "3. ", "a) ", "(ii) "; 0 for none */
static gsize
extractive_units_marker (const gchar *text, gsize length)
{
  gsize n = 0;
  gsize open = length > 0 && text[0] == '(' ? 1 : 0;

  /* a line between two asterisks belongs to a box */
  if (length >= 2 && strchr ("-*+", text[0]) != NULL && text[1] == ' ')
    return text[0] == '*' && length > 2 && text[length - 1] == '*' ? 0 : 2;
  if (length >= 4 && (strncmp (text, "•", 3) == 0 || strncmp (text, "·", 2) == 0))
    return (gsize) g_utf8_skip[(guchar) text[0]];
  n = open;
  while (n < length && n < open + 4 && g_ascii_isdigit (text[n]))
    n++;
  if (n == open && n < length && g_ascii_isalpha (text[n]))
    for (n++; n < length && n < open + 4 && g_ascii_islower (text[n - 1])
              && strchr ("ivx", text[n]) != NULL;
         n++)
      continue;
  if (n == open || n + 1 >= length)
    return 0;
  if (text[n] != ')' && (open || text[n] != '.'))
    return 0;
  return text[n + 1] == ' ' ? n + 2 : 0;
}

static gboolean
extractive_units_is_rule (const gchar *text, gsize length)
{
  if (length < 3 || strchr ("-=*_~", text[0]) == NULL)
    return FALSE;
  for (gsize i = 1; i < length; i++)
    if (text[i] != text[0] && text[i] != ' ')
      return FALSE;
  return TRUE;
}

/* nothing but options and the names of their arguments: "-A NUM, --after-context=NUM" */
static gboolean
extractive_units_is_bare_option (const gchar *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if ((i == 0 || text[i - 1] == ' ') && text[i] != '-' && !g_ascii_isupper (text[i]))
      return FALSE;
  return TRUE;
}

/* An entry "-n, --number  what it does", or the first line of one in a manual page, which stands
 * alone: not a line of prose that happens to begin with an option. */
static gboolean
extractive_units_is_option (const Cutter *self, const gchar *text, gsize length)
{
  if (length < 2 || text[0] != '-' || text[1] == ' ')
    return FALSE;
  return self->pending_lines == 0 || extractive_units_is_bare_option (text, length)
         || g_strstr_len (text, (gssize) MIN (length, 45), "  ") != NULL;
}

static LineKind
extractive_units_classify (const Cutter *self, const gchar *text, gsize length, guint indent)
{
  gsize hashes = 0;

  if (length == 0)
    return LINE_BLANK;
  while (hashes < length && text[hashes] == '#')
    hashes++;
  if (hashes > 0 && hashes <= MAX_DEPTH && hashes < length && text[hashes] == ' ')
    return LINE_HEADING;
  if (extractive_units_is_rule (text, length))
    return LINE_RULE;
  if (text[0] == '|' || memchr (text, '\t', length) != NULL)
    return LINE_ROW;
  if (indent >= 1 && extractive_units_is_option (self, text, length))
    return LINE_OPTION;
  return extractive_units_marker (text, length) > 0 ? LINE_ITEM : LINE_PROSE;
}

/* the row "|---|:--:|" between head and body of a table */
static gboolean
extractive_units_is_table_rule (const gchar *text)
{
  return strspn (text, "|-: ") == strlen (text);
}

static gint
extractive_units_add (Cutter *self, ExtractiveUnitKind kind, const gchar *text, gsize length,
                      gint parent)
{
  g_autofree gchar *quote = extractive_words_collapse (text, length);
  ExtractiveUnit *unit;
  gsize n = strlen (quote);

  if (n == 0 || self->units->len >= MAX_UNITS)
    return -1;
  if (kind == EXTRACTIVE_UNIT_ROW && quote[0] == '|')
    {
      if (extractive_units_is_table_rule (quote))
        return -1;
      while (n > 0 && strchr ("| ", quote[n - 1]) != NULL)
        quote[--n] = '\0';
      memmove (quote, quote + strspn (quote, "| "), n - strspn (quote, "| ") + 1);
    }
  if (*quote == '\0')
    return -1;
  unit = g_new0 (ExtractiveUnit, 1);
  unit->kind = kind;
  unit->hit = self->hit;
  unit->block = self->block;
  unit->parent = parent;
  unit->heading = self->heading;
  unit->words = extractive_words_split (quote, self->language);
  unit->quote = g_steal_pointer (&quote);
  g_ptr_array_add (self->units, unit);
  return (gint) self->units->len - 1;
}

static gboolean
extractive_units_is_abbreviation (const gchar *text, gsize end)
{
  static const gchar *const known[]
      = { "e.g", "i.e", "etc", "cf",  "vs",  "no",  "fig", "approx", "incl",
          "max", "min", "dr",  "mr",  "mrs", "inc", "ltd", "z.b",    "bzw",
          "ca",  "nr",  "d.h", "usw", "ggf", "st",  "sec", "art",    NULL };
  gsize start = end;
  g_autofree gchar *word = NULL;

  while (start > 0 && !g_ascii_isspace (text[start - 1]) && text[start - 1] != '(')
    start--;
  if (end - start == 1 && (g_ascii_isalpha (text[start]) || start == 0))
    return TRUE;
  word = g_ascii_strdown (text + start, (gssize) (end - start));
  /* "1.", "2.1." at the start of a clause */
  if (start == 0 && strspn (word, "0123456789.") == strlen (word))
    return TRUE;
  return g_strv_contains (known, word);
}

/* where the sentence that starts at @from ends (behind its mark and closing quotes) */
static gsize
extractive_units_sentence_end (const gchar *text, gsize from)
{
  for (gsize at = from; text[at] != '\0'; at++)
    {
      gsize end = at + 1;

      if (strncmp (text + at, "。", 3) == 0)
        return at + 3;
      if (strchr (".!?", text[at]) == NULL)
        continue;
      while (text[end] != '\0' && strchr ("\"')]*_.!?", text[end]) != NULL)
        end++;
      if (strncmp (text + end, "”", 3) == 0)
        end += 3;
      if (text[end] == '\0')
        return end;
      if (text[end] != ' ' || g_ascii_islower (text[end + 1])
          || (text[at] == '.' && extractive_units_is_abbreviation (text + from, at - from)))
        continue;
      return end;
    }
  return from + strlen (text + from);
}

/* "2. Grant of Licence. Subject to …": the short first sentence of a numbered clause is its title
 */
static gboolean
extractive_units_is_title (const gchar *text, gsize length)
{
  guint words = 1;

  if (!g_ascii_isdigit (text[0]) || length > 60 || text[length - 1] != '.')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    words += text[i] == ' ' ? 1 : 0;
  return words >= 2 && words <= 8;
}

static gint
extractive_units_add_sentences (Cutter *self, ExtractiveUnitKind kind, const gchar *text,
                                gint parent)
{
  g_autofree gchar *flat = extractive_words_collapse (text, strlen (text));
  gint first = -1;
  gint last = -1;

  for (gsize at = 0; flat[at] != '\0';)
    {
      gsize end = extractive_units_sentence_end (flat, at);

      if (at == 0 && flat[end] != '\0' && parent < 0 && extractive_units_is_title (flat, end))
        self->heading = extractive_units_add (self, EXTRACTIVE_UNIT_HEADING, flat, end, -1);
      else
        last = extractive_units_add (self, kind, flat + at, end - at, parent);
      if (first < 0)
        first = last;
      at = end + strspn (flat + end, " ");
    }
  if (last >= 0 && g_str_has_suffix (flat, ":"))
    self->intro = last;
  return first;
}

/* "4. Conveying Verbatim Copies." but not "4. Stop the pump.": the longer words begin with capitals
 */
static gboolean
extractive_units_is_numbered_caption (const gchar *text)
{
  const gchar *at = text + strcspn (text, " ");

  if (!g_ascii_isdigit (*text) || *at == '\0' || !g_ascii_isupper (at[1])
      || text[extractive_units_sentence_end (text, 0)] != '\0')
    return FALSE;
  while (*at != '\0')
    {
      gsize length = strcspn (at + 1, " ");

      if (length >= 4 && !g_unichar_isupper (g_utf8_get_char (at + 1)))
        return FALSE;
      at += 1 + length;
    }
  return TRUE;
}

/* a line that names what follows; a numbered one only when it stands alone, for else it is a step
 */
static gboolean
extractive_units_is_caption (const gchar *text, gboolean alone)
{
  gsize n = strlen (text);
  guint words = 0;

  if (n > MAX_HEADING || n < 2)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    words += text[i] != ' ' && (i == 0 || text[i - 1] == ' ') ? 1 : 0;
  if (words > MAX_CAPTION || strchr (":,;", text[n - 1]) != NULL)
    return FALSE;
  return (alone && words > 1 && extractive_units_is_numbered_caption (text))
         || (strchr (".!?)\">", text[n - 1]) == NULL && g_unichar_isupper (g_utf8_get_char (text)));
}

/* a list item or the entry of an option */
static void
extractive_units_take_item (Cutter *self, const gchar *text, gboolean alone)
{
  gsize marker = extractive_units_marker (text, strlen (text));
  /* a bullet says nothing, a number tells the order of steps */
  const gchar *body = marker > 0 && !g_ascii_isdigit (text[0]) && text[0] != '(' && text[1] == ' '
                          ? text + marker
                          : text;

  if (self->pending_kind == LINE_OPTION && strlen (body) <= WHOLE_ITEM)
    self->item = extractive_units_add (self, EXTRACTIVE_UNIT_OPTION, body, strlen (body), -1);
  else if (self->pending_kind == LINE_OPTION)
    self->item = extractive_units_add_sentences (self, EXTRACTIVE_UNIT_OPTION, body, -1);
  else if (alone && self->intro < 0 && g_ascii_isdigit (*text)
           && extractive_units_is_caption (text, TRUE))
    self->heading = extractive_units_add (self, EXTRACTIVE_UNIT_HEADING, text, strlen (text), -1);
  else
    self->item = extractive_units_add_sentences (self, EXTRACTIVE_UNIT_ITEM, body, self->intro);
  self->item_indent = self->pending_indent;
}

/* a block is complete: cut it into units */
static void
extractive_units_flush (Cutter *self)
{
  g_autofree gchar *text = extractive_words_collapse (self->pending->str, self->pending->len);
  gboolean one_line = self->pending_lines == 1;
  gboolean alone = one_line && self->blank_before && self->at_blank;
  gint intro = self->intro;

  g_string_truncate (self->pending, 0);
  self->pending_lines = 0;
  if (*text == '\0')
    return;
  self->block++;
  if (self->pending_kind == LINE_OPTION || self->pending_kind == LINE_ITEM)
    {
      extractive_units_take_item (self, text, alone);
      return;
    }
  if (self->item >= 0 && self->pending_indent > self->item_indent)
    {
      extractive_units_add_sentences (self, EXTRACTIVE_UNIT_SENTENCE, text, self->item);
      return;
    }
  self->intro = self->item = -1;
  if (one_line && self->pending_indent <= 8 && extractive_units_is_caption (text, alone))
    self->heading = extractive_units_add (self, EXTRACTIVE_UNIT_HEADING, text, strlen (text), -1);
  else
    /* what follows a line that ends with a colon belongs to it, list or not */
    extractive_units_add_sentences (self, EXTRACTIVE_UNIT_SENTENCE, text, intro);
}

static void
extractive_units_begin (Cutter *self, const Line *line)
{
  extractive_units_flush (self);
  self->pending_kind = line->kind;
  self->pending_indent = line->indent;
}

static void
extractive_units_gather (Cutter *self, const Line *line)
{
  if (self->pending_lines > 0)
    g_string_append_c (self->pending, ' ');
  else
    self->blank_before = self->was_blank;
  g_string_append_len (self->pending, line->text, (gssize) line->length);
  self->pending_lines++;
}

static void
extractive_units_take_heading (Cutter *self, const Line *line)
{
  gsize skip = strspn (line->text, "# ");

  extractive_units_flush (self);
  self->block++;
  self->intro = self->item = -1;
  self->heading = extractive_units_add (self, EXTRACTIVE_UNIT_HEADING, line->text + skip,
                                        line->length > skip ? line->length - skip : 0, -1);
}

static void
extractive_units_take_row (Cutter *self, const Line *line)
{
  g_autofree gchar *text = g_strndup (line->text, line->length);
  gint row;

  extractive_units_flush (self);
  if (self->table_first >= 0 && *text == '|' && extractive_units_is_table_rule (text))
    {
      self->table_head = self->table_first;
      ((ExtractiveUnit *) g_ptr_array_index (self->units, self->table_head))->kind
          = EXTRACTIVE_UNIT_TABLE_HEAD;
      return;
    }
  self->block++;
  row = extractive_units_add (self, EXTRACTIVE_UNIT_ROW, text, line->length,
                              self->table_head >= 0 ? self->table_head : self->intro);
  if (self->table_first < 0)
    self->table_first = row;
}

/* the line under a one-line paragraph that makes it a heading */
static void
extractive_units_take_rule (Cutter *self)
{
  g_autofree gchar *text = g_strdup (self->pending->str);
  gboolean heading = self->pending_lines == 1 && strlen (text) <= MAX_HEADING;

  if (!heading)
    {
      extractive_units_flush (self);
      return;
    }
  g_string_truncate (self->pending, 0);
  self->pending_lines = 0;
  self->block++;
  self->intro = self->item = -1;
  self->heading = extractive_units_add (self, EXTRACTIVE_UNIT_HEADING, text, strlen (text), -1);
}

static void
extractive_units_take_line (Cutter *self, const Line *line)
{
  if (line->kind != LINE_ROW)
    self->table_first = self->table_head = -1;
  switch (line->kind)
    {
    case LINE_BLANK:
      extractive_units_flush (self);
      break;
    case LINE_HEADING:
      extractive_units_take_heading (self, line);
      break;
    case LINE_RULE:
      extractive_units_take_rule (self);
      break;
    case LINE_ROW:
      extractive_units_take_row (self, line);
      break;
    case LINE_ITEM:
    case LINE_OPTION:
      extractive_units_begin (self, line);
      extractive_units_gather (self, line);
      break;
    case LINE_PROSE:
    default:
      /* in a manual page, text at the margin under indented text is a new section */
      if (self->pending_lines == 0 || (line->indent == 0 && self->pending_indent >= 4))
        extractive_units_begin (self, line);
      extractive_units_gather (self, line);
      break;
    }
}

static void
extractive_units_cut (Cutter *self, const gchar *content)
{
  for (const gchar *at = content; *at != '\0';)
    {
      gsize length = strcspn (at, "\n");
      Line line = { .text = at, .length = length };

      while (line.length > 0 && strchr (" \t\r\f", *line.text) != NULL)
        {
          line.indent += *line.text == '\t' ? 8 : 1;
          line.text++;
          line.length--;
        }
      while (line.length > 0 && strchr (" \t\r\f", line.text[line.length - 1]) != NULL)
        line.length--;
      line.kind = extractive_units_classify (self, line.text, line.length, line.indent);
      if (line.length >= 3 && strncmp (line.text, "```", 3) == 0)
        {
          self->in_code = !self->in_code;
          line.kind = LINE_BLANK;
        }
      else if (self->in_code && line.kind != LINE_BLANK)
        line.kind = LINE_ROW;
      /* a section title of a manual page has its text straight below, indented */
      if (self->pending_lines == 1 && self->pending_indent == 0 && line.indent >= 4
          && self->pending_kind == LINE_PROSE
          && extractive_units_is_caption (self->pending->str, FALSE))
        extractive_units_flush (self);
      self->at_blank = line.kind == LINE_BLANK;
      extractive_units_take_line (self, &line);
      self->was_blank = self->at_blank;
      at += length + (at[length] == '\n' ? 1 : 0);
    }
  self->at_blank = TRUE;
  extractive_units_flush (self);
}

/**
 * extractive_units_split:
 * @hits: (element-type ExtractiveHit): passages
 * @language: whose stems to build
 *
 * Returns: (transfer full) (element-type ExtractiveUnit): what can be quoted, in the order of the
 * passages
 */
GPtrArray *
extractive_units_split (GPtrArray *hits, ExtractiveLanguage language)
{
  GPtrArray *units = g_ptr_array_new_with_free_func (extractive_units_free);
  g_autoptr (GString) pending = g_string_new (NULL);

  for (guint i = 0; i < hits->len; i++)
    {
      const ExtractiveHit *hit = g_ptr_array_index (hits, i);
      Cutter cutter = { .units = units, .language = language, .hit = i, .pending = pending };

      cutter.heading = cutter.intro = cutter.item = cutter.table_first = cutter.table_head = -1;
      cutter.block = units->len + i + 1;
      cutter.was_blank = TRUE;
      extractive_units_cut (&cutter, hit->content);
    }
  return units;
}
