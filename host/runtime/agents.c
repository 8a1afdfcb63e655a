/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agents and their versions. Every change of an agent or its versions raises the agent's revision,
 * which is each change's precondition: so two changes at once never make two versions of one
 * number, and never publish into a deleted agent. */
#include "agents.h"

#include "agents-identity.h"
#include "agents-private.h"
#include "base/digests.h"
#include "base/ids.h"
#include "base/times.h"
#include "governance/policies-snapshot.h"
#include "listing.h"

#define REEVE_AGENTS_FIRST_VERSION "0.1.0"
#define REEVE_AGENTS_DEFAULT_PROMPT                                                                \
  "You carry out tasks for the organisation. Search its documents before you answer, and compute " \
  "rather than guess."

G_DEFINE_FINAL_TYPE (ReeveAgents, reeve_agents, G_TYPE_OBJECT)

static const char *const reeve_agents_editable[]
    = { "name", "description", "category", "tags", "owner_id", NULL };

static void
reeve_agents_finalize (GObject *object)
{
  ReeveAgents *self = REEVE_AGENTS (object);

  g_clear_object (&self->store);
  g_clear_object (&self->tenants);
  g_clear_object (&self->workspaces);
  g_clear_pointer (&self->book, reeve_agent_book_unref);
  G_OBJECT_CLASS (reeve_agents_parent_class)->finalize (object);
}

static void
reeve_agents_class_init (ReeveAgentsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_agents_finalize;
}

static void
reeve_agents_init (ReeveAgents *self)
{
  self->book = reeve_agent_book_new ();
}

/**
 * reeve_agents_new:
 * @store: the store
 * @auto_publish: publish an agent's first version at once
 *
 * Returns: (transfer full): the agents of all tenants
 */
ReeveAgents *
reeve_agents_new (ReeveStore *store, gboolean auto_publish)
{
  ReeveAgents *self = g_object_new (REEVE_TYPE_AGENTS, NULL);

  self->store = g_object_ref (store);
  self->auto_publish = auto_publish;
  return self;
}

/**
 * reeve_agents_set_tenants:
 * @self: agents
 * @tenants: tenants, whose setting max_agents bounds how many agents each has
 */
void
reeve_agents_set_tenants (ReeveAgents *self, ReeveTenants *tenants)
{
  g_set_object (&self->tenants, tenants);
}

/**
 * reeve_agents_set_workspaces:
 * @self: agents
 * @workspaces: workspaces that agents may lie in
 */
void
reeve_agents_set_workspaces (ReeveAgents *self, ReeveWorkspaces *workspaces)
{
  g_set_object (&self->workspaces, workspaces);
}

/* Puts a new agent where it is to lie. */
static gboolean
reeve_agents_place (ReeveAgents *self, ReeveAdmitted *admitted, ReeveBatch *batch,
                    JsonObject *params, JsonObject *fields, GError **error)
{
  g_autofree char *workspace_id = NULL;

  if (self->workspaces == NULL)
    return TRUE;
  if (!reeve_workspaces_choose (self->workspaces, reeve_admitted_get_caller (admitted),
                                reeve_json_get_string (params, "workspace_id", NULL), &workspace_id,
                                error))
    return FALSE;
  if (workspace_id != NULL)
    json_object_set_string_member (fields, "workspace_id", workspace_id);
  reeve_workspaces_count (batch, workspace_id, 1);
  return TRUE;
}

/* Counts an agent more or less. Who raises the counter beyond max_agents makes the whole batch
 * fail, so two at once do not both make the last one. */
static void
reeve_agents_count (ReeveAgents *self, ReeveBatch *batch, gint64 delta)
{
  gint64 limit = delta > 0 && self->tenants != NULL ? reeve_tenants_get_limit (
                     self->tenants, reeve_batch_get_scope (batch), "max_agents", G_MAXINT64)
                                                    : G_MAXINT64;

  reeve_batch_count (batch, "agents", delta, G_MININT64, limit);
}

const char *
reeve_agents_get_tenant (ReeveAdmitted *admitted)
{
  return reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
}

