/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the gate would say of a call of a tool, to whoever asks before. */
#pragma once

#include "services.h"

#include "call.h"

G_BEGIN_DECLS

/* (transfer full) (nullable): {allowed, decision, reason, …}; agent_id and context are nullable. */
JsonObject *reeve_policy_ask_decide (ReeveCall *call, ReeveServices *services, const char *agent_id,
                                     const char *tool_name, JsonObject *context, GError **error);

G_END_DECLS
