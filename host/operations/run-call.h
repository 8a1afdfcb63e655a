/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a call to a run and back: whole, or as events while it goes on. */
#pragma once

#include "call.h"
#include "services.h"

G_BEGIN_DECLS

/* What is called again, on the thread of the call's context, when something was looked up. */
typedef struct
{
  GSourceFunc func;
  gpointer data;
} ReeveRunCallAgain;

/* Before a run of the agent (nullable) is admitted: is there a place for it? Gives it its name, by
 * which its own records are found, unless the agent is not there. FALSE with an error: the call is
 * refused before anything is written of it but a first refusal, as by a limit of requests; without
 * one: the agent is being looked up, and it is asked @again. */
gboolean reeve_run_call_prepare (ReeveCall *call, ReeveServices *services,
                                 ReeveAdmissionRequest *request, const char *agent_id,
                                 const ReeveRunCallAgain *again, GError **error);
/* (nullable) (transfer none): that name */
const char *reeve_run_call_get_run_id (ReeveCall *call);
/* Fills in door, trace and stream of @request, hands the call's admission over, answers the call.
 */
void reeve_run_call_execute (ReeveCall *call, ReeveServices *services, ReeveRunRequest *request);

G_END_DECLS
