/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which connections of a sink are recorded: the first in an hour to each place, and to so many
 * places. The time is given. */
#include <reeve-plugin-1.h>

#include "runtime/net-records.h"

#define HOUR REEVE_NET_RECORDS_SPAN_US

static gboolean
is_due (ReeveNetRecords *records, const char *sink, const char *what, gint64 now)
{
  g_autoptr (GError) error = NULL;
  gboolean due = FALSE;

  g_assert_true (reeve_net_records_check (records, sink, what, now, &due, &error));
  g_assert_no_error (error);
  return due;
}

static void
test_once_an_hour (void)
{
  g_autoptr (ReeveNetRecords) records = reeve_net_records_new (NULL);

  g_assert_true (is_due (records, "sink/a", "net.http a:443", 5));
  /* it could not be recorded: it still is to be */
  g_assert_true (is_due (records, "sink/a", "net.http a:443", 5));
  reeve_net_records_note (records, "sink/a", "net.http a:443", 5);
  g_assert_false (is_due (records, "sink/a", "net.http a:443", 5));
  /* another place, another way, another sink */
  g_assert_true (is_due (records, "sink/a", "net.http b:443", 6));
  g_assert_true (is_due (records, "sink/a", "net.tcp a:443", 6));
  g_assert_true (is_due (records, "sink/b", "net.http a:443", 6));
  /* what goes on meanwhile does not prolong it */
  g_assert_false (is_due (records, "sink/a", "net.http a:443", 5 + HOUR / 2));
  g_assert_false (is_due (records, "sink/a", "net.http a:443", 5 + HOUR - 1));
  g_assert_true (is_due (records, "sink/a", "net.http a:443", 5 + HOUR));
}

static void
test_so_many_places (void)
{
  g_autoptr (ReeveNetRecords) records = reeve_net_records_new (NULL);
  g_autoptr (GError) error = NULL;
  gboolean due = FALSE;

  for (guint i = 0; i < REEVE_NET_RECORDS_PLACES; i++)
    {
      g_autofree char *what = g_strdup_printf ("net.http place-%u:443", i);

      g_assert_true (is_due (records, "sink/a", what, i));
      reeve_net_records_note (records, "sink/a", what, i);
    }
  g_assert_false (
      reeve_net_records_check (records, "sink/a", "net.http more:443", 100, &due, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED);
  g_assert_true (g_str_has_prefix (error->message, "sink/a "));
  /* where it is already, and another sink */
  g_assert_false (is_due (records, "sink/a", "net.http place-3:443", 100));
  g_assert_true (is_due (records, "sink/b", "net.http more:443", 100));
  /* the first of them is over */
  g_assert_true (is_due (records, "sink/a", "net.http more:443", HOUR));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/net-records/once-an-hour", test_once_an_hour);
  g_test_add_func ("/net-records/so-many-places", test_so_many_places);
  return g_test_run ();
}
