/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetTcpPlace: where a connection of `net.tcp` leads to: which grants name it, and whether the
 * addresses that its name comes to may be reached. */
#pragma once

#include "loader/capabilities.h"

#include "net-guard.h"

G_BEGIN_DECLS

typedef struct
{
  ReeveNetGuardTarget *target;
  char *name; /* host:port, of IPv6 [host]:port: as grants say it */
} ReeveNetTcpPlace;

/* (transfer full) (nullable) @host: without brackets. %REEVE_ERROR_INVALID_ARGUMENT */
ReeveNetTcpPlace *reeve_net_tcp_place_new (const char *host, guint16 port, GError **error);
void reeve_net_tcp_place_free (ReeveNetTcpPlace *self);
/* The grants of @caller's lease that name it, bit by number, below the ceiling; 0 with
 * %REEVE_ERROR_PERMISSION_DENIED. */
guint64 reeve_net_tcp_place_find_grants (const ReeveCapabilityCaller *caller, const char *name,
                                         GError **error);
/* May that name be connected to at @addresses (GInetAddress)? %REEVE_ERROR_PERMISSION_DENIED */
gboolean reeve_net_tcp_place_check (const ReeveNetTcpPlace *self, GPtrArray *addresses,
                                    GError **error);
/* Looks the name up once and connects to what it came to. A socket, or -1. Blocks. */
int reeve_net_tcp_place_connect (const ReeveNetTcpPlace *self, const ReeveCapabilityCaller *caller,
                                 guint seconds, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveNetTcpPlace, reeve_net_tcp_place_free)

G_END_DECLS
