/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestChannel: how the bytes of a connection cross its socket: as they are, or through TLS. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveRestChannel ReeveRestChannel;

/* The first member of what implements it. Non-blocking; one thread only. */
struct _ReeveRestChannel
{
  /* As recv() and send(): bytes, 0 at the end, -1 with errno, which is EAGAIN when the socket is
   * not ready, also for a handshake that goes on within. */
  gssize (*receive) (ReeveRestChannel *self, void *buffer, gsize size);
  gssize (*send) (ReeveRestChannel *self, const void *data, gsize size);
  /* Nothing more will be sent; does not close the socket. */
  void (*end) (ReeveRestChannel *self);
  /* May it hold bytes that were received already? Then a short read does not mean an empty socket.
   */
  gboolean buffers;
  gboolean encrypted;
  char *peer; /* (nullable) who the client is by the certificate it showed, JSON of tls-peer.h */
  void (*free) (ReeveRestChannel *self);
};

/* (transfer full): bytes as they are; fd stays the caller's */
ReeveRestChannel *reeve_rest_channel_new_plain (int fd);

G_END_DECLS
