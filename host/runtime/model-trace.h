/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModelTrace: what one call of a model looks like in a trace, and how long it took. */
#pragma once

#include "base/tracer.h"
#include "model-provider.h"
#include "models.h"

G_BEGIN_DECLS

typedef struct
{
  ReeveModelProvider *provider;
  ReeveLlmRequest *request;
  gint64 began;      /* monotonic */
  gint64 first;      /* when the first piece of an answer came that is streamed; else 0 */
  ReeveSpan *span;   /* (nullable): it is recorded */
  char *traceparent; /* (nullable): what the service is told */
  char *tracestate;
} ReeveModelTrace;

ReeveModelTrace *reeve_model_trace_new (ReeveTracer *tracer, ReeveModelProvider *provider,
                                        ReeveLlmRequest *request, const ReeveContextInfo *info);
/* A piece of the answer has come. The thread that reads the answer. */
void reeve_model_trace_note_piece (ReeveModelTrace *self);
/* Words of the conventions: chat or embeddings; whose protocol it speaks; (nullable) what failed.
 */
const char *reeve_model_trace_get_operation (const ReeveModelTrace *self);
const char *reeve_model_trace_get_provider (const ReeveModelTrace *self);
const char *reeve_model_trace_get_failure (const GError *error);
/* One of the two is NULL. */
void reeve_model_trace_end (ReeveModelTrace *self, const ReeveModelResponse *response,
                            const GError *error);
void reeve_model_trace_free (ReeveModelTrace *self);

G_END_DECLS
