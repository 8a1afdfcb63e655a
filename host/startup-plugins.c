/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Section plugins of the configuration. That a plugin runs in the host, or with less than its
 * profile has, is on record at each start; that one is quarantined, when it is. */
#include "startup-plugins.h"

#include <errno.h>
#include <string.h>

#include "runner/runner-tree.h"

#define REEVE_STARTUP_PLUGINS_WEAKER   "plugins.accept_weaker"
#define REEVE_STARTUP_PLUGINS_PROFILES "plugins.profiles"

/* What happens to a plugin's process is nobody's effect: an event of the platform's. */
static void
reeve_startup_plugins_tell (const char *plugin_id, const char *word, const char *reason,
                            gpointer user_data)
{
  ReeveServices *services = user_data;
  g_autofree char *action = g_strconcat ("plugin.", word, NULL);
  const ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_EVENT,
    .scope = REEVE_SCOPE_PLATFORM,
    .action = action,
    .actor_type = "system",
    .actor_id = "host",
    .resource_type = "plugin",
    .resource_id = plugin_id,
    .reason = reason,
    .door = "internal",
  };

  if (services->ledger != NULL)
    reeve_ledger_append_async (services->ledger, &record, NULL, NULL);
}

static JsonObject *
reeve_startup_plugins_get (ReeveConfig *config, const char *path)
{
  JsonNode *node = reeve_config_get_json (config, path);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/* Those that some member of the section names. */
static GHashTable *
reeve_startup_plugins_find_named (ReeveConfig *config)
{
  GHashTable *named = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) trusted = reeve_config_get_strv (config, "plugins.trusted");
  const char *const maps[] = { REEVE_STARTUP_PLUGINS_WEAKER, REEVE_STARTUP_PLUGINS_PROFILES };

  for (guint i = 0; trusted[i] != NULL; i++)
    g_hash_table_add (named, g_strdup (trusted[i]));
  for (guint i = 0; i < G_N_ELEMENTS (maps); i++)
    {
      JsonObject *map = reeve_startup_plugins_get (config, maps[i]);
      g_autoptr (GList) ids = map != NULL ? json_object_get_members (map) : NULL;

      for (GList *id = ids; id != NULL; id = id->next)
        g_hash_table_add (named, g_strdup (id->data));
    }
  return named;
}

