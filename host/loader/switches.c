/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file for each disabled plugin, `ID.disabled`: {"by", "since", "reason"}. First the file, then
 * what the process knows; one change at a time, and no lock meanwhile. */
#include "switches.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/times.h"

#define REEVE_SWITCHES_SUFFIX ".disabled"
/* one that is longer was not written by this */
#define REEVE_SWITCHES_MAX 16384

struct _ReeveSwitches
{
  gatomicrefcount references;
  char *folder; /* (nullable) */
  gint count;   /* atomic: of those that are off */
  GMutex lock;  /* all below */
  GCond changed;
  gboolean changing;
  GHashTable *entries; /* plugin id -> ReeveSwitchesEntry */
};

/**
 * reeve_switches_entry_free:
 * @entry: (transfer full): an entry
 */
void
reeve_switches_entry_free (ReeveSwitchesEntry *entry)
{
  g_free (entry->by);
  g_free (entry->since);
  g_free (entry->reason);
  g_free (entry);
}

static ReeveSwitchesEntry *
reeve_switches_entry_new (const char *by, const char *since, const char *reason)
{
  ReeveSwitchesEntry *entry = g_new0 (ReeveSwitchesEntry, 1);

  entry->by = g_strdup (by);
  entry->since = g_strdup (since);
  entry->reason = g_strdup (reason);
  return entry;
}

static void
reeve_switches_put (ReeveSwitches *self, const char *plugin_id, ReeveSwitchesEntry *entry)
{
  g_hash_table_replace (self->entries, g_strdup (plugin_id), entry);
  g_atomic_int_set (&self->count, (gint) g_hash_table_size (self->entries));
}

/* ---- the files ---- */

/* A file that cannot be read keeps its plugin disabled: somebody wanted that. */
static ReeveSwitchesEntry *
reeve_switches_read_one (const char *path)
{
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  gsize length = 0;
  JsonObject *object = NULL;

  if (g_file_get_contents (path, &text, &length, NULL) && length <= REEVE_SWITCHES_MAX)
    node = reeve_json_parse_strict (text, length, NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    {
      g_warning ("%s cannot be read; its plugin stays disabled", path);
      return reeve_switches_entry_new (NULL, NULL, NULL);
    }
  object = json_node_get_object (node);
  return reeve_switches_entry_new (reeve_json_get_string (object, "by", NULL),
                                   reeve_json_get_string (object, "since", NULL),
                                   reeve_json_get_string (object, "reason", NULL));
}

static void
reeve_switches_read (ReeveSwitches *self)
{
  g_autoptr (GDir) folder = g_dir_open (self->folder, 0, NULL);
  const char *name = NULL;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *path = NULL;
      g_autofree char *plugin_id = NULL;

      if (!g_str_has_suffix (name, REEVE_SWITCHES_SUFFIX))
        continue;
      path = g_build_filename (self->folder, name, NULL);
      plugin_id = g_strndup (name, strlen (name) - strlen (REEVE_SWITCHES_SUFFIX));
      reeve_switches_put (self, plugin_id, reeve_switches_read_one (path));
    }
}

static gboolean
reeve_switches_write (const char *path, const ReeveSwitchesEntry *entry, GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  JsonObject *object = json_object_new ();

  if (entry->by != NULL)
    json_object_set_string_member (object, "by", entry->by);
  json_object_set_string_member (object, "since", entry->since);
  if (entry->reason != NULL)
    json_object_set_string_member (object, "reason", entry->reason);
  json_node_take_object (node, object);
  text = reeve_json_canonical (node);
  return g_file_set_contents_full (
      path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

/* Gone, and gone after a power cut too. */
static gboolean
reeve_switches_erase (const char *folder, const char *path, GError **error)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean good = fd >= 0 && (unlink (path) == 0 || errno == ENOENT) && fsync (fd) == 0;
  int number = errno;

  if (fd >= 0)
    close (fd);
  if (!good)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "%s cannot be removed: %s", path,
                 g_strerror (number));
  return good;
}

/* @entry: (nullable): none from now on */
static gboolean
reeve_switches_keep (ReeveSwitches *self, const char *plugin_id, const ReeveSwitchesEntry *entry,
                     GError **error)
{
  g_autofree char *name = g_strconcat (plugin_id, REEVE_SWITCHES_SUFFIX, NULL);
  g_autofree char *path = self->folder != NULL ? g_build_filename (self->folder, name, NULL) : NULL;
  gboolean good = TRUE;

  if (path != NULL)
    good = entry != NULL ? reeve_switches_write (path, entry, error)
                         : reeve_switches_erase (self->folder, path, error);
  if (!good)
    g_prefix_error (error, "plugin %s stays as it was: ", plugin_id);
  return good;
}

/* ---- it ---- */

/**
 * reeve_switches_new:
 * @folder: (nullable): where it is kept
 *
 * Returns: (transfer full): with what is kept there
 */
ReeveSwitches *
reeve_switches_new (const char *folder)
{
  ReeveSwitches *self = g_new0 (ReeveSwitches, 1);

  g_atomic_ref_count_init (&self->references);
  self->folder = g_strdup (folder);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) reeve_switches_entry_free);
  if (folder != NULL)
    reeve_switches_read (self);
  return self;
}

ReeveSwitches *
reeve_switches_ref (ReeveSwitches *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * reeve_switches_unref:
 * @self: (transfer full): switches
 */
void
reeve_switches_unref (ReeveSwitches *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->entries);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->folder);
  g_free (self);
}

/**
 * reeve_switches_configure:
 * @self: switches
 * @plugin_id: a plugin that the configuration disables
 */
