/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a call stands in its caller's trace, its own span, and the context of its log. */
#pragma once

#include "base/tracer.h"
#include "call.h"
#include "runtime/runs.h"

G_BEGIN_DECLS

/* The door, before it dispatches: both nullable; what is malformed is ignored, as W3C Trace Context
 * says. */
void reeve_call_trace_set (ReeveCall *call, const char *traceparent, const char *tracestate);
/* The door, when it answers: only it knows the status of an error. */
void reeve_call_trace_set_status (ReeveCall *call, guint status);
/* Where the call itself stands: what its door answers. */
const ReeveTrace *reeve_call_trace_get (ReeveCall *call);
/* What stands above whatever is done for the call: its own span; where that is not recorded, what
 * its caller showed. */
const ReeveTrace *reeve_call_trace_get_onward (ReeveCall *call);
/* The same for who calls a plugin or a model; valid as long as the call. */
void reeve_call_trace_describe (ReeveCall *call, ReeveContextInfo *info);
void reeve_call_trace_describe_run (ReeveCall *call, ReeveRunRequest *request);

/* ---- private to the gate and the call ---- */

/* The call begins. @tracer: (nullable): nothing is recorded */
void reeve_call_trace_begin (ReeveCall *call, ReeveTracer *tracer);
/* It is known who calls. */
void reeve_call_trace_know (ReeveCall *call);
/* Its door has answered. */
void reeve_call_trace_end (ReeveCall *call);
void reeve_call_trace_clear (ReeveCall *call);

G_END_DECLS
