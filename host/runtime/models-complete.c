/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call of a model: what can be made before it is admitted, then the call itself. */
#include "models-private.h"

#include "base/log-task.h"
#include "loader/confined-instance.h"
#include "model-call.h"
#include "model-engine.h"
#include "model-prepared.h"
#include "model-signals.h"
#include "model-trace.h"

/**
 * reeve_models_prepare:
 * @self: a router
 * @request: what will be asked; its model may be prefixed by a provider
 *
 * Makes as much of a call as needs no leave: finds the provider, encodes what it will be sent,
 * and has a connection opened where none stands idle. Sends nothing, never blocks.
 *
 * Returns: (transfer full) (nullable): for reeve_models_complete_prepared_async(), which tells what
 * was wrong when there is none
 */
ReeveModelPrepared *
reeve_models_prepare (ReeveModels *self, ReeveLlmRequest *request)
{
  g_autofree char *name = NULL;
  ReeveModelProvider *provider
      = reeve_models_route (self, reeve_llm_request_get_model (request), &name, NULL);
  ReeveModelPrepared *prepared = NULL;
  ReeveUpstream *upstream = NULL;

  if (provider == NULL || !reeve_models_check (self, provider, NULL))
    return NULL;
  prepared = reeve_model_prepared_new (provider, name, request);
  if (provider->codec != NULL)
    prepared->http = reeve_model_call_encode (provider, prepared->request, NULL);
  else
    prepared->text = reeve_confined_kinds_write_request (provider->engine, prepared->request);
  if (prepared->http != NULL)
    upstream = reeve_models_get_client (self, NULL);
  if (upstream != NULL)
    reeve_upstream_warm (upstream, prepared->http, &provider->options);
  return prepared;
}

/* (transfer full) prepared: only where it is of what was admitted; else it is made now. */
static ReeveModelPrepared *
reeve_models_take_prepared (ReeveModels *self, ReeveModelPrepared *prepared,
                            ReeveLlmRequest *request, GError **error)
{
  g_autofree char *name = NULL;
  ReeveModelProvider *provider = NULL;

  if (prepared != NULL && reeve_model_prepared_is_of (prepared, request))
    return prepared;
  g_clear_pointer (&prepared, reeve_model_prepared_free);
  provider = reeve_models_route (self, reeve_llm_request_get_model (request), &name, error);
  return provider != NULL ? reeve_model_prepared_new (provider, name, request) : NULL;
}

/* What the engine does stands below its call; one that no plugin asked for asks nobody in turn. */
static void
reeve_models_delegate (const ReeveModelCallSetup *setup, ReeveDelegation *below,
                       const ReeveContextInfo *info, ReeveContext *context)
{
  const ReeveAdmissionRequest call = { .caller = reeve_admitted_get_caller (setup->admitted),
                                       .agent_id = info->agent_id,
                                       .run_id = info->run_id };
  g_autoptr (ReeveDelegation) own = NULL;

  if (below == NULL && call.caller != NULL)
    {
      own = reeve_delegation_new (&call, NULL);
      reeve_delegation_limit (own, 0, NULL);
    }
  if (below != NULL || own != NULL)
    reeve_delegation_begin (below != NULL ? below : own, setup->admitted, context);
}

/* To an engine, on a worker, or @below a plugin's call. */
static void
reeve_models_start_engine (ReeveModels *self, const ReeveModelCallSetup *setup,
                           ReeveDelegation *below, const ReeveContextInfo *info)
{
  ReeveContextInfo own = *info;
  g_autoptr (ReeveContext) context = NULL;

  own.traceparent = setup->trace->traceparent;
  context = self->registry != NULL ? reeve_registry_new_context (
                self->registry, setup->provider->plugin, &own, setup->cancellable)
                                   : reeve_context_new (&own, NULL, setup->cancellable);
  reeve_models_delegate (setup, below, info, context);
  reeve_model_engine_start (setup, context, below != NULL ? NULL : self->workers);
}

