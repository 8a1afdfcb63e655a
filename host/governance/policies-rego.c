/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policies in force, for an Open Policy Agent. */
#include "policies-private.h"
#include "policy-rego.h"

/**
 * reeve_policies_get_rego:
 * @self: policies
 * @tenant_id: whose
 * @agent_id: (nullable): for this agent; else for all that have no policy of their own
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full): `{org_id, agent_id, policy_revision, package, module}`
 */
JsonObject *
reeve_policies_get_rego (ReevePolicies *self, const char *tenant_id, const char *agent_id,
                         GError **error)
{
  g_autoptr (ReevePoliciesSnapshot) snapshot = reeve_policies_dup_snapshot (self, tenant_id, error);
  g_autoptr (GPtrArray) others
      = snapshot != NULL ? reeve_policies_snapshot_list_agents (snapshot) : NULL;
  ReevePolicyRegoSubject subject = { tenant_id, agent_id, NULL, 0 };
  g_autofree char *module = NULL;
  g_autofree char *package = reeve_policy_rego_name_package (tenant_id);
  JsonObject *answer = NULL;

  if (snapshot == NULL)
    return NULL;
  g_ptr_array_add (others, NULL);
  subject.others = (const char *const *) others->pdata;
  subject.revision = reeve_policies_snapshot_get_revision (snapshot);
  module = reeve_policy_rego_write (&subject, reeve_policies_snapshot_get_org (snapshot),
                                    reeve_policies_snapshot_get_agent (snapshot, agent_id));
  answer = json_object_new ();
  json_object_set_string_member (answer, "org_id", tenant_id);
  if (agent_id != NULL)
    json_object_set_string_member (answer, "agent_id", agent_id);
  else
    json_object_set_null_member (answer, "agent_id");
  json_object_set_int_member (answer, "policy_revision", subject.revision);
  json_object_set_string_member (answer, "package", package);
  json_object_set_string_member (answer, "module", module);
  return answer;
}
