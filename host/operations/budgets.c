/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Budgets of the caller's tenant, over governance/budgets.h. */
#include "budget-check.h"
#include "budget-tools.h"
#include "operation-functions.h"
#include "page.h"

#include "governance/directory.h"

#define REEVE_OP_BUDGETS_AGENTS     "agents"
#define REEVE_OP_BUDGETS_USERS      "users"
#define REEVE_OP_BUDGETS_KEYS       "keys"
#define REEVE_OP_BUDGETS_WORKSPACES "workspaces"

/* (transfer full): the key of a budget; @id NULL: the organisation's */
static char *
reeve_op_budgets_key (const char *kind, const char *id)
{
  return id != NULL ? g_strconcat (kind, "/", id, NULL) : g_strdup (REEVE_BUDGET_ORG);
}

/* Does nothing of that name exist, whoever sees it? */
static gboolean
reeve_op_budgets_is_gone (ReeveCall *call, ReeveServices *services, const char *kind,
                          const char *id, gboolean *gone, GError **error)
{
  gboolean keys = g_str_equal (kind, REEVE_OP_BUDGETS_KEYS);
  gboolean exists = FALSE;

  if (!reeve_store_exists (services->store,
                           keys ? REEVE_SCOPE_PLATFORM : reeve_call_get_tenant_id (call),
                           keys ? REEVE_STORE_API_KEYS : kind, id, &exists, error))
    return FALSE;
  *gone = !exists;
  return TRUE;
}

/* A key of the tenant; whose budget one sees, need not be one's own. */
static gboolean
reeve_op_budgets_has_key (ReeveCall *call, ReeveServices *services, const char *id, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) key = reeve_directory_get_of_tenant (
      services->store, REEVE_STORE_API_KEYS, id, reeve_call_get_tenant_id (call), &local);

  if (local != NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&local));
  return key != NULL;
}

/* The budget of a workspace is read by whoever reads the tenant's budgets, shown the workspace or
 * not, but for one who is bound to another. */
static gboolean
reeve_op_budgets_is_shown (ReeveCall *call, const char *kind)
{
  return reeve_call_get_operation (call)->klass != REEVE_CLASS_EFFECT
         && g_str_equal (kind, REEVE_OP_BUDGETS_WORKSPACES)
         && reeve_caller_get_workspace_id (reeve_call_get_caller (call)) == NULL;
}

/* What is gone lies nowhere: it is seen by who sees all that there is, with a permission for the
 * whole tenant, and deleted by who enters everything. */
static gboolean
reeve_op_budgets_may_have_gone (ReeveCall *call, ReeveServices *services, const char *kind,
                                gboolean *may, GError **error)
{
  ReeveCaller *caller = reeve_call_get_caller (call);
  const ReeveOperation *operation = reeve_call_get_operation (call);
  g_auto (GStrv) seen = NULL;

  *may = reeve_caller_get_workspace_id (caller) == NULL
         && reeve_caller_has_permission (caller, operation->permission)
         && (operation->klass != REEVE_CLASS_EFFECT
             || reeve_caller_has_permission (caller, "workspace:read"));
  if (!*may || reeve_op_budgets_is_shown (call, kind))
    return TRUE;
  seen = reeve_workspaces_list_seen (services->workspaces, caller, NULL, error);
  return seen != NULL
         && reeve_workspaces_is_all_seen (services->workspaces, reeve_call_get_tenant_id (call),
                                          (const char *const *) seen, may, error);
}

/**
 * reeve_op_budgets_remains:
 * @call: a call that reads or deletes a budget
 * @services: what operations work with
 * @kind: a collection
 * @id: what is not there, or not seen
 * @exists: (out): whether it was deleted, its budget is still there, and @call may have it
 * @error: return location
 *
 * As the list shows it. Blocks.
 *
 * Returns: %FALSE with an error: it is not known
 */
