/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of the steps. A root host's runner becomes the plugin's own user first, and goes the
 * same way as everybody else's from there on: so its namespaces belong to that user, not to root.
 */
#include "runner-confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runner-landlock.h"
#include "runner-limits.h"
#include "runner-namespaces.h"
#include "runner-privileges.h"
#include "runner-root.h"
#include "runner-scratch.h"
#include "runner-seccomp.h"

/* Nothing of the host's but what it gave on purpose; a session without a terminal. */
static void
runner_confine_begin_session (RunnerReport *report)
{
  if (clearenv () != 0 || setenv ("LC_ALL", "C.UTF-8", 1) != 0)
    runner_report_note (report, RUNNER_LAYERS_SESSION, ENOMEM, "clearenv ()");
  else if (close_range (RUNNER_PLAN_WIRE_FD + 1, ~0U, 0) != 0)
    runner_report_note (report, RUNNER_LAYERS_SESSION, errno, "close_range ()");
  else if (setsid () < 0)
    runner_report_note (report, RUNNER_LAYERS_SESSION, errno, "setsid ()");
  else
    report->layers |= RUNNER_LAYERS_SESSION;
  if (chdir ("/") != 0)
    runner_report_note (report, RUNNER_LAYERS_SESSION, errno, "chdir ()");
}

/* A probe sees all to its end; what is to run stops at the first that is missing. */
static gboolean
runner_confine_is_good (const RunnerPlan *plan, RunnerReport *report, RunnerLayers asked)
{
  return plan->probe || (plan->required & asked & ~report->layers) == 0;
}

gboolean
runner_confine_apart (const RunnerPlan *plan, RunnerReport *report)
{
  runner_confine_begin_session (report);
  /* what is above it is closed to the plugin's user */
  if (plan->folder != NULL)
    report->on_disk = chdir (plan->folder) == 0;
  /* while it may be looked at: whoever has this looks at it later too (proc(5)), and sees what was
   * removed and is mapped still */
  if (report->on_disk)
    report->passed = open ("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (plan->uid != 0)
    runner_privileges_take_user (plan->uid, report);
  /* a change of user forgets it: prctl(2). Who started this lives as long as the host does. */
  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (!runner_confine_is_good (plan, report, RUNNER_LAYERS_SESSION | RUNNER_LAYERS_USER))
    return FALSE;
  if (plan->profile == RUNNER_LAYERS_PROFILE_HARDENED)
    {
      runner_namespaces_enter (report);
      runner_namespaces_fork (report);
    }
  else if (plan->scratch != 0)
    runner_namespaces_enter_mount (report);
  return runner_confine_is_good (plan, report, RUNNER_LAYERS_NAMESPACES);
}

gboolean
runner_confine_in (const RunnerPlan *plan, int module_fd, RunnerReport *report)
{
  if (plan->profile == RUNNER_LAYERS_PROFILE_HARDENED)
    runner_root_enter (plan, module_fd, report);
  if (!runner_confine_is_good (plan, report, RUNNER_LAYERS_ROOT))
    return FALSE;
  if (plan->scratch != 0)
    runner_scratch_mount (plan, report);
  if (!runner_confine_is_good (plan, report, RUNNER_LAYERS_SCRATCH))
    return FALSE;
  runner_limits_set (plan, report);
  runner_privileges_drop (report);
  runner_privileges_close (plan->jit, report);
  runner_landlock_restrict (plan, module_fd, report);
  runner_seccomp_allow (plan->jit, report);
  return runner_confine_is_good (
      plan, report,
      RUNNER_LAYERS_LIMITS | RUNNER_LAYERS_CAPABILITIES | RUNNER_LAYERS_NO_NEW_PRIVILEGES
          | RUNNER_LAYERS_NOT_DUMPABLE | RUNNER_LAYERS_MDWE | RUNNER_LAYERS_LANDLOCK
          | RUNNER_LAYERS_LANDLOCK_NETWORK | RUNNER_LAYERS_LANDLOCK_SCOPE | RUNNER_LAYERS_SECCOMP);
}

gboolean
runner_confine_seal (const RunnerPlan *plan, RunnerReport *report)
{
  runner_seccomp_seal (plan->jit, report);
  return (report->layers & RUNNER_LAYERS_SEALED) != 0;
}
