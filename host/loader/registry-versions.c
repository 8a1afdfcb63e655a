/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several versions of a plugin lie side by side: `ID`, which comes with the host, and `ID@VERSION`.
 * Which one an administrator chose, and which was before it, is kept in
 * `<state>/plugins/ID.version` with the digests of its files, and holds across restarts of the
 * host. */
#include <string.h>

#include "registry-private.h"

#define REEVE_REGISTRY_SUFFIX  ".version"
#define REEVE_REGISTRY_CURRENT "Current"
#define REEVE_REGISTRY_FORMER  "Former"

void
reeve_registry_version_free (ReeveRegistryVersion *version)
{
  g_free (version->version);
  g_free (version->manifest);
  g_free (version->module);
  g_free (version->settings);
  g_free (version);
}

ReeveRegistryVersion *
reeve_registry_version_copy (const ReeveRegistryVersion *version)
{
  ReeveRegistryVersion *copy = g_new0 (ReeveRegistryVersion, 1);

  copy->version = g_strdup (version->version);
  copy->plain = version->plain;
  copy->manifest = g_strdup (version->manifest);
  copy->module = g_strdup (version->module);
  copy->settings = g_strdup (version->settings);
  return copy;
}

/* ---- pins ---- */

void
reeve_registry_pin_free (gpointer data)
{
  ReevePin *pin = data;

  g_free ((char *) pin->id);
  g_free ((char *) pin->manifest);
  g_free ((char *) pin->module);
  g_free ((char *) pin->settings);
  g_free (pin);
}

const ReevePin *
reeve_registry_versions_find_pin (ReeveRegistry *self, ReeveManifest *manifest)
{
  const ReevePin *const lists[] = { self->pins, self->extra_pins };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      for (const ReevePin *pin = lists[i]; pin != NULL && pin->id != NULL; pin++)
        {
          if (strcmp (pin->id, reeve_manifest_get_id (manifest)) == 0
              && strcmp (pin->manifest, reeve_manifest_get_digest (manifest)) == 0)
            return pin;
        }
    }
  return NULL;
}

const ReevePin *
reeve_registry_versions_add_pin (ReeveRegistry *self, const char *plugin_id,
                                 const ReeveRegistryVersion *version)
{
  ReevePin *pin = NULL;

  for (guint i = 0; i < self->own_pins->len; i++)
    {
      pin = g_ptr_array_index (self->own_pins, i);
      if (strcmp (pin->id, plugin_id) == 0 && strcmp (pin->manifest, version->manifest) == 0
          && strcmp (pin->module, version->module) == 0
          && g_strcmp0 (pin->settings, version->settings) == 0)
        return pin;
    }
  pin = g_new0 (ReevePin, 1);
  pin->id = g_strdup (plugin_id);
  pin->manifest = g_strdup (version->manifest);
  pin->module = g_strdup (version->module);
  pin->settings = g_strdup (version->settings);
  g_ptr_array_add (self->own_pins, pin);
  return pin;
}

/* ---- where they lie ---- */

static char *
reeve_registry_versions_find_path (ReeveRegistry *self, const char *name, const char *plugin_id)
{
  g_autofree char *file = g_strconcat (plugin_id, ".plugin", NULL);

  for (guint i = 0; self->folders[i] != NULL; i++)
    {
      g_autofree char *path = g_build_filename (self->folders[i], name, file, NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&path);
    }
  return NULL;
}

ReeveManifest *
reeve_registry_versions_find (ReeveRegistry *self, const char *plugin_id, const char *version,
                              GError **error)
{
  g_autofree char *name = version != NULL
                              ? g_strdup_printf ("%s%c%s", plugin_id, REEVE_REGISTRY_AT, version)
                              : g_strdup (plugin_id);
  g_autofree char *path = reeve_registry_versions_find_path (self, name, plugin_id);
  g_autoptr (ReeveManifest) manifest = NULL;

  if (path == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                   "there is no folder %s where plugins lie", name);
      return NULL;
    }
  manifest = reeve_manifest_new_from_file (path, error);
  if (manifest == NULL || !reeve_registry_check_manifest (manifest, plugin_id, error))
    return NULL;
  if (version == NULL || strcmp (reeve_manifest_get_version (manifest), version) == 0)
    return g_steal_pointer (&manifest);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "manifest %s: its version is %s, its folder's %s", path,
               reeve_manifest_get_version (manifest), version);
  return NULL;
}

/* ---- what is kept ---- */

static char *
reeve_registry_versions_get_path (ReeveRegistry *self, const char *plugin_id)
{
  const char *folder
      = self->confined != NULL ? reeve_confined_get_setup (self->confined)->folder : NULL;
  g_autofree char *name = g_strconcat (plugin_id, REEVE_REGISTRY_SUFFIX, NULL);

  return folder != NULL ? g_build_filename (folder, name, NULL) : NULL;
}

static void
reeve_registry_versions_set (GKeyFile *file, const char *group, const ReeveRegistryVersion *version)
{
  if (version == NULL)
    return;
  g_key_file_set_string (file, group, "Version", version->version);
  g_key_file_set_boolean (file, group, "Plain", version->plain);
  g_key_file_set_string (file, group, "Manifest", version->manifest);
  g_key_file_set_string (file, group, "Module", version->module);
  if (version->settings != NULL)
    g_key_file_set_string (file, group, "Settings", version->settings);
}