static void
reeve_models_start (ReeveModels *self, ReeveAdmitted *admitted, ReeveModelPrepared *prepared,
                    ReeveDelegation *below, ReeveLlmRequest *request, const ReeveContextInfo *info,
                    ReeveLlmDeltaFunc func, gpointer func_data, GCancellable *cancellable,
                    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = reeve_log_task_new (self, NULL, callback, user_data);
  ReeveModelCallSetup setup = { .admitted = admitted,
                                .func = func,
                                .func_data = func_data,
                                .cancellable = cancellable,
                                .task = task,
                                .deadline = info->deadline,
                                .propagation = self->propagation };
  g_autoptr (ReeveModelPrepared) made = NULL;
  ReeveUpstream *upstream = NULL;
  GError *error = NULL;

  g_task_set_source_tag (task, reeve_models_complete_async);
  made = reeve_models_take_prepared (self, prepared, request, &error);
  if (made != NULL && reeve_models_check (self, made->provider, &error)
      && made->provider->codec != NULL)
    upstream = reeve_models_get_client (self, &error);
  if (made == NULL || error != NULL)
    {
      if (made != NULL && g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE))
        reeve_models_fallback_mark (task);
      g_task_return_error (task, error);
      return;
    }
  reeve_admitted_expect (admitted, "model.call", made->full, NULL);
  setup.provider = made->provider;
  setup.request = made->request;
  setup.http = made->http;
  setup.text = made->text;
  setup.trace = reeve_model_trace_new (self->tracer, made->provider, made->request, info);
  g_task_set_task_data (task, setup.trace, (GDestroyNotify) reeve_model_trace_free);
  if (made->provider->codec != NULL)
    reeve_model_call_start (&setup, upstream);
  else
    reeve_models_start_engine (self, &setup, below, info);
}

/**
 * reeve_models_complete_prepared_async:
 * @self: a router
 * @admitted: right to one `model.call`; consumed when the request leaves; stays the caller's, who
 * settles it after the end
 * @prepared: (transfer full) (nullable): what reeve_models_prepare() made of @request on this
 * thread
 * @request: what is asked; its model may be prefixed by a provider
 * @info: for whom and until when; copied
 * @func: (nullable): gets each delta
 * @func_data: for @func
 * @cancellable: (nullable): ends the call with %REEVE_ERROR_CANCELLED
 * @callback: on the thread-default main context, as @func
 * @user_data: for @callback
 *
 * Performs one call of a model. Never blocks. What was prepared of something else, or before
 * @request was given another limit, is dropped and made anew.
 */
void
reeve_models_complete_prepared_async (ReeveModels *self, ReeveAdmitted *admitted,
                                      ReeveModelPrepared *prepared, ReeveLlmRequest *request,
                                      const ReeveContextInfo *info, ReeveLlmDeltaFunc func,
                                      gpointer func_data, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
  reeve_models_start (self, admitted, prepared, NULL, request, info, func, func_data, cancellable,
                      callback, user_data);
}

/**
 * reeve_models_complete_below_async:
 * @self: a router
 * @admitted: as for reeve_models_complete_prepared_async()
 * @below: the call, as what an engine asks for stands below it
 * @request: as for reeve_models_complete_prepared_async()
 * @info: the same
 * @func: (nullable): the same
 * @func_data: for @func
 * @cancellable: (nullable): the same
 * @callback: the same
 * @user_data: for @callback
 *
 * The same for a plugin that asks for it.
 */
void
reeve_models_complete_below_async (ReeveModels *self, ReeveAdmitted *admitted,
                                   ReeveDelegation *below, ReeveLlmRequest *request,
                                   const ReeveContextInfo *info, ReeveLlmDeltaFunc func,
                                   gpointer func_data, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  reeve_models_start (self, admitted, NULL, below, request, info, func, func_data, cancellable,
                      callback, user_data);
}

/**
 * reeve_models_complete_async:
 * @self: a router
 * @admitted: as for reeve_models_complete_prepared_async()
 * @request: the same
 * @info: the same
 * @func: (nullable): the same
 * @func_data: for @func
 * @cancellable: (nullable): the same
 * @callback: the same
 * @user_data: for @callback
 *
 * The same for a call of which nothing was prepared.
 */
void
reeve_models_complete_async (ReeveModels *self, ReeveAdmitted *admitted, ReeveLlmRequest *request,
                             const ReeveContextInfo *info, ReeveLlmDeltaFunc func,
                             gpointer func_data, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  reeve_models_complete_prepared_async (self, admitted, NULL, request, info, func, func_data,
                                        cancellable, callback, user_data);
}

/**
 * reeve_models_complete_finish:
 * @self: a router
 * @result: what the callback got
 * @error: return location
 *
 * Errors: %REEVE_ERROR_UNKNOWN_OUTCOME and, once the request was sent, %REEVE_ERROR_TIMEOUT mean
 * that the service may have done (and billed) the work; %REEVE_ERROR_RATE_LIMITED,
 * %REEVE_ERROR_UNAVAILABLE that it did not.
 *
 * Returns: (transfer full) (nullable): the answer
 */
ReeveModelResponse *
reeve_models_complete_finish (ReeveModels *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_models_complete_async), NULL);
  ReeveModelTrace *trace = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) local = NULL;
  ReeveModelResponse *response = g_task_propagate_pointer (G_TASK (result), &local);

  if (trace != NULL)
    {
      reeve_model_signals_note (self->signals, trace, response, local);
      reeve_model_trace_end (trace, response, local);
    }
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return response;
}
