/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* proc(5). Namespaces are looked at before the process hides itself (not dumpable), credentials and
 * filters after. The kernel shows nobody which Landlock rules or which root a process has: for
 * those two the runner's own word stands, before any code of the plugin ran in it. */
#include "runner-verify.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct
{
  RunnerLayers layer;
  const char *name;
} reeve_runner_verify_namespaces[] = {
  { RUNNER_LAYERS_USER_NAMESPACE, "user" },     { RUNNER_LAYERS_NET_NAMESPACE, "net" },
  { RUNNER_LAYERS_IPC_NAMESPACE, "ipc" },       { RUNNER_LAYERS_UTS_NAMESPACE, "uts" },
  { RUNNER_LAYERS_CGROUP_NAMESPACE, "cgroup" }, { RUNNER_LAYERS_MOUNT_NAMESPACE, "mnt" },
  { RUNNER_LAYERS_PID_NAMESPACE, "pid" },
};

static gboolean
reeve_runner_verify_fail (RunnerLayers layer, const char *seen, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "its runner says that layer %s is in force, and the kernel says: %s",
               runner_layers_get_name (layer), seen);
  return FALSE;
}

static gboolean
reeve_runner_verify_apart (GPid pid, const RunnerReport *report, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_runner_verify_namespaces); i++)
    {
      const char *name = reeve_runner_verify_namespaces[i].name;
      g_autofree char *theirs = g_strdup_printf ("/proc/%d/ns/%s", pid, name);
      g_autofree char *ours = g_strdup_printf ("/proc/self/ns/%s", name);
      g_autofree char *their = g_file_read_link (theirs, NULL);
      g_autofree char *our = g_file_read_link (ours, NULL);

      if ((report->layers & reeve_runner_verify_namespaces[i].layer) == 0)
        continue;
      if (their == NULL || our == NULL || strcmp (their, our) == 0)
        return reeve_runner_verify_fail (reeve_runner_verify_namespaces[i].layer,
                                         their != NULL ? "it is the host's" : "it cannot be seen",
                                         error);
    }
  return TRUE;
}

/* (transfer full) (nullable): what stands behind @name in a status file, without space around it */
static char *
reeve_runner_verify_find (const char *status, const char *name)
{
  g_autofree char *key = g_strdup_printf ("\n%s:", name);
  const char *at = strstr (status, key);

  if (at == NULL)
    return NULL;
  at += strlen (key);
  return g_strstrip (g_strndup (at, strcspn (at, "\n")));
}

static gboolean
reeve_runner_verify_value (const char *status, const char *name, const char *value,
                           RunnerLayers layer, GError **error)
{
  g_autofree char *seen = reeve_runner_verify_find (status, name);
  g_autofree char *text = g_strdup_printf ("%s is %s", name, seen != NULL ? seen : "not there");

  return g_strcmp0 (seen, value) == 0 || reeve_runner_verify_fail (layer, text, error);
}

/* Each of the four user ids is @uid's. */
static gboolean
reeve_runner_verify_user (const char *status, guint32 uid, GError **error)
{
  g_autofree char *four = g_strdup_printf ("%u\t%u\t%u\t%u", uid, uid, uid, uid);

  return reeve_runner_verify_value (status, "Uid", four, RUNNER_LAYERS_USER, error)
         && reeve_runner_verify_value (status, "Gid", four, RUNNER_LAYERS_USER, error)
         && reeve_runner_verify_value (status, "Groups", "", RUNNER_LAYERS_USER, error);
}

/* What is in force according to the report must be so. */
static gboolean
reeve_runner_verify_confined (const char *status, const RunnerReport *report, GError **error)
{
  static const struct
  {
    const char *name;
    const char *value;
    RunnerLayers layer;
  } lines[] = {
    { "CapInh", "0000000000000000", RUNNER_LAYERS_CAPABILITIES },
    { "CapPrm", "0000000000000000", RUNNER_LAYERS_CAPABILITIES },
    { "CapEff", "0000000000000000", RUNNER_LAYERS_CAPABILITIES },
    { "CapAmb", "0000000000000000", RUNNER_LAYERS_CAPABILITIES },
    { "NoNewPrivs", "1", RUNNER_LAYERS_NO_NEW_PRIVILEGES },
    { "Seccomp", "2", RUNNER_LAYERS_SECCOMP },
    { "Threads", "1", RUNNER_LAYERS_SESSION },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      if ((report->layers & lines[i].layer) != 0
          && !reeve_runner_verify_value (status, lines[i].name, lines[i].value, lines[i].layer,
                                         error))
        return FALSE;
    }
  return TRUE;
}

/* Filters are counted since Linux 5.9; one more each time. */
static gboolean
reeve_runner_verify_filters (ReeveRunnerVerify *self, const char *status,
                             const RunnerReport *report, GError **error)
{
  g_autofree char *seen = reeve_runner_verify_find (status, "Seccomp_filters");
  guint filters = seen != NULL ? (guint) g_ascii_strtoull (seen, NULL, 10) : 0;
  guint before = self->filters;

  self->filters = filters;
  if (seen == NULL || report->stage == RUNNER_STAGE_APART || filters > before
      || (report->layers
          & (report->stage == RUNNER_STAGE_LOADED ? RUNNER_LAYERS_SEALED : RUNNER_LAYERS_SECCOMP))
             == 0)
    return TRUE;
  return reeve_runner_verify_fail (report->stage == RUNNER_STAGE_LOADED ? RUNNER_LAYERS_SEALED
                                                                        : RUNNER_LAYERS_SECCOMP,
                                   "no filter was added", error);
}

/* Is @pid who was started, or, in a PID namespace, its child? */
static gboolean
reeve_runner_verify_sender (const ReeveRunnerVerify *self, GPid pid, const char *status,
                            GError **error)
{
  g_autofree char *parent = reeve_runner_verify_find (status, "PPid");

  if (pid == self->starter
      || (parent != NULL && g_ascii_strtoll (parent, NULL, 10) == self->starter))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "process %d speaks for its runner, which is %d", pid, self->starter);
  return FALSE;
}

/**
 * reeve_runner_verify_step:
 * @self: what is known of the process
 * @pid: who sent @report
 * @report: what it says
 * @error: return location for %REEVE_ERROR_PLUGIN
 *
 * Returns: whether the kernel says the same
 */
gboolean
reeve_runner_verify_step (ReeveRunnerVerify *self, GPid pid, const RunnerReport *report,
                          GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);
  g_autofree char *status = NULL;

  if (!g_file_get_contents (path, &status, NULL, error))
    {
      g_prefix_error (error, "looking at its runner: ");
      return FALSE;
    }
  if (!reeve_runner_verify_sender (self, pid, status, error)
      || ((report->layers & RUNNER_LAYERS_USER) != 0
          && !reeve_runner_verify_user (status, self->uid, error))
      || !reeve_runner_verify_filters (self, status, report, error))
    return FALSE;
  if (report->stage == RUNNER_STAGE_APART)
    return reeve_runner_verify_apart (pid, report, error);
  return report->stage != RUNNER_STAGE_CONFINED
         || reeve_runner_verify_confined (status, report, error);
}
