/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tools and extractors are taken up with the plugin's own id for the name of their instance, so
 * whoever has that is taken up already. */
#include "plugin-switch.h"

/**
 * reeve_plugin_switch_find_settings:
 * @config: the configuration
 * @plugin_id: of a plugin
 *
 * Returns: (transfer none) (nullable): its settings as a tool or an extractor
 */
JsonObject *
reeve_plugin_switch_find_settings (ReeveConfig *config, const char *plugin_id)
{
  JsonNode *node = reeve_config_get_json (config, "plugins.settings");

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
             ? reeve_json_get_object (json_node_get_object (node), plugin_id)
             : NULL;
}

/**
 * reeve_plugin_switch_take_up:
 * @services: of the host
 * @plugin_id: of a plugin that is enabled
 * @error: return location
 *
 * Returns: whether its tools and media types are there, as far as it has any
 */
gboolean
reeve_plugin_switch_take_up (ReeveServices *services, const char *plugin_id, GError **error)
{
  g_autoptr (ReeveRegistryEntry) entry = reeve_registry_get (services->registry, plugin_id);
  JsonObject *settings = reeve_plugin_switch_find_settings (services->config, plugin_id);
  ReeveKinds kinds
      = entry != NULL && entry->manifest != NULL ? reeve_manifest_get_kinds (entry->manifest) : 0;

  if (reeve_registry_get_instance (services->registry, plugin_id) != NULL)
    return TRUE;
  if ((kinds & REEVE_KIND_TOOL) != 0
      && !reeve_tools_add (services->tools, plugin_id, settings, error))
    return FALSE;
  return (kinds & REEVE_KIND_EXTRACTOR) == 0
         || reeve_extraction_add (services->extraction, plugin_id, settings, error);
}
