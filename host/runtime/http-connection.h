/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHttpConnection: one socket to one upstream server, plain or TLS, with at most one request
 * under way.
 *
 * It registers itself edge-triggered in the client's epoll set and is driven by
 * reeve_http_connection_handle(). It calls its handlers only from there, never from send(). Within
 * a handler it may be closed but not freed: its owner frees it when no function of it is on the
 * stack.
 */
#pragma once

#include <gio/gio.h>

#include "http-reader.h"
#include "http-tls.h"

G_BEGIN_DECLS

#define REEVE_HTTP_CONNECTION_BUFFER (64 * 1024)

typedef struct _ReeveHttpConnection ReeveHttpConnection;

typedef enum
{
  REEVE_HTTP_CONNECTION_CONNECTING,
  REEVE_HTTP_CONNECTION_HANDSHAKE,
  REEVE_HTTP_CONNECTION_IDLE,
  REEVE_HTTP_CONNECTION_BUSY,
  REEVE_HTTP_CONNECTION_CLOSED
} ReeveHttpConnectionState;

typedef struct
{
  /* it is connected and idle; also called in the state CLOSED with an error when that failed */
  void (*ready) (ReeveHttpConnection *self, const GError *error, gpointer user_data);
  void (*head) (ReeveHttpConnection *self, ReeveHttpResponse *head, gpointer user_data);
  void (*data) (ReeveHttpConnection *self, const guint8 *data, gsize length, gpointer user_data);
  /* the response is complete, or failed with an error; state IDLE when it can be used again, else
   * CLOSED */
  void (*finished) (ReeveHttpConnection *self, const GError *error, gpointer user_data);
  /* the peer closed it while it was idle; state CLOSED */
  void (*lost) (ReeveHttpConnection *self, gpointer user_data);
  /* it wants reeve_http_connection_handle() to be called again soon, without an event */
  void (*again) (ReeveHttpConnection *self, gpointer user_data);
  /* bytes were written or read: the clock of its deadlines starts anew */
  void (*alive) (ReeveHttpConnection *self, gpointer user_data);
} ReeveHttpConnectionHandlers;

/* Visible to the client and its pool. */
struct _ReeveHttpConnection
{
  ReeveHttpConnectionState state;
  GInetAddress *peer;
  gpointer owner;    /* the call under way */
  gpointer pool;     /* the origin it belongs to */
  gint64 idle_until; /* while idle: when it is closed */
  gboolean queued;   /* stands in the client's list of those that want to go on */
  GList link;        /* in the pool's list of idle ones */
  gboolean pooled;   /* stands in the pool's list of idle ones */
  gboolean reused;   /* has carried a request before */
  gboolean written;  /* any byte of the present request was (or may have been) written */
};

ReeveHttpConnection *reeve_http_connection_new (int epoll, GInetAddress *address, guint16 port,
                                                guint8 *buffer,
                                                const ReeveHttpConnectionHandlers *handlers,
                                                gpointer user_data, GError **error);
void reeve_http_connection_free (ReeveHttpConnection *self);
void reeve_http_connection_use_tls (ReeveHttpConnection *self, ReeveHttpTrust *trust,
                                    const char *host);
void reeve_http_connection_send (ReeveHttpConnection *self, GBytes *head, GBytes *body,
                                 gboolean without_body, gsize max_body);
void reeve_http_connection_handle (ReeveHttpConnection *self, guint32 events);
gboolean reeve_http_connection_is_usable (ReeveHttpConnection *self);
void reeve_http_connection_set_paused (ReeveHttpConnection *self, gboolean paused);
gboolean reeve_http_connection_has_answer (ReeveHttpConnection *self);
guint reeve_http_connection_get_keep_alive_seconds (ReeveHttpConnection *self);
void reeve_http_connection_close (ReeveHttpConnection *self);

G_END_DECLS
