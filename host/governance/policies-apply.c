/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All policies of a tenant at once: what differs from what is wanted is changed in one batch, under
 * one number. What was read and what is written are of the same number, or it is tried again. */
#include "policies-private.h"

#include "base/config-values.h"
#include "base/times.h"

#include "directory.h"

/* What is wanted, with agents by id, and what is there. */
typedef struct
{
  const ReevePoliciesWanted *wanted;
  const char *operation;
  JsonObject *params;
  gint64 restored;      /* 0: it is no rollback */
  JsonObject *policies; /* {org?, agents{}} */
  GHashTable *names;    /* id of an agent -> how it is called in what is wanted */
  ReevePoliciesSnapshot *present;
  ReeveRecord *head; /* (nullable) */
  JsonArray *changes;
  gboolean consumed;
} ReevePoliciesApply;

static void
reeve_policies_apply_clear (ReevePoliciesApply *self)
{
  g_clear_pointer (&self->policies, json_object_unref);
  g_clear_pointer (&self->names, g_hash_table_unref);
  g_clear_pointer (&self->present, reeve_policies_snapshot_unref);
  g_clear_pointer (&self->head, reeve_record_unref);
  g_clear_pointer (&self->changes, json_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReevePoliciesApply, reeve_policies_apply_clear)

/* ---- what is wanted ---- */

/* (transfer full) (nullable): the id of the agent that is meant */
static char *
reeve_policies_apply_find_agent (ReevePoliciesApply *self, GPtrArray *agents, const char *given,
                                 GError **error)
{
  const char *found = NULL;

  if (reeve_policies_snapshot_get_agent (self->present, given) != NULL)
    return g_strdup (given);
  for (guint i = 0; i < agents->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (agents, i);
      const char *id = reeve_record_get_id (record);

      if (g_strcmp0 (id, given) == 0)
        return g_strdup (given);
      if (g_strcmp0 (reeve_json_get_string (reeve_record_get_fields (record), "name", NULL), given)
          != 0)
        continue;
      if (found != NULL)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                       "there are several agents %s: give an id", given);
          return NULL;
        }
      found = id;
    }
  if (found == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such thing among the agents: %s",
                 given);
  return g_strdup (found);
}

/* @where: JSON pointer in what was asked */
static gboolean
reeve_policies_apply_check (JsonObject *document, ReevePolicyLayer layer, const char *where,
                            GError **error)
{
  g_autoptr (ReevePolicy) policy = reeve_policy_new (document, layer, 0, NULL, error);

  if (policy == NULL)
    reeve_error_prefix_member (error, "%s", where);
  return policy != NULL;
}

static gboolean
reeve_policies_apply_take_agent (ReevePoliciesApply *self, GPtrArray *records, const char *given,
                                 GError **error)
{
  JsonObject *agents = reeve_json_get_object (self->wanted->policies, "agents");
  JsonObject *resolved = json_object_get_object_member (self->policies, "agents");
  g_autoptr (JsonObject) document
      = reeve_policy_normalize (json_object_get_object_member (agents, given));
  g_autofree char *where = reeve_config_values_join ("/policies/agents", given);
  g_autofree char *id = NULL;

  if (!reeve_policies_apply_check (document, REEVE_POLICY_LAYER_AGENT, where, error))
    return FALSE;
  id = reeve_policies_apply_find_agent (self, records, given, error);
  if (id == NULL)
    return FALSE;
  if (json_object_has_member (resolved, id))
    {
      reeve_error_set_member (error, "", "agent %s is there twice, by name and by id", id);
      reeve_error_prefix_member (error, "%s", where);
      return FALSE;
    }
  json_object_set_object_member (resolved, id, json_object_ref (document));
  g_hash_table_insert (self->names, g_strdup (id), g_strdup (given));
  return TRUE;
}

/* What was set once is set again for the agents that there still are. */
static gboolean
reeve_policies_apply_is_gone (ReevePoliciesApply *self, GPtrArray *records, const char *id)
{
  if (self->restored == 0)
    return FALSE;
  for (guint i = 0; i < records->len; i++)
    if (g_strcmp0 (reeve_record_get_id (g_ptr_array_index (records, i)), id) == 0)
      return FALSE;
  return TRUE;
}

