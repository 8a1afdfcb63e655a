/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tmpfs(5): the kernel holds the bound, and all of it goes with the namespace, however that ends.
 * Nothing in it is executed, and no device or set-user-id program is one there. Whose call a file
 * is of a process cannot hold against itself: a folder for each call keeps apart what an honest
 * plugin does for its callers, as its memory does. */
#include "runner-scratch.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* one file or folder for so many bytes, and some for small ones: each takes memory of the kernel's
 * too */
#define RUNNER_SCRATCH_INODE_BYTES (16 * 1024)
#define RUNNER_SCRATCH_INODES      1024

void
runner_scratch_mount (const RunnerPlan *plan, RunnerReport *report)
{
  g_autofree char *options = g_strdup_printf (
      "size=%" G_GUINT64_FORMAT ",nr_inodes=%" G_GUINT64_FORMAT ",mode=0700", plan->scratch,
      RUNNER_SCRATCH_INODES + plan->scratch / RUNNER_SCRATCH_INODE_BYTES);

  if ((report->layers & RUNNER_LAYERS_MOUNT_NAMESPACE) == 0)
    {
      /* why there is none may be noted already */
      if (!g_hash_table_contains (report->notes, runner_layers_get_name (RUNNER_LAYERS_SCRATCH)))
        runner_report_note (report, RUNNER_LAYERS_SCRATCH, 0, "there is no mount namespace");
    }
  else if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    runner_report_note (report, RUNNER_LAYERS_SCRATCH, errno, "mount (MS_PRIVATE)");
  else if (mount ("tmpfs", RUNNER_PLAN_SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
           != 0)
    runner_report_note (report, RUNNER_LAYERS_SCRATCH, errno, "mount (tmpfs)");
  else
    report->layers |= RUNNER_LAYERS_SCRATCH;
  if ((report->layers & RUNNER_LAYERS_SCRATCH) == 0 || !report->on_disk)
    return;
  report->on_disk = FALSE;
  if (chdir ("/") != 0)
    runner_report_note (report, RUNNER_LAYERS_SCRATCH, errno, "chdir ()");
}

const char *
runner_scratch_get_path (const RunnerReport *report)
{
  if ((report->layers & RUNNER_LAYERS_SCRATCH) != 0)
    return RUNNER_PLAN_SCRATCH;
  return report->on_disk ? RUNNER_PLAN_FOLDER : NULL;
}

char *
runner_scratch_make (const char *top, guint64 number, GError **error)
{
  g_autofree char *path = g_strdup_printf ("%s/call-%" G_GUINT64_FORMAT, top, number);

  if (mkdir (path, 0700) == 0 || errno == EEXIST)
    return g_steal_pointer (&path);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "scratch: making %s: %s", path,
               g_strerror (errno));
  return NULL;
}
