/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which text a scraper's Accept header asks for. What it says of something else changes nothing. */
/* covers: host/base/metrics-text.c */
#include <string.h>

#include "base/metrics-text.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = size > 0 ? g_strndup ((const char *) data, size) : g_strdup ("");
  g_autofree char *more = g_strconcat (text, ",image/png;q=0.1", NULL);
  g_auto (GStrv) wishes = g_strsplit (text, ",", 40);
  ReeveMetricsTextFormat format = reeve_metrics_text_choose (text);

  g_assert_true (format == REEVE_METRICS_TEXT_PROMETHEUS
                 || format == REEVE_METRICS_TEXT_OPENMETRICS);
  /* of very many wishes the last are not read */
  if (g_strv_length (wishes) < 30)
    g_assert_cmpint (reeve_metrics_text_choose (more), ==, format);
  return 0;
}