static gboolean
reeve_policies_apply_resolve (ReevePoliciesApply *self, ReevePolicies *policies,
                              const char *tenant_id, GError **error)
{
  ReeveStore *store = reeve_policies_get_store (policies);
  JsonObject *org = reeve_json_get_object (self->wanted->policies, "org");
  JsonObject *agents = reeve_json_get_object (self->wanted->policies, "agents");
  g_autoptr (GList) given = agents != NULL ? json_object_get_members (agents) : NULL;
  g_autoptr (GPtrArray) records
      = reeve_directory_read_all (store, tenant_id, REEVE_STORE_AGENTS, NULL, NULL, error);

  if (records == NULL)
    return FALSE;
  g_clear_pointer (&self->policies, json_object_unref);
  self->policies = json_object_new ();
  json_object_set_object_member (self->policies, "agents", json_object_new ());
  if (org != NULL)
    {
      json_object_set_object_member (self->policies, "org", reeve_policy_normalize (org));
      if (!reeve_policies_apply_check (json_object_get_object_member (self->policies, "org"),
                                       REEVE_POLICY_LAYER_ORG, "/policies/org", error))
        return FALSE;
    }
  for (GList *l = given; l != NULL; l = l->next)
    if (!reeve_policies_apply_is_gone (self, records, l->data)
        && !reeve_policies_apply_take_agent (self, records, l->data, error))
      return FALSE;
  return TRUE;
}

/* ---- what differs ---- */

static char *
reeve_policies_apply_write (JsonObject *document)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), document);

  return reeve_json_canonical (node);
}

/* @agent_id (nullable): the org's. @after (nullable): there is to be none. */
static void
reeve_policies_apply_compare (ReevePoliciesApply *self, const char *agent_id, ReevePolicy *before,
                              JsonObject *after)
{
  g_autoptr (JsonObject) document = before != NULL ? reeve_policy_dup_document (before) : NULL;
  g_autofree char *old = document != NULL ? reeve_policies_apply_write (document) : NULL;
  g_autofree char *wanted = after != NULL ? reeve_policies_apply_write (after) : NULL;
  JsonObject *change = NULL;
  const char *name = agent_id != NULL ? g_hash_table_lookup (self->names, agent_id) : NULL;

  if (g_strcmp0 (old, wanted) == 0)
    return;
  change = json_object_new ();
  if (agent_id != NULL)
    json_object_set_string_member (change, "agent_id", agent_id);
  else
    json_object_set_null_member (change, "agent_id");
  if (agent_id != NULL)
    json_object_set_string_member (change, "agent", name != NULL ? name : agent_id);
  json_object_set_string_member (change, "change",
                                 before == NULL  ? "added"
                                 : after == NULL ? "removed"
                                                 : "changed");
  if (document != NULL)
    json_object_set_object_member (change, "before", json_object_ref (document));
  else
    json_object_set_null_member (change, "before");
  if (after != NULL)
    json_object_set_object_member (change, "after", json_object_ref (after));
  else
    json_object_set_null_member (change, "after");
  json_array_add_object_element (self->changes, change);
}

static void
reeve_policies_apply_find_changes (ReevePoliciesApply *self)
{
  JsonObject *agents = json_object_get_object_member (self->policies, "agents");
  g_autoptr (GPtrArray) present = reeve_policies_snapshot_list_agents (self->present);
  g_autoptr (GList) wanted = json_object_get_members (agents);

  g_clear_pointer (&self->changes, json_array_unref);
  self->changes = json_array_new ();
  reeve_policies_apply_compare (self, NULL, reeve_policies_snapshot_get_org (self->present),
                                reeve_json_get_object (self->policies, "org"));
  for (GList *l = wanted; l != NULL; l = l->next)
    reeve_policies_apply_compare (self, l->data,
                                  reeve_policies_snapshot_get_agent (self->present, l->data),
                                  json_object_get_object_member (agents, l->data));
  for (guint i = 0; i < present->len; i++)
    {
      const char *id = g_ptr_array_index (present, i);

      if (!json_object_has_member (agents, id))
        reeve_policies_apply_compare (self, id,
                                      reeve_policies_snapshot_get_agent (self->present, id), NULL);
    }
}

/* ---- one change ---- */

