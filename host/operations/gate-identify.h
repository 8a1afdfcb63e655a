/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who shows what a call has. Private to the gate. */
#pragma once

#include "gate-pass.h"

G_BEGIN_DECLS

/* (transfer full) caller, or (transfer full) error: there is none of these credentials */
typedef void (*ReeveGateIdentifyFunc) (ReeveGatePass *pass, ReeveCaller *caller, GError *error);

void reeve_gate_identify (ReeveGatePass *pass, ReeveGateIdentifyFunc func);

G_END_DECLS
