/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveDbusPeers: who is behind a connection of the bus: the owner, somebody polkit lets in, or the
 * user of a token. */
#pragma once

#include <gio/gio.h>

#include "governance/authentication.h"

G_BEGIN_DECLS

typedef struct _ReeveDbusPeers ReeveDbusPeers;

/* caller: (nullable) the owner; token: (nullable) what Login bound; one of them, or error */
typedef void (*ReeveDbusPeersFunc) (ReeveCaller *caller, const char *token, const GError *error,
                                    gpointer user_data);

ReeveDbusPeers *reeve_dbus_peers_new (GDBusConnection *connection, GBusType bus,
                                      ReeveAuthentication *authentication);
void reeve_dbus_peers_free (ReeveDbusPeers *self);
/* polkit asks for @action, such as io.reeve.Host.manage, on the system bus. */
void reeve_dbus_peers_identify (ReeveDbusPeers *self, const char *sender, const char *action,
                                ReeveDbusPeersFunc func, gpointer user_data);
/* It begins to log in: whether it goes meanwhile is watched. */
void reeve_dbus_peers_expect (ReeveDbusPeers *self, const char *sender);
/* From now on calls of this connection are made with @token; NULL unbinds. */
void reeve_dbus_peers_bind (ReeveDbusPeers *self, const char *sender, const char *token);

G_END_DECLS
