/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A filter (seccomp(2)) judges a call when it begins: what was let through before the seal may be
 * done behind it. A thread stops (SIGSTOP) where it would go back to its own code, with no call of
 * the system under way: one that waits for the host's answer there begins anew, and is judged anew;
 * and an answer that comes too late finds nobody. So whoever was seen stopped behind the seal has
 * nothing from before. proc(5) shows everybody a thread's state, also of who is not dumpable. */
#include "runner-still.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
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

/* (transfer full) (nullable): what proc(5) has behind the name of a process or thread, which may
 * have anything in it; it begins with the state */
static char *
reeve_runner_still_read (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  const char *state = NULL;

  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  state = strrchr (text, ')');
  return g_strdup (state != NULL && state[1] == ' ' ? state + 2 : "");
}

/* Has it stopped, or ended? */
static gboolean
reeve_runner_still_is_out (GPid pid, int thread)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/stat", pid, thread);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = reeve_runner_still_read (path, &error);

  if (text == NULL)
    return g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  return *text != '\0' && strchr ("TtZXx", *text) != NULL;
}

/* How many threads the kernel counts; of a process that is gone: 0 */
static guint
reeve_runner_still_count (GPid pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = reeve_runner_still_read (path, NULL);
  guint count = 0;

  /* the 20th; the state is the 3rd */
  if (text == NULL
      || sscanf (text, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %u",
                 &count)
             != 1)
    return 0;
  return count;
}

/* @left: (out): how many threads are not known to be out. The kernel's list ends early, or leaves
 * one out, where a thread ends that it has come to: so it has to be as long as there are threads,
 * before and behind it. */
static gboolean
reeve_runner_still_look (GPid pid, guint *left, GError **error)
{
  guint before = reeve_runner_still_count (pid);
  g_autoptr (GArray) threads = reeve_runner_still_list (pid, error);

  if (threads == NULL)
    return FALSE;
  *left = 0;
  for (guint i = 0; i < threads->len; i++)
    *left += !reeve_runner_still_is_out (pid, g_array_index (threads, int, i));
  if (threads->len != before || reeve_runner_still_count (pid) != before)
    *left = MAX (*left, 1);
  return TRUE;
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
  gint64 end = g_get_monotonic_time () + wait_us;
  gulong pause = REEVE_RUNNER_STILL_SOON_US;
  guint left = 1;

  while (left > 0 && g_get_monotonic_time () < end)
    {
      /* each time: the throttle may have let it go on */
      if (syscall (SYS_pidfd_send_signal, pidfd, SIGSTOP, NULL, 0) != 0 && errno != ESRCH)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "stopping its threads: %s",
                       g_strerror (errno));
          return FALSE;
        }
      if (!reeve_runner_still_look (pid, &left, error))
        return FALSE;
      if (left > 0)
        g_usleep (pause);
      pause = MIN (2 * pause, REEVE_RUNNER_STILL_LATER_US);
    }
  if (throttle == NULL || !reeve_throttle_go_on (throttle, pid))
    syscall (SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0);
  if (left == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT,
               "%u of its threads do not come back from the kernel", left);
  return FALSE;
}
