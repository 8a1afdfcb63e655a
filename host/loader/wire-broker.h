/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serves io.reeve.Plugin1.Broker: what a runner asks on behalf of a call that is under way. */
#pragma once

#include "wire.h"

G_BEGIN_DECLS

/* Answers the message @data, a call that the rules let through, on a worker of the level of the
 * call in which it happens; (transfer none) all. */
void reeve_wire_broker_take (ReeveWire *wire, ReeveWireShare *share, const WireMessage *message,
                             const guint8 *data, gsize length);

G_END_DECLS
