/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first code of a plugin's types that runs: it may fail, lie or hang, and the host goes on. */
#include "registry-setup.h"

#include "base/bounded.h"

#include <string.h>

typedef struct
{
  GType type;
  JsonObject *settings;
  ReeveBroker *broker;
  gint64 deadline;
  ReevePlugin *plugin; /* once setup has succeeded */
} ReeveRegistrySetupJob;

static void
reeve_registry_setup_job_free (gpointer data)
{
  ReeveRegistrySetupJob *job = data;

  g_clear_pointer (&job->settings, json_object_unref);
  g_clear_object (&job->broker);
  g_clear_object (&job->plugin);
  g_free (job);
}

/* A class may have a constructor of its own, which hands out what it likes. */
static ReevePlugin *
reeve_registry_setup_make (GType type, GError **error)
{
  GObject *object = g_object_new (type, NULL);

  if (object != NULL && g_type_is_a (G_OBJECT_TYPE (object), type))
    return REEVE_PLUGIN (object);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "asked for a %s, it made %s",
               g_type_name (type), object != NULL ? G_OBJECT_TYPE_NAME (object) : "nothing");
  g_clear_object (&object);
  return NULL;
}

static gboolean
reeve_registry_setup_perform (gpointer data, GCancellable *cancellable, GError **error)
{
  ReeveRegistrySetupJob *job = data;
  const ReeveContextInfo info = { .struct_size = sizeof info, .deadline = job->deadline };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, job->broker, cancellable);
  g_autoptr (ReevePlugin) plugin = reeve_registry_setup_make (job->type, error);
  gboolean good = plugin != NULL && reeve_plugin_setup (plugin, job->settings, context, error);

  /* the plugin may keep them; counts of objects are not atomic: let go before the word is given */
  g_clear_pointer (&job->settings, json_object_unref);
  if (!good)
    return FALSE;
  job->plugin = g_steal_pointer (&plugin);
  return TRUE;
}

/* It got ready after all, but nobody wants it any more. */
static void
reeve_registry_setup_late (gpointer data, gboolean good)
{
  ReeveRegistrySetupJob *job = data;

  if (good)
    reeve_plugin_shutdown (job->plugin);
}

JsonObject *
reeve_registry_setup_copy (JsonObject *settings, GError **error)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), settings);
  g_autofree char *text = reeve_json_canonical (node);
  g_autoptr (JsonNode) copy = reeve_json_parse_strict (text, strlen (text), error);

  return copy != NULL ? json_node_dup_object (copy) : NULL;
}

ReevePlugin *
reeve_registry_setup_run (GType type, JsonObject *settings, ReeveBroker *broker, gint64 timeout_us,
                          GError **error)
{
  JsonObject *own = reeve_registry_setup_copy (settings, error);
  ReeveRegistrySetupJob *job = NULL;
  g_autoptr (ReeveBounded) call = NULL;

  if (own == NULL)
    return NULL;
  job = g_new0 (ReeveRegistrySetupJob, 1);
  job->type = type;
  job->settings = own;
  job->broker = g_object_ref (broker);
  job->deadline = g_get_monotonic_time () + timeout_us;
  call = reeve_bounded_new (reeve_registry_setup_perform, reeve_registry_setup_late, job,
                            reeve_registry_setup_job_free);
  return reeve_bounded_run (call, "setup", timeout_us, error) ? g_steal_pointer (&job->plugin)
                                                              : NULL;
}
