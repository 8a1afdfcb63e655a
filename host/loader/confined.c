/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nothing of it costs a thread before the first process is started: many a host never does. */
#include "confined.h"

#include "confinement.h"

#include <string.h>
#include <unistd.h>

#include "base/cgroup.h"

#define REEVE_CONFINED_IDLE_US  (300 * G_USEC_PER_SEC)
#define REEVE_CONFINED_SETUP_US (30 * G_USEC_PER_SEC)
#define REEVE_CONFINED_SHARE    75

typedef struct
{
  ReeveConfinedTickFunc func;
  gpointer user_data;
  gint64 due;
} ReeveConfinedWatch;

struct _ReeveConfined
{
  gatomicrefcount references;
  guint numbers; /* atomic */
  ReeveConfinedSetup setup;
  char *runner;
  char *scratch;
  char *folder;
  char *cgroup;
  GHashTable *policies; /* id -> ReeveConfinedPolicy; written before threads */
  GMutex lock;          /* all below */
  GCond changed;
  gboolean opening; /* somebody makes launcher and hub */
  ReeveRunnerLauncher *launcher;
  ReeveWireHub *hub;
  ReeveThrottle *throttle;
  ReeveRunnerGroups *groups;
  GArray *watches;  /* ReeveConfinedWatch */
  gpointer ticking; /* user_data of the watch that is called now */
  GThread *thread;
  gboolean quit;
};

/**
 * reeve_confined_new:
 * @setup: how processes are started; strings are copied
 *
 * Returns: (transfer full): without any
 */
