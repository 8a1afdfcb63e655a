/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tool policies of the caller's tenant, over governance/policies.h. */
#include "operation-functions.h"

#include "governance/policy-trace.h"

#include "access-analysis.h"
#include "policy-ask.h"

/* An agent that a body or a query names, as the gate looks at one that a path names: what lies in a
 * workspace that is not seen is not there. FALSE: the call has failed. */
static gboolean
reeve_op_policies_check_agent (ReeveCall *call, ReeveServices *services, const char *agent_id)
{
  gboolean writing = reeve_call_get_operation (call)->klass == REEVE_CLASS_EFFECT;
  GError *error = NULL;
  gboolean exists = TRUE;

  if (agent_id != NULL
      && reeve_workspaces_exists (services->workspaces, reeve_call_get_caller (call),
                                  REEVE_STORE_AGENTS, agent_id, writing, &exists, &error)
      && !exists)
    g_set_error (&error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING,
                 REEVE_STORE_AGENTS);
  if (error != NULL)
    reeve_call_fail (call, error);
  return error == NULL;
}

/* Whoever asks about all policies at once must be shown all agents: those of agents that are hidden
 * are neither told nor changed. FALSE: the call has failed. */
static gboolean
reeve_op_policies_check_all (ReeveCall *call, ReeveServices *services)
{
  g_auto (GStrv) seen = NULL;
  GError *error = NULL;
  gboolean all = FALSE;

  seen = reeve_workspaces_list_seen (services->workspaces, reeve_call_get_caller (call), NULL,
                                     &error);
  if (seen != NULL
      && reeve_workspaces_is_all_seen (services->workspaces, reeve_call_get_tenant_id (call),
                                       (const char *const *) seen, &all, &error)
      && !all)
    g_set_error_literal (&error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                         "this is about all agents, and there are workspaces that are not shown to "
                         "you: permission workspace:read is missing");
  if (error != NULL)
    reeve_call_fail (call, error);
  return error == NULL;
}

void
reeve_op_policies_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page = NULL;

  if (!reeve_op_policies_check_all (call, services))
    return;
  page = reeve_policies_list (services->policies, reeve_call_get_tenant_id (call),
                              reeve_call_get_params (call), &error);
  reeve_call_answer (call, page, error);
}

static void
reeve_op_policies_get (ReeveCall *call, ReeveServices *services, const char *agent_id)
{
  GError *error = NULL;
  JsonObject *policy
      = reeve_policies_get (services->policies, reeve_call_get_tenant_id (call), agent_id, &error);

  reeve_call_answer (call, policy, error);
}

void
reeve_op_policies_get_org (ReeveCall *call, ReeveServices *services)
{
  reeve_op_policies_get (call, services, NULL);
}

void
reeve_op_policies_get_agent (ReeveCall *call, ReeveServices *services)
{
  reeve_op_policies_get (call, services, reeve_call_get_string (call, "agent_id"));
}

/* What of the parameters is the policy; null is as if it were not there. */
static JsonObject *
reeve_op_policies_document (JsonObject *params)
{
  const char *const *members = reeve_policy_list_members ();
  JsonObject *document = json_object_new ();

  for (guint i = 0; members[i] != NULL; i++)
    {
      JsonNode *node = json_object_get_member (params, members[i]);

      if (node != NULL && !JSON_NODE_HOLDS_NULL (node))
        json_object_set_member (document, members[i], json_node_ref (node));
    }
  return document;
}

static void
reeve_op_policies_put (ReeveCall *call, ReeveServices *services, const char *operation,
                       const char *agent_id, JsonObject *document)
{
  GError *error = NULL;
  JsonObject *policy
      = reeve_policies_set (services->policies, reeve_call_get_admitted (call), operation, agent_id,
                            reeve_call_get_params (call), document, &error);

  reeve_call_answer (call, policy, error);
}

void
reeve_op_policies_set_org (ReeveCall *call, ReeveServices *services)
{
  g_autoptr (JsonObject) document = reeve_op_policies_document (reeve_call_get_params (call));

  reeve_op_policies_put (call, services, "policies.set_org", NULL, document);
}

