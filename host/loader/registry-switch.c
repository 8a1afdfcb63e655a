/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What disabling and enabling a plugin does with it. It does not unload a module: those are
 * resident; no call is let in. */
#include "registry-private.h"

#include <string.h>

#include "manifest-offers.h"

/* Kinds without which nothing goes on, and where the configuration names them. */
static const struct
{
  ReeveKinds kind;
  const char *name;
  const char *key;
} reeve_registry_switch_fixed[] = {
  { REEVE_KIND_STORAGE, "storage", "store.plugin" },
  { REEVE_KIND_AUTH, "auth", "authentication.providers" },
  { REEVE_KIND_KEY, "key", "encryption.key_source" },
};

/* Under the lock. */
static gboolean
reeve_registry_switch_can (ReeveRegistryPlugin *plugin, const char *plugin_id, GError **error)
{
  ReeveKinds kinds = plugin != NULL && plugin->manifest != NULL
                         ? reeve_manifest_get_kinds (plugin->manifest)
                         : 0;

  if (plugin == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such plugin");
      return FALSE;
    }
  if (plugin->manifest == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "plugin %s was refused, and nothing calls it: %s", plugin_id, plugin->reason);
      return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (reeve_registry_switch_fixed); i++)
    {
      if ((kinds & reeve_registry_switch_fixed[i].kind) == 0)
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "plugin %s is of kind %s, which the host cannot be without while it runs; take "
                   "it out of %s in the configuration and start the host again",
                   plugin_id, reeve_registry_switch_fixed[i].name,
                   reeve_registry_switch_fixed[i].key);
      return FALSE;
    }
  return TRUE;
}

/* @keeper: (out) (transfer full) (nullable): of its process */
static gboolean
reeve_registry_switch_select (ReeveRegistry *self, const char *plugin_id, ReeveKeeper **keeper,
                              GError **error)
{
  ReeveRegistryPlugin *plugin = NULL;
  gboolean can = FALSE;

  g_mutex_lock (&self->lock);
  plugin = reeve_registry_find (self, plugin_id);
  can = reeve_registry_switch_can (plugin, plugin_id, error);
  if (can && plugin->keeper != NULL)
    *keeper = reeve_keeper_ref (plugin->keeper);
  g_mutex_unlock (&self->lock);
  return can;
}

/**
 * reeve_registry_disable:
 * @self: a registry
 * @plugin_id: of a plugin
 * @by: user id of who disables it
 * @reason: (nullable): why
 * @error: return location: %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CONFLICT, or it could not be kept
 *
 * Lets no more calls in. What is under way ends as it does; a process ends behind it. Blocks.
 *
 * Returns: whether it is disabled
 */
gboolean
reeve_registry_disable (ReeveRegistry *self, const char *plugin_id, const char *by,
                        const char *reason, GError **error)
{
  g_autoptr (ReeveKeeper) keeper = NULL;

  if (!reeve_registry_switch_select (self, plugin_id, &keeper, error)
      || !reeve_switches_disable (self->switches, plugin_id, by, reason, error))
    return FALSE;
  if (keeper != NULL)
    reeve_keeper_retire (keeper);
  return TRUE;
}

/**
 * reeve_registry_enable:
 * @self: a registry
 * @plugin_id: of a plugin
 * @error: return location: as for reeve_registry_disable()
 *
 * Returns: whether it is enabled
 */
gboolean
reeve_registry_enable (ReeveRegistry *self, const char *plugin_id, GError **error)
{
  g_autoptr (ReeveKeeper) keeper = NULL;

  return reeve_registry_switch_select (self, plugin_id, &keeper, error)
         && reeve_switches_enable (self->switches, plugin_id, error);
}

/**
 * reeve_registry_configure_off:
 * @self: a registry that was scanned
 * @plugin_id: what key plugins.disabled names
 *
 * One that cannot be disabled, or is not there, is warned of.
 */
void
reeve_registry_configure_off (ReeveRegistry *self, const char *plugin_id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveKeeper) keeper = NULL;

  if (reeve_registry_switch_select (self, plugin_id, &keeper, &error))
    reeve_switches_configure (self->switches, plugin_id);
  else
    g_warning ("plugins.disabled names %s without effect: %s", plugin_id, error->message);
}

gboolean
reeve_registry_is_off (ReeveRegistry *self, const char *plugin_id)
{
  return reeve_switches_is_off (self->switches, plugin_id);
}

gboolean
reeve_registry_check (ReeveRegistry *self, const char *plugin_id, GError **error)
{
  return reeve_switches_check (self->switches, plugin_id, error);
}

static gboolean
reeve_registry_switch_offers (ReeveManifest *manifest, const char *name)
{
  const char *const *types = reeve_manifest_offers_get_media_types (manifest);
  GPtrArray *tools = reeve_manifest_offers_get_tools (manifest);

  for (guint i = 0; types != NULL && types[i] != NULL; i++)
    if (g_ascii_strcasecmp (types[i], name) == 0)
      return TRUE;
  for (guint i = 0; tools != NULL && i < tools->len; i++)
    if (strcmp (reeve_tool_info_get_name (tools->pdata[i]), name) == 0)
      return TRUE;
  return FALSE;
}

/**
 * reeve_registry_check_offer:
 * @self: a registry
 * @name: of a tool, or a media type, that nobody offers now
 * @error: return location for %REEVE_ERROR_UNAVAILABLE
 *
 * Returns: %FALSE where a plugin would offer it, by its manifest, and is disabled
 */
gboolean
reeve_registry_check_offer (ReeveRegistry *self, const char *name, GError **error)
{
  g_autoptr (GPtrArray) entries = reeve_registry_list (self);

  for (guint i = 0; i < entries->len; i++)
    {
      const ReeveRegistryEntry *entry = entries->pdata[i];

      if (entry->off != NULL && entry->manifest != NULL
          && reeve_registry_switch_offers (entry->manifest, name))
        return reeve_switches_check (self->switches, entry->id, error);
    }
  return TRUE;
}
