/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugins by id and their instances. A plugin that cannot be used is listed with its reason and
 * never an error of the whole. */
#include "registry.h"

#include <string.h>
#include <unistd.h>

#include "manifest-slots.h"
#include "registry-private.h"
#include "registry-setup.h"

/* a plugin that hangs must not keep the host from starting */
#define REEVE_REGISTRY_SETUP_US (30 * G_USEC_PER_SEC)

static void
reeve_registry_instance_free (gpointer data)
{
  ReeveRegistryInstance *instance = data;

  /* whoever still holds its context holds nothing */
  reeve_capabilities_revoke (instance->broker);
  g_clear_object (&instance->plugin);
  g_clear_object (&instance->broker);
  g_free (instance->id);
  g_free (instance->settings);
  g_free (instance);
}

/**
 * reeve_registry_new:
 * @setup: folders, pins, capabilities; strings are copied
 *
 * Returns: (transfer full): a registry that has not been scanned
 */
ReeveRegistry *
reeve_registry_new (const ReeveRegistrySetup *setup)
{
  ReeveRegistry *self = g_new0 (ReeveRegistry, 1);

  g_atomic_ref_count_init (&self->refs);
  self->folders = g_strdupv ((char **) setup->folders);
  self->pins = setup->pins;
  self->extra_pins = setup->extra_pins;
  self->capabilities = reeve_capabilities_ref (setup->capabilities);
  self->setup_us = setup->setup_us > 0 ? setup->setup_us : REEVE_REGISTRY_SETUP_US;
  self->confined = setup->confined != NULL ? reeve_confined_ref (setup->confined) : NULL;
  self->switches
      = setup->switches != NULL ? reeve_switches_ref (setup->switches) : reeve_switches_new (NULL);
  self->plugins = g_ptr_array_new_with_free_func (reeve_registry_plugin_free);
  self->own_pins = g_ptr_array_new_with_free_func (reeve_registry_pin_free);
  self->past = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_manifest_unref);
  self->instances = g_ptr_array_new_with_free_func (reeve_registry_instance_free);
  g_mutex_init (&self->lock);
  g_cond_init (&self->loaded);
  return self;
}

/**
 * reeve_registry_ref:
 * @self: a registry
 *
 * Returns: (transfer full): @self
 */
ReeveRegistry *
reeve_registry_ref (ReeveRegistry *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_registry_unref:
 * @self: (transfer full): a registry
 */
void
reeve_registry_unref (ReeveRegistry *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_ptr_array_unref (self->instances);
  reeve_registry_confined_close (self);
  g_ptr_array_unref (self->plugins);
  g_ptr_array_unref (self->own_pins);
  g_ptr_array_unref (self->past);
  g_clear_pointer (&self->confined, reeve_confined_unref);
  reeve_switches_unref (self->switches);
  reeve_capabilities_unref (self->capabilities);
  g_strfreev (self->folders);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->loaded);
  g_free (self);
}

ReeveRegistryPlugin *
reeve_registry_find (ReeveRegistry *self, const char *plugin_id)
{
  ReeveRegistryPlugin *found = NULL;

  for (guint i = 0; i < self->plugins->len; i++)
    {
      ReeveRegistryPlugin *plugin = g_ptr_array_index (self->plugins, i);

      if (strcmp (plugin->id, plugin_id) != 0)
        continue;
      /* of two with one id the usable one counts, else the first */
      if (found == NULL
          || (found->state == REEVE_PLUGIN_STATE_REFUSED
              && plugin->state != REEVE_PLUGIN_STATE_REFUSED))
        found = plugin;
    }
  return found;
}

/* ---- what is shown ---- */

