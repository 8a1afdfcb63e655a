/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 7617 with charset UTF-8. A user name has no slash here, so the text before one is the tenant;
 * the password has everything behind the first colon. */
#include "basic-header.h"

#include <string.h>

#define BASIC_HEADER_TENANT 64  /* bytes */
#define BASIC_HEADER_USER   512 /* bytes: 128 characters */

/* The padding may be left out, since there is one right one; nothing else may. */
static gboolean
basic_header_is_base64 (const char *token)
{
  gsize length = strlen (token);
  gsize letters
      = strspn (token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
  gsize padding = strspn (token + letters, "=");

  return letters > 0 && length <= BASIC_HEADER_MAX && letters + padding == length
         && letters % 4 != 1 && (padding == 0 || letters + padding == (letters + 3) / 4 * 4);
}

/* (transfer full) (nullable): UTF-8 without control characters */
static char *
basic_header_decode (const char *token)
{
  g_autofree char *padded = NULL;
  guchar *data = NULL;
  char *text = NULL;
  gsize length = 0;
  gboolean good = TRUE;

  if (!basic_header_is_base64 (token))
    return NULL;
  padded = g_strconcat (token,
                        strlen (token) % 4 == 2   ? "=="
                        : strlen (token) % 4 == 3 ? "="
                                                  : "",
                        NULL);
  data = g_base64_decode (padded, &length);
  good = g_utf8_validate_len ((const char *) data, length, NULL)
         && memchr (data, '\0', length) == NULL;
  text = good ? g_strndup ((const char *) data, length) : NULL;
  explicit_bzero (padded, strlen (padded));
  explicit_bzero (data, length);
  g_free (data);
  for (const char *c = text; good && *c != '\0'; c = g_utf8_next_char (c))
    good = !g_unichar_iscntrl (g_utf8_get_char (c));
  if (good)
    return text;
  if (text != NULL)
    explicit_bzero (text, strlen (text));
  g_free (text);
  return NULL;
}

static gboolean
basic_header_split (BasicHeader *header, const char *text)
{
  const char *colon = strchr (text, ':');
  const char *slash = colon != NULL ? memchr (text, '/', (gsize) (colon - text)) : NULL;
  const char *user = slash != NULL ? slash + 1 : text;

  if (colon == NULL || colon == user || colon[1] == '\0' || colon - user > BASIC_HEADER_USER
      || (slash != NULL && (slash == text || slash - text > BASIC_HEADER_TENANT))
      || memchr (user, '/', (gsize) (colon - user)) != NULL)
    return FALSE;
  header->tenant = slash != NULL ? g_strndup (text, (gsize) (slash - text)) : NULL;
  header->user = g_strndup (user, (gsize) (colon - user));
  header->password = g_strdup (colon + 1);
  return TRUE;
}

/**
 * basic_header_parse:
 * @header: (out caller-allocates): what stands in it
 * @token: what follows `Basic `
 *
 * Returns: %FALSE when it is malformed, too long, or lacks a name or a password
 */
gboolean
basic_header_parse (BasicHeader *header, const char *token)
{
  char *text = basic_header_decode (token);
  gboolean good = FALSE;

  *header = (BasicHeader){ NULL };
  if (text == NULL)
    return FALSE;
  good = basic_header_split (header, text);
  explicit_bzero (text, strlen (text));
  g_free (text);
  return good;
}

/**
 * basic_header_clear:
 * @header: what basic_header_parse() filled in
 */
void
basic_header_clear (BasicHeader *header)
{
  if (header->password != NULL)
    explicit_bzero (header->password, strlen (header->password));
  g_clear_pointer (&header->tenant, g_free);
  g_clear_pointer (&header->user, g_free);
  g_clear_pointer (&header->password, g_free);
}
