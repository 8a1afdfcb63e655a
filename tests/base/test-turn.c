/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many of what is ready a turn takes: few of a crowd that comes once, more where it never ends.
 */
#include "base/turn.h"

static int
take (ReeveTurn *turn, int ready)
{
  int taken = MIN (ready, reeve_turn_begin (turn));

  reeve_turn_end (turn, taken);
  return taken;
}

/* A crowd that comes once is cut into small turns. */
static void
test_crowd (void)
{
  ReeveTurn turn = { 0 };

  for (int left = 64; left > 0;)
    {
      int taken = take (&turn, left);

      g_assert_cmpint (taken, ==, REEVE_TURN_LEAST);
      left -= taken;
    }
}

/* Where there is always more, turns grow, to a bound; and shrink when there is less. */
static void
test_grows (void)
{
  ReeveTurn turn = { 0 };

  for (guint i = 0; i < 100; i++)
    take (&turn, 1000);
  g_assert_cmpint (reeve_turn_begin (&turn), ==, REEVE_TURN_MOST);
  /* nearly as many are no reason to shrink */
  for (guint i = 0; i < 100; i++)
    take (&turn, REEVE_TURN_MOST - 1);
  g_assert_cmpint (reeve_turn_begin (&turn), ==, REEVE_TURN_MOST);
  for (guint i = 0; i < 100; i++)
    take (&turn, 1);
  g_assert_cmpint (reeve_turn_begin (&turn), ==, REEVE_TURN_LEAST);
  reeve_turn_end (&turn, -1);
  g_assert_cmpint (reeve_turn_begin (&turn), ==, REEVE_TURN_LEAST);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/turn/crowd", test_crowd);
  g_test_add_func ("/turn/grows", test_grows);
  return g_test_run ();
}
