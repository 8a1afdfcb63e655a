/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another version of a plugin while the host runs. What the rest of the host took from the present
 * one at its start (tools, media types, rules) must be the same in it. */
#include <string.h>

#include "capabilities.h"
#include "interpreter.h"
#include "manifest-offers.h"
#include "manifest-script.h"
#include "manifest-slots.h"
#include "registry-private.h"
#include "registry-setup.h"

/* One instance in the other version. */
typedef struct
{
  ReeveRegistryInstance *instance;
  char *settings; /* canonical JSON, as the plugin gets them */
  ReeveBroker *broker;
} ReeveRegistryHeir;

typedef struct
{
  ReeveRegistry *registry;
  ReeveRegistryPlugin *plugin;
  ReeveKeeper *keeper;
  ReeveManifest *now;
  ReeveManifest *next;
  ReeveRegistryVersion *version;
  ReeveRegistryVersion *former; /* the present one, before */
  const ReevePin *pin;
  gboolean chosen;
  gboolean kept; /* a start of the host takes the other one from now on */
  GPtrArray *heirs;
} ReeveRegistryUpgrade;

static void
reeve_registry_heir_free (gpointer data)
{
  ReeveRegistryHeir *heir = data;

  g_clear_object (&heir->broker);
  g_free (heir->settings);
  g_free (heir);
}

static void
reeve_registry_upgrade_free (ReeveRegistryUpgrade *self)
{
  g_clear_pointer (&self->keeper, reeve_keeper_unref);
  g_clear_pointer (&self->now, reeve_manifest_unref);
  g_clear_pointer (&self->next, reeve_manifest_unref);
  g_clear_pointer (&self->version, reeve_registry_version_free);
  g_clear_pointer (&self->former, reeve_registry_version_free);
  g_ptr_array_unref (self->heirs);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRegistryUpgrade, reeve_registry_upgrade_free)

/* ---- one at a time ---- */

/* Under the lock. */
static gboolean
reeve_registry_upgrade_may (ReeveRegistry *self, ReeveRegistryPlugin *plugin, const char *plugin_id,
                            GError **error)
{
  if (plugin == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such plugin");
  else if (plugin->state == REEVE_PLUGIN_STATE_REFUSED)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "plugin %s was refused: %s", plugin_id,
                 plugin->reason);
  else if (plugin->keeper == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                 "plugin %s runs in the host's process, and changes with that", plugin_id);
  else if (reeve_switches_is_off (self->switches, plugin_id))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                 "plugin %s is disabled: `reevectl plugins enable %s` comes first", plugin_id,
                 plugin_id);
  else if (self->upgrading)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                 "the version of a plugin is being changed already");
  else
    return TRUE;
  return FALSE;
}

/* Under the lock. (transfer full): the present version, as it is kept */
static ReeveRegistryVersion *
reeve_registry_upgrade_note (ReeveRegistryPlugin *plugin)
{
  const ReeveRegistryVersion now
      = { .version = (char *) reeve_manifest_get_version (plugin->manifest),
          .plain = plugin->version == NULL,
          .manifest = (char *) plugin->pin->manifest,
          .module = (char *) plugin->pin->module,
          .settings = (char *) plugin->pin->settings };

  return reeve_registry_version_copy (&now);
}

/* (transfer full) (nullable): its turn, which reeve_registry_upgrade_end() ends */
static ReeveRegistryUpgrade *
reeve_registry_upgrade_begin (ReeveRegistry *self, const char *plugin_id, GError **error)
{
  ReeveRegistryUpgrade *upgrade = NULL;
  ReeveRegistryPlugin *plugin = NULL;

  g_mutex_lock (&self->lock);
  plugin = reeve_registry_find (self, plugin_id);
  if (reeve_registry_upgrade_may (self, plugin, plugin_id, error))
    {
      self->upgrading = TRUE;
      upgrade = g_new0 (ReeveRegistryUpgrade, 1);
      upgrade->registry = self;
      upgrade->plugin = plugin;
      upgrade->keeper = reeve_keeper_ref (plugin->keeper);
      upgrade->now = reeve_manifest_ref (plugin->manifest);
      upgrade->former = reeve_registry_upgrade_note (plugin);
      upgrade->heirs = g_ptr_array_new_with_free_func (reeve_registry_heir_free);
      for (guint i = 0; i < self->instances->len; i++)
        {
          ReeveRegistryInstance *instance = g_ptr_array_index (self->instances, i);
          ReeveRegistryHeir *heir
              = instance->owner == plugin ? g_new0 (ReeveRegistryHeir, 1) : NULL;

          if (heir == NULL)
            continue;
          heir->instance = instance;
          g_ptr_array_add (upgrade->heirs, heir);
        }
    }
  g_mutex_unlock (&self->lock);
  return upgrade;
}

