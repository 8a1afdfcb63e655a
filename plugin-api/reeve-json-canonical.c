/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8785 (JCS): one text for one value, so that a digest of it means something: no white space,
 * members ordered by UTF-16 code units, numbers as ECMAScript writes them. One stated extension:
 * integers up to 64 bits are written exactly, where ECMAScript would round those beyond 2^53. */
#include "reeve-json-canonical.h"

#include "reeve-json-scanner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "-1.7976931348623157e+308" and room */
#define REEVE_JSON_CANONICAL_NUMBER 40

static void
reeve_json_canonical_append_escaped (GString *out, guint8 c)
{
  static const char from[] = "\"\\\b\t\n\f\r", to[] = "\"\\btnfr";
  const char *found = strchr (from, c);

  /* a text of JSON within a text has one of these every few bytes: g_string_append_c() is inline */
  if (found != NULL)
    {
      g_string_append_c (out, '\\');
      g_string_append_c (out, to[found - from]);
    }
  else
    g_string_append_printf (out, "\\u%04x", c);
}

/* Appends a string with its quotes; what is not UTF-8 becomes U+FFFD. */
void
reeve_json_canonical_append_string (GString *out, const char *text)
{
  g_autofree char *mended = NULL;
  const char *end = NULL;

  if (!g_utf8_validate (text, -1, NULL))
    text = mended = g_utf8_make_valid (text, -1);
  end = text + strlen (text);
  g_string_append_c (out, '"');
  for (const char *run = text;;)
    {
      const char *at = reeve_json_scanner_skip_run (run, end);

      g_string_append_len (out, run, at - run);
      if (at == end)
        break;
      reeve_json_canonical_append_escaped (out, (guint8) *at);
      run = at + 1;
    }
  g_string_append_c (out, '"');
}

/* The shortest digits that read back as @value, the closest among these; and where the decimal
 * point stands before them. Returns: how many. */
static int
reeve_json_canonical_digits (double value, char digits[20], int *point)
{
  char text[REEVE_JSON_CANONICAL_NUMBER], format[8];
  int n = 0;
  /* 15 digits survive any round trip of a normal number, so shorter ones come out by cutting zeros
   */
  int precision = fabs (value) < 2.2250738585072014e-308 ? 1 : 15;

  for (; precision <= 17; precision++)
    {
      g_snprintf (format, sizeof format, "%%.%de", precision - 1);
      g_ascii_formatd (text, sizeof text, format, value);
      if (g_ascii_strtod (text, NULL) == value)
        break;
    }
  const char *exponent = strchr (text, 'e');
  for (const char *at = text; at < exponent; at++)
    if (g_ascii_isdigit (*at))
      digits[n++] = *at;
  while (n > 1 && digits[n - 1] == '0')
    n--;
  *point = atoi (exponent + 1) + 1;
  return n;
}

/* ECMA-262, Number::toString, radix 10; what is not finite becomes null, as JSON.stringify does. */
void
reeve_json_canonical_append_double (GString *out, double value)
{
  char digits[20];
  int point = 0;

  if (!isfinite (value))
    {
      g_string_append (out, "null");
      return;
    }
  if (value == 0.0)
    {
      g_string_append_c (out, '0');
      return;
    }
  if (value < 0)
    g_string_append_c (out, '-');
  int n = reeve_json_canonical_digits (fabs (value), digits, &point);
  if (point > 0 && point <= 21)
    {
      g_string_append_len (out, digits, MIN (n, point));
      for (int i = n; i < point; i++)
        g_string_append_c (out, '0');
      if (n > point)
        {
          g_string_append_c (out, '.');
          g_string_append_len (out, digits + point, n - point);
        }
    }
  else if (point > -6 && point <= 0)
    {
      g_string_append (out, "0.");
      for (int i = point; i < 0; i++)
        g_string_append_c (out, '0');
      g_string_append_len (out, digits, n);
    }
  else
    {
      g_string_append_c (out, digits[0]);
      if (n > 1)
        g_string_append_c (out, '.');
      g_string_append_len (out, digits + 1, n - 1);
      g_string_append_printf (out, "e%+d", point - 1);
    }
}

static void
reeve_json_canonical_append_value (GString *out, JsonNode *node)
{
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_STRING:
      reeve_json_canonical_append_string (out, json_node_get_string (node));
      break;
    case G_TYPE_BOOLEAN:
      g_string_append (out, json_node_get_boolean (node) ? "true" : "false");
      break;
    case G_TYPE_INT64:
      g_string_append_printf (out, "%" G_GINT64_FORMAT, json_node_get_int (node));
      break;
    default:
      reeve_json_canonical_append_double (out, json_node_get_double (node));
      break;
    }
}

/* Order of UTF-16 code units, on UTF-8: the bytes' own order, but that characters beyond U+FFFF
 * (surrogates in UTF-16) come before U+E000 to U+FFFF. */
static int
reeve_json_canonical_compare (gconstpointer a, gconstpointer b)
{
  const guint8 *x = *(const guint8 *const *) a;
  const guint8 *y = *(const guint8 *const *) b;

  while (*x != 0 && *x == *y)
    {
      x++;
      y++;
    }
  if (*x >= 0xee && *y >= 0xee && (*x >= 0xf0) != (*y >= 0xf0))
    return *x >= 0xf0 ? -1 : 1;
  return (*x > *y) - (*x < *y);
}

static void
reeve_json_canonical_append_object (GString *out, JsonObject *object)
{
  const char *few[32];
  g_autofree const char **many = NULL;
  guint size = json_object_get_size (object), n = 0;
  const char **names = few;
  JsonObjectIter iter;
  const char *name = NULL;

  if (size > G_N_ELEMENTS (few))
    names = many = g_new (const char *, size);
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, NULL))
    names[n++] = name;
  qsort (names, n, sizeof *names, reeve_json_canonical_compare);
  g_string_append_c (out, '{');
  for (guint i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      reeve_json_canonical_append_string (out, names[i]);
      g_string_append_c (out, ':');
      reeve_json_canonical_append (out, json_object_get_member (object, names[i]));
    }
  g_string_append_c (out, '}');
}

void
reeve_json_canonical_append (GString *out, JsonNode *node)
{
  switch (json_node_get_node_type (node))
    {
    case JSON_NODE_OBJECT:
      reeve_json_canonical_append_object (out, json_node_get_object (node));
      break;
    case JSON_NODE_ARRAY:
      g_string_append_c (out, '[');
      for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
        {
          if (i > 0)
            g_string_append_c (out, ',');
          reeve_json_canonical_append (out, json_array_get_element (json_node_get_array (node), i));
        }
      g_string_append_c (out, ']');
      break;
    case JSON_NODE_VALUE:
      reeve_json_canonical_append_value (out, node);
      break;
    case JSON_NODE_NULL:
    default:
      g_string_append (out, "null");
      break;
    }
}

/**
 * reeve_json_canonical:
 * @node: a value
 *
 * Writes @node as RFC 8785 says. Integers of 64 bits are exact; a number that is not finite becomes
 * `null`, text that is not UTF-8 gets U+FFFD. Every text is compact and safe to send, so this is
 * the product's one way to write JSON.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
reeve_json_canonical (JsonNode *node)
{
  g_return_val_if_fail (node != NULL, NULL);

  GString *out = g_string_sized_new (256);
  reeve_json_canonical_append (out, node);
  return g_string_free (out, FALSE);
}
