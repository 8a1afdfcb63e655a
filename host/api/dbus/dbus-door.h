/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveDbusDoor: the operations on D-Bus, as io.reeve.Host1 and the typed interfaces of the table.
 * No logic of its own. */
#pragma once

#include <gio/gio.h>

#include "operations/services.h"

G_BEGIN_DECLS

#define REEVE_DBUS_DOOR_NAME "io.reeve.Host"
#define REEVE_DBUS_DOOR_PATH "/io/reeve/Host"

typedef struct _ReeveDbusDoor ReeveDbusDoor;

/* Called once, on the main context: the name is owned, or never will be. */
typedef void (*ReeveDbusDoorReady) (gboolean owned, const char *reason, gpointer user_data);

/* state: what property State says, such as "running"; borrowed. Lives on the main context. */
ReeveDbusDoor *reeve_dbus_door_new (ReeveServices *services, GBusType bus);
void reeve_dbus_door_start (ReeveDbusDoor *self, ReeveDbusDoorReady ready, gpointer user_data);
/* Gives the name up and takes no call any more; those under way are still answered. */
void reeve_dbus_door_stop (ReeveDbusDoor *self);
void reeve_dbus_door_free (ReeveDbusDoor *self);

G_END_DECLS
