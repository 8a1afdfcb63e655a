/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same walk counts what is there, which the first write of a plugin needs to know. A host does
 * not wait for it: a folder may hold ten thousand files, on a disk that sleeps. */
#include "plugin-files-sweep.h"

struct _ReevePluginFilesSweep
{
  ReevePluginFilesSum *sum;
  char *reserved;
  char **folders;
  GCancellable *over;
  GThread *thread;
};

/* Whoever wrote a part ten seconds ago may write it still: those go with what is written next. */
static void
reeve_plugin_files_sweep_one (ReevePluginFilesSweep *self, const char *path,
                              const ReeveCapabilityCaller *caller)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReevePluginFolder) folder = reeve_plugin_folder_new (path, self->reserved, &error);
  ReevePluginFilesAmount now = { 0 };

  if (folder == NULL
      || !reeve_plugin_files_sum_get (self->sum, folder, path, caller, TRUE, &now, &error))
    g_debug ("%s is not looked through: %s", path, error->message);
}

static gpointer
reeve_plugin_files_sweep_run (gpointer data)
{
  ReevePluginFilesSweep *self = data;
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, self->over);
  const ReeveCapabilityCaller caller = { .plugin_id = "", .context = context };

  for (guint i = 0; self->folders[i] != NULL && !g_cancellable_is_cancelled (self->over); i++)
    reeve_plugin_files_sweep_one (self, self->folders[i], &caller);
  return NULL;
}

ReevePluginFilesSweep *
reeve_plugin_files_sweep_new (ReevePluginFilesSum *sum, const char *reserved,
                              const char *const *folders)
{
  ReevePluginFilesSweep *self = g_new0 (ReevePluginFilesSweep, 1);

  self->sum = sum;
  self->reserved = g_strdup (reserved);
  self->folders = g_strdupv ((char **) folders);
  self->over = g_cancellable_new ();
  self->thread = g_thread_new ("files-sweep", reeve_plugin_files_sweep_run, self);
  return self;
}

void
reeve_plugin_files_sweep_free (ReevePluginFilesSweep *self)
{
  g_cancellable_cancel (self->over);
  g_thread_join (self->thread);
  g_object_unref (self->over);
  g_strfreev (self->folders);
  g_free (self->reserved);
  g_free (self);
}
