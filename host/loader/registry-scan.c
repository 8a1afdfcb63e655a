/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds plugins, decides which are refused and why, and puts the rest in order. No code of any
 * plugin runs here. */
#include <string.h>

#include "registry-private.h"

/* characters; what a manifest or a plugin's setup says may be as long as it likes */
#define REEVE_REGISTRY_MAX_REASON 1000

typedef enum
{
  REEVE_REGISTRY_UNSEEN,
  REEVE_REGISTRY_OPEN,
  REEVE_REGISTRY_PLACED
} ReeveRegistryMark;

void
reeve_registry_plugin_free (gpointer data)
{
  ReeveRegistryPlugin *plugin = data;

  g_clear_pointer (&plugin->keeper, reeve_keeper_unref);
  g_clear_pointer (&plugin->version, reeve_registry_version_free);
  g_clear_pointer (&plugin->former, reeve_registry_version_free);
  g_clear_pointer (&plugin->manifest, reeve_manifest_unref);
  g_clear_pointer (&plugin->module, reeve_module_free);
  g_free (plugin->id);
  g_free (plugin->path);
  g_free (plugin->reason);
  g_free (plugin);
}

char *
reeve_registry_make_reason (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  const char *end = NULL;

  for (char *c = valid; *c != '\0'; c++)
    {
      if (g_ascii_iscntrl (*c))
        *c = ' ';
    }
  if (g_utf8_strlen (valid, -1) <= REEVE_REGISTRY_MAX_REASON)
    return g_steal_pointer (&valid);
  end = g_utf8_offset_to_pointer (valid, REEVE_REGISTRY_MAX_REASON);
  return g_strdup_printf ("%.*s…", (int) (end - valid), valid);
}

void
reeve_registry_refuse (ReeveRegistryPlugin *plugin, char *reason)
{
  plugin->state = REEVE_PLUGIN_STATE_REFUSED;
  if (plugin->reason == NULL)
    plugin->reason = reeve_registry_make_reason (reason);
  g_free (reason);
}

static gboolean
reeve_registry_is_usable (const ReeveRegistryPlugin *plugin)
{
  return plugin->state != REEVE_PLUGIN_STATE_REFUSED;
}

/* ---- what is there ---- */

static void
reeve_registry_check_pin (ReeveRegistry *self, ReeveRegistryPlugin *plugin)
{
  plugin->pin = reeve_registry_versions_find_pin (self, plugin->manifest);
  if (plugin->pin == NULL)
    plugin->pin = reeve_pins_find (self->pins, plugin->id);
  if (plugin->pin == NULL)
    plugin->pin = reeve_pins_find (self->extra_pins, plugin->id);
  if (plugin->pin == NULL)
    reeve_registry_refuse (
        plugin, g_strdup_printf ("plugin %s is not pinned by this build (SHA-256 of its manifest: "
                                 "%s): put it among plugins/ of the source tree and build the host "
                                 "anew, as docs/plugin-guide.md says",
                                 plugin->id, reeve_manifest_get_digest (plugin->manifest)));
  else if (g_strcmp0 (plugin->pin->manifest, reeve_manifest_get_digest (plugin->manifest)) != 0)
    reeve_registry_refuse (
        plugin, g_strdup_printf ("manifest %s is not the one this build pinned: its SHA-256 is %s, "
                                 "pinned is %s",
                                 plugin->path, reeve_manifest_get_digest (plugin->manifest),
                                 plugin->pin->manifest));
  else if (g_strcmp0 (plugin->pin->settings, reeve_manifest_get_settings_digest (plugin->manifest))
           != 0)
    reeve_registry_refuse (
        plugin,
        g_strdup_printf ("the settings' schema of plugin %s is not the one this build pinned",
                         plugin->id));
}

gboolean
reeve_registry_check_manifest (ReeveManifest *manifest, const char *id, GError **error)
{
  guint major = 0;
  guint minor = 0;

  reeve_manifest_get_api (manifest, &major, &minor);
  if (strcmp (reeve_manifest_get_id (manifest), id) != 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "manifest %s: its id is \"%s\", its folder \"%s\"",
                 reeve_manifest_get_path (manifest), reeve_manifest_get_id (manifest), id);
  else if (major != REEVE_API_MAJOR || minor > REEVE_API_MINOR)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "manifest %s: made for plugin interface %u.%u, this host has %u.%u",
                 reeve_manifest_get_path (manifest), major, minor, REEVE_API_MAJOR,
                 REEVE_API_MINOR);
  else
    return TRUE;
  return FALSE;
}

