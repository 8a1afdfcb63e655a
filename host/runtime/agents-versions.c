/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Versions of agents: a definition that does not change any more, and which of them is executed. */
#include <string.h>

#include "agents-identity.h"
#include "agents-private.h"
#include "base/digests.h"
#include "base/ids.h"
#include "base/times.h"
#include "listing.h"

JsonObject *
reeve_agents_new_version (const char *agent_id, const char *version_number, ReeveAdmitted *admitted,
                          JsonObject *definition, const char *changelog)
{
  JsonObject *version = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  g_autofree char *hash = NULL;

  json_node_set_object (node, definition);
  text = reeve_json_canonical (node);
  hash = reeve_digests_sha256_hex (text, strlen (text));
  json_object_set_string_member (version, "agent_id", agent_id);
  json_object_set_string_member (version, "version_number", version_number);
  json_object_set_string_member (version, "status", "draft");
  json_object_set_object_member (version, "definition", json_object_ref (definition));
  json_object_set_string_member (version, "config_hash", hash);
  json_object_set_string_member (version, "created_by",
                                 reeve_caller_get_user_id (reeve_admitted_get_caller (admitted)));
  json_object_set_int_member (version, "created_at", reeve_times_now ());
  if (changelog != NULL)
    json_object_set_string_member (version, "changelog", changelog);
  return version;
}

void
reeve_agents_mark_published (JsonObject *agent, JsonObject *version, const char *version_id)
{
  gint64 now = reeve_times_now ();

  json_object_set_string_member (version, "status", "published");
  json_object_set_int_member (version, "published_at", now);
  json_object_set_string_member (agent, "current_version",
                                 reeve_json_get_string (version, "version_number", ""));
  json_object_set_string_member (agent, "current_version_id", version_id);
  json_object_set_int_member (agent, "updated_at", now);
}

JsonObject *
reeve_agents_describe_version (ReeveRecord *record)
{
  JsonObject *version = reeve_listing_dup (reeve_record_get_fields (record));

  json_object_set_string_member (version, "version_id", reeve_record_get_id (record));
  reeve_listing_set_time (version, "created_at");
  reeve_listing_set_time (version, "published_at");
  return version;
}

GPtrArray *
reeve_agents_read_versions (ReeveAgents *self, const char *tenant_id, const char *agent_id,
                            GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_AGENT_VERSIONS);
  g_autoptr (ReeveQueryResult) result = NULL;

  reeve_query_filter_string (query, "agent_id", REEVE_FILTER_EQ, agent_id);
  reeve_query_order (query, "created_at", FALSE);
  reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
  result = reeve_store_query (self->store, query, error);
  return result != NULL ? g_ptr_array_ref (reeve_query_result_get_records (result)) : NULL;
}

static gboolean
reeve_agents_check_number (GPtrArray *versions, const char *number, GError **error)
{
  for (guint i = 0; i < versions->len; i++)
    {
      JsonObject *fields = reeve_record_get_fields (g_ptr_array_index (versions, i));

      if (g_strcmp0 (reeve_json_get_string (fields, "version_number", ""), number) != 0)
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "there is a version %s already",
                   number);
      return FALSE;
    }
  if (versions->len < REEVE_QUERY_MAX_LIMIT)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "an agent has at most %d versions",
               REEVE_QUERY_MAX_LIMIT);
  return FALSE;
}

/**
 * reeve_agents_add_version:
 * @self: agents
 * @admitted: the right to `versions.create`
 * @params: agent_id, version_number, definition, changelog
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the new draft; %REEVE_ERROR_ALREADY_EXISTS for a known
 * number
 */
JsonObject *
reeve_agents_add_version (ReeveAgents *self, ReeveAdmitted *admitted, JsonObject *params,
                          GError **error)
{
  const char *tenant_id = reeve_agents_get_tenant (admitted);
  const char *agent_id = reeve_json_get_string (params, "agent_id", "");
  const char *number = reeve_json_get_string (params, "version_number", "");
  g_autofree char *version_id = reeve_ids_new ("ver");
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) agent = reeve_agents_read (self, tenant_id, agent_id, error);
  g_autoptr (GPtrArray) versions = NULL;
  g_autoptr (JsonObject) fields = NULL;
  g_autoptr (JsonObject) version = NULL;
  g_autoptr (ReeveRecord) made = NULL;

  if (agent != NULL)
    versions = reeve_agents_read_versions (self, tenant_id, agent_id, error);
  if (versions == NULL || !reeve_agents_check_number (versions, number, error))
    return NULL;
  fields = reeve_listing_dup (reeve_record_get_fields (agent));
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  version = reeve_agents_new_version (agent_id, number, admitted,
                                      reeve_json_get_object (params, "definition"),
                                      reeve_json_get_string (params, "changelog", NULL));
  reeve_batch_put (batch, REEVE_STORE_AGENTS, agent_id, fields, reeve_record_get_revision (agent));
  reeve_batch_put (batch, REEVE_STORE_AGENT_VERSIONS, version_id, version, REEVE_REVISION_ABSENT);
  if (!reeve_agents_commit (self, admitted, "versions.create", agent_id, params, batch, error))
    return NULL;
  made = reeve_record_new (version_id, 1, version);
  return reeve_agents_describe_version (made);
}

