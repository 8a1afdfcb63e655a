/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's side of policies. A change is one batch: the number, the policy, the revision. Two
 * that change at once meet at the number: one of them takes the next one. */
#include "policies-private.h"

#include "base/times.h"

#include "directory.h"
#include "policy-merge.h"

/* What is to be changed. */
typedef struct
{
  const char *operation;
  const char *agent_id; /* NULL: the org's */
  JsonObject *params;
  JsonObject *document; /* NULL: it is unset */
  const char *change;   /* set, delete, rollback */
  gint64 restored;      /* rollback: which one */
  gboolean consumed;
  gint64 revision; /* out */
} ReevePoliciesChange;

/* ---- showing ---- */

static void
reeve_policies_show_agent (JsonObject *shown, const char *agent_id)
{
  if (agent_id != NULL && *agent_id != '\0')
    json_object_set_string_member (shown, "agent_id", agent_id);
  else
    json_object_set_null_member (shown, "agent_id");
}

static void
reeve_policies_show_document (JsonObject *shown, JsonObject *document)
{
  const char *const *members = reeve_policy_list_members ();

  for (guint i = 0; document != NULL && members[i] != NULL; i++)
    reeve_directory_copy (document, shown, members[i]);
  if (!json_object_has_member (shown, "tools"))
    json_object_set_array_member (shown, "tools", json_array_new ());
}

static JsonObject *
reeve_policies_show (ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "policy_id", reeve_record_get_id (record));
  reeve_directory_copy (fields, shown, "org_id");
  reeve_policies_show_agent (shown, reeve_json_get_string (fields, "agent_id", NULL));
  reeve_policies_show_document (shown, reeve_json_get_object (fields, "document"));
  reeve_directory_copy (fields, shown, "revision");
  reeve_directory_copy (fields, shown, "set_by");
  reeve_directory_show_time (fields, shown, "created_at");
  reeve_directory_show_time (fields, shown, "updated_at");
  return shown;
}

/* One that no record holds: it came with the profile. */
static JsonObject *
reeve_policies_show_shipped (const char *tenant_id, ReevePolicy *policy)
{
  JsonObject *shown = json_object_new ();
  g_autoptr (JsonObject) document = reeve_policy_dup_document (policy);

  json_object_set_string_member (shown, "policy_id", REEVE_POLICIES_ORG);
  json_object_set_string_member (shown, "org_id", tenant_id);
  reeve_policies_show_agent (shown, NULL);
  reeve_policies_show_document (shown, document);
  json_object_set_int_member (shown, "revision", 0);
  json_object_set_string_member (shown, "set_by", reeve_policy_get_set_by (policy));
  return shown;
}

static JsonObject *
reeve_policies_show_revision (ReeveRecord *record)
{
  static const char *const members[]
      = { "revision", "change", "policy", "set_by", "restored", "policies", "reason" };
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (fields, shown, members[i]);
  if (!json_object_has_member (shown, "policy"))
    json_object_set_null_member (shown, "policy");
  reeve_policies_show_agent (shown, reeve_json_get_string (fields, "agent_id", NULL));
  reeve_directory_show_time (fields, shown, "created_at");
  return shown;
}

/* ---- reading ---- */

char *
reeve_policies_key (const char *agent_id)
{
  return agent_id != NULL ? reeve_policies_snapshot_agent_key (agent_id)
                          : g_strdup (REEVE_POLICIES_ORG);
}

ReeveRecord *
reeve_policies_find (ReevePolicies *self, const char *tenant_id, const char *collection,
                     const char *id, GError **error)
{
  GError *reason = NULL;
  ReeveRecord *record
      = reeve_store_get (reeve_policies_get_store (self), tenant_id, collection, id, &reason);

  if (g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_clear_error (&reason);
  if (reason != NULL)
    g_propagate_error (error, reason);
  return record;
}

static void
reeve_policies_set_absent (GError **error, const char *agent_id)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no policy is set for %s",
               agent_id != NULL ? "the agent" : "the organisation");
}

/**
 * reeve_policies_get:
 * @self: policies
 * @tenant_id: whose
 * @agent_id: (nullable): of which agent; %NULL: the tenant's
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full): the policy; %NULL with %REEVE_ERROR_NOT_FOUND when it is not set
 */
