/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values are counted before any is made: a text of 1 MiB may have 300,000 of them, which take a
 * hundred times its bytes, and there may be twenty such texts at once. */
#include "wire-json.h"

#include <string.h>

/* Behind the text that begins at @at. */
static const char *
wire_json_skip_text (const char *at)
{
  for (at++; *at != '\0' && *at != '"'; at++)
    {
      if (*at == '\\' && at[1] != '\0')
        at++;
    }
  return *at != '\0' ? at + 1 : at;
}

/* One stands behind each of these, or none does: it may be one too many for an empty one. */
static guint
wire_json_count (const char *text)
{
  guint count = 1;

  while (*text != '\0')
    {
      if (*text == '"')
        {
          text = wire_json_skip_text (text);
          continue;
        }
      count += *text == ',' || *text == '[' || *text == '{';
      text++;
    }
  return count;
}

JsonNode *
wire_json_parse (const char *text, GError **error)
{
  if (wire_json_count (text) <= WIRE_JSON_MAX_VALUES)
    return reeve_json_parse_strict (text, strlen (text), error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
               "a JSON text of more than %d values is too large for the wire",
               WIRE_JSON_MAX_VALUES);
  return NULL;
}
