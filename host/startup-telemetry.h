/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What others are told of the host's work: the part of the start that opens it. */
#pragma once

#include "operations/services.h"
#include "runtime/model-signals.h"
#include "runtime/net-http.h"
#include "runtime/otlp-exporter.h"

G_BEGIN_DECLS

typedef struct
{
  ReeveTracer *tracer; /* (nullable) */
  ReevePropagation *propagation;
  ReeveModelSignals *signals;  /* (nullable): nothing is counted */
  ReeveOtlpExporter *exporter; /* (nullable) */
} ReeveStartupTelemetry;

/* With models and the gate, before runs. */
gboolean reeve_startup_telemetry_open (ReeveStartupTelemetry *self, ReeveServices *services,
                                       ReeveNetHttp *net, GError **error);
/* Nothing is done any more: sends what waits. */
void reeve_startup_telemetry_stop (ReeveStartupTelemetry *self);
/* Nothing that could end a span is left. */
void reeve_startup_telemetry_close (ReeveStartupTelemetry *self);

G_END_DECLS
