/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call of a model: of a remote service by its codec on the caller's context, or of an engine on
 * a worker thread. */
#pragma once

#include "base/workers.h"
#include "model-provider.h"
#include "propagation.h"
#include "model-response.h"
#include "model-trace.h"

G_BEGIN_DECLS

/* What both kinds need; references are taken, info's deadline is copied. */
typedef struct
{
  ReeveModelProvider *provider;
  ReeveLlmRequest *request; /* as the service understands it */
  ReeveHttpRequest *http;   /* (nullable): what reeve_model_call_encode() made of it */
  GBytes *text;             /* (nullable): it, as an engine's own process gets it */
  ReeveAdmitted *admitted;  /* outlives the call */
  ReeveLlmDeltaFunc func;   /* (nullable) */
  gpointer func_data;
  GCancellable *cancellable;     /* (nullable) */
  gint64 deadline;               /* monotonic; 0 for none */
  ReevePropagation *propagation; /* (nullable) outlives the call */
  ReeveModelTrace *trace;        /* as long as the task */
  GTask *task;                   /* returns a ReeveModelResponse */
} ReeveModelCallSetup;

ReeveHttpRequest *reeve_model_call_encode (ReeveModelProvider *provider, ReeveLlmRequest *request,
                                           GError **error);
/* models-fallback.c: the call that returns through @task has failed before anything of an answer
 * came, and in such a way that nothing was done for it: another may be asked. */
void reeve_models_fallback_mark (GTask *task);
/* The same: the call that returns through @task ends without an answer; what came of one counts. */
void reeve_models_note_given (GTask *task, ReeveModelResponseBuilder *builder);
void reeve_model_call_start (const ReeveModelCallSetup *setup, ReeveUpstream *upstream);

G_END_DECLS
