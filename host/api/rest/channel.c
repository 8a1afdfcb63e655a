/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plain channel: nothing between the connection and its socket. */
#include "channel.h"

#include <sys/socket.h>

typedef struct
{
  ReeveRestChannel channel; /* first */
  int fd;
} ReeveRestChannelPlain;

static gssize
reeve_rest_channel_receive (ReeveRestChannel *self, void *buffer, gsize size)
{
  return recv (((ReeveRestChannelPlain *) self)->fd, buffer, size, 0);
}

static gssize
reeve_rest_channel_send (ReeveRestChannel *self, const void *data, gsize size)
{
  return send (((ReeveRestChannelPlain *) self)->fd, data, size, MSG_NOSIGNAL);
}

static void
reeve_rest_channel_end (ReeveRestChannel *self)
{
  shutdown (((ReeveRestChannelPlain *) self)->fd, SHUT_WR);
}

static void
reeve_rest_channel_free (ReeveRestChannel *self)
{
  g_free (self);
}

/**
 * reeve_rest_channel_new_plain:
 * @fd: a connected, non-blocking socket, which stays the caller's
 *
 * Returns: (transfer full): a channel of bytes as they are
 */
ReeveRestChannel *
reeve_rest_channel_new_plain (int fd)
{
  ReeveRestChannelPlain *self = g_new0 (ReeveRestChannelPlain, 1);

  self->channel.receive = reeve_rest_channel_receive;
  self->channel.send = reeve_rest_channel_send;
  self->channel.end = reeve_rest_channel_end;
  self->channel.free = reeve_rest_channel_free;
  self->fd = fd;
  return &self->channel;
}