JsonObject *
reeve_policies_get (ReevePolicies *self, const char *tenant_id, const char *agent_id,
                    GError **error)
{
  g_autofree char *key = reeve_policies_key (agent_id);
  GError *reason = NULL;
  g_autoptr (ReeveRecord) record
      = reeve_policies_find (self, tenant_id, REEVE_STORE_POLICIES, key, &reason);
  g_autoptr (ReevePoliciesSnapshot) snapshot = NULL;
  ReevePolicy *org = NULL;

  if (record != NULL)
    return reeve_policies_show (record);
  if (reason == NULL && agent_id == NULL)
    {
      snapshot = reeve_policies_dup_snapshot (self, tenant_id, &reason);
      org = snapshot != NULL ? reeve_policies_snapshot_get_org (snapshot) : NULL;
    }
  if (org != NULL && reeve_policy_get_revision (org) == 0)
    return reeve_policies_show_shipped (tenant_id, org);
  if (reason != NULL)
    g_propagate_error (error, reason);
  else
    reeve_policies_set_absent (error, agent_id);
  return NULL;
}

/**
 * reeve_policies_list:
 * @self: policies
 * @tenant_id: whose
 * @params: {limit?, cursor?}
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full): {items, next_cursor} of what was set, oldest first
 */
JsonObject *
reeve_policies_list (ReevePolicies *self, const char *tenant_id, JsonObject *params, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_POLICIES);

  reeve_query_filter_int (query, "created_at", REEVE_FILTER_GT, 0); /* not the number */
  return reeve_directory_list (reeve_policies_get_store (self), query, params, reeve_policies_show,
                               error);
}

/**
 * reeve_policies_get_effective:
 * @self: policies
 * @tenant_id: whose
 * @agent_id: (nullable): for which agent
 * @error: return location
 *
 * Blocks when they are not known yet.
 *
 * Returns: (transfer full): both as one document; closed when neither is set; %NULL with an error
 */
JsonObject *
reeve_policies_get_effective (ReevePolicies *self, const char *tenant_id, const char *agent_id,
                              GError **error)
{
  g_autoptr (ReevePoliciesSnapshot) snapshot = reeve_policies_dup_snapshot (self, tenant_id, error);
  JsonObject *merged = NULL;

  if (snapshot == NULL)
    return NULL;
  merged = reeve_policy_merge (reeve_policies_snapshot_get_org (snapshot),
                               reeve_policies_snapshot_get_agent (snapshot, agent_id));
  json_object_set_string_member (merged, "org_id", tenant_id);
  reeve_policies_show_agent (merged, agent_id);
  json_object_set_int_member (merged, "policy_revision",
                              reeve_policies_snapshot_get_revision (snapshot));
  return merged;
}

/**
 * reeve_policies_list_revisions:
 * @self: policies
 * @tenant_id: whose
 * @params: {limit?, cursor?}
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full): {items, next_cursor} of all changes, oldest first
 */
JsonObject *
reeve_policies_list_revisions (ReevePolicies *self, const char *tenant_id, JsonObject *params,
                               GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_POLICY_REVISIONS);

  return reeve_directory_list (reeve_policies_get_store (self), query, params,
                               reeve_policies_show_revision, error);
}

/* ---- changing ---- */

char *
reeve_policies_revision_key (gint64 revision)
{
  return g_strdup_printf ("revision-%" G_GINT64_FORMAT, revision);
}

JsonObject *
reeve_policies_make_record (ReeveCaller *caller, const char *agent_id, JsonObject *document,
                            gint64 revision, ReeveRecord *old, gint64 now)
{
  JsonObject *fields = json_object_new ();
  gint64 created
      = old != NULL ? reeve_json_get_int (reeve_record_get_fields (old), "created_at", now) : now;

  json_object_set_string_member (fields, "kind", agent_id != NULL ? "agent" : "org");
  json_object_set_string_member (fields, "agent_id", agent_id != NULL ? agent_id : "");
  json_object_set_string_member (fields, "org_id", reeve_caller_get_tenant_id (caller));
  json_object_set_object_member (fields, "document", json_object_ref (document));
  json_object_set_int_member (fields, "revision", revision);
  json_object_set_string_member (fields, "set_by", reeve_caller_get_user_id (caller));
  json_object_set_int_member (fields, "created_at", created);
  json_object_set_int_member (fields, "updated_at", now);
  return fields;
}

static JsonObject *
reeve_policies_make_revision (ReevePoliciesChange *change, ReeveCaller *caller, gint64 now)
{
  JsonObject *fields = json_object_new ();

  json_object_set_int_member (fields, "revision", change->revision);
  json_object_set_string_member (fields, "change", change->change);
  json_object_set_string_member (fields, "agent_id",
                                 change->agent_id != NULL ? change->agent_id : "");
  if (change->document != NULL)
    json_object_set_object_member (fields, "policy", json_object_ref (change->document));
  if (change->restored > 0)
    json_object_set_int_member (fields, "restored", change->restored);
  json_object_set_string_member (fields, "set_by", reeve_caller_get_user_id (caller));
  json_object_set_int_member (fields, "created_at", now);
  return fields;
}

