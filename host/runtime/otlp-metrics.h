/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A registry of metrics as OTLP/HTTP sends it in JSON. */
#pragma once

#include "base/metrics.h"

G_BEGIN_DECLS

/* (transfer full) (nullable): ExportMetricsServiceRequest of all points of the registries (each
 * nullable); NULL when there is none. @resource: as of otlp-encode.h. @now: µs since the epoch.
 * @n_points: (out): how many. */
GBytes *reeve_otlp_metrics_encode (const char *resource, ReeveMetrics *const *registries, guint n,
                                   gint64 now, guint *n_points);

G_END_DECLS
