/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHttpPool: the calls of one client and the connections they travel on: which call goes where,
 * and what a failure means for it. Driven by ReeveHttpClient, which owns it; one thread. */
#pragma once

#include "http-origin.h"
#include "http-place.h"

G_BEGIN_DECLS

typedef struct
{
  GObject *owner; /* the client; not owned */
  GMainContext *context;
  int epoll;
  ReeveHttpTrust *trust;
  GCancellable *cancellable;
  GHashTable *origins; /* key -> ReeveHttpOrigin */
  GHashTable *places;  /* URL -> ReeveHttpPlace */
  GQueue calls;        /* all that have not ended */
  GQueue ready;        /* connections that want to go on without an event */
  GQueue deferred;     /* calls whose error is told from the loop */
  GPtrArray *dead_connections;
  GPtrArray *dead_calls;
  guint8 *buffer;
  gint64 next_deadline; /* monotonic time of the next tick */
  guint max_connections;
  guint max_waiting;
  guint keep_ms;
  gboolean closed;
} ReeveHttpPool;

void reeve_http_pool_init (ReeveHttpPool *self, GObject *owner);
void reeve_http_pool_clear (ReeveHttpPool *self);
void reeve_http_pool_lower (ReeveHttpPool *self, gint64 deadline);
void reeve_http_pool_complete (ReeveHttpPool *self, ReeveHttpCall *call, const GError *error);
void reeve_http_pool_defer (ReeveHttpPool *self, ReeveHttpCall *call, GError *error);
void reeve_http_pool_drop (ReeveHttpPool *self, ReeveHttpConnection *connection);
void reeve_http_pool_drop_idle (ReeveHttpPool *self, gint64 now);
void reeve_http_pool_pump (ReeveHttpPool *self, ReeveHttpOrigin *origin);
void reeve_http_pool_open (ReeveHttpPool *self, ReeveHttpCall *call);
void reeve_http_pool_place (ReeveHttpPool *self, ReeveHttpCall *call);

G_END_DECLS
