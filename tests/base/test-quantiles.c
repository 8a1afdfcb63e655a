/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quantiles against those of the sorted values themselves, over several shapes of them. */
#include "base/quantiles.h"

#include <math.h>
#include <stdlib.h>

#define MANY 20000

static const double asked[] = { 0, 0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1 };

static int
compare (const void *a, const void *b)
{
  const gint64 *x = a;
  const gint64 *y = b;

  return *x < *y ? -1 : *x > *y;
}

/* the value of rank ceil (q n), at least the first */
static gint64
get_exact (const gint64 *sorted, guint length, double quantile)
{
  double rank = MAX (ceil (quantile * length), 1);

  return sorted[(guint) rank - 1];
}

static void
assert_near (double found, gint64 exact)
{
  g_assert_cmpfloat (fabs (found - (double) exact), <=, REEVE_QUANTILES_ERROR * (double) exact);
}

/* every value from the smallest to the greatest is within the stated error of itself */
static void
test_quantiles_error (void)
{
  for (gint64 value = 0; value < REEVE_QUANTILES_MAX; value += 1 + value / 97)
    {
      g_autoptr (ReeveQuantiles) one = reeve_quantiles_new ();

      reeve_quantiles_add (one, value);
      assert_near (reeve_quantiles_get (one, 0.5), value);
    }
}

static gint64
draw (GRand *dice, guint shape)
{
  double u = g_rand_double (dice);

  switch (shape)
    {
    case 0:
      return g_rand_int_range (dice, 0, 40);
    case 1:
      return g_rand_int_range (dice, 0, 3000000);
    case 2: /* exponential */
      return (gint64) (-log (1 - u) * 20000);
    case 3: /* two humps */
      return u < 0.96 ? g_rand_int_range (dice, 900, 1100)
                      : g_rand_int_range (dice, 2000000, 2100000);
    default: /* heavy tail */
      return (gint64) MIN (100 / pow (1 - u, 2), (double) REEVE_QUANTILES_MAX);
    }
}

static void
test_quantiles_exact (void)
{
  g_autoptr (GRand) dice = g_rand_new_with_seed (19);
  g_autofree gint64 *values = g_new0 (gint64, MANY);

  for (guint shape = 0; shape < 5; shape++)
    {
      g_autoptr (ReeveQuantiles) all = reeve_quantiles_new ();
      g_autoptr (ReeveQuantiles) half = reeve_quantiles_new ();

      for (guint i = 0; i < MANY; i++)
        {
          values[i] = draw (dice, shape);
          reeve_quantiles_add (i % 2 == 0 ? all : half, values[i]);
        }
      /* merged, as over slots of time */
      reeve_quantiles_merge (all, half);
      g_assert_cmpuint (reeve_quantiles_get_count (all), ==, MANY);
      qsort (values, MANY, sizeof *values, compare);
      for (guint i = 0; i < G_N_ELEMENTS (asked); i++)
        assert_near (reeve_quantiles_get (all, asked[i]), get_exact (values, MANY, asked[i]));
    }
}

static void
test_quantiles_edges (void)
{
  g_autoptr (ReeveQuantiles) quantiles = reeve_quantiles_new ();

  g_assert_cmpfloat (reeve_quantiles_get (quantiles, 0.5), ==, 0);
  reeve_quantiles_add (quantiles, -5);
  g_assert_cmpfloat (reeve_quantiles_get (quantiles, 1), ==, 0);
  reeve_quantiles_add (quantiles, G_MAXINT64);
  assert_near (reeve_quantiles_get (quantiles, 1), REEVE_QUANTILES_MAX);
  reeve_quantiles_clear (quantiles);
  g_assert_cmpuint (reeve_quantiles_get_count (quantiles), ==, 0);
  reeve_quantiles_add (quantiles, 17);
  g_assert_cmpfloat (reeve_quantiles_get (quantiles, 0.99), ==, 17);
}

static gpointer
add_many (gpointer data)
{
  for (gint64 i = 0; i < MANY; i++)
    reeve_quantiles_add (data, i * 37);
  return NULL;
}

static void
test_quantiles_threads (void)
{
  g_autoptr (ReeveQuantiles) quantiles = reeve_quantiles_new ();
  GThread *threads[3] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("add", add_many, quantiles);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (reeve_quantiles_get_count (quantiles), ==, G_N_ELEMENTS (threads) * MANY);
  assert_near (reeve_quantiles_get (quantiles, 0.5), (MANY / 2 - 1) * 37);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quantiles/error", test_quantiles_error);
  g_test_add_func ("/quantiles/exact", test_quantiles_exact);
  g_test_add_func ("/quantiles/edges", test_quantiles_edges);
  g_test_add_func ("/quantiles/threads", test_quantiles_threads);
  return g_test_run ();
}
