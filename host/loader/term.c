/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whoever calls an instance first in a new process waits until it is set up there; the others wait
 * for him. */
#include "term.h"

#include <string.h>
#include <unistd.h>

#include "interpreter.h"
#include "manifest-offers.h"
#include "manifest-script.h"
#include "module.h"
#include "runner.h"
#include "wire-instance.h"

/* threads of a process that has a user or a user namespace of its own; other limits count all that
 * the host's user has */
#define REEVE_TERM_THREADS     64
#define REEVE_TERM_ALL_THREADS 4096
/* of a disk that plugins write on: the store and the ledger are there too */
#define REEVE_TERM_DISK_KEPT (256ull << 20)
#define REEVE_TERM_FILES     256
#define REEVE_TERM_FILE_SIZE (64 * 1024 * 1024)
/* looks at a call that was given up while it waits */
#define REEVE_TERM_LOOK_US (G_USEC_PER_SEC / 10)

struct _ReeveTerm
{
  gatomicrefcount references;
  ReeveConfined *confined;
  ReeveManifest *manifest;
  GCancellable *ending; /* (nullable) */
  ReeveWire *wire;
  GPid pid;
  guint number;
  RunnerLayers layers;
  ReevePluginLimits limits;
  ReeveRunnerFolder *folder; /* (nullable) on the disk, to write in */
  guint users;               /* the keeper's, under its lock */
  GMutex lock;
  GCond changed;
  GHashTable *instances; /* key -> ReevePlugin; NULL: somebody sets it up */
};

static void
reeve_term_unref_plugin (gpointer plugin)
{
  g_clear_object (&plugin);
}

/* What was loaded is what the manifest, which was granted and shown, speaks of. */
static gboolean
reeve_term_is_as_said (ReeveManifest *manifest, ReeveRunner *runner, GError **error)
{
  if (strcmp (reeve_runner_get_plugin_id (runner), reeve_manifest_get_id (manifest)) == 0
      && strcmp (reeve_runner_get_version (runner), reeve_manifest_get_version (manifest)) == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "descriptor: its id and version are \"%s\" %s, the manifest's \"%s\" %s",
               reeve_runner_get_plugin_id (runner), reeve_runner_get_version (runner),
               reeve_manifest_get_id (manifest), reeve_manifest_get_version (manifest));
  return FALSE;
}

/* In a user namespace of its own, as with a user of its own, only its own threads are counted. */
static guint32
reeve_term_get_threads (const ReeveTermPlugin *plugin, const ReevePluginLimits *limits)
{
  gboolean namespaced = plugin->policy.profile == RUNNER_LAYERS_PROFILE_HARDENED
                        && (plugin->policy.accept_weaker & RUNNER_LAYERS_USER_NAMESPACE) == 0;

  if (geteuid () != 0 && !namespaced)
    return REEVE_TERM_ALL_THREADS;
  return limits->threads != 0 ? limits->threads : REEVE_TERM_THREADS;
}

/* The library that its script is for; no word for a module. (out) @path: (transfer full) */
static gboolean
reeve_term_find_interpreter (const ReeveTermPlugin *plugin, char **path, GError **error)
{
  const char *word = reeve_manifest_get_interpreter (plugin->manifest);

  *path = word != NULL ? reeve_interpreter_find (word, error) : NULL;
  return word == NULL || *path != NULL;
}

/* One on the disk, for where the kernel has none: that an administrator accepted it is all that
 * there is to say for it. (out) @folder: (transfer full) (nullable) */
static gboolean
reeve_term_make_folder (ReeveConfined *confined, const ReeveTermPlugin *plugin, guint64 bytes,
                        ReeveRunnerFolder **folder, GError **error)
{
  const char *parent = reeve_confined_get_setup (confined)->scratch;

  *folder = NULL;
  if (bytes == 0 || parent == NULL || plugin->policy.profile != RUNNER_LAYERS_PROFILE_STRICT
      || (plugin->policy.accept_weaker & RUNNER_LAYERS_SCRATCH) == 0)
    return TRUE;
  *folder = reeve_runner_folder_new (parent, reeve_manifest_get_id (plugin->manifest), bytes,
                                     REEVE_TERM_DISK_KEPT, error);
  return *folder != NULL;
}

