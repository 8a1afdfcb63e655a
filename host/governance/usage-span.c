/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calendar is that of Gregory, by Howard Hinnant's arithmetic of days
 * (chrono-compatible low-level date algorithms): eras of 400 years that begin in March. */
#include "usage-span.h"

#define REEVE_USAGE_SPAN_HOUR_US G_TIME_SPAN_HOUR
#define REEVE_USAGE_SPAN_DAY_US  G_TIME_SPAN_DAY

/* Days from 1970-01-01 to the first of a month, which is counted from the year 0. */
static gint64
reeve_usage_span_days_before (gint64 month)
{
  gint64 year = month / 12 - (month % 12 < 2);
  gint64 era = year / 400;
  gint64 of_era = year - era * 400;
  gint64 march = (month % 12 + 10) % 12;
  gint64 day = (153 * march + 2) / 5;

  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day - 719468;
}

static gint64
reeve_usage_span_month_of (gint64 day)
{
  /* between the shortest and the longest that so many days can be */
  gint64 month = (1970 * 12) + day / 31;

  while (reeve_usage_span_days_before (month + 1) <= day)
    month++;
  return month;
}

gint64
reeve_usage_span_of (ReeveUsageSpan span, gint64 time)
{
  gint64 at = MAX (time, 0);

  if (span == REEVE_USAGE_HOUR)
    return at / REEVE_USAGE_SPAN_HOUR_US;
  return span == REEVE_USAGE_DAY ? at / REEVE_USAGE_SPAN_DAY_US
                                 : reeve_usage_span_month_of (at / REEVE_USAGE_SPAN_DAY_US);
}

gint64
reeve_usage_span_begin (ReeveUsageSpan span, gint64 number)
{
  if (span == REEVE_USAGE_HOUR)
    return number * REEVE_USAGE_SPAN_HOUR_US;
  return (span == REEVE_USAGE_DAY ? number : reeve_usage_span_days_before (number))
         * REEVE_USAGE_SPAN_DAY_US;
}
