/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the first byte of a connection tells: a handshake of TLS begins with a byte that no request
 * begins with. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REEVE_REST_GREETING_NONE, /* nothing has come yet */
  REEVE_REST_GREETING_END,  /* and nothing will */
  REEVE_REST_GREETING_PLAIN,
  REEVE_REST_GREETING_TLS
} ReeveRestGreeting;

#define REEVE_REST_GREETING_HANDSHAKE 22 /* RFC 8446, 5.1: type of a record */

/* Looks without taking it. */
ReeveRestGreeting reeve_rest_greeting_peek (int fd);
/* Throws away what has come, so that closing the socket does not take the refusal with it. */
void reeve_rest_greeting_discard (int fd);

G_END_DECLS
