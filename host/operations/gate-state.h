/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operation changes, as it is shown before and after it. Private to the gate. */
#pragma once

#include "gate-pass.h"

G_BEGIN_DECLS

/* Asks for admission, with the state before. Blocks. */
ReeveAdmitted *reeve_gate_state_begin (ReeveGatePass *pass, GError **error);
/* (transfer full) (nullable): what records say of the state now; NULL: there is nothing, or the
 * operation changes nothing that is shown. Blocks. */
JsonNode *reeve_gate_state_read (ReeveGatePass *pass);

G_END_DECLS