static ReeveRegistryEntry *
reeve_registry_describe (ReeveRegistry *self, ReeveRegistryPlugin *plugin)
{
  ReeveRegistryEntry *entry = g_new0 (ReeveRegistryEntry, 1);

  entry->id = g_strdup (plugin->id);
  entry->path = g_strdup (plugin->path);
  entry->manifest = plugin->manifest != NULL ? reeve_manifest_ref (plugin->manifest) : NULL;
  entry->state = plugin->state;
  entry->reason = g_strdup (plugin->reason);
  reeve_registry_confined_describe (plugin, entry);
  entry->off = reeve_switches_get (self->switches, plugin->id);
  if (plugin->former != NULL)
    entry->former = g_strdup (plugin->former->version);
  entry->first_party
      = plugin->pin != NULL && plugin->pin == reeve_pins_find (self->pins, plugin->id);
  return entry;
}

/**
 * reeve_registry_entry_free:
 * @entry: (transfer full): an entry
 */
void
reeve_registry_entry_free (ReeveRegistryEntry *entry)
{
  g_clear_pointer (&entry->manifest, reeve_manifest_unref);
  g_free (entry->id);
  g_free (entry->path);
  g_free (entry->reason);
  g_free (entry->former);
  reeve_keeper_status_clear (&entry->keeper);
  g_clear_pointer (&entry->off, reeve_switches_entry_free);
  g_free (entry);
}

/**
 * reeve_plugin_state_get_name:
 * @state: a state
 *
 * Returns: (transfer none): its word outside
 */
/* layers: allow prefix: the type is named after the plugin, not after the registry */
const char *
reeve_plugin_state_get_name (ReevePluginState state)
{
  static const char *const names[] = { "found", "loaded", "refused", "failed" };

  return (guint) state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}

/**
 * reeve_registry_list:
 * @self: a registry
 *
 * Returns: (transfer full) (element-type ReeveRegistryEntry): all that were found, in the order
 * they run, refused ones last
 */
GPtrArray *
reeve_registry_list (ReeveRegistry *self)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_registry_entry_free);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->plugins->len; i++)
    g_ptr_array_add (entries, reeve_registry_describe (self, g_ptr_array_index (self->plugins, i)));
  g_mutex_unlock (&self->lock);
  return entries;
}

/**
 * reeve_registry_get:
 * @self: a registry
 * @plugin_id: an id
 *
 * Returns: (transfer full) (nullable): what is known of that plugin
 */
ReeveRegistryEntry *
reeve_registry_get (ReeveRegistry *self, const char *plugin_id)
{
  ReeveRegistryPlugin *plugin = NULL;
  ReeveRegistryEntry *entry = NULL;

  g_mutex_lock (&self->lock);
  plugin = reeve_registry_find (self, plugin_id);
  if (plugin != NULL)
    entry = reeve_registry_describe (self, plugin);
  g_mutex_unlock (&self->lock);
  return entry;
}

/**
 * reeve_registry_list_kind:
 * @self: a registry
 * @kind: one kind
 *
 * Returns: (transfer full): ids of the plugins of that kind which are not refused, in the order
 * they run
 */
char **
reeve_registry_list_kind (ReeveRegistry *self, ReeveKinds kind)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->plugins->len; i++)
    {
      ReeveRegistryPlugin *plugin = g_ptr_array_index (self->plugins, i);

      if (plugin->state != REEVE_PLUGIN_STATE_REFUSED
          && (reeve_manifest_get_kinds (plugin->manifest) & kind) != 0)
        g_strv_builder_add (builder, plugin->id);
    }
  g_mutex_unlock (&self->lock);
  return g_strv_builder_end (builder);
}

/* ---- instances ---- */

gboolean
reeve_registry_check_settings (ReeveManifest *manifest, JsonObject *settings, GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (GPtrArray) faults = NULL;
  const ReeveSchemaFault *fault = NULL;

  json_node_set_object (node, settings);
  if (reeve_schema_validate (reeve_manifest_get_schema (manifest), node, &faults, error))
    return TRUE;
  if (faults == NULL || faults->len == 0)
    return FALSE;
  fault = g_ptr_array_index (faults, 0);
  g_clear_error (error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "settings%s%s: %s",
               *fault->pointer != '\0' ? " " : "", fault->pointer, fault->message);
  return FALSE;
}

