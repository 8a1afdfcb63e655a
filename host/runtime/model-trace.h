/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModelTrace: what one call of a model looks like in a trace, and how long it took. */
#pragma once

#include "base/tracer.h"
#include "model-provider.h"
#include "models.h"

G_BEGIN_DECLS

typedef struct
{
  ReeveSpan *span;   /* (nullable): it is recorded */
  char *traceparent; /* (nullable): what the service is told */
  char *tracestate;
} ReeveModelTrace;

ReeveModelTrace *reeve_model_trace_new (ReeveTracer *tracer, ReeveModelProvider *provider,
                                        ReeveLlmRequest *request, const ReeveContextInfo *info);
/* One of the two is NULL. */
void reeve_model_trace_end (ReeveModelTrace *self, const ReeveModelResponse *response,
                            const GError *error);
void reeve_model_trace_free (ReeveModelTrace *self);

G_END_DECLS
