/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModelDoor: one call of a model for a compatible door, from its admission to its outcome. */
#pragma once

#include "call.h"
#include "services.h"

G_BEGIN_DECLS

/* How it ended: @response, or (transfer full) @error when it is %NULL. The outcome is recorded
 * already; in the context of the call. */
typedef void (*ReeveModelDoorDone) (const ReeveModelResponse *response, GError *error,
                                    gpointer user_data);

void reeve_model_door_start (ReeveCall *call, ReeveServices *services, ReeveLlmRequest *request,
                             ReeveLlmDeltaFunc delta, ReeveModelDoorDone done, gpointer user_data);

G_END_DECLS
