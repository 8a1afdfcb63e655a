/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is compared must have one spelling only: a path or domain that another program could read
 * otherwise than we do has no canonical form and is refused, instead of being guessed at. */
#include "policy-glob.h"

#include <string.h>

/**
 * reeve_policy_glob_has_wildcard:
 * @pattern: a pattern
 *
 * Returns: whether it can match more than its own text
 */
gboolean
reeve_policy_glob_has_wildcard (const char *pattern)
{
  return strpbrk (pattern, "*?") != NULL;
}

/**
 * reeve_policy_glob_match:
 * @pattern: a pattern
 * @text: a text
 *
 * Takes time of the product of both lengths at worst, never more.
 *
 * Returns: whether @text is one of those that @pattern means
 */
gboolean
reeve_policy_glob_match (const char *pattern, const char *text)
{
  const char *star = NULL; /* behind the last one seen */
  const char *from = text; /* where what it swallowed ends */

  while (*text != '\0')
    {
      if (*pattern == '*')
        {
          star = ++pattern;
          from = text;
        }
      else if (*pattern == '?' || (*pattern == *text && *pattern != '\0'))
        {
          /* one character, of however many bytes */
          gboolean any = *pattern++ == '?';

          text++;
          while (any && ((guchar) *text & 0xc0) == 0x80)
            text++;
        }
      else if (star != NULL)
        {
          pattern = star;
          text = ++from;
        }
      else
        return FALSE;
    }
  while (*pattern == '*')
    pattern++;
  return *pattern == '\0';
}

/**
 * reeve_policy_glob_covers:
 * @wide: a pattern
 * @name: a name or a pattern
 *
 * Returns: whether @wide certainly means all that @name means
 */
gboolean
reeve_policy_glob_covers (const char *wide, const char *name)
{
  if (strchr (name, '*') != NULL && strchr (wide, '?') != NULL)
    return strcmp (wide, name) == 0;
  return reeve_policy_glob_match (wide, name);
}

/* reached[i]: the pattern so far can end before character i of the path. */
static void
reeve_policy_glob_advance (gboolean *reached, const char *path, gsize length, char token,
                           gboolean deep)
{
  gboolean open = FALSE;

  if (token == '*')
    {
      for (gsize i = 0; i <= length; i++)
        {
          open = open || reached[i];
          reached[i] = open;
          if (!deep && i < length && path[i] == '/')
            open = FALSE;
        }
      return;
    }
  for (gsize i = length; i > 0; i--)
    reached[i] = reached[i - 1] && (path[i - 1] == token || (token == '?' && path[i - 1] != '/'));
  reached[0] = FALSE;
}

/**
 * reeve_policy_glob_match_path:
 * @pattern: a canonical pattern
 * @path: a canonical path
 *
 * Returns: whether @path is one of those that @pattern means
 */
gboolean
reeve_policy_glob_match_path (const char *pattern, const char *path)
{
  gsize length = strlen (path);
  g_autofree gboolean *reached = NULL;

  if (length > REEVE_POLICY_GLOB_LONGEST)
    return FALSE;
  reached = g_new0 (gboolean, length + 1);
  reached[0] = TRUE;
  for (const char *at = pattern; *at != '\0'; at++)
    {
      gboolean deep = at[0] == '*' && at[1] == '*';
      gboolean below = at[0] == '*' && at[1] == '\0' && (at == pattern || at[-1] == '/');

      reeve_policy_glob_advance (reached, path, length, *at, deep || below);
      if (deep)
        at++;
    }
  return reached[length] && length > 0 && path[length - 1] != '/';
}

/**
 * reeve_policy_glob_match_domain:
 * @pattern: a canonical pattern
 * @domain: a canonical domain
 *
 * Returns: whether @domain is one of those that @pattern means
 */
gboolean
reeve_policy_glob_match_domain (const char *pattern, const char *domain)
{
  if (strcmp (pattern, "*") == 0)
    return TRUE;
  if (g_str_has_prefix (pattern, "*."))
    return g_str_has_suffix (domain, pattern + 1) && strlen (domain) > strlen (pattern + 1);
  return strcmp (pattern, domain) == 0;
}

/* ---- paths ---- */

static char *
reeve_policy_glob_refuse (const char *what, const char *text, GError **error)
{
  g_autofree char *shown = g_utf8_make_valid (text, (gssize) MIN (strlen (text), 200));

  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "\"%s\" is no %s", shown, what);
  return NULL;
}

static gboolean
reeve_policy_glob_has_control (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if ((guchar) *at < 0x20 || *at == 0x7f)
      return TRUE;
  return FALSE;
}

/* An encoded dot, separator or percent sign: decoded by some, left by others. */
static gboolean
reeve_policy_glob_has_encoded (const char *text)
{
  static const char *const codes[] = { "2e", "2f", "5c", "25", "00" };

  for (const char *at = strchr (text, '%'); at != NULL; at = strchr (at + 1, '%'))
    for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
      if (g_ascii_strncasecmp (at + 1, codes[i], 2) == 0)
        return TRUE;
  return FALSE;
}

