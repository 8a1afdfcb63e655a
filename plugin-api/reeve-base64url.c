/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 4648 section 5, as RFC 7515 section 2 uses it. One value has one spelling here: two texts for
 * one signature would be two tokens for one. */
#include "reeve-base64url.h"

static const char reeve_base64url_digits[]
    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* clang-format off */
/* What a byte stands for, and one: 0 is none. */
static const guint8 reeve_base64url_values[256] = {
  ['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
  ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
  ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
  ['-'] = 63,
  ['_'] = 64,
};
/* clang-format on */

/* The value of @count digits; what is none of them sets one of the two high bits of @bad. */
static inline guint32
reeve_base64url_read (const guint8 *at, guint count, guint8 *bad)
{
  guint32 value = 0;

  for (guint i = 0; i < count; i++)
    {
      guint8 digit = (guint8) (reeve_base64url_values[at[i]] - 1u);

      *bad |= digit;
      value = value << 6 | digit;
    }
  return value;
}

/**
 * reeve_base64url_decode:
 * @text: what to read, not necessarily terminated
 * @length: bytes of it
 * @decoded: (out): bytes that were read
 *
 * Padding, white space, the characters of plain base64 and bits set behind the last byte are
 * refused (RFC 4648 section 5, RFC 7515 section 2).
 *
 * Returns: (transfer full) (nullable): the bytes, with a NUL behind them that does not count; %NULL
 * when @text is not the one spelling of any
 *
 * Since: 1.0
 */
guint8 *
reeve_base64url_decode (const char *text, gsize length, gsize *decoded)
{
  const guint8 *at = (const guint8 *) text;
  gsize rest = length % 4;
  g_autofree guint8 *bytes = NULL;
  guint8 *out = NULL;
  guint32 value = 0;
  guint8 bad = 0;

  g_return_val_if_fail (text != NULL || length == 0, NULL);
  g_return_val_if_fail (decoded != NULL, NULL);

  if (rest == 1)
    return NULL;
  bytes = g_malloc (length / 4 * 3 + 3);
  out = bytes;
  for (const guint8 *end = at + (length - rest); at < end; at += 4)
    {
      value = reeve_base64url_read (at, 4, &bad);
      *out++ = (guint8) (value >> 16);
      *out++ = (guint8) (value >> 8);
      *out++ = (guint8) value;
    }
  value = reeve_base64url_read (at, (guint) rest, &bad);
  if (bad > 63 || (rest == 2 && (value & 0xf) != 0) || (rest == 3 && (value & 0x3) != 0))
    return NULL;
  if (rest == 3)
    *out++ = (guint8) (value >> 10);
  if (rest > 0)
    *out++ = (guint8) (value >> (rest == 3 ? 2 : 4));
  *out = 0;
  *decoded = (gsize) (out - bytes);
  return g_steal_pointer (&bytes);
}

/**
 * reeve_base64url_encode:
 * @data: (array length=length) (element-type guint8): bytes
 * @length: how many
 *
 * Returns: (transfer full): their spelling, without padding (RFC 4648 section 5)
 *
 * Since: 1.0
 */
char *
reeve_base64url_encode (gconstpointer data, gsize length)
{
  const guint8 *bytes = data;
  char *text = NULL;
  char *out = NULL;

  g_return_val_if_fail (data != NULL || length == 0, NULL);

  text = g_malloc ((length + 2) / 3 * 4 + 1);
  out = text;
  for (gsize i = 0; i < length; i += 3)
    {
      gsize left = length - i;
      guint32 value = (guint32) bytes[i] << 16 | (left > 1 ? (guint32) bytes[i + 1] << 8 : 0)
                      | (left > 2 ? bytes[i + 2] : 0);

      for (guint digit = 0; digit < MIN (left, 3) + 1; digit++)
        *out++ = reeve_base64url_digits[value >> (18 - 6 * digit) & 63];
    }
  *out = '\0';
  return text;
}