static void
reeve_registry_upgrade_end (ReeveRegistry *self)
{
  g_mutex_lock (&self->lock);
  self->upgrading = FALSE;
  g_mutex_unlock (&self->lock);
}

/* ---- what is looked at before anything starts ---- */

/* Which pin it has: this build's, or one of those digests. */
static gboolean
reeve_registry_upgrade_pin (ReeveRegistryUpgrade *self, const ReeveRegistryWanted *wanted,
                            GError **error)
{
  const char *digest = reeve_manifest_get_digest (self->next);

  self->pin = reeve_registry_versions_find_pin (self->registry, self->next);
  self->chosen = self->pin == NULL;
  if (self->chosen && (wanted->manifest == NULL || wanted->module == NULL))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   "plugin %s: version %s is not pinned by this build: whoever trusts it names its "
                   "digests (manifest_sha256, module_sha256)",
                   self->plugin->id, reeve_manifest_get_version (self->next));
      return FALSE;
    }
  self->version->manifest = g_strdup (self->chosen ? wanted->manifest : self->pin->manifest);
  self->version->module = g_strdup (self->chosen ? wanted->module : self->pin->module);
  self->version->settings = g_strdup (self->chosen ? wanted->settings : self->pin->settings);
  if (strcmp (self->version->manifest, digest) != 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "manifest %s: its SHA-256 is %s, named is %s",
                 reeve_manifest_get_path (self->next), digest, self->version->manifest);
  else if (g_strcmp0 (self->version->settings, reeve_manifest_get_settings_digest (self->next))
           != 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "plugin %s: the SHA-256 of the schema of its settings is %s, named is %s",
                 self->plugin->id, reeve_manifest_get_settings_digest (self->next),
                 self->version->settings);
  else
    {
      g_mutex_lock (&self->registry->lock);
      if (self->chosen)
        self->pin
            = reeve_registry_versions_add_pin (self->registry, self->plugin->id, self->version);
      g_mutex_unlock (&self->registry->lock);
      return TRUE;
    }
  return FALSE;
}

static gboolean
reeve_registry_upgrade_has_network (ReeveManifest *manifest)
{
  const char *const *names = reeve_manifest_get_capabilities (manifest);

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      if (g_str_has_prefix (names[i], "net."))
        return TRUE;
    }
  return FALSE;
}

static gboolean
reeve_registry_upgrade_equal (const char *const *one, const char *const *other)
{
  static const char *const none[] = { NULL };

  return g_strv_equal (one != NULL ? one : none, other != NULL ? other : none);
}

/* What the host read once, and goes by: which of it differs, or NULL. */
static const char *
reeve_registry_upgrade_compare (ReeveManifest *now, ReeveManifest *next)
{
  GPtrArray *tools = reeve_manifest_offers_get_tools (next);

  if (reeve_manifest_get_kinds (now) != reeve_manifest_get_kinds (next)
      || reeve_manifest_offers_has_engine (now) != reeve_manifest_offers_has_engine (next))
    return "is of other kinds";
  if (!reeve_registry_upgrade_equal (reeve_manifest_get_requires (now),
                                     reeve_manifest_get_requires (next))
      || !reeve_registry_upgrade_equal (reeve_manifest_get_conflicts (now),
                                        reeve_manifest_get_conflicts (next)))
    return "requires or conflicts with other plugins";
  /* policies see by it which tools reach out */
  if (!reeve_registry_upgrade_has_network (now) && reeve_registry_upgrade_has_network (next))
    return "asks for the network";
  if ((reeve_manifest_offers_get_tools (now) == NULL) != (tools == NULL)
      || (tools != NULL && !reeve_manifest_offers_check_tools (now, tools, NULL)))
    return "offers other tools";
  if (!reeve_registry_upgrade_equal (reeve_manifest_offers_get_media_types (now),
                                     reeve_manifest_offers_get_media_types (next)))
    return "reads other media types";
  return NULL;
}

