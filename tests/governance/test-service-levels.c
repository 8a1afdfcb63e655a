/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service levels: whose, since when, and how windows move. The clock is the test's. */
#include "governance/service-levels.h"

#include <math.h>

#define MINUTE (60 * (gint64) G_USEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define BEGAN  (7 * HOUR + 11)

static void
assert_level (ReeveServiceLevels *levels, const char *tenant_id, gint64 window, gint64 at,
              guint64 requests, guint64 errors)
{
  ReeveServiceLevel level = { 0 };

  g_assert_true (reeve_service_levels_get (levels, tenant_id, window, BEGAN + at, &level));
  g_assert_cmpuint (level.requests, ==, requests);
  g_assert_cmpuint (level.errors, ==, errors);
  g_assert_cmpint (level.covered_us, <=, at);
}

static void
test_levels_tenants (void)
{
  g_autoptr (ReeveServiceLevels) levels = reeve_service_levels_new (2, BEGAN);
  g_auto (GStrv) ids = NULL;
  ReeveServiceLevel level = { 0 };

  reeve_service_levels_note (levels, "one", 200, 1000, BEGAN);
  reeve_service_levels_note (levels, "one", 499, 1000, BEGAN);
  reeve_service_levels_note (levels, "one", 500, 1000, BEGAN);
  reeve_service_levels_note (levels, "two", 503, 8000, BEGAN);
  reeve_service_levels_note (levels, "three", 200, 1000, BEGAN);
  reeve_service_levels_note (levels, NULL, 401, 1000, BEGAN);
  assert_level (levels, "one", 0, 0, 3, 1);
  assert_level (levels, "two", 0, 0, 1, 1);
  assert_level (levels, "", 0, 0, 2, 0);
  assert_level (levels, NULL, 0, 0, 6, 2);
  g_assert_false (reeve_service_levels_get (levels, "three", 0, BEGAN, &level));
  g_assert_cmpuint (level.requests, ==, 0);
  ids = reeve_service_levels_list (levels);
  g_assert_cmpstrv (ids, ((const char *const[]){ "", "one", "two", NULL }));
}

/* what is older than a window goes, slot by slot; rings are used again */
static void
test_levels_windows (void)
{
  g_autoptr (ReeveServiceLevels) levels = reeve_service_levels_new (2, BEGAN);

  for (guint i = 0; i < 30 * 12; i++)
    {
      gint64 at = i * 5 * MINUTE;

      reeve_service_levels_note (levels, "one", i % 2 == 0 ? 200 : 500, 1000, BEGAN + at);
      assert_level (levels, "one", 0, at, i + 1, (i + 1) / 2);
      assert_level (levels, "one", 5 * MINUTE, at, MIN (i + 1, 2), i == 0 ? 0 : 1);
      assert_level (levels, "one", HOUR, at, MIN (i + 1, 13),
                    MIN (i + 1, 13) / 2 + (i >= 12 && i % 2));
    }
  /* a day ends in hours, the one that began with the window among them */
  assert_level (levels, "one", 24 * HOUR, 30 * HOUR - 1, 25 * 12, 25 * 6);
  assert_level (levels, NULL, 2 * HOUR, 30 * HOUR - 1, 3 * 12, 3 * 6);
  /* nothing for long */
  assert_level (levels, "one", HOUR, 40 * HOUR, 0, 0);
  assert_level (levels, "one", 24 * HOUR, 400 * HOUR, 0, 0);
  reeve_service_levels_note (levels, "one", 200, 1000, BEGAN + 400 * HOUR);
  assert_level (levels, "one", 24 * HOUR, 400 * HOUR, 1, 0);
}

/* of all tenants together they are those of all values, not a mean of the tenants' */
static void
test_levels_quantiles (void)
{
  g_autoptr (ReeveServiceLevels) levels = reeve_service_levels_new (2, BEGAN);
  ReeveServiceLevel level = { 0 };

  for (guint i = 1; i <= 900; i++)
    reeve_service_levels_note (levels, "one", 200, 1000, BEGAN);
  for (guint i = 1; i <= 100; i++)
    reeve_service_levels_note (levels, "two", 200, 1000000, BEGAN);
  g_assert_true (reeve_service_levels_get (levels, NULL, 0, BEGAN + MINUTE, &level));
  g_assert_cmpfloat (fabs (level.p50_us - 1000), <=, 1000 * REEVE_QUANTILES_ERROR);
  g_assert_cmpfloat (fabs (level.p95_us - 1000000), <=, 1000000 * REEVE_QUANTILES_ERROR);
  g_assert_cmpfloat (fabs (level.p99_us - 1000000), <=, 1000000 * REEVE_QUANTILES_ERROR);
  g_assert_cmpint (level.covered_us, ==, MINUTE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/service-levels/tenants", test_levels_tenants);
  g_test_add_func ("/service-levels/windows", test_levels_windows);
  g_test_add_func ("/service-levels/quantiles", test_levels_quantiles);
  return g_test_run ();
}
