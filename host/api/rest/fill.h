/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a request to its call: who asks, with which parameters, for what. */
#pragma once

#include "message.h"
#include "thread.h"

G_BEGIN_DECLS

/* target: as it was sent, with the query */
void reeve_rest_fill_call (ReeveCall *call, ReeveRestMessage *msg, const ReeveRestShared *shared,
                           const ReeveRestMatch *match, const char *target, GBytes *body);

G_END_DECLS
