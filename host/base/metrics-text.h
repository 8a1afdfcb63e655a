/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A registry as text: Prometheus 0.0.4 and OpenMetrics 1.0. */
#pragma once

#include "metrics.h"

G_BEGIN_DECLS

typedef enum
{
  REEVE_METRICS_TEXT_PROMETHEUS,
  REEVE_METRICS_TEXT_OPENMETRICS
} ReeveMetricsTextFormat;

/* By an Accept header (nullable). */
ReeveMetricsTextFormat reeve_metrics_text_choose (const char *accept);
const char *reeve_metrics_text_get_media_type (ReeveMetricsTextFormat format);
/* (transfer full) label (nullable): only series where it has that value, and no family without it
 */
char *reeve_metrics_text_format (ReeveMetrics *metrics, ReeveMetricsTextFormat format,
                                 const char *label, const char *value);
/* Where a family has it, the place of a label among the others; -1. */
gint reeve_metrics_text_find_label (const ReeveMetricInfo *info, const char *label);

G_END_DECLS