static JsonObject *
reeve_policies_apply_make_revision (ReevePoliciesApply *self, ReeveCaller *caller, gint64 revision,
                                    gint64 now)
{
  JsonObject *fields = json_object_new ();

  json_object_set_int_member (fields, "revision", revision);
  json_object_set_string_member (fields, "change", self->restored > 0 ? "rollback" : "apply");
  json_object_set_string_member (fields, "agent_id", "");
  json_object_set_object_member (fields, "policies", json_object_ref (self->policies));
  if (self->restored > 0)
    json_object_set_int_member (fields, "restored", self->restored);
  if (self->wanted->reason != NULL)
    json_object_set_string_member (fields, "reason", self->wanted->reason);
  json_object_set_string_member (fields, "set_by", reeve_caller_get_user_id (caller));
  json_object_set_int_member (fields, "created_at", now);
  return fields;
}

static gboolean
reeve_policies_apply_fill_policy (ReevePolicies *policies, ReeveCaller *caller, JsonObject *change,
                                  gint64 revision, gint64 now, ReeveBatch *batch, GError **error)
{
  const char *agent_id = reeve_json_get_string (change, "agent_id", NULL);
  JsonObject *after = reeve_json_get_object (change, "after");
  g_autofree char *key = reeve_policies_key (agent_id);
  g_autoptr (JsonObject) fields = NULL;
  GError *reason = NULL;
  g_autoptr (ReeveRecord) old = NULL;

  if (after == NULL)
    {
      reeve_batch_delete (batch, REEVE_STORE_POLICIES, key, REEVE_REVISION_ANY);
      return TRUE;
    }
  old = reeve_policies_find (policies, reeve_caller_get_tenant_id (caller), REEVE_STORE_POLICIES,
                             key, &reason);
  if (reason != NULL)
    {
      g_propagate_error (error, reason);
      return FALSE;
    }
  fields = reeve_policies_make_record (caller, agent_id, after, revision, old, now);
  reeve_batch_put (batch, REEVE_STORE_POLICIES, key, fields, REEVE_REVISION_ANY);
  return TRUE;
}

static ReeveBatch *
reeve_policies_apply_fill (ReevePoliciesApply *self, ReevePolicies *policies, ReeveCaller *caller,
                           gint64 revision, GError **error)
{
  gint64 now = reeve_times_now ();
  g_autoptr (ReeveBatch) batch = reeve_batch_new (reeve_caller_get_tenant_id (caller));
  g_autofree char *name = reeve_policies_revision_key (revision);
  g_autoptr (JsonObject) kept = reeve_policies_apply_make_revision (self, caller, revision, now);
  gboolean shipped = reeve_policies_is_shipped (self->head);
  g_autoptr (JsonObject) counted = NULL;

  for (guint i = 0; i < json_array_get_length (self->changes); i++)
    {
      JsonObject *change = json_array_get_object_element (self->changes, i);

      shipped = shipped && reeve_json_get_string (change, "agent_id", NULL) != NULL;
      if (!reeve_policies_apply_fill_policy (policies, caller, change, revision, now, batch, error))
        return NULL;
    }
  counted = reeve_policies_make_head (revision, shipped, now);
  reeve_batch_put (batch, REEVE_STORE_POLICIES, REEVE_POLICIES_HEAD, counted,
                   self->head != NULL ? reeve_record_get_revision (self->head)
                                      : REEVE_REVISION_ABSENT);
  reeve_batch_put (batch, REEVE_STORE_POLICY_REVISIONS, name, kept, REEVE_REVISION_ABSENT);
  return g_steal_pointer (&batch);
}

/* Reads what is there, all of one number. @again: it was changed between. */
static gboolean
reeve_policies_apply_read (ReevePoliciesApply *self, ReevePolicies *policies, const char *tenant_id,
                           gboolean *again, GError **error)
{
  GError *reason = NULL;
  gint64 revision = 0;

  g_clear_pointer (&self->head, reeve_record_unref);
  g_clear_pointer (&self->present, reeve_policies_snapshot_unref);
  self->head = reeve_policies_find (policies, tenant_id, REEVE_STORE_POLICIES, REEVE_POLICIES_HEAD,
                                    &reason);
  if (reason != NULL)
    {
      g_propagate_error (error, reason);
      return FALSE;
    }
  self->present = reeve_policies_snapshot_load (reeve_policies_get_store (policies), tenant_id,
                                                reeve_policies_get_shipped (policies), error);
  if (self->present == NULL)
    return FALSE;
  revision = self->head != NULL
                 ? reeve_json_get_int (reeve_record_get_fields (self->head), "revision", 0)
                 : 0;
  *again = revision != reeve_policies_snapshot_get_revision (self->present);
  if (!*again)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                       "the policies are changed too often to be applied");
  return FALSE;
}

