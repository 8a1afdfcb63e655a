/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readiness is collected in the source's check, so that the sources of the sockets, whose own check
 * follows, are dispatched in the same turn of the loop. What was deferred runs in the prepare of
 * the next turn, before the loop sleeps: many writes to a socket become one. */
#include "poller.h"

#include <errno.h>
#include <reeve-error.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/turn.h"

typedef struct
{
  GSource source;
  ReeveRestPoller *poller;
} ReeveRestPollerSource;

struct _ReeveRestPoller
{
  int fd;
  ReeveTurn turn;
  gpointer tag;
  GSource *source;
  GPtrArray *deferred; /* (element-type ReeveRestPollerClient) */
  GPtrArray *working;  /* the same, being worked on */
};

static void
reeve_rest_poller_work (ReeveRestPoller *self)
{
  GPtrArray *list = self->deferred;

  self->deferred = self->working;
  self->working = list;
  for (guint i = 0; i < list->len; i++)
    {
      ReeveRestPollerClient *client = list->pdata[i];

      if (client == NULL)
        continue;
      client->deferred = FALSE;
      client->work (client);
    }
  g_ptr_array_set_size (list, 0);
}

static gboolean
reeve_rest_poller_prepare (GSource *source, gint *timeout)
{
  ReeveRestPoller *self = ((ReeveRestPollerSource *) source)->poller;

  while (self->deferred->len > 0)
    reeve_rest_poller_work (self);
  *timeout = -1;
  return FALSE;
}

static gboolean
reeve_rest_poller_check (GSource *source)
{
  ReeveRestPoller *self = ((ReeveRestPollerSource *) source)->poller;
  struct epoll_event events[REEVE_TURN_MOST];
  int n = 0;

  if (g_source_query_unix_fd (source, self->tag) == 0)
    return FALSE;
  n = epoll_wait (self->fd, events, reeve_turn_begin (&self->turn), 0);
  reeve_turn_end (&self->turn, n);
  for (int i = 0; i < n; i++)
    {
      ReeveRestPollerClient *client = events[i].data.ptr;

      client->notice (client, events[i].events);
    }
  return FALSE;
}

static gboolean
reeve_rest_poller_dispatch (GSource *source, GSourceFunc func, gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs reeve_rest_poller_funcs = {
  .prepare = reeve_rest_poller_prepare,
  .check = reeve_rest_poller_check,
  .dispatch = reeve_rest_poller_dispatch,
};

/**
 * reeve_rest_poller_new:
 * @context: whose sockets it watches; must not yet have sources that depend on it
 *
 * Returns: (transfer full): a poller, attached
 */
ReeveRestPoller *
reeve_rest_poller_new (GMainContext *context)
{
  ReeveRestPoller *self = g_new0 (ReeveRestPoller, 1);

  self->fd = epoll_create1 (EPOLL_CLOEXEC);
  if (self->fd < 0)
    g_error ("no epoll descriptor: %s", g_strerror (errno));
  self->deferred = g_ptr_array_new ();
  self->working = g_ptr_array_new ();
  self->source = g_source_new (&reeve_rest_poller_funcs, sizeof (ReeveRestPollerSource));
  ((ReeveRestPollerSource *) self->source)->poller = self;
  g_source_set_static_name (self->source, "reeve-rest-poller");
  self->tag = g_source_add_unix_fd (self->source, self->fd, G_IO_IN);
  /* GLib takes the descriptor of one that may not recurse out of the poll while it is dispatched,
   * and wakes the loop up, itself, for that and again for putting it back */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_attach (self->source, context);
  return self;
}

void
reeve_rest_poller_free (ReeveRestPoller *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  close (self->fd);
  g_ptr_array_unref (self->deferred);
  g_ptr_array_unref (self->working);
  g_free (self);
}

gboolean
reeve_rest_poller_add (ReeveRestPoller *self, int fd, guint32 events, ReeveRestPollerClient *client,
                       GError **error)
{
  struct epoll_event event = { .events = events, .data.ptr = client };

  if (epoll_ctl (self->fd, EPOLL_CTL_ADD, fd, &event) == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "watching a socket: %s",
               g_strerror (errno));
  return FALSE;
}

static void
reeve_rest_poller_forget (GPtrArray *list, ReeveRestPollerClient *client)
{
  for (guint i = 0; i < list->len; i++)
    if (list->pdata[i] == client)
      list->pdata[i] = NULL;
}

/**
 * reeve_rest_poller_remove:
 * @self: a poller
 * @fd: a socket
 * @client: its client; nothing of it is called any more
 */
void
reeve_rest_poller_remove (ReeveRestPoller *self, int fd, ReeveRestPollerClient *client)
{
  epoll_ctl (self->fd, EPOLL_CTL_DEL, fd, NULL);
  if (client->deferred)
    {
      reeve_rest_poller_forget (self->deferred, client);
      reeve_rest_poller_forget (self->working, client);
      client->deferred = FALSE;
    }
}

void
reeve_rest_poller_defer (ReeveRestPoller *self, ReeveRestPollerClient *client)
{
  if (client->deferred)
    return;
  client->deferred = TRUE;
  g_ptr_array_add (self->deferred, client);
}
