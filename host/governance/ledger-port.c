/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GTask that is returned from another thread attaches an idle source of its own and wakes its
 * context each time. Here the writer thread hands over a whole batch, wakes once by an eventfd, and
 * the tasks are returned from within the context, where GTask calls back at once. */
#include "ledger-port.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct
{
  GTask *task;
  guint64 seq;
  GError *error;
} ReeveLedgerPortItem;

struct _ReeveLedgerPort
{
  int references;
  int fd;
  GMainContext *context;
  GSource *source;
  GMutex mutex;
  GArray *items; /* ReeveLedgerPortItem: under the mutex */
};

static void
reeve_ledger_port_deliver (GArray *items)
{
  for (guint i = 0; i < items->len; i++)
    {
      ReeveLedgerPortItem *item = &g_array_index (items, ReeveLedgerPortItem, i);

      if (item->error != NULL)
        g_task_return_error (item->task, item->error);
      else
        g_task_return_int (item->task, (gssize) item->seq);
      g_object_unref (item->task);
    }
}

static gboolean
reeve_ledger_port_dispatch (int fd, GIOCondition condition, gpointer data)
{
  ReeveLedgerPort *self = reeve_ledger_port_ref (data);
  g_autoptr (GArray) items = NULL;
  guint64 count = 0;

  while (read (fd, &count, sizeof count) < 0 && errno == EINTR)
    continue;
  g_mutex_lock (&self->mutex);
  items = g_steal_pointer (&self->items);
  self->items = g_array_new (FALSE, FALSE, sizeof (ReeveLedgerPortItem));
  g_mutex_unlock (&self->mutex);
  reeve_ledger_port_deliver (items);
  reeve_ledger_port_unref (self);
  return G_SOURCE_CONTINUE;
}

/**
 * reeve_ledger_port_new:
 * @context: where answers go
 *
 * Returns: (transfer full): a port
 */
ReeveLedgerPort *
reeve_ledger_port_new (GMainContext *context)
{
  ReeveLedgerPort *self = g_new0 (ReeveLedgerPort, 1);

  self->references = 1;
  self->context = g_main_context_ref (context);
  self->fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->fd < 0)
    g_error ("no eventfd is to be had: %s", g_strerror (errno));
  g_mutex_init (&self->mutex);
  self->items = g_array_new (FALSE, FALSE, sizeof (ReeveLedgerPortItem));
  self->source = g_unix_fd_source_new (self->fd, G_IO_IN);
  /* it never does; but else each dispatch wakes the loop up twice, see g_source_set_can_recurse()
   */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_set_callback (self->source, G_SOURCE_FUNC (reeve_ledger_port_dispatch), self, NULL);
  g_source_set_static_name (self->source, "reeve-ledger");
  g_source_attach (self->source, context);
  return self;
}

/**
 * reeve_ledger_port_ref:
 * @self: a port
 *
 * Returns: (transfer full): @self
 */
ReeveLedgerPort *
reeve_ledger_port_ref (ReeveLedgerPort *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

/**
 * reeve_ledger_port_unref:
 * @self: a port
 */
void
reeve_ledger_port_unref (ReeveLedgerPort *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_array_unref (self->items);
  close (self->fd);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static gboolean
reeve_ledger_port_finish (gpointer data)
{
  ReeveLedgerPort *self = data;
  g_autoptr (GArray) items = NULL;

  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_mutex_lock (&self->mutex);
  items = g_steal_pointer (&self->items);
  self->items = g_array_new (FALSE, FALSE, sizeof (ReeveLedgerPortItem));
  g_mutex_unlock (&self->mutex);
  reeve_ledger_port_deliver (items);
  reeve_ledger_port_unref (self);
  return G_SOURCE_REMOVE;
}

/**
 * reeve_ledger_port_close:
 * @self: (transfer full): a port to which nothing is pushed any more
 *
 * Delivers what is left, in its context, and lets go of that.
 */
void
reeve_ledger_port_close (ReeveLedgerPort *self)
{
  g_autoptr (GSource) idle = g_idle_source_new ();

  g_source_set_priority (idle, G_PRIORITY_DEFAULT);
  g_source_set_callback (idle, reeve_ledger_port_finish, self, NULL);
  g_source_attach (idle, self->context);
}

/**
 * reeve_ledger_port_push:
 * @self: a port
 * @task: (transfer full): a task of its context
 * @seq: answer
 * @error: (transfer full) (nullable): or this
 *
 * Hands over an answer. Any thread.
 */
void
reeve_ledger_port_push (ReeveLedgerPort *self, GTask *task, guint64 seq, GError *error)
{
  ReeveLedgerPortItem item = { task, seq, error };

  g_mutex_lock (&self->mutex);
  g_array_append_val (self->items, item);
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_ledger_port_wake:
 * @self: a port
 *
 * Lets the context fetch what was pushed. Any thread.
 */
void
reeve_ledger_port_wake (ReeveLedgerPort *self)
{
  guint64 one = 1;

  while (write (self->fd, &one, sizeof one) < 0 && errno == EINTR)
    continue;
}
