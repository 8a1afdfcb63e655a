/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strings and numbers of the canonical JSON of records (RFC 8785). */
#include "ledger-record-text.h"

#include <string.h>

#include "ledger-record.h"

/* One letter behind the backslash for the characters that have one, else 0. */
char
reeve_ledger_record_short_escape (guchar c)
{
  switch (c)
    {
    case '"':
    case '\\':
      return (char) c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
    }
}

static void
reeve_ledger_record_write_escaped (GString *json, const char *value)
{
  const char *run = value;
  const char *p = value;

  for (; *p != 0; p++)
    {
      guchar c = (guchar) *p;
      char letter = 0;

      if (G_LIKELY (c >= 0x20 && c != '"' && c != '\\'))
        continue;
      g_string_append_len (json, run, p - run);
      run = p + 1;
      letter = reeve_ledger_record_short_escape (c);
      if (letter != 0)
        {
          g_string_append_c (json, '\\');
          g_string_append_c (json, letter);
        }
      else
        g_string_append_printf (json, "\\u%04x", c);
    }
  g_string_append_len (json, run, p - run);
}

/* In each byte that is smaller than 0x20, a quote, a backslash or no ASCII the highest bit is set;
 * it may be in bytes behind the first of them. */
static guint64
reeve_ledger_record_mark_special (guint64 eight)
{
  const guint64 ones = G_GUINT64_CONSTANT (0x0101010101010101);
  guint64 quotes = eight ^ (ones * '"');
  guint64 backslashes = eight ^ (ones * '\\');

  /* "Determine if a word has a byte less than n", S. E. Anderson, Bit Twiddling Hacks */
  return (eight | ((eight - ones * 0x20) & ~eight) | ((quotes - ones) & ~quotes)
          | ((backslashes - ones) & ~backslashes))
         & (ones * 0x80);
}

/* What stands in JSON as it is: how many of @length bytes, up to the first that is not ASCII or is
 * to be escaped. Most strings of a record are nothing else, so eight are looked at at once. */
gsize
reeve_ledger_record_measure_plain (const char *bytes, gsize length)
{
  gsize at = 0;

  for (guint64 eight = 0; length - at >= sizeof eight; at += sizeof eight)
    {
      memcpy (&eight, bytes + at, sizeof eight);
      eight = reeve_ledger_record_mark_special (GUINT64_FROM_LE (eight));
      if (eight != 0)
        return at + (gsize) __builtin_ctzll (eight) / 8;
    }
  for (guchar c = 0; at < length; at++)
    {
      c = (guchar) bytes[at];
      if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
        break;
    }
  return at;
}

/* As g_string_append_len(), which looks at much more than is needed here. */
void
reeve_ledger_record_write_bytes (GString *json, const char *bytes, gsize length)
{
  gsize at = json->len;

  if (G_UNLIKELY (json->allocated_len - at <= length))
    {
      g_string_append_len (json, bytes, (gssize) length);
      return;
    }
  memcpy (json->str + at, bytes, length);
  json->len = at + length;
  json->str[json->len] = 0;
}

/* Appends it in quotes; @plain: what reeve_ledger_record_check_string() said of it. */
void
reeve_ledger_record_write_string (GString *json, const char *value, gsize plain)
{
  reeve_ledger_record_write_bytes (json, "\"", 1);
  reeve_ledger_record_write_bytes (json, value, plain);
  if (value[plain] != 0)
    reeve_ledger_record_write_escaped (json, value + plain);
  reeve_ledger_record_write_bytes (json, "\"", 1);
}

void
reeve_ledger_record_write_number (GString *json, guint64 value)
{
  char digits[20];
  gsize at = sizeof digits;

  do
    {
      digits[--at] = (char) ('0' + value % 10);
      value /= 10;
    }
  while (value != 0);
  reeve_ledger_record_write_bytes (json, digits + at, sizeof digits - at);
}

/* @plain: (out): how much of it is written as it stands */
gboolean
reeve_ledger_record_check_string (const char *name, const char *value, gsize *plain, GError **error)
{
  gsize length = strlen (value);

  *plain = reeve_ledger_record_measure_plain (value, length);
  if (length <= REEVE_LEDGER_RECORD_MAX_STRING
      && (value[*plain] == 0 || g_utf8_validate_len (value, length, NULL)))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "%s of a ledger record is longer than %d bytes or not UTF-8", name,
               REEVE_LEDGER_RECORD_MAX_STRING);
  return FALSE;
}

/* The only text of such a number: no sign, no zero in front. */
gboolean
reeve_ledger_record_parse_wide (const char *text, gint64 *value)
{
  guint64 number = 0;

  for (const char *at = text; *at != 0; at++)
    if (!g_ascii_isdigit (*at) || at - text >= 19)
      return FALSE;
    else
      number = number * 10 + (guint64) (*at - '0');
  *value = (gint64) number;
  return *text != '0' && number > (guint64) REEVE_LEDGER_RECORD_MAX_NUMBER && number <= G_MAXINT64;
}

/**
 * reeve_ledger_record_get_amount:
 * @record: the JSON of a record
 * @member: cost or reserved_cost
 * @wide: the same with `_wide`
 *
 * Returns: it in nano-units, whichever of the two says it; 0: neither does
 */
gint64
reeve_ledger_record_get_amount (JsonObject *record, const char *member, const char *wide)
{
  gint64 value = 0;

  if (reeve_ledger_record_parse_wide (reeve_json_get_string (record, wide, ""), &value))
    return value;
  return reeve_json_get_int (record, member, 0);
}
