/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of refusal is the contract: 401, 403, 404 of an identifier, 400 of the body, 409 or 422
 * of an idempotency key. What never blocks stays on the door's thread; the rest of a call's way
 * runs on a worker. */
#include "gate.h"

#include "call-trace.h"
#include "gate-find.h"
#include "gate-identify.h"
#include "gate-params.h"
#include "gate-pass.h"
#include "gate-state.h"
#include "run-call.h"

#include "base/log.h"

static void reeve_gate_run (gpointer data);

static void
reeve_gate_fail (ReeveGatePass *pass, GError *error)
{
  reeve_call_fail (pass->call, error);
}

static gboolean
reeve_gate_has (ReeveGatePass *pass, ReeveOperationFlags flag)
{
  return (pass->call->operation->flags & flag) != 0;
}

static void
reeve_gate_on_worker (ReeveGatePass *pass, ReeveWorkersFunc func)
{
  GError *error = NULL;

  if (!reeve_workers_push (pass->services->workers, func, pass, &error))
    reeve_gate_fail (pass, error);
}

static void
reeve_gate_on_door (ReeveGatePass *pass, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, pass, NULL);
  g_source_attach (source, pass->call->context);
}

static void
reeve_gate_call_function (ReeveGatePass *pass)
{
  /* the function may end the call, and the pass with it */
  pass->call->operation->func (pass->call, pass->services);
}

/* ---- the effect's intent, the stream's record ---- */

static void
reeve_gate_on_admitted (GObject *source, GAsyncResult *result, gpointer data)
{
  ReeveGatePass *pass = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (pass->call->log);
  GError *error = NULL;
  ReeveAdmitted *admitted
      = reeve_admission_begin_finish (pass->services->admission, result, &error);

  if (admitted == NULL)
    {
      pass->call->recorded = TRUE; /* admission has recorded its own refusal */
      reeve_gate_fail (pass, error);
      return;
    }
  pass->admitted = TRUE;
  reeve_call_take_admitted (pass->call, admitted);
  reeve_gate_call_function (pass);
}

static void
reeve_gate_on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  ReeveGatePass *pass = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (pass->call->log);
  GError *error = NULL;
  guint64 read = reeve_admission_read_finish (pass->services->admission, result, &error);

  pass->call->recorded = TRUE;
  pass->call->sent = read != 0 ? reeve_gate_pass_begin_sent (pass, read) : NULL;
  if (read != 0)
    reeve_gate_call_function (pass);
  else
    reeve_gate_fail (pass, error);
}

/* On the door's thread: an operation that does not block. */
static gboolean
reeve_gate_run_async (gpointer data)
{
  ReeveGatePass *pass = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (pass->call->log);
  const ReeveOperation *operation = pass->call->operation;
  ReeveAdmissionRequest request = { 0 };
  GError *error = NULL;

  reeve_gate_pass_describe (pass, &request);
  if (operation->klass == REEVE_CLASS_EFFECT
      && !reeve_gate_has (pass, REEVE_OPERATION_ADMITS_ITSELF))
    {
      const ReeveRunCallAgain again = { reeve_gate_run_async, pass };

      if (reeve_gate_has (pass, REEVE_OPERATION_RUNS)
          && !reeve_run_call_prepare (pass->call, pass->services, &request,
                                      reeve_json_get_string (pass->call->params, "agent_id", NULL),
                                      &again, &error))
        {
          if (error != NULL)
            reeve_gate_fail (pass, error);
          return G_SOURCE_REMOVE;
        }
      reeve_admission_begin_async (pass->services->admission, &request, reeve_gate_on_admitted,
                                   pass);
    }
  else if (operation->klass == REEVE_CLASS_READ && reeve_gate_has (pass, REEVE_OPERATION_STREAM))
    reeve_admission_read_async (pass->services->admission, &request, reeve_gate_on_read, pass);
  else
    reeve_gate_call_function (pass);
  return G_SOURCE_REMOVE;
}