gboolean
reeve_op_budgets_remains (ReeveCall *call, ReeveServices *services, const char *kind,
                          const char *id, gboolean *exists, GError **error)
{
  g_autofree char *key = reeve_op_budgets_key (kind, id);
  g_autoptr (JsonObject) budget = NULL;
  g_autoptr (GError) local = NULL;
  gboolean gone = FALSE;
  gboolean may = FALSE;

  *exists = FALSE;
  budget = reeve_budgets_get (services->budgets, reeve_call_get_tenant_id (call), key, &local);
  if (budget == NULL && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  if (budget == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (!reeve_op_budgets_is_gone (call, services, kind, id, &gone, error))
    return FALSE;
  if (gone && !reeve_op_budgets_may_have_gone (call, services, kind, &may, error))
    return FALSE;
  *exists = gone && may;
  return TRUE;
}

/* What a body, a query or a path names; what lies in a workspace that is not seen is not there.
 * FALSE: the call has failed. */
static gboolean
reeve_op_budgets_check_subject (ReeveCall *call, ReeveServices *services, const char *kind,
                                const char *id)
{
  gboolean writing = reeve_call_get_operation (call)->klass == REEVE_CLASS_EFFECT;
  GError *error = NULL;
  gboolean exists = TRUE;

  if (id == NULL)
    return TRUE;
  if (g_str_equal (kind, REEVE_OP_BUDGETS_KEYS))
    exists = reeve_op_budgets_has_key (call, services, id, &error);
  else if (reeve_op_budgets_is_shown (call, kind))
    {
      if (!reeve_store_exists (services->store, reeve_call_get_tenant_id (call), kind, id, &exists,
                               &error))
        exists = FALSE;
    }
  else if (!reeve_workspaces_exists (services->workspaces, reeve_call_get_caller (call), kind, id,
                                     writing, &exists, &error))
    exists = FALSE;
  if (!exists && error == NULL)
    g_set_error (&error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING, kind);
  if (error != NULL)
    reeve_call_fail (call, error);
  return exists && error == NULL;
}

/* Is it shown whose budget this is? */
static gboolean
reeve_op_budgets_is_seen (ReeveCall *call, ReeveServices *services, JsonObject *budget,
                          GError **error)
{
  const char *workspace_id = reeve_json_get_string (budget, "workspace_id", NULL);
  const char *agent_id = reeve_json_get_string (budget, "agent_id", NULL);
  const char *id = workspace_id != NULL ? workspace_id : agent_id;
  const char *kind = workspace_id != NULL ? REEVE_OP_BUDGETS_WORKSPACES : REEVE_OP_BUDGETS_AGENTS;
  GError *reason = NULL;
  gboolean exists = TRUE;

  if (id != NULL && !reeve_op_budgets_is_shown (call, kind)
      && !reeve_workspaces_exists (services->workspaces, reeve_call_get_caller (call), kind, id,
                                   FALSE, &exists, &reason))
    exists = FALSE;
  if (g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_NETWORK_DENIED)
      || g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_COUNTRY_DENIED))
    g_clear_error (&reason);
  if (reason != NULL)
    g_propagate_error (error, reason);
  return exists;
}

/* (transfer full) (nullable): those that the caller is shown, of @all (transfer full) */
static JsonArray *
reeve_op_budgets_choose (ReeveCall *call, ReeveServices *services, JsonArray *all, GError **error)
{
  g_autoptr (JsonArray) given = all;
  g_autoptr (JsonArray) chosen = json_array_new ();

  for (guint i = 0; i < json_array_get_length (given); i++)
    {
      JsonObject *budget = json_array_get_object_element (given, i);
      GError *reason = NULL;

      if (reeve_op_budgets_is_seen (call, services, budget, &reason))
        json_array_add_object_element (chosen, json_object_ref (budget));
      if (reason != NULL)
        {
          g_propagate_error (error, reason);
          return NULL;
        }
    }
  return g_steal_pointer (&chosen);
}

/* Says of each budget whether whose it is is still there. */
static gboolean
reeve_op_budgets_mark (ReeveCall *call, ReeveServices *services, JsonArray *budgets, GError **error)
{
  for (guint i = 0; i < json_array_get_length (budgets); i++)
    {
      JsonObject *budget = json_array_get_object_element (budgets, i);
      g_auto (GStrv) parts = g_strsplit (reeve_json_get_string (budget, "scope", ""), "/", 2);
      gboolean gone = FALSE;

      if (g_strv_length (parts) == 2
          && !reeve_op_budgets_is_gone (call, services, parts[0], parts[1], &gone, error))
        return FALSE;
      json_object_set_boolean_member (budget, "owner_deleted", gone);
    }
  return TRUE;
}

