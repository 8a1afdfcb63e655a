/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cells of tables by RFC 4180, for audit exports, costs and sums of usage. */
#include "csv.h"

#include <string.h>

/**
 * reeve_csv_append:
 * @out: a line that is being written
 * @value: the text of a cell
 *
 * Appends a cell, in quotes where it needs them. A spreadsheet calculates what begins like a
 * formula: an apostrophe in front says that it is text. One stands in front of an apostrophe too,
 * so that what was written can be told.
 */
void
reeve_csv_append (GString *out, const char *value)
{
  gboolean guarded = strchr ("=+-@\t\r\n'", *value) != NULL && *value != '\0';
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
