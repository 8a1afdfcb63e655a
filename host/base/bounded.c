/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread cannot be taken back: one that hangs is left to itself, with what it works on. It is
 * held by nothing, so that the end of the process does not wait for it either. */
#include "bounded.h"

#include <reeve-error.h>

struct _ReeveBounded
{
  gatomicrefcount refs;
  GMutex lock;
  GCond changed;
  gboolean done;
  gboolean given_up;
  gboolean good;
  GError *error;
  GCancellable *cancellable;
  ReeveBoundedFunc func;
  ReeveBoundedLateFunc late;
  gpointer data;
  GDestroyNotify destroy;
};

/**
 * reeve_bounded_new:
 * @func: what may hang
 * @late: (nullable): called on the thread of @func when that ends after nobody waits any more: to
 * undo what it did
 * @data: closure of both
 * @destroy: frees @data
 *
 * Returns: (transfer full): a call that was not made yet
 */
ReeveBounded *
reeve_bounded_new (ReeveBoundedFunc func, ReeveBoundedLateFunc late, gpointer data,
                   GDestroyNotify destroy)
{
  ReeveBounded *self = g_new0 (ReeveBounded, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->cancellable = g_cancellable_new ();
  self->func = func;
  self->late = late;
  self->data = data;
  self->destroy = destroy;
  return self;
}

/**
 * reeve_bounded_free:
 * @self: (transfer full): a call; what still runs keeps what it needs
 */
void
reeve_bounded_free (ReeveBounded *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  self->destroy (self->data);
  g_clear_error (&self->error);
  g_clear_object (&self->cancellable);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

static gpointer
reeve_bounded_perform (gpointer data)
{
  ReeveBounded *self = data;
  GError *error = NULL;
  gboolean good = self->func (self->data, self->cancellable, &error);
  gboolean late = FALSE;

  g_mutex_lock (&self->lock);
  self->good = good;
  self->error = error;
  self->done = TRUE;
  late = self->given_up;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  if (late && self->late != NULL)
    self->late (self->data, good);
  reeve_bounded_free (self);
  return NULL;
}

/**
 * reeve_bounded_run:
 * @self: a call that was not made yet
 * @name: of the thread, and in the error
 * @timeout_us: how long to wait, in microseconds
 * @error: return location: %REEVE_ERROR_TIMEOUT, or what the function said
 *
 * Makes the call and waits for its end, but no longer than @timeout_us. Blocks.
 *
 * Returns: what the function returned; %FALSE when it has not ended, and its closure must not be
 * looked at any more
 */
gboolean
reeve_bounded_run (ReeveBounded *self, const char *name, gint64 timeout_us, GError **error)
{
  gint64 end = g_get_monotonic_time () + timeout_us;
  gboolean done = FALSE;

  g_atomic_ref_count_inc (&self->refs);
  g_thread_unref (g_thread_new (name, reeve_bounded_perform, self));
  g_mutex_lock (&self->lock);
  while (!self->done && g_cond_wait_until (&self->changed, &self->lock, end))
    continue;
  done = self->done;
  self->given_up = !done;
  g_mutex_unlock (&self->lock);
  if (!done)
    {
      g_cancellable_cancel (self->cancellable);
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT, "%s has not ended after %.3g s", name,
                   (double) timeout_us / G_USEC_PER_SEC);
      return FALSE;
    }
  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return self->good;
}
