/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireHub: what the wires of all runners share: the gate's thread, and workers for what
 * runners ask of the host. */
#pragma once

#include "byte-room.h"
#include "wire-allowance.h"
#include "wire-gate.h"
#include "wire-share.h"

G_BEGIN_DECLS

typedef struct _ReeveWireHub ReeveWireHub;

/* (nullable): %REEVE_ERROR_FAILED */
ReeveWireHub *reeve_wire_hub_new (GError **error) G_GNUC_WARN_UNUSED_RESULT;
ReeveWireHub *reeve_wire_hub_ref (ReeveWireHub *self);
/* At the last one no wire is open. */
void reeve_wire_hub_unref (ReeveWireHub *self);
ReeveWireGate *reeve_wire_hub_get_gate (ReeveWireHub *self);
/* @func is called when a runner has ended that nobody ended by closing its wire; on the gate's
 * thread, which it does not hold up. Before the first wire; the closure outlives the last. */
void reeve_wire_hub_set_ended (ReeveWireHub *self, void (*func) (gpointer data), gpointer data);
void reeve_wire_hub_tell_ended (ReeveWireHub *self);
/* (transfer full) what a wire has of the workers */
ReeveWireShare *reeve_wire_hub_new_share (ReeveWireHub *self,
                                          ReeveHostTime *host_time) G_GNUC_WARN_UNUSED_RESULT;
/* (transfer none): for what runners write bodies into */
ReeveByteRoom *reeve_wire_hub_get_room (ReeveWireHub *self);
/* (transfer none): how much of what they are handed runners may keep */
ReeveWireAllowance *reeve_wire_hub_get_allowance (ReeveWireHub *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWireHub, reeve_wire_hub_unref)

G_END_DECLS