ReeveRecord *
reeve_agents_read (ReeveAgents *self, const char *tenant_id, const char *agent_id, GError **error)
{
  return reeve_store_get (self->store, tenant_id, REEVE_STORE_AGENTS, agent_id, error);
}

gboolean
reeve_agents_commit (ReeveAgents *self, ReeveAdmitted *admitted, const char *operation,
                     const char *agent_id, JsonObject *params, ReeveBatch *batch, GError **error)
{
  g_autoptr (ReeveBatchResult) result = NULL;

  reeve_admitted_consume_exactly (admitted, operation, agent_id, params);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL;
}

/* ---- creation ---- */

static JsonObject *
reeve_agents_new_fields (JsonObject *params, ReeveAdmitted *admitted)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  JsonObject *fields = json_object_new ();
  gint64 now = reeve_times_now ();

  reeve_agents_identity_take (params, fields);
  reeve_listing_copy (params, fields, reeve_agents_editable);
  /* who acts in a tenant that is not his is no user of it */
  if (!json_object_has_member (fields, "owner_id")
      && g_strcmp0 (reeve_caller_get_home_tenant_id (caller), reeve_caller_get_tenant_id (caller))
             == 0)
    json_object_set_string_member (fields, "owner_id", reeve_caller_get_user_id (caller));
  json_object_set_int_member (fields, "created_at", now);
  json_object_set_int_member (fields, "updated_at", now);
  return fields;
}

/* What an agent does that is registered without a definition: what comes with the host. */
static JsonObject *
reeve_agents_default_definition (void)
{
  JsonObject *definition = json_object_new ();
  JsonArray *tools = json_array_new ();

  json_array_add_string_element (tools, "semantic_search");
  json_array_add_string_element (tools, "calculate");
  json_object_set_string_member (definition, "system_prompt", REEVE_AGENTS_DEFAULT_PROMPT);
  json_object_set_array_member (definition, "tools", tools);
  return definition;
}

/**
 * reeve_agents_create:
 * @self: agents
 * @admitted: the right to @operation
 * @operation: `agents.create` or `agents.register`
 * @params: name, description, category, tags, owner_id, role, delegated_user_id, token_claims,
 * active, initial_definition
 * @error: return location
 *
 * Makes an agent with version 0.1.0: published when it is the default definition or auto_publish is
 * set, else a draft.
 *
 * Returns: (transfer full) (nullable): the agent; %REEVE_ERROR_NOT_FOUND when owner_id or
 * delegated_user_id is no user of the tenant, %REEVE_ERROR_CONFLICT when he is not active,
 * %REEVE_ERROR_PERMISSION_DENIED when the caller may not delegate for him
 */
JsonObject *
reeve_agents_create (ReeveAgents *self, ReeveAdmitted *admitted, const char *operation,
                     JsonObject *params, GError **error)
{
  const char *tenant_id = reeve_agents_get_tenant (admitted);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (GError) local = NULL;
  g_autofree char *agent_id = reeve_ids_new ("agt");
  g_autofree char *version_id = reeve_ids_new ("ver");
  g_autoptr (JsonObject) fields = reeve_agents_new_fields (params, admitted);
  JsonObject *given = reeve_json_get_object (params, "initial_definition");
  g_autoptr (JsonObject) definition
      = given != NULL ? json_object_ref (given) : reeve_agents_default_definition ();
  g_autoptr (JsonObject) version
      = reeve_agents_new_version (agent_id, REEVE_AGENTS_FIRST_VERSION, admitted, definition, NULL);

  if (!reeve_agents_identity_check (self, reeve_admitted_get_caller (admitted), NULL, params, error)
      || !reeve_agents_place (self, admitted, batch, params, fields, error))
    return NULL;
  /* the host's own definition needs nobody's look */
  if (self->auto_publish || given == NULL)
    reeve_agents_mark_published (fields, version, version_id);
  reeve_batch_put (batch, REEVE_STORE_AGENTS, agent_id, fields, REEVE_REVISION_ABSENT);
  reeve_batch_put (batch, REEVE_STORE_AGENT_VERSIONS, version_id, version, REEVE_REVISION_ABSENT);
  reeve_agents_count (self, batch, 1);
  if (!reeve_agents_commit (self, admitted, operation, NULL, params, batch, &local))
    {
      if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE))
        g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE,
                             "the tenant has as many agents as max_agents allows");
      else
        g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  return reeve_agents_get (self, tenant_id, agent_id, error);
}