static void
reeve_registry_check_identity (ReeveRegistry *self, ReeveRegistryPlugin *plugin, const char *folder)
{
  ReeveRegistryPlugin *other = NULL;
  g_autoptr (GError) error = NULL;

  if (!reeve_registry_check_manifest (plugin->manifest, folder, &error))
    reeve_registry_refuse (plugin, g_strdup (error->message));
  /* one that is refused itself stands in nobody's way: what is pinned is the same in each folder */
  other = reeve_registry_find (self, plugin->id);
  if (other != NULL && reeve_registry_is_usable (other))
    reeve_registry_refuse (plugin, g_strdup_printf ("plugin %s stands twice: %s comes first",
                                                    plugin->id, other->path));
}

static void
reeve_registry_scan_plugin (ReeveRegistry *self, const char *folder, const char *name)
{
  ReeveRegistryPlugin *plugin = NULL;
  g_autofree char *file = g_strconcat (name, ".plugin", NULL);
  g_autofree char *path = g_build_filename (folder, name, file, NULL);
  g_autoptr (GError) error = NULL;

  if (strchr (name, REEVE_REGISTRY_AT) != NULL)
    return; /* one of several versions: nobody loads it who did not choose it */
  if (!g_file_test (path, G_FILE_TEST_EXISTS) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    return; /* a folder of something else, such as a build tree's */
  plugin = g_new0 (ReeveRegistryPlugin, 1);
  plugin->path = g_steal_pointer (&path);
  plugin->manifest = reeve_manifest_new_from_file (plugin->path, &error);
  plugin->id = plugin->manifest != NULL ? g_strdup (reeve_manifest_get_id (plugin->manifest))
                                        : reeve_registry_make_reason (name);
  if (plugin->manifest == NULL)
    reeve_registry_refuse (plugin, g_strdup (error->message));
  else
    reeve_registry_check_identity (self, plugin, name);
  if (plugin->manifest != NULL && reeve_registry_is_usable (plugin))
    reeve_registry_check_pin (self, plugin);
  g_ptr_array_add (self->plugins, plugin);
}

static int
reeve_registry_compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
reeve_registry_scan_folder (ReeveRegistry *self, const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name = NULL;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, reeve_registry_compare_names);
  for (guint i = 0; i < names->len; i++)
    reeve_registry_scan_plugin (self, path, g_ptr_array_index (names, i));
}

/* ---- rules ---- */

static gboolean
reeve_registry_check_requires (ReeveRegistry *self, ReeveRegistryPlugin *plugin)
{
  const char *const *ids = reeve_manifest_get_requires (plugin->manifest);

  for (guint i = 0; ids[i] != NULL; i++)
    {
      ReeveRegistryPlugin *other = reeve_registry_find (self, ids[i]);

      if (other != NULL && reeve_registry_is_usable (other))
        continue;
      reeve_registry_refuse (plugin,
                             g_strdup_printf ("plugin %s requires %s, which is %s", plugin->id,
                                              ids[i], other == NULL ? "not there" : "refused"));
      return FALSE;
    }
  return TRUE;
}

static void
reeve_registry_check_conflicts (ReeveRegistry *self, ReeveRegistryPlugin *plugin)
{
  const char *const *ids = reeve_manifest_get_conflicts (plugin->manifest);

  for (guint i = 0; ids[i] != NULL; i++)
    {
      ReeveRegistryPlugin *other = reeve_registry_find (self, ids[i]);

      if (other != NULL && other != plugin && reeve_registry_is_usable (other))
        reeve_registry_refuse (
            plugin, g_strdup_printf ("plugin %s conflicts with %s", plugin->id, other->id));
    }
}

/* A refusal may leave others without what they require: until nothing changes. */
static void
reeve_registry_check_rules (ReeveRegistry *self)
{
  gboolean changed = TRUE;

  for (guint i = 0; i < self->plugins->len; i++)
    {
      ReeveRegistryPlugin *plugin = g_ptr_array_index (self->plugins, i);

      if (reeve_registry_is_usable (plugin))
        reeve_registry_check_conflicts (self, plugin);
    }
  while (changed)
    {
      changed = FALSE;
      for (guint i = 0; i < self->plugins->len; i++)
        {
          ReeveRegistryPlugin *plugin = g_ptr_array_index (self->plugins, i);

          if (reeve_registry_is_usable (plugin) && !reeve_registry_check_requires (self, plugin))
            changed = TRUE;
        }
    }
}

/* What placing needs: which plugins were seen, those that are open with the one that led to each
 * before it, and the result. */
typedef struct
{
  GHashTable *marks;
  GPtrArray *open;
  GPtrArray *order;
} ReeveRegistryPlacing;

/* a plugin that is met while it is open: the way back to it is the loop */
static void
reeve_registry_refuse_loop (ReeveRegistryPlugin *plugin, GPtrArray *open)
{
  g_autoptr (GString) way = g_string_new (NULL);
  guint first = 0;

  if (!g_ptr_array_find (open, plugin, &first))
    return;
  for (guint i = first; i < open->len; i++)
    g_string_append_printf (way, "%s, ", ((ReeveRegistryPlugin *) open->pdata[i])->id);
  reeve_registry_refuse (plugin,
                         g_strdup_printf ("plugin %s runs after itself, in a loop of rules: %s%s",
                                          plugin->id, way->str, plugin->id));
}

