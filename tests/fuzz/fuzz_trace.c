/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* traceparent in the first line, tracestate in the rest. What is taken is written as it came, up to
 * flags and versions nobody knows; what is passed on is short, and would be passed on again. */
/* covers: host/base/trace.c */
#include <string.h>

#include "base/trace.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = size > 0 ? g_strndup ((const char *) data, size) : g_strdup ("");
  char *rest = strchr (text, '\n');
  g_autofree char *state = NULL;
  g_autofree char *again = NULL;
  char written[REEVE_TRACE_LENGTH + 1];
  ReeveTrace trace = { 0 };
  ReeveTrace read = { 0 };

  if (rest != NULL)
    *rest++ = '\0';
  if (reeve_trace_parse (text, &trace))
    {
      reeve_trace_write (&trace, written);
      g_assert_true (reeve_trace_parse (written, &read));
      g_assert_cmpmem (&trace, sizeof trace, &read, sizeof read);
      g_assert_cmpint (memcmp (written + 2, text + 2, REEVE_TRACE_LENGTH - 4), ==, 0);
    }
  state = reeve_trace_read_state (rest);
  if (state == NULL)
    return 0;
  g_assert_cmpuint (strlen (state), <=, 512);
  again = reeve_trace_read_state (state);
  g_assert_cmpstr (again, ==, state);
  return 0;
}
