/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Token buckets of rate limits, by a clock of the test's own. */
#include "governance/rate-limits.h"

#define START  (1000 * G_USEC_PER_SEC)
#define SECOND ((gint64) G_USEC_PER_SEC)

static void
test_rate_limits_minute (void)
{
  g_autoptr (ReeveRateLimits) limits = reeve_rate_limits_new ();
  ReeveRateLimitsState state = { 0 };
  gint64 now = START;

  for (guint i = 0; i < 6; i++)
    {
      g_assert_true (reeve_rate_limits_take (limits, "key", "a", 6, now, &state));
      g_assert_cmpuint (state.limit, ==, 6);
      g_assert_cmpuint (state.remaining, ==, 5 - i);
      g_assert_cmpuint (state.reset, ==, 10 * (i + 1));
      g_assert_cmpuint (state.wait, ==, 0);
    }
  for (guint i = 0; i < 3; i++)
    {
      g_assert_false (reeve_rate_limits_take (limits, "key", "a", 6, now, &state));
      g_assert_cmpuint (state.remaining, ==, 0);
      g_assert_cmpuint (state.wait, ==, 10);
      g_assert_true (state.first == (i == 0));
    }
  /* another one, and the same of another kind, is counted by itself */
  g_assert_true (reeve_rate_limits_take (limits, "key", "b", 6, now, &state));
  g_assert_true (reeve_rate_limits_take (limits, "user", "a", 6, now, &state));
  g_assert_cmpuint (state.remaining, ==, 5);
  /* it fills evenly, and what was refused cost nothing */
  g_assert_false (reeve_rate_limits_take (limits, "key", "a", 6, now + 10 * SECOND - 1, &state));
  g_assert_cmpuint (state.wait, ==, 1);
  g_assert_true (reeve_rate_limits_take (limits, "key", "a", 6, now + 10 * SECOND, &state));
  g_assert_false (reeve_rate_limits_take (limits, "key", "a", 6, now + 10 * SECOND, &state));
  g_assert_true (state.first);
  g_assert_true (reeve_rate_limits_take (limits, "key", "a", 6, now + 3600 * SECOND, &state));
  g_assert_cmpuint (state.remaining, ==, 5);
  /* a clock that does not move, a limit that is not one */
  g_assert_true (reeve_rate_limits_take (limits, "key", "c", 0, now, &state));
  g_assert_false (reeve_rate_limits_take (limits, "key", "c", 0, now - SECOND, &state));
}

/* Of several limits the strictest holds, and what one refuses is taken of none. */
static void
test_rate_limits_several (void)
{
  static const char *const kinds[] = { "tenant", "user", NULL };
  g_autoptr (ReeveRateLimits) limits = reeve_rate_limits_new ();
  ReeveRateLimitsState state = { 0 };

  g_assert_true (reeve_rate_limits_admit (limits, "t", "a", "k", 0, START, &state));
  g_assert_cmpuint (state.limit, ==, 0);
  reeve_rate_limits_configure (limits, 4, 0, 0, kinds);
  g_assert_true (reeve_rate_limits_admit (limits, "t", "a", "k", 2, START, &state));
  g_assert_cmpstr (state.kind, ==, "key");
  g_assert_true (reeve_rate_limits_admit (limits, "t", "a", "k", 2, START, &state));
  g_assert_false (reeve_rate_limits_admit (limits, "t", "a", "k", 2, START, &state));
  g_assert_cmpstr (state.kind, ==, "key");
  g_assert_true (reeve_rate_limits_admit (limits, "t", "b", NULL, 0, START, &state));
  g_assert_cmpstr (state.kind, ==, "tenant");
  g_assert_true (reeve_rate_limits_admit (limits, "t", "b", NULL, 0, START, &state));
  g_assert_false (reeve_rate_limits_admit (limits, "t", "b", NULL, 0, START, &state));
  g_assert_cmpstr (state.kind, ==, "tenant");
  g_assert_cmpuint (state.wait, ==, 15);
  g_assert_true (reeve_rate_limits_admit (limits, "other", "b", NULL, 0, START, &state));
  g_assert_cmpuint (state.remaining, ==, 3);
  reeve_rate_limits_configure (limits, 4, 1, 0, kinds);
  g_assert_true (reeve_rate_limits_admit (limits, "new", "b", NULL, 0, START, &state));
  g_assert_false (reeve_rate_limits_admit (limits, "new", "b", NULL, 0, START, &state));
}

/* Minutes and hours are counted each for itself. */
static void
test_rate_limits_hours (void)
{
  static const char *const kinds[] = { "user", "key", NULL };
  g_autoptr (ReeveRateLimits) limits = reeve_rate_limits_new ();
  ReeveRateLimitsState state = { 0 };
  gint64 now = START;

  reeve_rate_limits_configure (limits, 4, 0, 10, kinds);
  for (guint i = 0; i < 10; i++)
    {
      g_assert_true (reeve_rate_limits_admit (limits, "t", "a", NULL, 0, now, &state));
      now += i % 4 == 3 ? 60 * SECOND : 0;
    }
  g_assert_false (reeve_rate_limits_admit (limits, "t", "a", NULL, 0, now, &state));
  g_assert_cmpstr (state.name, ==, "limits.requests_per_hour");
  g_assert_cmpuint (state.seconds, ==, 3600);
  g_assert_cmpuint (state.limit, ==, 10);
  /* ten an hour fill by one in six minutes, of which two have passed */
  g_assert_cmpuint (state.wait, ==, 240);
  g_assert_true (reeve_rate_limits_admit (limits, "t", "a", NULL, 0, now + 240 * SECOND, &state));
  /* what the hour refused has cost nothing of the minute */
  g_assert_true (reeve_rate_limits_admit (limits, "t", "b", "k", 0, now, &state));
  g_assert_cmpstr (state.name, ==, "limits.requests_per_minute");
  g_assert_cmpuint (state.remaining, ==, 3);
  /* without a limit of minutes a key's own is besides that of hours */
  reeve_rate_limits_configure (limits, 0, 0, 10, kinds);
  g_assert_true (reeve_rate_limits_admit (limits, "t", "c", "own", 1, now, &state));
  g_assert_cmpstr (state.name, ==, "rate_limit of the key");
  g_assert_false (reeve_rate_limits_admit (limits, "t", "c", "own", 1, now, &state));
  g_assert_cmpuint (state.seconds, ==, 60);
}

