/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* recv() with MSG_PEEK, so that the byte is still there for whom it is meant. */
#include "greeting.h"

#include <errno.h>
#include <sys/socket.h>

#define REEVE_REST_GREETING_DISCARD 16 /* times 4 KiB */

ReeveRestGreeting
reeve_rest_greeting_peek (int fd)
{
  guint8 byte = 0;
  ssize_t n = recv (fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

  if (n < 0)
    return errno == EAGAIN || errno == EINTR ? REEVE_REST_GREETING_NONE : REEVE_REST_GREETING_END;
  if (n == 0)
    return REEVE_REST_GREETING_END;
  return byte == REEVE_REST_GREETING_HANDSHAKE ? REEVE_REST_GREETING_TLS
                                               : REEVE_REST_GREETING_PLAIN;
}

void
reeve_rest_greeting_discard (int fd)
{
  guint8 buffer[4096] = { 0 };

  for (guint i = 0; i < REEVE_REST_GREETING_DISCARD; i++)
    if (recv (fd, buffer, sizeof buffer, MSG_DONTWAIT) <= 0)
      return;
}
