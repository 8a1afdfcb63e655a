/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestTlsSession: the server's side of TLS over one non-blocking socket. One thread only. */
#pragma once

#include "channel.h"
#include "tls.h"

G_BEGIN_DECLS

typedef struct _ReeveRestTlsSession ReeveRestTlsSession;

/* What a step came to. */
typedef enum
{
  REEVE_REST_TLS_SESSION_OK,
  REEVE_REST_TLS_SESSION_AGAIN, /* the socket is not ready */
  REEVE_REST_TLS_SESSION_END    /* broken, refused, or ended by the client */
} ReeveRestTlsSessionResult;

/* fd: not owned. (nullable): out of memory */
ReeveRestTlsSession *reeve_rest_tls_session_new (ReeveRestTls *tls, int fd);
void reeve_rest_tls_session_free (ReeveRestTlsSession *self);
ReeveRestTlsSessionResult reeve_rest_tls_session_handshake (ReeveRestTlsSession *self);
/* (transfer full): the session after its handshake, which goes with its channel */
ReeveRestChannel *reeve_rest_tls_session_to_channel (ReeveRestTlsSession *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestTlsSession, reeve_rest_tls_session_free)

G_END_DECLS
