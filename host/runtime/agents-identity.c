/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who an agent is: its role, the user on whose behalf it acts, what rules may ask about it, and
 * whether it may be executed at all. A member that an older store lacks has its default. */
#include "agents-identity.h"

#include "agents-private.h"
#include "listing.h"

#include <string.h>

static const char *const reeve_agents_identity_copied[]
    = { "role", "delegated_user_id", "token_claims", "active", NULL };

/* (transfer full) (nullable) the status of a user; one that is not there is deleted */
static char *
reeve_agents_identity_find_user (ReeveAgents *self, const char *tenant_id, const char *user_id,
                                 GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) user
      = *user_id != '\0'
            ? reeve_store_get (self->store, tenant_id, REEVE_STORE_USERS, user_id, &local)
            : NULL;
  const char *status
      = user != NULL ? reeve_json_get_string (reeve_record_get_fields (user), "status", "active")
                     : "deleted";

  if (local != NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  return g_strdup (status);
}

/* A user that @params newly names. */
static gboolean
reeve_agents_identity_check_user (ReeveAgents *self, const char *tenant_id, const char *member,
                                  const char *user_id, GError **error)
{
  g_autofree char *status = NULL;

  if (user_id == NULL)
    return TRUE;
  status = reeve_agents_identity_find_user (self, tenant_id, user_id, error);
  if (status == NULL)
    return FALSE;
  if (strcmp (status, "active") == 0)
    return TRUE;
  if (strcmp (status, "deleted") == 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "%s: no such thing among the users",
                 member);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "%s: the user is not active", member);
  return FALSE;
}

/* (nullable): what @params says of @member, where that is not what is so already */
static const char *
reeve_agents_identity_find_new (JsonObject *before, JsonObject *params, const char *member)
{
  const char *wanted = reeve_json_get_string (params, member, NULL);
  const char *now = before != NULL ? reeve_json_get_string (before, member, NULL) : NULL;

  return g_strcmp0 (wanted, now) != 0 ? wanted : NULL;
}

gboolean
reeve_agents_identity_check (ReeveAgents *self, ReeveCaller *caller, JsonObject *before,
                             JsonObject *params, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  const char *owner = reeve_agents_identity_find_new (before, params, "owner_id");
  const char *delegated = reeve_agents_identity_find_new (before, params, "delegated_user_id");

  if (owner != NULL && strcmp (owner, reeve_caller_get_user_id (caller)) != 0
      && (reeve_caller_get_lasting (caller) & reeve_roles_match ("user:manage")) == 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                           "permission user:manage is missing, so an agent can be owned by nobody "
                           "but you");
      return FALSE;
    }
  if (delegated != NULL && strcmp (delegated, reeve_caller_get_user_id (caller)) != 0
      && (reeve_caller_get_lasting (caller) & reeve_roles_match ("user:manage")) == 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                           "permission user:manage is missing, so an agent can act on behalf of "
                           "nobody but you");
      return FALSE;
    }
  return reeve_agents_identity_check_user (self, tenant_id, "owner_id", owner, error)
         && reeve_agents_identity_check_user (self, tenant_id, "delegated_user_id", delegated,
                                              error);
}

void
reeve_agents_identity_take (JsonObject *params, JsonObject *fields)
{
  reeve_listing_copy (params, fields, reeve_agents_identity_copied);
  if (json_object_has_member (params, "delegated_user_id")
      && json_object_get_null_member (params, "delegated_user_id"))
    json_object_remove_member (fields, "delegated_user_id");
}

const char *
reeve_agents_identity_get_role (JsonObject *fields)
{
  return reeve_json_get_string (fields, "role", "executor");
}

gboolean
reeve_agents_identity_is_active (JsonObject *fields)
{
  return reeve_json_get_boolean (fields, "active", TRUE);
}

void
reeve_agents_identity_describe (JsonObject *fields, JsonObject *agent)
{
  json_object_set_string_member (agent, "role", reeve_agents_identity_get_role (fields));
  json_object_set_boolean_member (agent, "active", reeve_agents_identity_is_active (fields));
  json_object_set_null_member (agent, "delegated_user_id");
  json_object_set_object_member (agent, "token_claims", json_object_new ());
  reeve_listing_copy (fields, agent, reeve_agents_identity_copied);
}

gboolean
reeve_agents_identity_matches (ReeveRecord *record, JsonObject *params)
{
  JsonObject *fields = reeve_record_get_fields (record);
  const char *role = reeve_json_get_string (params, "role", NULL);

  if (role != NULL && g_strcmp0 (role, reeve_agents_identity_get_role (fields)) != 0)
    return FALSE;
  return !json_object_has_member (params, "active")
         || reeve_json_get_boolean (params, "active", TRUE)
                == reeve_agents_identity_is_active (fields);
}

void
reeve_agents_identity_book (ReeveAgents *self, const char *tenant_id, const char *agent_id,
                            gint64 revision, JsonObject *fields)
{
  reeve_agent_book_set (self->book, tenant_id, agent_id, revision,
                        reeve_agents_identity_get_role (fields),
                        reeve_agents_identity_is_active (fields));
}

/**
 * reeve_agents_get_book:
 * @self: agents
 *
 * Returns: (transfer none): what the gate is to ask about agents that run
 */
ReeveAgentBook *
reeve_agents_get_book (ReeveAgents *self)
{
  return self->book;
}

/**
 * reeve_agents_hold:
 * @self: agents
 * @tenant_id: a tenant
 * @agent_id: an agent of it, or none
 *
 * From now on the gate knows what the agent may do. Blocks.
 *
 * Returns: (transfer full): to be released after the last of its effects
 */
ReeveAgentHold *
reeve_agents_hold (ReeveAgents *self, const char *tenant_id, const char *agent_id)
{
  ReeveAgentHold *hold = reeve_agent_book_hold (self->book, tenant_id, agent_id);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveRecord) record = reeve_agents_read (self, tenant_id, agent_id, &error);

  if (record != NULL)
    reeve_agents_identity_book (self, tenant_id, agent_id, reeve_record_get_revision (record),
                                reeve_record_get_fields (record));
  else if (!g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_warning ("an agent cannot be read, and has no effects: %s", error->message);
  return hold;
}

gboolean
reeve_agents_identity_is_user_active (ReeveAgents *self, const char *tenant_id, const char *user_id)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *status = reeve_agents_identity_find_user (self, tenant_id, user_id, &error);

  if (error != NULL)
    g_warning ("user %s cannot be read, and nothing is done for him: %s", user_id, error->message);
  return g_strcmp0 (status, "active") == 0;
}

gboolean
reeve_agents_identity_delegate (ReeveAgents *self, const char *tenant_id, JsonObject *fields,
                                JsonObject *definition, GError **error)
{
  const char *user_id = reeve_json_get_string (fields, "delegated_user_id", NULL);
  g_autofree char *status = NULL;

  if (user_id == NULL)
    return TRUE;
  json_object_set_string_member (definition, "delegated_user_id", user_id);
  status = reeve_agents_identity_find_user (self, tenant_id, user_id, error);
  if (status == NULL)
    return FALSE;
  if (g_strcmp0 (status, "active") == 0)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                       "the user on whose behalf the agent acts is not active");
  return FALSE;
}
