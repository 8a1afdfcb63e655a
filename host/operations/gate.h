/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveGate: takes a call through authentication, authorisation, validation, idempotency and
 * admission to its operation. */
#pragma once

#include "call.h"

G_BEGIN_DECLS

/* Never blocks; answers through the call's done callback in the call's context. Takes its own
 * reference of the call. */
void reeve_gate_dispatch (ReeveServices *services, ReeveCall *call);

G_END_DECLS
