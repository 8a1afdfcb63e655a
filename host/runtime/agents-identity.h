/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The members of an agent's record that say who it is: role, delegated_user_id, token_claims,
 * active. */
#pragma once

#include "agents.h"

G_BEGIN_DECLS

/* Takes what @params (validated) has of them into the record's @fields. %REEVE_ERROR_NOT_FOUND when
 * the user is not of the tenant. Blocks. */
gboolean reeve_agents_identity_take (ReeveAgents *self, const char *tenant_id, JsonObject *params,
                                     JsonObject *fields, GError **error);
const char *reeve_agents_identity_get_role (JsonObject *fields);
gboolean reeve_agents_identity_is_active (JsonObject *fields);
/* Shows them in @agent. */
void reeve_agents_identity_describe (JsonObject *fields, JsonObject *agent);
/* Does a record pass the filters `role` and `active` of @params? */
gboolean reeve_agents_identity_matches (ReeveRecord *record, JsonObject *params);

/* Tells the gate what a record says now. */
void reeve_agents_identity_book (ReeveAgents *self, const char *tenant_id, const char *agent_id,
                                 gint64 revision, JsonObject *fields);
/* Adds delegated_user_id to a definition. %REEVE_ERROR_CONFLICT when that user is gone or not
 * active. Blocks. */
gboolean reeve_agents_identity_delegate (ReeveAgents *self, const char *tenant_id,
                                         JsonObject *fields, JsonObject *definition,
                                         GError **error);
/* May anything be done on behalf of that user now? Blocks. */
gboolean reeve_agents_identity_is_user_active (ReeveAgents *self, const char *tenant_id,
                                               const char *user_id);

G_END_DECLS
