/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base64url without padding (RFC 7515 section 2, RFC 4648 section 5). One value has one spelling
 * here: two texts for one signature would be two tokens for one. */
#include "jwt-base64.h"

static int
jwt_base64_value (char c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/**
 * jwt_base64_decode:
 * @text: what to read
 * @length: bytes of it
 * @decoded: (out): bytes that were read
 *
 * Padding, white space, the characters of plain base64 and bits set behind the last byte are
 * refused.
 *
 * Returns: (transfer full) (nullable): the bytes, with a NUL behind them that does not count
 */
guint8 *
jwt_base64_decode (const char *text, gsize length, gsize *decoded)
{
  g_autofree guint8 *bytes = NULL;
  guint32 buffer = 0;
  guint bits = 0;
  gsize at = 0;

  if (length % 4 == 1)
    return NULL;
  bytes = g_malloc (length / 4 * 3 + 3);
  for (gsize i = 0; i < length; i++)
    {
      int value = jwt_base64_value (text[i]);

      if (value < 0)
        return NULL;
      buffer = (buffer << 6) | (guint32) value;
      bits += 6;
      if (bits >= 8)
        {
          bits -= 8;
          bytes[at++] = (guint8) (buffer >> bits);
        }
    }
  if ((buffer & ((1u << bits) - 1)) != 0)
    return NULL;
  bytes[at] = 0;
  *decoded = at;
  return g_steal_pointer (&bytes);
}