static gboolean
reeve_registry_upgrade_set_restart (ReeveRegistryUpgrade *self, const char *what, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "plugin %s: version %s %s, which takes a restart of the host", self->plugin->id,
               reeve_manifest_get_version (self->next), what);
  return FALSE;
}

/* Its settings are right for the other version too, and it gets a broker of that one's. */
static gboolean
reeve_registry_upgrade_prepare_heir (ReeveRegistryUpgrade *self, ReeveRegistryHeir *heir,
                                     GError **error)
{
  const char *text = heir->instance->settings;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), error);
  JsonObject *settings = node != NULL ? json_node_get_object (node) : NULL;
  g_autoptr (JsonObject) shown = NULL;
  g_autoptr (JsonNode) hidden = NULL;

  if (!REEVE_IS_CONFINED_INSTANCE (heir->instance->plugin))
    return reeve_registry_upgrade_set_restart (self, "would have an instance in the host's process",
                                               error);
  if (settings == NULL || !reeve_registry_check_settings (self->next, settings, error))
    {
      g_prefix_error (error, "plugin %s (%s): version %s: ", self->plugin->id, heir->instance->id,
                      reeve_manifest_get_version (self->next));
      return FALSE;
    }
  shown = reeve_manifest_slots_hide (self->next, settings);
  hidden = json_node_init_object (json_node_alloc (), shown);
  heir->settings = reeve_json_canonical (hidden);
  heir->broker = reeve_capabilities_new_broker (self->registry->capabilities, self->next,
                                                heir->instance->id, settings);
  return TRUE;
}

/* Its process is started before anybody calls it: that takes what a call would. */
static gboolean
reeve_registry_upgrade_may_start (ReeveRegistryUpgrade *self, GError **error)
{
  gint64 none = 0;

  if (reeve_manifest_get_interpreter (self->next) == NULL
      || reeve_capabilities_get_amount (self->registry->capabilities, self->next,
                                        REEVE_INTERPRETER_CAPABILITY, &none, &none))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "plugin %s: version %s is a script, and " REEVE_INTERPRETER_CAPABILITY
               " is not granted for all tenants; the version before a first script requests it, so "
               "that it can be granted",
               self->plugin->id, reeve_manifest_get_version (self->next));
  return FALSE;
}

static gboolean
reeve_registry_upgrade_prepare (ReeveRegistryUpgrade *self, const ReeveRegistryWanted *wanted,
                                GError **error)
{
  const char *differs = NULL;

  if (!reeve_registry_upgrade_pin (self, wanted, error))
    return FALSE;
  if (strcmp (self->version->manifest, self->former->manifest) == 0
      && strcmp (self->version->module, self->former->module) == 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "plugin %s is of version %s already",
                   self->plugin->id, reeve_manifest_get_version (self->next));
      return FALSE;
    }
  differs = reeve_registry_upgrade_compare (self->now, self->next);
  if (differs != NULL)
    return reeve_registry_upgrade_set_restart (self, differs, error);
  if (!reeve_registry_upgrade_may_start (self, error))
    return FALSE;
  for (guint i = 0; i < self->heirs->len; i++)
    {
      if (!reeve_registry_upgrade_prepare_heir (self, self->heirs->pdata[i], error))
        return FALSE;
    }
  return TRUE;
}

/* ---- in its process, before any call ---- */

/* Where the manifest does not say which tools there are, both versions are asked. The present
 * instance is of the one kind that it was made for, the other version's of all that its type has.
 */
