/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHttpCall: one request under way in a ReeveHttpClient: its bytes, its deadlines, what has
 * happened so far. */
#pragma once

#include "base/log.h"
#include "http-connection.h"
#include "upstream.h"

G_BEGIN_DECLS

/* longest body that is sent */
#define REEVE_HTTP_CALL_MAX_REQUEST ((gsize) 128 * 1024 * 1024)

typedef struct
{
  ReeveUpstreamCall base;
  ReeveHttpRequest *request;
  const ReeveUpstreamHandlers *handlers;
  gpointer user_data;
  ReeveUpstreamOptions options; /* every member set; addresses and trust are references */
  gpointer origin;
  ReeveHttpConnection *connection; /* (nullable) */
  GBytes *head;
  gboolean without_body;
  gboolean got_head;
  gboolean paused;
  gboolean warm;    /* of nobody: wants a connection, and leaves it to the next one */
  gboolean waiting; /* stands in its origin's queue */
  gboolean ended;   /* done() was or is being called, or it was cancelled */
  guint next_address;
  guint replacements; /* stale connections replaced */
  gint64 started;
  gint64 deadline;         /* of the present phase */
  gint64 total_deadline;   /* of all */
  gint64 attempt_deadline; /* of connecting to one of several addresses; 0 for none */
  gboolean fresh;          /* only a connection made for it will do */
  GError *error;           /* last failure, while something else is tried */
  ReeveLogContext *log;    /* (nullable): of who asks; handlers are called within it */
  GList link;              /* in the client's list of calls */
  GList queue_link;        /* in its origin's queue */
} ReeveHttpCall;

ReeveHttpCall *reeve_http_call_new (ReeveUpstream *upstream, ReeveHttpRequest *request,
                                    const ReeveUpstreamOptions *options,
                                    const ReeveUpstreamHandlers *handlers, gpointer user_data);
void reeve_http_call_free (ReeveHttpCall *self);
gboolean reeve_http_call_build (ReeveHttpCall *self, const char *target, GError **error);
gboolean reeve_http_call_accepts (ReeveHttpCall *self, GInetAddress *peer);
gint64 reeve_http_call_get_deadline (ReeveHttpCall *self);
void reeve_http_call_begin_phase (ReeveHttpCall *self, gint64 now);
GError *reeve_http_call_timed_out (ReeveHttpCall *self, gint64 now);

G_END_DECLS