gboolean
reeve_registry_versions_write (ReeveRegistry *self, const char *plugin_id,
                               const ReeveRegistryVersion *version,
                               const ReeveRegistryVersion *former, GError **error)
{
  g_autofree char *path = reeve_registry_versions_get_path (self, plugin_id);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *text = NULL;

  if (path == NULL)
    return TRUE;
  reeve_registry_versions_set (file, REEVE_REGISTRY_CURRENT, version);
  reeve_registry_versions_set (file, REEVE_REGISTRY_FORMER, former);
  text = g_key_file_to_data (file, NULL, NULL);
  if (g_file_set_contents_full (path, text, -1,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                error))
    return TRUE;
  g_prefix_error (error, "which version is chosen cannot be kept: ");
  return FALSE;
}

/* (transfer full) (nullable): none, or one that this host did not write */
static ReeveRegistryVersion *
reeve_registry_versions_get (GKeyFile *file, const char *group)
{
  g_autoptr (ReeveRegistryVersion) version = g_new0 (ReeveRegistryVersion, 1);

  version->version = g_key_file_get_string (file, group, "Version", NULL);
  version->plain = g_key_file_get_boolean (file, group, "Plain", NULL);
  version->manifest = g_key_file_get_string (file, group, "Manifest", NULL);
  version->module = g_key_file_get_string (file, group, "Module", NULL);
  version->settings = g_key_file_get_string (file, group, "Settings", NULL);
  return version->version != NULL && version->manifest != NULL && version->module != NULL
             ? g_steal_pointer (&version)
             : NULL;
}

/* ---- at the start ---- */

/* Is what lies there what was chosen? Sets @error where it is not. */
static ReeveManifest *
reeve_registry_versions_open (ReeveRegistry *self, const char *plugin_id,
                              const ReeveRegistryVersion *version, GError **error)
{
  g_autoptr (ReeveManifest) manifest
      = reeve_registry_versions_find (self, plugin_id, version->version, error);

  if (manifest == NULL)
    return NULL;
  if (strcmp (reeve_manifest_get_digest (manifest), version->manifest) == 0
      && g_strcmp0 (reeve_manifest_get_settings_digest (manifest), version->settings) == 0)
    return g_steal_pointer (&manifest);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "manifest %s, or the schema of its settings, is not the one that was chosen",
               reeve_manifest_get_path (manifest));
  return NULL;
}

static ReeveRegistryPlugin *
reeve_registry_versions_take (ReeveRegistry *self, const char *plugin_id)
{
  ReeveRegistryPlugin *plugin = reeve_registry_find (self, plugin_id);

  if (plugin != NULL)
    return plugin;
  plugin = g_new0 (ReeveRegistryPlugin, 1);
  plugin->id = g_strdup (plugin_id);
  g_ptr_array_add (self->plugins, plugin);
  return plugin;
}

/* An older one in its place would be a downgrade that nobody asked for: it is refused instead. */
static void
reeve_registry_versions_put (ReeveRegistry *self, const char *plugin_id, const char *kept,
                             ReeveRegistryVersion *version)
{
  ReeveRegistryPlugin *plugin = reeve_registry_versions_take (self, plugin_id);
  g_autoptr (GError) error = NULL;
  ReeveManifest *manifest = reeve_registry_versions_open (self, plugin_id, version, &error);

  plugin->version = version;
  if (manifest == NULL)
    {
      g_clear_pointer (&plugin->reason, g_free);
      reeve_registry_refuse (
          plugin,
          g_strdup_printf ("plugin %s: version %s was chosen, and cannot be used: %s. Put it "
                           "back, or remove %s",
                           plugin_id, version->version, error->message, kept));
      return;
    }
  g_clear_pointer (&plugin->manifest, reeve_manifest_unref);
  g_free (plugin->path);
  g_clear_pointer (&plugin->reason, g_free);
  plugin->manifest = manifest;
  plugin->path = g_strdup (reeve_manifest_get_path (manifest));
  plugin->state = REEVE_PLUGIN_STATE_FOUND;
  plugin->pin = reeve_registry_versions_find_pin (self, manifest);
  plugin->chosen = plugin->pin == NULL;
  if (plugin->chosen)
    plugin->pin = reeve_registry_versions_add_pin (self, plugin_id, version);
}

static void
reeve_registry_versions_read (ReeveRegistry *self, const char *plugin_id)
{
  g_autofree char *path = reeve_registry_versions_get_path (self, plugin_id);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  ReeveRegistryVersion *version = NULL;
  ReeveRegistryPlugin *plugin = NULL;

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &error))
    {
      g_warning ("plugin %s: %s: %s", plugin_id, path, error->message);
      return;
    }
  version = reeve_registry_versions_get (file, REEVE_REGISTRY_CURRENT);
  if (version != NULL && !version->plain)
    reeve_registry_versions_put (self, plugin_id, path, version);
  else
    g_clear_pointer (&version, reeve_registry_version_free);
  plugin = reeve_registry_find (self, plugin_id);
  if (plugin != NULL)
    plugin->former = reeve_registry_versions_get (file, REEVE_REGISTRY_FORMER);
}

void
reeve_registry_versions_choose (ReeveRegistry *self)
{
  const char *folder
      = self->confined != NULL ? reeve_confined_get_setup (self->confined)->folder : NULL;
  g_autoptr (GDir) files = folder != NULL ? g_dir_open (folder, 0, NULL) : NULL;
  const char *name = NULL;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL)
    {
      if (g_str_has_suffix (name, REEVE_REGISTRY_SUFFIX))
        {
          g_autofree char *plugin_id
              = g_strndup (name, strlen (name) - strlen (REEVE_REGISTRY_SUFFIX));

          reeve_registry_versions_read (self, plugin_id);
        }
    }
}
