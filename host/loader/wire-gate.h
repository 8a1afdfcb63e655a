/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireGate: one thread that looks after the passages of all runners. */
#pragma once

#include "wire-passage.h"

G_BEGIN_DECLS

typedef struct _ReeveWireGate ReeveWireGate;

/* (nullable): %REEVE_ERROR_FAILED */
ReeveWireGate *reeve_wire_gate_new (GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* No passage is left. */
void reeve_wire_gate_free (ReeveWireGate *self);
/* Looks after @passage from now on, and has a reference of its own; blocks until it does. */
void reeve_wire_gate_add (ReeveWireGate *self, ReeveWirePassage *passage);
/* Closes it; nothing is said of its end any more. Blocks for as long as one call of its function.
 */
void reeve_wire_gate_remove (ReeveWireGate *self, ReeveWirePassage *passage);
/* An alarm was set. */
void reeve_wire_gate_wake (ReeveWireGate *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWireGate, reeve_wire_gate_free)

G_END_DECLS