void
reeve_op_policies_set_agent (ReeveCall *call, ReeveServices *services)
{
  g_autoptr (JsonObject) document = reeve_op_policies_document (reeve_call_get_params (call));

  reeve_op_policies_put (call, services, "policies.set_agent",
                         reeve_call_get_string (call, "agent_id"), document);
}

/* Entries of a list of names, behind those that are there. */
static void
reeve_op_policies_add_entries (JsonArray *tools, JsonArray *names, const char *effect)
{
  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    {
      JsonObject *entry = json_object_new ();

      json_object_set_string_member (entry, "tool_name", json_array_get_string_element (names, i));
      json_object_set_string_member (entry, "effect", effect);
      json_array_add_object_element (tools, entry);
    }
}

void
reeve_op_policies_set (ReeveCall *call, ReeveServices *services)
{
  static const char *const limits[] = { "token_limit", "execution_timeout_seconds" };
  JsonObject *params = reeve_call_get_params (call);
  const char *agent_id = reeve_call_get_string (call, "agent_id");
  g_autoptr (JsonObject) document = reeve_op_policies_document (params);
  JsonArray *given = reeve_json_get_array (params, "tools");
  JsonArray *tools = json_array_new ();

  for (guint i = 0; given != NULL && i < json_array_get_length (given); i++)
    json_array_add_element (tools, json_node_ref (json_array_get_element (given, i)));
  reeve_op_policies_add_entries (tools, reeve_json_get_array (params, "allow"), "allow");
  reeve_op_policies_add_entries (tools, reeve_json_get_array (params, "deny"), "deny");
  json_object_set_array_member (document, "tools", tools);
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    if (reeve_json_get_int (document, limits[i], 0) == 0)
      json_object_remove_member (document, limits[i]);
  if (reeve_op_policies_check_agent (call, services, agent_id))
    reeve_op_policies_put (call, services, "policies.set", agent_id, document);
}