/* Waits until no other thread loads a module, which may be the same; NULL when this one is to. */
static ReeveModule *
reeve_registry_begin_load (ReeveRegistry *self, ReeveRegistryPlugin *plugin)
{
  ReeveModule *module = NULL;

  g_mutex_lock (&self->lock);
  while (plugin->module == NULL && self->loading)
    g_cond_wait (&self->loaded, &self->lock);
  module = plugin->module;
  if (module == NULL)
    self->loading = TRUE;
  g_mutex_unlock (&self->lock);
  return module;
}

/* One module at a time, and no lock is held meanwhile: code of the plugin runs already. */
static ReeveModule *
reeve_registry_load (ReeveRegistry *self, ReeveRegistryPlugin *plugin, GError **error)
{
  ReeveModule *module = reeve_registry_begin_load (self, plugin);

  if (module != NULL)
    return module;
  module = reeve_module_load (plugin->manifest, plugin->pin, error);
  g_mutex_lock (&self->lock);
  plugin->module = module;
  plugin->state = module != NULL ? REEVE_PLUGIN_STATE_LOADED : REEVE_PLUGIN_STATE_REFUSED;
  if (module == NULL && plugin->reason == NULL && error != NULL)
    plugin->reason = reeve_registry_make_reason ((*error)->message);
  self->loading = FALSE;
  g_cond_broadcast (&self->loaded);
  g_mutex_unlock (&self->lock);
  return module;
}

static ReeveRegistryPlugin *
reeve_registry_select (ReeveRegistry *self, const char *instance_id, const char *plugin_id,
                       GError **error)
{
  ReeveRegistryPlugin *plugin = NULL;

  if (reeve_registry_get_instance (self, instance_id) != NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "there are two instances \"%s\"",
                   instance_id);
      return NULL;
    }
  g_mutex_lock (&self->lock);
  plugin = reeve_registry_find (self, plugin_id);
  if (plugin == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such plugin");
  else if (plugin->state == REEVE_PLUGIN_STATE_REFUSED)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "refused: %s", plugin->reason);
      plugin = NULL;
    }
  g_mutex_unlock (&self->lock);
  return plugin;
}

/* In this process. */
static ReevePlugin *
reeve_registry_make_here (ReeveRegistry *self, ReeveRegistryPlugin *plugin, GType iface,
                          JsonObject *settings, ReeveBroker *broker, GError **error)
{
  ReeveModule *module = plugin->chosen ? NULL : reeve_registry_load (self, plugin, error);
  GType type = module != NULL ? reeve_module_find_type (module, iface) : G_TYPE_INVALID;

  if (plugin->chosen)
    g_set_error (
        error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
        "version %s was chosen by an administrator, and does not run in the host's process",
        reeve_manifest_get_version (plugin->manifest));
  if (module == NULL)
    return NULL;
  if (type != G_TYPE_INVALID && !G_TYPE_IS_ABSTRACT (type))
    return reeve_registry_setup_run (type, settings, broker, self->setup_us, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "does not offer %s", g_type_name (iface));
  return NULL;
}

/* In a process of its own: what is not as its pin says is refused now, and not by the first call.
 */
static ReevePlugin *
reeve_registry_make_there (ReeveRegistry *self, ReeveRegistryPlugin *plugin, ReeveWireKinds kind,
                           JsonObject *settings, ReeveBroker *broker, GError **error)
{
  int module = reeve_module_open_pinned (plugin->manifest, plugin->pin, error);

  g_mutex_lock (&self->lock);
  plugin->state = module >= 0 ? REEVE_PLUGIN_STATE_LOADED : REEVE_PLUGIN_STATE_REFUSED;
  if (module < 0 && plugin->reason == NULL && error != NULL)
    plugin->reason = reeve_registry_make_reason ((*error)->message);
  g_mutex_unlock (&self->lock);
  if (module < 0)
    return NULL;
  close (module);
  return reeve_registry_confined_make (plugin, kind, settings, broker, error);
}

static char *
reeve_registry_write_settings (JsonObject *settings)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), settings);

  return reeve_json_canonical (node);
}

