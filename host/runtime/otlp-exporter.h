/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveOtlpExporter: sends spans and metrics to a collector by OTLP/HTTP in JSON, from a thread of
 * its own. A collector that is slow, down or wrong costs spans, which are counted, and nothing
 * else.
 */
#pragma once

#include "base/metrics.h"
#include "base/tracer.h"

#include "http-trust.h"

G_BEGIN_DECLS

typedef struct _ReeveOtlpExporter ReeveOtlpExporter;

/* As of the configuration, telemetry.otlp. Everything is copied. */
typedef struct
{
  const char *endpoint;        /* /v1/traces and /v1/metrics are appended */
  const char *const *headers;  /* (nullable): names and values, ended by NULL */
  const char *const *resource; /* attributes: names and texts, ended by NULL */
  guint timeout_ms;
  guint interval_seconds;
  ReeveTracer *tracer;             /* (nullable): no traces */
  ReeveMetrics *const *registries; /* each nullable */
  guint n_registries;
} ReeveOtlpExporterSetup;

ReeveOtlpExporter *reeve_otlp_exporter_new (const ReeveOtlpExporterSetup *setup,
                                            ReeveHttpTrust *trust);
/* How it is with the collector. */
typedef struct
{
  char *origin;     /* scheme, host and port alone: a path may be a secret */
  gboolean traces;  /* are sent */
  gboolean metrics; /* are sent */
  gint64 failing;   /* monotonic µs: since when it takes one of them not; 0: it takes them */
  guint64 lost;     /* spans since the start */
} ReeveOtlpExporterStatus;

/* Any thread; status is to be cleared. */
void reeve_otlp_exporter_get_status (ReeveOtlpExporter *self, ReeveOtlpExporterStatus *status);
void reeve_otlp_exporter_status_clear (ReeveOtlpExporterStatus *status);
/* Sends what waits, for @timeout_us at most, then ends. Blocks. Twice is as once. */
void reeve_otlp_exporter_stop (ReeveOtlpExporter *self, gint64 timeout_us);
/* (transfer full): stops it first */
void reeve_otlp_exporter_free (ReeveOtlpExporter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveOtlpExporter, reeve_otlp_exporter_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveOtlpExporterStatus, reeve_otlp_exporter_status_clear)

G_END_DECLS
