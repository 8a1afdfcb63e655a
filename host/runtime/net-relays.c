/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread, one main context, all relays. */
#include "net-relays.h"

#include <reeve-plugin-1.h>

struct _ReeveNetRelays
{
  GMainContext *context;
  GMainLoop *loop;
  GMutex lock; /* guards what follows */
  GThread *thread;
  gboolean closed;
  GHashTable *open; /* ReeveNetRelay: own references */
};

static gpointer
reeve_net_relays_run (gpointer data)
{
  ReeveNetRelays *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/**
 * reeve_net_relays_add:
 * @self: relays
 * @relay: one that begins
 * @source: of it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CANCELLED after the shutdown
 */
gboolean
reeve_net_relays_add (ReeveNetRelays *self, ReeveNetRelay *relay, GSource *source, GError **error)
{
  gboolean closed = FALSE;

  g_mutex_lock (&self->lock);
  closed = self->closed;
  if (!closed)
    {
      if (self->thread == NULL)
        self->thread = g_thread_new ("reeve-tcp", reeve_net_relays_run, self);
      g_hash_table_add (self->open, reeve_net_relay_ref (relay));
      g_source_attach (source, self->context);
    }
  g_mutex_unlock (&self->lock);
  if (closed)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the host is shutting down");
  return !closed;
}

void
reeve_net_relays_remove (ReeveNetRelays *self, ReeveNetRelay *relay)
{
  g_mutex_lock (&self->lock);
  g_hash_table_steal (self->open, relay);
  g_mutex_unlock (&self->lock);
  reeve_net_relay_unref (relay);
}

/**
 * reeve_net_relays_new:
 *
 * Returns: (transfer full): no thread runs before the first relay
 */
ReeveNetRelays *
reeve_net_relays_new (void)
{
  ReeveNetRelays *self = g_new0 (ReeveNetRelays, 1);

  g_mutex_init (&self->lock);
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->open = g_hash_table_new (NULL, NULL);
  return self;
}

/* On the thread: what was cut has its turn in the same round. */
static gboolean
reeve_net_relays_on_shutdown (gpointer data)
{
  ReeveNetRelays *self = data;
  gboolean empty = FALSE;

  g_mutex_lock (&self->lock);
  empty = g_hash_table_size (self->open) == 0;
  g_mutex_unlock (&self->lock);
  if (empty)
    g_main_loop_quit (self->loop);
  return !empty;
}

void
reeve_net_relays_shutdown (ReeveNetRelays *self)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  GThread *thread = NULL;
  GHashTableIter iter;
  gpointer relay = NULL;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  thread = g_steal_pointer (&self->thread);
  g_hash_table_iter_init (&iter, self->open);
  while (g_hash_table_iter_next (&iter, &relay, NULL))
    reeve_net_relay_cut (relay);
  g_mutex_unlock (&self->lock);
  if (thread == NULL)
    return;
  g_source_set_callback (source, reeve_net_relays_on_shutdown, self, NULL);
  g_source_attach (source, self->context);
  g_thread_join (thread);
}

void
reeve_net_relays_free (ReeveNetRelays *self)
{
  reeve_net_relays_shutdown (self);
  g_hash_table_unref (self->open);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_free (self);
}
