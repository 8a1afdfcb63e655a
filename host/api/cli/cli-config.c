/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host would say at its start, said before: faults, what its profile refuses, and what could
 * be safer. Settings of plugins are held to their schemas by the host alone. */
#include "cli-config.h"

#include <glib/gi18n.h>

#include "base/config-guard.h"
#include "base/config.h"

#include "cli-host.h"

static void
reeve_cli_config_print_findings (ReeveConfig *config)
{
  GPtrArray *findings = reeve_config_get_findings (config);

  for (guint i = 0; i < findings->len; i++)
    {
      const ReeveConfigFinding *finding = findings->pdata[i];

      g_print ("%s  %s: %s\n      %s\n", _ ("WARN"), finding->where, finding->rule->what,
               finding->rule->remedy);
    }
}

static ReeveConfig *
reeve_cli_config_load (const char *path, const char *profile, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *beside = g_build_filename (folder, "profiles", NULL);
  const char *const folders[] = { beside, REEVE_DATADIR "/profiles", NULL };
  const ReeveConfigSources sources = { .file = path, .profile = profile, .profile_dirs = folders };

  return reeve_config_load (&sources, error);
}

/**
 * reeve_cli_config_check:
 * @options: the command line: config check FILE [--profile NAME]
 *
 * Returns: an exit code: failed when a host would not start with it
 */
int
reeve_cli_config_check (ReeveCliOptions *options)
{
  const char *path = reeve_cli_options_get_word (options, 2);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveConfig) config = NULL;

  if (path == NULL || reeve_cli_options_get_word (options, 3) != NULL)
    {
      g_printerr ("%s\n", _ ("reevectl: config check takes one file"));
      return REEVE_CLI_USAGE;
    }
  config = reeve_cli_config_load (path, reeve_cli_options_get (options, "profile"), &error);
  if (config == NULL)
    {
      g_printerr ("reevectl: %s\n", error->message);
      return REEVE_CLI_FAILED;
    }
  for (const char *const *warning = reeve_config_get_warnings (config); *warning != NULL; warning++)
    g_print ("%s  %s\n", _ ("WARN"), *warning);
  reeve_cli_config_print_findings (config);
  g_print (_ ("good  %s, profile %s\n"), path, reeve_config_get_profile (config));
  return REEVE_CLI_DONE;
}
