/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModelDoor: one call of a model for a compatible door, from its admission to its outcome. */
#pragma once

#include "call.h"
#include "services.h"

G_BEGIN_DECLS

typedef struct
{
  ReeveLlmDeltaFunc delta; /* (nullable): gets each delta */
  /* (nullable): another model is asked, `provider/name`, before the first delta */
  void (*turned) (const char *model, gpointer user_data);
  /* How it ended, once: @response, or (transfer full) @error when it is %NULL. The outcome is
   * recorded already; in the context of the call. */
  void (*done) (const ReeveModelResponse *response, GError *error, gpointer user_data);
} ReeveModelDoorFuncs;

void reeve_model_door_start (ReeveCall *call, ReeveServices *services, ReeveLlmRequest *request,
                             const ReeveModelDoorFuncs *funcs, gpointer user_data);

G_END_DECLS