static gboolean
reeve_registry_upgrade_is_alike (ReeveRegistryUpgrade *self, ReeveRegistryHeir *heir,
                                 ReevePlugin *plugin, GError **error)
{
  const ReeveContextInfo info = { .struct_size = sizeof info,
                                  .deadline = g_get_monotonic_time () + self->registry->setup_us };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, heir->broker, NULL);
  ReevePlugin *present = heir->instance->plugin;
  g_autoptr (GPtrArray) now = NULL;
  g_autoptr (GPtrArray) next = NULL;

  if (REEVE_IS_EXTRACTOR (present)
      && !reeve_registry_upgrade_equal (reeve_extractor_media_types (REEVE_EXTRACTOR (present)),
                                        reeve_extractor_media_types (REEVE_EXTRACTOR (plugin))))
    return reeve_registry_upgrade_set_restart (self, "reads other media types", error);
  if (!REEVE_IS_TOOL (present))
    return TRUE;
  next = reeve_tool_list (REEVE_TOOL (plugin), context, error);
  now = next != NULL ? reeve_tool_list (REEVE_TOOL (present), context, error) : NULL;
  if (now == NULL)
    return FALSE;
  if (reeve_manifest_offers_are_same (now, next))
    return TRUE;
  return reeve_registry_upgrade_set_restart (self, "offers other tools", error);
}

static gboolean
reeve_registry_upgrade_ready (ReeveTerm *term, gpointer user_data, GError **error)
{
  ReeveRegistryUpgrade *self = user_data;

  for (guint i = 0; i < self->heirs->len; i++)
    {
      ReeveRegistryHeir *heir = g_ptr_array_index (self->heirs, i);
      g_autoptr (ReevePlugin) plugin
          = reeve_confined_instance_raise (REEVE_CONFINED_INSTANCE (heir->instance->plugin), term,
                                           heir->settings, heir->broker, NULL, error);

      if (plugin == NULL)
        g_prefix_error (error, "plugin %s (%s): version %s: ", self->plugin->id, heir->instance->id,
                        reeve_manifest_get_version (self->next));
      if (plugin == NULL || !reeve_registry_upgrade_is_alike (self, heir, plugin, error))
        return FALSE;
    }
  /* from here on it is the chosen one, also for a host that is killed now */
  self->kept = reeve_registry_versions_write (self->registry, self->plugin->id, self->version,
                                              self->former, error);
  return self->kept;
}

/* It failed behind that: the next start goes by what is so again, or the error says that it will
 * not. */
static void
reeve_registry_upgrade_take_back (ReeveRegistryUpgrade *self, GError **error)
{
  g_autoptr (ReeveRegistryVersion) before = NULL;
  g_autoptr (GError) problem = NULL;

  g_mutex_lock (&self->registry->lock);
  if (self->plugin->former != NULL)
    before = reeve_registry_version_copy (self->plugin->former);
  g_mutex_unlock (&self->registry->lock);
  if (!reeve_registry_versions_write (self->registry, self->plugin->id, self->former, before,
                                      &problem))
    g_prefix_error (error, "plugin %s is of version %s from the host's next start on, for %s: ",
                    self->plugin->id, self->version->version, problem->message);
}

/* ---- it goes on with the other one ---- */

static void
reeve_registry_upgrade_adopt (ReeveRegistryUpgrade *self)
{
  ReeveRegistryPlugin *plugin = self->plugin;

  for (guint i = 0; i < self->heirs->len; i++)
    {
      ReeveRegistryHeir *heir = g_ptr_array_index (self->heirs, i);

      reeve_confined_instance_adopt (REEVE_CONFINED_INSTANCE (heir->instance->plugin),
                                     heir->settings, heir->broker);
    }
  g_mutex_lock (&self->registry->lock);
  for (guint i = 0; i < self->heirs->len; i++)
    {
      ReeveRegistryHeir *heir = g_ptr_array_index (self->heirs, i);

      /* contexts of calls under way hold the one before */
      g_set_object (&heir->instance->broker, heir->broker);
    }
  g_ptr_array_add (self->registry->past, plugin->manifest);
  plugin->manifest = reeve_manifest_ref (self->next);
  g_free (plugin->path);
  plugin->path = g_strdup (reeve_manifest_get_path (self->next));
  plugin->pin = self->pin;
  plugin->chosen = self->chosen;
  plugin->state = REEVE_PLUGIN_STATE_LOADED;
  g_clear_pointer (&plugin->reason, g_free);
  g_clear_pointer (&plugin->version, reeve_registry_version_free);
  g_clear_pointer (&plugin->former, reeve_registry_version_free);
  plugin->former = g_steal_pointer (&self->former);
  if (!self->version->plain)
    plugin->version = g_steal_pointer (&self->version);
  g_mutex_unlock (&self->registry->lock);
}

