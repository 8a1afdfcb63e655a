/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every change of a tenant's policies raises the number in one record, in the same batch. Whoever
 * finds the same number before and after reading has read one state. */
#include "policies-snapshot.h"

#include <string.h>

#define REEVE_POLICIES_SNAPSHOT_TRIES 32

struct _ReevePoliciesSnapshot
{
  int references;
  gint64 revision;
  ReevePolicy *org;
  GHashTable *agents; /* id of the agent -> ReevePolicy */
};

/**
 * reeve_policies_snapshot_agent_key:
 * @agent_id: an agent
 *
 * Returns: (transfer full): id of its policy's record
 */
char *
reeve_policies_snapshot_agent_key (const char *agent_id)
{
  return g_strconcat ("agent-", agent_id, NULL);
}

/**
 * reeve_policies_snapshot_ref:
 * @self: a snapshot
 *
 * Returns: (transfer full): @self
 */
ReevePoliciesSnapshot *
reeve_policies_snapshot_ref (ReevePoliciesSnapshot *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

/**
 * reeve_policies_snapshot_unref:
 * @self: (transfer full): a snapshot
 */
void
reeve_policies_snapshot_unref (ReevePoliciesSnapshot *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_clear_pointer (&self->org, reeve_policy_unref);
  g_hash_table_unref (self->agents);
  g_free (self);
}

static ReevePoliciesSnapshot *
reeve_policies_snapshot_new (void)
{
  ReevePoliciesSnapshot *self = g_new0 (ReevePoliciesSnapshot, 1);

  self->references = 1;
  self->agents = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) reeve_policy_unref);
  return self;
}

/* (transfer full) (nullable): %NULL without an error when there is none */
static ReeveRecord *
reeve_policies_snapshot_find (ReeveStore *store, const char *tenant_id, const char *id,
                              GError **error)
{
  GError *reason = NULL;
  ReeveRecord *record = reeve_store_get (store, tenant_id, REEVE_STORE_POLICIES, id, &reason);

  if (g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_clear_error (&reason);
  if (reason != NULL)
    g_propagate_error (error, reason);
  return record;
}

/* A record that no longer parses refuses all: what it denied is not known. */
static ReevePolicy *
reeve_policies_snapshot_compile (ReeveRecord *record, ReevePolicyLayer layer, GError **error)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *document = reeve_json_get_object (fields, "document");
  g_autoptr (GError) reason = NULL;
  ReevePolicy *policy
      = document != NULL
            ? reeve_policy_new (document, layer, reeve_json_get_int (fields, "revision", 0),
                                reeve_json_get_string (fields, "set_by", NULL), &reason)
            : NULL;

  if (policy == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "policy %s: %s",
                 reeve_record_get_id (record),
                 reason != NULL ? reason->message : "it has no document");
  return policy;
}

static gboolean
reeve_policies_snapshot_load_org (ReevePoliciesSnapshot *self, ReeveStore *store,
                                  const char *tenant_id, GError **error)
{
  GError *reason = NULL;
  g_autoptr (ReeveRecord) record
      = reeve_policies_snapshot_find (store, tenant_id, REEVE_POLICIES_ORG, &reason);

  if (record != NULL)
    self->org = reeve_policies_snapshot_compile (record, REEVE_POLICY_LAYER_ORG, &reason);
  if (reason == NULL)
    return TRUE;
  g_propagate_error (error, reason);
  return FALSE;
}

static gboolean
reeve_policies_snapshot_load_agents (ReevePoliciesSnapshot *self, ReeveStore *store,
                                     const char *tenant_id, GError **error)
{
  g_autofree char *cursor = NULL;

  do
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_POLICIES);
      g_autoptr (ReeveQueryResult) result = NULL;
      GPtrArray *records = NULL;

      reeve_query_filter_string (query, "kind", REEVE_FILTER_EQ, "agent");
      reeve_query_order (query, "agent_id", FALSE);
      reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
      reeve_query_cursor (query, cursor);
      result = reeve_store_query (store, query, error);
      if (result == NULL)
        return FALSE;
      records = reeve_query_result_get_records (result);
      for (guint i = 0; i < records->len; i++)
        {
          ReeveRecord *record = g_ptr_array_index (records, i);
          const char *agent_id
              = reeve_json_get_string (reeve_record_get_fields (record), "agent_id", "");
          ReevePolicy *policy
              = reeve_policies_snapshot_compile (record, REEVE_POLICY_LAYER_AGENT, error);

          if (policy == NULL)
            return FALSE;
          g_hash_table_insert (self->agents, g_strdup (agent_id), policy);
        }
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
    }
  while (cursor != NULL);
  return TRUE;
}

