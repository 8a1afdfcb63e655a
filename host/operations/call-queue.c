/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One wake of the context carries everything that came meanwhile. Each item holds one reference on
 * its owner. */
#include "call-queue.h"

struct _ReeveCallQueue
{
  GMainContext *context;
  ReeveCallQueueFunc func;
  GDestroyNotify release;
  gpointer user_data;
  GMutex lock;
  GQueue items;
  gboolean scheduled; /* a wake is on its way, or the context is delivering */
};

static void
reeve_call_queue_item_free (ReeveCallItem *item)
{
  g_free (item->event);
  g_clear_pointer (&item->data, json_node_unref);
  g_clear_pointer (&item->raw, g_bytes_unref);
  g_free (item);
}

/**
 * reeve_call_queue_new:
 * @context: (nullable): where items are delivered
 * @func: gets each item there
 * @release: ends one hold on @user_data, called after each delivery
 * @user_data: the owner
 *
 * Returns: (transfer full): an empty queue
 */
ReeveCallQueue *
reeve_call_queue_new (GMainContext *context, ReeveCallQueueFunc func, GDestroyNotify release,
                      gpointer user_data)
{
  ReeveCallQueue *self = g_new0 (ReeveCallQueue, 1);

  self->context = context != NULL ? g_main_context_ref (context)
                                  : g_main_context_ref (g_main_context_default ());
  self->func = func;
  self->release = release;
  self->user_data = user_data;
  g_mutex_init (&self->lock);
  g_queue_init (&self->items);
  return self;
}

void
reeve_call_queue_free (ReeveCallQueue *self)
{
  g_queue_clear_full (&self->items, (GDestroyNotify) reeve_call_queue_item_free);
  g_mutex_clear (&self->lock);
  g_main_context_unref (self->context);
  g_free (self);
}

static ReeveCallItem *
reeve_call_queue_next (ReeveCallQueue *self)
{
  ReeveCallItem *item = NULL;

  g_mutex_lock (&self->lock);
  item = g_queue_pop_head (&self->items);
  if (item == NULL)
    self->scheduled = FALSE;
  g_mutex_unlock (&self->lock);
  return item;
}

/* @held: the reference that this delivery lives on; self may be gone once it was released */
static gboolean
reeve_call_queue_deliver (gpointer data)
{
  ReeveCallQueue *self = data;
  GDestroyNotify release = self->release;
  gpointer owner = self->user_data;
  guint delivered = 0;
  ReeveCallItem *item = NULL;

  while ((item = reeve_call_queue_next (self)) != NULL)
    {
      self->func (item, owner);
      reeve_call_queue_item_free (item);
      delivered++;
    }
  for (; delivered > 0; delivered--)
    release (owner);
  return G_SOURCE_REMOVE;
}

/**
 * reeve_call_queue_push:
 * @self: a queue
 * @item: (transfer full): what to deliver; the caller holds the owner once for it
 *
 * Hands @item over to the queue's context, behind those pushed before.
 */
void
reeve_call_queue_push (ReeveCallQueue *self, ReeveCallItem *item)
{
  g_autoptr (GSource) source = NULL;
  gboolean wake = FALSE;

  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->items, item);
  wake = !self->scheduled;
  self->scheduled = TRUE;
  g_mutex_unlock (&self->lock);
  if (!wake)
    return;
  if (g_main_context_is_owner (self->context))
    {
      reeve_call_queue_deliver (self);
      return;
    }
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, reeve_call_queue_deliver, self, NULL);
  g_source_attach (source, self->context);
}
