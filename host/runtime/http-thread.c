/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread, one main context, one client. */
#include "http-thread.h"

#include "base/log-task.h"

struct _ReeveHttpThread
{
  const char *name;
  ReeveHttpTrust *trust;
  GMainContext *context;
  GMainLoop *loop;
  GMutex lock; /* guards what follows */
  GThread *thread;
  ReeveHttpClient *client;
  gboolean closed;
};

/**
 * reeve_http_thread_new:
 * @name: of the thread; lives as long as the process
 * @trust: certificates to trust
 *
 * Returns: (transfer full): no thread runs yet
 */
ReeveHttpThread *
reeve_http_thread_new (const char *name, ReeveHttpTrust *trust)
{
  ReeveHttpThread *self = g_new0 (ReeveHttpThread, 1);

  g_mutex_init (&self->lock);
  self->name = name;
  self->trust = reeve_http_trust_ref (trust);
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  return self;
}

static gpointer
reeve_http_thread_run (gpointer data)
{
  ReeveHttpThread *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  reeve_http_client_shutdown (self->client);
  /* what the shutdown left to be told */
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/**
 * reeve_http_thread_get_context:
 * @self: a thread
 *
 * Returns: (transfer none): what it serves
 */
GMainContext *
reeve_http_thread_get_context (ReeveHttpThread *self)
{
  return self->context;
}

/* Under the lock. */
static gboolean
reeve_http_thread_open (ReeveHttpThread *self, GError **error)
{
  if (self->closed)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the host is shutting down");
      return FALSE;
    }
  if (self->client == NULL)
    self->client = reeve_http_client_new (self->context, self->trust, error);
  if (self->client == NULL)
    return FALSE;
  if (self->thread == NULL)
    self->thread = g_thread_new (self->name, reeve_http_thread_run, self);
  return TRUE;
}

/**
 * reeve_http_thread_ref_client:
 * @self: a thread
 * @error: return location
 *
 * Returns: (transfer full) (nullable): its client, to be used on the thread alone; %NULL with
 * %REEVE_ERROR_CANCELLED after the shutdown
 */
ReeveHttpClient *
reeve_http_thread_ref_client (ReeveHttpThread *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return reeve_http_thread_open (self, error) ? g_object_ref (self->client) : NULL;
}

/**
 * reeve_http_thread_submit:
 * @self: a thread
 * @func: called on it
 * @data: for @func
 * @destroy: called with @data afterwards
 * @error: return location
 *
 * Under the lock, so that what gets in before the shutdown is seen by it.
 *
 * Returns: %FALSE with %REEVE_ERROR_CANCELLED after the shutdown
 */
gboolean
reeve_http_thread_submit (ReeveHttpThread *self, GSourceFunc func, gpointer data,
                          GDestroyNotify destroy, GError **error)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  g_autoptr (GMutexLocker) locker = NULL;

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  reeve_log_task_set_callback (source, func, data, destroy);
  locker = g_mutex_locker_new (&self->lock);
  if (!reeve_http_thread_open (self, error))
    return FALSE;
  g_source_attach (source, self->context);
  return TRUE;
}

/**
 * reeve_http_thread_shutdown:
 * @self: a thread
 *
 * Ends what is under way with %REEVE_ERROR_CANCELLED and refuses what comes. Twice is as once.
 */
void
reeve_http_thread_shutdown (ReeveHttpThread *self)
{
  GThread *thread = NULL;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  thread = g_steal_pointer (&self->thread);
  g_mutex_unlock (&self->lock);
  if (thread != NULL)
    {
      /* quitting before the loop runs would be lost: let the loop's own thread do it */
      g_autoptr (GSource) source = g_idle_source_new ();

      g_source_set_callback (source, G_SOURCE_FUNC (g_main_loop_quit), self->loop, NULL);
      g_source_attach (source, self->context);
      g_thread_join (thread);
    }
}

/**
 * reeve_http_thread_free:
 * @self: (transfer full): a thread that nobody can use any more
 */
void
reeve_http_thread_free (ReeveHttpThread *self)
{
  reeve_http_thread_shutdown (self);
  g_clear_object (&self->client);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_pointer (&self->trust, reeve_http_trust_unref);
  g_mutex_clear (&self->lock);
  g_free (self);
}