void
reeve_switches_configure (ReeveSwitches *self, const char *plugin_id)
{
  ReeveSwitchesEntry *entry = reeve_switches_entry_new (NULL, NULL, NULL);

  entry->configured = TRUE;
  reeve_switches_put (self, plugin_id, entry);
}

/* Waits for its turn. Returns whether there is anything to change; then the turn is to be ended. */
static gboolean
reeve_switches_begin (ReeveSwitches *self, const char *plugin_id, gboolean off, GError **error)
{
  const ReeveSwitchesEntry *entry = NULL;
  gboolean configured = FALSE;

  g_mutex_lock (&self->lock);
  while (self->changing)
    g_cond_wait (&self->changed, &self->lock);
  entry = g_hash_table_lookup (self->entries, plugin_id);
  configured = entry != NULL && entry->configured;
  self->changing = (entry != NULL) != off && !configured;
  off = !self->changing;
  g_mutex_unlock (&self->lock);
  if (configured)
    g_set_error (
        error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
        "plugin %s is disabled by plugins.disabled of the configuration; take it out there "
        "and start the host again",
        plugin_id);
  return !off;
}

/* (transfer full) entry: (nullable) */
static void
reeve_switches_end (ReeveSwitches *self, const char *plugin_id, gboolean good,
                    ReeveSwitchesEntry *entry)
{
  g_mutex_lock (&self->lock);
  if (good && entry != NULL)
    reeve_switches_put (self, plugin_id, g_steal_pointer (&entry));
  else if (good)
    g_hash_table_remove (self->entries, plugin_id);
  g_atomic_int_set (&self->count, (gint) g_hash_table_size (self->entries));
  self->changing = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&entry, reeve_switches_entry_free);
}

/**
 * reeve_switches_disable:
 * @self: switches
 * @plugin_id: of a plugin
 * @by: user id of who disables it
 * @reason: (nullable): why
 * @error: return location
 *
 * Returns: whether it is disabled, for good
 */
gboolean
reeve_switches_disable (ReeveSwitches *self, const char *plugin_id, const char *by,
                        const char *reason, GError **error)
{
  g_autofree char *now = reeve_times_format (reeve_times_now ());
  ReeveSwitchesEntry *entry = NULL;
  gboolean good = FALSE;

  /* who disabled it by the configuration wanted the same */
  if (!reeve_switches_begin (self, plugin_id, TRUE, NULL))
    return TRUE;
  entry = reeve_switches_entry_new (by, now, reason);
  good = reeve_switches_keep (self, plugin_id, entry, error);
  reeve_switches_end (self, plugin_id, good, entry);
  return good;
}

/**
 * reeve_switches_enable:
 * @self: switches
 * @plugin_id: of a plugin
 * @error: return location
 *
 * Returns: whether it is enabled, for good
 */
gboolean
reeve_switches_enable (ReeveSwitches *self, const char *plugin_id, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gboolean good = FALSE;

  if (!reeve_switches_begin (self, plugin_id, FALSE, &problem))
    {
      good = problem == NULL;
      if (problem != NULL)
        g_propagate_error (error, g_steal_pointer (&problem));
      return good;
    }
  good = reeve_switches_keep (self, plugin_id, NULL, error);
  reeve_switches_end (self, plugin_id, good, NULL);
  return good;
}

/* ---- asking ---- */

gboolean
reeve_switches_is_off (ReeveSwitches *self, const char *plugin_id)
{
  gboolean off = FALSE;

  if (g_atomic_int_get (&self->count) == 0)
    return FALSE;
  g_mutex_lock (&self->lock);
  off = g_hash_table_contains (self->entries, plugin_id);
  g_mutex_unlock (&self->lock);
  return off;
}

/**
 * reeve_switches_get:
 * @self: switches
 * @plugin_id: of a plugin
 *
 * Returns: (transfer full) (nullable): what switched it off
 */
ReeveSwitchesEntry *
reeve_switches_get (ReeveSwitches *self, const char *plugin_id)
{
  const ReeveSwitchesEntry *entry = NULL;
  ReeveSwitchesEntry *copy = NULL;

  if (g_atomic_int_get (&self->count) == 0)
    return NULL;
  g_mutex_lock (&self->lock);
  entry = g_hash_table_lookup (self->entries, plugin_id);
  if (entry != NULL)
    {
      copy = reeve_switches_entry_new (entry->by, entry->since, entry->reason);
      copy->configured = entry->configured;
    }
  g_mutex_unlock (&self->lock);
  return copy;
}

/**
 * reeve_switches_check:
 * @self: switches
 * @plugin_id: of a plugin
 * @error: return location for %REEVE_ERROR_UNAVAILABLE
 *
 * Returns: whether it may be called
 */
gboolean
reeve_switches_check (ReeveSwitches *self, const char *plugin_id, GError **error)
{
  g_autoptr (ReeveSwitchesEntry) entry = reeve_switches_get (self, plugin_id);
  g_autoptr (GString) text = NULL;

  if (entry == NULL)
    return TRUE;
  if (entry->configured)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                   "plugin %s is disabled by plugins.disabled of the configuration", plugin_id);
      return FALSE;
    }
  text = g_string_new (NULL);
  g_string_append_printf (text, "plugin %s is disabled", plugin_id);
  if (entry->since != NULL)
    g_string_append_printf (text, " since %s", entry->since);
  if (entry->by != NULL)
    g_string_append_printf (text, " by %s", entry->by);
  if (entry->reason != NULL)
    g_string_append_printf (text, ": %s", entry->reason);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
               "%s; `reevectl plugins enable %s` lets it be called again", text->str, plugin_id);
  return FALSE;
}
