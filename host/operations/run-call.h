/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a call to a run and back: whole, or as events while it goes on. */
#pragma once

#include "call.h"
#include "services.h"

G_BEGIN_DECLS

/* Fills in door, trace and stream of @request, hands the call's admission over, answers the call.
 */
/* Is there a place for a run of the agent (nullable)? FALSE: the call is refused before anything is
 * written of it but a first refusal, as by a limit of requests. */
gboolean reeve_run_call_has_place (ReeveCall *call, ReeveServices *services,
                                   const ReeveAdmissionRequest *request, const char *agent_id,
                                   GError **error);
/* Before a run is admitted: gives it its name, by which its own records are found. */
void reeve_run_call_name (ReeveCall *call, ReeveAdmissionRequest *request);
/* (nullable) (transfer none): that name */
const char *reeve_run_call_get_run_id (ReeveCall *call);
void reeve_run_call_execute (ReeveCall *call, ReeveServices *services, ReeveRunRequest *request);

G_END_DECLS
