/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must not be in a name: C0, DEL and C1 (they move cursors), the line and paragraph separators
 * of Unicode, and its embeddings, overrides and isolates, by which "gpj.exe" is shown as
 * "exe.jpg" (Unicode Technical Report 36, 2.10). */
#include "plain.h"

static gboolean
reeve_plain_is_odd (gunichar c)
{
  return g_unichar_iscntrl (c) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/**
 * reeve_plain_is_line:
 * @text: valid UTF-8
 *
 * Returns: whether it can be shown as a name
 */
gboolean
reeve_plain_is_line (const char *text)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (reeve_plain_is_odd (g_utf8_get_char (at)))
      return FALSE;
  return TRUE;
}

static char *
reeve_plain_make (const char *text, const char *kept)
{
  g_autoptr (GString) made = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      g_string_append_unichar (
          made, reeve_plain_is_odd (c) && g_utf8_strchr (kept, -1, c) == NULL ? ' ' : c);
    }
  return g_string_free (g_steal_pointer (&made), FALSE);
}

/**
 * reeve_plain_make_line:
 * @text: valid UTF-8
 *
 * Returns: (transfer full): the same, with a blank for each character that no name may have
 */
char *
reeve_plain_make_line (const char *text)
{
  return reeve_plain_make (text, "");
}

/**
 * reeve_plain_make_text:
 * @text: valid UTF-8
 *
 * Returns: (transfer full): the same with its lines and tabs
 */
char *
reeve_plain_make_text (const char *text)
{
  return reeve_plain_make (text, "\n\t");
}
