/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestPoller: all sockets of an API thread in one epoll descriptor, so that an idle connection
 * costs the others nothing. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ReeveRestPoller ReeveRestPoller;

/* Who is told of a socket's events; on the poller's thread. */
typedef struct _ReeveRestPollerClient ReeveRestPollerClient;

struct _ReeveRestPollerClient
{
  /* readiness changed; only takes notice: runs inside the main loop's check */
  void (*notice) (ReeveRestPollerClient *self, guint32 events);
  /* asked for by reeve_rest_poller_defer() */
  void (*work) (ReeveRestPollerClient *self);
  gboolean deferred;
};

ReeveRestPoller *reeve_rest_poller_new (GMainContext *context);
void reeve_rest_poller_free (ReeveRestPoller *self);
/* events: EPOLLIN, EPOLLET … */
gboolean reeve_rest_poller_add (ReeveRestPoller *self, int fd, guint32 events,
                                ReeveRestPollerClient *client, GError **error);
void reeve_rest_poller_remove (ReeveRestPoller *self, int fd, ReeveRestPollerClient *client);
/* Calls client->work once, before the loop waits again. */
void reeve_rest_poller_defer (ReeveRestPoller *self, ReeveRestPollerClient *client);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestPoller, reeve_rest_poller_free)

G_END_DECLS
