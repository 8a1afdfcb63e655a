/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host would say at its start, said before: faults, what its profile refuses, and what could
 * be safer. Settings of plugins are held to their schemas by the host alone. */
#include "cli-config.h"

#include <glib/gi18n.h>

#include "base/config-guard.h"
#include "base/config.h"

#include "cli-host.h"

static void
reeve_cli_config_print_json (JsonObject *verdict)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), verdict);
  g_autofree char *text = reeve_json_text (node);

  g_print ("%s\n", text);
}

/* (transfer full): {valid, file} */
static JsonObject *
reeve_cli_config_begin_json (const char *path, gboolean valid)
{
  JsonObject *verdict = json_object_new ();

  json_object_set_boolean_member (verdict, "valid", valid);
  json_object_set_string_member (verdict, "file", path);
  return verdict;
}

/* [{message, where?, remedy?}] */
static JsonArray *
reeve_cli_config_list_warnings (ReeveConfig *config)
{
  GPtrArray *findings = reeve_config_get_findings (config);
  JsonArray *shown = json_array_new ();

  for (const char *const *warning = reeve_config_get_warnings (config); *warning != NULL; warning++)
    {
      JsonObject *one = json_object_new ();

      json_object_set_string_member (one, "message", *warning);
      json_array_add_object_element (shown, one);
    }
  for (guint i = 0; i < findings->len; i++)
    {
      const ReeveConfigFinding *finding = findings->pdata[i];
      JsonObject *one = json_object_new ();

      json_object_set_string_member (one, "message", finding->rule->what);
      json_object_set_string_member (one, "where", finding->where);
      json_object_set_string_member (one, "remedy", finding->rule->remedy);
      json_array_add_object_element (shown, one);
    }
  return shown;
}

static int
reeve_cli_config_fail (ReeveCliOptions *options, const char *path, const GError *error)
{
  g_autoptr (JsonObject) verdict = reeve_cli_config_begin_json (path, FALSE);

  g_printerr ("reevectl: %s\n", error->message);
  json_object_set_string_member (verdict, "error", error->message);
  if (options->json)
    reeve_cli_config_print_json (verdict);
  return REEVE_CLI_FAILED;
}

static void
reeve_cli_config_print_good (ReeveConfig *config, const char *path)
{
  g_autoptr (JsonObject) verdict = reeve_cli_config_begin_json (path, TRUE);

  json_object_set_string_member (verdict, "profile", reeve_config_get_profile (config));
  json_object_set_array_member (verdict, "warnings", reeve_cli_config_list_warnings (config));
  reeve_cli_config_print_json (verdict);
}

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
    return reeve_cli_config_fail (options, path, error);
  if (options->json)
    {
      reeve_cli_config_print_good (config, path);
      return REEVE_CLI_DONE;
    }
  for (const char *const *warning = reeve_config_get_warnings (config); *warning != NULL; warning++)
    g_print ("%s  %s\n", _ ("WARN"), *warning);
  reeve_cli_config_print_findings (config);
  g_print (_ ("good  %s, profile %s\n"), path, reeve_config_get_profile (config));
  return REEVE_CLI_DONE;
}