static gboolean
reeve_policy_glob_is_plain_path (const char *text)
{
  return *text != '\0' && *text != '~' && strlen (text) <= REEVE_POLICY_GLOB_LONGEST
         && g_utf8_validate (text, -1, NULL) && !reeve_policy_glob_has_control (text)
         && !reeve_policy_glob_has_encoded (text) && strchr (text, '\\') == NULL
         && strstr (text, "://") == NULL;
}

/**
 * reeve_policy_glob_path:
 * @text: a path, or a pattern of paths
 * @error: return location
 *
 * Returns: (transfer full): its one spelling; %NULL with %REEVE_ERROR_INVALID_ARGUMENT for one that
 * leads above its begin, holds backslashes, control characters, encoded separators or a leading
 * tilde, or is a URL of another scheme than `file`
 */
char *
reeve_policy_glob_path (const char *text, GError **error)
{
  gboolean absolute = FALSE;
  g_auto (GStrv) segments = NULL;
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  g_autofree char *joined = NULL;

  if (g_ascii_strncasecmp (text, "file:///", 8) == 0)
    text += 7;
  if (!reeve_policy_glob_is_plain_path (text))
    return reeve_policy_glob_refuse ("path", text, error);
  absolute = *text == '/';
  segments = g_strsplit (text, "/", -1);
  for (guint i = 0; segments[i] != NULL; i++)
    {
      if (*segments[i] == '\0' || strcmp (segments[i], ".") == 0)
        continue;
      if (strcmp (segments[i], "..") != 0)
        g_ptr_array_add (kept, segments[i]);
      else if (kept->len > 0)
        g_ptr_array_set_size (kept, (gint) kept->len - 1);
      else if (!absolute)
        return reeve_policy_glob_refuse ("path below its begin", text, error);
    }
  g_ptr_array_add (kept, NULL);
  joined = g_strjoinv ("/", (char **) kept->pdata);
  if (absolute)
    return g_strconcat ("/", joined, NULL);
  return *joined != '\0' ? g_steal_pointer (&joined) : g_strdup (".");
}

/* ---- domains ---- */

/* Names and addresses only: what is left after this is letters, digits, dots, hyphens, colons. */
static gboolean
reeve_policy_glob_is_host (const char *host)
{
  if (*host == '\0' || strlen (host) > 253 || *host == '.' || strstr (host, "..") != NULL)
    return FALSE;
  for (const char *at = host; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr (".-_:", *at) == NULL)
      return FALSE;
  return TRUE;
}

static char *
reeve_policy_glob_host (const char *host, const char *text, GError **error)
{
  g_autofree char *ascii = g_hostname_to_ascii (host);
  gsize length = 0;

  if (ascii == NULL)
    return reeve_policy_glob_refuse ("domain", text, error);
  length = strlen (ascii);
  if (length > 1 && ascii[length - 1] == '.')
    ascii[length - 1] = '\0';
  if (!reeve_policy_glob_is_host (ascii))
    return reeve_policy_glob_refuse ("domain", text, error);
  return g_ascii_strdown (ascii, -1);
}

/* http and https only: a tool that follows another scheme reads files or speaks to what is no web
 * server. Without `//` a scheme, which some follow all the same, looks like a host without a port.
 */
static gboolean
reeve_policy_glob_is_web (const char *text)
{
  const char *colon = strchr (text, ':');

  if (strstr (text, "://") != NULL)
    return g_ascii_strncasecmp (text, "http://", 7) == 0
           || g_ascii_strncasecmp (text, "https://", 8) == 0;
  return colon == NULL || strcspn (text, "/?#") < (gsize) (colon - text)
         || strchr (text, '[') != NULL || g_ascii_isdigit (colon[1]);
}

/**
 * reeve_policy_glob_domain:
 * @text: a URL, or a host with or without a port
 * @error: return location
 *
 * Returns: (transfer full): the host in its one spelling; %NULL with %REEVE_ERROR_INVALID_ARGUMENT,
 * for a URL of another scheme than http and https too
 */
char *
reeve_policy_glob_domain (const char *text, GError **error)
{
  g_autofree char *whole = NULL;
  g_autoptr (GUri) uri = NULL;

  if (strlen (text) > REEVE_POLICY_GLOB_LONGEST || !g_utf8_validate (text, -1, NULL)
      || reeve_policy_glob_has_control (text) || strpbrk (text, "\\ ") != NULL
      || !reeve_policy_glob_is_web (text))
    return reeve_policy_glob_refuse ("domain", text, error);
  whole = strstr (text, "://") != NULL ? g_strdup (text) : g_strconcat ("x://", text, NULL);
  uri = g_uri_parse (whole, G_URI_FLAGS_NONE, NULL);
  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return reeve_policy_glob_refuse ("domain", text, error);
  return reeve_policy_glob_host (g_uri_get_host (uri), text, error);
}

/**
 * reeve_policy_glob_domain_pattern:
 * @text: `*`, `*.` and a domain, or a domain
 * @error: return location
 *
 * Returns: (transfer full): its one spelling; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
char *
reeve_policy_glob_domain_pattern (const char *text, GError **error)
{
  gboolean below = g_str_has_prefix (text, "*.");
  g_autofree char *host = NULL;

  if (strcmp (text, "*") == 0)
    return g_strdup (text);
  host = reeve_policy_glob_domain (below ? text + 2 : text, error);
  if (host == NULL)
    return NULL;
  return g_strconcat (below ? "*." : "", host, NULL);
}
