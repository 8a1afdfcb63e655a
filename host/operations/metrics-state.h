/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics of how things stand: looked at when somebody reads them, counted by nobody. */
#pragma once

#include "services.h"

G_BEGIN_DECLS

typedef struct _ReeveMetricsState ReeveMetricsState;

/* Adds families and a collector to the registry of @services, which outlives the collector:
 * reeve_metrics_drop_collectors() comes before this is freed. */
ReeveMetricsState *reeve_metrics_state_new (ReeveServices *services) G_GNUC_WARN_UNUSED_RESULT;
void reeve_metrics_state_free (ReeveMetricsState *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveMetricsState, reeve_metrics_state_free)

G_END_DECLS