/* A limit that is lowered holds from the next request on. */
static void
test_rate_limits_change (void)
{
  g_autoptr (ReeveRateLimits) limits = reeve_rate_limits_new ();
  ReeveRateLimitsState state = { 0 };

  for (guint i = 0; i < 30; i++)
    g_assert_true (reeve_rate_limits_take (limits, "key", "a", 60, START, &state));
  g_assert_true (reeve_rate_limits_take (limits, "key", "a", 2, START, &state));
  g_assert_false (reeve_rate_limits_take (limits, "key", "a", 2, START, &state));
  g_assert_true (reeve_rate_limits_take (limits, "key", "a", 1000000, START + SECOND, &state));
}

/* Full ones are not kept. */
static void
test_rate_limits_bounded (void)
{
  g_autoptr (ReeveRateLimits) limits = reeve_rate_limits_new ();
  ReeveRateLimitsState state = { 0 };

  for (guint i = 0; i < 20000; i++)
    {
      g_autofree char *subject = g_strdup_printf ("key-%u", i);

      g_assert_true (
          reeve_rate_limits_take (limits, "key", subject, 60, START + i * SECOND, &state));
    }
  g_assert_cmpuint (reeve_rate_limits_get_size (limits), <=, 1024);
}

static gpointer
take_many (gpointer data)
{
  ReeveRateLimitsState state = { 0 };
  guint taken = 0;

  for (guint i = 0; i < 5000; i++)
    taken += reeve_rate_limits_take (data, "key", "a", 7000, START, &state) ? 1 : 0;
  return GUINT_TO_POINTER (taken);
}

static void
test_rate_limits_threads (void)
{
  g_autoptr (ReeveRateLimits) limits = reeve_rate_limits_new ();
  GThread *threads[4] = { NULL };
  guint taken = 0;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("taker", take_many, limits);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    taken += GPOINTER_TO_UINT (g_thread_join (threads[i]));
  g_assert_cmpuint (taken, ==, 7000);
}

/* Who asks before is told what he will get, by each of the limits, and it costs him nothing. */
static void
test_rate_limits_look (void)
{
  static const char *const kinds[] = { "tenant", "user", "key", NULL };
  g_autoptr (ReeveRateLimits) limits = reeve_rate_limits_new ();
  ReeveRateLimitsState states[REEVE_RATE_LIMITS_KINDS];
  ReeveRateLimitsState state = { 0 };
  guint refused = 0;

  g_assert_cmpuint (reeve_rate_limits_look (limits, "t", "u", "k", 0, START, states), ==, 0);
  reeve_rate_limits_configure (limits, 7, 5, 20, kinds);
  for (guint i = 0; i < 4000; i++)
    {
      gint64 now = START + i * SECOND;
      const char *user = i % 3 == 0 ? "u" : "v";
      const char *key = i % 2 == 0 ? "k" : NULL;
      guint n = reeve_rate_limits_look (limits, "t", user, key, 3, now, states);
      gboolean free_to = states[0].wait == 0;

      g_assert_cmpuint (n, ==, key != NULL ? 6 : 4);
      for (guint k = 1; k < n; k++)
        g_assert_cmpuint (states[k].wait, <=, states[k - 1].wait);
      g_assert_true (
          reeve_rate_limits_admit (limits, "t", user, key, key != NULL ? 3 : 0, now, &state)
          == free_to);
      if (!free_to)
        {
          g_assert_cmpuint (state.wait, ==, states[0].wait);
          refused++;
        }
    }
  g_assert_cmpuint (refused, >, 100);
  g_assert_cmpuint (refused, <, 3990);
  /* of nobody in particular: the tenant's alone; nobody who was only looked for is counted */
  g_assert_cmpuint (reeve_rate_limits_look (limits, "t", NULL, NULL, 0, START, states), ==, 2);
  g_assert_cmpuint (reeve_rate_limits_look (limits, "s", "w", "l", 0, START, states), ==, 6);
  g_assert_cmpuint (reeve_rate_limits_get_size (limits), ==, 8);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rate-limits/minute", test_rate_limits_minute);
  g_test_add_func ("/rate-limits/several", test_rate_limits_several);
  g_test_add_func ("/rate-limits/hours", test_rate_limits_hours);
  g_test_add_func ("/rate-limits/change", test_rate_limits_change);
  g_test_add_func ("/rate-limits/bounded", test_rate_limits_bounded);
  g_test_add_func ("/rate-limits/look", test_rate_limits_look);
  g_test_add_func ("/rate-limits/threads", test_rate_limits_threads);
  return g_test_run ();
}
