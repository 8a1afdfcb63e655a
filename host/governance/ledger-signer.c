/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing and packing are not the writer's: thousands of logs would keep records waiting. */
#include "ledger-signer.h"

struct _ReeveLedgerSigner
{
  ReeveLedgerSignerFunc func;
  gpointer user_data;
  GThread *thread;
  GMutex mutex;
  GCond cond;
  guint seconds;     /* under the mutex */
  gboolean stopping; /* under the mutex */
};

static gpointer
reeve_ledger_signer_main (gpointer data)
{
  ReeveLedgerSigner *self = data;

  /* what a crash left unsigned does not wait for its turn */
  self->func (self->user_data);
  g_mutex_lock (&self->mutex);
  while (!self->stopping)
    {
      gint64 due = g_get_monotonic_time () + self->seconds * G_TIME_SPAN_SECOND;

      /* woken: the interval has changed, or it is the end */
      if (g_cond_wait_until (&self->cond, &self->mutex, due))
        continue;
      g_mutex_unlock (&self->mutex);
      self->func (self->user_data);
      g_mutex_lock (&self->mutex);
    }
  g_mutex_unlock (&self->mutex);
  return NULL;
}

/**
 * reeve_ledger_signer_new:
 * @name: of the thread
 * @func: what to do, at once and then again and again
 * @user_data: for @func
 * @seconds: how often
 *
 * Returns: (transfer full): a signer, whose thread runs
 */
ReeveLedgerSigner *
reeve_ledger_signer_new (const char *name, ReeveLedgerSignerFunc func, gpointer user_data,
                         guint seconds)
{
  ReeveLedgerSigner *self = g_new0 (ReeveLedgerSigner, 1);

  self->func = func;
  self->user_data = user_data;
  self->seconds = MAX (seconds, 1);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  self->thread = g_thread_new (name, reeve_ledger_signer_main, self);
  return self;
}

/**
 * reeve_ledger_signer_free:
 * @self: a signer
 *
 * Waits for a call under way, then ends the thread.
 */
void
reeve_ledger_signer_free (ReeveLedgerSigner *self)
{
  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
  g_thread_join (self->thread);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/**
 * reeve_ledger_signer_set_seconds:
 * @self: a signer
 * @seconds: how often from now on
 */
void
reeve_ledger_signer_set_seconds (ReeveLedgerSigner *self, guint seconds)
{
  g_mutex_lock (&self->mutex);
  self->seconds = MAX (seconds, 1);
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
}
