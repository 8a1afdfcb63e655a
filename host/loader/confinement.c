/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel's version, a container's profile and a distribution's settings say little about what
 * will be let through together: so a runner is started without a plugin, and asked. */
#include "confinement.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

#define REEVE_CONFINEMENT_WAIT_US   (10 * G_USEC_PER_SEC)
#define REEVE_CONFINEMENT_FILE_SIZE (1024 * 1024)
/* how many user ids there must be for plugins */
#define REEVE_CONFINEMENT_UIDS 1024

struct _ReeveConfinement
{
  char *runner;
  ReeveRunnerGroups *groups;
};

/**
 * reeve_confinement_find_runner:
 * @runner: (nullable): what was asked for
 *
 * Returns: (transfer full): full path of the program that holds plugins
 */
char *
reeve_confinement_find_runner (const char *runner)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);

  if (runner != NULL)
    return g_strdup (runner);
  return g_strdup (program != NULL && g_str_has_prefix (program, REEVE_BUILD_DIR "/")
                       ? REEVE_BUILD_DIR "/plugin-api/runner/reeve-plugin-runner"
                       : REEVE_RUNNER_DIR "/reeve-plugin-runner");
}

ReeveConfinement *
reeve_confinement_new (const char *runner, const char *cgroup)
{
  ReeveConfinement *self = g_new0 (ReeveConfinement, 1);

  self->groups = reeve_runner_groups_new (cgroup, 0);
  self->runner = reeve_confinement_find_runner (runner);
  return self;
}

void
reeve_confinement_free (ReeveConfinement *self)
{
  reeve_runner_groups_free (self->groups);
  g_free (self->runner);
  g_free (self);
}

/**
 * reeve_confinement_choose_uid:
 * @map: lines of three numbers, user_namespaces(7): inside, outside, how many
 * @first: what was asked for
 *
 * Returns: first of the user ids that plugins have
 */
guint32
reeve_confinement_choose_uid (const char *map, guint32 first)
{
  g_auto (GStrv) lines = g_strsplit (map, "\n", -1);
  guint64 most = 0;
  guint64 end = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      guint64 inside = 0;
      guint64 outside = 0;
      guint64 count = 0;

      if (sscanf (lines[i], "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                  &inside, &outside, &count)
          != 3)
        continue;
      if (inside <= first && (guint64) first + REEVE_CONFINEMENT_UIDS <= inside + count)
        return first;
      if (count > most)
        {
          most = count;
          end = inside + count;
        }
    }
  /* others than the host's own are at the beginning */
  return most > 2 * REEVE_CONFINEMENT_UIDS ? (guint32) (end - REEVE_CONFINEMENT_UIDS) : first;
}

/**
 * reeve_confinement_find_uid:
 * @first: what was asked for
 *
 * Returns: first of the user ids that plugins have here
 */
guint32
reeve_confinement_find_uid (guint32 first)
{
  g_autofree char *map = NULL;

  return g_file_get_contents ("/proc/self/uid_map", &map, NULL, NULL)
             ? reeve_confinement_choose_uid (map, first)
             : first;
}

static char *
reeve_confinement_describe (ReeveRunner *runner, RunnerLayers missing)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < RUNNER_LAYERS_COUNT; i++)
    {
      RunnerLayers layer = (RunnerLayers) (1u << i);
      const char *note = reeve_runner_get_note (runner, layer);

      if ((missing & layer) != 0)
        g_string_append_printf (
            text, "%s%s (%s): %s", text->len > 0 ? "; " : "", runner_layers_get_name (layer),
            note != NULL ? note : "is not there", runner_layers_get_remedy (layer));
    }
  return g_string_free (text, FALSE);
}

/**
 * reeve_confinement_probe:
 * @self: what is asked
 * @profile: which layers
 * @missing: (out) (transfer full): what could not be put on, a line each
 * @error: return location for %REEVE_ERROR_PLUGIN, where no runner could be started, and
 * %REEVE_ERROR_TIMEOUT
 *
 * Returns: whether plugins can be confined so
 */
gboolean
reeve_confinement_probe (ReeveConfinement *self, RunnerLayersProfile profile, char **missing,
                         GError **error)
{
  const char *const command[] = { self->runner, NULL };
  gboolean root = geteuid () == 0;
  const ReeveRunnerSetup setup = {
    .command = command,
    .name = "probe",
    .groups = self->groups,
    .threads = 64,
    .cpu = 100,
    .profile = profile,
    .uid = root ? reeve_confinement_find_uid (REEVE_CONFINEMENT_FIRST_UID) : 0,
    .processes = 64,
    .files = 64,
    /* as plugins may write: the runner reads its own filter back from a file in memory */
    .file_size = REEVE_CONFINEMENT_FILE_SIZE,
    .wait_us = REEVE_CONFINEMENT_WAIT_US,
  };
  g_autoptr (ReeveRunnerLauncher) launcher = reeve_runner_launcher_new ();
  g_autoptr (ReeveRunner) runner = reeve_runner_new (launcher, &setup, -1, error);
  RunnerLayers required = runner_layers_get_required (profile, root);

  *missing = NULL;
  if (runner == NULL)
    return FALSE;
  *missing = reeve_confinement_describe (runner, runner_layers_get_wanted (profile, root)
                                                     & ~reeve_runner_get_layers (runner));
  return (required & ~reeve_runner_get_layers (runner)) == 0;
}
