/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compatible doors admit themselves: only the body says which effect is wanted. Here is the way of
 * all that call a model, so that each is admitted, recorded and settled in the same form. */
#include "model-door.h"

#include "call-trace.h"
#include "gate-params.h"

#include "runtime/model-meter.h"

typedef struct
{
  ReeveCall *call;
  ReeveServices *services;
  ReeveLlmRequest *request;
  guint max_tokens; /* of the answer, as it was asked for */
  char *first;      /* the model that was wanted: provider/name */
  char *full;       /* the one that is asked */
  guint64 parent;   /* intent of the one that failed before it; 0: none did */
  ReeveModelMeter meter;
  ReeveAdmitted *admitted;
  ReeveModelPrepared *prepared; /* (nullable): while the intent is on its way to the disk */
  ReeveModelDoorFuncs funcs;
  gpointer user_data;
} ReeveModelDoor;

static void reeve_model_door_ask (ReeveModelDoor *self);

/* Of one that was asked in the place of another. */
static void
reeve_model_door_explain (ReeveModelDoor *self, GError *error)
{
  if (error != NULL && self->parent != 0)
    g_prefix_error (&error, "in the place of %s: ", self->first);
}

/* (transfer full) error */
static void
reeve_model_door_end (ReeveModelDoor *self, const ReeveModelResponse *response, GError *error)
{
  self->funcs.done (response, error, self->user_data);
  reeve_call_unref (self->call);
  reeve_llm_request_unref (self->request);
  g_free (self->first);
  g_free (self->full);
  g_clear_pointer (&self->prepared, reeve_model_prepared_free);
  g_free (self);
}

static void
reeve_model_door_settle (ReeveModelDoor *self, const ReeveModelResponse *response,
                         GAsyncResult *result, const GError *error)
{
  g_autoptr (JsonNode) body = response != NULL && *response->content != '\0'
                                  ? json_node_init_string (json_node_alloc (), response->content)
                                  : NULL;
  g_autofree char *digest = response != NULL ? reeve_model_response_digest (response)
                            : result != NULL ? reeve_models_dup_given (result)
                                             : NULL;
  /* its answer names no record and nothing else is stored of it: lost, it is `unknown` and spent */
  ReeveSettlement settlement = {
    .outcome = REEVE_OUTCOME_SUCCEEDED,
    .output_digest = digest,
    .error = error,
    .body = body,
    .may_wait = TRUE,
  };

  if (error != NULL)
    {
      settlement.outcome = reeve_admitted_judge (self->admitted, error);
      settlement.reason = reeve_error_get_name (
          error->domain == REEVE_ERROR ? (ReeveError) error->code : REEVE_ERROR_FAILED);
    }
  if (reeve_admitted_is_consumed (self->admitted))
    reeve_model_meter_settle (&self->meter, self->request, response, error, &settlement);
  reeve_admission_settle_async (self->services->admission, g_steal_pointer (&self->admitted),
                                &settlement, NULL, NULL);
}

static gboolean
reeve_model_door_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  ReeveModelDoor *self = user_data;

  reeve_model_meter_add (&self->meter, delta);
  return self->funcs.delta == NULL || self->funcs.delta (delta, self->user_data, error);
}

/* (transfer full) next (nullable): @self asks it in the place of the one before, with an admission
 * of its own; @failed: intent that it stands below. */
static gboolean
reeve_model_door_turn (ReeveModelDoor *self, char *next, guint64 failed)
{
  ReeveLlmRequest *other = NULL;

  /* nobody waits for it any more; vectors mean nothing beside another model's */
  if (next == NULL || self->meter.sent
      || g_cancellable_is_cancelled (reeve_call_get_cancellable (self->call))
      || reeve_llm_request_get_task (self->request) != REEVE_LLM_TASK_CHAT)
    {
      g_free (next);
      return FALSE;
    }
  other = reeve_models_readdress (self->request, next, self->max_tokens);
  reeve_llm_request_unref (self->request);
  self->request = other;
  g_free (self->full);
  self->full = next;
  self->parent = failed;
  if (self->funcs.turned != NULL)
    self->funcs.turned (self->full, self->user_data);
  reeve_model_door_ask (self);
  return TRUE;
}

static void
reeve_model_door_on_model (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveModelDoor *self = user_data;
  GError *error = NULL;
  g_autoptr (ReeveModelResponse) response
      = reeve_models_complete_finish (self->services->models, result, &error);
  guint64 intent = reeve_admitted_get_intent (self->admitted);

  reeve_model_door_explain (self, error);
  reeve_model_door_settle (self, response, result, error);
  if (error != NULL
      && reeve_model_door_turn (
          self, reeve_models_dup_next (self->services->models, result, self->first, self->full),
          intent))
    g_error_free (error);
  else
    reeve_model_door_end (self, response, error);
}

