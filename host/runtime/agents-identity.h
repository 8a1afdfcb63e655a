/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The members of an agent's record that say who it is: role, delegated_user_id, token_claims,
 * active. */
#pragma once

#include "agents.h"

G_BEGIN_DECLS

/* May @caller give an agent that is as @before (nullable: that is being made) the owner and the
 * user on whose behalf it acts that @params name? Both must be active users of the tenant, and who
 * lacks user:manage names nobody but himself to act for. %REEVE_ERROR_PERMISSION_DENIED,
 * %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CONFLICT. Blocks. */
gboolean reeve_agents_identity_check (ReeveAgents *self, ReeveCaller *caller, JsonObject *before,
                                      JsonObject *params, GError **error);
/* Takes what @params (checked) has of them into the record's @fields. */
void reeve_agents_identity_take (JsonObject *params, JsonObject *fields);
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
