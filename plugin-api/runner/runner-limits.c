/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Soft and hard alike, so that nobody raises one again. */
#include "runner-limits.h"

#include <errno.h>
#include <sys/resource.h>

/* sanitizers map more than any machine has */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RUNNER_LIMITS_SPACE(memory) RLIM_INFINITY
#else
#define RUNNER_LIMITS_SPACE(memory) ((memory) != 0 ? (memory) : RLIM_INFINITY)
#endif
#define RUNNER_LIMITS_FILES_ON_DISK 64

void
runner_limits_set (const RunnerPlan *plan, RunnerReport *report)
{
  /* what it writes there to files without names nobody counts: so many of that size at most */
  guint files = report->on_disk ? MIN (plan->files, RUNNER_LIMITS_FILES_ON_DISK) : plan->files;
  guint64 file_size = report->on_disk ? MIN (plan->file_size, plan->scratch) : plan->file_size;
  const struct
  {
    int resource;
    rlim_t most;
    const char *name;
  } limits[] = {
    { RLIMIT_AS, RUNNER_LIMITS_SPACE (plan->memory), "setrlimit (RLIMIT_AS)" },
    { RLIMIT_NPROC, plan->processes, "setrlimit (RLIMIT_NPROC)" },
    { RLIMIT_NOFILE, files, "setrlimit (RLIMIT_NOFILE)" },
    { RLIMIT_FSIZE, file_size, "setrlimit (RLIMIT_FSIZE)" },
    { RLIMIT_CORE, 0, "setrlimit (RLIMIT_CORE)" },
    { RLIMIT_MEMLOCK, 0, "setrlimit (RLIMIT_MEMLOCK)" },
    { RLIMIT_MSGQUEUE, 0, "setrlimit (RLIMIT_MSGQUEUE)" },
    { RLIMIT_RTPRIO, 0, "setrlimit (RLIMIT_RTPRIO)" },
  };
  gboolean all = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      struct rlimit now = { 0, 0 };
      rlim_t most = limits[i].most;

      /* the host's own hard limit may be lower, which is as good */
      if (getrlimit ((__rlimit_resource_t) limits[i].resource, &now) == 0 && now.rlim_max < most)
        most = now.rlim_max;
      now = (struct rlimit){ most, most };
      if (setrlimit ((__rlimit_resource_t) limits[i].resource, &now) == 0)
        continue;
      runner_report_note (report, RUNNER_LAYERS_LIMITS, errno, limits[i].name);
      all = FALSE;
    }
  if (all)
    report->layers |= RUNNER_LAYERS_LIMITS;
}
