/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveByteRoom: how many bytes the host holds for what plugins transfer, bounded for each plugin
 * and for all of them. Any thread. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define REEVE_BYTE_ROOM_ONE    (128 * 1024 * 1024)                      /* of one transfer */
#define REEVE_BYTE_ROOM_PLUGIN (G_GUINT64_CONSTANT (256) * 1024 * 1024) /* of a plugin's */
#define REEVE_BYTE_ROOM_ALL    (G_GUINT64_CONSTANT (1024) * 1024 * 1024)

typedef struct _ReeveByteRoom ReeveByteRoom;
typedef struct _ReeveByteHold ReeveByteHold;

ReeveByteRoom *reeve_byte_room_new (void) G_GNUC_WARN_UNUSED_RESULT;
ReeveByteRoom *reeve_byte_room_ref (ReeveByteRoom *self);
void reeve_byte_room_unref (ReeveByteRoom *self);
/* (transfer full) (nullable): @bytes of @plugin_id, until it is freed. %REEVE_ERROR_BUSY */
ReeveByteHold *reeve_byte_room_take (ReeveByteRoom *self, const char *plugin_id, gsize bytes,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
void reeve_byte_room_give (ReeveByteHold *hold);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveByteRoom, reeve_byte_room_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveByteHold, reeve_byte_room_give)

G_END_DECLS
