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
  ReeveModelMeter meter;
  ReeveAdmitted *admitted;
  ReeveModelPrepared *prepared; /* (nullable): while the intent is on its way to the disk */
  ReeveLlmDeltaFunc delta;
  ReeveModelDoorDone done;
  gpointer user_data;
} ReeveModelDoor;

/* (transfer full) error */
static void
reeve_model_door_end (ReeveModelDoor *self, const ReeveModelResponse *response, GError *error)
{
  self->done (response, error, self->user_data);
  reeve_call_unref (self->call);
  reeve_llm_request_unref (self->request);
  g_clear_pointer (&self->prepared, reeve_model_prepared_free);
  g_free (self);
}

static void
reeve_model_door_settle (ReeveModelDoor *self, const ReeveModelResponse *response,
                         const GError *error)
{
  g_autoptr (JsonNode) body = response != NULL && *response->content != '\0'
                                  ? json_node_init_string (json_node_alloc (), response->content)
                                  : NULL;
  /* its answer names no record and nothing else is stored of it: lost, it is `unknown` and spent */
  ReeveSettlement settlement
      = { .outcome = REEVE_OUTCOME_SUCCEEDED, .body = body, .may_wait = TRUE };

  if (error != NULL)
    {
      settlement.outcome = g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME)
                               ? REEVE_OUTCOME_UNKNOWN
                               : REEVE_OUTCOME_FAILED;
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
  return self->delta == NULL || self->delta (delta, self->user_data, error);
}

static void
reeve_model_door_on_model (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveModelDoor *self = user_data;
  GError *error = NULL;
  g_autoptr (ReeveModelResponse) response
      = reeve_models_complete_finish (self->services->models, result, &error);

  reeve_model_door_settle (self, response, error);
  reeve_model_door_end (self, response, error);
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
    reeve_model_door_settle (self, NULL, error);
  if (error != NULL)
    {
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

/**
 * reeve_model_door_start:
 * @call: a call of an operation that admits itself
 * @services: what operations work with
 * @request: (transfer none): what the model is asked
 * @delta: (nullable): gets each delta
 * @done: called once, now or later
 * @user_data: for @delta and @done
 *
 * Finds the model, asks for admission of `model.call`, calls the model and records the outcome. A
 * model that nobody knows is refused before any admission.
 */
void
reeve_model_door_start (ReeveCall *call, ReeveServices *services, ReeveLlmRequest *request,
                        ReeveLlmDeltaFunc delta, ReeveModelDoorDone done, gpointer user_data)
{
  g_autofree char *provider = NULL;
  g_autofree char *name = NULL;
  g_autofree char *full = NULL;
  g_autofree char *told = NULL;
  g_autoptr (JsonNode) body = reeve_admission_keeps_bodies (services->admission)
                                  ? reeve_gate_params_make_body (call)
                                  : NULL;
  ReeveModelDoor *self = NULL;
  GError *error = NULL;
  ReeveAdmissionRequest admission = {
    .caller = reeve_call_get_caller (call),
    .operation = "model.call",
    .permission = reeve_call_get_operation (call)->permission,
    .resource_type = "model",
    .input_digest = reeve_call_get_digest (call),
    .body = body,
    .trace_id = reeve_call_get_trace_id (call),
    .trace = reeve_call_trace_get_onward (call),
  };

  if (!reeve_models_resolve (services->models, reeve_llm_request_get_model (request), &provider,
                             &name, &error))
    {
      done (NULL, error, user_data);
      return;
    }
  full = g_strconcat (provider, "/", name, NULL);
  admission.model = full;
  told = reeve_admission_name_model (services->admission, full);
  admission.model_told = told;
  self = g_new0 (ReeveModelDoor, 1);
  self->call = reeve_call_ref (call);
  self->services = services;
  self->request = reeve_llm_request_ref (request);
  self->delta = delta;
  self->done = done;
  self->user_data = user_data;
  reeve_model_meter_init (&self->meter);
  admission.meanwhile = reeve_model_door_on_meanwhile;
  admission.meanwhile_data = self;
  admission.workspace_id = reeve_caller_get_workspace_id (admission.caller);
  if (reeve_admission_has_budgets (services->admission, reeve_call_get_tenant_id (call)))
    reeve_model_meter_bound (request, &admission);
  reeve_call_set_recorded (call);
  reeve_admission_begin_async (services->admission, &admission, reeve_model_door_on_admitted, self);
}