static void reeve_registry_place (ReeveRegistry *self, ReeveRegistryPlugin *plugin,
                                  ReeveRegistryPlacing *placing);

static void
reeve_registry_place_all (ReeveRegistry *self, const char *const *ids,
                          ReeveRegistryPlacing *placing)
{
  for (guint i = 0; ids[i] != NULL; i++)
    {
      ReeveRegistryPlugin *other = reeve_registry_find (self, ids[i]);

      if (other != NULL)
        reeve_registry_place (self, other, placing);
    }
}

/* Places a plugin behind all it runs after (depth first). */
static void
reeve_registry_place (ReeveRegistry *self, ReeveRegistryPlugin *plugin,
                      ReeveRegistryPlacing *placing)
{
  ReeveRegistryMark mark = GPOINTER_TO_UINT (g_hash_table_lookup (placing->marks, plugin));

  if (mark == REEVE_REGISTRY_PLACED || !reeve_registry_is_usable (plugin))
    return;
  if (mark == REEVE_REGISTRY_OPEN)
    {
      reeve_registry_refuse_loop (plugin, placing->open);
      return;
    }
  g_hash_table_insert (placing->marks, plugin, GUINT_TO_POINTER (REEVE_REGISTRY_OPEN));
  g_ptr_array_add (placing->open, plugin);
  reeve_registry_place_all (self, reeve_manifest_get_run_after (plugin->manifest), placing);
  reeve_registry_place_all (self, reeve_manifest_get_requires (plugin->manifest), placing);
  g_ptr_array_set_size (placing->open, (int) placing->open->len - 1);
  g_hash_table_insert (placing->marks, plugin, GUINT_TO_POINTER (REEVE_REGISTRY_PLACED));
  if (reeve_registry_is_usable (plugin))
    g_ptr_array_add (placing->order, plugin);
}

void
reeve_registry_arrange (ReeveRegistry *self)
{
  g_autoptr (GHashTable) marks = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  g_autoptr (GPtrArray) order = g_ptr_array_new ();
  ReeveRegistryPlacing placing = { marks, open, order };

  reeve_registry_check_rules (self);
  for (guint i = 0; i < self->plugins->len; i++)
    reeve_registry_place (self, g_ptr_array_index (self->plugins, i), &placing);
  /* who required a plugin that turned out to stand in a loop */
  reeve_registry_check_rules (self);
  for (guint i = 0; i < self->plugins->len; i++)
    {
      ReeveRegistryPlugin *plugin = g_ptr_array_index (self->plugins, i);

      if (!reeve_registry_is_usable (plugin))
        {
          g_ptr_array_remove (order, plugin);
          g_ptr_array_add (order, plugin);
        }
    }
  for (guint i = 0; i < order->len; i++)
    self->plugins->pdata[i] = order->pdata[i];
}

/**
 * reeve_registry_scan:
 * @self: a registry
 *
 * Reads all manifests, refuses what cannot be used, each with its reason, and orders the rest.
 * Once, before the rest.
 */
void
reeve_registry_scan (ReeveRegistry *self)
{
  for (guint i = 0; self->folders[i] != NULL; i++)
    reeve_registry_scan_folder (self, self->folders[i]);
  reeve_registry_versions_choose (self);
  reeve_registry_arrange (self);
  reeve_registry_confined_choose (self);
}

/* Where plugins lie by default: the build tree's folder when the program runs from there. */
static const char *
reeve_registry_default_folder (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);

  return program != NULL && g_str_has_prefix (program, REEVE_BUILD_DIR "/") ? REEVE_BUILD_DIR
             "/plugins"
                                                                            : REEVE_PLUGIN_DIR;
}

/**
 * reeve_registry_find_folders:
 * @given: (nullable): folders that were asked for
 *
 * Returns: (transfer full): @given when there are any, else the default folder; then those that
 * the environment variable `REEVE_PLUGIN_PATH` adds, by colons
 */
char **
reeve_registry_find_folders (const char *const *given)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *path = g_getenv ("REEVE_PLUGIN_PATH");
  g_auto (GStrv) more = g_strsplit (path != NULL ? path : "", ":", -1);

  if (given == NULL || *given == NULL)
    g_strv_builder_add (builder, reeve_registry_default_folder ());
  else
    g_strv_builder_addv (builder, (const char **) given);
  for (guint i = 0; more[i] != NULL; i++)
    {
      if (*more[i] != '\0')
        g_strv_builder_add (builder, more[i]);
    }
  return g_strv_builder_end (builder);
}