static gboolean
reeve_policies_snapshot_read_head (ReeveStore *store, const char *tenant_id, gint64 *revision,
                                   gboolean *shipped, GError **error)
{
  GError *reason = NULL;
  g_autoptr (ReeveRecord) head
      = reeve_policies_snapshot_find (store, tenant_id, REEVE_POLICIES_HEAD, &reason);
  JsonObject *fields = head != NULL ? reeve_record_get_fields (head) : NULL;

  *revision = fields != NULL ? reeve_json_get_int (fields, "revision", 0) : 0;
  *shipped = fields == NULL || reeve_json_get_boolean (fields, "shipped", FALSE);
  if (reason == NULL)
    return TRUE;
  g_propagate_error (error, reason);
  return FALSE;
}

/* One try; @torn: it was changed meanwhile. */
static ReevePoliciesSnapshot *
reeve_policies_snapshot_try (ReeveStore *store, const char *tenant_id, ReevePolicy *shipped,
                             gboolean *torn, GError **error)
{
  g_autoptr (ReevePoliciesSnapshot) self = reeve_policies_snapshot_new ();
  gint64 after = 0;
  gboolean is_shipped = FALSE;

  if (!reeve_policies_snapshot_read_head (store, tenant_id, &self->revision, &is_shipped, error)
      || !reeve_policies_snapshot_load_org (self, store, tenant_id, error)
      || !reeve_policies_snapshot_load_agents (self, store, tenant_id, error)
      || !reeve_policies_snapshot_read_head (store, tenant_id, &after, &is_shipped, error))
    return NULL;
  *torn = after != self->revision;
  if (self->org == NULL && is_shipped && shipped != NULL)
    self->org = reeve_policy_ref (shipped);
  return g_steal_pointer (&self);
}

/* The platform has no agents and sets no policy: what the host does to itself is held to the
 * shipped one. */
static ReevePoliciesSnapshot *
reeve_policies_snapshot_make_platform (ReevePolicy *shipped)
{
  ReevePoliciesSnapshot *self = reeve_policies_snapshot_new ();

  self->org = shipped != NULL ? reeve_policy_ref (shipped) : NULL;
  return self;
}

/**
 * reeve_policies_snapshot_load:
 * @store: the store
 * @tenant_id: whose
 * @shipped: (nullable): the org policy of a tenant that never set or deleted one
 * @error: return location
 *
 * Returns: (transfer full): the policies of one revision; %NULL with %REEVE_ERROR_BUSY when they
 * are changed again and again, %REEVE_ERROR_CORRUPT for a record that is no policy
 */
ReevePoliciesSnapshot *
reeve_policies_snapshot_load (ReeveStore *store, const char *tenant_id, ReevePolicy *shipped,
                              GError **error)
{
  if (strcmp (tenant_id, REEVE_SCOPE_PLATFORM) == 0)
    return reeve_policies_snapshot_make_platform (shipped);
  for (guint i = 0; i < REEVE_POLICIES_SNAPSHOT_TRIES; i++)
    {
      gboolean torn = FALSE;
      g_autoptr (ReevePoliciesSnapshot) self
          = reeve_policies_snapshot_try (store, tenant_id, shipped, &torn, error);

      if (self == NULL || !torn)
        return g_steal_pointer (&self);
    }
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                       "the policies are changed too often to be read");
  return NULL;
}

/**
 * reeve_policies_snapshot_get_revision:
 * @self: a snapshot
 *
 * Returns: number of the last change; 0: there was none
 */
gint64
reeve_policies_snapshot_get_revision (ReevePoliciesSnapshot *self)
{
  return self->revision;
}

/**
 * reeve_policies_snapshot_get_org:
 * @self: a snapshot
 *
 * Returns: (transfer none) (nullable): the tenant's policy
 */
ReevePolicy *
reeve_policies_snapshot_get_org (ReevePoliciesSnapshot *self)
{
  return self->org;
}

/**
 * reeve_policies_snapshot_get_agent:
 * @self: a snapshot
 * @agent_id: (nullable): an agent
 *
 * Returns: (transfer none) (nullable): its policy
 */
ReevePolicy *
reeve_policies_snapshot_get_agent (ReevePoliciesSnapshot *self, const char *agent_id)
{
  return agent_id != NULL ? g_hash_table_lookup (self->agents, agent_id) : NULL;
}

static gint
reeve_policies_snapshot_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * reeve_policies_snapshot_list_agents:
 * @self: a snapshot
 *
 * Returns: (transfer container) (element-type utf8): ids of the agents that have a policy, sorted
 */
GPtrArray *
reeve_policies_snapshot_list_agents (ReevePoliciesSnapshot *self)
{
  GPtrArray *ids = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer id = NULL;

  g_hash_table_iter_init (&iter, self->agents);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    g_ptr_array_add (ids, id);
  g_ptr_array_sort (ids, reeve_policies_snapshot_compare);
  return ids;
}