/* ---- changes ---- */

/* Sets members of an agent. */
static JsonObject *
reeve_agents_change (ReeveAgents *self, ReeveAdmitted *admitted, const char *operation,
                     JsonObject *params, JsonObject *members, GError **error)
{
  const char *tenant_id = reeve_agents_get_tenant (admitted);
  const char *agent_id = reeve_json_get_string (params, "agent_id", "");
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) record = reeve_agents_read (self, tenant_id, agent_id, error);
  g_autoptr (JsonObject) fields = NULL;

  if (record == NULL
      || !reeve_agents_identity_check (self, reeve_admitted_get_caller (admitted),
                                       reeve_record_get_fields (record), members, error))
    return NULL;
  fields = reeve_listing_dup (reeve_record_get_fields (record));
  reeve_listing_copy (members, fields, reeve_agents_editable);
  reeve_agents_identity_take (members, fields);
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  reeve_batch_put (batch, REEVE_STORE_AGENTS, agent_id, fields, reeve_record_get_revision (record));
  if (!reeve_agents_commit (self, admitted, operation, agent_id, params, batch, error))
    return NULL;
  reeve_agents_identity_book (self, tenant_id, agent_id, reeve_record_get_revision (record) + 1,
                              fields);
  return reeve_agents_get (self, tenant_id, agent_id, error);
}

/**
 * reeve_agents_update:
 * @self: agents
 * @admitted: the right to `agents.update`
 * @params: agent_id and the members to set
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the agent
 */
JsonObject *
reeve_agents_update (ReeveAgents *self, ReeveAdmitted *admitted, JsonObject *params, GError **error)
{
  return reeve_agents_change (self, admitted, "agents.update", params, params, error);
}

/**
 * reeve_agents_deactivate:
 * @self: agents
 * @admitted: the right to `agents.deactivate`
 * @params: agent_id
 * @error: return location
 *
 * From now on it cannot be executed; all that is known of it stays. An update makes it active
 * again.
 *
 * Returns: (transfer full) (nullable): the agent
 */
JsonObject *
reeve_agents_deactivate (ReeveAgents *self, ReeveAdmitted *admitted, JsonObject *params,
                         GError **error)
{
  g_autoptr (JsonObject) members = json_object_new ();

  json_object_set_boolean_member (members, "active", FALSE);
  return reeve_agents_change (self, admitted, "agents.deactivate", params, members, error);
}

/**
 * reeve_agents_delete:
 * @self: agents
 * @admitted: the right to `agents.delete`
 * @agent_id: an agent
 * @error: return location
 *
 * Deletes an agent, its versions and its own policy; its runs stay, with the definition each was
 * started by. Those under way have no further effects.
 *
 * Returns: whether it is gone
 */
gboolean
reeve_agents_delete (ReeveAgents *self, ReeveAdmitted *admitted, const char *agent_id,
                     GError **error)
{
  const char *tenant_id = reeve_agents_get_tenant (admitted);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) record = reeve_agents_read (self, tenant_id, agent_id, error);
  g_autoptr (GPtrArray) versions = NULL;
  g_autofree char *policy = reeve_policies_snapshot_agent_key (agent_id);

  if (record == NULL)
    return FALSE;
  versions = reeve_agents_read_versions (self, tenant_id, agent_id, error);
  if (versions == NULL)
    return FALSE;
  reeve_batch_delete (batch, REEVE_STORE_AGENTS, agent_id, reeve_record_get_revision (record));
  for (guint i = 0; i < versions->len; i++)
    reeve_batch_delete (batch, REEVE_STORE_AGENT_VERSIONS,
                        reeve_record_get_id (g_ptr_array_index (versions, i)), REEVE_REVISION_ANY);
  reeve_batch_delete (batch, REEVE_STORE_POLICIES, policy, REEVE_REVISION_ANY);
  reeve_agents_count (self, batch, -1);
  reeve_workspaces_count (
      batch, reeve_json_get_string (reeve_record_get_fields (record), "workspace_id", NULL), -1);
  if (!reeve_agents_commit (self, admitted, "agents.delete", agent_id, NULL, batch, error))
    return FALSE;
  reeve_agent_book_set (self->book, tenant_id, agent_id, G_MAXINT64, NULL, FALSE);
  return TRUE;
}

