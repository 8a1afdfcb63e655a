/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All of it comes from the manifest: no code of a plugin is loaded, here or in the host. A file is
 * read as the host reads its configuration, so that it is told here what the host would say. */
#include "cli-settings.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/config-values.h"
#include "base/plain.h"
#include "loader/registry.h"

#include "cli-commands.h"
#include "cli-host.h"
#include "cli-setting-words.h"

gboolean
reeve_cli_settings_takes (ReeveCliOptions *options)
{
  return g_strcmp0 (reeve_cli_options_get_word (options, 0), "plugins") == 0
         && g_strcmp0 (reeve_cli_options_get_word (options, 1), "settings") == 0;
}

/**
 * reeve_cli_settings_help:
 *
 * Prints how it is used.
 */
void
reeve_cli_settings_help (void)
{
  g_print ("  plugins settings ID\n      %s\n",
           _ ("Show each setting of a plugin: what it means, what it may be, what is in force"));
  g_print ("  plugins settings ID --check FILE [--plugin-dir DIR]\n      %s\n",
           _ ("Check a YAML or JSON file of settings, without a host"));
}

static int
reeve_cli_settings_fail (int exit, const char *message)
{
  g_autofree char *valid = g_utf8_make_valid (message, -1);
  g_autofree char *line = reeve_plain_make_line (valid);

  g_printerr ("reevectl: %s\n", line);
  return exit;
}

/* ---- a file of settings ---- */

/* A manifest that is named, or that of an id in the folders where plugins lie. */
static ReeveManifest *
reeve_cli_settings_find_manifest (ReeveCliOptions *options, const char *plugin_id, GError **error)
{
  const char *const given[] = { reeve_cli_options_get (options, "plugin_dir"), NULL };
  g_auto (GStrv) folders = reeve_registry_find_folders (given);
  g_autofree char *name = g_strconcat (plugin_id, ".plugin", NULL);
  g_autofree char *looked = g_strjoinv (", ", folders);

  if (g_str_has_suffix (plugin_id, ".plugin"))
    return reeve_manifest_new_from_file (plugin_id, error);
  for (guint i = 0; strchr (plugin_id, '/') == NULL && folders[i] != NULL; i++)
    {
      g_autofree char *path = g_build_filename (folders[i], plugin_id, name, NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return reeve_manifest_new_from_file (path, error);
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
               "there is no plugin %s in %s; --plugin-dir names another folder", plugin_id, looked);
  return NULL;
}

/* (transfer full) (nullable) as the host would have it, but that no variable is looked up */
static JsonNode *
reeve_cli_settings_read (const char *path, GHashTable *origins, GError **error)
{
  g_autofree char *text = NULL;
  g_autofree char *name = g_path_get_basename (path);
  gsize length = 0;
  g_autoptr (ReeveConfigNode) tree = NULL;
  const ReeveConfigSource source
      = { .label = name, .with_lines = TRUE, .chosen = TRUE, .literal = TRUE, .origins = origins };
  GError *problem = NULL;

  if (!g_file_get_contents (path, &text, &length, error))
    return NULL;
  tree = reeve_config_yaml_parse (text, length, name, &problem);
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  if (tree == NULL)
    {
      JsonNode *empty = json_node_new (JSON_NODE_OBJECT);

      json_node_take_object (empty, json_object_new ());
      return empty;
    }
  return reeve_config_values_convert (&source, tree, NULL, "", error);
}

/* Where a value stands, or what it is missing in. */
static const char *
reeve_cli_settings_find_origin (GHashTable *origins, const char *pointer, const char *fallback)
{
  g_autofree char *at = g_strdup (pointer);
  char *slash = at;

  while (slash != NULL)
    {
      const ReeveConfigOrigin *origin = g_hash_table_lookup (origins, at);

      if (origin != NULL)
        return origin->text;
      slash = strrchr (at, '/');
      if (slash != NULL)
        *slash = '\0';
    }
  return fallback;
}

/* What a variable of the environment brings is the host's to check. */
static gboolean
reeve_cli_settings_is_variable (JsonNode *settings, const char *pointer)
{
  g_auto (GStrv) parts = g_strsplit (*pointer == '/' ? pointer + 1 : pointer, "/", -1);
  JsonNode *node = settings;

  for (guint i = 0; node != NULL && parts[i] != NULL; i++)
    node = JSON_NODE_HOLDS_OBJECT (node)
               ? json_object_get_member (json_node_get_object (node), parts[i])
               : NULL;
  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
         && json_node_get_value_type (node) == G_TYPE_STRING
         && g_str_has_prefix (json_node_get_string (node), "env:");
}

/* (transfer full) [{origin, pointer, message}] */
static JsonArray *
reeve_cli_settings_judge (ReeveManifest *manifest, JsonNode *settings, GHashTable *origins,
                          const char *path)
{
  JsonArray *shown = json_array_new ();
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) error = NULL;

  if (reeve_schema_validate (reeve_manifest_get_schema (manifest), settings, &faults, &error))
    return shown;
  for (guint i = 0; faults != NULL && i < faults->len; i++)
    {
      const ReeveSchemaFault *fault = g_ptr_array_index (faults, i);
      JsonObject *one = NULL;

      if (reeve_cli_settings_is_variable (settings, fault->pointer))
        continue;
      one = json_object_new ();
      json_object_set_string_member (
          one, "origin", reeve_cli_settings_find_origin (origins, fault->pointer, path));
      json_object_set_string_member (one, "pointer", fault->pointer);
      json_object_set_string_member (one, "message", fault->message);
      json_array_add_object_element (shown, one);
    }
  return shown;
}