static void
reeve_op_policies_delete (ReeveCall *call, ReeveServices *services, const char *operation,
                          const char *agent_id)
{
  GError *error = NULL;

  if (reeve_policies_unset (services->policies, reeve_call_get_admitted (call), operation, agent_id,
                            reeve_call_get_params (call), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}

void
reeve_op_policies_delete_org (ReeveCall *call, ReeveServices *services)
{
  reeve_op_policies_delete (call, services, "policies.delete_org", NULL);
}

void
reeve_op_policies_delete_agent (ReeveCall *call, ReeveServices *services)
{
  reeve_op_policies_delete (call, services, "policies.delete_agent",
                            reeve_call_get_string (call, "agent_id"));
}

void
reeve_op_policies_effective (ReeveCall *call, ReeveServices *services)
{
  const char *agent_id = reeve_call_get_string (call, "agent_id");
  GError *error = NULL;
  JsonObject *policy = NULL;

  if (!reeve_op_policies_check_agent (call, services, agent_id))
    return;
  policy = reeve_policies_get_effective (services->policies, reeve_call_get_tenant_id (call),
                                         agent_id, &error);
  reeve_call_answer (call, policy, error);
}

void
reeve_op_policies_rego (ReeveCall *call, ReeveServices *services)
{
  const char *agent_id = reeve_call_get_string (call, "agent_id");
  GError *error = NULL;
  JsonObject *module = NULL;

  if (!(agent_id != NULL ? reeve_op_policies_check_agent (call, services, agent_id)
                         : reeve_op_policies_check_all (call, services)))
    return;
  module = reeve_policies_get_rego (services->policies, reeve_call_get_tenant_id (call), agent_id,
                                    &error);
  reeve_call_answer (call, module, error);
}

void
reeve_op_policies_revisions (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page = NULL;

  if (!reeve_op_policies_check_all (call, services))
    return;
  page = reeve_policies_list_revisions (services->policies, reeve_call_get_tenant_id (call),
                                        reeve_call_get_params (call), &error);
  reeve_call_answer (call, page, error);
}

void
reeve_op_policies_rollback (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *revision = NULL;

  if (!reeve_op_policies_check_all (call, services))
    return;
  revision = reeve_policies_rollback (services->policies, reeve_call_get_admitted (call),
                                      "policies.rollback", reeve_call_get_int (call, "revision", 0),
                                      reeve_call_get_params (call), &error);
  reeve_call_answer (call, revision, error);
}

void
reeve_op_policies_apply (ReeveCall *call, ReeveServices *services)
{
  JsonObject *params = reeve_call_get_params (call);
  const ReevePoliciesWanted wanted
      = { .policies = reeve_json_get_object (params, "policies"),
          .expected_revision = reeve_call_get_int (call, "expected_revision", -1),
          .dry_run = reeve_json_get_boolean (params, "dry_run", FALSE),
          .reason = reeve_call_get_string (call, "reason") };
  GError *error = NULL;
  JsonObject *answer = NULL;

  if (!reeve_op_policies_check_all (call, services))
    return;
  answer = reeve_policies_apply (services->policies, reeve_call_get_admitted (call),
                                 "policies.apply", params, &wanted, &error);
  reeve_call_answer (call, answer, error);
}

void
reeve_op_policies_export (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *answer = NULL;

  if (!reeve_op_policies_check_all (call, services))
    return;
  answer = reeve_policies_export (services->policies, reeve_call_get_tenant_id (call), &error);
  reeve_call_answer (call, answer, error);
}

/* (transfer full) the tools that there are, with what they say of themselves */
static ReevePolicyAnalysisTools *
reeve_op_policies_list_tools (ReeveServices *services)
{
  ReevePolicyAnalysisTools *known = reeve_policy_analysis_tools_new ();
  g_autoptr (JsonArray) tools = reeve_tools_list (services->tools);

  for (guint i = 0; i < json_array_get_length (tools); i++)
    {
      const char *name
          = reeve_json_get_string (json_array_get_object_element (tools, i), "name", "");
      gboolean exists = FALSE;
      ReeveToolHints hints = reeve_tools_get_hints (services->tools, name, &exists);

      if (exists)
        reeve_policy_analysis_tools_add (known, name, hints);
    }
  return known;
}

/* (transfer full) (nullable) */
static JsonObject *
reeve_op_policies_analyze_access (ReeveCall *call, ReeveServices *services, GError **error)
{
  const ReeveAccessAnalysisQuestion question
      = { .operation = reeve_call_get_string (call, "operation"),
          .role = reeve_call_get_string (call, "role"),
          .resource_type = reeve_call_get_string (call, "resource_type") };

  if (question.operation == NULL)
    {
      reeve_error_set_member (error, "/operation", "which operation, or which policies?");
      return NULL;
    }
  if (!reeve_caller_has_permission (reeve_call_get_caller (call), "role:manage"))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                           "permission role:manage is missing");
      return NULL;
    }
  return reeve_access_analysis_run (services, reeve_call_get_tenant_id (call), &question, error);
}

void
reeve_op_policies_analyze (ReeveCall *call, ReeveServices *services)
{
  JsonObject *policies = reeve_json_get_object (reeve_call_get_params (call), "policies");
  g_autoptr (ReevePolicyAnalysisTools) tools = NULL;
  JsonObject *answer = NULL;
  JsonObject *part = NULL;
  GError *error = NULL;

  if (policies != NULL && !reeve_op_policies_check_all (call, services))
    return;
  tools = reeve_op_policies_list_tools (services);
  answer = json_object_new ();
  if (policies == NULL || reeve_call_get_string (call, "operation") != NULL)
    {
      part = reeve_op_policies_analyze_access (call, services, &error);
      if (part != NULL)
        json_object_set_object_member (answer, "access", part);
    }
  if (policies != NULL && error == NULL)
    {
      part = reeve_policies_compare (services->policies, reeve_call_get_tenant_id (call), policies,
                                     tools, &error);
      if (part != NULL)
        json_object_set_object_member (answer, "draft", part);
    }
  if (error != NULL)
    g_clear_pointer (&answer, json_object_unref);
  reeve_call_answer (call, answer, error);
}

void
reeve_op_policies_evaluate (ReeveCall *call, ReeveServices *services)
{
  const char *agent_id = reeve_call_get_string (call, "agent_id");
  GError *error = NULL;
  JsonObject *answer = NULL;

  if (!reeve_op_policies_check_agent (call, services, agent_id))
    return;
  answer = reeve_policy_ask_decide (
      call, services, agent_id, reeve_call_get_string (call, "tool_name"),
      reeve_json_get_object (reeve_call_get_params (call), "context"), &error);
  reeve_call_answer (call, answer, error);
}
