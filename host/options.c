/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options win over the file; what they do not say is the file's or the profile's. */
#include "options.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define REEVE_OPTIONS_ROOT_STATE "/var/lib/reeve"

void
reeve_options_free (ReeveOptions *self)
{
  g_free (self->config);
  g_free (self->state_dir);
  g_strfreev (self->listen);
  g_free (self->bus);
  g_free (self->schema);
  g_free (self->rotate_master_key);
  g_free (self->accept_stores);
  g_strfreev (self->plugin_dirs);
  g_free (self->profile);
  g_free (self->log_format);
  g_free (self->log_level);
  g_free (self);
}

static void
reeve_options_set_state_dir (ReeveOptions *self)
{
  g_autofree char *given = g_steal_pointer (&self->state_dir);

  if (given != NULL)
    self->state_dir = g_canonicalize_filename (given, NULL);
  else if (geteuid () == 0)
    self->state_dir = g_strdup (REEVE_OPTIONS_ROOT_STATE);
  else
    self->state_dir = g_build_filename (g_get_user_state_dir (), "reeve", NULL);
}

static gboolean
reeve_options_check (ReeveOptions *self, int argc, char **argv, GError **error)
{
  if (argc > 1)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "unexpected argument %s",
                 argv[1]);
  else if (self->bus != NULL && strcmp (self->bus, "session") != 0
           && strcmp (self->bus, "system") != 0 && strcmp (self->bus, "none") != 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                 "--bus %s: must be session, system or none", self->bus);
  else
    return TRUE;
  return FALSE;
}

/**
 * reeve_options_parse:
 * @argc: number of words
 * @argv: (array length=argc): the words
 * @error: return location
 *
 * Prints the help and exits for `--help`.
 *
 * Returns: (transfer full) (nullable): what was asked for
 */
ReeveOptions *
reeve_options_parse (int argc, char **argv, GError **error)
{
  g_autoptr (ReeveOptions) self = g_new0 (ReeveOptions, 1);
  const GOptionEntry entries[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &self->config, "Configuration", "FILE" },
    { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &self->state_dir, "Where everything is kept",
      "DIR" },
    { "listen", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->listen,
      "Address to listen on; may be repeated; port 0 picks one", "ADDR:PORT" },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &self->bus, "D-Bus to serve: session, system or none",
      "BUS" },
    { "plugin-dir", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &self->plugin_dirs,
      "Folder with plugins; may be repeated", "DIR" },
    { "profile", 0, 0, G_OPTION_ARG_STRING, &self->profile,
      "dev, enterprise, staging, prod or one of profiles/", "NAME" },
    { "log-format", 0, 0, G_OPTION_ARG_STRING, &self->log_format, "json or text", "FORMAT" },
    { "log-level", 0, 0, G_OPTION_ARG_STRING, &self->log_level, "Least level that is written",
      "LEVEL" },
    { "check-config", 0, 0, G_OPTION_ARG_NONE, &self->check_config,
      "Check the configuration and exit", NULL },
    { "print-config", 0, 0, G_OPTION_ARG_NONE, &self->print_config,
      "Print the effective configuration and exit", NULL },
    { "schema", 0, 0, G_OPTION_ARG_STRING, &self->schema,
      "Show or move the stores' migrations and exit: history, up or down", "WORD" },
    { "rotate-master-key", 0, 0, G_OPTION_ARG_STRING, &self->rotate_master_key,
      "Seal all keys of stores by another master key and exit", "SOURCE" },
    { "accept-stores", 0, 0, G_OPTION_ARG_STRING, &self->accept_stores,
      "Take a store from a backup for the newest and exit: a tenant, @platform, or all", "WHICH" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &self->version, "Print the version and exit", NULL },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) wrong = NULL;

  g_option_context_set_summary (context, "Runs AI agents, and governs every effect they have.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &wrong))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, wrong->message);
      return NULL;
    }
  if (!reeve_options_check (self, argc, argv, error))
    return NULL;
  reeve_options_set_state_dir (self);
  return g_steal_pointer (&self);
}

static void
reeve_options_override (JsonObject *tree, const char *section, const char *member, JsonNode *value)
{
  JsonObject *object = reeve_json_get_object (tree, section);

  if (object == NULL)
    {
      object = json_object_new ();
      json_object_set_object_member (tree, section, object);
    }
  json_object_set_member (object, member, value);
}

static JsonObject *
reeve_options_make_overrides (ReeveOptions *self)
{
  JsonObject *tree = json_object_new ();

  if (self->listen != NULL)
    {
      JsonArray *array = json_array_new ();

      for (guint i = 0; self->listen[i] != NULL; i++)
        json_array_add_string_element (array, self->listen[i]);
      reeve_options_override (tree, "server", "listen",
                              json_node_init_array (json_node_alloc (), array));
      json_array_unref (array);
    }
  if (self->log_format != NULL)
    reeve_options_override (tree, "logging", "format",
                            json_node_init_string (json_node_alloc (), self->log_format));
  if (self->log_level != NULL)
    reeve_options_override (tree, "logging", "level",
                            json_node_init_string (json_node_alloc (), self->log_level));
  return tree;
}

/* Is this the program of a build tree, beside its plugins? */
static char *
reeve_options_find_build_folder (const char *name)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = program != NULL ? g_path_get_dirname (program) : NULL;
  g_autofree char *base = folder != NULL ? g_path_get_basename (folder) : NULL;
  g_autofree char *top = NULL;
  g_autofree char *found = NULL;

  if (base == NULL || strcmp (base, "host") != 0)
    return NULL;
  top = g_path_get_dirname (folder);
  found = g_build_filename (top, name, NULL);
  return g_file_test (found, G_FILE_TEST_IS_DIR) ? g_steal_pointer (&found) : NULL;
}

ReeveConfig *
reeve_options_load_config (ReeveOptions *self, GError **error)
{
  g_autoptr (JsonObject) overrides = reeve_options_make_overrides (self);
  g_autofree char *beside = self->config != NULL ? g_path_get_dirname (self->config) : NULL;
  g_autofree char *own = beside != NULL ? g_build_filename (beside, "profiles", NULL) : NULL;
  const char *const folders[]
      = { own != NULL ? own : REEVE_DATADIR "/profiles", REEVE_DATADIR "/profiles", NULL };
  const ReeveConfigSources sources = {
    .file = self->config,
    .profile = self->profile,
    .profile_dirs = folders,
    .overrides = overrides,
  };

  return reeve_config_load (&sources, error);
}

static void
reeve_options_add_all (GPtrArray *folders, char **more)
{
  for (guint i = 0; more != NULL && more[i] != NULL; i++)
    if (*more[i] != '\0')
      g_ptr_array_add (folders, g_strdup (more[i]));
}

char **
reeve_options_list_plugin_folders (ReeveOptions *self, ReeveConfig *config)
{
  GPtrArray *folders = g_ptr_array_new ();
  const char *environment = g_getenv ("REEVE_PLUGIN_PATH");
  g_auto (GStrv) more = environment != NULL ? g_strsplit (environment, ":", -1) : NULL;
  g_auto (GStrv) configured = reeve_config_get_strv (config, "plugins.folders");
  char *built = reeve_options_find_build_folder ("plugins");

  reeve_options_add_all (folders, self->plugin_dirs);
  reeve_options_add_all (folders, more);
  reeve_options_add_all (folders, configured);
  g_ptr_array_add (folders, built != NULL ? built : g_strdup (REEVE_PLUGINDIR));
  g_ptr_array_add (folders, NULL);
  return (char **) g_ptr_array_free (folders, FALSE);
}
