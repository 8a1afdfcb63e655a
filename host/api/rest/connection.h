/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestConnection: one accepted socket. It reads and judges the heads of requests by itself and
 * gives one request at a time on, so that a connection between two requests is nothing but an
 * entry in the poller. One thread only. */
#pragma once

#include "channel.h"
#include "bounds.h"
#include "fault.h"
#include "head.h"
#include "poller.h"

G_BEGIN_DECLS

typedef struct _ReeveRestConnection ReeveRestConnection;

typedef void (*ReeveRestConnectionFunc) (ReeveRestConnection *self, gpointer user_data);

/* What all connections of a thread share; outlives them. */
typedef struct
{
  ReeveRestPoller *poller;
  const ReeveRestBounds *limits;
  GPtrArray *spares;               /* of their outboxes */
  ReeveRestConnectionFunc request; /* a head has come and is good */
  ReeveRestConnectionFunc closed;  /* its socket is closed */
  ReeveRestFaultFunc fault;        /* something that is no request was refused */
  gpointer user_data;
} ReeveRestConnectionHome;

/* Takes over fd. channel: (transfer full) (nullable) */
ReeveRestConnection *reeve_rest_connection_new (const ReeveRestConnectionHome *home, int fd,
                                                ReeveRestChannel *channel, GSocketAddress *remote,
                                                GError **error);
ReeveRestConnection *reeve_rest_connection_ref (ReeveRestConnection *self);
void reeve_rest_connection_unref (ReeveRestConnection *self);
/* (transfer none): how its bytes cross the socket */
const ReeveRestChannel *reeve_rest_connection_get_channel (ReeveRestConnection *self);
/* (transfer none) */
GSocketAddress *reeve_rest_connection_get_remote (ReeveRestConnection *self);
/* (transfer none) (nullable): the same as text, as addresses are compared */
const char *reeve_rest_connection_get_peer (ReeveRestConnection *self);
/* The connection that an address was made for; (nullable) */
ReeveRestConnection *reeve_rest_connection_from_address (GSocketAddress *address);

/* ---- the streams of one request: -1 with G_IO_ERROR_WOULD_BLOCK ---- */
gssize reeve_rest_connection_read (ReeveRestConnection *self, void *buffer, gsize size,
                                   GError **error);
gssize reeve_rest_connection_write (ReeveRestConnection *self, const void *buffer, gsize size,
                                    GError **error);
gboolean reeve_rest_connection_is_readable (ReeveRestConnection *self);
gboolean reeve_rest_connection_is_writable (ReeveRestConnection *self);
/* libsoup has let go of the request: the next one, or the end. What was written still goes out. */
void reeve_rest_connection_close (ReeveRestConnection *self);

/* ---- the same where libsoup does not read and write ---- */
/* Its head, as long as nothing of it was read; then its body alone is left to read. */
const ReeveRestHead *reeve_rest_connection_get_head (ReeveRestConnection *self);
const char *reeve_rest_connection_peek_head (ReeveRestConnection *self, gsize *length);
void reeve_rest_connection_skip_head (ReeveRestConnection *self);
/* work: more has come, or there is room for more of the answer, or it is over; cut: the request is
 * to end at once. */
void reeve_rest_connection_take_over (ReeveRestConnection *self, ReeveRestConnectionFunc work,
                                      ReeveRestConnectionFunc cut, gpointer user_data);
/* All of the request was read. */
gboolean reeve_rest_connection_is_taken (ReeveRestConnection *self);
/* Nothing of this request can be read any more, and nothing of its answer written. */
gboolean reeve_rest_connection_is_over (ReeveRestConnection *self);

/* ---- the request ---- */
/* Its target, byte for byte. */
const char *reeve_rest_connection_get_target (ReeveRestConnection *self);
/* It is being worked on. gone: called once if its client goes meanwhile; half: called again and
 * again, about each second, while the client has ended its side: it may wait for its answer
 * (RFC 9112, 9.6) or have gone, which shows by writing alone. */
void reeve_rest_connection_begin (ReeveRestConnection *self, ReeveRestConnectionFunc gone,
                                  ReeveRestConnectionFunc half, gpointer user_data);
void reeve_rest_connection_end (ReeveRestConnection *self);
/* Of a client that has ended its side and waits: is it still there? One that has gone resets the
 * connection, and gone is called. At most seven times for a request; behind its first answer,
 * never. */
void reeve_rest_connection_probe (ReeveRestConnection *self);
/* It has come as a whole: from now on the host is at work, not the client. */
void reeve_rest_connection_set_received (ReeveRestConnection *self);
/* Its answer was written as a whole. */
void reeve_rest_connection_set_answered (ReeveRestConnection *self);
/* Will another request be read after it? */
gboolean reeve_rest_connection_is_kept (ReeveRestConnection *self);
void reeve_rest_connection_set_last (ReeveRestConnection *self);

/* ---- its life ---- */
/* Between two requests, or in a head; since: monotonic µs */
gboolean reeve_rest_connection_is_idle (ReeveRestConnection *self, gint64 *since);
/* Has something come that was not read yet? */
gboolean reeve_rest_connection_has_news (ReeveRestConnection *self);
gboolean reeve_rest_connection_is_closed (ReeveRestConnection *self);
/* Ends what has taken too long. now: monotonic µs */
void reeve_rest_connection_check (ReeveRestConnection *self, gint64 now);
/* No further request is read. */
void reeve_rest_connection_leave (ReeveRestConnection *self);
/* As if the client had gone: nothing is read or written any more. */
void reeve_rest_connection_drop (ReeveRestConnection *self);
/* The same, and what libsoup does not know ends, too. */
void reeve_rest_connection_cut (ReeveRestConnection *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestConnection, reeve_rest_connection_unref)

G_END_DECLS
