/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates of clients: what is asked of them in the handshake, and what is said of the one that
 * stood it. */
#pragma once

#include <glib.h>
#include <gnutls/gnutls.h>

G_BEGIN_DECLS

/* A client's certificate must lead to an authority of @session's credentials, be valid now, not be
 * revoked, and be meant for clients: else the handshake ends. Before the handshake. */
void reeve_rest_tls_peer_ask (gnutls_session_t session, gboolean required);
/* (transfer full) (nullable): after the handshake: who the client is, JSON; NULL: it showed none */
char *reeve_rest_tls_peer_describe_session (gnutls_session_t session);
/* (transfer full) (nullable): the same of a certificate in DER; NULL: it is none */
char *reeve_rest_tls_peer_describe (const gnutls_datum_t *der);

G_END_DECLS
