/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read here was scanned: each value is whole, and ends where its slice does. Escapes are
 * rare, and left to the parser. */
#include "jwt-claim.h"

#include <string.h>

/**
 * jwt_claim_is_array:
 * @value: (nullable): a value
 *
 * Returns: whether it is an array
 */
gboolean
jwt_claim_is_array (const ReeveJsonSlice *value)
{
  return value != NULL && *value->start == '[';
}

/* A text without escapes stands between its quotes as it is. */
static gboolean
jwt_claim_is_plain (const ReeveJsonSlice *value)
{
  return value != NULL && *value->start == '"'
         && memchr (value->start, '\\', value->length) == NULL;
}

/**
 * jwt_claim_make_node:
 * @value: (nullable): a value
 *
 * Returns: (transfer full) (nullable): a tree of it
 */
JsonNode *
jwt_claim_make_node (const ReeveJsonSlice *value)
{
  return value != NULL ? reeve_json_parse_strict (value->start, value->length, NULL) : NULL;
}

/**
 * jwt_claim_dup_text:
 * @value: (nullable): a value
 *
 * Returns: (transfer full) (nullable): its text, of any length; %NULL when it is none
 */
char *
jwt_claim_dup_text (const ReeveJsonSlice *value)
{
  g_autoptr (JsonNode) node = NULL;

  if (value == NULL || *value->start != '"')
    return NULL;
  if (jwt_claim_is_plain (value))
    return g_strndup (value->start + 1, value->length - 2);
  node = jwt_claim_make_node (value);
  return node != NULL ? json_node_dup_string (node) : NULL;
}

/**
 * jwt_claim_is_text:
 * @value: (nullable): a value
 * @text: a text
 *
 * Returns: whether it is that text, byte for byte
 */
gboolean
jwt_claim_is_text (const ReeveJsonSlice *value, const char *text)
{
  g_autofree char *copy = NULL;

  if (jwt_claim_is_plain (value))
    return strlen (text) == value->length - 2
           && memcmp (value->start + 1, text, value->length - 2) == 0;
  copy = jwt_claim_dup_text (value);
  return g_strcmp0 (copy, text) == 0;
}

/**
 * jwt_claim_read_text:
 * @value: (nullable): a value
 * @text: (out): its text
 *
 * Returns: %FALSE when it is no text of 1 to %JWT_CLAIM_MAX_TEXT bytes
 */
gboolean
jwt_claim_read_text (const ReeveJsonSlice *value, JwtClaimText text)
{
  g_autofree char *copy = NULL;

  if (jwt_claim_is_plain (value))
    {
      gsize length = value->length - 2;

      if (length == 0 || length > JWT_CLAIM_MAX_TEXT)
        return FALSE;
      memcpy (text, value->start + 1, length);
      text[length] = '\0';
      return TRUE;
    }
  copy = jwt_claim_dup_text (value);
  return copy != NULL && *copy != '\0'
         && g_strlcpy (text, copy, JWT_CLAIM_MAX_TEXT + 1) <= JWT_CLAIM_MAX_TEXT;
}

/**
 * jwt_claim_read_number:
 * @value: (nullable): a value
 * @number: (out): what it says
 *
 * Returns: %FALSE when it is no number
 */
gboolean
jwt_claim_read_number (const ReeveJsonSlice *value, double *number)
{
  char digits[64];
  g_autofree char *many = NULL;

  if (value == NULL || (*value->start != '-' && !g_ascii_isdigit (*value->start)))
    return FALSE;
  if (value->length >= sizeof digits)
    many = g_strndup (value->start, value->length);
  else
    {
      memcpy (digits, value->start, value->length);
      digits[value->length] = '\0';
    }
  *number = g_ascii_strtod (many != NULL ? many : digits, NULL);
  return TRUE;
}

/* Where a string ends that begins at @at; it was scanned, and does. */
static const char *
jwt_claim_skip_string (const char *at)
{
  for (at++; *at != '"'; at++)
    if (*at == '\\')
      at++;
  return at + 1;
}

/**
 * jwt_claim_next:
 * @array: an array
 * @element: (inout): empty at first; the next element. One that is an array or an object is cut
 * behind its first byte: what is read here are lists of texts, and whoever meets it gives up
 *
 * Returns: %FALSE at the end
 */
gboolean
jwt_claim_next (const ReeveJsonSlice *array, ReeveJsonSlice *element)
{
  const char *at = element->start != NULL ? element->start + element->length : array->start + 1;
  const char *end = array->start + array->length;

  while (at < end && strchr (" \t\r\n,", *at) != NULL)
    at++;
  if (at >= end || *at == ']')
    return FALSE;
  element->start = at;
  if (*at == '"')
    at = jwt_claim_skip_string (at);
  else if (*at == '[' || *at == '{')
    at++;
  else
    while (at < end && strchr (" \t\r\n,]", *at) == NULL)
      at++;
  element->length = (gsize) (at - element->start);
  return TRUE;
}