/* From a manifest that was read to the other version that runs. */
static gboolean
reeve_registry_upgrade_run (ReeveRegistryUpgrade *self, const ReeveRegistryWanted *wanted,
                            GError **error)
{
  if (!reeve_registry_upgrade_prepare (self, wanted, error))
    return FALSE;
  if (reeve_keeper_upgrade (self->keeper, self->pin, self->next, reeve_registry_upgrade_ready, self,
                            error))
    {
      reeve_registry_upgrade_adopt (self);
      return TRUE;
    }
  if (self->kept)
    reeve_registry_upgrade_take_back (self, error);
  return FALSE;
}

/* (transfer full) (nullable): in a folder of its own, or in the one that comes with the host */
static ReeveManifest *
reeve_registry_upgrade_find (ReeveRegistryUpgrade *self, const ReeveRegistryWanted *wanted,
                             GError **error)
{
  g_autoptr (GError) problem = NULL;
  ReeveManifest *manifest = reeve_registry_versions_find (
      self->registry, self->plugin->id, wanted->plain ? NULL : wanted->version, &problem);
  g_autoptr (ReeveManifest) plain = NULL;

  self->version->plain = wanted->plain;
  if (manifest == NULL && !wanted->plain
      && g_error_matches (problem, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    plain = reeve_registry_versions_find (self->registry, self->plugin->id, NULL, NULL);
  if (plain != NULL && strcmp (reeve_manifest_get_version (plain), wanted->version) == 0)
    {
      self->version->plain = TRUE;
      manifest = g_steal_pointer (&plain);
    }
  if (manifest != NULL)
    self->version->version = g_strdup (reeve_manifest_get_version (manifest));
  else
    g_propagate_error (error, g_steal_pointer (&problem));
  return manifest;
}

/**
 * reeve_registry_upgrade:
 * @self: a registry
 * @plugin_id: of a plugin that runs in a process of its own
 * @wanted: which version, and by which digests
 * @error: return location
 *
 * Returns: whether calls go to that version from now on; else nothing has changed
 */
gboolean
reeve_registry_upgrade (ReeveRegistry *self, const char *plugin_id,
                        const ReeveRegistryWanted *wanted, GError **error)
{
  g_autoptr (ReeveRegistryUpgrade) upgrade = reeve_registry_upgrade_begin (self, plugin_id, error);
  gboolean good = FALSE;

  if (upgrade == NULL)
    return FALSE;
  upgrade->version = g_new0 (ReeveRegistryVersion, 1);
  upgrade->next = reeve_registry_upgrade_find (upgrade, wanted, error);
  good = upgrade->next != NULL && reeve_registry_upgrade_run (upgrade, wanted, error);
  reeve_registry_upgrade_end (self);
  return good;
}

/**
 * reeve_registry_rollback:
 * @self: a registry
 * @plugin_id: of a plugin
 * @error: return location
 *
 * Returns: whether calls go to the version before from now on; else nothing has changed
 */
gboolean
reeve_registry_rollback (ReeveRegistry *self, const char *plugin_id, GError **error)
{
  g_autoptr (ReeveRegistryVersion) former = NULL;
  ReeveRegistryPlugin *plugin = NULL;
  ReeveRegistryWanted wanted = { 0 };

  g_mutex_lock (&self->lock);
  plugin = reeve_registry_find (self, plugin_id);
  if (plugin == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such plugin");
  else if (plugin->former == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "plugin %s had no other version before",
                 plugin_id);
  else
    former = reeve_registry_version_copy (plugin->former);
  g_mutex_unlock (&self->lock);
  if (former == NULL)
    return FALSE;
  wanted = (ReeveRegistryWanted){ .version = former->version,
                                  .plain = former->plain,
                                  .manifest = former->manifest,
                                  .module = former->module,
                                  .settings = former->settings };
  return reeve_registry_upgrade (self, plugin_id, &wanted, error);
}
