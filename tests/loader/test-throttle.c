/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process may use of the processors: the sums, and real processes that use all they can or
 * nothing at all. */
#include "loader/throttle.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND G_USEC_PER_SEC

static void
test_sums (void)
{
  ReeveThrottleRation ration;
  gint64 used = 5 * SECOND;

  /* half a processor: two seconds of that are saved up at first */
  reeve_throttle_ration_init (&ration, 50, 0, used);
  g_assert_cmpint (ration.saved, ==, SECOND);
  /* on two processors it takes two thirds of a second to use that up */
  g_assert_cmpint (reeve_throttle_ration_look (&ration, 0, used, 2), ==, SECOND * 100 / 150);
  used += SECOND * 6 / 10;
  g_assert_cmpint (reeve_throttle_ration_look (&ration, SECOND * 4 / 10, used, 2), >,
                   SECOND * 4 / 10);
  g_assert_false (ration.stopped);
  g_assert_cmpint (ration.saved, ==, SECOND * 6 / 10);
  /* one second over: two seconds until that is made good */
  used += SECOND * 16 / 10;
  g_assert_cmpint (reeve_throttle_ration_look (&ration, SECOND * 4 / 10, used, 2), >=,
                   SECOND * 24 / 10);
  g_assert_true (ration.stopped);
  g_assert_cmpint (reeve_throttle_ration_look (&ration, SECOND * 25 / 10, used, 2), >,
                   SECOND * 25 / 10);
  g_assert_false (ration.stopped);
  /* what is saved up has an end */
  reeve_throttle_ration_look (&ration, SECOND * 1000, used, 2);
  g_assert_cmpint (ration.saved, ==, SECOND);
}

/* @spins: else it sleeps */
static GPid
start (gboolean spins)
{
  GPid pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid != 0)
    return pid;
  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  for (volatile guint i = 0;; i++)
    {
      if (!spins)
        pause ();
    }
}

static gboolean
is_stopped (GPid pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  const char *end = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  end = strrchr (text, ')');
  g_assert_true (end != NULL);
  return g_str_has_prefix (end, ") T");
}

static void
test_processes (void)
{
  g_autoptr (ReeveThrottle) throttle = reeve_throttle_new (0);
  const GPid all[] = { start (TRUE), start (FALSE), start (TRUE) };
  guint changes = 0;

  /* the third may use as much as there is */
  reeve_throttle_add (throttle, all[0], 10, NULL);
  reeve_throttle_add (throttle, all[1], 5, NULL);
  reeve_throttle_add (throttle, all[2], 100 * 4096, NULL);
  /* stopped and let go, more than once */
  for (gboolean before = FALSE; changes < 4;)
    {
      g_usleep (1000);
      g_assert_false (is_stopped (all[1]));
      g_assert_false (is_stopped (all[2]));
      if (is_stopped (all[0]) == before)
        continue;
      before = !before;
      changes++;
    }
  while (!is_stopped (all[0]))
    g_usleep (1000);
  /* for its end it has something again, and no more than that: it is stopped again */
  reeve_throttle_refill (throttle, all[0]);
  while (is_stopped (all[0]))
    g_usleep (1000);
  while (!is_stopped (all[0]))
    g_usleep (1000);
  /* whoever is taken out of it goes on for good */
  reeve_throttle_remove (throttle, all[0]);
  reeve_throttle_remove (throttle, all[0]);
  while (is_stopped (all[0]))
    g_usleep (1000);
  /* one that ended harms nobody */
  g_assert_cmpint (kill (all[1], SIGKILL), ==, 0);
  for (guint i = 0; i < 100; i++)
    {
      g_usleep (1000);
      g_assert_false (is_stopped (all[0]));
    }
  reeve_throttle_remove (throttle, all[1]);
  reeve_throttle_remove (throttle, all[2]);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      kill (all[i], SIGKILL);
      g_assert_cmpint (waitpid (all[i], NULL, 0), ==, all[i]);
    }
}

/* Uses some of a processor, and counts that for @host_time. */
static void
work (ReeveHostTime *host_time)
{
  gint64 begun = reeve_host_time_begin ();
  gint64 used = reeve_host_time_get_used (host_time);

  for (volatile guint i = 0; i < 1000 * 1000; i++)
    ;
  reeve_host_time_add (host_time, begun);
  g_assert_cmpint (reeve_host_time_get_used (host_time), >, used);
}

/* What the host uses for a process that does nothing itself counts as if that had used it, and for
 * no other. */
