/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs, over runtime/runs.h. */
#include "operation-functions.h"
#include "runtime/runs-delegation.h"

typedef struct
{
  ReeveCall *call;
  ReeveRuns *runs;
  ReeveAuthentication *authentication; /* (nullable) */
  ReeveNetwork *network;               /* (nullable): not owned, outlives the runs */
  ReeveWorkspaces *workspaces;
  ReeveOverrides *overrides; /* (nullable) */
  GError *refused;           /* his rights were taken back while he read */
} ReeveOpRunsFollower;

void
reeve_op_runs_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  g_auto (GStrv) seen
      = reeve_workspaces_list_seen (services->workspaces, reeve_call_get_caller (call),
                                    reeve_call_get_operation (call)->permission, &error);
  JsonObject *page
      = seen != NULL
            ? reeve_runs_list (services->runs, reeve_call_get_tenant_id (call),
                               (const char *const *) seen, reeve_call_get_params (call), &error)
            : NULL;

  reeve_call_answer (call, page, error);
}

void
reeve_op_runs_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *run = reeve_runs_get (services->runs, reeve_call_get_tenant_id (call),
                                    reeve_call_get_string (call, "run_id"), &error);

  reeve_call_answer (call, run, error);
}

void
reeve_op_runs_cancel (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *run = reeve_runs_cancel (services->runs, reeve_call_get_admitted (call),
                                       reeve_call_get_string (call, "run_id"), &error);

  reeve_call_answer (call, run, error);
}

void
reeve_op_runs_resume (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *run = reeve_runs_resume (services->runs, reeve_call_get_admitted (call),
                                       reeve_call_get_string (call, "run_id"), &error);

  reeve_call_answer (call, run, error);
}

void
reeve_op_runs_delegation (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *chain = reeve_runs_delegation_get (services->runs, services->ledger,
                                                 reeve_call_get_tenant_id (call),
                                                 reeve_call_get_string (call, "run_id"), &error);

  reeve_call_answer (call, chain, error);
}

/* What is said of this run alone: a denial, or that it was allowed, may have come or gone. */
static gboolean
reeve_op_runs_may_still (ReeveOpRunsFollower *follower, GError **error)
{
  ReeveCaller *caller = reeve_call_get_caller (follower->call);
  const char *permission = reeve_call_get_operation (follower->call)->permission;
  const char *run_id = reeve_call_get_string (follower->call, "run_id");
  ReeveOverrideEffect effect
      = follower->overrides != NULL
            ? reeve_overrides_decide (follower->overrides, caller, permission, "run", run_id, NULL)
            : REEVE_OVERRIDE_NONE;

  if (effect == REEVE_OVERRIDE_ALLOW
      || (effect == REEVE_OVERRIDE_NONE
          && reeve_caller_has_permission_somewhere (caller, permission)))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "permission %s is denied here",
               permission);
  return FALSE;
}

/* Who reads on is asked again at each event: a stream may outlive what let its reader in. */
static gboolean
reeve_op_runs_may_follow (ReeveOpRunsFollower *follower)
{
  ReeveCaller *caller = reeve_call_get_caller (follower->call);
  const ReeveAdmissionRequest request = { .caller = caller, .operation = "runs.events" };

  if (follower->refused != NULL
      || (follower->authentication != NULL
          && !reeve_authentication_check (&request, NULL, follower->authentication,
                                          &follower->refused))
      || !reeve_workspaces_still_sees (follower->workspaces, caller,
                                       reeve_call_get_workspace_id (follower->call),
                                       &follower->refused)
      || !reeve_op_runs_may_still (follower, &follower->refused))
    return FALSE;
  return follower->network == NULL || reeve_caller_is_network_excused (caller)
         || reeve_network_check (follower->network, reeve_caller_get_home_tenant_id (caller),
                                 reeve_caller_get_peer_address (caller), &follower->refused);
}

static void
reeve_op_runs_on_event (const char *name, JsonObject *data, gpointer user_data)
{
  ReeveOpRunsFollower *follower = user_data;

  if (!reeve_op_runs_may_follow (follower))
    {
      g_cancellable_cancel (reeve_call_get_cancellable (follower->call));
      return;
    }
  reeve_call_emit (follower->call, name, json_node_init_object (json_node_alloc (), data));
}

static void
reeve_op_runs_on_followed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveOpRunsFollower *follower = user_data;
  GError *error = NULL;

  if (reeve_runs_follow_finish (follower->runs, result, &error) && follower->refused == NULL)
    reeve_call_complete_stream (follower->call);
  else
    {
      if (follower->refused != NULL)
        g_clear_error (&error);
      reeve_call_fail (follower->call,
                       error != NULL ? error : g_steal_pointer (&follower->refused));
    }
  reeve_call_unref (follower->call);
  g_object_unref (follower->runs);
  g_clear_object (&follower->authentication);
  g_object_unref (follower->workspaces);
  g_clear_object (&follower->overrides);
  g_clear_error (&follower->refused);
  g_free (follower);
}

void
reeve_op_runs_events (ReeveCall *call, ReeveServices *services)
{
  ReeveOpRunsFollower *follower = g_new0 (ReeveOpRunsFollower, 1);

  follower->call = reeve_call_ref (call);
  follower->runs = g_object_ref (services->runs);
  g_set_object (&follower->authentication, services->authentication);
  follower->network = services->network;
  follower->workspaces = g_object_ref (services->workspaces);
  g_set_object (&follower->overrides, services->overrides);
  reeve_runs_follow_async (
      services->runs, reeve_call_get_tenant_id (call), reeve_call_get_string (call, "run_id"),
      reeve_call_get_int (call, "after", 0), reeve_op_runs_on_event, follower, NULL,
      reeve_call_get_cancellable (call), reeve_op_runs_on_followed, follower);
}
