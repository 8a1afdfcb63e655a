/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests that a door refuses itself: they go no way through the gate, and leave a record as if
 * they had. */
#pragma once

#include "call.h"

G_BEGIN_DECLS

/* What no row of the table answers: a path, a method or an operation that is not there. It is in no
 * list; its action is `requests.unknown`. */
extern const ReeveOperation reeve_gate_refuse_unknown;

/* Somebody who is not known, of whom nothing but an address was looked at. action, door: static;
 * peer_address: (nullable). Does not block; any thread. */
void reeve_gate_refuse_stranger (ReeveServices *services, const char *action, const char *door,
                                 const char *peer_address, ReeveError code);
void reeve_gate_refuse_call (ReeveServices *services, ReeveCall *call, GError *error);

G_END_DECLS