JsonObject *
reeve_policies_make_head (gint64 revision, gboolean shipped, gint64 now)
{
  JsonObject *fields = json_object_new ();

  json_object_set_string_member (fields, "kind", "head");
  json_object_set_string_member (fields, "agent_id", "");
  json_object_set_int_member (fields, "revision", revision);
  json_object_set_boolean_member (fields, "shipped", shipped);
  json_object_set_int_member (fields, "updated_at", now);
  return fields;
}

gboolean
reeve_policies_is_shipped (ReeveRecord *head)
{
  return head == NULL || reeve_json_get_boolean (reeve_record_get_fields (head), "shipped", FALSE);
}

/* Fills @batch for one try. @head, @old (nullable): what is there now. */
static void
reeve_policies_fill (ReevePoliciesChange *change, ReeveCaller *caller, ReeveBatch *batch,
                     ReeveRecord *head, ReeveRecord *old)
{
  JsonObject *known = head != NULL ? reeve_record_get_fields (head) : NULL;
  gint64 now = reeve_times_now ();
  gboolean shipped = change->agent_id != NULL && reeve_policies_is_shipped (head);
  g_autofree char *key = reeve_policies_key (change->agent_id);
  g_autofree char *name = NULL;
  g_autoptr (JsonObject) counted = NULL;
  g_autoptr (JsonObject) kept = NULL;
  g_autoptr (JsonObject) record = NULL;

  change->revision = (known != NULL ? reeve_json_get_int (known, "revision", 0) : 0) + 1;
  name = reeve_policies_revision_key (change->revision);
  counted = reeve_policies_make_head (change->revision, shipped, now);
  kept = reeve_policies_make_revision (change, caller, now);
  reeve_batch_put (batch, REEVE_STORE_POLICIES, REEVE_POLICIES_HEAD, counted,
                   head != NULL ? reeve_record_get_revision (head) : REEVE_REVISION_ABSENT);
  reeve_batch_put (batch, REEVE_STORE_POLICY_REVISIONS, name, kept, REEVE_REVISION_ABSENT);
  if (change->document != NULL)
    {
      record = reeve_policies_make_record (caller, change->agent_id, change->document,
                                           change->revision, old, now);
      reeve_batch_put (batch, REEVE_STORE_POLICIES, key, record, REEVE_REVISION_ANY);
    }
  else
    reeve_batch_delete (batch, REEVE_STORE_POLICIES, key, REEVE_REVISION_ANY);
}

/* Is there something to unset? The shipped policy is, until it is. */
static gboolean
reeve_policies_can_unset (ReevePolicies *self, ReevePoliciesChange *change, ReeveRecord *head,
                          ReeveRecord *old)
{
  if (change->document != NULL || old != NULL || change->restored > 0)
    return TRUE;
  return change->agent_id == NULL && reeve_policies_has_shipped (self)
         && reeve_policies_is_shipped (head);
}

/* One try. @again: somebody was faster. */
static gboolean
reeve_policies_try (ReevePolicies *self, ReeveAdmitted *admitted, ReevePoliciesChange *change,
                    gboolean *again, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autofree char *key = reeve_policies_key (change->agent_id);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  GError *reason = NULL;
  g_autoptr (ReeveRecord) head
      = reeve_policies_find (self, tenant_id, REEVE_STORE_POLICIES, REEVE_POLICIES_HEAD, &reason);
  g_autoptr (ReeveRecord) old
      = reason == NULL ? reeve_policies_find (self, tenant_id, REEVE_STORE_POLICIES, key, &reason)
                       : NULL;
  g_autoptr (ReeveBatchResult) result = NULL;

  if (reason == NULL && !reeve_policies_can_unset (self, change, head, old))
    reeve_policies_set_absent (&reason, change->agent_id);
  if (reason == NULL)
    {
      reeve_policies_fill (change, caller, batch, head, old);
      if (!change->consumed)
        reeve_admitted_consume_exactly (admitted, change->operation, NULL, change->params);
      change->consumed = TRUE;
      result = reeve_store_commit (reeve_policies_get_store (self), batch, &reason);
    }
  *again = g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_CONFLICT)
           || g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
  if (reason != NULL)
    g_propagate_error (error, reason);
  return result != NULL;
}

static gboolean
reeve_policies_change (ReevePolicies *self, ReeveAdmitted *admitted, ReevePoliciesChange *change,
                       GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
  gboolean again = TRUE;

  for (guint i = 0; again && i < REEVE_POLICIES_TRIES; i++)
    {
      g_clear_error (error);
      if (reeve_policies_try (self, admitted, change, &again, error))
        return reeve_policies_refresh (self, tenant_id, change->revision, error);
    }
  return FALSE;
}

