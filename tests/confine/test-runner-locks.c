/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has how many locks, by what the kernel says and by what was let through since. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "loader/runner-locks.h"

static void
test_count (void)
{
  static const char text[] = "1: POSIX  ADVISORY  READ 41 fe:00:10962976 1073741826 1073742335\n"
                             "2: FLOCK  ADVISORY  WRITE 4 fe:00:10962977 0 EOF\n"
                             "2: -> FLOCK  ADVISORY  WRITE 4 fe:00:10962977 0 EOF\n"
                             "3: POSIX  ADVISORY  WRITE 4 00:1a:2 10 10\n"
                             "4: OFDLCK ADVISORY  WRITE -1 00:1a:2 12 12\n"
                             "5: LEASE  ACTIVE    READ 4 00:01:3 0 EOF\n"
                             "6: POSIX  ADVISORY  WRITE 4 00:1a:2 10 10\n"
                             "\n"
                             "7: POSIX  ADVISORY  READ 4";
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("locks.XXXXXX", &path, &error);

  g_assert_no_error (error);
  close (fd);
  g_assert_true (g_file_set_contents (path, text, -1, &error));
  g_assert_cmpuint (reeve_runner_locks_count (path, 4), ==, 4);
  g_assert_cmpuint (reeve_runner_locks_count (path, 41), ==, 1);
  g_assert_cmpuint (reeve_runner_locks_count (path, 5), ==, 0);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpuint (reeve_runner_locks_count (path, 4), ==, G_MAXUINT);
}

/* What was let through and locked nothing is nothing at the next look. */
static void
test_take (void)
{
  ReeveRunnerLocks locks = { .pid = getpid () };
  gboolean costly = FALSE;

  for (guint i = 0; i < 4 * REEVE_RUNNER_LOCKS_MOST; i++)
    {
      g_assert_true (reeve_runner_locks_take (&locks, &costly));
      g_assert_false (costly);
    }
}

/* This process locks as many as it is let, as a runner would. The kernel shows the locks of all a
 * page at a time: where others unlock meanwhile, some of this one's are not seen. */
static void
test_bound (void)
{
  ReeveRunnerLocks locks = { .pid = getpid () };
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("locks.XXXXXX", &path, &error);
  gboolean costly = FALSE;
  guint n_costly = 0;
  guint n = 0;

  g_assert_no_error (error);
  for (; n < 2 * REEVE_RUNNER_LOCKS_MOST && reeve_runner_locks_take (&locks, &costly); n++)
    {
      lock.l_start = 2 * n;
      n_costly += costly;
      g_assert_cmpint (fcntl (fd, F_SETLK, &lock), ==, 0);
    }
  /* one may become three: MOST - 1, where nobody else locks */
  g_assert_cmpuint (n, >=, REEVE_RUNNER_LOCKS_MOST - 1);
  g_assert_cmpuint (n, <, 2 * REEVE_RUNNER_LOCKS_MOST);
  g_assert_cmpuint (reeve_runner_locks_count ("/proc/locks", getpid ()), >, 0);
  g_assert_true (costly);
  /* it looks after ever fewer, not at each */
  g_assert_cmpuint (n_costly, <, REEVE_RUNNER_LOCKS_MOST / 4);
  /* it gave them back */
  close (fd);
  g_assert_true (reeve_runner_locks_take (&locks, &costly));
  g_assert_false (costly);
  g_assert_cmpint (g_unlink (path), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/runner/locks/count", test_count);
  g_test_add_func ("/runner/locks/take", test_take);
  g_test_add_func ("/runner/locks/bound", test_bound);
  return g_test_run ();
}
