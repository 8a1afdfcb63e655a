/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveDbusThrottle: how many calls of one peer, and of all, the host works on at once; the others
 * are refused before they reach the main loop. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define REEVE_DBUS_THROTTLE_PER_PEER  64
#define REEVE_DBUS_THROTTLE_ALL       1024
#define REEVE_DBUS_THROTTLE_FEW       2 /* each peer may have so many however many others there are */
#define REEVE_DBUS_THROTTLE_MAX_BYTES (17 * 1024 * 1024) /* of a call's arguments */

typedef struct _ReeveDbusThrottle ReeveDbusThrottle;

/* Before the first call can come. */
ReeveDbusThrottle *reeve_dbus_throttle_new (GDBusConnection *connection);
void reeve_dbus_throttle_free (ReeveDbusThrottle *self);
/* Calls that wait for their answer. Any thread. */
guint reeve_dbus_throttle_get_open (ReeveDbusThrottle *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveDbusThrottle, reeve_dbus_throttle_free)

G_END_DECLS
