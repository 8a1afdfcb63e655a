/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identifiers, times and digests as text: what is accepted is what is written of it. */
/* covers: host/base/times.c
 * host/base/ids.c */
#include "base/digests.h"
#include "base/ids.h"
#include "base/times.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_time (const char *text)
{
  g_autoptr (GError) error = NULL;
  gint64 time = 0;
  gint64 again = 0;

  if (!reeve_times_parse (text, &time, &error))
    {
      g_assert_nonnull (error);
      return;
    }
  g_assert_no_error (error);
  g_autofree char *written = reeve_times_format (time);
  g_assert_true (reeve_times_parse (written, &again, &error));
  g_assert_no_error (error);
  /* milliseconds are written */
  g_assert_cmpint (again, <=, time);
  g_assert_cmpint (time - again, <, 1000);
  g_autofree char *twice = reeve_times_format (again);
  g_assert_cmpstr (written, ==, twice);
}

static void
check_id (const char *text)
{
  if (!reeve_ids_is_valid (text, "usr"))
    return;
  g_assert_true (g_str_has_prefix (text, "usr_"));
  g_assert_cmpuint (strlen (text), ==, strlen ("usr_") + REEVE_IDS_LENGTH);
  g_assert_false (reeve_ids_is_valid (text, "run"));
}

static void
check_digest (const char *text)
{
  guint8 bytes[REEVE_DIGESTS_LENGTH] = { 0 };
  g_autoptr (GError) error = NULL;

  if (!reeve_digests_from_hex (text, bytes, sizeof bytes, &error))
    {
      g_assert_nonnull (error);
      return;
    }
  g_autofree char *hex = reeve_digests_hex (bytes, sizeof bytes);
  g_assert_cmpint (g_ascii_strcasecmp (hex, text), ==, 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);

  check_time (text);
  check_id (text);
  check_digest (text);
  return 0;
}
