/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which user ids plugins have, in each kind of container, and whether a probe comes to its end. */
#include "loader/confinement.h"

#include <string.h>

static void
test_confinement_uid (void)
{
  static const struct
  {
    const char *map;
    guint32 first;
    guint32 chosen;
  } rows[] = {
    /* no container, or one without a user namespace */
    { "         0          0 4294967295\n", 1879048192u, 1879048192u },
    { "         0          0 4294967295\n", 5000, 5000 },
    /* 65536 users, as rootless containers have them */
    { "         0     100000      65536\n", 1879048192u, 65536 - 1024 },
    { "         0       1000          1\n         1     100000      65536\n", 1879048192u,
      65537 - 1024 },
    { "         0     100000      65536\n", 2000, 2000 },
    /* asked for a little too high */
    { "         0     100000      65536\n", 65000, 65536 - 1024 },
    /* the administrator alone: there are none, and the layer will say so */
    { "         0       1000          1\n", 1879048192u, 1879048192u },
    { "", 1879048192u, 1879048192u },
    { "what is this\n", 1879048192u, 1879048192u },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpuint (reeve_confinement_choose_uid (rows[i].map, rows[i].first), ==,
                      rows[i].chosen);
}

/* What this machine lacks is said, and is no error: a runner that gives up is one. */
static void
test_confinement_probe (void)
{
  static const RunnerLayersProfile profiles[]
      = { RUNNER_LAYERS_PROFILE_STRICT, RUNNER_LAYERS_PROFILE_HARDENED };
  g_autoptr (ReeveConfinement) confinement = reeve_confinement_new (NULL, "none");

  for (guint i = 0; i < G_N_ELEMENTS (profiles); i++)
    {
      g_autofree char *missing = NULL;
      g_autoptr (GError) error = NULL;

      reeve_confinement_probe (confinement, profiles[i], &missing, &error);
      g_assert_no_error (error);
      g_assert_nonnull (strstr (missing, "plugins.cgroup is none"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/confinement/uid", test_confinement_uid);
  g_test_add_func ("/confinement/probe", test_confinement_probe);
  return g_test_run ();
}