/* ---- what is shown ---- */

static JsonObject *
reeve_agents_describe (ReeveRecord *record)
{
  static const char *const members[]
      = { "name",         "description",     "category",   "tags",       "owner_id",
          "workspace_id", "current_version", "created_at", "updated_at", NULL };
  JsonObject *agent = json_object_new ();

  json_object_set_string_member (agent, "agent_id", reeve_record_get_id (record));
  json_object_set_null_member (agent, "current_version");
  json_object_set_null_member (agent, "owner_id");
  json_object_set_array_member (agent, "tags", json_array_new ());
  reeve_listing_copy (reeve_record_get_fields (record), agent, members);
  reeve_agents_identity_describe (reeve_record_get_fields (record), agent);
  reeve_listing_set_time (agent, "created_at");
  reeve_listing_set_time (agent, "updated_at");
  return agent;
}

/* What stands in other records, or in none. */
static gboolean
reeve_agents_add_rest (ReeveAgents *self, const char *tenant_id, JsonObject *agent, GError **error)
{
  JsonArray *array = json_array_new ();
  g_autoptr (GPtrArray) versions = reeve_agents_read_versions (
      self, tenant_id, reeve_json_get_string (agent, "agent_id", ""), error);

  json_object_set_string_member (agent, "org_id", tenant_id);
  json_object_set_array_member (agent, "versions", array);
  for (guint i = 0; versions != NULL && i < versions->len; i++)
    json_array_add_object_element (array,
                                   reeve_agents_describe_version (g_ptr_array_index (versions, i)));
  return versions != NULL;
}

/**
 * reeve_agents_get:
 * @self: agents
 * @tenant_id: a tenant
 * @agent_id: an agent
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the agent with its `versions`
 */
JsonObject *
reeve_agents_get (ReeveAgents *self, const char *tenant_id, const char *agent_id, GError **error)
{
  g_autoptr (ReeveRecord) record = reeve_agents_read (self, tenant_id, agent_id, error);
  g_autoptr (JsonObject) agent = record != NULL ? reeve_agents_describe (record) : NULL;

  if (agent == NULL || !reeve_agents_add_rest (self, tenant_id, agent, error))
    return NULL;
  return g_steal_pointer (&agent);
}

/**
 * reeve_agents_list:
 * @self: agents
 * @tenant_id: a tenant
 * @seen: (nullable): workspaces whose agents are shown
 * @params: `limit`, `cursor`, `category`, `role`, `active`
 * @error: return location
 *
 * Returns: (transfer full) (nullable): {items, next_cursor}, newest first
 */
JsonObject *
reeve_agents_list (ReeveAgents *self, const char *tenant_id, const char *const *seen,
                   JsonObject *params, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_AGENTS);
  const char *category = reeve_json_get_string (params, "category", NULL);
  g_autoptr (JsonObject) list = NULL;
  JsonArray *items = NULL;

  if (category != NULL)
    reeve_query_filter_string (query, "category", REEVE_FILTER_EQ, category);
  list = reeve_listing_new_matching (self->store, query, "created_at", params, seen,
                                     reeve_agents_identity_matches, reeve_agents_describe, error);
  if (list == NULL)
    return NULL;
  items = json_object_get_array_member (list, "items");
  for (guint i = 0; i < json_array_get_length (items); i++)
    {
      if (!reeve_agents_add_rest (self, tenant_id, json_array_get_object_element (items, i), error))
        return NULL;
    }
  return g_steal_pointer (&list);
}
