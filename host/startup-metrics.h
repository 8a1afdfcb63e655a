/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is counted: the part of the start that opens it. */
#pragma once

#include "operations/metrics-state.h"

G_BEGIN_DECLS

/* Before ledger and gate. */
void reeve_startup_metrics_open (ReeveServices *services);
/* When every room is there; (transfer full) (nullable) */
ReeveMetricsState *reeve_startup_metrics_watch (ReeveServices *services);
/* Before the rooms go that are looked at. */
void reeve_startup_metrics_unwatch (ReeveServices *services, ReeveMetricsState *state);
/* When nobody counts any more. */
void reeve_startup_metrics_close (ReeveServices *services);

G_END_DECLS