/* @limits: (out): what it has */
static ReeveRunner *
reeve_term_start (ReeveConfined *confined, const ReeveTermPlugin *plugin, ReevePluginLimits *limits,
                  gboolean *fell, GError **error)
{
  const ReeveConfinedSetup *with = reeve_confined_get_setup (confined);
  const char *const command[] = { with->runner, NULL };
  gboolean root = geteuid () == 0;
  g_autofree char *interpreter = NULL;
  g_autoptr (ReeveRunnerFolder) folder = NULL;
  ReeveRunnerSetup setup = {
    .command = command,
    .name = reeve_manifest_get_id (plugin->manifest),
    .profile = plugin->policy.profile,
    .accept_weaker = plugin->policy.accept_weaker,
    .uid = root ? plugin->uid : 0,
    .files = REEVE_TERM_FILES,
    .file_size = REEVE_TERM_FILE_SIZE,
    .wait_us = with->setup_us,
    .imports = reeve_manifest_get_imports (plugin->manifest),
    .version = reeve_manifest_get_version (plugin->manifest),
    .tcp = reeve_manifest_get_reason (plugin->manifest, "net.tcp") != NULL,
    .cancellable = plugin->ending,
    .fell = fell,
  };
  int module = reeve_term_find_interpreter (plugin, &interpreter, error)
                   ? reeve_module_open_pinned (plugin->manifest, plugin->pin, error)
                   : -1;
  ReeveRunner *runner = NULL;

  if (module < 0)
    return NULL;
  reeve_plugin_limits_find (plugin->capabilities, plugin->manifest, limits);
  setup.memory = limits->memory;
  setup.processes = reeve_term_get_threads (plugin, limits);
  setup.jit = limits->jit;
  setup.scratch = limits->scratch;
  /* what is full says so, before this limit ends the process */
  setup.file_size += limits->scratch;
  setup.interpreter = interpreter;
  setup.groups = reeve_confined_get_groups (confined);
  setup.threads = limits->threads != 0 ? limits->threads : REEVE_TERM_THREADS;
  setup.cpu = limits->cpu;
  setup.throttle = reeve_confined_get_throttle (confined);
  /* it was read to its end for its digest */
  lseek (module, 0, SEEK_SET);
  if (reeve_term_make_folder (confined, plugin, limits->scratch, &folder, error))
    {
      setup.folder = folder;
      runner = reeve_runner_new (reeve_confined_get_launcher (confined), &setup, module, error);
    }
  close (module);
  if (runner == NULL || reeve_term_is_as_said (plugin->manifest, runner, error))
    return runner;
  /* what it says there it says with code of the plugin's in it */
  if (fell != NULL)
    *fell = !g_cancellable_is_cancelled (plugin->ending);
  reeve_runner_free (runner);
  return NULL;
}

/* (transfer full) (nullable): @runner: (nullable) */
static ReeveRunnerFolder *
reeve_term_ref_folder (ReeveRunner *runner)
{
  ReeveRunnerFolder *folder = runner != NULL ? reeve_runner_get_folder (runner) : NULL;

  return folder != NULL ? reeve_runner_folder_ref (folder) : NULL;
}

/**
 * reeve_term_new:
 * @confined: what processes of plugins share
 * @plugin: which
 * @fell: (out) (nullable): the process ended, or had to be ended, in code of the plugin's before it
 *   said hello
 * @error: return location
 *
 * Returns: (transfer full) (nullable): its process
 */
