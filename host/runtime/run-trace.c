/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run's span (invoke_agent, of OpenTelemetry's conventions for generative AI) begins where the
 * run does in this process: one that goes on after a restart has another one, in the same trace. No
 * text of a mission, a model or a tool stands in it. */
#include "run-private.h"

#include <string.h>

static void
reeve_run_trace_open_span (ReeveRun *self, JsonObject *started)
{
  const char *agent_id = reeve_json_get_string (started, "agent_id", NULL);
  g_autofree char *name
      = g_strconcat ("invoke_agent", agent_id != NULL ? " " : NULL, agent_id, NULL);
  ReeveTrace parent = { 0 };

  if (!reeve_trace_parse (reeve_json_get_string (started, "traceparent", NULL), &parent))
    return;
  self->traced = TRUE;
  self->trace = parent;
  self->span = reeve_span_begin (self->env.tracer, &parent, REEVE_SPAN_INTERNAL, name);
  if (self->span != NULL)
    self->trace = self->span->trace;
  reeve_trace_write (&self->trace, self->traceparent);
  reeve_span_set_string (self->span, "gen_ai.operation.name", "invoke_agent");
  reeve_span_set_string (self->span, "gen_ai.agent.id", agent_id);
  reeve_span_set_string (self->span, "gen_ai.agent.version",
                         reeve_json_get_string (started, "version_id", NULL));
  reeve_span_set_string (self->span, "gen_ai.request.model",
                         reeve_json_get_string (started, "model", NULL));
  reeve_span_set_string (
      self->span, "gen_ai.conversation.id",
      reeve_json_get_string (started, "conversation_id",
                             reeve_json_get_string (started, "session_id", NULL)));
  reeve_span_set_string (self->span, "reeve.run_id", self->run_id);
  reeve_span_set_string (self->span, "reeve.tenant_id", reeve_run_get_tenant_id (self));
  reeve_span_set_string (self->span, "reeve.user_id", reeve_caller_get_user_id (self->caller));
}

/**
 * reeve_run_trace_open:
 * @self: a run that begins, or goes on
 * @started: its first entry
 *
 * From here on its thread's log, where it works for the run, and that of the jobs it gives to
 * workers, is the run's.
 */
void
reeve_run_trace_open (ReeveRun *self, JsonObject *started)
{
  reeve_run_trace_open_span (self, started);
  self->log = reeve_log_context_new (
      NULL, REEVE_LOG_TENANT_ID, reeve_run_get_tenant_id (self), REEVE_LOG_USER_ID,
      reeve_caller_get_user_id (self->caller), REEVE_LOG_AGENT_ID,
      reeve_json_get_string (started, "agent_id", NULL), REEVE_LOG_RUN_ID, self->run_id,
      REEVE_LOG_SESSION_ID, reeve_json_get_string (started, "session_id", NULL),
      REEVE_LOG_REQUEST_ID, reeve_json_get_string (started, "request_id", NULL), REEVE_LOG_TRACE_ID,
      reeve_json_get_string (started, "trace_id", NULL), REEVE_LOG_SPAN_ID,
      self->span != NULL ? self->trace.span_id : NULL, REEVE_LOG_N_FIELDS);
}

/**
 * reeve_run_trace_describe:
 * @self: a run
 * @info: gets it, for whoever performs the effect
 */
void
reeve_run_trace_describe (ReeveRun *self, ReeveContextInfo *info)
{
  JsonObject *started = reeve_journal_get_started (self->journal);

  info->trace_id = reeve_json_get_string (started, "trace_id", NULL);
  info->traceparent = self->traced ? self->traceparent : NULL;
  info->tracestate = reeve_json_get_string (started, "tracestate", NULL);
}

static void
reeve_run_trace_judge (ReeveRun *self, JsonObject *result)
{
  JsonObject *error = reeve_json_get_object (result, "error");
  const char *status = reeve_json_get_string (result, "status", NULL);

  reeve_span_set_string (self->span, "reeve.run.status", status);
  reeve_span_set_int (self->span, "reeve.run.steps", reeve_journal_get_steps (self->journal));
  if (error != NULL)
    reeve_span_fail (self->span, reeve_json_get_string (error, "code", NULL));
}

/**
 * reeve_run_trace_close:
 * @self: a run
 * @result: (nullable): its answer
 * @error: (nullable): why there is none
 */
void
reeve_run_trace_close (ReeveRun *self, JsonObject *result, const GError *error)
{
  if (self->span == NULL)
    return;
  reeve_span_set_int (self->span, "gen_ai.usage.input_tokens",
                      reeve_journal_get_input_tokens (self->journal));
  reeve_span_set_int (self->span, "gen_ai.usage.output_tokens",
                      reeve_journal_get_output_tokens (self->journal));
  if (result != NULL)
    reeve_run_trace_judge (self, result);
  reeve_span_fail_with (self->span, error);
  reeve_span_end (g_steal_pointer (&self->span));
}

/* ---- one call of a tool ---- */

/**
 * reeve_run_trace_open_tool:
 * @self: a run
 * @name: of the tool
 * @call_id: what the model calls the call
 *
 * Returns: (transfer full) (nullable): a span
 */
ReeveSpan *
reeve_run_trace_open_tool (ReeveRun *self, const char *name, const char *call_id)
{
  g_autofree char *title = g_strconcat ("execute_tool ", name, NULL);
  ReeveSpan *span = reeve_span_begin (self->env.tracer, self->traced ? &self->trace : NULL,
                                      REEVE_SPAN_INTERNAL, title);

  reeve_span_set_string (span, "gen_ai.operation.name", "execute_tool");
  reeve_span_set_string (span, "gen_ai.tool.name", name);
  reeve_span_set_string (span, "gen_ai.tool.call.id", call_id);
  reeve_span_set_string (span, "gen_ai.tool.type", "function");
  reeve_span_set_string (span, "reeve.run_id", self->run_id);
  reeve_span_set_string (span, "reeve.tenant_id", reeve_run_get_tenant_id (self));
  return span;
}
