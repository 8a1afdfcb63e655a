/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveConversations: what was said, turn by turn, by whom it belongs to. Blocks: worker threads.
 */
#pragma once

#include <reeve-plugin-1.h>

#include "governance/admission.h"
#include "store/store.h"

G_BEGIN_DECLS

#define REEVE_TYPE_CONVERSATIONS (reeve_conversations_get_type ())
G_DECLARE_FINAL_TYPE (ReeveConversations, reeve_conversations, REEVE, CONVERSATIONS, GObject)

ReeveConversations *reeve_conversations_new (ReeveStore *store);

/* A conversation is its owner's: for another user, admins included, it is not found. {items,
 * next_cursor}; {conversation_id, agent_id, title, created_at, updated_at, messages[{role, content,
 * run_id, created_at}]} */
/* seen: workspaces whose conversations are shown */
JsonObject *reeve_conversations_list (ReeveConversations *self, ReeveCaller *caller,
                                      const char *const *seen, JsonObject *params, GError **error);
/* (transfer full) *@workspace_id (nullable): where the caller's conversation lies. */
gboolean reeve_conversations_locate (ReeveConversations *self, ReeveCaller *caller,
                                     const char *conversation_id, char **workspace_id,
                                     GError **error);
JsonObject *reeve_conversations_get (ReeveConversations *self, ReeveCaller *caller,
                                     const char *conversation_id, GError **error);
/* Soft: no longer listed, not found any more. Consumes @admitted ("conversations.delete"). */
gboolean reeve_conversations_delete (ReeveConversations *self, ReeveAdmitted *admitted,
                                     const char *conversation_id, GError **error);
/* [{role, content}] of the last turns, oldest first, for a model; at most @max_bytes */
JsonArray *reeve_conversations_history (ReeveConversations *self, ReeveCaller *caller,
                                        const char *conversation_id, gsize max_bytes,
                                        GError **error);
/* Adds a turn to @batch, which the run commits together with its end: creates the conversation
 * (owned by the caller) when it does not exist, appends both messages. */
gboolean reeve_conversations_add_turn (ReeveConversations *self, ReeveBatch *batch,
                                       ReeveCaller *caller, const char *conversation_id,
                                       const char *agent_id, const char *workspace_id,
                                       const char *run_id, const char *message, const char *answer,
                                       GError **error);

G_END_DECLS
