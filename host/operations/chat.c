/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One turn of a conversation is one run. */
#include "base/ids.h"
#include "operation-functions.h"
#include "run-call.h"

void
reeve_op_chat_create (ReeveCall *call, ReeveServices *services)
{
  const char *given = reeve_call_get_string (call, "conversation_id");
  g_autofree char *fresh = given == NULL ? reeve_ids_new ("cnv") : NULL;
  ReeveRunRequest request = {
    .operation = "chat.create",
    .agent_id = reeve_call_get_string (call, "agent_id"),
    .mission = reeve_call_get_string (call, "message"),
    .conversation_id = given != NULL ? given : fresh,
    .new_conversation = given == NULL,
  };

  reeve_run_call_execute (call, services, &request);
}
