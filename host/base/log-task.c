/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where nothing is bound nothing is wrapped: that costs nothing. */
#include "log-task.h"

typedef struct
{
  ReeveLogContext *context;
  GAsyncReadyCallback callback;
  gpointer user_data;
} ReeveLogTask;

typedef struct
{
  ReeveLogContext *context;
  GSourceFunc func;
  gpointer user_data;
  GDestroyNotify notify; /* (nullable) */
} ReeveLogTaskSource;

static void
reeve_log_task_called (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree ReeveLogTask *self = user_data;
  g_autoptr (ReeveLogContext) context = self->context;
  g_auto (ReeveLogScope) scope = reeve_log_scope (context);

  self->callback (source, result, self->user_data);
}

/**
 * reeve_log_task_new:
 * @source: (nullable): object that the task belongs to
 * @cancellable: (nullable): for the task
 * @callback: (nullable): called when it has ended, as of g_task_new(), within the context of the
 *   log that the calling thread has now
 * @user_data: for @callback
 *
 * Returns: (transfer full): a task
 */
GTask *
reeve_log_task_new (gpointer source, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  ReeveLogContext *context = callback != NULL ? reeve_log_save_context () : NULL;
  ReeveLogTask *self = NULL;

  if (context == NULL)
    return g_task_new (source, cancellable, callback, user_data);
  self = g_new (ReeveLogTask, 1);
  self->context = context;
  self->callback = callback;
  self->user_data = user_data;
  return g_task_new (source, cancellable, reeve_log_task_called, self);
}

static gboolean
reeve_log_task_source_called (gpointer user_data)
{
  ReeveLogTaskSource *self = user_data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->context);

  return self->func (self->user_data);
}

static void
reeve_log_task_source_free (gpointer data)
{
  ReeveLogTaskSource *self = data;

  if (self->notify != NULL)
    self->notify (self->user_data);
  reeve_log_context_unref (self->context);
  g_free (self);
}

/**
 * reeve_log_task_set_callback:
 * @source: a source of one of GLib's kinds whose function takes but its data
 * @func: called within the context of the log that the calling thread has now
 * @user_data: for @func
 * @notify: (nullable): frees it
 */
void
reeve_log_task_set_callback (GSource *source, GSourceFunc func, gpointer user_data,
                             GDestroyNotify notify)
{
  ReeveLogContext *context = reeve_log_save_context ();
  ReeveLogTaskSource *self = NULL;

  if (context == NULL)
    {
      g_source_set_callback (source, func, user_data, notify);
      return;
    }
  self = g_new (ReeveLogTaskSource, 1);
  self->context = context;
  self->func = func;
  self->user_data = user_data;
  self->notify = notify;
  g_source_set_callback (source, reeve_log_task_source_called, self, reeve_log_task_source_free);
}