/* On a worker: an operation that blocks. */
static void
reeve_gate_run (gpointer data)
{
  ReeveGatePass *pass = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (pass->call->log);
  ReeveAdmitted *admitted = NULL;
  GError *error = NULL;

  if (pass->call->operation->klass == REEVE_CLASS_EFFECT
      && !reeve_gate_has (pass, REEVE_OPERATION_ADMITS_ITSELF))
    {
      admitted = reeve_gate_state_begin (pass, &error);
      if (admitted == NULL)
        {
          pass->call->recorded = TRUE;
          reeve_gate_fail (pass, error);
          return;
        }
      pass->admitted = TRUE;
      reeve_call_take_admitted (pass->call, admitted);
    }
  reeve_gate_call_function (pass);
}

/* ---- idempotency ---- */

/* The same answer again. */
static void
reeve_gate_repeat (ReeveGatePass *pass)
{
  JsonNode *node = g_steal_pointer (&pass->kept);
  JsonObject *object
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonObject *kept = object != NULL ? reeve_json_get_object (object, "reeve_error") : NULL;

  if (kept != NULL)
    {
      reeve_call_fail (pass->call, g_error_new_literal (
                                       REEVE_ERROR, (gint) reeve_json_get_int (kept, "code", 0),
                                       reeve_json_get_string (kept, "message", "failed before")));
      g_clear_pointer (&node, json_node_unref);
      return;
    }
  pass->repeated = TRUE;
  reeve_call_complete (pass->call, pass->kept_status, node);
}

/* On a worker: the operation asks for more than a permission. */
static void
reeve_gate_ask_again (gpointer data)
{
  ReeveGatePass *pass = data;
  GError *error = NULL;

  if (pass->call->operation->again (pass->call, pass->services, &error))
    reeve_gate_repeat (pass);
  else
    reeve_gate_fail (pass, error);
}

/* The key was answered before: the same again, to who may still ask for it. */
static void
reeve_gate_replay (ReeveGatePass *pass)
{
  ReeveAdmissionRequest request = { 0 };
  GError *error = NULL;

  reeve_gate_pass_describe (pass, &request);
  if (!reeve_admission_allows_again (pass->services->admission, &request, &error))
    reeve_gate_fail (pass, error);
  else if (pass->call->operation->again != NULL)
    reeve_gate_on_worker (pass, reeve_gate_ask_again);
  else
    reeve_gate_repeat (pass);
}

static void
reeve_gate_on_claim (GObject *source, GAsyncResult *result, gpointer data)
{
  ReeveGatePass *pass = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (pass->call->log);
  GError *error = NULL;

  reeve_gate_pass_take_claim (pass, result, &error);
  if (error != NULL)
    reeve_gate_fail (pass, error);
  else if (pass->claim == NULL)
    reeve_gate_replay (pass);
  else if (reeve_gate_has (pass, REEVE_OPERATION_ASYNC))
    reeve_gate_run_async (pass);
  else
    reeve_gate_on_worker (pass, reeve_gate_run);
}

static gboolean
reeve_gate_claim (gpointer data)
{
  ReeveGatePass *pass = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (pass->call->log);

  reeve_idempotency_claim_async (pass->services->idempotency, pass->call->caller,
                                 pass->call->operation->name, pass->call->idempotency_key,
                                 pass->call->digest, reeve_gate_on_claim, pass);
  return G_SOURCE_REMOVE;
}

/* ---- identifiers and parameters ---- */

/* What the caller asks it may do in some workspace only, if at all. */
static gboolean
reeve_gate_is_narrow (ReeveGatePass *pass)
{
  const char *permission = pass->call->operation->permission;

  return permission != NULL && pass->call->caller != NULL
         && !reeve_caller_has_permission (pass->call->caller, permission);
}

