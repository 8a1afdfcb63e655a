/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the bytes of a text file to text: UTF-8 only, and said plainly when it is not. */
#include "text-decode.h"

#include <reeve-plugin-1.h>

#include <string.h>

#define TITLE_MAX 200 /* bytes */

typedef struct
{
  const gchar *mark;
  gsize length;
  const gchar *name;
} TextMark;

/* byte order marks of other encodings, longer ones first */
static const TextMark text_marks[] = { { "\xff\xfe\0\0", 4, "UTF-32" },
                                       { "\0\0\xfe\xff", 4, "UTF-32" },
                                       { "\xff\xfe", 2, "UTF-16" },
                                       { "\xfe\xff", 2, "UTF-16" } };

static gboolean
text_decode_check (const gchar *data, gsize length, GError **error)
{
  const gchar *bad = NULL;

  if (length > TEXT_DECODE_MAX)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "text of %" G_GSIZE_FORMAT " bytes is longer than the %" G_GSIZE_FORMAT
                   " that are read",
                   length, TEXT_DECODE_MAX);
      return FALSE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (text_marks); i++)
    if (length >= text_marks[i].length
        && memcmp (data, text_marks[i].mark, text_marks[i].length) == 0)
      {
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                     "text is encoded as %s; save it as UTF-8 and upload it again",
                     text_marks[i].name);
        return FALSE;
      }
  if (length > 0 && memchr (data, '\0', length) != NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "not a text: zero byte at offset %" G_GSIZE_FORMAT,
                   (gsize) ((const gchar *) memchr (data, '\0', length) - data));
      return FALSE;
    }
  if (!g_utf8_validate_len (data, length, &bad))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "text is not UTF-8: byte 0x%02X at offset %" G_GSIZE_FORMAT
                   "; save it as UTF-8 and upload it again",
                   (guint) (guchar) *bad, (gsize) (bad - data));
      return FALSE;
    }
  return TRUE;
}

/**
 * text_decode:
 * @data: bytes of a file
 * @length: their number
 * @error: return location
 *
 * Checks that the bytes are UTF-8, drops a byte order mark, and turns line ends (CR LF, CR, form
 * feed) into LF and other control characters into spaces.
 *
 * Returns: (transfer full): the text, or %NULL with %REEVE_ERROR_INVALID_ARGUMENT or
 * %REEVE_ERROR_TOO_LARGE
 */
gchar *
text_decode (const gchar *data, gsize length, GError **error)
{
  g_autoptr (GString) text = NULL;

  if (!text_decode_check (data, length, error))
    return NULL;
  if (length >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    {
      data += 3;
      length -= 3;
    }
  text = g_string_sized_new (length + 1);
  for (gsize i = 0; i < length; i++)
    {
      gchar c = data[i];

      if (c == '\r' && i + 1 < length && data[i + 1] == '\n')
        continue;
      if (c == '\r' || c == '\f')
        c = '\n';
      else if (((guchar) c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
        c = ' ';
      g_string_append_c (text, c);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* the words of a heading line: without the hashes at both ends */
static gchar *
text_decode_heading (const gchar *line, gsize length)
{
  g_autofree gchar *copy = NULL;
  const gchar *start = line + strspn (line, "#");
  gsize n;

  copy = g_strndup (start, length - (gsize) (start - line));
  g_strstrip (copy);
  n = strlen (copy);
  while (n > 0 && strchr ("# ", copy[n - 1]) != NULL)
    copy[--n] = '\0';
  if (n > TITLE_MAX)
    *g_utf8_find_prev_char (copy, copy + TITLE_MAX + 1) = '\0';
  return *copy != '\0' ? g_steal_pointer (&copy) : NULL;
}

static gboolean
text_decode_is_underline (const gchar *line)
{
  gsize n = strspn (line, "=");

  return n >= 3 && strspn (line + n, " \t") == strcspn (line + n, "\n");
}

/**
 * text_decode_title:
 * @text: a text
 *
 * Returns: (transfer full) (nullable): its first heading in the sense of Markdown, of whatever
 * level
 */
gchar *
text_decode_title (const gchar *text)
{
  gboolean in_code = FALSE;

  for (const gchar *line = text; *line != '\0';)
    {
      gsize length = strcspn (line, "\n");
      gsize hashes = strspn (line, "#");
      const gchar *next = line + length + (line[length] == '\n' ? 1 : 0);
      g_autofree gchar *title = NULL;

      if (strncmp (line, "```", 3) == 0 || strncmp (line, "~~~", 3) == 0)
        in_code = !in_code;
      else if (!in_code
               && ((hashes >= 1 && hashes <= 6 && line[hashes] == ' ')
                   || (hashes == 0 && length > 0 && text_decode_is_underline (next))))
        title = text_decode_heading (line, length);
      if (title != NULL)
        return g_steal_pointer (&title);
      line = next;
    }
  return NULL;
}