static ReeveRegistryInstance *
reeve_registry_make (ReeveRegistry *self, ReeveRegistryPlugin *plugin, const char *instance_id,
                     GType iface, JsonObject *settings, GError **error)
{
  ReeveWireKinds kind
      = plugin->keeper != NULL ? reeve_confined_instance_find_kind (plugin->manifest, iface) : 0;
  g_autoptr (JsonObject) own = reeve_registry_setup_copy (settings, error);
  g_autoptr (JsonObject) shown = NULL;
  ReeveRegistryInstance *instance = NULL;

  if (own == NULL)
    return NULL;
  shown = reeve_manifest_slots_hide (plugin->manifest, own);
  instance = g_new0 (ReeveRegistryInstance, 1);
  instance->id = g_strdup (instance_id);
  instance->owner = plugin;
  instance->settings = reeve_registry_write_settings (own);
  instance->broker
      = reeve_capabilities_new_broker (self->capabilities, plugin->manifest, instance_id, own);
  instance->plugin
      = kind != 0 ? reeve_registry_make_there (self, plugin, kind, shown, instance->broker, error)
                  : reeve_registry_make_here (self, plugin, iface, shown, instance->broker, error);
  if (instance->plugin != NULL)
    return instance;
  reeve_registry_instance_free (instance);
  return NULL;
}

/* Takes @instance over, unless one of that name came in the meantime. */
static ReevePlugin *
reeve_registry_adopt (ReeveRegistry *self, ReeveRegistryInstance *instance, GError **error)
{
  gboolean taken = FALSE;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->instances->len && !taken; i++)
    {
      ReeveRegistryInstance *other = g_ptr_array_index (self->instances, i);

      taken = strcmp (other->id, instance->id) == 0;
    }
  if (!taken)
    g_ptr_array_add (self->instances, instance);
  g_mutex_unlock (&self->lock);
  if (!taken)
    return instance->plugin;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "there are two instances \"%s\"",
               instance->id);
  reeve_plugin_shutdown (instance->plugin);
  reeve_registry_instance_free (instance);
  return NULL;
}

static void
reeve_registry_note_failure (ReeveRegistry *self, ReeveRegistryPlugin *plugin, const GError *error)
{
  g_mutex_lock (&self->lock);
  if (plugin->state != REEVE_PLUGIN_STATE_REFUSED)
    plugin->state = REEVE_PLUGIN_STATE_FAILED;
  g_free (plugin->reason);
  plugin->reason = reeve_registry_make_reason (error->message);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_registry_instantiate:
 * @self: a registry
 * @instance_id: name of the new instance
 * @plugin_id: of the plugin
 * @iface: what it must offer, such as %REEVE_TYPE_TOOL
 * @settings: (nullable): settings; %NULL for none
 * @error: return location: %REEVE_ERROR_PLUGIN, %REEVE_ERROR_CONFIGURATION,
 * %REEVE_ERROR_ALREADY_EXISTS, %REEVE_ERROR_NOT_FOUND
 *
 * Loads the module if it is not, validates the settings, sets the instance up and waits for it, but
 * not for ever. Blocks.
 *
 * Returns: (transfer none) (nullable): the instance, until the shutdown
 */
ReevePlugin *
reeve_registry_instantiate (ReeveRegistry *self, const char *instance_id, const char *plugin_id,
                            GType iface, JsonObject *settings, GError **error)
{
  g_autoptr (JsonObject) given = settings != NULL ? json_object_ref (settings) : json_object_new ();
  g_autoptr (GError) inner = NULL;
  ReeveRegistryPlugin *plugin = reeve_registry_select (self, instance_id, plugin_id, &inner);
  ReeveRegistryInstance *instance = NULL;

  if (plugin != NULL && reeve_registry_check_settings (plugin->manifest, given, &inner))
    instance = reeve_registry_make (self, plugin, instance_id, iface, given, &inner);
  if (instance != NULL)
    return reeve_registry_adopt (self, instance, error);
  if (plugin != NULL)
    reeve_registry_note_failure (self, plugin, inner);
  g_propagate_prefixed_error (error, g_steal_pointer (&inner), "plugin %s (%s): ", plugin_id,
                              instance_id);
  return NULL;
}

static ReeveRegistryInstance *
reeve_registry_find_instance (ReeveRegistry *self, const char *instance_id, ReevePlugin *plugin)
{
  ReeveRegistryInstance *found = NULL;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->instances->len && found == NULL; i++)
    {
      ReeveRegistryInstance *instance = g_ptr_array_index (self->instances, i);

      if (instance->plugin == plugin || g_strcmp0 (instance->id, instance_id) == 0)
        found = instance;
    }
  g_mutex_unlock (&self->lock);
  return found;
}

