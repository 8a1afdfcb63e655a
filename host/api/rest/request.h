/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestRequest: one HTTP request from its head to the last byte of its answer. */
#pragma once

#include "connection.h"
#include "thread.h"

G_BEGIN_DECLS

/* Serves a request that has come as libsoup would, without it. FALSE: it is one of those that are
 * rare and left to libsoup. */
gboolean reeve_rest_request_serve (ReeveRestThread *thread, ReeveRestConnection *connection);
/* All other requests of the server go through the thread's router and gate. */
void reeve_rest_request_install (SoupServer *server, ReeveRestThread *thread);

G_END_DECLS
