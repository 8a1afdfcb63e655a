/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of glib-sync about main contexts: what was done before a source was attached, or a task
 * returned, happens before its callback runs in the thread of the context. */

#include <gio/gio.h>

#include "glib-sync.h"

/* ---- callbacks of one argument ---- */

typedef struct
{
  GSourceFunc func;
  gpointer data;
  GDestroyNotify notify;
  GSource *source; /* attaching it comes after this was made */
} SyncCall;

static SyncCall *
sync_call_new (GSource *source, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  SyncCall *call = g_new0 (SyncCall, 1);

  call->source = source;
  call->func = func;
  call->data = data;
  call->notify = notify;
  sync_release (call);
  return call;
}

static gboolean
sync_call_run (gpointer user_data)
{
  SyncCall *call = user_data;

  sync_acquire (call);
  sync_acquire (call->source);
  return call->func (call->data);
}

static void
sync_call_free (gpointer user_data)
{
  SyncCall *call = user_data;

  sync_acquire (call);
  sync_acquire (call->source);
  if (call->notify != NULL)
    call->notify (call->data);
  g_free (call);
}

void
g_main_context_invoke_full (GMainContext *context, int priority, GSourceFunc func, gpointer data,
                            GDestroyNotify notify)
{
  REAL (g_main_context_invoke_full)
  (context, priority, sync_call_run, sync_call_new (NULL, func, data, notify), sync_call_free);
}

void
g_main_context_invoke (GMainContext *context, GSourceFunc func, gpointer data)
{
  g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, func, data, NULL);
}

guint
g_idle_add_full (int priority, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  return REAL (g_idle_add_full) (priority, sync_call_run, sync_call_new (NULL, func, data, notify),
                                 sync_call_free);
}

guint
g_timeout_add_full (int priority, guint interval, GSourceFunc func, gpointer data,
                    GDestroyNotify notify)
{
  return REAL (g_timeout_add_full) (priority, interval, sync_call_run,
                                    sync_call_new (NULL, func, data, notify), sync_call_free);
}

void
g_source_set_callback (GSource *source, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  if (func == NULL
      || (source->source_funcs != &g_idle_funcs && source->source_funcs != &g_timeout_funcs))
    REAL (g_source_set_callback) (source, func, data, notify);
  else
    REAL (g_source_set_callback)
  (source, sync_call_run, sync_call_new (source, func, data, notify), sync_call_free);
}

/* ---- sources of our own: every function of theirs sees what was done before attach or
 * set_ready_time ---- */

typedef struct
{
  GSourceFuncs funcs;
  GSourceFuncs *real;
} SyncFuncs;

static GSourceFuncs *
sync_funcs_of (GSource *source)
{
  sync_acquire (source);
  return ((SyncFuncs *) source->source_funcs)->real;
}

static gboolean
sync_funcs_prepare (GSource *source, int *timeout)
{
  return sync_funcs_of (source)->prepare (source, timeout);
}

static gboolean
sync_funcs_check (GSource *source)
{
  return sync_funcs_of (source)->check (source);
}

static gboolean
sync_funcs_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return sync_funcs_of (source)->dispatch (source, callback, user_data);
}

/* The table must outlive the source, which GLib frees after this: a few bytes each stay. */
static void
sync_funcs_finalize (GSource *source)
{
  sync_funcs_of (source)->finalize (source);
}

GSource *
g_source_new (GSourceFuncs *funcs, guint size)
{
  SyncFuncs *sync = g_new0 (SyncFuncs, 1);

  sync->real = funcs;
  sync->funcs = *funcs; /* what belongs to closures is no function of the source */
  sync->funcs.prepare = funcs->prepare != NULL ? sync_funcs_prepare : NULL;
  sync->funcs.check = funcs->check != NULL ? sync_funcs_check : NULL;
  sync->funcs.dispatch = sync_funcs_dispatch;
  sync->funcs.finalize = funcs->finalize != NULL ? sync_funcs_finalize : NULL;
  return REAL (g_source_new) (&sync->funcs, size);
}

guint
g_source_attach (GSource *source, GMainContext *context)
{
  sync_release (source);
  return REAL (g_source_attach) (source, context);
}

void
g_source_set_ready_time (GSource *source, gint64 ready_time)
{
  sync_release (source);
  REAL (g_source_set_ready_time) (source, ready_time);
}

/* ---- tasks ---- */

typedef struct
{
  GAsyncReadyCallback callback;
  gpointer data;
} SyncReady;

static void
sync_ready_run (GObject *object, GAsyncResult *result, gpointer user_data)
{
  SyncReady *ready = user_data;
  SyncReady copy = *ready;

  sync_acquire (result);
  g_free (ready);
  copy.callback (object, result, copy.data);
}

GTask *(g_task_new) (gpointer object, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer data)
{
  SyncReady *ready = NULL;

  if (callback == NULL)
    return REAL (g_task_new) (object, cancellable, NULL, data);
  ready = g_new0 (SyncReady, 1);
  ready->callback = callback;
  ready->data = data;
  return REAL (g_task_new) (object, cancellable, sync_ready_run, ready);
}

#define SYNC_RETURN(name, type)                                                                    \
  void name (GTask *task, type x)                                                                  \
  {                                                                                                \
    sync_release (task);                                                                           \
    REAL (name) (task, x);                                                                         \
  }

SYNC_RETURN (g_task_return_boolean, gboolean)
SYNC_RETURN (g_task_return_int, gssize)
SYNC_RETURN (g_task_return_error, GError *)

void
g_task_return_pointer (GTask *task, gpointer result, GDestroyNotify destroy)
{
  sync_release (task);
  REAL (g_task_return_pointer) (task, result, destroy);
}

gboolean
g_task_return_error_if_cancelled (GTask *task)
{
  sync_release (task);
  return REAL (g_task_return_error_if_cancelled) (task);
}

void
g_task_return_new_error (GTask *task, GQuark domain, int code, const char *format, ...)
{
  va_list args;
  GError *error;

  va_start (args, format);
  error = g_error_new_valist (domain, code, format, args);
  va_end (args);
  g_task_return_error (task, error);
}

static GQuark
sync_thread_quark (void)
{
  return g_quark_from_static_string ("reeve-sync-thread");
}

static void
sync_thread_run (GTask *task, gpointer object, gpointer data, GCancellable *cancellable)
{
  GTaskThreadFunc func = g_object_get_qdata (G_OBJECT (task), sync_thread_quark ());

  sync_acquire (task);
  func (task, object, data, cancellable);
}

void
g_task_run_in_thread (GTask *task, GTaskThreadFunc func)
{
  g_object_set_qdata (G_OBJECT (task), sync_thread_quark (), func);
  sync_release (task);
  REAL (g_task_run_in_thread) (task, sync_thread_run);
}