/**
 * reeve_policies_set:
 * @self: policies
 * @admitted: the right to @operation
 * @operation: what was admitted
 * @agent_id: (nullable): of which agent; %NULL: the tenant's
 * @params: what was admitted with it
 * @document: what the policy says
 * @error: return location
 *
 * Creates or replaces a policy. Blocks.
 *
 * Returns: (transfer full): the policy; %NULL with %REEVE_ERROR_INVALID_ARGUMENT and the path of
 * the member that is wrong
 */
JsonObject *
reeve_policies_set (ReevePolicies *self, ReeveAdmitted *admitted, const char *operation,
                    const char *agent_id, JsonObject *params, JsonObject *document, GError **error)
{
  ReevePoliciesChange change = { .operation = operation,
                                 .agent_id = agent_id,
                                 .params = params,
                                 .document = document,
                                 .change = "set" };
  const char *tenant_id = reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
  g_autoptr (GError) reason = NULL;
  g_autoptr (ReevePolicy) policy = reeve_policy_new (
      document, agent_id != NULL ? REEVE_POLICY_LAYER_AGENT : REEVE_POLICY_LAYER_ORG, 0, NULL,
      error);

  if (policy == NULL)
    return NULL;
  if (reeve_policies_change (self, admitted, &change, &reason))
    return reeve_policies_get (self, tenant_id, agent_id, error);
  g_propagate_error (error, g_steal_pointer (&reason));
  return NULL;
}

/**
 * reeve_policies_unset:
 * @self: policies
 * @admitted: the right to @operation
 * @operation: what was admitted
 * @agent_id: (nullable): of which agent; %NULL: the tenant's
 * @params: what was admitted with it
 * @error: return location
 *
 * Deletes a policy. The one that the profile ships is one until it is deleted. Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_policies_unset (ReevePolicies *self, ReeveAdmitted *admitted, const char *operation,
                      const char *agent_id, JsonObject *params, GError **error)
{
  ReevePoliciesChange change
      = { .operation = operation, .agent_id = agent_id, .params = params, .change = "delete" };
  GError *reason = NULL;

  if (reeve_policies_change (self, admitted, &change, &reason))
    return TRUE;
  g_propagate_error (error, reason);
  return FALSE;
}

static JsonObject *
reeve_policies_read_revision (ReevePolicies *self, const char *tenant_id, gint64 revision,
                              GError **error)
{
  g_autofree char *name = reeve_policies_revision_key (revision);
  g_autoptr (ReeveRecord) made = reeve_store_get (reeve_policies_get_store (self), tenant_id,
                                                  REEVE_STORE_POLICY_REVISIONS, name, error);

  return made != NULL ? reeve_policies_show_revision (made) : NULL;
}

/**
 * reeve_policies_rollback:
 * @self: policies
 * @admitted: the right to @operation
 * @operation: what was admitted
 * @revision: which change is to be done again
 * @params: what was admitted with it
 * @error: return location
 *
 * The policy that this revision set is set again, or unset when it unset it; of one that set all at
 * once all are. Blocks.
 *
 * Returns: (transfer full): the new revision; %NULL with %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_policies_rollback (ReevePolicies *self, ReeveAdmitted *admitted, const char *operation,
                         gint64 revision, JsonObject *params, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
  g_autofree char *key = reeve_policies_revision_key (revision);
  ReevePoliciesChange change
      = { .operation = operation, .params = params, .change = "rollback", .restored = revision };
  g_autoptr (ReeveRecord) old = reeve_store_get (reeve_policies_get_store (self), tenant_id,
                                                 REEVE_STORE_POLICY_REVISIONS, key, error);
  g_autoptr (JsonObject) applied = NULL;
  JsonObject *fields = NULL;
  GError *reason = NULL;

  if (old == NULL)
    return NULL;
  fields = reeve_record_get_fields (old);
  if (reeve_json_get_object (fields, "policies") != NULL)
    {
      applied = reeve_policies_restore (self, admitted, operation, params, revision,
                                        reeve_json_get_object (fields, "policies"), error);
      return applied != NULL ? reeve_policies_read_revision (
                 self, tenant_id, reeve_json_get_int (applied, "revision", 0), error)
                             : NULL;
    }
  change.document = reeve_json_get_object (fields, "policy");
  change.agent_id = reeve_json_get_string (fields, "agent_id", "");
  if (*change.agent_id == '\0')
    change.agent_id = NULL;
  if (!reeve_policies_change (self, admitted, &change, &reason))
    {
      g_propagate_error (error, reason);
      return NULL;
    }
  return reeve_policies_read_revision (self, tenant_id, change.revision, error);
}
