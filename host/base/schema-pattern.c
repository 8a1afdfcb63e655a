/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Schema writes patterns in ECMAScript's language, GRegex reads PCRE2's. What differs in
 * patterns that people write is translated: escapes of characters, and \d and \w, which mean ASCII
 * there. Matching has a limit of steps, so a pattern from outside cannot stop a thread. */
#include "schema-internal.h"

#include <string.h>

/* PCRE2's count of internal match calls: enough for honest patterns, some milliseconds at most */
#define REEVE_SCHEMA_PATTERN_LIMITS "(*LIMIT_MATCH=100000)(*LIMIT_DEPTH=2000)(*LIMIT_HEAP=4096)"

/* \d, \D, \w, \W outside and inside a class */
static const struct
{
  char letter;
  const char *outside;
  const char *inside;
} reeve_schema_pattern_classes[] = {
  { 'd', "[0-9]", "0-9" },
  { 'D', "[^0-9]", "\\x{0}-/:-\\x{10ffff}" },
  { 'w', "[A-Za-z0-9_]", "A-Za-z0-9_" },
  { 'W', "[^A-Za-z0-9_]", "\\x{0}-/:-@\\[-\\^`{-\\x{10ffff}" },
};

/* \uXXXX or \u{X…}; returns what is behind it, or NULL when it is neither */
static const char *
reeve_schema_pattern_unicode (const char *at, GString *out)
{
  const char *digits = at + (*at == '{' ? 1 : 0);
  gsize n = strspn (digits, "0123456789abcdefABCDEF");

  if (*at == '{' ? n == 0 || n > 6 || digits[n] != '}' : n < 4)
    return NULL;
  n = *at == '{' ? n : 4;
  g_string_append_printf (out, "\\x{%.*s}", (int) n, digits);
  return digits + n + (*at == '{' ? 1 : 0);
}

/* translates the escape whose backslash is at @at; returns what is behind it */
static const char *
reeve_schema_pattern_escape (const char *at, gboolean in_class, GString *out)
{
  if (at[1] == 'u')
    {
      const char *behind = reeve_schema_pattern_unicode (at + 2, out);
      if (behind != NULL)
        return behind;
    }
  for (guint i = 0; i < G_N_ELEMENTS (reeve_schema_pattern_classes); i++)
    if (at[1] == reeve_schema_pattern_classes[i].letter)
      {
        g_string_append (out, in_class ? reeve_schema_pattern_classes[i].inside
                                       : reeve_schema_pattern_classes[i].outside);
        return at + 2;
      }
  g_string_append_c (out, '\\');
  if (at[1] != '\0')
    g_string_append_c (out, at[1]);
  return at + (at[1] != '\0' ? 2 : 1);
}

/*
 * reeve_schema_pattern_compile:
 * @pattern: a regular expression of ECMA-262
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the expression
 */
GRegex *
reeve_schema_pattern_compile (const char *pattern, GError **error)
{
  g_autoptr (GString) out = g_string_new (REEVE_SCHEMA_PATTERN_LIMITS "(?:");
  g_autoptr (GError) local = NULL;
  gboolean in_class = FALSE;

  if (strlen (pattern) > REEVE_SCHEMA_PATTERN_LENGTH)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "a pattern that is too long");
      return NULL;
    }
  for (const char *at = pattern; *at != '\0';)
    {
      if (*at == '\\')
        {
          at = reeve_schema_pattern_escape (at, in_class, out);
          continue;
        }
      if (*at == '[' && in_class)
        g_string_append_c (out, '\\'); /* else PCRE2 may see a POSIX class */
      in_class = in_class ? *at != ']' : *at == '[';
      g_string_append_c (out, *at++);
    }
  g_string_append_c (out, ')');
  /* "$" is the very end in ECMAScript, not before a last line feed */
  GRegex *regex = g_regex_new (out->str, G_REGEX_DOLLAR_ENDONLY, 0, &local);
  if (regex == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "\"%s\" is no pattern: %s",
                 pattern, local->message);
  return regex;
}
