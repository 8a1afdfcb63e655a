/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What looks like a credential in a text is stars in a line: code must not log secrets, and this is
 * the net below that rule. */
#include "log.h"

#include <string.h>

static gboolean
reeve_log_mask_is_token (char c)
{
  return g_ascii_isalnum (c) || strchr ("-_.~+/=", c) != NULL;
}

/* how many bytes before the credential itself when one begins at @at; 0 when none does */
static gsize
reeve_log_mask_find (const char *start, const char *at)
{
  static const char *const marks[]
      = { "Bearer ", "Basic ", "api_key=", "api-key: ", "apikey=", "password=",
          "secret=", "token=", "rv_",      "sk-",       "eyJ" };

  if (at > start && (g_ascii_isalnum (at[-1]) || at[-1] == '_'))
    return 0;
  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      gsize length = strlen (marks[i]);
      if (g_ascii_strncasecmp (at, marks[i], length) != 0)
        continue;
      gsize token = 0;
      gboolean word = TRUE;
      for (; at[length + token] != '\0' && reeve_log_mask_is_token (at[length + token]); token++)
        word &= g_ascii_islower (at[length + token]) != 0;
      /* words such as "basic settings" are no credential, whatever follows an equals sign is */
      if (marks[i][length - 1] == '=' ? token > 0 : token >= (word ? 16 : 8))
        return length;
    }
  return 0;
}

/**
 * reeve_log_mask:
 * @message: a text
 * @most: bytes after which the rest is left out
 *
 * Returns: (transfer full): it, with stars in the place of what looks like a credential
 */
char *
reeve_log_mask (const char *message, gsize most)
{
  GString *out = g_string_new (NULL);
  const char *at = message;

  while (*at != '\0' && out->len < most)
    {
      gsize mark = reeve_log_mask_find (message, at);
      if (mark == 0)
        {
          g_string_append_c (out, *at++);
          continue;
        }
      g_string_append_len (out, at, (gssize) mark);
      g_string_append (out, "***");
      at += mark;
      while (*at != '\0' && reeve_log_mask_is_token (*at))
        at++;
    }
  return g_string_free (out, FALSE);
}
