/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cells of tables by RFC 4180, for audit exports, costs and sums of usage. */
#include "csv.h"

#include <string.h>

/* What a spreadsheet takes away before it looks at a cell: white space, control and format
 * characters. */
static gboolean
reeve_csv_is_passed_over (gunichar c)
{
  return g_unichar_isspace (c) || g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_FORMAT;
}

/* The full-width forms count, too: some make the others of them (OWASP, "CSV Injection"). */
static gboolean
reeve_csv_is_formula (const char *value)
{
  const char *p = value;
  gunichar c = g_utf8_get_char_validated (p, -1);

  while (*p != '\0' && (gint32) c >= 0 && reeve_csv_is_passed_over (c))
    {
      p = g_utf8_next_char (p);
      c = g_utf8_get_char_validated (p, -1);
    }
  switch (c)
    {
    case '=':
    case '+':
    case '-':
    case '@':
    case 0xff1d: /* full-width equals sign */
    case 0xff0b: /* plus sign */
    case 0xff0d: /* hyphen-minus */
    case 0xff20: /* commercial at */
    case 0x2212: /* minus sign */
      return TRUE;
    default:
      return FALSE;
    }
}

/**
 * reeve_csv_append:
 * @out: a line that is being written
 * @value: the text of a cell
 *
 * Appends a cell, in quotes where it needs them. A spreadsheet calculates what begins like a
 * formula, also behind white space: an apostrophe in front says that it is text. One stands in
 * front of an apostrophe too, so that what was written can be told.
 */
void
reeve_csv_append (GString *out, const char *value)
{
  gboolean guarded
      = (*value != '\0' && strchr ("\t\r\n'", *value) != NULL) || reeve_csv_is_formula (value);
  gboolean quoted = strpbrk (value, ",\"\r\n") != NULL;

  if (quoted)
    g_string_append_c (out, '"');
  if (guarded)
    g_string_append_c (out, '\'');
  for (const char *p = value; *p != '\0'; p++)
    {
      if (*p == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *p);
    }
  if (quoted)
    g_string_append_c (out, '"');
}