static int
reeve_cli_settings_print_faults (ReeveCliOptions *options, JsonArray *faults, const char *path)
{
  guint n = json_array_get_length (faults);

  if (options->json)
    {
      g_autoptr (JsonNode) node = json_node_init_array (json_node_alloc (), faults);
      g_autofree char *text = reeve_json_text (node);

      g_print ("%s\n", text);
    }
  for (guint i = 0; !options->json && i < n; i++)
    {
      JsonObject *fault = json_array_get_object_element (faults, i);
      const char *pointer = reeve_json_get_string (fault, "pointer", "");
      g_autofree char *text = g_strdup_printf (
          "%s: %s: %s", reeve_json_get_string (fault, "origin", path),
          *pointer != '\0' ? pointer : "/", reeve_json_get_string (fault, "message", ""));
      g_autofree char *line = reeve_plain_make_line (text);

      g_print ("%s\n", line);
    }
  if (n == 0 && !options->json)
    g_print (_ ("good  %s\n"), path);
  return n == 0 ? REEVE_CLI_DONE : REEVE_CLI_FAILED;
}

static int
reeve_cli_settings_check (ReeveCliOptions *options, const char *plugin_id, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveManifest) manifest
      = reeve_cli_settings_find_manifest (options, plugin_id, &error);
  g_autoptr (GHashTable) origins = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) reeve_config_values_origin_free);
  g_autoptr (JsonNode) settings = NULL;
  g_autoptr (JsonArray) faults = NULL;

  if (manifest == NULL)
    return reeve_cli_settings_fail (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND)
                                        ? REEVE_CLI_NOT_FOUND
                                        : REEVE_CLI_FAILED,
                                    error->message);
  settings = reeve_cli_settings_read (path, origins, &error);
  if (settings == NULL)
    return reeve_cli_settings_fail (REEVE_CLI_FAILED, error->message);
  faults = reeve_cli_settings_judge (manifest, settings, origins, path);
  return reeve_cli_settings_print_faults (options, faults, path);
}

/* ---- what is in force ---- */

/* (transfer full) (nullable): the plugin; NULL: what is wrong was printed */
static JsonNode *
reeve_cli_settings_ask (ReeveCliOptions *options, const char *plugin_id, int *exit)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCliHost) host = reeve_cli_host_new (options, &error);
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (ReeveCliAnswer) answer = NULL;
  JsonNode *node = NULL;

  if (host == NULL)
    {
      *exit = reeve_cli_settings_fail (
          error->code == REEVE_ERROR_INVALID_ARGUMENT ? REEVE_CLI_USAGE : REEVE_CLI_UNREACHABLE,
          error->message);
      return NULL;
    }
  json_object_set_string_member (params, "plugin_id", plugin_id);
  answer
      = reeve_cli_host_call (host, reeve_cli_commands_find ("plugins", "show"), params, NULL, NULL);
  if (answer->detail == NULL)
    node = reeve_json_parse_strict (answer->body, strlen (answer->body), NULL);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return node;
  g_clear_pointer (&node, json_node_unref);
  *exit = reeve_cli_settings_fail (answer->exit != REEVE_CLI_DONE ? answer->exit : REEVE_CLI_FAILED,
                                   answer->detail != NULL ? answer->detail
                                                          : _ ("the host answers no JSON object"));
  return NULL;
}

static void
reeve_cli_settings_print_json (JsonObject *plugin)
{
  static const char *const members[] = { "plugin_id", "settings_schema", "instances" };
  g_autoptr (JsonObject) shown = json_object_new ();
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (json_object_has_member (plugin, members[i]))
      json_object_set_member (shown, members[i],
                              json_node_ref (json_object_get_member (plugin, members[i])));
  node = json_node_init_object (json_node_alloc (), shown);
  text = reeve_json_text (node);
  g_print ("%s\n", text);
}

/**
 * reeve_cli_settings_run:
 * @options: the command line: plugins settings ID [--check FILE [--plugin-dir DIR]]
 *
 * Returns: an exit code: failed when the file has faults
 */
int
reeve_cli_settings_run (ReeveCliOptions *options)
{
  const char *plugin_id = reeve_cli_options_get_word (options, 2);
  const char *path = reeve_cli_options_get (options, "check");
  int exit = REEVE_CLI_DONE;
  g_autoptr (JsonNode) plugin = NULL;

  if (plugin_id == NULL || reeve_cli_options_get_word (options, 3) != NULL)
    return reeve_cli_settings_fail (REEVE_CLI_USAGE, _ ("plugins settings takes one plugin"));
  if (path != NULL)
    return reeve_cli_settings_check (options, plugin_id, path);
  plugin = reeve_cli_settings_ask (options, plugin_id, &exit);
  if (plugin == NULL)
    return exit;
  if (options->json)
    reeve_cli_settings_print_json (json_node_get_object (plugin));
  else
    reeve_cli_setting_words_print (json_node_get_object (plugin));
  return REEVE_CLI_DONE;
}
