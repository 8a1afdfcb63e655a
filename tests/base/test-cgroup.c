/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a process stands by what the kernel writes, on machines of all sorts, and how many
 * processors limits leave it. */
#include "base/cgroup.h"

#include <glib/gstdio.h>

#define V2   "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
#define V1   "31 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
#define ODD  "32 23 0:28 / /my\\040groups rw - cgroup2 none rw\n"
#define PART "33 23 0:29 /system.slice /part rw - cgroup2 cgroup2 rw\n"

static void
test_locate (void)
{
  static const struct
  {
    const char *membership;
    const char *mounts;
    const char *mount; /* NULL: there is none */
    const char *folder;
  } cases[] = {
    { "0::/system.slice/reeve.service\n", V2, "/sys/fs/cgroup",
      "/sys/fs/cgroup/system.slice/reeve.service" },
    { "8:pids:/a\n4:memory:/b\n0::/\n", V1 V2, "/sys/fs/cgroup", "/sys/fs/cgroup" },
    { "0::/a b\n", V1 ODD, "/my groups", "/my groups/a b" },
    { "0::/a\n", PART V2, "/sys/fs/cgroup", "/sys/fs/cgroup/a" },
    { "0::/a\n", PART, NULL, NULL },
    { "0::/a\n", V1, NULL, NULL },
    { "4:memory:/b\n", V2, NULL, NULL },
    { "0::/../elsewhere\n", V2, NULL, NULL },
    { "0::/gone (deleted)\n", V2, NULL, NULL },
    { "", "", NULL, NULL },
    { "0::/a\n", "30 - cgroup2 \n - cgroup2 cgroup2\n", NULL, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *mount = NULL;
      g_autofree char *folder = NULL;

      g_assert_true (reeve_cgroup_locate (cases[i].membership, cases[i].mounts, &mount, &folder)
                     == (cases[i].mount != NULL));
      g_assert_cmpstr (mount, ==, cases[i].mount);
      g_assert_cmpstr (folder, ==, cases[i].folder);
    }
}

/* The lowest of all that stand above it. */
static void
test_processors (void)
{
  static const struct
  {
    const char *top;
    const char *middle;
    const char *own;
    guint left; /* of 16 */
  } cases[] = {
    { NULL, "max 100000\n", "max 100000\n", 16 },
    { NULL, "400000 100000\n", "max 100000\n", 4 },
    { NULL, "400000 100000\n", "250000 100000\n", 3 },
    { "100000 100000\n", "400000 100000\n", "250000 100000\n", 1 },
    { NULL, NULL, "5000 100000\n", 1 },
    { NULL, NULL, "9900000 100000\n", 16 },
    { NULL, "0 100000\n", "nonsense", 16 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *mount = g_dir_make_tmp ("cgroup.XXXXXX", NULL);
      g_autofree char *middle = g_build_filename (mount, "a", NULL);
      g_autofree char *own = g_build_filename (middle, "b", NULL);
      const char *const folders[] = { mount, middle, own };
      const char *const texts[] = { cases[i].top, cases[i].middle, cases[i].own };

      g_assert_cmpint (g_mkdir_with_parents (own, 0700), ==, 0);
      for (guint j = 0; j < G_N_ELEMENTS (folders); j++)
        {
          g_autofree char *path = g_build_filename (folders[j], "cpu.max", NULL);

          g_assert_true (texts[j] == NULL || g_file_set_contents (path, texts[j], -1, NULL));
        }
      g_assert_cmpuint (reeve_cgroup_bound_processors (mount, own, 16), ==, cases[i].left);
      for (guint j = G_N_ELEMENTS (folders); j > 0; j--)
        {
          g_autofree char *path = g_build_filename (folders[j - 1], "cpu.max", NULL);

          g_unlink (path);
          g_assert_cmpint (g_rmdir (folders[j - 1]), ==, 0);
        }
    }
}

static void
test_own (void)
{
  guint count = reeve_cgroup_count_processors ();

  g_assert_cmpuint (count, >=, 1);
  g_assert_cmpuint (count, <=, g_get_num_processors ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cgroup/locate", test_locate);
  g_test_add_func ("/cgroup/processors", test_processors);
  g_test_add_func ("/cgroup/own", test_own);
  return g_test_run ();
}
