/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times: against GDateTime over many dates, and texts that RFC 3339 refuses. */
#include "base/times.h"

#include <reeve-error.h>

static void
test_times_known (void)
{
  static const struct
  {
    const char *text;
    gint64 time;
    const char *back;
  } known[] = {
    { "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z" },
    { "1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999Z" },
    { "2026-11-22T02:37:58.123456Z", G_GINT64_CONSTANT (1795315078123456),
      "2026-11-22T02:37:58.123Z" },
    { "2026-11-22t02:37:58.1234569z", G_GINT64_CONSTANT (1795315078123456),
      "2026-11-22T02:37:58.123Z" },
    { "1985-04-12T23:20:50.52+02:30", G_GINT64_CONSTANT (482187050520000),
      "1985-04-12T20:50:50.520Z" },
    { "1996-12-19T16:39:57-08:00", G_GINT64_CONSTANT (851042397000000),
      "1996-12-20T00:39:57.000Z" },
    { "1990-12-31T23:59:60Z", G_GINT64_CONSTANT (662688000000000), "1991-01-01T00:00:00.000Z" },
    { "1990-12-31T15:59:60.5-08:00", G_GINT64_CONSTANT (662688000000000),
      "1991-01-01T00:00:00.000Z" },
    { "0000-01-01T00:00:00Z", G_GINT64_CONSTANT (-62167219200000000), "0000-01-01T00:00:00.000Z" },
    { "9999-12-31T23:59:59.999Z", G_GINT64_CONSTANT (253402300799999000),
      "9999-12-31T23:59:59.999Z" },
    { "2000-02-29T12:00:00Z", G_GINT64_CONSTANT (951825600000000), "2000-02-29T12:00:00.000Z" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    {
      gint64 time = 42;
      g_autoptr (GError) error = NULL;
      g_assert_true (reeve_times_parse (known[i].text, &time, &error));
      g_assert_no_error (error);
      g_assert_cmpint (time, ==, known[i].time);
      g_autofree char *back = reeve_times_format (time);
      g_assert_cmpstr (back, ==, known[i].back);
    }
}

static void
test_times_refused (void)
{
  static const char *const bad[] = { "",
                                     "now",
                                     "2026-11-22",
                                     "2026-11-22T02:37Z",
                                     "2026-11-22T02:37:58",
                                     "2026-11-22 02:37:58Z",
                                     "2026-11-22T02:37:58.Z",
                                     "2026-13-01T00:00:00Z",
                                     "2026-00-01T00:00:00Z",
                                     "2026-02-29T00:00:00Z",
                                     "1900-02-29T00:00:00Z",
                                     "2026-04-31T00:00:00Z",
                                     "2026-11-22T24:00:00Z",
                                     "2026-11-22T02:60:00Z",
                                     "2026-11-22T02:37:61Z",
                                     "2026-11-22T02:37:60Z",
                                     "2026-11-22T02:37:58+0100",
                                     "2026-11-22T02:37:58+24:00",
                                     "2026-11-22T02:37:58Z ",
                                     "+2026-11-22T02:37:58Z",
                                     "26-11-22T02:37:58Z",
                                     "2026-11-22T02:37:58+01:60",
                                     "0000-01-01T00:58:06+23:59",
                                     "9999-12-31T23:59:59-00:01",
                                     "9999-12-31T23:59:60Z" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      gint64 time = 42;
      g_autoptr (GError) error = NULL;
      g_assert_false (reeve_times_parse (bad[i], &time, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      g_assert_cmpint (time, ==, 42);
    }
}

static void
test_times_against_glib (void)
{
  for (guint i = 0; i < 20000; i++)
    {
      gint64 second = (gint64) (g_test_rand_double_range (-62135596800.0, 253402300799.0));
      gint64 parsed = 0;
      g_autoptr (GDateTime) other = g_date_time_new_from_unix_utc (second);
      g_autofree char *expected = g_date_time_format (other, "%Y-%m-%dT%H:%M:%S.000Z");
      g_autofree char *got = reeve_times_format (second * G_TIME_SPAN_SECOND);
      g_assert_cmpint (g_date_time_get_year (other), >, 0);
      /* GLib pads the year with nothing */
      if (g_date_time_get_year (other) >= 1000)
        g_assert_cmpstr (got, ==, expected);
      g_assert_true (reeve_times_parse (got, &parsed, NULL));
      g_assert_cmpint (parsed, ==, second * G_TIME_SPAN_SECOND);
    }
}

static void
test_times_bounds (void)
{
  g_autofree char *low = reeve_times_format (G_MININT64);
  g_autofree char *high = reeve_times_format (G_MAXINT64);

  g_assert_cmpstr (low, ==, "0000-01-01T00:00:00.000Z");
  g_assert_cmpstr (high, ==, "9999-12-31T23:59:59.999Z");
  g_assert_cmpint (reeve_times_now (), >, G_GINT64_CONSTANT (1700000000000000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/times/known", test_times_known);
  g_test_add_func ("/times/refused", test_times_refused);
  g_test_add_func ("/times/against-glib", test_times_against_glib);
  g_test_add_func ("/times/bounds", test_times_bounds);
  return g_test_run ();
}