/* One that the tenant may not ask has its place taken, where it was to take another's. */
static gboolean
reeve_model_door_skip (ReeveModelDoor *self, const GError *error)
{
  return self->parent != 0 && reeve_model_allow_refused (error)
         && reeve_model_door_turn (
             self, reeve_models_dup_behind (self->services->models, self->first, self->full),
             self->parent);
}

static void
reeve_model_door_on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveModelDoor *self = user_data;
  ReeveCaller *caller = reeve_call_get_caller (self->call);
  ReeveContextInfo info = {
    .struct_size = sizeof info,
    .tenant_id = reeve_call_get_tenant_id (self->call),
    .user_id = reeve_caller_get_user_id (caller),
    .roles = reeve_caller_get_roles (caller),
  };
  GError *error = NULL;

  reeve_call_trace_describe (self->call, &info);
  self->admitted = reeve_admission_begin_finish (self->services->admission, result, &error);
  if (self->admitted != NULL
      && !reeve_model_meter_lower (self->request, reeve_admitted_get_granted (self->admitted),
                                   &error))
    reeve_model_door_settle (self, NULL, NULL, error);
  if (error != NULL && reeve_model_door_skip (self, error))
    {
      g_error_free (error);
      return;
    }
  if (error != NULL)
    {
      reeve_model_door_explain (self, error);
      reeve_model_door_end (self, NULL, error);
      return;
    }
  reeve_models_complete_prepared_async (
      self->services->models, self->admitted, g_steal_pointer (&self->prepared), self->request,
      &info, reeve_model_door_on_delta, self, reeve_call_get_cancellable (self->call),
      reeve_model_door_on_model, self);
}

/* The intent waits for its sync, and this thread for the intent. */
static void
reeve_model_door_on_meanwhile (gint64 granted, gpointer user_data)
{
  ReeveModelDoor *self = user_data;

  if (reeve_model_meter_lower (self->request, granted, NULL))
    self->prepared = reeve_models_prepare (self->services->models, self->request);
}

static void
reeve_model_door_ask (ReeveModelDoor *self)
{
  ReeveCall *call = self->call;
  ReeveAdmission *gate = self->services->admission;
  g_autofree char *told = reeve_admission_name_model (gate, self->full);
  g_autoptr (JsonNode) body
      = reeve_admission_keeps_bodies (gate) ? reeve_gate_params_make_body (call) : NULL;
  ReeveAdmissionRequest admission = {
    .caller = reeve_call_get_caller (call),
    .operation = "model.call",
    .permission = reeve_call_get_operation (call)->permission,
    .resource_type = "model",
    .model = self->full,
    .model_told = told,
    .parent = self->parent,
    .input_digest = reeve_call_get_digest (call),
    .body = body,
    .trace_id = reeve_call_get_trace_id (call),
    .trace = reeve_call_trace_get_onward (call),
    .meanwhile = reeve_model_door_on_meanwhile,
    .meanwhile_data = self,
  };

  reeve_model_meter_init (&self->meter);
  admission.workspace_id = reeve_caller_get_workspace_id (admission.caller);
  if (reeve_admission_has_budgets (gate, reeve_call_get_tenant_id (call)))
    reeve_model_meter_bound (self->request, &admission);
  reeve_admission_begin_async (gate, &admission, reeve_model_door_on_admitted, self);
}

/**
 * reeve_model_door_start:
 * @call: a call of an operation that admits itself
 * @services: what operations work with
 * @request: (transfer none): what the model is asked
 * @funcs: who is told what; copied
 * @user_data: for @funcs
 *
 * Finds the model, asks for admission of `model.call`, calls the model and records the outcome. A
 * model that nobody knows is refused before any admission. Where the model cannot answer, and
 * nothing was said, the configuration may name another: it is asked under an admission of its own,
 * whose parent is the one that failed.
 */
void
reeve_model_door_start (ReeveCall *call, ReeveServices *services, ReeveLlmRequest *request,
                        const ReeveModelDoorFuncs *funcs, gpointer user_data)
{
  g_autofree char *provider = NULL;
  g_autofree char *name = NULL;
  ReeveModelDoor *self = NULL;
  GError *error = NULL;

  if (!reeve_models_resolve (services->models, reeve_llm_request_get_model (request), &provider,
                             &name, &error))
    {
      funcs->done (NULL, error, user_data);
      return;
    }
  self = g_new0 (ReeveModelDoor, 1);
  self->call = reeve_call_ref (call);
  self->services = services;
  self->request = reeve_llm_request_ref (request);
  self->max_tokens = reeve_llm_request_get_max_tokens (request);
  self->first = g_strconcat (provider, "/", name, NULL);
  self->full = g_strdup (self->first);
  self->funcs = *funcs;
  self->user_data = user_data;
  reeve_call_set_recorded (call);
  reeve_model_door_ask (self);
}
