/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which plugins run in processes of their own, and what is said of those. All do that can: whose
 * kinds the wire carries, and whom no administrator pinned in the host. */
#include "registry-private.h"

#include "manifest-script.h"
#include "registry-setup.h"

/* As far as its kinds go; what an instance is asked for may still be none of the wire's. */
static gboolean
reeve_registry_confined_can (ReeveRegistryPlugin *plugin)
{
  ReeveKinds kinds = reeve_manifest_get_kinds (plugin->manifest);
  ReeveKinds can = REEVE_KIND_TOOL | REEVE_KIND_SINK | REEVE_KIND_EXTRACTOR;

  if (reeve_confined_instance_find_kind (plugin->manifest, REEVE_TYPE_PLUGIN) != 0)
    can |= REEVE_KIND_LLM;
  return (kinds & ~can) == 0;
}

void
reeve_registry_confined_choose (ReeveRegistry *self)
{
  for (guint i = 0; self->confined != NULL && i < self->plugins->len; i++)
    {
      ReeveRegistryPlugin *plugin = g_ptr_array_index (self->plugins, i);
      const ReeveTermPlugin term = {
        .manifest = plugin->manifest,
        .pin = plugin->pin,
        .policy = reeve_confined_get_policy (self->confined, plugin->id),
        .uid = reeve_confined_get_setup (self->confined)->first_uid + i,
        .capabilities = self->capabilities,
      };

      if (plugin->state != REEVE_PLUGIN_STATE_REFUSED && !term.policy.trusted
          && reeve_registry_confined_can (plugin))
        plugin->keeper = reeve_keeper_new (self->confined, &term);
      else if (plugin->state != REEVE_PLUGIN_STATE_REFUSED
               && reeve_manifest_get_interpreter (plugin->manifest) != NULL)
        reeve_registry_refuse (
            plugin, g_strdup_printf ("plugin %s is a script, which does not run in the host's "
                                     "process",
                                     plugin->id));
      else if (plugin->chosen)
        reeve_registry_refuse (
            plugin, g_strdup_printf (
                        "plugin %s: version %s was chosen by an administrator, and does not run "
                        "in the host's process",
                        plugin->id, reeve_manifest_get_version (plugin->manifest)));
    }
}

ReevePlugin *
reeve_registry_confined_make (ReeveRegistryPlugin *plugin, ReeveWireKinds kind,
                              JsonObject *settings, ReeveBroker *broker, GError **error)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), settings);
  g_autofree char *text = reeve_json_canonical (node);
  g_autoptr (ReevePlugin) instance
      = reeve_confined_instance_new (plugin->keeper, kind, text, broker);

  if (reeve_confined_instance_prepare (REEVE_CONFINED_INSTANCE (instance), error))
    return g_steal_pointer (&instance);
  /* nobody shuts down what was never handed out */
  reeve_plugin_shutdown (instance);
  return NULL;
}

/* Under the lock. One whose process never was there, or may not be there again, is of no use to
 * anybody, and says why. */
void
reeve_registry_confined_describe (ReeveRegistryPlugin *plugin, ReeveRegistryEntry *entry)
{
  entry->confined = plugin->keeper != NULL && plugin->state != REEVE_PLUGIN_STATE_REFUSED;
  if (!entry->confined)
    return;
  reeve_keeper_get_status (plugin->keeper, &entry->keeper);
  if (entry->reason == NULL && entry->keeper.reason != NULL)
    entry->reason = reeve_registry_make_reason (entry->keeper.reason);
  if (entry->state == REEVE_PLUGIN_STATE_LOADED && entry->keeper.reason != NULL
      && (!entry->keeper.known || entry->keeper.state == REEVE_KEEPER_QUARANTINED))
    entry->state = REEVE_PLUGIN_STATE_FAILED;
}

void
reeve_registry_confined_close (ReeveRegistry *self)
{
  for (guint i = 0; i < self->plugins->len; i++)
    {
      ReeveRegistryPlugin *plugin = g_ptr_array_index (self->plugins, i);

      if (plugin->keeper != NULL)
        reeve_keeper_close (plugin->keeper);
    }
}

/**
 * reeve_registry_cut:
 * @self: a registry
 */
void
reeve_registry_cut (ReeveRegistry *self)
{
  for (guint i = 0; i < self->plugins->len; i++)
    {
      ReeveRegistryPlugin *plugin = g_ptr_array_index (self->plugins, i);

      if (plugin->keeper != NULL)
        reeve_keeper_cut (plugin->keeper);
    }
}

/**
 * reeve_registry_look:
 * @self: a registry
 */
void
reeve_registry_look (ReeveRegistry *self)
{
  if (self->confined != NULL)
    reeve_confined_kick (self->confined);
}

/**
 * reeve_registry_restart:
 * @self: a registry
 * @plugin_id: of a plugin
 * @error: return location
 *
 * Returns: whether it begins anew
 */
gboolean
reeve_registry_restart (ReeveRegistry *self, const char *plugin_id, GError **error)
{
  g_autoptr (ReeveKeeper) keeper = NULL;
  ReeveRegistryPlugin *plugin = NULL;

  g_mutex_lock (&self->lock);
  plugin = reeve_registry_find (self, plugin_id);
  if (plugin == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such plugin");
  else if (plugin->state == REEVE_PLUGIN_STATE_REFUSED)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "plugin %s was refused: %s", plugin_id,
                 plugin->reason);
  else if (plugin->keeper == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                 "plugin %s runs in the host's process, and begins anew with that", plugin_id);
  else
    keeper = reeve_keeper_ref (plugin->keeper);
  g_mutex_unlock (&self->lock);
  if (keeper == NULL)
    return FALSE;
  reeve_keeper_restart (keeper);
  return TRUE;
}