ReeveTerm *
reeve_term_new (ReeveConfined *confined, const ReeveTermPlugin *plugin, gboolean *fell,
                GError **error)
{
  ReevePluginLimits limits = { 0 };
  ReeveWireHub *hub = reeve_confined_get_hub (confined, error);
  ReeveRunner *runner
      = hub != NULL ? reeve_term_start (confined, plugin, &limits, fell, error) : NULL;
  GPid pid = runner != NULL ? reeve_runner_get_pid (runner) : 0;
  RunnerLayers layers = runner != NULL ? reeve_runner_get_layers (runner) : 0;
  ReeveWireOpening opening = { 0 };
  g_autoptr (ReeveRunnerFolder) folder = reeve_term_ref_folder (runner);
  ReeveWire *wire = NULL;
  ReeveTerm *self = NULL;

  if (runner == NULL)
    return NULL;
  opening = (ReeveWireOpening){ .hello_us = reeve_confined_get_setup (confined)->setup_us,
                                .kept = limits.memory,
                                .cancellable = plugin->ending,
                                .fell = fell };
  wire = reeve_wire_new (hub, runner, &opening, error);
  if (wire == NULL)
    return NULL;
  reeve_wire_set_effects (wire, reeve_manifest_get_capabilities (plugin->manifest)[0] != NULL);
  self = g_new0 (ReeveTerm, 1);
  g_atomic_ref_count_init (&self->references);
  self->confined = reeve_confined_ref (confined);
  self->manifest = reeve_manifest_ref (plugin->manifest);
  self->ending = plugin->ending != NULL ? g_object_ref (plugin->ending) : NULL;
  self->wire = wire;
  self->pid = pid;
  self->number = reeve_confined_next_number (confined);
  self->layers = layers;
  self->limits = limits;
  self->folder = g_steal_pointer (&folder);
  if (self->folder != NULL)
    reeve_confined_watch (confined, reeve_runner_folder_look, self->folder);
  self->instances = g_hash_table_new_full (NULL, NULL, NULL, reeve_term_unref_plugin);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

ReeveTerm *
reeve_term_ref (ReeveTerm *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * reeve_term_unref:
 * @self: (transfer full): a term that was closed, at the last one
 */
void
reeve_term_unref (ReeveTerm *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->instances);
  reeve_wire_unref (self->wire);
  g_clear_pointer (&self->folder, reeve_runner_folder_unref);
  reeve_manifest_unref (self->manifest);
  g_clear_object (&self->ending);
  reeve_confined_unref (self->confined);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

/* ---- instances ---- */

/* What it says of itself is what its manifest says of it. */
static gboolean
reeve_term_check (ReeveTerm *self, ReevePlugin *plugin, ReeveContext *context, GError **error)
{
  g_autoptr (GPtrArray) tools = NULL;

  if (REEVE_IS_EXTRACTOR (plugin))
    return reeve_manifest_offers_check_media_types (
        self->manifest, reeve_extractor_media_types (REEVE_EXTRACTOR (plugin)), error);
  if (!REEVE_IS_TOOL (plugin) || reeve_manifest_offers_get_tools (self->manifest) == NULL)
    return TRUE;
  tools = reeve_tool_list (REEVE_TOOL (plugin), context, error);
  return tools != NULL && reeve_manifest_offers_check_tools (self->manifest, tools, error);
}

/* The first type that offers it, as in the host. */
static ReevePlugin *
reeve_term_make (ReeveTerm *self, ReeveWireKinds kind, GError **error)
{
  for (guint i = 0; i < reeve_wire_get_n_types (self->wire); i++)
    {
      if ((reeve_wire_get_type_kinds (self->wire, i) & kind) == kind)
        return reeve_wire_instance_new (self->wire, i);
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "plugin %s does not offer what it says",
               reeve_manifest_get_id (self->manifest));
  return NULL;
}

static ReevePlugin *
reeve_term_set_up (ReeveTerm *self, const ReeveTermInstance *instance, GError **error)
{
  const ReeveContextInfo info
      = { .struct_size = sizeof info,
          .deadline
          = g_get_monotonic_time () + reeve_confined_get_setup (self->confined)->setup_us };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, instance->broker, self->ending);
  g_autoptr (JsonNode) settings
      = reeve_json_parse_strict (instance->settings, strlen (instance->settings), error);
  g_autoptr (ReevePlugin) plugin
      = settings != NULL ? reeve_term_make (self, instance->kind, error) : NULL;

  if (plugin == NULL
      || !reeve_plugin_setup (plugin, json_node_get_object (settings), context, error)
      || (instance->plain && !reeve_term_check (self, plugin, context, error)))
    return NULL;
  return g_steal_pointer (&plugin);
}

/* Waits while another call sets it up, unless this one is given up. (out) @plugin: (transfer full)
 * (nullable): it is there. %NULL: the caller sets it up. */
static gboolean
reeve_term_find (ReeveTerm *self, gconstpointer key, ReeveContext *context, gpointer *plugin,
                 GError **error)
{
  gboolean good = TRUE;

  g_mutex_lock (&self->lock);
  while (good && g_hash_table_lookup_extended (self->instances, key, NULL, plugin)
         && *plugin == NULL)
    {
      g_cond_wait_until (&self->changed, &self->lock, g_get_monotonic_time () + REEVE_TERM_LOOK_US);
      good = context == NULL || reeve_context_check (context, error);
    }
  if (good && *plugin != NULL)
    g_object_ref (*plugin);
  else if (good)
    g_hash_table_insert (self->instances, (gpointer) key, NULL);
  g_mutex_unlock (&self->lock);
  return good;
}

/**
 * reeve_term_get_instance:
 * @self: a term
 * @instance: which
 * @context: (nullable): of a call that waits while another one sets it up
 * @error: return location, also for what its setup says
 *
 * Returns: (transfer full) (nullable): it, ready
 */
ReevePlugin *
reeve_term_get_instance (ReeveTerm *self, const ReeveTermInstance *instance, ReeveContext *context,
                         GError **error)
{
  gpointer plugin = NULL;

  if (!reeve_term_find (self, instance->key, context, &plugin, error))
    return NULL;
  if (plugin != NULL)
    return plugin;
  plugin = reeve_term_set_up (self, instance, error);
  g_mutex_lock (&self->lock);
  if (plugin != NULL)
    g_hash_table_insert (self->instances, (gpointer) instance->key, g_object_ref (plugin));
  else
    g_hash_table_remove (self->instances, instance->key);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return plugin;
}

/**
 * reeve_term_drop_instance:
 * @self: a term
 * @key: of an instance that nobody calls any more
 */
void
reeve_term_drop_instance (ReeveTerm *self, gconstpointer key)
{
  gpointer plugin = NULL;

  g_mutex_lock (&self->lock);
  g_hash_table_steal_extended (self->instances, key, NULL, &plugin);
  g_mutex_unlock (&self->lock);
  if (plugin == NULL)
    return;
  reeve_plugin_shutdown (plugin);
  g_object_unref (plugin);
}

gboolean
reeve_term_has_ended (ReeveTerm *self, GError **error)
{
  return reeve_wire_has_ended (self->wire, error);
}

/**
 * reeve_term_cut:
 * @self: a term that its caller is in
 */
void
reeve_term_cut (ReeveTerm *self)
{
  reeve_wire_cut (self->wire);
}

/**
 * reeve_term_close:
 * @self: a term without calls under way
 */
void
reeve_term_close (ReeveTerm *self)
{
  g_autofree gpointer *keys = NULL;
  guint n = 0;

  g_mutex_lock (&self->lock);
  keys = g_hash_table_get_keys_as_array (self->instances, &n);
  g_mutex_unlock (&self->lock);
  /* so that it can do what it does for its end, and no more */
  reeve_wire_refill_cpu (self->wire);
  /* of one that is gone nothing can be asked */
  for (guint i = 0; i < n && !reeve_term_has_ended (self, NULL); i++)
    reeve_term_drop_instance (self, keys[i]);
  reeve_wire_close (self->wire);
  if (self->folder != NULL)
    reeve_confined_unwatch (self->confined, self->folder);
}

GPid
reeve_term_get_pid (ReeveTerm *self)
{
  return self->pid;
}

guint
reeve_term_get_number (ReeveTerm *self)
{
  return self->number;
}

RunnerLayers
reeve_term_get_layers (ReeveTerm *self)
{
  return self->layers;
}

const ReevePluginLimits *
reeve_term_get_limits (ReeveTerm *self)
{
  return &self->limits;
}

void
reeve_term_enter (ReeveTerm *self)
{
  self->users++;
}

guint
reeve_term_leave (ReeveTerm *self)
{
  return --self->users;
}

guint
reeve_term_count (ReeveTerm *self)
{
  return self->users;
}