/* (nullable): the agent that a body names, as what is done is done on */
static const char *
reeve_gate_get_agent (ReeveGatePass *pass)
{
  const char *resource = pass->call->operation->resource_parameter;

  return g_strcmp0 (resource, "agent_id") == 0
             ? reeve_json_get_string (pass->call->params, "agent_id", NULL)
             : NULL;
}

/* A role in a workspace counts on what lies there: for whom it is that or nothing, it is looked up
 * where. Blocks. */
static gboolean
reeve_gate_locate (ReeveGatePass *pass, const char *collection, const char *id, GError **error)
{
  GError *local = NULL;

  if (!reeve_gate_is_narrow (pass) || id == NULL || pass->workspace_id != NULL)
    return TRUE;
  pass->workspace_id = reeve_workspaces_locate_thing (pass->services->workspaces,
                                                      pass->call->caller, collection, id, &local);
  if (local != NULL)
    g_propagate_error (error, local);
  return local == NULL;
}

/* Whoever reads on must be shown it all the time. Blocks. */
static gboolean
reeve_gate_note_place (ReeveGatePass *pass, const char *collection, const char *id, GError **error)
{
  ReeveCall *call = pass->call;
  GError *local = NULL;

  if (!reeve_gate_has (pass, REEVE_OPERATION_STREAM) || call->operation->klass != REEVE_CLASS_READ
      || id == NULL || call->workspace_id != NULL)
    return TRUE;
  call->workspace_id = reeve_workspaces_locate_thing (pass->services->workspaces, call->caller,
                                                      collection, id, &local);
  if (local != NULL)
    g_propagate_error (error, local);
  return local == NULL;
}

/* Blocks. */
static gboolean
reeve_gate_check_identifiers (ReeveGatePass *pass, GError **error)
{
  ReeveCall *call = pass->call;

  for (const ReeveIdentifier *i = call->operation->identifiers; i->parameter != NULL; i++)
    {
      const char *id = reeve_json_get_string (call->given, i->parameter, NULL);
      gboolean exists = FALSE;

      /* shipped and configured roles are there in no store */
      if (id != NULL && strcmp (i->collection, REEVE_STORE_ROLES) == 0
          && reeve_role_book_is_fixed (pass->services->role_book, id))
        continue;
      if (id != NULL && *id != '\0' && strlen (id) <= 128
          && !reeve_gate_find_record (pass, i, id, &exists, error))
        return FALSE;
      if (!exists)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING,
                       i->collection);
          return FALSE;
        }
      if (!reeve_gate_note_place (pass, i->collection, id, error)
          || !reeve_gate_locate (pass, i->collection, id, error))
        return FALSE;
    }
  return pass->found = TRUE;
}

static gboolean
reeve_gate_is_keyed (ReeveGatePass *pass)
{
  return pass->call->idempotency_key != NULL && reeve_gate_has (pass, REEVE_OPERATION_IDEMPOTENCY);
}

/* Is a thing that the body names still shown to the caller, if it lies in a workspace? Blocks. */
static gboolean
reeve_gate_still_shows (ReeveGatePass *pass, const char *collection, const char *member,
                        GError **error)
{
  ReeveWorkspaces *workspaces = pass->services->workspaces;
  const char *id = reeve_json_get_string (pass->call->params, member, NULL);
  g_autofree char *workspace_id = NULL;
  GError *local = NULL;
  gboolean exists = TRUE;

  if (id == NULL)
    return TRUE;
  workspace_id
      = reeve_workspaces_locate_thing (workspaces, pass->call->caller, collection, id, &local);
  if (workspace_id != NULL
      && reeve_workspaces_exists (workspaces, pass->call->caller, collection, id, TRUE, &exists,
                                  &local)
      && !exists)
    g_set_error (&local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING, collection);
  if (local != NULL)
    g_propagate_error (error, local);
  return local == NULL;
}

/* What was answered is answered again only to whom what the body names, agent, conversation and
 * workspace, is still shown: the operation that would look is not called then. Blocks. */
