/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ids and words of the table stand in a span: no path, no query, no body, no address. */
#include "call-trace.h"

#include "call-private.h"

#include <string.h>

#define REEVE_CALL_TRACE_SERVER_ERROR 500

/**
 * reeve_call_trace_set:
 * @call: a call that was not dispatched yet
 * @traceparent: (nullable): as its caller sent it
 * @tracestate: (nullable): the same; without a valid @traceparent it means nothing
 */
void
reeve_call_trace_set (ReeveCall *call, const char *traceparent, const char *tracestate)
{
  if (!reeve_trace_parse (traceparent, &call->parent))
    return;
  call->continued = TRUE;
  memcpy (call->trace.trace_id, call->parent.trace_id, sizeof call->trace.trace_id);
  call->trace.flags = call->parent.flags;
  call->state = reeve_trace_read_state (tracestate);
}

void
reeve_call_trace_set_status (ReeveCall *call, guint status)
{
  call->shown_status = status;
}

const ReeveTrace *
reeve_call_trace_get (ReeveCall *call)
{
  return &call->trace;
}

const ReeveTrace *
reeve_call_trace_get_onward (ReeveCall *call)
{
  return call->span == NULL && call->continued ? &call->parent : &call->trace;
}

static const char *
reeve_call_trace_write (ReeveCall *call)
{
  if (*call->onward == '\0')
    reeve_trace_write (reeve_call_trace_get_onward (call), call->onward);
  return call->onward;
}

/**
 * reeve_call_trace_describe:
 * @call: a call
 * @info: gets where it stands
 */
void
reeve_call_trace_describe (ReeveCall *call, ReeveContextInfo *info)
{
  info->trace_id = call->trace.trace_id;
  info->traceparent = reeve_call_trace_write (call);
  info->tracestate = call->state;
}

/**
 * reeve_call_trace_describe_run:
 * @call: a call
 * @request: gets where it stands
 */
void
reeve_call_trace_describe_run (ReeveCall *call, ReeveRunRequest *request)
{
  request->trace_id = call->trace.trace_id;
  request->request_id = call->request_id;
  request->traceparent = reeve_call_trace_write (call);
  request->tracestate = call->state;
}

/* ---- its span ---- */

static gboolean
reeve_call_trace_is_http (ReeveCall *call)
{
  return strcmp (call->door, "rest") == 0;
}

static void
reeve_call_trace_open (ReeveCall *call, ReeveTracer *tracer)
{
  const ReeveOperation *operation = call->operation;
  g_autofree char *name = NULL;

  /* probes come every few seconds from whoever watches: of them only what somebody asks for */
  if (!call->continued && operation->klass == REEVE_CLASS_PROBE)
    return;
  /* no row of the table: what was asked for is in no span */
  if (operation->path == NULL)
    return;
  if (!call->continued)
    reeve_tracer_sample (tracer, &call->trace);
  if (tracer == NULL || (call->trace.flags & REEVE_TRACE_SAMPLED) == 0)
    return;
  name = reeve_call_trace_is_http (call)
             ? g_strconcat (operation->method, " ", operation->path, NULL)
             : g_strdup (operation->name);
  call->span = reeve_span_begin_root (tracer, &call->trace, call->continued ? &call->parent : NULL,
                                      REEVE_SPAN_SERVER, name);
  if (reeve_call_trace_is_http (call))
    {
      reeve_span_set_string (call->span, "http.request.method", operation->method);
      reeve_span_set_string (call->span, "http.route", operation->path);
    }
  else
    {
      reeve_span_set_string (call->span, "rpc.system.name", call->door);
      reeve_span_set_string (call->span, "rpc.method", operation->name);
    }
  reeve_span_set_string (call->span, "reeve.operation", operation->name);
  reeve_span_set_string (call->span, "reeve.request_id", call->request_id);
}

/**
 * reeve_call_trace_begin:
 * @call: a call that is dispatched
 * @tracer: (nullable): nothing is recorded
 */
void
reeve_call_trace_begin (ReeveCall *call, ReeveTracer *tracer)
{
  reeve_call_trace_open (call, tracer);
  call->log = reeve_log_context_new (NULL, REEVE_LOG_REQUEST_ID, call->request_id,
                                     REEVE_LOG_TRACE_ID, call->trace.trace_id, REEVE_LOG_SPAN_ID,
                                     call->trace.span_id, REEVE_LOG_N_FIELDS);
  if (call->caller != NULL)
    reeve_call_trace_know (call);
}

/**
 * reeve_call_trace_know:
 * @call: a call whose caller is known, or has entered another tenant
 */
void
reeve_call_trace_know (ReeveCall *call)
{
  const char *tenant_id = reeve_call_get_tenant_id (call);
  const char *user_id = reeve_caller_get_user_id (call->caller);
  g_autoptr (ReeveLogContext) before = g_steal_pointer (&call->log);

  call->log = reeve_log_context_new (before, REEVE_LOG_TENANT_ID, tenant_id, REEVE_LOG_USER_ID,
                                     user_id, REEVE_LOG_N_FIELDS);
  reeve_span_set_string (call->span, "reeve.tenant_id", tenant_id);
  reeve_span_set_string (call->span, "reeve.user_id", user_id);
}

/* The client's fault is none of the server, as the conventions of HTTP say. */
static void
reeve_call_trace_judge (ReeveCall *call)
{
  const GError *error = call->error;
  guint status = call->shown_status != 0 ? call->shown_status : call->status;
  gboolean http = reeve_call_trace_is_http (call);

  if (http && status != 0)
    reeve_span_set_int (call->span, "http.response.status_code", status);
  if (error != NULL && (!http || status == 0 || status >= REEVE_CALL_TRACE_SERVER_ERROR))
    reeve_span_fail_with (call->span, error);
  else if (error != NULL)
    reeve_span_set_string (call->span, "reeve.refused",
                           reeve_error_get_name (error->domain == REEVE_ERROR
                                                     ? (ReeveError) error->code
                                                     : REEVE_ERROR_FAILED));
}

void
reeve_call_trace_end (ReeveCall *call)
{
  if (call->span == NULL)
    return;
  reeve_call_trace_judge (call);
  reeve_span_end (g_steal_pointer (&call->span));
}

void
reeve_call_trace_clear (ReeveCall *call)
{
  g_clear_pointer (&call->span, reeve_span_free);
  g_clear_pointer (&call->log, reeve_log_context_unref);
  g_free (call->state);
}
