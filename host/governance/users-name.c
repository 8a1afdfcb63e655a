/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A name that looks like another's is a way to be taken for him. Names are kept as they were
 * written and compared as PRECIS does it for user names (RFC 8265 section 3.3, UsernameCaseMapped),
 * but with the compatibility forms of NFKC, which fold more: ADMIN, fullwidth and ligature forms
 * are all one. What cannot be seen has no place in a name. Letters of two scripts that look alike
 * are two letters here, as in RFC 8265. */
#include "users-name.h"

#include <reeve-error.h>
#include <string.h>

/* bytes that are looked at: a name has 128 characters at most, an attempt may have more */
#define REEVE_USERS_NAME_MAX 1024

/**
 * reeve_users_name_fold:
 * @username: any text
 *
 * Returns: (transfer full): the form that is compared
 */
char *
reeve_users_name_fold (const char *username)
{
  gsize length = strnlen (username, REEVE_USERS_NAME_MAX + 1);
  g_autofree char *wide = NULL;
  g_autofree char *folded = NULL;
  g_autoptr (GString) lower = NULL;

  /* nobody has such a name, and it is its own */
  if (length > REEVE_USERS_NAME_MAX || !g_utf8_validate_len (username, length, NULL))
    return g_strdup (username);
  wide = g_utf8_normalize (username, (gssize) length, G_NORMALIZE_NFKC);
  folded = g_utf8_casefold (wide, -1);
  /* GLib folds the two cases of a Cherokee letter into one another */
  lower = g_string_sized_new (length);
  for (const char *at = folded; *at != '\0'; at = g_utf8_next_char (at))
    g_string_append_unichar (lower, g_unichar_tolower (g_utf8_get_char (at)));
  /* folding may bring about forms that are none of NFKC */
  return g_utf8_normalize (lower->str, -1, G_NORMALIZE_NFKC);
}

/* What is drawn as nothing although it is a letter, a mark or a symbol by its type
 * (Default_Ignorable_Code_Point and the empty braille pattern). */
static gboolean
reeve_users_name_is_blank (gunichar c)
{
  return c == 0x034f || (c >= 0x115f && c <= 0x1160) || (c >= 0x17b4 && c <= 0x17b5)
         || (c >= 0x180b && c <= 0x180f) || c == 0x2800 || c == 0x3164
         || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xffa0 || (c >= 0xe0100 && c <= 0xe01ef);
}

/**
 * reeve_users_name_may_have:
 * @c: a character
 *
 * Controls, formats (those that change the direction of text among them), white space, what has no
 * meaning as yet or one of its own, and the slash, which stands between tenant and user at a login,
 * may not.
 *
 * Returns: whether it may stand in the name of a user
 */
gboolean
reeve_users_name_may_have (gunichar c)
{
  if (c == '/' || g_unichar_isspace (c) || reeve_users_name_is_blank (c))
    return FALSE;
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_SPACE_SEPARATOR:
      return FALSE;
    default:
      return TRUE;
    }
}

/**
 * reeve_users_name_check:
 * @username: the name that somebody is to have
 * @error: return location
 *
 * Held to what it looks like too: a fullwidth slash is one.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
reeve_users_name_check (const char *username, GError **error)
{
  g_autofree char *folded = reeve_users_name_fold (username);
  const char *const forms[] = { username, folded };

  if (*username == '\0')
    {
      reeve_error_set_member (error, "/username", "is required");
      return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    for (const char *at = forms[i]; *at != '\0'; at = g_utf8_next_char (at))
      if (!reeve_users_name_may_have (g_utf8_get_char (at)))
        {
          reeve_error_set_member (error, "/username",
                                  "U+%04X may not stand in it, in whatever form: white space, "
                                  "slashes and what cannot be seen may not",
                                  g_utf8_get_char (at));
          return FALSE;
        }
  return TRUE;
}
