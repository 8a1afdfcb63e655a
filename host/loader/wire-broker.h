/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serves io.reeve.Plugin1.Broker: what a runner asks on behalf of a call that is under way. */
#pragma once

#include "wire.h"

G_BEGIN_DECLS

/* One thing that a runner asks. */
typedef struct _ReeveWireBrokerJob ReeveWireBrokerJob;
struct _ReeveWireUnderWay;

/* Answers the message @data, a call that the rules let through, on a worker of the level of the
 * call in which it happens; (transfer none) all. */
void reeve_wire_broker_take (ReeveWire *wire, ReeveWireShare *share, const WireMessage *message,
                             const guint8 *data, gsize length);

/* Whether @message, which the rules let through, is asked in the call with number @call, and ends
 * with that: whoever waits for the call can answer it. */
gboolean reeve_wire_broker_is_own (const WireMessage *message, guint64 call);
/* (transfer full): what is to be done for the message @data */
ReeveWireBrokerJob *reeve_wire_broker_job_new (ReeveWire *wire, const guint8 *data, gsize length);
/* Answers it here and now; takes @job. @waits: (nullable): whose thread this is, and reads on when
 * it is answered */
void reeve_wire_broker_perform (ReeveWireBrokerJob *job, struct _ReeveWireUnderWay *waits);

G_END_DECLS
