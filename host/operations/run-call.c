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

/**
 * reeve_run_call_has_place:
 * @call: a call that is not admitted yet
 * @services: what operations work with
 * @request: what would be admitted
 * @agent_id: (nullable): which agent is to run
 * @error: return location
 *
 * Who may not run it hears that, and not how it stands. A refusal in a row of the user's is
 * recorded once. No I/O.
 *
 * Returns: %FALSE with %REEVE_ERROR_RATE_LIMITED: the agent's queue is full
 */
gboolean
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
 * reeve_run_call_name:
 * @call: a call that is about to be admitted
 * @request: what will be admitted; borrows the name
 *
 * An idempotency key has named its run before.
 */
void
reeve_run_call_name (ReeveCall *call, ReeveAdmissionRequest *request)
{
  if (call->run_id == NULL)
    call->run_id = reeve_ids_new ("run");
  request->run_id = call->run_id;
  request->begins_run = TRUE;
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
