/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 3339 without GDateTime: every record and every answer carries times, and GDateTime allocates,
 * reads the time zone and accepts far more than RFC 3339 does. */
#include "times.h"

#include <reeve-error.h>
#include <string.h>

typedef struct
{
  int year, month, day, hour, minute, second;
} ReeveTimesFields;

/* Days since 1970-01-01 of a proleptic Gregorian date; the year is taken to begin in March, so that
 * the leap day is its last. Valid for years 0 to 9999. */
static gint64
reeve_times_days (int year, int month, int day)
{
  gint64 y = month <= 2 ? year - 1 : year;
  gint64 era = (y >= 0 ? y : y - 399) / 400;
  gint64 year_of_era = y - era * 400;
  gint64 day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  gint64 day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

static void
reeve_times_date (gint64 days, int *year, int *month, int *day)
{
  gint64 z = days + 719468;
  gint64 era = (z >= 0 ? z : z - 146096) / 146097;
  gint64 day_of_era = z - era * 146097;
  gint64 year_of_era
      = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  gint64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  gint64 shifted = (5 * day_of_year + 2) / 153;

  *day = (int) (day_of_year - (153 * shifted + 2) / 5 + 1);
  *month = (int) (shifted < 10 ? shifted + 3 : shifted - 9);
  *year = (int) (year_of_era + era * 400 + (*month <= 2));
}

static int
reeve_times_days_in_month (int year, int month)
{
  static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  gboolean leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

  return days[month - 1] + (month == 2 && leap);
}

/**
 * reeve_times_now:
 *
 * Returns: the wall clock, microseconds since 1970 in UTC
 */
gint64
reeve_times_now (void)
{
  return g_get_real_time ();
}

static char *
reeve_times_put (char *at, gint64 value, int digits)
{
  for (int i = digits - 1; i >= 0; i--)
    {
      at[i] = (char) ('0' + value % 10);
      value /= 10;
    }
  return at + digits;
}

/**
 * reeve_times_print:
 * @time: microseconds since 1970; held to the years 0000 to 9999
 * @buffer: receives RFC 3339 in UTC with milliseconds (cut, not rounded)
 */
void
reeve_times_print (gint64 time, char buffer[REEVE_TIMES_BUFFER])
{
  static const gint64 first = G_GINT64_CONSTANT (-62167219200000000);
  static const gint64 last = G_GINT64_CONSTANT (253402300799999999);
  int year = 0, month = 0, day = 0;
  char *at = buffer;

  time = CLAMP (time, first, last);
  gint64 days = time / G_TIME_SPAN_DAY - (time % G_TIME_SPAN_DAY < 0);
  gint64 rest = time - days * G_TIME_SPAN_DAY;
  reeve_times_date (days, &year, &month, &day);
  at = reeve_times_put (at, year, 4);
  *at++ = '-';
  at = reeve_times_put (at, month, 2);
  *at++ = '-';
  at = reeve_times_put (at, day, 2);
  *at++ = 'T';
  at = reeve_times_put (at, rest / G_TIME_SPAN_HOUR, 2);
  *at++ = ':';
  at = reeve_times_put (at, rest / G_TIME_SPAN_MINUTE % 60, 2);
  *at++ = ':';
  at = reeve_times_put (at, rest / G_TIME_SPAN_SECOND % 60, 2);
  *at++ = '.';
  at = reeve_times_put (at, rest / G_TIME_SPAN_MILLISECOND % 1000, 3);
  *at++ = 'Z';
  *at = '\0';
}

/**
 * reeve_times_format:
 * @time: microseconds since 1970
 *
 * Returns: (transfer full): as reeve_times_print()
 */
char *
reeve_times_format (gint64 time)
{
  char buffer[REEVE_TIMES_BUFFER];

  reeve_times_print (time, buffer);
  return g_strdup (buffer);
}

static gboolean
reeve_times_take (const char **at, int digits, int low, int high, int *value)
{
  int result = 0;

  for (int i = 0; i < digits; i++, (*at)++)
    {
      if (!g_ascii_isdigit (**at))
        return FALSE;
      result = result * 10 + (**at - '0');
    }
  *value = result;
  return result >= low && result <= high;
}

static gboolean
reeve_times_take_mark (const char **at, char mark)
{
  if (g_ascii_toupper (**at) != mark)
    return FALSE;
  (*at)++;
  return TRUE;
}

/* fraction of a second in microseconds; digits behind the sixth are cut */
static gboolean
reeve_times_take_fraction (const char **at, gint64 *fraction)
{
  gint64 scale = G_TIME_SPAN_SECOND / 10;
  const char *start = NULL;

  *fraction = 0;
  if (**at != '.')
    return TRUE;
  for (start = ++*at; g_ascii_isdigit (**at); (*at)++)
    {
      *fraction += (**at - '0') * scale;
      scale /= 10;
    }
  return *at > start;
}

static gboolean
reeve_times_take_offset (const char **at, gint64 *offset)
{
  int hours = 0, minutes = 0;
  int sign = **at == '-' ? -1 : 1;

  *offset = 0;
  if (reeve_times_take_mark (at, 'Z'))
    return TRUE;
  if (**at != '+' && **at != '-')
    return FALSE;
  (*at)++;
  if (!reeve_times_take (at, 2, 0, 23, &hours) || !reeve_times_take_mark (at, ':')
      || !reeve_times_take (at, 2, 0, 59, &minutes))
    return FALSE;
  *offset = sign * (hours * G_TIME_SPAN_HOUR + minutes * G_TIME_SPAN_MINUTE);
  return TRUE;
}

static gboolean
reeve_times_take_fields (const char **at, ReeveTimesFields *f)
{
  return reeve_times_take (at, 4, 0, 9999, &f->year) && reeve_times_take_mark (at, '-')
         && reeve_times_take (at, 2, 1, 12, &f->month) && reeve_times_take_mark (at, '-')
         && reeve_times_take (at, 2, 1, 31, &f->day)
         && f->day <= reeve_times_days_in_month (f->year, f->month)
         && reeve_times_take_mark (at, 'T') && reeve_times_take (at, 2, 0, 23, &f->hour)
         && reeve_times_take_mark (at, ':') && reeve_times_take (at, 2, 0, 59, &f->minute)
         && reeve_times_take_mark (at, ':') && reeve_times_take (at, 2, 0, 60, &f->second);
}

/**
 * reeve_times_parse:
 * @text: a `date-time` of RFC 3339 section 5.6, with any offset
 * @time: (out): microseconds since 1970
 * @error: return location
 *
 * A leap second is taken, at 23:59 UTC only, as the first instant of the next minute. In UTC, too,
 * the time must be of the years 0000 to 9999: what cannot be written again is none.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when @text is none
 */
gboolean
reeve_times_parse (const char *text, gint64 *time, GError **error)
{
  ReeveTimesFields f = { 0 };
  const char *at = text;
  gint64 fraction = 0, offset = 0;

  if (!reeve_times_take_fields (&at, &f) || !reeve_times_take_fraction (&at, &fraction)
      || !reeve_times_take_offset (&at, &offset) || *at != '\0')
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "not a time of RFC 3339, such as 2026-01-31T12:00:00Z");
      return FALSE;
    }
  gint64 minute = reeve_times_days (f.year, f.month, f.day) * G_TIME_SPAN_DAY
                  + f.hour * G_TIME_SPAN_HOUR + f.minute * G_TIME_SPAN_MINUTE - offset;
  gint64 of_day = (minute % G_TIME_SPAN_DAY + G_TIME_SPAN_DAY) % G_TIME_SPAN_DAY;
  if (f.second == 60 && of_day != 23 * G_TIME_SPAN_HOUR + 59 * G_TIME_SPAN_MINUTE)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "a leap second stands only at 23:59 in UTC");
      return FALSE;
    }
  gint64 whole = minute + f.second * G_TIME_SPAN_SECOND + (f.second == 60 ? 0 : fraction);
  if (whole < reeve_times_days (0, 1, 1) * G_TIME_SPAN_DAY
      || whole >= reeve_times_days (10000, 1, 1) * G_TIME_SPAN_DAY)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "the offset leads out of the years 0000 to 9999");
      return FALSE;
    }
  *time = whole;
  return TRUE;
}
