/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What needs a main context is done on the thread that has one, while whoever asks waits. */
#include "plugin-calls-private.h"

#include "base/log-task.h"

static gboolean
reeve_plugin_calls_job_begin (gpointer data)
{
  ReevePluginJob *self = data;

  self->begin (self);
  return G_SOURCE_REMOVE;
}

/**
 * reeve_plugin_calls_job_run:
 * @self: a job
 * @error: return location
 *
 * Performs it on the thread, and waits for it. Not on the thread.
 *
 * Returns: %FALSE with what it failed with, or %REEVE_ERROR_CANCELLED
 */
gboolean
reeve_plugin_calls_job_run (ReevePluginJob *self, GError **error)
{
  ReevePluginCalls *calls = self->ask->calls;
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  reeve_log_task_set_callback (source, reeve_plugin_calls_job_begin, self, NULL);
  g_mutex_lock (&calls->lock);
  if (calls->closed)
    g_set_error_literal (&self->error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the host ends");
  else
    {
      if (calls->thread == NULL)
        calls->thread = g_thread_new ("plugin-calls", reeve_plugin_calls_work, calls);
      calls->jobs++;
      g_source_attach (source, calls->context);
      while (!self->done)
        g_cond_wait (&calls->changed, &calls->lock);
    }
  g_mutex_unlock (&calls->lock);
  if (self->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

/**
 * reeve_plugin_calls_job_done:
 * @self: a job; it is gone when this returns
 */
void
reeve_plugin_calls_job_done (ReevePluginJob *self)
{
  ReevePluginCalls *calls = self->ask->calls;

  g_mutex_lock (&calls->lock);
  self->done = TRUE;
  calls->jobs--;
  g_cond_broadcast (&calls->changed);
  g_mutex_unlock (&calls->lock);
}

static void
reeve_plugin_calls_job_on_admitted (GObject *source, GAsyncResult *result, gpointer data)
{
  ReevePluginJob *self = data;

  self->admitted = reeve_admission_begin_finish (REEVE_ADMISSION (source), result, &self->error);
  reeve_plugin_calls_job_done (self);
}

void
reeve_plugin_calls_job_admit (ReevePluginJob *self)
{
  reeve_admission_begin_async (self->ask->calls->admission, &self->ask->admission,
                               reeve_plugin_calls_job_on_admitted, self);
}