static gboolean
reeve_gate_check_keyed (ReeveGatePass *pass, GError **error)
{
  g_autofree char *workspace_id = NULL;

  if (pass->call->caller == NULL || pass->call->params == NULL || !reeve_gate_is_keyed (pass))
    return TRUE;
  if (reeve_gate_has (pass, REEVE_OPERATION_MAKES)
      && !reeve_workspaces_choose (pass->services->workspaces, pass->call->caller,
                                   reeve_json_get_string (pass->call->params, "workspace_id", NULL),
                                   &workspace_id, error))
    return FALSE;
  return reeve_gate_still_shows (pass, REEVE_STORE_AGENTS, "agent_id", error)
         && reeve_gate_still_shows (pass, REEVE_STORE_CONVERSATIONS, "conversation_id", error);
}

static gboolean
reeve_gate_prepare (ReeveGatePass *pass)
{
  GError *error = NULL;

  if (reeve_gate_check_identifiers (pass, &error)
      && reeve_gate_params_prepare (pass->call, pass->services->schemas, &error)
      && reeve_gate_locate (pass, REEVE_STORE_AGENTS, reeve_gate_get_agent (pass), &error)
      && reeve_gate_check_keyed (pass, &error))
    {
      if (pass->call->operation->klass != REEVE_CLASS_PROBE)
        pass->call->digest = reeve_gate_params_digest (pass->call);
      return TRUE;
    }
  reeve_gate_fail (pass, error);
  return FALSE;
}

static void
reeve_gate_prepare_on_worker (gpointer data)
{
  ReeveGatePass *pass = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (pass->call->log);

  if (!reeve_gate_prepare (pass))
    return;
  if (reeve_gate_is_keyed (pass))
    reeve_gate_on_door (pass, reeve_gate_claim);
  else if (reeve_gate_has (pass, REEVE_OPERATION_ASYNC))
    reeve_gate_on_door (pass, reeve_gate_run_async);
  else
    reeve_gate_run (pass);
}

static void
reeve_gate_go_on (ReeveGatePass *pass)
{
  ReeveCall *call = pass->call;
  gboolean small = call->body == NULL
                   || g_bytes_get_size (call->body) <= REEVE_GATE_PASS_INLINE_BODY
                   || reeve_gate_has (pass, REEVE_OPERATION_COMPATIBLE);

  if (!reeve_gate_has (pass, REEVE_OPERATION_ASYNC) || reeve_gate_is_narrow (pass)
      || reeve_gate_is_keyed (pass) || call->operation->identifiers->parameter != NULL || !small)
    {
      reeve_gate_on_worker (pass, reeve_gate_prepare_on_worker);
      return;
    }
  if (!reeve_gate_prepare (pass))
    return;
  if (reeve_gate_is_keyed (pass))
    reeve_gate_claim (pass);
  else
    reeve_gate_run_async (pass);
}

/* ---- who, where, and may he ---- */

static gboolean
reeve_gate_authorise (ReeveGatePass *pass, GError **error)
{
  const ReeveOperation *operation = pass->call->operation;
  ReeveCaller *caller = pass->call->caller;
  gboolean platform = (operation->flags & REEVE_OPERATION_PLATFORM_ADMIN) != 0;

  /* what is allowed on one thing alone is decided at admission, where the thing is known */
  if (operation->permission != NULL
      && !reeve_caller_has_permission_somewhere (caller, operation->permission)
      && (operation->resource_parameter == NULL
          || !reeve_overrides_may_allow (pass->services->overrides, caller, operation->permission)))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "permission %s is missing%s",
                 operation->permission,
                 platform ? ", and only the platform admin may do this" : "");
  else if (platform && !reeve_caller_is_platform_admin (caller))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                 "besides permission %s this needs the platform admin", operation->permission);
  else
    return TRUE;
  return FALSE;
}

/* Limits of what was shown, of user and tenant. Of requests that are refused one after the other
 * the first is recorded: a flood is not to fill the ledger. */
