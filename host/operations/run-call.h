/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a call to a run and back: whole, or as events while it goes on. */
#pragma once

#include "call.h"
#include "services.h"

G_BEGIN_DECLS

/* Fills in door, trace and stream of @request, hands the call's admission over, answers the call.
 */
void reeve_run_call_execute (ReeveCall *call, ReeveServices *services, ReeveRunRequest *request);

G_END_DECLS
