/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenTelemetry's conventions for generative AI: names, counts, ids. What was asked and answered is
 * in none of them. */
#include "model-trace.h"

const char *
reeve_model_trace_get_operation (const ReeveModelTrace *self)
{
  return reeve_llm_request_get_task (self->request) == REEVE_LLM_TASK_EMBED ? "embeddings" : "chat";
}

const char *
reeve_model_trace_get_provider (const ReeveModelTrace *self)
{
  return self->provider->system != NULL ? self->provider->system : self->provider->id;
}

const char *
reeve_model_trace_get_failure (const GError *error)
{
  if (error == NULL)
    return NULL;
  return reeve_error_get_name (error->domain == REEVE_ERROR ? (ReeveError) error->code
                                                            : REEVE_ERROR_FAILED);
}

/* Where it is sent. */
static void
reeve_model_trace_set_server (ReeveSpan *span, const ReeveModelProvider *provider)
{
  if (provider->server_address == NULL)
    return;
  reeve_span_set_string (span, "server.address", provider->server_address);
  reeve_span_set_int (span, "server.port", g_ascii_strtoll (provider->server_port, NULL, 10));
}

static void
reeve_model_trace_open (ReeveModelTrace *self, ReeveTracer *tracer, const ReeveContextInfo *info)
{
  ReeveModelProvider *provider = self->provider;
  ReeveLlmRequest *request = self->request;
  const char *operation = reeve_model_trace_get_operation (self);
  const char *model = reeve_llm_request_get_model (request);
  g_autofree char *name = NULL;
  ReeveTrace parent = { 0 };

  if (tracer == NULL || !reeve_trace_parse (info->traceparent, &parent)
      || (parent.flags & REEVE_TRACE_SAMPLED) == 0)
    return;
  name = g_strconcat (operation, " ", model, NULL);
  self->span = reeve_span_begin (tracer, &parent, REEVE_SPAN_CLIENT, name);
  reeve_span_set_string (self->span, "gen_ai.operation.name", operation);
  reeve_span_set_string (self->span, "gen_ai.provider.name", reeve_model_trace_get_provider (self));
  reeve_span_set_string (self->span, "gen_ai.request.model", model);
  if (reeve_llm_request_get_max_tokens (request) > 0)
    reeve_span_set_int (self->span, "gen_ai.request.max_tokens",
                        reeve_llm_request_get_max_tokens (request));
  if (reeve_llm_request_get_temperature (request) >= 0)
    reeve_span_set_double (self->span, "gen_ai.request.temperature",
                           reeve_llm_request_get_temperature (request));
  reeve_model_trace_set_server (self->span, provider);
  reeve_span_set_string (self->span, "reeve.provider", provider->id);
  reeve_span_set_string (self->span, "reeve.tenant_id", info->tenant_id);
  reeve_span_set_string (self->span, "reeve.user_id", info->user_id);
  reeve_span_set_string (self->span, "gen_ai.agent.id", info->agent_id);
  reeve_span_set_string (self->span, "reeve.run_id", info->run_id);
}

/**
 * reeve_model_trace_new:
 * @tracer: (nullable): who records
 * @provider: who is asked
 * @request: what it is asked, by its own name of the model
 * @info: for whom
 *
 * Returns: (transfer full): the call, which begins now
 */
ReeveModelTrace *
reeve_model_trace_new (ReeveTracer *tracer, ReeveModelProvider *provider, ReeveLlmRequest *request,
                       const ReeveContextInfo *info)
{
  ReeveModelTrace *self = g_new0 (ReeveModelTrace, 1);

  self->provider = reeve_model_provider_ref (provider);
  self->request = reeve_llm_request_ref (request);
  self->began = g_get_monotonic_time ();
  reeve_model_trace_open (self, tracer, info);
  if (self->span != NULL)
    {
      self->traceparent = g_malloc (REEVE_TRACE_LENGTH + 1);
      reeve_trace_write (&self->span->trace, self->traceparent);
    }
  else
    self->traceparent = g_strdup (info->traceparent);
  self->tracestate = g_strdup (info->tracestate);
  return self;
}

/**
 * reeve_model_trace_note_piece:
 * @self: the call
 *
 * A piece of its answer has come.
 */
void
reeve_model_trace_note_piece (ReeveModelTrace *self)
{
  if (self->first == 0 && reeve_llm_request_get_stream (self->request))
    self->first = g_get_monotonic_time ();
}

/**
 * reeve_model_trace_end:
 * @self: the call
 * @response: (nullable): its answer
 * @error: (nullable): why there is none
 */
void
reeve_model_trace_end (ReeveModelTrace *self, const ReeveModelResponse *response,
                       const GError *error)
{
  if (self->span == NULL)
    return;
  reeve_span_fail_with (self->span, error);
  if (response != NULL)
    {
      reeve_span_set_string (self->span, "gen_ai.response.model", response->model);
      reeve_span_set_list (self->span, "gen_ai.response.finish_reasons", response->finish_reason);
      if (response->input_tokens >= 0)
        reeve_span_set_int (self->span, "gen_ai.usage.input_tokens", response->input_tokens);
      if (response->output_tokens >= 0)
        reeve_span_set_int (self->span, "gen_ai.usage.output_tokens", response->output_tokens);
      if (response->cached_tokens > 0)
        reeve_span_set_int (self->span, "gen_ai.usage.cache_read.input_tokens",
                            response->cached_tokens);
    }
  reeve_span_end (g_steal_pointer (&self->span));
}

void
reeve_model_trace_free (ReeveModelTrace *self)
{
  g_clear_pointer (&self->span, reeve_span_free);
  g_clear_pointer (&self->provider, reeve_model_provider_unref);
  g_clear_pointer (&self->request, reeve_llm_request_unref);
  g_free (self->traceparent);
  g_free (self->tracestate);
  g_free (self);
}