/* A version of another agent is not found. */
static ReeveRecord *
reeve_agents_read_version (ReeveAgents *self, const char *tenant_id, const char *agent_id,
                           const char *version_id, GError **error)
{
  g_autoptr (ReeveRecord) version
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_AGENT_VERSIONS, version_id, error);

  if (version == NULL)
    return NULL;
  if (g_strcmp0 (reeve_json_get_string (reeve_record_get_fields (version), "agent_id", ""),
                 agent_id)
      != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such version");
      return NULL;
    }
  return g_steal_pointer (&version);
}

/**
 * reeve_agents_publish:
 * @self: agents
 * @admitted: the right to `versions.publish`
 * @params: agent_id, version_id
 * @error: return location
 *
 * Makes a version the one that is executed.
 *
 * Returns: (transfer full) (nullable): the version
 */
JsonObject *
reeve_agents_publish (ReeveAgents *self, ReeveAdmitted *admitted, JsonObject *params,
                      GError **error)
{
  const char *tenant_id = reeve_agents_get_tenant (admitted);
  const char *agent_id = reeve_json_get_string (params, "agent_id", "");
  const char *version_id = reeve_json_get_string (params, "version_id", "");
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) agent = reeve_agents_read (self, tenant_id, agent_id, error);
  g_autoptr (ReeveRecord) version = NULL;
  g_autoptr (JsonObject) agent_fields = NULL;
  g_autoptr (JsonObject) version_fields = NULL;
  g_autoptr (ReeveRecord) published = NULL;

  if (agent != NULL)
    version = reeve_agents_read_version (self, tenant_id, agent_id, version_id, error);
  if (version == NULL)
    return NULL;
  agent_fields = reeve_listing_dup (reeve_record_get_fields (agent));
  version_fields = reeve_listing_dup (reeve_record_get_fields (version));
  reeve_agents_mark_published (agent_fields, version_fields, version_id);
  reeve_batch_put (batch, REEVE_STORE_AGENTS, agent_id, agent_fields,
                   reeve_record_get_revision (agent));
  reeve_batch_put (batch, REEVE_STORE_AGENT_VERSIONS, version_id, version_fields,
                   reeve_record_get_revision (version));
  if (!reeve_agents_commit (self, admitted, "versions.publish", agent_id, params, batch, error))
    return NULL;
  published = reeve_record_new (version_id, 1, version_fields);
  return reeve_agents_describe_version (published);
}

/**
 * reeve_agents_list_versions:
 * @self: agents
 * @tenant_id: a tenant
 * @agent_id: an agent
 * @params: `limit`, `cursor`
 * @error: return location
 *
 * Returns: (transfer full) (nullable): {items, next_cursor}, newest first
 */
JsonObject *
reeve_agents_list_versions (ReeveAgents *self, const char *tenant_id, const char *agent_id,
                            JsonObject *params, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_AGENT_VERSIONS);

  reeve_query_filter_string (query, "agent_id", REEVE_FILTER_EQ, agent_id);
  return reeve_listing_new (self->store, query, "created_at", params, NULL,
                            reeve_agents_describe_version, error);
}

/**
 * reeve_agents_get_definition:
 * @self: agents
 * @tenant_id: a tenant
 * @agent_id: an agent
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the definition that is executed, with agent_id, version_id,
 * version_number and delegated_user_id beside it; %REEVE_ERROR_CONFLICT when it is deactivated, no
 * version is published, or the user on whose behalf it acts is not active
 */
JsonObject *
reeve_agents_get_definition (ReeveAgents *self, const char *tenant_id, const char *agent_id,
                             GError **error)
{
  g_autoptr (ReeveRecord) agent = reeve_agents_read (self, tenant_id, agent_id, error);
  g_autoptr (ReeveRecord) version = NULL;
  const char *version_id = NULL;
  g_autoptr (JsonObject) definition = NULL;

  if (agent == NULL)
    return NULL;
  if (!reeve_agents_identity_is_active (reeve_record_get_fields (agent)))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the agent is deactivated");
      return NULL;
    }
  version_id = reeve_json_get_string (reeve_record_get_fields (agent), "current_version_id", NULL);
  if (version_id == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "no version of the agent is published");
      return NULL;
    }
  version = reeve_agents_read_version (self, tenant_id, agent_id, version_id, error);
  if (version == NULL)
    return NULL;
  definition
      = reeve_listing_dup (reeve_json_get_object (reeve_record_get_fields (version), "definition"));
  json_object_set_string_member (definition, "agent_id", agent_id);
  json_object_remove_member (definition, "workspace_id");
  reeve_listing_copy (reeve_record_get_fields (agent), definition,
                      (const char *const[]){ "workspace_id", NULL });
  json_object_set_string_member (definition, "version_id", version_id);
  json_object_set_string_member (
      definition, "version_number",
      reeve_json_get_string (reeve_record_get_fields (version), "version_number", ""));
  if (!reeve_agents_identity_delegate (self, tenant_id, reeve_record_get_fields (agent), definition,
                                       error))
    return NULL;
  return g_steal_pointer (&definition);
}
