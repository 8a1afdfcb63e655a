/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values are counted before any is made: a text of 1 MiB may have 300,000 of them, which take a
 * hundred times its bytes, and there may be twenty such texts at once. */
#include "wire-json.h"

#include <string.h>

/* Behind the text that begins at @at. */
static const char *
wire_json_skip_text (const char *at, const char *end)
{
  for (at++; at < end && *at != '"'; at++)
    {
      if (*at == '\\' && at + 1 < end)
        at++;
    }
  return at < end ? at + 1 : end;
}

/* One stands behind each of these, or none does: it may be one too many for an empty one. */
static guint
wire_json_count (const char *at, const char *end)
{
  guint count = 1;

  while (at < end)
    {
      if (*at == '"')
        {
          at = wire_json_skip_text (at, end);
          continue;
        }
      count += *at == ',' || *at == '[' || *at == '{';
      at++;
    }
  return count;
}

JsonNode *
wire_json_parse_bounded (const char *data, gsize length, guint most, GError **error)
{
  /* each takes a byte at least */
  if (length < most || wire_json_count (data, data + length) <= most)
    return reeve_json_parse_strict (data, length, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
               "a JSON text of more than %u values is too large here", most);
  return NULL;
}

JsonNode *
wire_json_parse (const char *text, GError **error)
{
  return wire_json_parse_bounded (text, strlen (text), WIRE_JSON_MAX_VALUES, error);
}
