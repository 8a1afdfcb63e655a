/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* user_namespaces(7), pid_namespaces(7). The map is the identity: who is the same inside and
 * outside is who GDBus' EXTERNAL says he is. */
#include "runner-namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static gboolean
runner_namespaces_write (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gssize written = fd >= 0 ? write (fd, text, strlen (text)) : -1;
  int code = errno;

  if (fd >= 0)
    close (fd);
  errno = code;
  return written == (gssize) strlen (text);
}

static gboolean
runner_namespaces_map (uid_t user, gid_t group)
{
  char users[64];
  char groups[64];

  g_snprintf (users, sizeof users, "%u %u 1\n", user, user);
  g_snprintf (groups, sizeof groups, "%u %u 1\n", group, group);
  return runner_namespaces_write ("/proc/self/setgroups", "deny")
         && runner_namespaces_write ("/proc/self/gid_map", groups)
         && runner_namespaces_write ("/proc/self/uid_map", users);
}

/* @noted: of which layer it is said where there is none */
static void
runner_namespaces_enter_user (RunnerReport *report, RunnerLayers noted)
{
  /* nobody has a name in there before the map is written */
  uid_t user = geteuid ();
  gid_t group = getegid ();

  if (unshare (CLONE_NEWUSER) != 0)
    runner_report_note (report, noted, errno, "unshare (CLONE_NEWUSER)");
  else if (!runner_namespaces_map (user, group))
    runner_report_note (report, noted, errno, "writing /proc/self/uid_map");
  else
    report->layers |= RUNNER_LAYERS_USER_NAMESPACE;
}

void
runner_namespaces_enter_mount (RunnerReport *report)
{
  runner_namespaces_enter_user (report, RUNNER_LAYERS_SCRATCH);
  if ((report->layers & RUNNER_LAYERS_USER_NAMESPACE) == 0)
    return;
  if (unshare (CLONE_NEWNS) == 0)
    report->layers |= RUNNER_LAYERS_MOUNT_NAMESPACE;
  else
    runner_report_note (report, RUNNER_LAYERS_SCRATCH, errno, "unshare (CLONE_NEWNS)");
}

void
runner_namespaces_enter (RunnerReport *report)
{
  static const struct
  {
    int flag;
    RunnerLayers layer;
    const char *what;
  } others[] = {
    { CLONE_NEWNET, RUNNER_LAYERS_NET_NAMESPACE, "unshare (CLONE_NEWNET)" },
    { CLONE_NEWIPC, RUNNER_LAYERS_IPC_NAMESPACE, "unshare (CLONE_NEWIPC)" },
    { CLONE_NEWUTS, RUNNER_LAYERS_UTS_NAMESPACE, "unshare (CLONE_NEWUTS)" },
    { CLONE_NEWCGROUP, RUNNER_LAYERS_CGROUP_NAMESPACE, "unshare (CLONE_NEWCGROUP)" },
    { CLONE_NEWNS, RUNNER_LAYERS_MOUNT_NAMESPACE, "unshare (CLONE_NEWNS)" },
    { CLONE_NEWPID, RUNNER_LAYERS_PID_NAMESPACE, "unshare (CLONE_NEWPID)" },
  };

  runner_namespaces_enter_user (report, RUNNER_LAYERS_USER_NAMESPACE);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      if (unshare (others[i].flag) == 0)
        report->layers |= others[i].layer;
      else
        runner_report_note (report, others[i].layer, errno, others[i].what);
    }
}

/* Nothing is left to do here but to end as the child did: the host sees one process. */
static void
runner_namespaces_wait (pid_t child)
{
  int status = 0;

  if (close_range (0, ~0U, 0) != 0)
    close (RUNNER_PLAN_CONTROL_FD);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    continue;
  if (WIFSIGNALED (status))
    {
      signal (WTERMSIG (status), SIG_DFL);
      raise (WTERMSIG (status));
    }
  _exit (WIFEXITED (status) ? WEXITSTATUS (status) : 1);
}

void
runner_namespaces_fork (RunnerReport *report)
{
  pid_t child = 0;

  if ((report->layers & RUNNER_LAYERS_PID_NAMESPACE) == 0)
    return;
  child = fork ();
  if (child < 0)
    {
      runner_report_note (report, RUNNER_LAYERS_PID_NAMESPACE, errno, "fork ()");
      return;
    }
  if (child > 0)
    runner_namespaces_wait (child);
  /* whoever waits above may have been killed before this: then the socket has an end */
  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}