static gboolean
reeve_policies_apply_check_revision (ReevePoliciesApply *self, GError **error)
{
  gint64 revision = reeve_policies_snapshot_get_revision (self->present);

  if (self->wanted->expected_revision < 0 || self->wanted->expected_revision == revision)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "the policies are of revision %" G_GINT64_FORMAT ", not %" G_GINT64_FORMAT, revision,
               self->wanted->expected_revision);
  return FALSE;
}

/* Who is told that it is so may rely on it, also while another's change is about to be taken up. */
static gboolean
reeve_policies_apply_catch_up (ReevePolicies *policies, const char *tenant_id, gint64 revision,
                               GError **error)
{
  g_autoptr (ReevePoliciesSnapshot) known
      = reeve_policies_dup_snapshot (policies, tenant_id, error);

  if (known == NULL)
    return FALSE;
  return reeve_policies_snapshot_get_revision (known) >= revision
         || reeve_policies_refresh (policies, tenant_id, revision, error);
}

/* What is there, what is wanted, and how they differ. */
static gboolean
reeve_policies_apply_prepare (ReevePoliciesApply *self, ReevePolicies *policies,
                              const char *tenant_id, gboolean *again, GError **error)
{
  *again = FALSE;
  if (!reeve_policies_apply_read (self, policies, tenant_id, again, error)
      || !reeve_policies_apply_check_revision (self, error)
      || !reeve_policies_apply_resolve (self, policies, tenant_id, error))
    return FALSE;
  reeve_policies_apply_find_changes (self);
  return TRUE;
}

/* One try. @again: somebody was faster. @revision (out): that holds then. */
static gboolean
reeve_policies_apply_try (ReevePoliciesApply *self, ReevePolicies *policies,
                          ReeveAdmitted *admitted, gint64 *revision, gboolean *again,
                          GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autoptr (ReeveBatch) batch = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;
  GError *reason = NULL;
  gboolean needed = FALSE;

  if (!reeve_policies_apply_prepare (self, policies, tenant_id, again, error))
    return FALSE;
  *revision = reeve_policies_snapshot_get_revision (self->present);
  needed
      = !self->wanted->dry_run && (json_array_get_length (self->changes) > 0 || self->restored > 0);
  if (needed)
    {
      batch = reeve_policies_apply_fill (self, policies, caller, *revision + 1, error);
      if (batch == NULL)
        return FALSE;
    }
  if (!self->consumed)
    reeve_admitted_consume_exactly (admitted, self->operation, NULL, self->params);
  self->consumed = TRUE;
  if (!needed)
    return self->wanted->dry_run
           || reeve_policies_apply_catch_up (policies, tenant_id, *revision, error);
  *revision += 1;
  result = reeve_store_commit (reeve_policies_get_store (policies), batch, &reason);
  *again = g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_CONFLICT)
           || g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
  if (reason != NULL)
    g_propagate_error (error, reason);
  return result != NULL && reeve_policies_refresh (policies, tenant_id, *revision, error);
}

static JsonObject *
reeve_policies_apply_answer (ReevePoliciesApply *self, gint64 revision)
{
  JsonObject *answer = json_object_new ();

  json_object_set_int_member (answer, "revision", revision);
  json_object_set_boolean_member (answer, "changed", json_array_get_length (self->changes) > 0);
  json_object_set_boolean_member (answer, "dry_run", self->wanted->dry_run);
  json_object_set_array_member (answer, "changes", g_steal_pointer (&self->changes));
  return answer;
}

static JsonObject *
reeve_policies_apply_run (ReevePoliciesApply *self, ReevePolicies *policies,
                          ReeveAdmitted *admitted, GError **error)
{
  gboolean again = TRUE;
  gint64 revision = 0;
  g_autoptr (GError) reason = NULL;

  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; again && i < REEVE_POLICIES_TRIES; i++)
    {
      g_clear_error (&reason);
      if (reeve_policies_apply_try (self, policies, admitted, &revision, &again, &reason))
        return reeve_policies_apply_answer (self, revision);
    }
  g_propagate_error (error, g_steal_pointer (&reason));
  return NULL;
}

