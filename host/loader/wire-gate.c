/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* epoll(7). Passages belong to this thread; others ask it to take one, or to let one go. */
#include "wire-gate.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REEVE_WIRE_GATE_EVENTS 64

/* What another thread asks for, and waits for. */
typedef struct
{
  ReeveWirePassage *passage; /* (nullable): the end */
  gboolean remove;
  gboolean done;
} ReeveWireGateWish;

struct _ReeveWireGate
{
  GThread *thread;
  int epoll;
  int wake;
  GPtrArray *passages; /* the thread's own */
  GMutex lock;
  GCond granted;
  GQueue wishes;
};

static gboolean
reeve_wire_gate_grant (ReeveWireGate *self, ReeveWireGateWish *wish)
{
  g_autoptr (GError) error = NULL;

  if (wish->passage == NULL)
    return FALSE;
  if (wish->remove)
    {
      reeve_wire_passage_close (wish->passage);
      g_ptr_array_remove_fast (self->passages, wish->passage);
    }
  else
    {
      g_ptr_array_add (self->passages, reeve_wire_passage_ref (wish->passage));
      if (!reeve_wire_passage_watch (wish->passage, self->epoll, self->wake, &error))
        g_warning ("the wire of a runner: %s", error->message);
    }
  return TRUE;
}

/* FALSE: it is the end */
static gboolean
reeve_wire_gate_grant_all (ReeveWireGate *self)
{
  gboolean goes_on = TRUE;

  for (;;)
    {
      ReeveWireGateWish *wish = NULL;

      g_mutex_lock (&self->lock);
      wish = g_queue_pop_head (&self->wishes);
      g_mutex_unlock (&self->lock);
      if (wish == NULL)
        return goes_on;
      goes_on = reeve_wire_gate_grant (self, wish) && goes_on;
      g_mutex_lock (&self->lock);
      wish->done = TRUE;
      g_cond_broadcast (&self->granted);
      g_mutex_unlock (&self->lock);
    }
}

static int
reeve_wire_gate_get_wait (ReeveWireGate *self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < self->passages->len; i++)
    {
      gint64 due = reeve_wire_passage_get_due (g_ptr_array_index (self->passages, i));

      if (due != 0)
        next = MIN (next, due);
    }
  return next == G_MAXINT64 ? -1 : (int) CLAMP ((next - now + 999) / 1000, 0, 60000);
}

static gpointer
reeve_wire_gate_main (gpointer data)
{
  ReeveWireGate *self = data;
  struct epoll_event events[REEVE_WIRE_GATE_EVENTS];
  guint64 count = 0;

  do
    {
      gint64 begun = reeve_host_time_begin ();
      int ready = epoll_wait (self->epoll, events, REEVE_WIRE_GATE_EVENTS,
                              reeve_wire_gate_get_wait (self));
      gint64 now = g_get_monotonic_time ();

      for (int i = 0; i < ready; i++)
        {
          if (events[i].data.ptr != NULL)
            reeve_wire_passage_wake (events[i].data.ptr, events[i].events, &begun);
          else if (read (self->wake, &count, sizeof count) < 0)
            g_debug ("woken for nothing");
        }
      for (guint i = 0; i < self->passages->len; i++)
        reeve_wire_passage_tick (g_ptr_array_index (self->passages, i), now, &begun);
    }
  while (reeve_wire_gate_grant_all (self));
  return NULL;
}

ReeveWireGate *
reeve_wire_gate_new (GError **error)
{
  ReeveWireGate *self = g_new0 (ReeveWireGate, 1);
  struct epoll_event event = { .events = EPOLLIN };

  g_mutex_init (&self->lock);
  g_cond_init (&self->granted);
  g_queue_init (&self->wishes);
  self->passages = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_wire_passage_unref);
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->epoll >= 0 && self->wake >= 0
      && epoll_ctl (self->epoll, EPOLL_CTL_ADD, self->wake, &event) == 0)
    {
      self->thread = g_thread_new ("wires", reeve_wire_gate_main, self);
      return self;
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "epoll: %s", g_strerror (errno));
  reeve_wire_gate_free (self);
  return NULL;
}

void
reeve_wire_gate_wake (ReeveWireGate *self)
{
  const guint64 one = 1;

  if (write (self->wake, &one, sizeof one) != sizeof one)
    g_warning ("the thread of the wires is not woken: %s", g_strerror (errno));
}

static void
reeve_wire_gate_ask (ReeveWireGate *self, ReeveWireGateWish *wish)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->wishes, wish);
  g_mutex_unlock (&self->lock);
  reeve_wire_gate_wake (self);
  g_mutex_lock (&self->lock);
  while (!wish->done)
    g_cond_wait (&self->granted, &self->lock);
  g_mutex_unlock (&self->lock);
}

void
reeve_wire_gate_free (ReeveWireGate *self)
{
  ReeveWireGateWish wish = { 0 };

  if (self->thread != NULL)
    {
      reeve_wire_gate_ask (self, &wish);
      g_thread_join (self->thread);
    }
  if (self->epoll >= 0)
    close (self->epoll);
  if (self->wake >= 0)
    close (self->wake);
  g_ptr_array_unref (self->passages);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->granted);
  g_free (self);
}

void
reeve_wire_gate_add (ReeveWireGate *self, ReeveWirePassage *passage)
{
  ReeveWireGateWish wish = { .passage = passage };

  reeve_wire_gate_ask (self, &wish);
}

void
reeve_wire_gate_remove (ReeveWireGate *self, ReeveWirePassage *passage)
{
  ReeveWireGateWish wish = { .passage = passage, .remove = TRUE };

  reeve_wire_gate_ask (self, &wish);
}
