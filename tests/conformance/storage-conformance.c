/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-conformance --plugin-dir DIR --id ID [--settings JSON] [--volatile]: the storage suite
 * against any storage plugin, given as a module DIR/ID/ID.so. Speaks TAP; other options are those
 * of GLib test programs. */
#include "storage-suite.h"

#include <gmodule.h>
#include <string.h>

typedef struct
{
  GType type;
  JsonObject *settings;
} Conformance;

static ReeveStorage *
make (gpointer data, GError **error)
{
  const Conformance *conformance = data;
  g_autoptr (ReevePlugin) plugin = g_object_new (conformance->type, NULL);
  g_autoptr (ReeveContext) context = reeve_context_new (
      &(ReeveContextInfo){ .struct_size = sizeof (ReeveContextInfo) }, NULL, NULL);

  if (!reeve_plugin_setup (plugin, conformance->settings, context, error))
    return NULL;
  return REEVE_STORAGE (g_steal_pointer (&plugin));
}

static gboolean
load (const char *folder, const char *id, GType *type, GError **error)
{
  g_autofree char *file = g_strconcat (id, "." G_MODULE_SUFFIX, NULL);
  g_autofree char *path = g_build_filename (folder, id, file, NULL);
  GModule *module = g_module_open (path, G_MODULE_BIND_LOCAL);
  gpointer symbol = NULL;
  const ReevePluginDescriptor *descriptor = NULL;

  if (module == NULL || !g_module_symbol (module, REEVE_PLUGIN_SYMBOL, &symbol))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, g_module_error ());
      return FALSE;
    }
  g_module_make_resident (module);
  descriptor = symbol;
  if (descriptor->magic != REEVE_PLUGIN_MAGIC || descriptor->abi_major != REEVE_API_MAJOR
      || descriptor->abi_minor > REEVE_API_MINOR || strcmp (descriptor->id, id) != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s: the descriptor does not fit", path);
      return FALSE;
    }
  for (const GType *offered = descriptor->query_types (); *offered != G_TYPE_INVALID; offered++)
    if (g_type_is_a (*offered, REEVE_TYPE_STORAGE))
      {
        *type = *offered;
        return TRUE;
      }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s offers no storage", path);
  return FALSE;
}

static JsonObject *
parse_settings (const char *text, GError **error)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), error);

  if (node == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_node_dup_object (node);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "settings are an object");
  return NULL;
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = NULL;
  g_autofree char *id = NULL;
  g_autofree char *settings = NULL;
  gboolean is_volatile = FALSE;
  const GOptionEntry entries[] = {
    { "plugin-dir", 0, 0, G_OPTION_ARG_FILENAME, &folder, "Folder that holds ID/ID.so", "DIR" },
    { "id", 0, 0, G_OPTION_ARG_STRING, &id, "Id of the plugin", "ID" },
    { "settings", 0, 0, G_OPTION_ARG_STRING, &settings, "Its settings", "JSON" },
    { "volatile", 0, 0, G_OPTION_ARG_NONE, &is_volatile, "It keeps nothing when closed", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  Conformance conformance = { G_TYPE_INVALID, NULL };
  StorageSuiteFactory factory = { make, &conformance, TRUE, NULL };
  int failed = 0;

  g_option_context_add_main_entries (options, entries, NULL);
  g_option_context_set_ignore_unknown_options (options, TRUE);
  if (!g_option_context_parse (options, &argc, &argv, &error) || folder == NULL || id == NULL)
    {
      g_printerr ("storage-conformance: %s\n",
                  error != NULL ? error->message : "--plugin-dir and --id are needed");
      return 2;
    }
  conformance.settings = parse_settings (settings != NULL ? settings : "{}", &error);
  if (conformance.settings == NULL || !load (folder, id, &conformance.type, &error))
    {
      g_printerr ("storage-conformance: %s\n", error->message);
      return 2;
    }
  factory.durable = !is_volatile;
  g_test_init (&argc, &argv, NULL);
  storage_suite_add (id, &factory);
  failed = g_test_run ();
  json_object_unref (conformance.settings);
  return failed;
}