void
reeve_op_budgets_list (ReeveCall *call, ReeveServices *services)
{
  g_auto (GStrv) seen = NULL;
  GError *error = NULL;
  JsonArray *budgets = NULL;
  gboolean all = FALSE;

  seen = reeve_workspaces_list_seen (services->workspaces, reeve_call_get_caller (call), NULL,
                                     &error);
  if (seen != NULL
      && reeve_workspaces_is_all_seen (services->workspaces, reeve_call_get_tenant_id (call),
                                       (const char *const *) seen, &all, &error))
    budgets = reeve_budgets_list (services->budgets, reeve_call_get_tenant_id (call));
  if (budgets != NULL && !all)
    budgets = reeve_op_budgets_choose (call, services, budgets, &error);
  if (budgets != NULL && error == NULL && !reeve_op_budgets_mark (call, services, budgets, &error))
    g_clear_pointer (&budgets, json_array_unref);
  if (error != NULL)
    reeve_call_fail (call, error);
  else
    reeve_page_answer (call, budgets);
}

/* The same of a budget that is there already: it may be of something that was deleted. */
static gboolean
reeve_op_budgets_check_kept (ReeveCall *call, ReeveServices *services, const char *kind,
                             const char *id)
{
  GError *error = NULL;
  gboolean remains = FALSE;

  if (id != NULL && !reeve_op_budgets_remains (call, services, kind, id, &remains, &error))
    {
      reeve_call_fail (call, error);
      return FALSE;
    }
  return remains || reeve_op_budgets_check_subject (call, services, kind, id);
}

static void
reeve_op_budgets_show (ReeveCall *call, ReeveServices *services, const char *kind, const char *id)
{
  g_autofree char *key = reeve_op_budgets_key (kind, id);
  GError *error = NULL;
  JsonObject *budget = NULL;

  if (!reeve_op_budgets_check_kept (call, services, kind, id))
    return;
  budget = reeve_budgets_get (services->budgets, reeve_call_get_tenant_id (call), key, &error);
  if (budget != NULL)
    reeve_budget_tools_add (call, services, kind, id, budget);
  reeve_call_answer (call, budget, error);
}

static void
reeve_op_budgets_put (ReeveCall *call, ReeveServices *services, const char *operation,
                      const char *kind, const char *id, JsonObject *limits)
{
  g_autofree char *key = reeve_op_budgets_key (kind, id);
  GError *error = NULL;
  JsonObject *budget = NULL;

  if (!reeve_op_budgets_check_subject (call, services, kind, id))
    return;
  budget = reeve_budgets_set (services->budgets, reeve_call_get_admitted (call), operation, key,
                              reeve_call_get_params (call), limits, &error);
  if (budget != NULL)
    reeve_budget_tools_add (call, services, kind, id, budget);
  reeve_call_answer (call, budget, error);
}

