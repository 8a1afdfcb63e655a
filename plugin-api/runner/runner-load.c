/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads the very file that the host has hashed: it gave the descriptor, and no path is looked up
 * again. Constructors run here, confined. */
#include "runner-load.h"

#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>

#include "runner-root.h"

static gboolean
runner_load_refuse (RunnerReport *report, const char *reason)
{
  g_hash_table_insert (report->notes, g_strdup ("module"), g_strdup (reason));
  return FALSE;
}

static gboolean
runner_load_check (const ReevePluginDescriptor *descriptor, RunnerReport *report)
{
  if (descriptor == NULL)
    return runner_load_refuse (report, "exports no symbol " REEVE_PLUGIN_SYMBOL);
  if (descriptor->magic != REEVE_PLUGIN_MAGIC
      || descriptor->struct_size != sizeof (ReevePluginDescriptor))
    return runner_load_refuse (report, "descriptor: is none of this plugin interface");
  if (descriptor->abi_major != REEVE_API_MAJOR || descriptor->abi_minor > REEVE_API_MINOR)
    return runner_load_refuse (report,
                               "descriptor: made for another version of the plugin interface");
  for (guint i = 0; i < G_N_ELEMENTS (descriptor->reserved); i++)
    {
      if (descriptor->reserved[i] != NULL)
        return runner_load_refuse (report, "descriptor: a reserved member is not zero");
    }
  if (descriptor->id == NULL || descriptor->version == NULL || descriptor->query_types == NULL)
    return runner_load_refuse (report, "descriptor: id, version or query_types is missing");
  report->plugin_id = g_strdup (descriptor->id);
  report->version = g_strdup (descriptor->version);
  return TRUE;
}

static gboolean
runner_load_check_types (const ReevePluginDescriptor *descriptor, RunnerReport *report)
{
  const GType *types = descriptor->query_types ();

  if (types == NULL || types[0] == G_TYPE_INVALID)
    return runner_load_refuse (report, "offers no type");
  for (guint i = 0; types[i] != G_TYPE_INVALID; i++)
    {
      if (!g_type_is_a (types[i], REEVE_TYPE_PLUGIN))
        return runner_load_refuse (report, "offers a type that is no ReevePlugin");
    }
  return TRUE;
}

const ReevePluginDescriptor *
runner_load_module (int module_fd, RunnerReport *report)
{
  g_autofree char *name = (report->layers & RUNNER_LAYERS_ROOT) != 0
                              ? g_strdup (RUNNER_ROOT_MODULE)
                              : g_strdup_printf ("/proc/self/fd/%d", module_fd);
  const ReevePluginDescriptor *descriptor = NULL;
  void *module = dlopen (name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

  if (module == NULL)
    {
      runner_load_refuse (report, dlerror ());
      return NULL;
    }
  descriptor = dlsym (module, REEVE_PLUGIN_SYMBOL);
  return runner_load_check (descriptor, report) && runner_load_check_types (descriptor, report)
             ? descriptor
             : NULL;
}
