/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values are masked twice: by what their names give away, as wherever the configuration is shown,
 * and by what the manifest's schema says. A manifest that forgets a secret hides it by its name, a
 * secret of an odd name is hidden by the manifest. */
#include "plugin-settings.h"

#include <string.h>

/* Where the configuration names plugins, and how an instance is called that it names there. */
static const struct
{
  const char *list;
  const char *prefix;
} reeve_plugin_settings_lists[] = {
  { "authentication.providers", "auth/" },
  { "llm.providers", "llm." },
  { "audit.sinks", REEVE_SINKS_INSTANCE },
};

typedef struct
{
  ReeveServices *services;
  ReeveManifest *manifest;
  JsonArray *instances;
} ReevePluginSettings;

/* Each value by itself: of two in one object one may be a profile's. @key: as people write it */
static JsonObject *
reeve_plugin_settings_find_origins (ReevePluginSettings *self, const char *key,
                                    JsonObject *settings)
{
  JsonObject *origins = json_object_new ();
  JsonObjectIter iter;
  const char *name = NULL;

  json_object_iter_init_ordered (&iter, settings);
  while (json_object_iter_next_ordered (&iter, &name, NULL))
    {
      g_autofree char *below = g_strconcat (key, ".", name, NULL);
      g_autoptr (JsonArray) said = reeve_config_explain (self->services->config, below);

      if (json_array_get_length (said) > 0)
        json_object_set_string_member (
            origins, name,
            reeve_json_get_string (json_array_get_object_element (said, 0), "origin", "default"));
    }
  return origins;
}

/* @path: with dots alone; @key: as people write it */
static void
reeve_plugin_settings_add (ReevePluginSettings *self, const char *instance_id, const char *path,
                           const char *key)
{
  JsonObject *instance = json_object_new ();
  g_autoptr (JsonNode) by_name = reeve_config_show (self->services->config, path);
  g_autoptr (JsonNode) shown = NULL;

  if (by_name == NULL || !JSON_NODE_HOLDS_OBJECT (by_name))
    {
      g_clear_pointer (&by_name, json_node_unref);
      by_name = json_node_new (JSON_NODE_OBJECT);
      json_node_take_object (by_name, json_object_new ());
    }
  shown = reeve_schema_mask (reeve_manifest_get_schema (self->manifest), by_name);
  json_object_set_string_member (instance, "instance_id", instance_id);
  json_object_set_string_member (instance, "key", key);
  json_object_set_object_member (
      instance, "origins",
      reeve_plugin_settings_find_origins (self, key, json_node_get_object (by_name)));
  /* a schema that calls all of it secret leaves nothing to show */
  if (JSON_NODE_HOLDS_OBJECT (shown))
    json_object_set_member (instance, "settings", g_steal_pointer (&shown));
  else
    json_object_set_object_member (instance, "settings", json_object_new ());
  json_array_add_object_element (self->instances, instance);
}

static void
reeve_plugin_settings_add_rows (ReevePluginSettings *self, const char *list, const char *prefix)
{
  JsonNode *node = reeve_config_get_json (self->services->config, list);
  JsonArray *rows
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      g_autofree char *path = g_strdup_printf ("%s.%u.settings", list, i);
      g_autofree char *key = g_strdup_printf ("%s[%u].settings", list, i);
      g_autofree char *instance_id
          = g_strconcat (prefix, reeve_json_get_string (row, "id", ""), NULL);

      if (reeve_json_get_boolean (row, "enabled", TRUE)
          && strcmp (reeve_json_get_string (row, "plugin", ""),
                     reeve_manifest_get_id (self->manifest))
                 == 0)
        reeve_plugin_settings_add (self, instance_id, path, key);
    }
}

/**
 * reeve_plugin_settings_list:
 * @services: of the host
 * @manifest: of a plugin
 *
 * Returns: (transfer full): `[{instance_id, key, settings, origins}]`
 */
JsonArray *
reeve_plugin_settings_list (ReeveServices *services, ReeveManifest *manifest)
{
  ReevePluginSettings self = { services, manifest, json_array_new () };
  const char *plugin_id = reeve_manifest_get_id (manifest);
  g_autofree char *path = g_strconcat ("plugins.settings.", plugin_id, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (reeve_plugin_settings_lists); i++)
    reeve_plugin_settings_add_rows (&self, reeve_plugin_settings_lists[i].list,
                                    reeve_plugin_settings_lists[i].prefix);
  if (g_strcmp0 (reeve_config_get_string (services->config, "store.plugin"), plugin_id) == 0)
    reeve_plugin_settings_add (&self, "store", "store.settings", "store.settings");
  if ((reeve_manifest_get_kinds (manifest) & (REEVE_KIND_TOOL | REEVE_KIND_EXTRACTOR)) != 0)
    reeve_plugin_settings_add (&self, plugin_id, path, path);
  return self.instances;
}