static void
test_host_time (void)
{
  g_autoptr (ReeveThrottle) throttle = reeve_throttle_new (0);
  g_autoptr (ReeveHostTime) one = reeve_host_time_new ();
  g_autoptr (ReeveHostTime) other = reeve_host_time_new ();
  ReeveHostTime *const times[] = { one, other };
  const GPid all[] = { start (FALSE), start (FALSE) };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    reeve_throttle_add (throttle, all[i], 5, times[i]);
  while (!reeve_host_time_is_held (times[0]))
    work (times[0]);
  while (!is_stopped (all[0]))
    g_usleep (1000);
  g_assert_false (reeve_host_time_is_held (times[1]));
  g_assert_false (is_stopped (all[1]));
  /* until that is made good */
  while (reeve_host_time_is_held (times[0]) || is_stopped (all[0]))
    g_usleep (1000);
  /* nobody is held whom nobody looks at any more */
  while (!reeve_host_time_is_held (times[0]))
    work (times[0]);
  reeve_throttle_remove (throttle, all[0]);
  g_assert_false (reeve_host_time_is_held (times[0]));
  reeve_throttle_remove (throttle, all[1]);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      kill (all[i], SIGKILL);
      g_assert_cmpint (waitpid (all[i], NULL, 0), ==, all[i]);
    }
}

/* Uses so much of a processor. Returns what this thread had used then, in nanoseconds. */
static gint64
burn (gint64 ms)
{
  struct timespec now = { 0 };
  gint64 used = 0;
  gint64 end = 0;

  do
    {
      clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
      used = (gint64) now.tv_sec * 1000 * 1000 * 1000 + now.tv_nsec;
      end = end != 0 ? end : used + ms * 1000 * 1000;
    }
  while (used < end);
  return used;
}

/* What one plugin asks another one for is counted once: for the one that it is done for. */
static void
test_nested (void)
{
  g_autoptr (ReeveHostTime) asks = reeve_host_time_new ();
  g_autoptr (ReeveHostTime) works = reeve_host_time_new ();
  gint64 before = burn (0);
  gint64 outer = reeve_host_time_begin ();
  gint64 inner = 0;
  gint64 all = 0;

  burn (20);
  inner = reeve_host_time_begin ();
  for (guint i = 0; i < 3; i++)
    {
      burn (20);
      inner = reeve_host_time_add (works, inner);
    }
  burn (20);
  outer = reeve_host_time_add (asks, outer);
  burn (20);
  reeve_host_time_add (asks, outer);
  all = (burn (0) - before) / 1000;
  g_assert_cmpint (reeve_host_time_get_used (works), >=, 60 * 1000);
  g_assert_cmpint (reeve_host_time_get_used (asks), >=, 60 * 1000);
  g_assert_cmpint (reeve_host_time_get_used (works) + reeve_host_time_get_used (asks), <=, all);
}

/* Two that may each use what they like use too much together: both are held up, in turn or at once,
 * and go on. Who uses little beside them is not held up, and neither is anybody whose neighbours
 * are gone. */
static void
test_together (void)
{
  g_autoptr (ReeveThrottle) throttle = reeve_throttle_new (10);
  const GPid all[] = { start (TRUE), start (TRUE), start (FALSE) };
  gboolean before[2] = { FALSE, FALSE };
  guint changes[2] = { 0, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    reeve_throttle_add (throttle, all[i], 100 * 4096, NULL);
  while (changes[0] < 4 || changes[1] < 4)
    {
      g_usleep (1000);
      g_assert_false (is_stopped (all[2]));
      for (guint i = 0; i < 2; i++)
        {
          gboolean now = is_stopped (all[i]);

          changes[i] += now != before[i];
          before[i] = now;
        }
    }
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    reeve_throttle_remove (throttle, all[i]);
  while (is_stopped (all[0]) || is_stopped (all[1]))
    g_usleep (1000);
  for (guint i = 0; i < 100; i++)
    {
      g_usleep (1000);
      g_assert_false (is_stopped (all[0]) || is_stopped (all[1]));
    }
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      kill (all[i], SIGKILL);
      g_assert_cmpint (waitpid (all[i], NULL, 0), ==, all[i]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/throttle/sums", test_sums);
  g_test_add_func ("/throttle/processes", test_processes);
  g_test_add_func ("/throttle/host-time", test_host_time);
  g_test_add_func ("/throttle/nested", test_nested);
  g_test_add_func ("/throttle/together", test_together);
  return g_test_run ();
}
