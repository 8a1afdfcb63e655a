/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireBuffer: memory of the host's that a runner writes what is too large for a message into.
 */
#pragma once

#include "byte-room.h"

G_BEGIN_DECLS

typedef struct _ReeveWireBuffer ReeveWireBuffer;

/* @size: from 1. %REEVE_ERROR_TOO_LARGE; %REEVE_ERROR_BUSY: @room has not as much for that plugin
 */
ReeveWireBuffer *reeve_wire_buffer_new (ReeveByteRoom *room, const char *plugin_id, guint64 size,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The memory goes, whoever else has a descriptor of it. */
void reeve_wire_buffer_free (ReeveWireBuffer *self);
/* A descriptor for the runner, the caller's; -1 */
int reeve_wire_buffer_lend (ReeveWireBuffer *self);
/* (transfer full) (nullable): what is in it, whatever the runner does later; frees @self. What it
 * took of the room it gives back when the bytes go. */
GBytes *reeve_wire_buffer_copy (ReeveWireBuffer *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWireBuffer, reeve_wire_buffer_free)

G_END_DECLS
