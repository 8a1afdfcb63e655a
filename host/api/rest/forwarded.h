/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asks, where proxies that are trusted stand between. */
#pragma once

#include <libsoup/soup.h>

#include "base/address-list.h"

G_BEGIN_DECLS

/* who asks, where a proxy that is trusted did not say: no address */
#define REEVE_REST_FORWARDED_UNKNOWN "unknown"

/* (transfer full) (nullable): the numeric address of a connection, as addresses are compared */
char *reeve_rest_forwarded_dup_peer (GSocketAddress *remote);
/* (transfer full) (nullable) the numeric address of the caller. peer: (nullable) of the connection;
 * field: (nullable) X-Forwarded-For, all of its lines joined. */
char *reeve_rest_forwarded_find (const char *peer, const char *field,
                                 const ReeveAddressList *proxies);

/* Does the client itself run on this machine? A proxy here asks for others; one that says so in no
 * header cannot be told from a client. */
gboolean reeve_rest_forwarded_is_local (GSocketAddress *remote, SoupMessageHeaders *headers);

G_END_DECLS
