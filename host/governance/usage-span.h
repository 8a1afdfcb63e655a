/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hours, days and months of UTC, by number: hours and days since 1970, months since the year 0. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REEVE_USAGE_HOUR,
  REEVE_USAGE_DAY,
  REEVE_USAGE_MONTH
} ReeveUsageSpan;

/* of a time in µs since 1970, not before it */
gint64 reeve_usage_span_of (ReeveUsageSpan span, gint64 time);
/* µs since 1970: where it begins, which is where the one before it ends */
gint64 reeve_usage_span_begin (ReeveUsageSpan span, gint64 number);

G_END_DECLS