ReeveConfined *
reeve_confined_new (const ReeveConfinedSetup *setup)
{
  ReeveConfined *self = g_new0 (ReeveConfined, 1);

  g_atomic_ref_count_init (&self->references);
  self->setup = *setup;
  self->setup.runner = self->runner = reeve_confinement_find_runner (setup->runner);
  self->setup.folder = self->folder = g_strdup (setup->folder);
  self->setup.scratch = self->scratch = g_strdup (setup->scratch);
  self->setup.cgroup = self->cgroup = g_strdup (setup->cgroup);
  self->setup.switches = setup->switches != NULL ? reeve_switches_ref (setup->switches) : NULL;
  self->setup.idle_us = setup->idle_us != 0 ? setup->idle_us : REEVE_CONFINED_IDLE_US;
  self->setup.setup_us = setup->setup_us != 0 ? setup->setup_us : REEVE_CONFINED_SETUP_US;
  self->setup.cpu_share = setup->cpu_share != 0 ? setup->cpu_share : REEVE_CONFINED_SHARE;
  self->setup.first_uid = reeve_confinement_find_uid (
      setup->first_uid != 0 ? setup->first_uid : REEVE_CONFINEMENT_FIRST_UID);
  self->policies = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->watches = g_array_new (FALSE, FALSE, sizeof (ReeveConfinedWatch));
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

ReeveConfined *
reeve_confined_ref (ReeveConfined *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * reeve_confined_unref:
 * @self: (transfer full): at the last one no process is left
 */
void
reeve_confined_unref (ReeveConfined *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_mutex_lock (&self->lock);
  self->quit = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (self->thread != NULL)
    g_thread_join (self->thread);
  g_clear_pointer (&self->hub, reeve_wire_hub_unref);
  g_clear_pointer (&self->launcher, reeve_runner_launcher_unref);
  g_clear_pointer (&self->throttle, reeve_throttle_free);
  g_clear_pointer (&self->groups, reeve_runner_groups_free);
  g_clear_pointer (&self->setup.switches, reeve_switches_unref);
  g_array_unref (self->watches);
  g_hash_table_unref (self->policies);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->runner);
  g_free (self->folder);
  g_free (self->scratch);
  g_free (self->cgroup);
  g_free (self);
}

/**
 * reeve_confined_set_policy:
 * @self: what is shared
 * @plugin_id: of a plugin
 * @policy: what was decided for it
 */
void
reeve_confined_set_policy (ReeveConfined *self, const char *plugin_id,
                           const ReeveConfinedPolicy *policy)
{
  g_hash_table_replace (self->policies, g_strdup (plugin_id), g_memdup2 (policy, sizeof *policy));
}

/**
 * reeve_confined_get_policy:
 * @self: what is shared
 * @plugin_id: of a plugin
 *
 * Returns: what was decided for it, or `strict` with all it requires
 */
ReeveConfinedPolicy
reeve_confined_get_policy (ReeveConfined *self, const char *plugin_id)
{
  const ReeveConfinedPolicy *policy = g_hash_table_lookup (self->policies, plugin_id);

  return policy != NULL ? *policy
                        : (ReeveConfinedPolicy){ .profile = RUNNER_LAYERS_PROFILE_STRICT };
}

const ReeveConfinedSetup *
reeve_confined_get_setup (ReeveConfined *self)
{
  return &self->setup;
}

guint
reeve_confined_next_number (ReeveConfined *self)
{
  return g_atomic_int_add (&self->numbers, 1) + 1;
}

/* ---- who starts them, who speaks with them ---- */

/* One thread makes both, without the lock. FALSE: they are there. */
static gboolean
reeve_confined_begin_open (ReeveConfined *self)
{
  gboolean begun = FALSE;

  g_mutex_lock (&self->lock);
  while (self->opening)
    g_cond_wait (&self->changed, &self->lock);
  begun = self->opening = self->hub == NULL;
  g_mutex_unlock (&self->lock);
  return begun;
}

/* On the gate's thread: whose process it was finds out by itself. */
static void
reeve_confined_on_ended (gpointer data)
{
  reeve_confined_kick (data);
}

/**
 * reeve_confined_get_hub:
 * @self: what is shared
 * @error: return location for %REEVE_ERROR_FAILED
 *
 * Returns: (transfer none) (nullable): what connections share
 */
ReeveWireHub *
reeve_confined_get_hub (ReeveConfined *self, GError **error)
{
  ReeveWireHub *hub = NULL;
  ReeveRunnerLauncher *launcher = NULL;
  ReeveThrottle *throttle = NULL;
  ReeveRunnerGroups *groups = NULL;
  guint32 cpu = 0;

  if (!reeve_confined_begin_open (self))
    return self->hub;
  hub = reeve_wire_hub_new (error);
  if (hub != NULL)
    reeve_wire_hub_set_ended (hub, reeve_confined_on_ended, self);
  launcher = hub != NULL ? reeve_runner_launcher_new () : NULL;
  /* the rest is for the host and whoever asks it */
  cpu = MAX (reeve_cgroup_count_processors () * self->setup.cpu_share, 1);
  throttle = hub != NULL ? reeve_throttle_new (cpu) : NULL;
  groups = hub != NULL ? reeve_runner_groups_new (self->cgroup, cpu) : NULL;
  g_mutex_lock (&self->lock);
  self->hub = hub;
  self->launcher = launcher;
  self->throttle = throttle;
  self->groups = groups;
  self->opening = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return hub;
}

/**
 * reeve_confined_get_launcher:
 * @self: what is shared, with a hub
 *
 * Returns: (transfer none): starts processes
 */
ReeveRunnerLauncher *
reeve_confined_get_launcher (ReeveConfined *self)
{
  return self->launcher;
}

ReeveThrottle *
reeve_confined_get_throttle (ReeveConfined *self)
{
  return self->throttle;
}

ReeveRunnerGroups *
reeve_confined_get_groups (ReeveConfined *self)
{
  return self->groups;
}

/* ---- what is due ---- */

/* Under the lock: the first one that is due; else when the next is. */
static ReeveConfinedWatch *
reeve_confined_find_due (ReeveConfined *self, gint64 now, gint64 *next)
{
  *next = 0;
  for (guint i = 0; i < self->watches->len; i++)
    {
      ReeveConfinedWatch *watch = &g_array_index (self->watches, ReeveConfinedWatch, i);

      if (watch->due != 0 && watch->due <= now)
        return watch;
      if (watch->due != 0)
        *next = *next == 0 ? watch->due : MIN (*next, watch->due);
    }
  return NULL;
}

/* Under the lock. */
static void
reeve_confined_set_due (ReeveConfined *self, gpointer user_data, gint64 due)
{
  for (guint i = 0; i < self->watches->len; i++)
    {
      ReeveConfinedWatch *watch = &g_array_index (self->watches, ReeveConfinedWatch, i);

      /* somebody may have kicked it meanwhile */
      if (watch->user_data == user_data && watch->due == 0)
        watch->due = due;
    }
}

static gpointer
reeve_confined_main (gpointer data)
{
  ReeveConfined *self = data;

  g_mutex_lock (&self->lock);
  while (!self->quit)
    {
      gint64 next = 0;
      gint64 now = g_get_monotonic_time ();
      ReeveConfinedWatch *due = reeve_confined_find_due (self, now, &next);
      ReeveConfinedWatch watch = { 0 };

      if (due == NULL && next != 0)
        g_cond_wait_until (&self->changed, &self->lock, next);
      else if (due == NULL)
        g_cond_wait (&self->changed, &self->lock);
      if (due == NULL)
        continue;
      due->due = 0;
      watch = *due;
      self->ticking = watch.user_data;
      g_mutex_unlock (&self->lock);
      next = watch.func (watch.user_data, now);
      g_mutex_lock (&self->lock);
      self->ticking = NULL;
      reeve_confined_set_due (self, watch.user_data, next);
      g_cond_broadcast (&self->changed);
    }
  g_mutex_unlock (&self->lock);
  return NULL;
}

/**
 * reeve_confined_watch:
 * @self: what is shared
 * @func: called when it is due, at first when somebody kicks
 * @user_data: closure
 */
void
reeve_confined_watch (ReeveConfined *self, ReeveConfinedTickFunc func, gpointer user_data)
{
  const ReeveConfinedWatch watch = { .func = func, .user_data = user_data };

  g_mutex_lock (&self->lock);
  g_array_append_val (self->watches, watch);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_confined_unwatch:
 * @self: what is shared
 * @user_data: closure of a watch
 */
void
reeve_confined_unwatch (ReeveConfined *self, gpointer user_data)
{
  g_mutex_lock (&self->lock);
  for (guint i = self->watches->len; i > 0; i--)
    {
      if (g_array_index (self->watches, ReeveConfinedWatch, i - 1).user_data == user_data)
        g_array_remove_index (self->watches, i - 1);
    }
  while (self->ticking == user_data)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_confined_kick:
 * @self: what is shared
 *
 * Makes all that is watched due.
 */
void
reeve_confined_kick (ReeveConfined *self)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->watches->len; i++)
    g_array_index (self->watches, ReeveConfinedWatch, i).due = 1;
  /* without a hub there was no process as yet */
  if (self->thread == NULL && self->hub != NULL)
    self->thread = g_thread_new ("runners-idle", reeve_confined_main, self);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_confined_tell:
 * @self: what is shared
 * @plugin_id: of a plugin
 * @word: what happened
 * @reason: (nullable): why
 */
void
reeve_confined_tell (ReeveConfined *self, const char *plugin_id, const char *word,
                     const char *reason)
{
  if (self->setup.event != NULL)
    self->setup.event (plugin_id, word, reason, self->setup.user_data);
}

/* ---- quarantine: a file for each plugin, "module\nreason" ---- */

static char *
reeve_confined_get_path (ReeveConfined *self, const char *plugin_id)
{
  g_autofree char *name = g_strconcat (plugin_id, ".quarantine", NULL);

  return g_build_filename (self->folder, name, NULL);
}

/**
 * reeve_confined_read_quarantine:
 * @self: what is shared
 * @plugin_id: of a plugin
 * @module: digest of its module; another one is not quarantined
 *
 * Returns: (transfer full) (nullable): why it is quarantined
 */
char *
reeve_confined_read_quarantine (ReeveConfined *self, const char *plugin_id, const char *module)
{
  g_autofree char *path = self->folder != NULL ? reeve_confined_get_path (self, plugin_id) : NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) parts = NULL;

  if (path == NULL || !g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  parts = g_strsplit (text, "\n", 2);
  if (g_strv_length (parts) != 2 || strcmp (parts[0], module) != 0)
    return NULL;
  return g_utf8_make_valid (parts[1], -1);
}

/**
 * reeve_confined_write_quarantine:
 * @self: what is shared
 * @plugin_id: of a plugin
 * @module: digest of its module
 * @reason: (nullable): why; %NULL: it is lifted
 */
void
reeve_confined_write_quarantine (ReeveConfined *self, const char *plugin_id, const char *module,
                                 const char *reason)
{
  g_autofree char *path = self->folder != NULL ? reeve_confined_get_path (self, plugin_id) : NULL;
  g_autofree char *text = reason != NULL ? g_strdup_printf ("%s\n%s", module, reason) : NULL;
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return;
  if (text == NULL)
    unlink (path);
  else if (!g_file_set_contents_full (path, text, -1,
                                      G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                      0600, &error))
    g_warning ("plugin %s: its quarantine ends with this process: %s", plugin_id, error->message);
}