/**
 * reeve_policies_apply:
 * @self: policies
 * @admitted: the right to @operation
 * @operation: what was admitted
 * @params: what was admitted with it
 * @wanted: what the tenant's policies are to be
 * @error: return location
 *
 * All of them or none. Where they are so already there is no new revision. Blocks.
 *
 * Returns: (transfer full): what was, or would be, changed; %NULL with
 * %REEVE_ERROR_INVALID_ARGUMENT and the path of the member that is wrong, %REEVE_ERROR_NOT_FOUND
 * for an agent, %REEVE_ERROR_CONFLICT when another revision holds than was expected
 */
JsonObject *
reeve_policies_apply (ReevePolicies *self, ReeveAdmitted *admitted, const char *operation,
                      JsonObject *params, const ReevePoliciesWanted *wanted, GError **error)
{
  g_auto (ReevePoliciesApply) work = { .wanted = wanted, .operation = operation, .params = params };

  return reeve_policies_apply_run (&work, self, admitted, error);
}

JsonObject *
reeve_policies_restore (ReevePolicies *self, ReeveAdmitted *admitted, const char *operation,
                        JsonObject *params, gint64 restored, JsonObject *policies, GError **error)
{
  const ReevePoliciesWanted wanted = { .policies = policies, .expected_revision = -1 };
  g_auto (ReevePoliciesApply) work
      = { .wanted = &wanted, .operation = operation, .params = params, .restored = restored };

  return reeve_policies_apply_run (&work, self, admitted, error);
}

void
reeve_policies_plan_clear (ReevePoliciesPlan *plan)
{
  g_clear_pointer (&plan->present, reeve_policies_snapshot_unref);
  g_clear_pointer (&plan->policies, json_object_unref);
  g_clear_pointer (&plan->changes, json_array_unref);
}

gboolean
reeve_policies_plan (ReevePolicies *self, const char *tenant_id, const ReevePoliciesWanted *wanted,
                     ReevePoliciesPlan *plan, GError **error)
{
  g_auto (ReevePoliciesApply) work = { .wanted = wanted };
  gboolean again = TRUE;
  gboolean done = FALSE;
  g_autoptr (GError) reason = NULL;

  work.names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; again && !done && i < REEVE_POLICIES_TRIES; i++)
    {
      g_clear_error (&reason);
      done = reeve_policies_apply_prepare (&work, self, tenant_id, &again, &reason);
    }
  if (!done)
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  plan->present = g_steal_pointer (&work.present);
  plan->policies = g_steal_pointer (&work.policies);
  plan->changes = g_steal_pointer (&work.changes);
  return TRUE;
}

/**
 * reeve_policies_export:
 * @self: policies
 * @tenant_id: whose
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full): all policies as one document, which reeve_policies_apply() takes back
 * without a change; %NULL with an error
 */
JsonObject *
reeve_policies_export (ReevePolicies *self, const char *tenant_id, GError **error)
{
  g_autoptr (ReevePoliciesSnapshot) present = reeve_policies_snapshot_load (
      reeve_policies_get_store (self), tenant_id, reeve_policies_get_shipped (self), error);
  g_autoptr (GPtrArray) ids = NULL;
  JsonObject *document = NULL;
  JsonObject *agents = NULL;
  JsonObject *answer = NULL;

  if (present == NULL)
    return NULL;
  ids = reeve_policies_snapshot_list_agents (present);
  document = json_object_new ();
  agents = json_object_new ();
  json_object_set_int_member (document, "version", 1);
  if (reeve_policies_snapshot_get_org (present) != NULL)
    json_object_set_object_member (
        document, "org", reeve_policy_dup_document (reeve_policies_snapshot_get_org (present)));
  for (guint i = 0; i < ids->len; i++)
    {
      const char *id = g_ptr_array_index (ids, i);

      json_object_set_object_member (
          agents, id, reeve_policy_dup_document (reeve_policies_snapshot_get_agent (present, id)));
    }
  json_object_set_object_member (document, "agents", agents);
  answer = json_object_new ();
  json_object_set_int_member (answer, "revision", reeve_policies_snapshot_get_revision (present));
  json_object_set_object_member (answer, "document", document);
  return answer;
}
