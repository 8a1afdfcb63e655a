/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a question to the gate, and to who is asked besides, looks like in a trace. */
#pragma once

#include "admission.h"

G_BEGIN_DECLS

/* (transfer full) (nullable) */
ReeveSpan *reeve_admission_span_begin (ReeveTracer *tracer, const ReeveAdmissionRequest *request);
/* @span: (transfer full) (nullable). @error: (nullable): it was refused. */
void reeve_admission_span_end (ReeveSpan *span, const GError *error);
/* (transfer full) (nullable): somebody is asked about @request */
ReeveSpan *reeve_admission_span_consult (ReeveTracer *tracer, const ReeveAdmissionRequest *request);
/* @span: (transfer full) (nullable) */
void reeve_admission_span_advised (ReeveSpan *span, const ReevePolicyAdvice *advice);

G_END_DECLS
