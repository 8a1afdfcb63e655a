/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What never came to be a request: its sender is not known, and what it wanted neither. */
#pragma once

#include <gio/gio.h>
#include <reeve-error.h>

#include "operations/services.h"

G_BEGIN_DECLS

/* actions of the records */
#define REEVE_REST_FAULT_REQUEST   "requests.malformed"    /* no HTTP, or not in time */
#define REEVE_REST_FAULT_HANDSHAKE "connections.handshake" /* TLS was begun and came to nothing */
#define REEVE_REST_FAULT_CROWD     "connections.refused"   /* there are too many */

/* @action: one of these; @code: why */
typedef void (*ReeveRestFaultFunc) (GSocketAddress *remote, const char *action, ReeveError code,
                                    gpointer user_data);

/* What a status of HTTP says of it. */
ReeveError reeve_rest_fault_from_status (guint status);
/* Leaves a record, or is counted with others of the same address. Does not block; any thread. */
void reeve_rest_fault_note (ReeveServices *services, GSocketAddress *remote, const char *action,
                            ReeveError code);

G_END_DECLS