static void
reeve_op_budgets_remove (ReeveCall *call, ReeveServices *services, const char *operation,
                         const char *kind, const char *id)
{
  g_autofree char *key = reeve_op_budgets_key (kind, id);
  GError *error = NULL;

  if (!reeve_op_budgets_check_kept (call, services, kind, id))
    return;
  if (reeve_budgets_unset (services->budgets, reeve_call_get_admitted (call), operation, key,
                           reeve_call_get_params (call), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}

/* ---- the organisation's or an agent's ---- */

void
reeve_op_budgets_usage (ReeveCall *call, ReeveServices *services)
{
  const char *scope = reeve_call_get_string (call, "scope");
  const char *agent_id = reeve_call_get_string (call, "agent_id");
  g_auto (GStrv) parts = scope != NULL ? g_strsplit (scope, "/", 2) : NULL;
  GError *error = NULL;

  if (scope != NULL && agent_id != NULL)
    {
      reeve_error_set_member (&error, "/scope", "there is an agent_id besides");
      reeve_call_fail (call, error);
    }
  else if (scope != NULL)
    reeve_op_budgets_show (call, services, parts[1] != NULL ? parts[0] : REEVE_OP_BUDGETS_AGENTS,
                           parts[1]);
  else
    reeve_op_budgets_show (call, services, REEVE_OP_BUDGETS_AGENTS, agent_id);
}

/* What was set and is not given stays. */
void
reeve_op_budgets_set (ReeveCall *call, ReeveServices *services)
{
  static const char *const members[]
      = { "token_limit",    "cost_limit",       "alert_at",          "tokens_per_request",
          "tokens_per_day", "tokens_per_month", "reset_period_days", NULL };
  JsonObject *params = reeve_call_get_params (call);
  const char *agent_id = reeve_call_get_string (call, "agent_id");
  g_autofree char *key = reeve_op_budgets_key (REEVE_OP_BUDGETS_AGENTS, agent_id);
  g_autoptr (JsonObject) known
      = reeve_budgets_get (services->budgets, reeve_call_get_tenant_id (call), key, NULL);
  g_autoptr (JsonObject) limits = json_object_new ();

  for (guint i = 0; members[i] != NULL; i++)
    {
      if (json_object_has_member (params, members[i]))
        reeve_directory_copy (params, limits, members[i]);
      else if (known != NULL)
        reeve_directory_copy (known, limits, members[i]);
    }
  if (json_object_has_member (params, "reset_days"))
    json_object_set_int_member (limits, "reset_period_days",
                                reeve_call_get_int (call, "reset_days", 0));
  reeve_op_budgets_put (call, services, "budgets.set", REEVE_OP_BUDGETS_AGENTS, agent_id, limits);
}

/* What a key brings along: its user, where it is bound to, and its own limit of requests. (transfer
 * full) (nullable): what the strings in @ask are of. */
static ReeveRecord *
reeve_op_budgets_read_key (ReeveServices *services, ReeveBudgetCheck *ask, GError **error)
{
  ReeveRecord *key = ask->who.key_id != NULL
                         ? reeve_store_get (services->store, REEVE_SCOPE_PLATFORM,
                                            REEVE_STORE_API_KEYS, ask->who.key_id, error)
                         : NULL;
  JsonObject *fields = key != NULL ? reeve_record_get_fields (key) : NULL;

  if (fields == NULL)
    return NULL;
  ask->key_limit = (guint) CLAMP (reeve_json_get_int (fields, "rate_limit", 0), 0, G_MAXINT32);
  if (ask->who.user_id == NULL)
    ask->who.user_id = reeve_json_get_string (fields, "user_id", NULL);
  if (ask->who.workspace_id == NULL && ask->who.agent_id == NULL)
    ask->who.workspace_id = reeve_json_get_string (fields, "workspace_id", NULL);
  return key;
}

/* The agent's model, and on whose behalf it goes. (transfer full) (nullable): what the strings in
 * @ask are of; NULL: it has nothing that could run. */
static JsonObject *
reeve_op_budgets_read_agent (ReeveCall *call, ReeveServices *services, ReeveBudgetCheck *ask)
{
  JsonObject *definition
      = ask->who.agent_id != NULL ? reeve_agents_get_definition (
            services->agents, reeve_call_get_tenant_id (call), ask->who.agent_id, NULL)
                                  : NULL;

  if (definition == NULL)
    return NULL;
  if (ask->model == NULL)
    ask->model = reeve_json_get_string (definition, "model", NULL);
  ask->who.delegated_user_id = reeve_json_get_string (definition, "delegated_user_id", NULL);
  return definition;
}

void
reeve_op_budgets_check (ReeveCall *call, ReeveServices *services)
{
  g_autofree char *model = reeve_models_get_default (services->models);
  g_autofree char *workspace_id = NULL;
  g_autoptr (ReeveRecord) key = NULL;
  g_autoptr (JsonObject) definition = NULL;
  GError *error = NULL;
  JsonObject *answer = NULL;
  ReeveBudgetCheck ask = {
    .who = { .agent_id = reeve_call_get_string (call, "agent_id"),
             .user_id = reeve_call_get_string (call, "user_id"),
             .key_id = reeve_call_get_string (call, "key_id"),
             .workspace_id = reeve_call_get_string (call, "workspace_id") },
    .model = reeve_call_get_string (call, "model"),
    .tool_name = reeve_call_get_string (call, "tool_name"),
    .context = reeve_json_get_object (reeve_call_get_params (call), "context"),
    .tokens = reeve_call_get_int (call, "estimated_tokens", 0),
  };

  if (!reeve_op_budgets_check_subject (call, services, REEVE_OP_BUDGETS_AGENTS, ask.who.agent_id)
      || !reeve_op_budgets_check_subject (call, services, REEVE_OP_BUDGETS_USERS, ask.who.user_id)
      || !reeve_op_budgets_check_subject (call, services, REEVE_OP_BUDGETS_KEYS, ask.who.key_id)
      || !reeve_op_budgets_check_subject (call, services, REEVE_OP_BUDGETS_WORKSPACES,
                                          ask.who.workspace_id))
    return;
  /* what an agent spends is spent where it lies */
  if (ask.who.agent_id != NULL && ask.who.workspace_id == NULL)
    ask.who.workspace_id = workspace_id
        = reeve_workspaces_locate_thing (services->workspaces, reeve_call_get_caller (call),
                                         REEVE_OP_BUDGETS_AGENTS, ask.who.agent_id, &error);
  if (error == NULL)
    key = reeve_op_budgets_read_key (services, &ask, &error);
  if (error == NULL)
    {
      definition = reeve_op_budgets_read_agent (call, services, &ask);
      if (ask.model == NULL)
        ask.model = model;
      answer = reeve_budget_check_answer (call, services, &ask, &error);
    }
  reeve_call_answer (call, answer, error);
}

/* ---- by scope ---- */

void
reeve_op_budgets_get_platform (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *budget = reeve_budgets_get_platform (services->budgets, &error);

  reeve_call_answer (call, budget, error);
}

void
reeve_op_budgets_get_org (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_show (call, services, REEVE_BUDGET_ORG, NULL);
}

void
reeve_op_budgets_set_org (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_put (call, services, "budgets.set_org", REEVE_BUDGET_ORG, NULL,
                        reeve_call_get_params (call));
}

void
reeve_op_budgets_delete_org (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_remove (call, services, "budgets.delete_org", REEVE_BUDGET_ORG, NULL);
}

void
reeve_op_budgets_get_workspace (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_show (call, services, REEVE_OP_BUDGETS_WORKSPACES,
                         reeve_call_get_string (call, "workspace_id"));
}

void
reeve_op_budgets_set_workspace (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_put (call, services, "budgets.set_workspace", REEVE_OP_BUDGETS_WORKSPACES,
                        reeve_call_get_string (call, "workspace_id"), reeve_call_get_params (call));
}

void
reeve_op_budgets_delete_workspace (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_remove (call, services, "budgets.delete_workspace", REEVE_OP_BUDGETS_WORKSPACES,
                           reeve_call_get_string (call, "workspace_id"));
}

void
reeve_op_budgets_get_agent (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_show (call, services, REEVE_OP_BUDGETS_AGENTS,
                         reeve_call_get_string (call, "agent_id"));
}

void
reeve_op_budgets_set_agent (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_put (call, services, "budgets.set_agent", REEVE_OP_BUDGETS_AGENTS,
                        reeve_call_get_string (call, "agent_id"), reeve_call_get_params (call));
}

void
reeve_op_budgets_delete_agent (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_remove (call, services, "budgets.delete_agent", REEVE_OP_BUDGETS_AGENTS,
                           reeve_call_get_string (call, "agent_id"));
}

void
reeve_op_budgets_get_user (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_show (call, services, REEVE_OP_BUDGETS_USERS,
                         reeve_call_get_string (call, "user_id"));
}

void
reeve_op_budgets_set_user (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_put (call, services, "budgets.set_user", REEVE_OP_BUDGETS_USERS,
                        reeve_call_get_string (call, "user_id"), reeve_call_get_params (call));
}

void
reeve_op_budgets_delete_user (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_remove (call, services, "budgets.delete_user", REEVE_OP_BUDGETS_USERS,
                           reeve_call_get_string (call, "user_id"));
}

void
reeve_op_budgets_get_key (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_show (call, services, REEVE_OP_BUDGETS_KEYS,
                         reeve_call_get_string (call, "key_id"));
}

void
reeve_op_budgets_set_key (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_put (call, services, "budgets.set_key", REEVE_OP_BUDGETS_KEYS,
                        reeve_call_get_string (call, "key_id"), reeve_call_get_params (call));
}

void
reeve_op_budgets_delete_key (ReeveCall *call, ReeveServices *services)
{
  reeve_op_budgets_remove (call, services, "budgets.delete_key", REEVE_OP_BUDGETS_KEYS,
                           reeve_call_get_string (call, "key_id"));
}
