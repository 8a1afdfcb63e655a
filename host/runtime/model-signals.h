/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModelSignals: the metrics of OpenTelemetry's conventions for clients of generative AI. What
 * is counted of models by our own names is governance/instruments.h: by tenant, and as recorded. */
#pragma once

#include "base/metrics.h"
#include "model-trace.h"

G_BEGIN_DECLS

/* (transfer full): adds its families to the registry, which it keeps */
ReeveModelSignals *reeve_model_signals_new (ReeveMetrics *metrics) G_GNUC_WARN_UNUSED_RESULT;
void reeve_model_signals_free (ReeveModelSignals *self);
/* A call has ended now; self: (nullable); one of the other two is NULL. Any thread. */
void reeve_model_signals_note (ReeveModelSignals *self, const ReeveModelTrace *trace,
                               const ReeveModelResponse *response, const GError *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveModelSignals, reeve_model_signals_free)

G_END_DECLS
