/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RunnerBroker: the capabilities of one call, asked of the host. */
#pragma once

#include "runner-wire.h"

G_BEGIN_DECLS

#define RUNNER_TYPE_BROKER (runner_broker_get_type ())
G_DECLARE_FINAL_TYPE (RunnerBroker, runner_broker, RUNNER, BROKER, GObject)

/* @call: number of the host's call */
ReeveBroker *runner_broker_new (RunnerWire *wire, guint64 call);
/* The call is over, before it is answered: what it had of this process's own goes. Blocks. */
void runner_broker_end (ReeveBroker *broker);

/* Is @node what the host answered last, and keeps? Then it is named to the host, and nothing is
 * asked any more: that would be the last from then on. */
gboolean runner_broker_hand_on (ReeveBroker *broker, JsonNode *node);

G_END_DECLS
