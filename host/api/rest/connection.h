/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestConnection: one accepted socket: what libsoup reads from and writes to, and what it does
 * not tell: the request line as it was sent, and that the client has gone. One thread only. */
#pragma once

#include "channel.h"
#include "poller.h"

G_BEGIN_DECLS

typedef struct _ReeveRestConnection ReeveRestConnection;

typedef void (*ReeveRestConnectionFunc) (ReeveRestConnection *self, gpointer user_data);

/* Takes over fd. first: called once, when something has come to be read. */
ReeveRestConnection *reeve_rest_connection_new (ReeveRestPoller *poller, int fd,
                                                ReeveRestChannel *channel, GSocketAddress *remote,
                                                ReeveRestConnectionFunc first, gpointer user_data,
                                                GError **error);
ReeveRestConnection *reeve_rest_connection_ref (ReeveRestConnection *self);
void reeve_rest_connection_unref (ReeveRestConnection *self);
/* (transfer none) */
GSocketAddress *reeve_rest_connection_get_remote (ReeveRestConnection *self);
/* The connection that an address was made for; (nullable) */
ReeveRestConnection *reeve_rest_connection_from_address (GSocketAddress *address);

/* ---- streams: -1 with G_IO_ERROR_WOULD_BLOCK ---- */
gssize reeve_rest_connection_read (ReeveRestConnection *self, void *buffer, gsize size,
                                   GError **error);
gssize reeve_rest_connection_write (ReeveRestConnection *self, const void *buffer, gsize size,
                                    GError **error);
gboolean reeve_rest_connection_is_readable (ReeveRestConnection *self);
gboolean reeve_rest_connection_is_writable (ReeveRestConnection *self);
GSource *reeve_rest_connection_create_source (ReeveRestConnection *self, gboolean writing);
/* What was written still goes out. */
void reeve_rest_connection_close (ReeveRestConnection *self);

/* ---- requests ---- */
/* Target of the request being read, byte for byte; NULL when it came together with the one before.
 */
const char *reeve_rest_connection_get_target (ReeveRestConnection *self);
/* A request is being worked on; gone (nullable): called once if its client goes meanwhile. */
void reeve_rest_connection_begin (ReeveRestConnection *self, ReeveRestConnectionFunc gone,
                                  gpointer user_data);
void reeve_rest_connection_end (ReeveRestConnection *self);
gboolean reeve_rest_connection_is_busy (ReeveRestConnection *self);
/* The request has come as a whole: from now on the host is at work, not the client. */
void reeve_rest_connection_set_received (ReeveRestConnection *self);
/* Does the host wait for the client, to send or to read? */
gboolean reeve_rest_connection_is_waiting (ReeveRestConnection *self);
gboolean reeve_rest_connection_is_closed (ReeveRestConnection *self);
/* Was anything of it given to libsoup? */
gboolean reeve_rest_connection_is_started (ReeveRestConnection *self);
/* monotonic µs of the last byte in or out */
gint64 reeve_rest_connection_get_active_at (ReeveRestConnection *self);
/* As if the client had gone: nothing is read or written any more. */
void reeve_rest_connection_drop (ReeveRestConnection *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestConnection, reeve_rest_connection_unref)

G_END_DECLS