static gboolean
reeve_startup_plugins_read_weaker (ReeveConfig *config, const char *plugin_id, RunnerLayers *layers,
                                   GError **error)
{
  JsonObject *map = reeve_startup_plugins_get (config, REEVE_STARTUP_PLUGINS_WEAKER);
  JsonArray *names = map != NULL ? reeve_json_get_array (map, plugin_id) : NULL;

  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    {
      const char *name = json_array_get_string_element (names, i);
      RunnerLayers layer = runner_layers_find (name);
      g_autofree char *why = g_strdup_printf ("there is no layer \"%s\"", name);
      g_autofree char *text = NULL;

      *layers |= layer;
      if (layer != 0)
        continue;
      text = reeve_config_blame (config, REEVE_STARTUP_PLUGINS_WEAKER, why);
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text);
      return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_startup_plugins_read (ReeveConfig *config, ReeveConfined *confined, GError **error)
{
  g_autoptr (GHashTable) named = reeve_startup_plugins_find_named (config);
  g_auto (GStrv) trusted = reeve_config_get_strv (config, "plugins.trusted");
  JsonObject *profiles = reeve_startup_plugins_get (config, REEVE_STARTUP_PLUGINS_PROFILES);
  GHashTableIter iter;
  gpointer id = NULL;

  g_hash_table_iter_init (&iter, named);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    {
      ReeveConfinedPolicy policy
          = { .trusted = g_strv_contains ((const char *const *) trusted, id) };

      if (profiles != NULL && strcmp (reeve_json_get_string (profiles, id, ""), "hardened") == 0)
        policy.profile = RUNNER_LAYERS_PROFILE_HARDENED;
      if (!reeve_startup_plugins_read_weaker (config, id, &policy.accept_weaker, error))
        return FALSE;
      reeve_confined_set_policy (confined, id, &policy);
    }
  return TRUE;
}

/* (transfer full): where plugins write what goes with their calls; what a former host left there
 * goes */
static char *
reeve_startup_plugins_clear_scratch (ReeveState *state)
{
  char *path = g_build_filename (reeve_state_get_folder (state), "scratch", NULL);

  if (!runner_tree_remove (path))
    g_warning ("%s is not removed: %s", path, g_strerror (errno));
  return path;
}

/**
 * reeve_startup_plugins_open:
 * @services: with its configuration; outlives the registry
 * @state: where it is kept which plugins are quarantined
 * @capabilities: what plugins can ask for
 * @folders: where plugins lie
 * @error: return location for %REEVE_ERROR_CONFIGURATION
 *
 * Returns: (transfer full) (nullable): the plugins
 */
ReeveRegistry *
reeve_startup_plugins_open (ReeveServices *services, ReeveState *state,
                            ReeveCapabilities *capabilities, const char *const *folders,
                            GError **error)
{
  ReeveConfig *config = services->config;
  gint64 setup_us = reeve_config_get_int (config, "plugins.setup_timeout") * G_USEC_PER_SEC;
  g_autofree char *folder = reeve_state_make_folder (state, "plugins", error);
  g_autofree char *scratch = reeve_startup_plugins_clear_scratch (state);
  g_autoptr (ReeveSwitches) switches = reeve_switches_new (folder);
  const ReeveConfinedSetup confinement = {
    .folder = folder,
    .scratch = scratch,
    .idle_us = reeve_config_get_int (config, "plugins.idle_timeout") * G_USEC_PER_SEC,
    .setup_us = setup_us,
    .switches = switches,
    .cgroup = reeve_config_get_string (config, "plugins.cgroup"),
    .cpu_share = (guint) reeve_config_get_int (config, "plugins.cpu_share"),
    .first_uid = (guint32) reeve_config_get_int (config, "plugins.uid_base"),
    .event = reeve_startup_plugins_tell,
    .user_data = services,
  };
  g_autoptr (ReeveConfined) confined = reeve_confined_new (&confinement);
  g_auto (GStrv) disabled = reeve_config_get_strv (config, "plugins.disabled");
  const ReeveRegistrySetup setup = {
    .folders = folders,
    .pins = reeve_pins_built_in,
    .capabilities = capabilities,
    .setup_us = setup_us,
    .confined = confined,
    .switches = switches,
  };
  ReeveRegistry *registry = NULL;

  if (folder == NULL || !reeve_startup_plugins_read (config, confined, error))
    return NULL;
  registry = reeve_registry_new (&setup);
  reeve_registry_scan (registry);
  for (guint i = 0; disabled[i] != NULL; i++)
    reeve_registry_configure_off (registry, disabled[i]);
  return registry;
}

/**
 * reeve_startup_plugins_note:
 * @services: with plugins and ledger
 */
void
reeve_startup_plugins_note (ReeveServices *services)
{
  g_auto (GStrv) trusted = reeve_config_get_strv (services->config, "plugins.trusted");
  JsonObject *weaker = reeve_startup_plugins_get (services->config, REEVE_STARTUP_PLUGINS_WEAKER);
  g_autoptr (GList) ids = weaker != NULL ? json_object_get_members (weaker) : NULL;

  for (guint i = 0; trusted[i] != NULL; i++)
    {
      g_warning (
          "plugin %s runs in the host's process, as plugins.trusted says: it has none of the "
          "protections of a confined one, and can read and do whatever the host can",
          trusted[i]);
      reeve_startup_plugins_tell (trusted[i], "trusted", "configured", services);
    }
  for (GList *id = ids; id != NULL; id = id->next)
    {
      g_warning ("plugin %s may run without layers of its confinement, as %s says",
                 (const char *) id->data, REEVE_STARTUP_PLUGINS_WEAKER);
      reeve_startup_plugins_tell (id->data, "weaker", "configured", services);
    }
}
