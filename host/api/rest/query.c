/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The query of a target, as application/x-www-form-urlencoded. */
#include "query.h"

#include <string.h>

static char *
reeve_rest_query_decode (const char *from, gsize length)
{
  g_autofree char *text = g_strndup (from, length);
  char *decoded = NULL;

  g_strdelimit (text, "+", ' ');
  decoded = g_uri_unescape_string (text, NULL);
  if (decoded == NULL || !g_utf8_validate (decoded, -1, NULL))
    g_clear_pointer (&decoded, g_free);
  return decoded;
}

/* What cannot be decoded is refused with the other faults, under the name that it came with. */
void
reeve_rest_query_give (const char *target, ReeveCall *call)
{
  const char *query = strchr (target, '?');
  g_auto (GStrv) pairs = query != NULL ? g_strsplit (query + 1, "&", 64) : NULL;

  for (guint i = 0; pairs != NULL && pairs[i] != NULL; i++)
    {
      gsize length = strcspn (pairs[i], "=");
      g_autofree char *name = reeve_rest_query_decode (pairs[i], length);
      g_autofree char *value = NULL;

      if (*pairs[i] == '\0')
        continue;
      value = pairs[i][length] == '='
                  ? reeve_rest_query_decode (pairs[i] + length + 1, strlen (pairs[i] + length + 1))
                  : g_strdup ("");
      if (name != NULL && value != NULL)
        {
          reeve_call_set_query_member (call, name, value);
          continue;
        }
      if (name == NULL)
        {
          g_autofree char *raw = g_strndup (pairs[i], length);

          name = g_utf8_make_valid (raw, -1);
        }
      reeve_call_set_garbled_member (call, name);
    }
}
