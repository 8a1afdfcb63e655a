/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHttpClient: the host's own HTTP/1.1 client for upstream traffic, a ReeveUpstream.
 *
 * One for each GMainContext. All its sockets stand in one epoll set, which is the one file
 * descriptor that the context polls, so that idle connections and slow streams cost the busy ones
 * nothing. See upstream.h for the rules of ownership. Each call holds a reference on the client;
 * shutdown() ends all calls.
 */
#pragma once

#include "upstream.h"

G_BEGIN_DECLS

#define REEVE_TYPE_HTTP_CLIENT (reeve_http_client_get_type ())
G_DECLARE_FINAL_TYPE (ReeveHttpClient, reeve_http_client, REEVE, HTTP_CLIENT, GObject)

ReeveHttpClient *reeve_http_client_new (GMainContext *context, ReeveHttpTrust *trust,
                                        GError **error);
void reeve_http_client_set_limits (ReeveHttpClient *self, guint max_connections, guint max_waiting,
                                   guint keep_ms);
void reeve_http_client_shutdown (ReeveHttpClient *self);
guint reeve_http_client_count_connections (ReeveHttpClient *self);

G_END_DECLS
