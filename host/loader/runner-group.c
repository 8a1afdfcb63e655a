/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One folder of the kernel's, made before its process is told anything and taken away behind it. */
#include "runner-group.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cgroup.h"

/* plugin id, process of the host, number */
#define REEVE_RUNNER_GROUP_NAME "%s.%d.%u.plugin"
/* a process that was waited for leaves its group a moment later */
#define REEVE_RUNNER_GROUP_TRIES    200
#define REEVE_RUNNER_GROUP_RETRY_US 5000

struct _ReeveRunnerGroup
{
  char *folder;
  guint limits; /* that were put on, by controller */
};

/* @value: (transfer full). *note: (inout): the first that failed */
static void
reeve_runner_group_set (ReeveRunnerGroup *self, guint controller, const char *name, char *value,
                        char **note)
{
  g_autofree char *text = value;

  if (reeve_cgroup_write (self->folder, name, text))
    self->limits |= controller;
  else if (*note == NULL)
    *note = g_strdup_printf ("%s: %s", name, g_strerror (errno));
}

static char *
reeve_runner_group_format (guint64 amount)
{
  return amount != 0 ? g_strdup_printf ("%" G_GUINT64_FORMAT, amount) : g_strdup ("max");
}

static void
reeve_runner_group_limit (ReeveRunnerGroup *self, guint controllers,
                          const ReeveRunnerGroupLimits *limits, char **note)
{
  if ((controllers & REEVE_RUNNER_GROUPS_MEMORY) != 0)
    {
      /* a kernel may have no swap, or not count it */
      reeve_cgroup_write (self->folder, "memory.swap.max", "0");
      reeve_cgroup_write (self->folder, "memory.oom.group", "1");
      reeve_runner_group_set (self, REEVE_RUNNER_GROUPS_MEMORY, "memory.max",
                              reeve_runner_group_format (limits->memory), note);
    }
  /* and one that waits for it outside of its PID namespace */
  if ((controllers & REEVE_RUNNER_GROUPS_PIDS) != 0)
    reeve_runner_group_set (self, REEVE_RUNNER_GROUPS_PIDS, "pids.max",
                            g_strdup_printf ("%u", limits->threads + 1), note);
  if ((controllers & REEVE_RUNNER_GROUPS_CPU) != 0)
    reeve_runner_group_set (self, REEVE_RUNNER_GROUPS_CPU, "cpu.max",
                            limits->cpu != 0 ? g_strdup_printf ("%u 100000", limits->cpu * 1000)
                                             : g_strdup ("max"),
                            note);
}

ReeveRunnerGroup *
reeve_runner_group_new (ReeveRunnerGroups *groups, const ReeveRunnerGroupLimits *limits,
                        char **note)
{
  const char *top = reeve_runner_groups_get_folder (groups);
  g_autofree char *name = NULL;
  g_autofree char *folder = NULL;
  ReeveRunnerGroup *self = NULL;

  *note = g_strdup (reeve_runner_groups_get_note (groups));
  if (top == NULL)
    return NULL;
  name = g_strdup_printf (REEVE_RUNNER_GROUP_NAME, limits->name, getpid (),
                          reeve_runner_groups_next_number (groups));
  folder = g_build_filename (top, name, NULL);
  if (mkdir (folder, 0755) != 0)
    {
      g_free (*note);
      *note = g_strdup_printf ("mkdir (%s): %s", folder, g_strerror (errno));
      return NULL;
    }
  self = g_new0 (ReeveRunnerGroup, 1);
  self->folder = g_steal_pointer (&folder);
  reeve_runner_group_limit (self, reeve_runner_groups_get_controllers (groups), limits, note);
  return self;
}

void
reeve_runner_group_free (ReeveRunnerGroup *self)
{
  /* Linux 5.14; before it there is nobody left but where a PID namespace ended everybody */
  reeve_cgroup_write (self->folder, "cgroup.kill", "1");
  for (guint i = 0; rmdir (self->folder) != 0 && errno == EBUSY && i < REEVE_RUNNER_GROUP_TRIES;
       i++)
    g_usleep (REEVE_RUNNER_GROUP_RETRY_US);
  g_free (self->folder);
  g_free (self);
}

gboolean
reeve_runner_group_take (ReeveRunnerGroup *self, GPid pid)
{
  g_autofree char *text = g_strdup_printf ("%d", pid);

  return reeve_cgroup_write (self->folder, "cgroup.procs", text);
}

gboolean
reeve_runner_group_holds (ReeveRunnerGroup *self, GPid pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/cgroup", pid);
  g_autofree char *membership = NULL;
  g_autofree char *mounts = NULL;
  g_autofree char *mount = NULL;
  g_autofree char *folder = NULL;

  return g_file_get_contents (path, &membership, NULL, NULL)
         && g_file_get_contents ("/proc/self/mountinfo", &mounts, NULL, NULL)
         && reeve_cgroup_locate (membership, mounts, &mount, &folder)
         && strcmp (folder, self->folder) == 0;
}

gboolean
reeve_runner_group_is_whole (ReeveRunnerGroup *self)
{
  return self->limits == REEVE_RUNNER_GROUPS_ALL;
}

gboolean
reeve_runner_group_ran_out (ReeveRunnerGroup *self)
{
  g_autofree char *text = reeve_cgroup_read (self->folder, "memory.events");
  const char *at = text != NULL ? strstr (text, "\noom_kill ") : NULL;

  return at != NULL && g_ascii_strtoull (at + strlen ("\noom_kill "), NULL, 10) > 0;
}
