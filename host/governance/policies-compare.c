/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a draft of all policies would change: which of them, and which decisions. */
#include "policies-private.h"

static ReevePolicy *
reeve_policies_compare_compile (JsonObject *document, ReevePolicyLayer layer, GError **error)
{
  return reeve_policy_new (document, layer, 0, NULL, error);
}

static GHashTable *
reeve_policies_compare_new_table (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                (GDestroyNotify) reeve_policy_unref);
}

static void
reeve_policies_compare_read_present (ReevePoliciesSnapshot *present, GHashTable *agents)
{
  g_autoptr (GPtrArray) ids = reeve_policies_snapshot_list_agents (present);

  for (guint i = 0; i < ids->len; i++)
    {
      const char *id = g_ptr_array_index (ids, i);

      g_hash_table_insert (agents, g_strdup (id),
                           reeve_policy_ref (reeve_policies_snapshot_get_agent (present, id)));
    }
}

static gboolean
reeve_policies_compare_read_draft (JsonObject *policies, GHashTable *agents, GError **error)
{
  JsonObject *documents = reeve_json_get_object (policies, "agents");
  g_autoptr (GList) ids = documents != NULL ? json_object_get_members (documents) : NULL;

  for (GList *l = ids; l != NULL; l = l->next)
    {
      ReevePolicy *policy = reeve_policies_compare_compile (
          json_object_get_object_member (documents, l->data), REEVE_POLICY_LAYER_AGENT, error);

      if (policy == NULL)
        return FALSE;
      g_hash_table_insert (agents, g_strdup (l->data), policy);
    }
  return TRUE;
}

/**
 * reeve_policies_compare:
 * @self: policies
 * @tenant_id: whose
 * @policies: {org?, agents{id or name: document}?}: what they would be
 * @tools: tools that there are
 * @error: return location
 *
 * Changes nothing. Blocks.
 *
 * Returns: (transfer full): {revision, changed, changes[]} as reeve_policies_apply() tells it, and
 * what reeve_policy_analysis_compare() finds; %NULL with the errors of both
 */
JsonObject *
reeve_policies_compare (ReevePolicies *self, const char *tenant_id, JsonObject *policies,
                        ReevePolicyAnalysisTools *tools, GError **error)
{
  const ReevePoliciesWanted wanted
      = { .policies = policies, .expected_revision = -1, .dry_run = TRUE };
  g_auto (ReevePoliciesPlan) plan = { 0 };
  g_autoptr (GHashTable) present = reeve_policies_compare_new_table ();
  g_autoptr (GHashTable) draft = reeve_policies_compare_new_table ();
  g_autoptr (ReevePolicy) org = NULL;
  JsonObject *document = NULL;
  JsonObject *answer = NULL;

  if (!reeve_policies_plan (self, tenant_id, &wanted, &plan, error))
    return NULL;
  document = reeve_json_get_object (plan.policies, "org");
  reeve_policies_compare_read_present (plan.present, present);
  if (!reeve_policies_compare_read_draft (plan.policies, draft, error))
    return NULL;
  if (document != NULL)
    {
      org = reeve_policies_compare_compile (document, REEVE_POLICY_LAYER_ORG, error);
      if (org == NULL)
        return NULL;
    }
  const ReevePolicyAnalysisSet before
      = { .org = reeve_policies_snapshot_get_org (plan.present), .agents = present };
  const ReevePolicyAnalysisSet after = { .org = org, .agents = draft };
  answer = reeve_policy_analysis_compare (&before, &after, tools, error);
  if (answer == NULL)
    return NULL;
  json_object_set_int_member (answer, "revision",
                              reeve_policies_snapshot_get_revision (plan.present));
  json_object_set_boolean_member (answer, "changed", json_array_get_length (plan.changes) > 0);
  json_object_set_array_member (answer, "changes", json_array_ref (plan.changes));
  return answer;
}