/**
 * reeve_registry_get_instance:
 * @self: a registry
 * @instance_id: name of an instance
 *
 * Returns: (transfer none) (nullable): it
 */
ReevePlugin *
reeve_registry_get_instance (ReeveRegistry *self, const char *instance_id)
{
  ReeveRegistryInstance *instance = reeve_registry_find_instance (self, instance_id, NULL);

  return instance != NULL ? instance->plugin : NULL;
}

/**
 * reeve_registry_new_context:
 * @self: a registry
 * @plugin: an instance
 * @info: for whom and until when
 * @cancellable: (nullable): ends the call
 *
 * Returns: (transfer full): a context for one call, wired to what that instance may reach
 */
ReeveContext *
reeve_registry_new_context (ReeveRegistry *self, ReevePlugin *plugin, const ReeveContextInfo *info,
                            GCancellable *cancellable)
{
  ReeveRegistryInstance *instance = reeve_registry_find_instance (self, NULL, plugin);
  g_autoptr (ReeveBroker) broker = NULL;

  /* another version of the plugin brings another one */
  g_mutex_lock (&self->lock);
  if (instance != NULL)
    broker = g_object_ref (instance->broker);
  g_mutex_unlock (&self->lock);
  return reeve_context_new (info, broker, cancellable);
}

/**
 * reeve_registry_shutdown:
 * @self: a registry
 *
 * Shuts the instances down, last one first. No call may be under way. Modules stay.
 */
void
reeve_registry_shutdown (ReeveRegistry *self)
{
  g_autoptr (GPtrArray) instances = NULL;

  g_mutex_lock (&self->lock);
  instances = g_steal_pointer (&self->instances);
  self->instances = g_ptr_array_new_with_free_func (reeve_registry_instance_free);
  g_mutex_unlock (&self->lock);
  for (guint i = instances->len; i > 0; i--)
    {
      ReeveRegistryInstance *instance = g_ptr_array_index (instances, i - 1);

      reeve_plugin_shutdown (instance->plugin);
      reeve_capabilities_revoke (instance->broker);
    }
  reeve_registry_confined_close (self);
}

/**
 * reeve_registry_discard:
 * @self: a registry
 * @instance_id: of an instance that is not in use
 * @reason: what is wrong with it
 *
 * Shuts an instance down that was set up and then turned out to be useless, and lists its plugin as
 * failed. The instance is gone after this.
 */
void
reeve_registry_discard (ReeveRegistry *self, const char *instance_id, const GError *reason)
{
  ReeveRegistryInstance *instance = reeve_registry_find_instance (self, instance_id, NULL);
  guint index = 0;

  if (instance == NULL)
    return;
  g_mutex_lock (&self->lock);
  if (g_ptr_array_find (self->instances, instance, &index))
    g_ptr_array_steal_index (self->instances, index);
  g_mutex_unlock (&self->lock);
  reeve_registry_note_failure (self, instance->owner, reason);
  reeve_plugin_shutdown (instance->plugin);
  reeve_registry_instance_free (instance);
}

/**
 * reeve_registry_get_setup_us:
 * @self: a registry
 *
 * Returns: how long a plugin may take to get ready, in microseconds
 */
gint64
reeve_registry_get_setup_us (ReeveRegistry *self)
{
  return self->setup_us;
}
