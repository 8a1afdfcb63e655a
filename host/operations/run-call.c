/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run goes on when its client has gone: only its events are no longer sent. */
#include "run-call.h"

#include "call-private.h"
#include "call-trace.h"

#include "base/ids.h"

typedef struct
{
  ReeveCall *call;
  ReeveRuns *runs;
  char *conversation_id;
} ReeveRunCall;

static void
reeve_run_call_free (ReeveRunCall *self)
{
  reeve_call_unref (self->call);
  g_object_unref (self->runs);
  g_free (self->conversation_id);
  g_free (self);
}

static void
reeve_run_call_on_event (const char *name, JsonObject *data, gpointer user_data)
{
  reeve_call_emit (user_data, name, json_node_init_object (json_node_alloc (), data));
}

/* `waiting_approval` was accepted, and ends later. */
static guint
reeve_run_call_get_status (JsonObject *answer)
{
  const char *status = reeve_json_get_string (answer, "status", "");

  return g_str_equal (status, "waiting_approval") ? 202 : 200;
}

static void
reeve_run_call_on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveRunCall *self = user_data;
  GError *error = NULL;
  JsonObject *answer = reeve_runs_execute_finish (self->runs, result, &error);

  if (answer == NULL)
    reeve_call_fail (self->call, error);
  else
    {
      if (self->conversation_id != NULL && !json_object_has_member (answer, "conversation_id"))
        json_object_set_string_member (answer, "conversation_id", self->conversation_id);
      reeve_call_complete (self->call, reeve_run_call_get_status (answer),
                           json_node_init_object (json_node_alloc (), answer));
      json_object_unref (answer);
    }
  reeve_run_call_free (self);
}

/* ---- before it is admitted ---- */

typedef struct
{
  ReeveCall *call;
  ReeveRuns *runs;
  char *agent_id;
  ReeveRunCallAgain again;
} ReeveRunCallLook;

static void
reeve_run_call_look (gpointer data)
{
  ReeveRunCallLook *look = data;
  ReeveCall *call = look->call;
  g_auto (ReeveLogScope) scope = reeve_log_scope (call->log);
  g_autoptr (GSource) source = g_idle_source_new ();

  call->looked = TRUE;
  g_clear_pointer (&call->acts_for, g_free);
  call->nameless
      = !reeve_runs_has_agent (look->runs, call->caller, look->agent_id, &call->acts_for);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, look->again.func, look->again.data, NULL);
  g_source_attach (source, call->context);
  reeve_call_unref (call);
  g_object_unref (look->runs);
  g_free (look->agent_id);
  g_free (look);
}

/* FALSE: it is asked again when it was looked up. */
static gboolean
reeve_run_call_is_sure (ReeveCall *call, ReeveServices *services, const char *agent_id,
                        const ReeveRunCallAgain *again)
{
  ReeveRunCallLook *look = NULL;

  if (call->looked || agent_id == NULL)
    return TRUE;
  g_clear_pointer (&call->acts_for, g_free);
  if (reeve_runs_knows (services->runs, call->caller, agent_id, &call->acts_for))
    return TRUE;
  look = g_new0 (ReeveRunCallLook, 1);
  look->call = reeve_call_ref (call);
  look->runs = g_object_ref (services->runs);
  look->agent_id = g_strdup (agent_id);
  look->again = *again;
  if (reeve_workers_push (services->workers, reeve_run_call_look, look, NULL))
    return FALSE;
  reeve_call_unref (look->call);
  g_object_unref (look->runs);
  g_free (look->agent_id);
  g_free (look);
  return TRUE;
}

/* Who may not run it hears that, and not how it stands. A refusal in a row of the user's is
 * recorded once. No I/O. */
static gboolean
reeve_run_call_has_place (ReeveCall *call, ReeveServices *services,
                          const ReeveAdmissionRequest *request, const char *agent_id,
                          GError **error)
{
  gboolean first = FALSE;

  if (agent_id == NULL || reeve_runs_has_place (services->runs, request->caller, agent_id)
      || !reeve_admission_allows_again (services->admission, request, NULL))
    return TRUE;
  reeve_runs_refuse_place (services->runs, request->caller, agent_id, &first, error);
  call->recorded = !first;
  return FALSE;
}

/**
 * reeve_run_call_prepare:
 * @call: a call that is not admitted yet
 * @services: what operations work with
 * @request: what would be admitted; borrows the name of the run
 * @agent_id: (nullable): which agent is to run
 * @again: whoever calls this
 * @error: return location
 *
 * An idempotency key has named its run before. On whose behalf the agent acts is taken for good
 * when the run begins: the outcome says so, and the intent what was known. No I/O.
 *
 * Returns: %FALSE with %REEVE_ERROR_RATE_LIMITED: the agent's queue is full; without an error:
 * @again is called
 */
gboolean
reeve_run_call_prepare (ReeveCall *call, ReeveServices *services, ReeveAdmissionRequest *request,
                        const char *agent_id, const ReeveRunCallAgain *again, GError **error)
{
  if (!reeve_run_call_has_place (call, services, request, agent_id, error)
      || !reeve_run_call_is_sure (call, services, agent_id, again))
    return FALSE;
  if (call->run_id == NULL)
    call->run_id = reeve_ids_new ("run");
  request->run_id = call->nameless ? NULL : call->run_id;
  request->begins_run = TRUE;
  if (agent_id != NULL && !call->nameless)
    request->delegated_told
        = call->acts_for != NULL ? call->acts_for : reeve_caller_get_user_id (request->caller);
  return TRUE;
}

const char *
reeve_run_call_get_run_id (ReeveCall *call)
{
  return call->run_id;
}

/**
 * reeve_run_call_execute:
 * @call: an admitted call
 * @services: what operations work with
 * @request: what to run
 *
 * On the thread of the call's context.
 */
void
reeve_run_call_execute (ReeveCall *call, ReeveServices *services, ReeveRunRequest *request)
{
  gboolean stream = reeve_call_get_boolean (call, "stream");
  ReeveRunCall *self = g_new0 (ReeveRunCall, 1);

  self->call = reeve_call_ref (call);
  self->runs = g_object_ref (services->runs);
  self->conversation_id = g_strdup (request->conversation_id);
  request->stream = stream;
  request->run_id = call->run_id;
  request->door = reeve_call_get_door (call);
  reeve_call_trace_describe_run (call, request);
  reeve_runs_execute_async (
      services->runs, reeve_call_steal_admitted (call), request,
      stream ? reeve_run_call_on_event : NULL, stream ? reeve_call_ref (call) : NULL,
      stream ? (GDestroyNotify) reeve_call_unref : NULL, reeve_run_call_on_done, self);
}
