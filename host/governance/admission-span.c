/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which stage refused and the word of the record: no text of an error, which may name what a caller
 * wrote. */
#include "admission-span.h"

/**
 * reeve_admission_span_begin:
 * @tracer: (nullable): who records
 * @request: what is asked
 *
 * Returns: (transfer full) (nullable): a span
 */
ReeveSpan *
reeve_admission_span_begin (ReeveTracer *tracer, const ReeveAdmissionRequest *request)
{
  ReeveSpan *span = NULL;
  g_autofree char *name = NULL;

  if (tracer == NULL || request->trace == NULL
      || (request->trace->flags & REEVE_TRACE_SAMPLED) == 0)
    return NULL;
  name = g_strconcat ("admission ", request->operation, NULL);
  span = reeve_span_begin (tracer, request->trace, REEVE_SPAN_INTERNAL, name);
  reeve_span_set_string (span, "reeve.operation", request->operation);
  if (request->caller != NULL)
    {
      reeve_span_set_string (span, "reeve.tenant_id", reeve_caller_get_tenant_id (request->caller));
      reeve_span_set_string (span, "reeve.user_id", reeve_caller_get_user_id (request->caller));
    }
  reeve_span_set_string (span, "gen_ai.agent.id", request->agent_id);
  reeve_span_set_string (span, "gen_ai.tool.name",
                         request->tool_told != NULL ? request->tool_told : request->tool_name);
  reeve_span_set_string (span, "gen_ai.request.model", request->model);
  reeve_span_set_string (span, "reeve.run_id", request->run_id);
  return span;
}

void
reeve_admission_span_end (ReeveSpan *span, const GError *error)
{
  reeve_span_set_string (span, "reeve.admission.decision", error == NULL ? "allowed" : "refused");
  reeve_span_fail_with (span, error);
  reeve_span_end (span);
}

ReeveSpan *
reeve_admission_span_consult (ReeveTracer *tracer, const ReeveAdmissionRequest *request)
{
  ReeveSpan *span = request->span != NULL ? reeve_span_begin (tracer, &request->span->trace,
                                                              REEVE_SPAN_CLIENT, "policy advice")
                                          : NULL;

  reeve_span_set_string (span, "gen_ai.tool.name",
                         request->tool_told != NULL ? request->tool_told : request->tool_name);
  return span;
}

void
reeve_admission_span_advised (ReeveSpan *span, const ReevePolicyAdvice *advice)
{
  reeve_span_set_string (span, "reeve.policy.advice", reeve_policy_advice_get_word (advice));
  if (advice->kind == REEVE_POLICY_ADVICE_UNREACHABLE)
    reeve_span_fail (span, "unreachable");
  reeve_span_end (span);
}
