/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that leave on their own are joined by whoever comes next: theirs is only an exit. */
#include "crew.h"

#include <reeve-error.h>

/**
 * reeve_crew_init:
 * @self: to be set up
 * @name: of the threads; outlives them
 * @most: how many there are at most
 * @loop: what each does
 * @data: for @loop
 */
void
reeve_crew_init (ReeveCrew *self, const char *name, guint most, GThreadFunc loop, gpointer data)
{
  *self = (ReeveCrew){ .name = name, .most = most, .loop = loop, .data = data };
  self->gone = g_ptr_array_new ();
  g_cond_init (&self->left);
}

/**
 * reeve_crew_clear:
 * @self: a crew without threads
 */
void
reeve_crew_clear (ReeveCrew *self)
{
  g_clear_pointer (&self->gone, g_ptr_array_unref);
  g_cond_clear (&self->left);
}

/**
 * reeve_crew_call:
 * @self: a crew, its lock held
 * @waiting: how much waits already
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_BUSY when there is no thread and none can be made
 */
gboolean
reeve_crew_call (ReeveCrew *self, guint waiting, GError **error)
{
  g_autoptr (GError) local = NULL;
  GThread *thread = NULL;

  if (waiting < self->idle || self->threads >= self->most)
    return TRUE;
  thread = g_thread_try_new (self->name, self->loop, self->data, &local);
  if (thread == NULL && self->threads == 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "%s: %s", self->name, local->message);
      return FALSE;
    }
  self->threads += thread != NULL;
  return TRUE;
}

/**
 * reeve_crew_leave:
 * @self: the crew of the thread that calls, its lock held
 */
void
reeve_crew_leave (ReeveCrew *self)
{
  self->threads--;
  g_ptr_array_add (self->gone, g_thread_self ());
  g_cond_broadcast (&self->left);
}

/**
 * reeve_crew_take_gone:
 * @self: a crew, its lock held
 *
 * Returns: (transfer full) (nullable): for reeve_crew_join()
 */
GPtrArray *
reeve_crew_take_gone (ReeveCrew *self)
{
  GPtrArray *gone = self->gone;

  if (gone->len == 0)
    return NULL;
  self->gone = g_ptr_array_new ();
  return gone;
}

/**
 * reeve_crew_dismiss:
 * @self: a crew, its lock held, whose loops have been told to end
 * @lock: that lock
 *
 * Returns: (transfer full) (nullable): for reeve_crew_join()
 */
GPtrArray *
reeve_crew_dismiss (ReeveCrew *self, GMutex *lock)
{
  while (self->threads > 0)
    g_cond_wait (&self->left, lock);
  return reeve_crew_take_gone (self);
}

/**
 * reeve_crew_join:
 * @gone: (transfer full) (nullable): threads that have left
 */
void
reeve_crew_join (GPtrArray *gone)
{
  for (guint i = 0; gone != NULL && i < gone->len; i++)
    g_thread_join (gone->pdata[i]);
  g_clear_pointer (&gone, g_ptr_array_unref);
}
