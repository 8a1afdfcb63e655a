/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base64url: what is read has one spelling, what is written is read again as it was, and GLib's own
 * reader sees the same bytes. */
/* covers: plugin-api/reeve-base64url.c */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include <reeve-plugin-1.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_read (const char *text, gsize length)
{
  gsize decoded = 0;
  gsize again = 0;
  g_autofree guint8 *bytes = reeve_base64url_decode (text, length, &decoded);
  g_autofree char *spelt = NULL;
  g_autofree char *plain = NULL;
  g_autofree guchar *other = NULL;

  if (bytes == NULL)
    return;
  spelt = reeve_base64url_encode (bytes, decoded);
  g_assert_cmpmem (spelt, strlen (spelt), text, length);
  plain = g_strconcat (spelt, length % 4 == 2 ? "==" : length % 4 == 3 ? "=" : "", NULL);
  g_strdelimit (g_strdelimit (plain, "-", '+'), "_", '/');
  other = g_base64_decode (plain, &again);
  g_assert_cmpmem (other, again, bytes, decoded);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = reeve_base64url_encode (data, size);
  gsize decoded = 0;
  g_autofree guint8 *bytes = reeve_base64url_decode (text, strlen (text), &decoded);

  g_assert_cmpmem (bytes, decoded, data, size);
  check_read ((const char *) data, size);
  return 0;
}
