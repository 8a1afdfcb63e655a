/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A message and its bytes, as g_dbus_message_to_blob() and g_dbus_message_new_from_blob() have
 * them. */
#pragma once

#include <gio/gio.h>

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define WIRE_MARSHAL_MAX (128 * 1024 * 1024) /* bytes of a message, as D-Bus says */

/* (transfer full): the bytes of @message, which has a serial; its descriptors go beside them. */
guint8 *wire_marshal_write (GDBusMessage *message, gsize *length);
/* (transfer full) (nullable): the message that @bytes are, all of them, at least 16. Its
 * descriptors are not attached. %REEVE_ERROR_PLUGIN */
GDBusMessage *wire_marshal_read (GBytes *bytes, GError **error);

G_END_DECLS
