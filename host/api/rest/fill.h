/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a request to its call: who asks, with which parameters, for what. */
#pragma once

#include "message.h"
#include "thread.h"

G_BEGIN_DECLS

/* Who asks, and how: all that is known before the body. */
void reeve_rest_fill_head (ReeveCall *call, ReeveRestMessage *msg, const ReeveRestShared *shared);
/* target: as it was sent, with the query */
void reeve_rest_fill_parameters (ReeveCall *call, const ReeveRestMatch *match, const char *target);
/* All of it. */
void reeve_rest_fill_call (ReeveCall *call, ReeveRestMessage *msg, const ReeveRestShared *shared,
                           const ReeveRestMatch *match, const char *target, GBytes *body);

G_END_DECLS
