/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call of a model that computes in this process. */
#pragma once

#include "model-call.h"

G_BEGIN_DECLS

void reeve_model_engine_start (const ReeveModelCallSetup *setup, ReeveContext *context,
                               ReeveWorkers *workers);

G_END_DECLS
