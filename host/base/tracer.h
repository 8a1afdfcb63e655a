/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveTracer: who decides which traces are recorded, and holds spans that have ended until
 * somebody sends them. Bounded: what does not fit is dropped and counted. Any thread; nobody waits.
 */
#pragma once

#include "span.h"

G_BEGIN_DECLS

/* Called by whoever ends the span that makes @batch of them. Must not block. */
typedef void (*ReeveTracerReady) (gpointer user_data);

/* @ratio: share of the traces that begin here that are recorded, 0 to 1. @most: spans that wait. */
ReeveTracer *reeve_tracer_new (double ratio, guint most);
ReeveTracer *reeve_tracer_ref (ReeveTracer *self);
void reeve_tracer_unref (ReeveTracer *self);
/* Before the first span. */
void reeve_tracer_set_ready (ReeveTracer *self, guint batch, ReeveTracerReady ready,
                             gpointer user_data);
/* Marks a trace that begins here as sampled, or not, by the ratio. @self: (nullable): not. */
void reeve_tracer_sample (ReeveTracer *self, ReeveTrace *trace);
/* (transfer full) span */
void reeve_tracer_take (ReeveTracer *self, ReeveSpan *span);
/* (transfer full) (element-type ReeveSpan): at most @most of what waits, oldest first; may be empty
 */
GPtrArray *reeve_tracer_drain (ReeveTracer *self, guint most);
guint64 reeve_tracer_get_dropped (ReeveTracer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveTracer, reeve_tracer_unref)

G_END_DECLS