static gboolean
reeve_gate_count (ReeveGatePass *pass, GError **error)
{
  ReeveCall *call = pass->call;
  ReeveCaller *caller = call->caller;

  if (pass->services->rate_limits == NULL
      || reeve_rate_limits_admit (
          pass->services->rate_limits, reeve_caller_get_home_tenant_id (caller),
          reeve_caller_get_user_id (caller), reeve_caller_get_key_id (caller),
          reeve_caller_get_rate_limit (caller), g_get_monotonic_time (), &call->rate))
    return TRUE;
  call->recorded = !call->rate.first;
  reeve_rate_limits_refuse (&call->rate, error);
  return FALSE;
}

/* From here on what is logged says for whom. */
static void
reeve_gate_know (ReeveCall *call)
{
  reeve_call_trace_know (call);
  reeve_log_restore_context (call->log);
}

static void
reeve_gate_enter (ReeveGatePass *pass)
{
  ReeveCall *call = pass->call;
  GError *error = NULL;

  reeve_instruments_note_entry (pass->services->instruments, reeve_caller_get_method (call->caller),
                                reeve_caller_get_tenant_id (call->caller));
  if (!reeve_gate_count (pass, &error))
    {
      reeve_gate_fail (pass, error);
      return;
    }
  if (call->tenant_header != NULL)
    {
      ReeveCaller *there = reeve_authentication_enter_tenant (
          pass->services->authentication, call->caller, call->tenant_header, &error);

      if (there == NULL)
        {
          reeve_gate_fail (pass, error);
          return;
        }
      reeve_call_take_caller (call, there);
      reeve_gate_know (call);
    }
  if (reeve_gate_authorise (pass, &error))
    reeve_gate_go_on (pass);
  else
    reeve_gate_fail (pass, error);
}

/* (transfer full) caller, error */
static void
reeve_gate_on_identified (ReeveGatePass *pass, ReeveCaller *caller, GError *error)
{
  if (caller == NULL)
    {
      reeve_gate_fail (pass, error);
      return;
    }
  reeve_call_take_caller (pass->call, caller);
  reeve_gate_know (pass->call);
  reeve_gate_enter (pass);
}

static void
reeve_gate_authenticate (ReeveGatePass *pass)
{
  ReeveCall *call = pass->call;

  if (call->token == NULL || *call->token == '\0')
    reeve_gate_fail (pass, g_error_new_literal (REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                                                "no credentials were shown"));
  else
    reeve_gate_identify (pass, reeve_gate_on_identified);
}

/* From this very machine, without credentials: whoever shows some is held to them. */
static gboolean
reeve_gate_is_open_here (ReeveGatePass *pass)
{
  ReeveCall *call = pass->call;

  return reeve_gate_has (pass, REEVE_OPERATION_LOOPBACK) && call->local && call->caller == NULL
         && call->scheme == NULL
         && !reeve_config_get_boolean (pass->services->config, "metrics.require_authentication");
}

/**
 * reeve_gate_dispatch:
 * @services: what operations work with
 * @call: filled in by its door
 *
 * Called on the thread of the call's context, which is its thread-default. Never blocks; the call's
 * done function may be called before this returns.
 */
void
reeve_gate_dispatch (ReeveServices *services, ReeveCall *call)
{
  ReeveGatePass *pass = reeve_gate_pass_new (services, call);
  g_auto (ReeveLogScope) scope = { NULL };

  reeve_call_trace_begin (call, services->tracer);
  scope = reeve_log_scope (call->log);
  reeve_call_set_end (call, reeve_gate_pass_end, pass);
  if (reeve_gate_has (pass, REEVE_OPERATION_PUBLIC) || reeve_gate_is_open_here (pass))
    reeve_gate_go_on (pass);
  else if (call->caller != NULL)
    reeve_gate_enter (pass);
  else
    reeve_gate_authenticate (pass);
}
