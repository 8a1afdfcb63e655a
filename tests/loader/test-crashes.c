/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of a plugin's crashes, by the clock that the test holds. */
#include "loader/crashes.h"

#define SECOND G_USEC_PER_SEC

static void
test_crashes_wait (void)
{
  ReeveCrashes crashes = { 0 };
  gint64 now = 1000 * SECOND;
  gint64 wanted = SECOND / 4;

  reeve_crashes_init (&crashes);
  for (guint i = 0; i < 12; i++)
    {
      reeve_crashes_delay (&crashes, now, 0);
      g_assert_cmpint (crashes.not_before - now, ==, MIN (wanted, 30 * SECOND));
      now = crashes.not_before;
      wanted *= 2;
    }
  /* chance takes a quarter at most */
  reeve_crashes_delay (&crashes, now, 1);
  g_assert_cmpint (crashes.not_before - now, ==, 30 * SECOND / 4 * 3);
  /* one that could not be started did not crash */
  g_assert_cmpuint (reeve_crashes_count (&crashes, now), ==, 0);
  reeve_crashes_clear (&crashes);
}

static void
test_crashes_calm (void)
{
  ReeveCrashes crashes = { 0 };
  gint64 now = 1000 * SECOND;

  reeve_crashes_init (&crashes);
  reeve_crashes_add (&crashes, now, 0);
  reeve_crashes_calm (&crashes, now + SECOND);
  reeve_crashes_add (&crashes, now + SECOND, 0);
  g_assert_cmpint (crashes.wait_us, ==, SECOND / 2);
  reeve_crashes_calm (&crashes, now + 40 * SECOND);
  reeve_crashes_add (&crashes, now + 40 * SECOND, 0);
  g_assert_cmpint (crashes.wait_us, ==, SECOND / 4);
  reeve_crashes_clear (&crashes);
}

static void
test_crashes_enough (void)
{
  ReeveCrashes crashes = { 0 };
  gint64 now = 1000 * SECOND;

  reeve_crashes_init (&crashes);
  for (guint i = 0; i < 4; i++)
    g_assert_false (reeve_crashes_add (&crashes, now + i * SECOND, 0));
  g_assert_cmpuint (reeve_crashes_count (&crashes, now + 10 * SECOND), ==, 4);
  /* the first is too long ago by now */
  g_assert_false (reeve_crashes_add (&crashes, now + 600 * SECOND, 0));
  g_assert_cmpuint (reeve_crashes_count (&crashes, now + 600 * SECOND), ==, 4);
  g_assert_true (reeve_crashes_add (&crashes, now + 600 * SECOND, 0));
  reeve_crashes_clear (&crashes);
}

static void
test_crashes_blame (void)
{
  ReeveCrashes crashes = { 0 };

  reeve_crashes_init (&crashes);
  g_assert_false (reeve_crashes_has_blamed (&crashes));
  reeve_crashes_blame (&crashes, "one", 1);
  /* it was in three calls when that process ended */
  reeve_crashes_blame (&crashes, "one", 1);
  reeve_crashes_blame (&crashes, "one", 1);
  g_assert_true (reeve_crashes_has_blamed (&crashes));
  g_assert_false (reeve_crashes_is_blamed (&crashes, "one"));
  reeve_crashes_blame (&crashes, "one", 2);
  g_assert_true (reeve_crashes_is_blamed (&crashes, "one"));
  g_assert_false (reeve_crashes_is_blamed (&crashes, "two"));
  /* a flood of inputs costs bounded memory, and takes nothing back */
  for (guint i = 0; i < 10000; i++)
    {
      g_autofree char *input = g_strdup_printf ("input %u", i);

      reeve_crashes_blame (&crashes, input, 3);
    }
  g_assert_cmpuint (g_hash_table_size (crashes.inputs), <=, 256);
  g_assert_true (reeve_crashes_is_blamed (&crashes, "one"));
  reeve_crashes_clear (&crashes);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crashes/wait", test_crashes_wait);
  g_test_add_func ("/crashes/calm", test_crashes_calm);
  g_test_add_func ("/crashes/enough", test_crashes_enough);
  g_test_add_func ("/crashes/blame", test_crashes_blame);
  return g_test_run ();
}
