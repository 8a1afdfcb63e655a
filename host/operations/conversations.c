/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The caller's own conversations, over runtime/conversations.h. */
#include "operation-functions.h"

void
reeve_op_conversations_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  ReeveCaller *caller = reeve_call_get_caller (call);
  g_auto (GStrv) seen = reeve_workspaces_list_seen (
      services->workspaces, caller, reeve_call_get_operation (call)->permission, &error);
  JsonObject *page = seen != NULL ? reeve_conversations_list (services->conversations, caller,
                                                              (const char *const *) seen,
                                                              reeve_call_get_params (call), &error)
                                  : NULL;

  reeve_call_answer (call, page, error);
}

void
reeve_op_conversations_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *conversation
      = reeve_conversations_get (services->conversations, reeve_call_get_caller (call),
                                 reeve_call_get_string (call, "conversation_id"), &error);

  reeve_call_answer (call, conversation, error);
}

void
reeve_op_conversations_delete (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_conversations_delete (services->conversations, reeve_call_get_admitted (call),
                                  reeve_call_get_string (call, "conversation_id"), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}
