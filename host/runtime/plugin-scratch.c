/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For a plugin in the host's process nobody holds the bound: it can write wherever the host can. */
#include "plugin-scratch.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "runner/runner-tree.h"
#include "loader/plugin-limits.h"
#include "runner/runner-plan.h"

struct _ReevePluginScratch
{
  ReeveRegistry *registry;
  ReeveCapabilities *capabilities;
  char *folder; /* holds one of each plugin in the host, with one of each call */
  gint last;    /* number of a folder */
};

static GQuark
reeve_plugin_scratch_quark (void)
{
  return g_quark_from_static_string ("reeve-plugin-scratch");
}

static void
reeve_plugin_scratch_clean (const char *folder)
{
  if (!runner_tree_remove (folder))
    g_warning ("%s is not removed: %s", folder, g_strerror (errno));
}

ReevePluginScratch *
reeve_plugin_scratch_new (const char *state, ReeveRegistry *registry)
{
  ReevePluginScratch *self = g_new0 (ReevePluginScratch, 1);

  self->registry = registry;
  self->folder = g_build_filename (state, "scratch", NULL);
  return self;
}

void
reeve_plugin_scratch_free (ReevePluginScratch *self)
{
  /* whoever still uses one is gone by the next start, which clears it away */
  g_rmdir (self->folder);
  g_free (self->folder);
  g_free (self);
}

/* ---- of a plugin in the host ---- */

/* On whatever thread the last reference to a context goes. */
static void
reeve_plugin_scratch_end (gpointer path)
{
  reeve_plugin_scratch_clean (path);
  g_free (path);
}

static gpointer
reeve_plugin_scratch_copy (gpointer path, gpointer user_data)
{
  return g_strdup (path);
}

/* A folder that nobody has; without a lock, for it is made on a disk. */
static char *
reeve_plugin_scratch_make_new (ReevePluginScratch *self, const char *plugin_id, GError **error)
{
  g_autofree char *name = g_strdup_printf ("call-%d", g_atomic_int_add (&self->last, 1) + 1);
  g_autofree char *path = g_build_filename (self->folder, plugin_id, name, NULL);

  if (g_mkdir_with_parents (path, 0700) == 0)
    return g_steal_pointer (&path);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "scratch: making %s: %s", path,
               g_strerror (errno));
  return NULL;
}

/* (transfer full) (nullable): a folder that is @context's call's own, the same as often as it asks
 */
static char *
reeve_plugin_scratch_make (ReevePluginScratch *self, const char *plugin_id, ReeveContext *context,
                           GError **error)
{
  GObject *object = G_OBJECT (context);
  GQuark quark = reeve_plugin_scratch_quark ();
  g_autofree char *path = g_object_dup_qdata (object, quark, reeve_plugin_scratch_copy, NULL);
  char *kept = NULL;

  if (path != NULL)
    return g_steal_pointer (&path);
  path = reeve_plugin_scratch_make_new (self, plugin_id, error);
  if (path == NULL)
    return NULL;
  kept = g_strdup (path);
  if (g_object_replace_qdata (object, quark, NULL, kept, reeve_plugin_scratch_end, NULL))
    return g_steal_pointer (&path);
  /* another thread of the call was first */
  reeve_plugin_scratch_end (kept);
  return g_object_dup_qdata (object, quark, reeve_plugin_scratch_copy, NULL);
}

/* ---- the capability ---- */

/* As the process was started, where the kernel has no folder for it. */
static gboolean
reeve_plugin_scratch_is_on_disk (const ReeveConfinedPolicy *policy)
{
  return policy->profile == RUNNER_LAYERS_PROFILE_STRICT
         && (policy->accept_weaker & RUNNER_LAYERS_SCRATCH) != 0;
}

/* (transfer full) (nullable): where the caller's process has it */
static char *
reeve_plugin_scratch_find (ReevePluginScratch *self, const ReeveCapabilityCaller *caller,
                           GError **error)
{
  g_autoptr (ReeveRegistryEntry) entry = reeve_registry_get (self->registry, caller->plugin_id);

  if (entry == NULL || !entry->confined)
    return reeve_plugin_scratch_make (self, caller->plugin_id, caller->context, error);
  if ((entry->keeper.layers & RUNNER_LAYERS_SCRATCH) != 0)
    return g_strdup (RUNNER_PLAN_SCRATCH);
  if (entry->keeper.scratch && reeve_plugin_scratch_is_on_disk (&entry->keeper.policy))
    return g_strdup (RUNNER_PLAN_FOLDER);
  if (entry->keeper.scratch)
    g_set_error (
        error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
        "scratch: its layer is missing: %s, or accept a folder on the disk, which the host "
        "alone bounds: plugins.accept_weaker: {%s: [scratch]}",
        runner_layers_get_remedy (RUNNER_LAYERS_SCRATCH), caller->plugin_id);
  else
    g_set_error (
        error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
        "scratch: the process of plugin %s, which serves all tenants, was started without: "
        "the next one has it where it is granted for all of them",
        caller->plugin_id);
  return NULL;
}

/* a ReeveCapabilityFunc */
static JsonNode *
reeve_plugin_scratch_perform (const ReeveCapabilityCaller *caller, JsonNode *params,
                              gpointer user_data, GError **error)
{
  ReevePluginScratch *self = user_data;
  g_autofree char *path = reeve_plugin_scratch_find (self, caller, error);
  ReevePluginLimits limits = { 0 };
  JsonObject *answer = NULL;
  JsonNode *node = NULL;

  if (path == NULL)
    return NULL;
  reeve_plugin_limits_find (self->capabilities, caller->manifest, &limits);
  answer = json_object_new ();
  json_object_set_string_member (answer, "path", path);
  json_object_set_int_member (answer, "bytes", (gint64) limits.scratch);
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (node, answer);
  return node;
}

/**
 * reeve_plugin_scratch_provide:
 * @self: folders; outlives @capabilities
 * @capabilities: what this host offers to plugins
 *
 * Offers `scratch`: {} -> {path, bytes}, see docs/plugin-guide.md.
 */
void
reeve_plugin_scratch_provide (ReevePluginScratch *self, ReeveCapabilities *capabilities)
{
  self->capabilities = capabilities;
  reeve_capabilities_provide (capabilities, "scratch", reeve_plugin_scratch_perform, self);
}
