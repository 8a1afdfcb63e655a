/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A filter (seccomp(2)) judges a call when it begins: what was let through before the seal may be
 * done behind it. A thread stops (SIGSTOP) where it would go back to its own code, with no call of
 * the system under way: one that waits for the host's answer there begins anew, and is judged anew;
 * and an answer that comes too late finds nobody. So whoever was seen stopped behind the seal has
 * nothing from before. proc(5) shows everybody a thread's state, also of who is not dumpable. */
#include "runner-still.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REEVE_RUNNER_STILL_SOON_US  100
#define REEVE_RUNNER_STILL_LATER_US 5000

/* (transfer full) (nullable): numbers of the threads that are there; of a process that is gone:
 * none */
static GArray *
reeve_runner_still_list (GPid pid, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GError) failed = NULL;
  g_autoptr (GDir) tasks = g_dir_open (path, 0, &failed);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (int));
  const char *name = NULL;

  if (tasks == NULL && !g_error_matches (failed, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s", failed->message);
      return NULL;
    }
  while (tasks != NULL && (name = g_dir_read_name (tasks)) != NULL)
    {
      int number = atoi (name);

      g_array_append_val (all, number);
    }
  return g_steal_pointer (&all);
}

/* Has it stopped, or ended? The state stands behind the name, which may have anything in it. */
static gboolean
reeve_runner_still_is_out (GPid pid, int thread)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/stat", pid, thread);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  const char *state = NULL;

  if (!g_file_get_contents (path, &text, NULL, &error))
    return g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  state = strrchr (text, ')');
  return state != NULL && state[1] == ' ' && strchr ("TtZXx", state[2]) != NULL;
}

/* Those that are new are not looked at: they began behind what this is for. */
static void
reeve_runner_still_strike (GPid pid, GArray *threads)
{
  for (guint i = threads->len; i > 0; i--)
    {
      if (reeve_runner_still_is_out (pid, g_array_index (threads, int, i - 1)))
        g_array_remove_index_fast (threads, i - 1);
    }
}

/**
 * reeve_runner_still:
 * @pid: a process
 * @pidfd: that stands for it
 * @throttle: (nullable): whoever else stops it
 * @wait_us: at most
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_TIMEOUT, or with %REEVE_ERROR_PLUGIN where it cannot be seen or
 * stopped
 */
gboolean
reeve_runner_still (GPid pid, int pidfd, ReeveThrottle *throttle, gint64 wait_us, GError **error)
{
  g_autoptr (GArray) threads = reeve_runner_still_list (pid, error);
  gint64 end = g_get_monotonic_time () + wait_us;
  gulong pause = REEVE_RUNNER_STILL_SOON_US;

  if (threads == NULL)
    return FALSE;
  while (threads->len > 0 && g_get_monotonic_time () < end)
    {
      /* each time: the throttle may have let it go on */
      if (syscall (SYS_pidfd_send_signal, pidfd, SIGSTOP, NULL, 0) != 0 && errno != ESRCH)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "stopping its threads: %s",
                       g_strerror (errno));
          return FALSE;
        }
      reeve_runner_still_strike (pid, threads);
      if (threads->len > 0)
        g_usleep (pause);
      pause = MIN (2 * pause, REEVE_RUNNER_STILL_LATER_US);
    }
  if (throttle == NULL || !reeve_throttle_go_on (throttle, pid))
    syscall (SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0);
  if (threads->len == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT,
               "%u of its threads do not come back from the kernel", threads->len);
  return FALSE;
}
